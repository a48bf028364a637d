# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md P02: between reading a push and writing its answer an fdatasync of the WAL has begun and returned, seen from outside by
strace; and the same look finds a zonefand that answers before it commits.
"""
import re

import pytest
from zf.lone import Pushes, lone
from zf.inject import around, lines_of
from zf.wait import wait_for

CALLS = "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,fdatasync"
LINE = re.compile(r"^(?P<thread>\d+) +(?P<rest>.*)$")


class Look:
    """Reads the trace of pushes that came one after the other."""

    def __init__(self):
        self.good = self.bad = 0
        self.pending = self.synced = False
        self.syncing = {}   # thread: it began after the push was read

    def line(self, line):
        thread, rest = LINE.match(line).groups()
        if '"POST /CMD_API_DNS_ADMIN' in rest:
            self.pending, self.synced, self.syncing = True, False, {}
        elif rest.startswith("fdatasync(") and "-wal>" in rest:
            self.syncing[thread] = True
            self.synced |= rest.endswith("= 0")
        elif rest.startswith("<... fdatasync resumed>") and self.syncing.get(thread):
            self.synced |= rest.endswith("= 0")
        elif self.pending and "error=0" in rest:
            self.good, self.bad = self.good + self.synced, self.bad + (not self.synced)
            self.pending = False

    def seen(self):
        return self.good + self.bad


def look_at(log):
    look = Look()
    for line in lines_of(log):
        look.line(line)
    return look


def traced_pushes(install, tmp_path, count, env=None):
    zonefan = lone(install)
    log = str(tmp_path / "strace")
    zonefan.start(wrap=around(log, "-s", "600", "-e", CALLS), env={**zonefan.environment(), "LSAN_OPTIONS": "detect_leaks=0",
                  "ASAN_OPTIONS": zonefan.environment()["ASAN_OPTIONS"].replace("detect_leaks=1", "detect_leaks=0"), **(env or {})})
    pushes = Pushes(zonefan)
    for _ in range(count):
        assert pushes.push() == "0"
    assert zonefan.term() == 0
    wait_for(lambda: look_at(log).seen() == count, 20, lambda: f"{look_at(log).seen()} of {count} pushes are in the trace")
    return look_at(log)


@pytest.mark.timeout(900)
@pytest.mark.row("P02", fault="an answer before the disk has it", injected="strace of every read, write and fdatasync",
                 required="each of 1,000 pushes: fdatasync of the WAL begins after it was read and returns before its answer")
def test_every_answer_follows_a_sync(install, tmp_path, times, happened):
    look = traced_pushes(install, tmp_path, times(50, 1000))
    happened(f"{look.good} of {look.seen()} answers followed a sync", times=look.seen(), acknowledged=look.good)
    assert look.bad == 0


@pytest.mark.row("P02", fault="answers before the commit (control)", injected="ZONEFAN_PLANTED=ack_before_commit",
                 required="the look finds them")
def test_the_look_finds_early_answers(install, tmp_path, happened):
    look = traced_pushes(install, tmp_path, 50, {"ZONEFAN_PLANTED": "ack_before_commit"})
    happened(f"{look.bad} of 50 answers came before a sync, and were found", times=look.bad)
    assert look.bad > 0  # the commit may win the race
