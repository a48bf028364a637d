# SPDX-License-Identifier: GPL-3.0-or-later
"""
The image of zonefand: built by buildah from the shipped Dockerfile on a bare Debian 12, and run by crun as Kubernetes runs it
with the securityContext of deploy/kubernetes: read-only root, no root, no capabilities, no new privileges. That of the reader likewise, run
with what deploy/compose.yaml leaves it.
"""
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

import dns.flags
import dns.name
import dns.rdatatype
import pytest

from coredns.servers import Server
from debian import bookworm, mirror, run
from zf.daemon import Zonefan
from zf.da import NoAnswer
from zf.mariadb import DATABASE
from zf.rows import assert_rows_are, of_text, relative
from zf.wait import free_port, wait_for
from zf.zones import da_zone, named

USER = 10001
# crun refuses the mixture of both versions of control groups that some machines have; without the second it is content.
OWN_MOUNTS = ["unshare", "-m", "sh", "-c", 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', "sh"]


class Images:
    """buildah with a storage of its own, which is kept: what did not change is not built again."""

    def __init__(self, directory):
        self.directory = str(directory)
        self.storage = ["--root", os.path.join(self.directory, "root"), "--runroot", os.path.join(self.directory, "run")]

    def run(self, *words, before=()):
        return run(*before, "buildah", *self.storage, *words).strip()

    def base(self, tar, name):
        if self.run("images", "--noheading", "--filter", f"reference={name}"):
            return name
        container = self.run("from", "scratch")
        self.run("add", container, tar, "/")
        self.run("config", "--cmd", "/bin/sh", container)
        self.run("commit", "--rm", container, name)
        return name

    def build(self, root, base, name, target, *more):
        self.run("build", "--layers", "--isolation", "oci", "--runtime-flag", "cgroup-manager=disabled", "--network", "host", "--format", "docker",
                 "--build-arg", f"DEBIAN={base}", "--build-arg", f"MIRROR={mirror()}", "--target", target, *more,
                 "-f", os.path.join(root, "deploy", "Dockerfile"), "-t", name, root, before=OWN_MOUNTS)
        return name

    def settings(self, name):
        return json.loads(self.run("inspect", "--type", "image", name))["Docker"]["config"]

    def mounted(self, name):
        """A container's root file system."""
        container = self.run("from", "--pull-never", name)
        return self.run("mount", container)

    def close(self):
        self.run("umount", "--all")
        self.run("rm", "--all")


@pytest.fixture(scope="module")
def images(root):
    made = Images(os.path.join(root, "build", "deploy", "images"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def image(root, images):
    base = images.base(bookworm(root), "localhost/debian:bookworm-bare")
    return images.build(root, base, "localhost/zonefand:test", "zonefand")


@pytest.fixture(scope="module")
def filesystem(images, image):
    return images.mounted(image)


@pytest.fixture(scope="module")
def reader_image(root, images):
    base = images.base(bookworm(root), "localhost/debian:bookworm-bare")
    go = run(os.path.join(root, "tests", "install-packages"), "--find-go").strip()
    # This machine knows how to get modules; the build has them from its folder, and compares them with go.sum.
    run(go, "list", "-mod=readonly", "-deps", ".", cwd=os.path.join(root, "deploy", "coredns"), env={**os.environ, "GOTOOLCHAIN": "local"})
    modules = os.path.join(run(go, "env", "GOMODCACHE").strip(), "cache", "download")
    return images.build(root, base, "localhost/zonefan-coredns:test", "coredns", "--volume", f"{modules}:/modules:ro",
                        "--build-arg", "GOPROXY=file:///modules")


def specification(filesystem, image, user, group, mounts, bounding=(), nothing_new=True):
    """What crun is to run: the image's command as that user, on a read-only root."""
    mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
              {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755"]}, *mounts]
    capabilities = {kind: [] for kind in ("effective", "permitted", "inheritable", "ambient")}
    return {"ociVersion": "1.0.2", "root": {"path": filesystem, "readonly": True}, "mounts": mounts,
            "process": {"terminal": False, "user": {"uid": user, "gid": group}, "cwd": image["WorkingDir"],
                        "args": image["Entrypoint"] + image["Cmd"], "env": image["Env"], "noNewPrivileges": nothing_new,
                        "capabilities": {**capabilities, "bounding": list(bounding)}},
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
                      "maskedPaths": ["/proc/kcore", "/proc/keys"], "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"]}}


def bound(source, destination, *options):
    return {"destination": destination, "type": "bind", "source": source, "options": ["bind", *options]}


def crun(*words):
    return [*OWN_MOUNTS, "crun", "--cgroup-manager=disabled", *words]


def crun_bundle(bundle, what, name):
    """The command that runs it."""
    with open(os.path.join(bundle, "config.json"), "w", encoding="utf-8") as out:
        json.dump(what, out)
    return crun("run", "-b", bundle, name)


class Contained(Zonefan):
    """zonefand in its image. Directory, configuration, port and log are as with any other."""

    name = "zonefan-test"

    def __init__(self, directory, backends, filesystem, settings):
        self.filesystem, self.image = filesystem, settings
        super().__init__(directory, backends)
        self.data = os.path.join(self.directory, "data")
        self.bundle = os.path.join(self.directory, "bundle")
        self.stdin_path = os.path.join(self.directory, "stdin")
        os.makedirs(self.bundle)
        os.makedirs(self.data)
        os.chown(self.data, USER, USER)
        self.configure({"datastore": {"db_location": "/var/lib/zonefan/zonefan.db"}, "app": {"control_socket": "/run/zonefan/s"}})
        os.chown(self.config_path, 0, USER)
        os.chmod(self.config_path, 0o640)

    def specification(self):
        tmpfs = {"type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "noexec", "size=1m", f"uid={USER}", f"gid={USER}"]}
        return specification(self.filesystem, self.image, USER, USER, [
            {"destination": "/run/zonefan", **tmpfs}, bound(self.config_path, "/etc/zonefan/app.yml", "ro"),
            bound(self.data, "/var/lib/zonefan", "nosuid", "nodev")])

    def start(self, ready=True):
        command = crun_bundle(self.bundle, self.specification(), self.name)
        # crun gives what it has as stdin to the container's user: /dev/null is not ours to give.
        with open(self.log_path, "ab") as log, open(self.stdin_path, "a+b") as empty:
            self.process = subprocess.Popen(command, stdin=empty, stdout=log, stderr=log)
        if ready:
            wait_for(self._ready, 60, lambda: f"the container is ready; its log:\n{self.log_tail()}")
        return self

    def signal(self, name):
        """To its process 1, as the kubelet does."""
        run(*crun("kill", self.name, name))

    def term(self, deadline=60):
        self.signal("TERM")
        return self.wait_end(deadline)

    def kill9(self):
        self.signal("KILL")
        self.process.wait()

    def inside(self, *words):
        """A command in the container, as `kubectl exec` runs it."""
        return subprocess.run(crun("exec", "--user", f"{USER}:{USER}", self.name, *words), capture_output=True, text=True, timeout=60,
                              input="")

    def hears_term(self):
        """A container is there before its process 1 is zonefand, which hears nothing in its very first moments."""
        fields = dict(line.split(":", 1) for line in self.inside("cat", "/proc/1/status").stdout.splitlines())
        return fields.get("Name", "").strip() == "zonefand" and bool(int(fields["SigCgt"], 16) & 1 << signal.SIGTERM - 1)


def owner_of(path):
    found = os.stat(path)
    return found.st_rdev, found.st_uid, found.st_gid


@pytest.fixture
def contained(scratch, dcs, images, image, filesystem):
    zonefan = Contained(os.path.join(scratch, "contained"), [centre.backend() for centre in dcs], filesystem, images.settings(image))
    device = owner_of(os.devnull)
    yield zonefan
    with contextlib.suppress(AssertionError):
        if zonefan.alive():
            zonefan.kill9()
    shutil.rmtree(zonefan.directory)
    assert owner_of(os.devnull) == device


def test_what_the_image_says_of_itself(images, image, filesystem):
    settings = images.settings(image)
    assert settings["User"] == f"{USER}:{USER}", "a name would not do for runAsNonRoot"
    assert "2222/tcp" in settings["ExposedPorts"] and "/var/lib/zonefan" in settings["Volumes"]
    assert settings["Healthcheck"]["Test"] == ["CMD", "/usr/bin/zonefanctl", "ready"]
    setuid = run("find", os.path.join(filesystem, "usr", "bin"), "-name", "zonefan*", "-perm", "/7022")
    assert setuid == "", setuid
    left = [name for name in ("gcc", "cmake", "ninja", "dpkg-shlibdeps") if os.path.exists(os.path.join(filesystem, "usr/bin", name))]
    assert not left and not os.path.exists(os.path.join(filesystem, "src")), f"left of the build: {left}"


def size_of(filesystem):
    """Bytes in files; without apt's lists and logs, which a base may have or not."""
    return sum(os.lstat(os.path.join(folder, name)).st_size for place in ("etc", "usr", "var/lib/dpkg")
               for folder, _, names in os.walk(os.path.join(filesystem, place)) for name in names)


def test_it_adds_little(images, filesystem):
    """The libraries with all that they need are most of it; a compiler left in there would be ten times that."""
    own = sum(os.path.getsize(os.path.join(filesystem, "usr/bin", name)) for name in ("zonefand", "zonefanctl"))
    added = (size_of(filesystem) - size_of(images.mounted("localhost/debian:bookworm-bare"))) / 2**20
    print(f"image: {added:.1f} MiB above the base; of it the programs {own / 2**20:.1f} MiB")
    assert 1 < added < 60


def test_it_runs_without_root_on_a_read_only_file_system(contained, dcs):
    contained.start()
    contained.da().push_ok("contained.example", da_zone("contained.example"))
    contained.wait_converged()
    for centre in dcs:
        assert_rows_are(centre.db.rows("contained.example"), da_zone("contained.example"), "contained.example", centre.name)
    status = contained.inside("cat", "/proc/1/status").stdout
    assert f"Uid:\t{USER}\t{USER}" in status and "CapBnd:\t0000000000000000" in status and "NoNewPrivs:\t1" in status, status
    assert contained.inside("touch", "/usr/bin/x").returncode != 0 and contained.inside("touch", "/tmp/x").returncode != 0
    assert contained.inside("zonefanctl", "--config", "/etc/zonefan/app.yml", "status").returncode == 0
    assert contained.inside("zonefanctl", "ready").returncode == 0, "the health check fails while all is well"
    contained.stop()
    assert "restart" not in contained.log()


def test_the_health_check_fails_when_it_cannot_take_pushes(contained):
    contained.start()
    contained.signal("STOP")
    assert contained.inside("timeout", "5", "zonefanctl", "ready").returncode != 0
    contained.signal("CONT")
    wait_for(lambda: contained.inside("zonefanctl", "ready").returncode == 0, 30, "it is healthy again")
    contained.stop()


class Panel(threading.Thread):
    """A DirectAdmin that repeats what was refused, or not answered, until it is taken."""

    def __init__(self, zonefan, names):
        super().__init__(daemon=True)
        self.zonefan, self.names, self.repeated, self.problem = zonefan, names, 0, None

    def run(self):
        try:
            for name in self.names:
                self.push(name)
        except AssertionError as error:
            self.problem = error

    def push(self, name):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                answer = self.zonefan.da(timeout=20).push(name, da_zone(name))
                if answer.error == "0":
                    return
                assert answer.status == 503, f"{name}: {answer}"
            except (OSError, NoAnswer):
                pass
            self.repeated += 1
            time.sleep(0.02)  # between two tries, no wait for anything
        raise AssertionError(f"{name} was never taken")


def test_term_and_restart_under_a_bulk_push_lose_nothing(contained, dcs):
    """What `kubectl drain` or an upgrade does to it, three times within 2,000 pushes of 4 clients."""
    contained.start()
    panels = [Panel(contained, named(f"bulk{number}-", 500)) for number in range(4)]
    for panel in panels:
        panel.start()
    for share in (300, 900, 1500):
        wait_for(lambda: len(contained.zones()) >= share, 120, f"{share} zones are there")
        assert contained.term(30) == 0, contained.log_tail()
        contained.start()
    for panel in panels:
        panel.join(240)
        assert panel.problem is None and not panel.is_alive(), panel.problem
    assert sum(panel.repeated for panel in panels) > 0, "no push met the restart"
    contained.wait_converged(deadline=180)
    wanted = {name for panel in panels for name in panel.names}
    assert set(contained.zones()) == wanted
    for centre in dcs:
        rows = centre.db.all_rows()
        assert wanted <= set(rows), f"{centre.name} lacks zones"
        for name in wanted:
            assert_rows_are(rows[name], da_zone(name), name, centre.name)
    contained.stop()


def test_stopped_at_its_start_it_ends_at_once(contained):
    """SIGTERM to a process 1 without a handler is lost, and the kubelet would wait for its whole grace period."""
    contained.start(ready=False)
    wait_for(contained.hears_term, 30, "zonefand runs in the container, and hears SIGTERM")
    started = time.monotonic()
    assert contained.term(30) == 0
    assert time.monotonic() - started < 15


def test_what_the_image_of_the_reader_says_of_itself(images, reader_image):
    settings, filesystem = images.settings(reader_image), images.mounted(reader_image)
    assert settings["User"] == "coredns" and {"53/udp", "53/tcp"} == set(settings["ExposedPorts"])
    assert "/var/lib/coredns" in settings["Volumes"] and owner_of(os.path.join(filesystem, "var/lib/coredns"))[1:] == reader_ids(filesystem)
    program = settings["Entrypoint"][0]
    said = run("chroot", filesystem, program, "-version")
    assert said.startswith("CoreDNS-") and "zonefan-0.1.0" in said, said
    assert {"zonefan", "transfer", "health", "ready", "reload", "prometheus"} <= set(run("chroot", filesystem, program, "-plugins").split())
    left = [name for name in ("usr/bin/go", "usr/lib/go", "src", "out") if os.path.lexists(os.path.join(filesystem, name))]
    assert not left, f"left of the build: {left}"


def reader_ids(filesystem):
    with open(os.path.join(filesystem, "etc/passwd"), encoding="utf-8") as users:
        return next((int(fields[2]), int(fields[3])) for fields in (line.split(":") for line in users) if fields[0] == "coredns")


def low_port():
    """One that only root may take, free for UDP and TCP."""
    for port in random.sample(range(600, 1000), 50):
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
            try:
                stream.bind(("127.0.0.1", port))
                datagram.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise AssertionError("no free port below 1000")


class ContainedReader(Server):
    """The reader in its image, with the image's own Corefile: only ports and the login are put in."""

    name = "zonefan-reader-test"

    def __init__(self, directory, db, filesystem, settings):
        os.makedirs(directory)
        super().__init__(directory)
        self.port = low_port()
        user, group = reader_ids(filesystem)
        with open(os.path.join(filesystem, "etc/coredns/Corefile"), encoding="utf-8") as shipped:
            text = shipped.read()
        for old, new in (("\n. {\n", f"\n.:{self.port} {{\n\tbind 127.0.0.1\n"), ("localhost:8080", f"127.0.0.1:{free_port()}"),
                         ("localhost:8181", f"127.0.0.1:{free_port()}"), ("localhost:9153", f"127.0.0.1:{free_port()}")):
            assert old in text, f"there is no {old!r} any more"
            text = text.replace(old, new)
        db.sql("DROP USER IF EXISTS coredns")
        db.sql("CREATE USER coredns IDENTIFIED BY 'canary-reader-77'")
        db.sql(f"GRANT SELECT ON {DATABASE}.* TO coredns")
        self.etc, data, self.bundle = (os.path.join(directory, name) for name in ("etc", "data", "bundle"))
        for folder in (self.etc, data, self.bundle):
            os.makedirs(folder)
        for name, content in (("Corefile", text), ("zonefan.dsn", f"coredns:canary-reader-77@tcp(127.0.0.1:{db.port})/{DATABASE}\n")):
            with open(os.path.join(self.etc, name), "w", encoding="utf-8") as out:
                out.write(content)
        os.chmod(os.path.join(self.etc, "zonefan.dsn"), 0o600)
        for path in (data, os.path.join(self.etc, "zonefan.dsn")):
            os.chown(path, user, group)
        self.snapshot = os.path.join(data, "zones.snapshot")
        # As in deploy/compose.yaml: all capabilities are dropped but the one that the program's file gives it.
        self.specification = specification(filesystem, settings, user, group, [
            bound(self.etc, "/etc/coredns", "ro"), bound(data, "/var/lib/coredns", "nosuid", "nodev")],
            bounding=["CAP_NET_BIND_SERVICE"], nothing_new=False)

    def start(self):
        command = crun_bundle(self.bundle, self.specification, self.name)
        # crun gives what it has as stdin to the container's user: /dev/null is not ours to give.
        with open(self.log_path, "ab") as log, open(os.path.join(self.directory, "stdin"), "a+b") as empty:
            self.process = subprocess.Popen(command, stdin=empty, stdout=log, stderr=log)
        return self

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            run(*crun("kill", self.name, "TERM"))
            return self.process.wait(timeout=60)
        return None


@pytest.fixture
def reader(scratch, dcs, images, reader_image):
    made = ContainedReader(os.path.join(scratch, "reader"), dcs[0].db, images.mounted(reader_image), images.settings(reader_image))
    device = owner_of(os.devnull)
    yield made
    made.stop()
    shutil.rmtree(made.directory)
    assert owner_of(os.devnull) == device


def answered(reader, zone, text):
    """Whether all that the text holds is answered, and nothing beside it."""
    records, origin = of_text(text, zone), dns.name.from_text(zone)
    for owner, rtype in sorted({record[:2] for record in records}):
        answer = reader.ask(dns.name.Name(owner + origin.labels), rtype)
        found = {(relative(rrset.name, origin), dns.rdatatype.to_text(rrset.rdtype), rdata.to_digestable(), rrset.ttl)
                 for rrset in answer.answer for rdata in rrset}
        if found != {record for record in records if record[:2] == (owner, rtype)} or not answer.flags & dns.flags.AA:
            return False
    return True


def test_the_reader_answers_from_its_image(reader, install, dcs):
    """A port below 1024, which the file's capability gives to who is not root; then without the database, from the snapshot."""
    zonefan, zone = install(dcs[:1]), "read.example"
    zonefan.da().push_ok(zone, da_zone(zone, 1))
    zonefan.wait_converged()
    reader.start().wait_serves([zone])
    assert answered(reader, zone, da_zone(zone, 1)) and not answered(reader, zone, da_zone(zone, 2))
    status = run(*crun("exec", reader.name, "cat", "/proc/1/status"))
    user, _ = reader_ids(reader.specification["root"]["path"])
    assert f"Uid:\t{user}\t{user}" in status and "CapBnd:\t0000000000000400" in status and "CapEff:\t0000000000000400" in status, status
    zonefan.da().push_ok(zone, da_zone(zone, 2, hosts=5))
    wait_for(lambda: answered(reader, zone, da_zone(zone, 2, hosts=5)), 60, lambda: f"the new version is answered:\n{reader.log()}")
    wait_for(lambda: os.path.exists(reader.snapshot), 60, lambda: f"the snapshot is there:\n{reader.log()}")
    assert reader.stop() == 0, reader.log()
    dcs[0].db.sql("DROP USER coredns")
    reader.start().wait_serves([zone])
    assert answered(reader, zone, da_zone(zone, 2, hosts=5)), reader.log()
    assert "canary-reader" not in reader.log()
