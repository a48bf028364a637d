# SPDX-License-Identifier: GPL-3.0-or-later
"""
The Debian package (O5): built by CPack, and in a bare Debian 12 whose process 1 is its own systemd installed, set up, started, watched
over, upgraded while it is pushed to (once with the store of the first release), removed and purged.
"""
import contextlib
import glob
import os
import re
import shutil
import sqlite3
import subprocess
import threading

import pytest

from debian import System, bookworm, run
from zf.da import DA, NoAnswer
from zf.lone import make_first, stored
from zf.mariadb import DATABASE
from zf.ptrace import ALL, stopped_thread
from zf.rows import assert_rows_are
from zf.wait import free_port, wait_for
from zf.zones import da_zone, named

NEWER = "0.1.1+test"
STORE = "/var/lib/zonefan/zonefan.db"
WANTED = "/etc/systemd/system/multi-user.target.wants/zonefand.service"
LIMIT = 60
PASSWORD = "canary-deb-7f3a"


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


class Host(System):
    """With zonefand as a service; DirectAdmin is here."""

    def __init__(self, tar, directory):
        super().__init__(tar, directory)
        self.port = free_port()
        self.da = DA(self.port, "directadmin", PASSWORD, timeout=20)

    def put(self, package):
        shutil.copy(package, self.path("/root"))
        return self.apt("install", "/root/" + os.path.basename(package))

    def owner(self, path):
        """user:group and mode, as the system in there names them."""
        return self.run("stat", "-c", "%U:%G %a", path).strip()

    def set_up(self):
        """As the example that the package brings says it, but for the addresses."""
        text = self.read("/usr/share/doc/zonefan/examples/app.yml")
        for old, new in (("listen_port: 2222", f"listen_port: {self.port}\n  listen_address: 127.0.0.1"),
                         ("dc1.db.example", "127.0.0.1\n      port: 9"), ("dc2.db.example", "127.0.0.1\n      port: 19")):
            assert old in text
            text = text.replace(old, new)
        self.write("/etc/zonefan/app.yml", text, 0o640)
        for name in ("directadmin", "dc1", "dc2"):
            self.write("/etc/zonefan/secrets/" + name, PASSWORD + "\n", 0o640)
        self.run("chgrp", "-R", "zonefan", "/etc/zonefan")

    def service(self, what):
        return self.run("systemctl", "show", "--value", "-p", what, "zonefand").strip()

    def wait_service(self, what, value, limit=LIMIT):
        wait_for(lambda: self.service(what) == value, limit, lambda: f"{what} is {value}:\n{self.journal()}")

    def journal(self):
        return self.try_run("journalctl", "--no-pager", "-n", "30", "-u", "zonefand").stdout

    def zones(self):
        out = self.run("zonefanctl", "--json", "zones")
        return set(re.findall(r'"name": ?"([^"]+)"', out))

    def pending(self, backend):
        return next(entry["pending"] for entry in self.da.get("/status").json()["backends"] if entry["name"] == backend)

    def pid(self):
        """Of its zonefand, as it is numbered here."""
        with open(os.path.join(self.group, "system.slice", "zonefand.service", "cgroup.procs"), encoding="ascii") as file:
            return int(file.read())

    def push(self, name, serial=1):
        """Again and again, until it is taken; the text."""
        text = da_zone(name, serial)

        def taken():
            try:
                return self.da.push(name, text).error == "0"
            except (OSError, NoAnswer):
                return False
        wait_for(taken, LIMIT, lambda: f"{name} is taken:\n{self.journal()}")
        return text


@pytest.fixture(scope="module")
def host(root, tmp_path_factory):
    made = Host(bookworm(root), tmp_path_factory.mktemp("deb") / "root")
    yield made
    made.close()


@pytest.fixture(scope="module")
def installed(host, packages):
    """Installed for the first time, and not set up."""
    host.said = host.put(packages[0])
    return host


@pytest.fixture(scope="module")
def serving(installed):
    installed.set_up()
    started = installed.try_run("systemctl", "start", "zonefand")
    assert started.returncode == 0, installed.journal()
    return installed


def test_installed_it_waits_to_be_set_up(installed):
    assert "starts when it is set up" in installed.said, installed.said
    assert installed.owner("/var/lib/zonefan") == "zonefan:zonefan 700"
    assert installed.owner("/etc/zonefan") == "root:zonefan 750"
    assert installed.exists(WANTED), "the service is not enabled"
    assert installed.service("ActiveState") == "inactive" and installed.service("Result") == "success"
    assert installed.run("zonefand", "--version").startswith("zonefand ")
    for page in ("man5/zonefan.yml.5", "man1/zonefanctl.1", "man8/zonefand.8"):
        assert installed.exists("/usr/share/man/" + page), page


# Of the pages that README.md names: those for who builds, changes or measures it are not in the package.
FOR_DEVELOPERS = {"lib/README.md", "backends/README.md"}


def test_what_readme_sends_an_operator_to_is_there(installed):
    documents = "/usr/share/doc/zonefan/"
    named_pages = set(re.findall(r"\b(?:deploy|lib|schema|backends)/[\w/]+\.md\b", installed.read(documents + "README.md")))
    assert "schema/states.md" in named_pages
    missing = [page for page in sorted(named_pages - FOR_DEVELOPERS) if not installed.exists(documents + page)]
    assert not missing, missing


def test_started_it_serves_in_its_sandbox(serving):
    """systemctl start returns when systemd was told that it is ready."""
    assert serving.da.get("/readyz").status == 200
    assert serving.service("ActiveState") == "active" and serving.service("StatusText") == "serves"
    serving.push("first.example")
    assert serving.zones() == {"first.example"}
    with open(f"/proc/{serving.pid()}/status", encoding="ascii") as file:
        status = file.read()
    assert "CapBnd:\t0000000000000000" in status and "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status, status
    assert serving.owner(STORE) == "zonefan:zonefan 600"
    # Nor a secret in the environment, the journal, or what systemd knows of the service.
    for said in (open(f"/proc/{serving.pid()}/environ").read(), serving.journal(), serving.run("systemctl", "show", "zonefand")):
        assert PASSWORD not in said


def test_a_reload_takes_what_changed_and_refuses_what_is_broken(serving):
    before = serving.service("MainPID")
    serving.write("/etc/zonefan/secrets/directadmin", "canary-new-7f3a\n", 0o640)
    serving.run("systemctl", "reload", "zonefand")
    serving.da = DA(serving.port, "directadmin", "canary-new-7f3a", timeout=20)
    assert serving.da.login_test().status == 200
    config = serving.read("/etc/zonefan/app.yml")
    serving.write("/etc/zonefan/app.yml", config + "nonsense: 1\n", 0o640)
    assert serving.try_run("systemctl", "reload", "zonefand").returncode != 0, "a broken file was taken"
    assert "nonsense" in serving.journal() and serving.da.login_test().status == 200
    serving.write("/etc/zonefan/app.yml", config, 0o640)
    serving.run("systemctl", "reload", "zonefand")
    assert serving.service("MainPID") == before and serving.service("ActiveState") == "active"


def test_stopped_it_is_as_sound_as_before(serving):
    serving.run("systemctl", "stop", "zonefand")
    assert serving.owner("/run/zonefan") == "zonefan:zonefan 750"
    serving.run("zonefand", "--config", "/etc/zonefan/app.yml", "--check")
    serving.run("zonefanctl", "check")
    serving.run("systemctl", "start", "zonefand")


def test_an_upgrade_keeps_store_and_settings_while_it_is_pushed_to(serving, packages):
    serving.write("/etc/default/zonefand", "ZONEFAND_OPTIONS='--log-format json'\n")
    before, names, halt = serving.service("MainPID"), named("upgrade-", 400), threading.Event()
    pushed = []

    def push_all():
        for name in names:
            if halt.is_set():
                return
            serving.push(name)
            pushed.append(name)
    master = threading.Thread(target=push_all, daemon=True)
    master.start()
    wait_for(lambda: len(pushed) >= 10, LIMIT, "pushes are under way")
    serving.put(packages[1])
    wait_for(lambda: serving.service("MainPID") not in (before, "0"), LIMIT, lambda: f"it was started anew:\n{serving.journal()}")
    after = len(pushed) + 5
    wait_for(lambda: len(pushed) >= min(after, len(names)), LIMIT, "pushes go on")
    halt.set()
    master.join(LIMIT)
    assert NEWER in serving.run("dpkg-query", "-W", "-f", "${Version}", "zonefan")
    assert {"first.example", *pushed} <= serving.zones(), "the upgrade lost what was acknowledged"
    assert "json" in serving.read("/etc/default/zonefand"), "what the administrator wrote is gone"
    assert '"msg":"zonefand serves"' in serving.journal().replace(": ", ":"), "the options are not used"


def put_first_store(serving, tmp_path):
    """The store that is there, as the first release would have made it; what it holds. zonefand does not run."""
    current, first = serving.path(STORE), str(tmp_path / "first.db")
    held, owner = stored(current), os.stat(current)
    make_first(current, first)
    for path in glob.glob(current + "*"):
        os.unlink(path)
    shutil.copy(first, current)
    os.chown(current, owner.st_uid, owner.st_gid)
    os.chmod(current, 0o600)
    return held


def schema_of(path):
    store = sqlite3.connect(path)
    try:
        return store.execute("PRAGMA user_version").fetchone()[0]
    finally:
        store.close()


def test_an_upgrade_takes_the_store_of_the_first_release_along(serving, packages, root, dcs, tmp_path):
    """Its zones, and what it had not delivered yet, under pushes; a database then gets all of it."""
    serving.apt("install", "--allow-downgrades", "/root/" + os.path.basename(packages[0]))
    serving.wait_service("ActiveState", "active")
    pushed = {name: serving.push(name) for name in named("old-", 30)}
    changed, deleted = "old-0003.example", "old-0005.example"
    pushed[changed] = serving.push(changed, 7)
    serving.da.delete_ok(deleted)
    del pushed[deleted]
    assert serving.da.push("bad.example", "no zone").error == "1"
    serving.run("systemctl", "stop", "zonefand")
    held = put_first_store(serving, tmp_path)
    steps = len(glob.glob(os.path.join(root, "schema", "sqlite", "*.sql")))
    assert schema_of(serving.path(STORE)) == 1 < steps and held[changed] == 7 and deleted not in held and set(pushed) <= set(held)

    def push_more():
        for name in named("new-", 20):
            pushed[name] = serving.push(name)
    master = threading.Thread(target=push_more, daemon=True)
    master.start()
    serving.put(packages[1])
    serving.wait_service("ActiveState", "active")
    master.join(LIMIT)
    assert not master.is_alive() and "new-0019.example" in pushed
    assert serving.zones() == set(held) | set(pushed)
    assert stored(serving.path(STORE + ".v1.bak")) == held, "the copy from before"
    for path in (STORE, STORE + ".v1.bak"):
        assert serving.owner(path) == "zonefan:zonefan 600", path
    assert [entry["zone"] for entry in serving.da.get("/api/v1/rejected").json()["rejected"]] == ["bad.example"]
    # What it was to deliver is known, too, and so are the texts: a database that comes only now has all of it.
    with reached(serving, dcs[0]):
        wait_for(lambda: serving.pending("dc1") == 0, LIMIT, lambda: f"all is delivered:\n{serving.journal()}")
        rows = dcs[0].db.all_rows()
        assert set(rows) == set(held) | set(pushed)
        for name, text in pushed.items():
            assert_rows_are(rows[name], text, name, "dc1")
    serving.run("systemctl", "stop", "zonefand")
    assert schema_of(serving.path(STORE)) == steps
    assert {name: serial for name, serial in stored(serving.path(STORE)).items() if name in held} == held
    serving.run("systemctl", "start", "zonefand")


@contextlib.contextmanager
def reached(serving, centre):
    """dc1 is that database for a while."""
    config, secret = "/etc/zonefan/app.yml", "/etc/zonefan/secrets/dc1"
    before = serving.read(config)
    old = "port: 9\n      database: coredns\n"
    assert old in before
    serving.write(config, before.replace(old, f"port: {centre.db.port}\n      database: {DATABASE}\n"), 0o640)
    serving.write(secret, centre.db.password, 0o640)
    serving.run("systemctl", "reload", "zonefand")
    try:
        yield
    finally:
        serving.write(config, before, 0o640)
        serving.write(secret, PASSWORD + "\n", 0o640)
        serving.run("systemctl", "reload", "zonefand")


def buried(thread):
    """A thread that was killed while we held it is not gone before we have taken note."""
    return os.waitpid(thread, os.WNOHANG | ALL)[0] == thread


def test_a_thread_that_stands_still_is_not_waited_for(serving):
    """The watchdog ends it, and systemd starts it again."""
    serving.write("/etc/systemd/system/zonefand.service.d/test.conf", "[Service]\nWatchdogSec=4\nRestartSec=1\n")
    serving.run("systemctl", "daemon-reload")
    serving.run("systemctl", "restart", "zonefand")
    before = serving.service("NRestarts")
    with stopped_thread(serving.pid(), "engine") as thread:
        wait_for(lambda: buried(thread), 120, lambda: f"the watchdog ends it:\n{serving.journal()}")
    wait_for(lambda: serving.service("NRestarts") != before, LIMIT, lambda: f"it is started again:\n{serving.journal()}")
    serving.wait_service("ActiveState", "active")
    assert "Watchdog timeout" in serving.journal() and "first.example" in serving.zones()
    shutil.rmtree(serving.path("/etc/systemd/system/zonefand.service.d"))
    serving.run("systemctl", "daemon-reload")


def test_what_the_administrator_disabled_stays_so(serving, packages):
    serving.run("systemctl", "disable", "--now", "zonefand")
    serving.apt("install", "--reinstall", "/root/" + os.path.basename(packages[1]))
    assert not serving.exists(WANTED) and serving.service("ActiveState") == "inactive"
    serving.run("systemctl", "enable", "--now", "zonefand")


def test_removed_it_can_come_back(serving, packages):
    serving.apt("remove", "zonefan")
    assert not serving.exists("/usr/bin/zonefand") and serving.service("LoadState") in ("not-found", "masked")
    assert serving.exists("/etc/zonefan/app.yml") and serving.exists(STORE)
    serving.put(packages[1])
    serving.wait_service("ActiveState", "active")
    assert "first.example" in serving.zones()


def test_a_damaged_store_is_not_hammered(serving):
    """Exit code 65: starting again mends nothing. Anything else is tried for ever."""
    serving.run("systemctl", "stop", "zonefand")
    store = sqlite3.connect(serving.path(STORE))
    with store:
        store.execute("PRAGMA user_version = 9999")  # of a release to come
    store.close()
    assert serving.try_run("systemctl", "start", "zonefand").returncode != 0
    serving.wait_service("ActiveState", "failed")
    assert serving.service("ExecMainStatus") == "65" and serving.service("NRestarts") == "0", serving.journal()


def test_purged_nothing_is_left(serving):
    serving.apt("purge", "zonefan")
    left = serving.run("find", "/etc", "/usr", "/var/lib", "/run", "-xdev", "(", "-name", "*zonefan*", "-o", "-path", "*/zonefan/*", ")",
                       "-not", "-path", "/var/lib/systemd/*")
    assert left.split() == [], left


def test_a_store_that_is_a_mount_is_emptied(root):
    """It can't be removed, which is no reason to fail. In a mount namespace where nothing of this system is in reach."""
    script = """
        for folder in /etc /run /var/lib; do mount -t tmpfs tmpfs $folder; done
        mkdir -p /etc/zonefan /run/zonefan /var/lib/zonefan
        mount -t tmpfs tmpfs /var/lib/zonefan
        mkdir /var/lib/zonefan/history
        touch /var/lib/zonefan/zonefan.db /var/lib/zonefan/history/.1 /etc/zonefan/app.yml
        if [ -n "$2" ]; then mount -o remount,ro /var/lib/zonefan; fi
        sh "$1" purge || exit 3
        find /etc/zonefan /run/zonefan /var/lib/zonefan || true"""
    postrm = os.path.join(root, "deploy", "debian", "postrm")
    emptied, failed = (subprocess.run(["unshare", "-m", "sh", "-ec", script, "sh", postrm, mode], capture_output=True, text=True,
                                      check=False) for mode in ("", "ro"))
    assert emptied.returncode == 0 and emptied.stdout.split() == ["/var/lib/zonefan"], emptied
    assert failed.returncode == 3 and "zonefan.db" in failed.stderr, "what can't be emptied is no success"


def test_its_scripts_are_plain_sh(root):
    for name in ("postinst", "prerm", "postrm"):
        run("dash", "-n", os.path.join(root, "deploy", "debian", name))


def test_nothing_in_it_is_for_everybody_to_write(packages):
    """And nothing is setuid; all of it is root's."""
    for line in run("dpkg-deb", "-c", packages[0]).splitlines():
        mode, who = line.split()[:2]
        assert who == "root/root" and mode[8] != "w" and "s" not in mode and "t" not in mode, line


@pytest.mark.parametrize("tool", ["dpkg-shlibdeps", "file"])
def test_without_its_tools_none_is_made(root, tmp_path, tool):
    """Rather than one that depends on nothing. In a mount namespace where that program is none."""
    made = subprocess.run(["unshare", "-m", "sh", "-c", f"mount --bind /dev/null /usr/bin/{tool} && exec cpack -G DEB -B {tmp_path}"],
                          cwd=os.path.join(root, "build", "release"), capture_output=True, text=True, check=False)
    assert made.returncode != 0 and f"{tool} is not here" in made.stderr, made
    assert not list(tmp_path.glob("*.deb"))
