# SPDX-License-Identifier: GPL-3.0-or-later
"""
The image of zonefand: built by buildah from the shipped Dockerfile on a bare Debian 12, and run by crun as Kubernetes runs it
with the securityContext of deploy/kubernetes: read-only root, no root, no capabilities, no new privileges.
"""
import contextlib
import json
import os
import shutil
import subprocess
import threading
import time

import pytest

from debian import bookworm, mirror, run
from zf.daemon import Zonefan, to_yaml
from zf.da import NoAnswer
from zf.rows import assert_rows_are
from zf.wait import wait_for
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

    def build(self, root, base, name):
        self.run("build", "--layers", "--isolation", "oci", "--runtime-flag", "cgroup-manager=disabled", "--network", "host", "--format", "docker",
                 "--build-arg", f"DEBIAN={base}", "--build-arg", f"MIRROR={mirror()}", "--target", "zonefand",
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
    return images.build(root, base, "localhost/zonefand:test")


@pytest.fixture(scope="module")
def filesystem(images, image):
    return images.mounted(image)


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
        mounts = [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/run/zonefan", **tmpfs},
                  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755"]},
                  {"destination": "/etc/zonefan/app.yml", "type": "bind", "source": self.config_path, "options": ["bind", "ro"]},
                  {"destination": "/var/lib/zonefan", "type": "bind", "source": self.data, "options": ["bind", "nosuid", "nodev"]}]
        return {"ociVersion": "1.0.2", "root": {"path": self.filesystem, "readonly": True}, "mounts": mounts,
                "process": {"terminal": False, "user": {"uid": USER, "gid": USER}, "cwd": self.image["WorkingDir"],
                            "args": self.image["Entrypoint"] + self.image["Cmd"], "env": self.image["Env"],
                            "noNewPrivileges": True,
                            "capabilities": {kind: [] for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")}},
                "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
                          "maskedPaths": ["/proc/kcore", "/proc/keys"], "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"]}}

    @staticmethod
    def crun(*words):
        return [*OWN_MOUNTS, "crun", "--cgroup-manager=disabled", *words]

    def start(self, ready=True):
        with open(os.path.join(self.bundle, "config.json"), "w", encoding="utf-8") as out:
            json.dump(self.specification(), out)
        # crun gives what it has as stdin to the container's user: /dev/null is not ours to give.
        with open(self.log_path, "ab") as log, open(self.stdin_path, "a+b") as empty:
            self.process = subprocess.Popen(self.crun("run", "-b", self.bundle, self.name), stdin=empty, stdout=log, stderr=log)
        if ready:
            wait_for(self._ready, 60, lambda: f"the container is ready; its log:\n{self.log_tail()}")
        return self

    def signal(self, name):
        """To its process 1, as the kubelet does."""
        run(*self.crun("kill", self.name, name))

    def term(self, deadline=60):
        self.signal("TERM")
        return self.wait_end(deadline)

    def kill9(self):
        self.signal("KILL")
        self.process.wait()

    def inside(self, *words):
        """A command in the container, as `kubectl exec` runs it."""
        return subprocess.run(self.crun("exec", "--user", f"{USER}:{USER}", self.name, *words), capture_output=True, text=True, timeout=60,
                              input="")


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
        assert wanted <= set(centre.db.all_rows()), f"{centre.name} lacks zones"
    contained.stop()


def test_stopped_at_its_start_it_ends_at_once(contained):
    """SIGTERM to a process 1 without a handler is lost, and the kubelet would wait for its whole grace period."""
    contained.start(ready=False)
    wait_for(lambda: contained.inside("true").returncode == 0, 30, "the container is there")
    started = time.monotonic()
    assert contained.term(30) == 0
    assert time.monotonic() - started < 15
