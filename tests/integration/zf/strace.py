# SPDX-License-Identifier: GPL-3.0-or-later
"""strace attached to a running process: makes system calls fail, or tells which were made."""
import os
import subprocess
import tempfile

from .wait import wait_for


class Strace:
    """with Strace(pid, "accept4", inject="error=EMFILE"): ...; with Strace(pid, "openat") as strace: ...; strace.lines"""

    def __init__(self, pid, calls, inject=None):
        handle, self.path = tempfile.mkstemp(prefix="strace-")
        os.close(handle)
        arguments = ["strace", "-f", "-qq", "-s", "4096", "-o", self.path, "-e", f"trace={calls}"]
        if inject:
            arguments += ["-e", f"inject={calls}:{inject}"]
        self.process = subprocess.Popen([*arguments, "-p", str(pid)], stderr=subprocess.PIPE, text=True)
        wait_for(lambda: self.process.poll() is not None or is_traced(pid), 30, "strace is attached to all threads")
        assert self.process.poll() is None, self.process.stderr.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()
        with open(self.path, encoding="utf-8", errors="replace") as out:
            self.lines = out.read().splitlines()
        os.unlink(self.path)


def is_traced(pid):
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as status:
            if "TracerPid:\t0\n" in status.read():
                return False
    return True
