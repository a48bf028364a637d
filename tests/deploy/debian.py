# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare Debian 12, made once by debootstrap and kept as build/deploy/bookworm.tar; folders that are such systems."""
import contextlib
import fcntl
import os
import shutil
import subprocess

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


class System:
    """A Debian in a folder. Its commands run in a chroot, with the network, /proc and /dev of this machine."""

    def __init__(self, tar, directory):
        self.directory = str(directory)
        self.mounted = []
        os.makedirs(self.directory)
        run("tar", "-C", self.directory, "--numeric-owner", "-xpf", tar)
        shutil.copy("/etc/resolv.conf", self.path("/etc/resolv.conf"))
        shutil.copy("/etc/hosts", self.path("/etc/hosts"))
        # Services are not started by dpkg: no systemd runs in there.
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        for place in ("/proc", "/dev"):
            run("mount", "--rbind" if place == "/dev" else "--bind", place, self.path(place))
            self.mounted.append(self.path(place))
            if place == "/dev":
                run("mount", "--make-rslave", self.path(place))

    def close(self):
        for place in reversed(self.mounted):
            run("umount", "-R", place)
        self.mounted = []
        shutil.rmtree(self.directory)

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

    def command(self, *words, user=None):
        """For Popen: that command in there, as that user."""
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        return ["chroot", self.directory, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *as_user, *words]

    def run(self, *words, user=None):
        return run(*self.command(*words, user=user))

    def apt(self, *words):
        return self.run("apt-get", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", *words)
