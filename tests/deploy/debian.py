# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare Debian 12, made once by debootstrap and kept as build/deploy/bookworm.tar; folders that are such systems."""
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess

from zf.wait import wait_for

SUITE = "bookworm"


def run(*command, **more):
    """The finished process; its output is shown if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                          errors="replace", timeout=800, **more)
    assert done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-6000:]}"
    return done.stdout


def mirror():
    """Where this machine has its packages from."""
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages"],
                             capture_output=True, text=True, timeout=60, check=True).stdout
    return next((line.split()[1] for line in targets.splitlines() if line.split()[0] == SUITE), "http://deb.debian.org/debian")


@contextlib.contextmanager
def only_one(path):
    """Workers wait here for each other."""
    with open(path + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def bookworm(root):
    """The path of the tar."""
    folder = os.path.join(root, "build", "deploy")
    os.makedirs(folder, exist_ok=True)
    tar = os.path.join(folder, SUITE + ".tar")
    with only_one(tar):
        if not os.path.exists(tar):
            made = tar + ".d"
            shutil.rmtree(made, ignore_errors=True)
            run("debootstrap", "--variant=minbase", SUITE, made, mirror())
            run("tar", "-C", made, "--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./var/cache/apt/archives/*.deb",
                "--numeric-owner", "-cf", tar + ".part", ".")
            shutil.rmtree(made)
            os.rename(tar + ".part", tar)
    return tar


# systemd as process 1 of namespaces of its own; the network is this machine's. It may neither set the clock nor change the kernel.
BOOT = r"""
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
	touch dev/$device
	mount --bind /dev/$device dev/$device
done
mkdir dev/shm dev/pts dev/mqueue
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
pivot_root . mnt
umount -l mnt
exec env -i container=test PATH=/usr/sbin:/usr/bin setpriv --bounding-set=-sys_time,-sys_module,-sys_boot \
	/lib/systemd/systemd --system --unit=multi-user.target
"""
# Devices alone, not /dev: what a package does to its folder must not reach this machine's.
CHROOT = r"""
mount -t proc proc "$0/proc"
mount -t tmpfs -o mode=755 tmpfs "$0/dev"
for device in null zero full random urandom; do
	touch "$0/dev/$device"
	mount --bind "/dev/$device" "$0/dev/$device"
done
exec chroot "$0" "$@"
"""
MANAGER = ["/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]


def control_groups():
    """Where those of the second version are, alone or beside the first."""
    return next(path for path in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if os.path.exists(os.path.join(path, "cgroup.procs")))


class System:
    """A Debian in a folder, booted: its process 1 is its own systemd."""

    def __init__(self, tar, directory):
        self.directory = str(directory)
        self.process = None
        os.makedirs(self.directory)
        run("tar", "-C", self.directory, "--numeric-owner", "-xpf", tar)
        for path in ("/etc/resolv.conf", "/etc/hosts"):
            shutil.copy(path, self.path(path))
        self.install_systemd()
        self.group = os.path.join(control_groups(), f"zonefan-test.{os.getpid()}")
        os.mkdir(self.group)
        self.boot()

    def install_systemd(self):
        """While nothing runs in there yet: a chroot is enough."""
        mounts = ["unshare", "-m", "sh", "-ec", CHROOT, self.directory, *MANAGER]
        apt = ["apt-get", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0"]
        run(*mounts, *apt, "update")
        run(*mounts, *apt, "install", "systemd", "dbus")

    def boot(self):
        enter = f'echo $$ >{self.group}/cgroup.procs; exec unshare --cgroup --mount --uts --ipc --pid --fork bash -c "$@"'
        self.process = subprocess.Popen(["bash", "-c", enter, "bash", BOOT, "bash", self.directory], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.try_run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"), 120,
                 "systemd has booted")

    def close(self):
        if self.process is not None:
            os.kill(self.first(), signal.SIGKILL)  # with it all of its namespace
            self.process.wait()
        run("find", self.group, "-depth", "-type", "d", "-delete")
        shutil.rmtree(self.directory)

    def first(self):
        """Its process 1, as it is numbered here; AssertionError if there is none yet."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as children:
            found = children.read().split()
        assert found, "nothing was booted"
        return int(found[0])

    def path(self, inside):
        return self.directory + inside

    def exists(self, inside):
        return os.path.lexists(self.path(inside))

    def read(self, inside):
        with open(self.path(inside), encoding="utf-8") as file:
            return file.read()

    def write(self, inside, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        with open(self.path(inside), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(inside), mode)

    def command(self, *words):
        return ["nsenter", "-t", str(self.first()), "-m", "-p", "-u", "-i", "-C", *MANAGER, *words]

    def try_run(self, *words):
        try:
            return subprocess.run(self.command(*words), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
        except AssertionError as error:
            return subprocess.CompletedProcess(words, 1, "", str(error))

    def run(self, *words):
        return run(*self.command(*words))

    def apt(self, *words):
        return self.run("apt-get", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", *words)
