# SPDX-License-Identifier: GPL-3.0-or-later
"""System calls that fail, or take long, as strace -e inject makes them: at the n-th call of a thread, of a process, or of a file."""
import contextlib
import os
import shutil
import subprocess

import pytest

from .wait import wait_for


def of_threads(pid, what):
    """{id: text} of that file of /proc for each of its threads; one that ended since they were listed is none of them."""
    texts = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(f"/proc/{pid}/task/{thread}/{what}", encoding="ascii") as file:
            texts[int(thread)] = file.read()
    return texts


def thread_of(pid, name):
    """The id of its thread of that name."""
    for thread, text in of_threads(pid, "comm").items():
        if text.strip() == name:
            return thread
    raise AssertionError(f"process {pid} has no thread {name}")


def strace():
    if not shutil.which("strace"):
        pytest.skip("strace is not installed: tests/install-packages checks")
    return "strace"


class Strace:
    """
    One thread of a running process under strace while the context lasts, or a process with all its threads; calls are counted from
    its beginning, for each thread by itself. what: fault("fdatasync", "error=EIO", 3), or several calls to be seen only.
    """

    def __init__(self, task, log, *what, all_threads=False):
        self.task, self.log, self.all_threads = task, str(log), all_threads
        self.command = [strace(), "-qq", "-y", *(["-f"] if all_threads else []), "-o", self.log, *what, "-p", str(task)]
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        wait_for(self._attached, 20, "strace has attached")
        return self

    def _attached(self):
        assert self.process.poll() is None, f"strace: {self.process.stderr.read()}"
        states = of_threads(self.task, "status")
        if not self.all_threads:
            states = {self.task: states[self.task]}
        return all(f"TracerPid:\t{self.process.pid}\n" in state for state in states.values())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()

    def lines(self):
        """What it saw; after it has ended."""
        return lines_of(self.log)


def lines_of(log):
    """What strace saw; after it has ended."""
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def fault(call, how, first, ever=False):
    """strace's options: that call fails the first-th time (and, ever, from then on)."""
    return ["-e", f"trace={call}", "-e", f"inject={call}:{how}:when={first}{'+' if ever else ''}"]


def around(log, *what):
    """For Zonefan.start(wrap=): a whole process under strace, which is no parent of it, so that a signal reaches the process."""
    return [strace(), "-D", "-f", "-qq", "-y", "-o", str(log), *what]
