# SPDX-License-Identifier: GPL-3.0-or-later
"""
The Debian package (O5): built by CPack, and in a bare Debian 12 installed, used, upgraded, removed and purged. dpkg runs the
package's scripts as on any machine; only systemd does not run in a chroot, so its unit is started by hand there.
"""
import os
import re
import shutil
import stat
import subprocess

import pytest

from debian import System, bookworm, run
from zf.daemon import to_yaml
from zf.da import DA, NoAnswer
from zf.wait import free_port, wait_for
from zf.zones import da_zone

NEWER = "0.1.1+test"
UNIT = "/usr/lib/systemd/system/zonefand.service"
WANTED = "/etc/systemd/system/multi-user.target.wants/zonefand.service"


def build(root, version=None):
    """The path of a package, made of build/release."""
    out = run("cpack", "-G", "DEB", *(["-D", f"CPACK_PACKAGE_VERSION={version}"] if version else []),
              cwd=os.path.join(root, "build", "release"))
    return re.search(r"package: (\S+\.deb) generated", out).group(1)


@pytest.fixture(scope="module")
def packages(root):
    """This release's, and one of the same content that is newer."""
    made = [build(root), build(root, NEWER)]
    yield made
    for path in made:
        os.unlink(path)


@pytest.fixture(scope="module")
def system(root, tmp_path_factory):
    made = System(bookworm(root), tmp_path_factory.mktemp("deb") / "root")
    made.apt("update")
    yield made
    made.close()


def put(system, package):
    shutil.copy(package, system.path("/tmp"))
    return system.apt("install", "/tmp/" + os.path.basename(package))


def owner(system, path):
    """user:group and mode, as the system in there names them."""
    return system.run("stat", "-c", "%U:%G %a", path).strip()


class Daemon:
    """zonefand in there, as its unit starts it: its user, its options."""

    def __init__(self, system):
        self.system = system
        self.port = free_port()
        password = "canary-deb-7f3a"
        self.da = DA(self.port, "directadmin", password)
        settings = {"app": {"auth_username": "directadmin", "auth_password": password, "listen_port": self.port,
                            "listen_address": "127.0.0.1", "control_socket": "/run/zonefan/zonefan.sock"},
                    "datastore": {"db_location": "/var/lib/zonefan/zonefan.db"},
                    "dns": {"backends": {"dc1": {"type": "coredns_mysql", "enabled": True, "host": "127.0.0.1", "port": 9,
                                                 "password": "canary-nowhere"}}}}
        system.write("/etc/zonefan/app.yml", to_yaml(settings) + "\n", 0o640)
        system.run("chgrp", "zonefan", "/etc/zonefan/app.yml")

    def __enter__(self):
        start = re.search(r"^ExecStart=(.*)$", self.system.read(UNIT), re.M).group(1).replace("$ZONEFAND_OPTIONS", "")
        user = re.search(r"^User=(.*)$", self.system.read(UNIT), re.M).group(1)
        self.log = open(self.system.path("/tmp/zonefand.log"), "ab")
        self.process = subprocess.Popen(self.system.command(*start.split(), user=user), stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        wait_for(self.ready, 30, lambda: "zonefand is ready:\n" + self.system.read("/tmp/zonefand.log")[-3000:])
        return self

    def ready(self):
        assert self.process.poll() is None, self.system.read("/tmp/zonefand.log")[-3000:]
        try:
            return self.da.get("/readyz").status == 200
        except (OSError, NoAnswer):
            return False

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(60) == 0
        self.log.close()


def zones(system):
    out = system.run("zonefanctl", "--json", "zones", user="zonefan")
    return set(re.findall(r'"name": ?"([^"]+)"', out))


def test_installed_used_upgraded_removed_purged(system, packages):
    said = put(system, packages[0])
    assert "starts when it is set up" in said, said
    assert owner(system, "/var/lib/zonefan") == "zonefan:zonefan 700"
    assert owner(system, "/etc/zonefan") == "root:zonefan 750"
    assert system.exists(WANTED), "the service is not enabled"
    assert system.run("zonefand", "--version").startswith("zonefand ")

    with Daemon(system) as zonefan:
        zonefan.da.push_ok("before.example", da_zone("before.example"))
        assert zones(system) == {"before.example"}
        assert stat.S_IMODE(os.stat(system.path("/var/lib/zonefan/zonefan.db")).st_mode) == 0o600
    system.write("/etc/default/zonefand", "ZONEFAND_OPTIONS='--log-format json'\n")
    system.run("systemctl", "disable", "zonefand.service")

    put(system, packages[1])
    assert NEWER in system.run("dpkg-query", "-W", "-f", "${Version}", "zonefan")
    assert "json" in system.read("/etc/default/zonefand"), "what the administrator wrote is gone"
    assert not system.exists(WANTED), "the upgrade enabled what the administrator had disabled"
    with Daemon(system) as zonefan:
        assert zones(system) == {"before.example"}, "the upgrade lost the store"
        zonefan.da.push_ok("after.example", da_zone("after.example"))

    system.apt("remove", "zonefan")
    assert not system.exists("/usr/bin/zonefand") and not system.exists(UNIT)
    assert system.exists("/etc/zonefan/app.yml") and system.exists("/var/lib/zonefan/zonefan.db")
    put(system, packages[1])
    with Daemon(system):
        assert zones(system) == {"before.example", "after.example"}

    system.apt("purge", "zonefan")
    left = system.run("find", "/etc", "/usr", "/var/lib", "/run", "-xdev", "(", "-name", "*zonefan*", "-o", "-path", "*/zonefan/*", ")")
    assert left.split() == [], left


def test_its_scripts_are_plain_sh(root):
    for name in ("postinst", "prerm", "postrm"):
        run("dash", "-n", os.path.join(root, "deploy", "debian", name))


def test_nothing_in_it_is_for_everybody_to_write(packages):
    """And nothing is setuid; all of it is root's."""
    for line in run("dpkg-deb", "-c", packages[0]).splitlines():
        mode, who = line.split()[:2]
        assert who == "root/root" and mode[8] != "w" and "s" not in mode and "t" not in mode, line
