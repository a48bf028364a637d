# SPDX-License-Identifier: GPL-3.0-or-later
"""
Power cuts without device-mapper (reliability.md 5): an ext4 file system in a file. Whoever copies the file without a sync has what the disk
would hold if the power went away now: what was flushed, and not what only the page cache knows.
"""
import contextlib
import os
import shutil
import subprocess

import pytest

from .wait import wait_for


def run(*command):
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    return subprocess.run([*sudo, *command], capture_output=True, text=True, check=False)


class Image:
    """The disk, mounted while the context lasts."""

    def __init__(self, directory, mib=320):
        self.file = os.path.join(directory, "disk.img")
        self.path = os.path.join(directory, "disk")
        with open(self.file, "wb") as file:
            file.truncate(mib << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,root_owner=%d:%d" % (os.geteuid(), os.getegid()),
                        self.file], check=True)

    def __enter__(self):
        mount(self.file, self.path)
        return self

    def __exit__(self, *_):
        unmount(self.path)

    @contextlib.contextmanager
    def cut(self):
        """The disk as the power left it, mounted; the path. Nobody writes to the disk meanwhile but the kernel itself."""
        copy, path = self.file + ".cut", self.path + ".cut"
        while True:
            before = os.stat(self.file).st_mtime_ns
            shutil.copyfile(self.file, copy)
            if os.stat(self.file).st_mtime_ns == before:
                break  # one moment, not two
        try:
            mount(copy, path)
            yield path
        finally:
            unmount(path)
            os.unlink(copy)


def mount(file, path):
    os.makedirs(path, exist_ok=True)
    done = run("mount", "-o", "loop", file, path)
    if done.returncode != 0:
        pytest.skip(f"no loop mounts here: {done.stderr.strip()}")


def unmount(path):
    if os.path.ismount(path):
        wait_for(lambda: run("umount", path).returncode == 0, 20, f"{path} is let go")
