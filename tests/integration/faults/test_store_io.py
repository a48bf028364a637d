# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md S03, S04: calls to the disk that fail. The n-th call of each kind, for every n until none is hit any more (in tests/run: one
n by the seed), once and from then on: while zonefand starts, during one push, while it stops. Whatever was acknowledged is there, in
the process that goes on and at the next start; it may have what was refused (C2). A sync that failed can't be seen by that, for the
page cache has the pages still: of it the answer counts, and what a power cut then takes is shown by tests/sim/sim_store.c.
"""
import collections
import itertools
import os
import random
import time

import pytest
from zf.da import NoAnswer
from zf.lone import Pushes, lone, look, release, serials
from zf.oracles import assert_store_sound
from zf.inject import Strace, around, fault, lines_of, thread_of
from zf.wait import wait_for

ANSWER = 5    # seconds: a push is answered or refused, whatever the disk does
LEAVE = 15    # seconds: a disk that does not sync ends the process; in the long form within 1
TRIES = 3     # how many calls there are differs a little from run to run: what was, and was not, written before


def wal_syncs(lines):
    """How many syncs of the WAL went well until one failed; whether one failed."""
    good = 0
    for line in lines:
        if line.startswith("fdatasync(") and "-wal>" in line:
            if "(INJECTED)" in line:
                return good, True
            good += line.endswith("= 0")
    return good, False


class Sweep:
    """
    One installation, started once for each call that fails. What is pushed under the fault has a zone of its own, and nobody pushes it
    again before it was looked for: in the process that goes on, and at the next start.
    """

    def __init__(self, install, directory, call, error):
        self.zonefan = lone(install, programs=release())
        self.pushes = Pushes(self.zonefan, hosts=40)
        self.others = Pushes(self.zonefan, "other.example", hosts=40)
        self.call, self.how = call, f"error={error}"
        self.log = os.path.join(directory, "strace")
        self.ended = self.alive = self.looks = self.unsynced = 0
        self.slowest_end = 0.0
        self.zonefan.start()
        assert self.pushes.push() == self.others.push() == "0"
        self.renew()

    def renew(self):
        """A clean start, which has all that was acknowledged."""
        if self.zonefan.alive():
            self.zonefan.kill9()
        if os.path.exists(self.log):
            os.unlink(self.log)
        self.zonefan.start()
        held = serials(self.zonefan)
        self.pushes.check(held)
        self.others.check(held)

    def count(self, run):
        """
        How many calls there are in one thread when nothing fails (strace counts for each thread by itself); the second time, for the
        first start was of a new store.
        """
        for _ in range(2):
            lines = [line for line in run(0, False) if f"{self.call}(" in line]
            threads = collections.Counter(line.split()[0] if line[0].isdigit() else "" for line in lines)
            self.renew()
        self.ended = self.alive = self.looks = 0
        return max(threads.values())

    def hit(self, run, number, ever):
        """Whether there was such a call, which failed."""
        for _ in range(TRIES):
            lines = run(number, ever)
            self.renew()
            if any("(INJECTED)" in line for line in lines):
                return True
        return False

    def what(self, number, ever):
        return fault(self.call, self.how, number, ever) if number else ["-e", f"trace={self.call}"]

    def look(self):
        self.looks += look(self.zonefan, self.pushes, self.others)

    def settle(self):
        """It ended with an error, or it goes on and takes pushes again; how is counted."""
        def settled():
            if not self.zonefan.alive():
                return True
            try:
                return self.others.push(timeout=ANSWER * 3) == "0"
            except (OSError, NoAnswer):
                return False
        wait_for(settled, 30, lambda: f"it ended, or takes pushes again\n{self.zonefan.log_tail()}", interval=0.2)
        if self.zonefan.alive():
            self.alive += 1
        else:
            assert self.zonefan.process.returncode > 0, f"it ended with {self.zonefan.process.returncode}"
            self.ended += 1

    # ---- phases: each returns the lines that strace wrote ----

    def during_start(self, number, ever):
        places = [option for path in (self.zonefan.store + ending for ending in ("", "-wal", "-shm", "-journal", ".lock", ".ballast"))
                  for option in ("-P", path)]
        self.zonefan.restart()  # a WAL that grows from run to run would have more calls each time
        assert self.others.push() == "0"
        self.zonefan.kill9()
        self.zonefan.start(ready=False, wrap=around(self.log, *places, *self.what(number, ever)))
        wait_for(lambda: not self.zonefan.alive() or self.ready(), 30, "it is ready or has ended")
        if self.zonefan.alive():
            self.pushes.push()
            self.look()
        else:
            assert self.zonefan.process.returncode > 0, self.zonefan.process.returncode
            assert "zonefan.sqlite" in self.zonefan.log_tail(3), "it says what it could not use"
        return self.count_end()

    def ready(self):
        try:
            return self.zonefan.da(timeout=2).get("/readyz").status == 200
        except (OSError, NoAnswer):
            return False

    def count_end(self):
        self.ended, self.alive = self.ended + (not self.zonefan.alive()), self.alive + self.zonefan.alive()
        return lines_of(self.log)

    def during_push(self, number, ever):
        answers, sent = [], []
        with Strace(thread_of(self.zonefan.process.pid, "engine"), self.log, *self.what(number, ever)) as strace:
            for _ in range(2 if ever and number else 1):  # the disk stays bad for the next push, too
                sent.append(time.monotonic())
                answers.append(self.pushes.push(timeout=ANSWER * 3))
                self.look()
        good, failed = wal_syncs(strace.lines())
        if failed:
            assert answers.count("0") <= good, f"{answers} after {good} syncs of the WAL and one that failed"
            assert self.zonefan.wait_end(LEAVE) == 70, self.zonefan.log_tail()
            began = next((at for at, answer in zip(sent, answers) if answer != "0"), sent[-1])  # a little before the sync failed
            self.slowest_end = max(self.slowest_end, time.monotonic() - began)
            self.unsynced += 1
        self.settle()
        return strace.lines()

    def during_stop(self, number, ever):
        assert self.pushes.push() == "0"
        with Strace(self.zonefan.process.pid, self.log, *self.what(number, ever)) as strace:
            code = self.zonefan.term(30)
        assert code >= 0, f"it ended with {code}"
        self.ended += 1
        return strace.lines()


CALLS = {
    "start": [("openat", "EIO"), ("openat", "EMFILE"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("fdatasync", "EIO"),
              ("ftruncate", "EIO"), ("pread64", "EIO"), ("mmap", "ENOMEM"), ("flock", "ENOLCK")],
    "push": [("fdatasync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EROFS"),
             ("pread64", "EIO")],
    "stop": [("fdatasync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("ftruncate", "EIO"), ("unlink", "EIO")],
}


REQUIRED = {("push", "fdatasync"): "error=0 only after a sync of the WAL that went well; exit code 70 after one that did not; a clean "
                                   "start after it"}


def rows():
    for phase, calls in CALLS.items():
        for call, error in calls:
            row = "S03" if call == "fdatasync" else "S04"
            yield pytest.param(phase, call, error, id=f"{phase}-{call}-{error}", marks=pytest.mark.row(
                row, fault=f"{call} fails with {error}, {phase}", injected=f"strace -e inject={call}:error={error}:when=N[+], every N",
                required=REQUIRED.get((phase, call), "0 false acknowledgements; refused, or ended with an error, or durable; a clean start after it")))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("phase, call, error", rows())
def test_calls_that_fail(install, tmp_path, seed, times, happened, bar, phase, call, error):
    sweep = Sweep(install, str(tmp_path), call, error)
    run = getattr(sweep, "during_" + phase)
    chance = random.Random(seed)
    last = sweep.count(run)
    hits, missed = 0, []
    for number in times((chance.randint(1, last) for _ in range(10)), itertools.count(1)):
        hit = all([sweep.hit(run, number, ever) for ever in times([chance.random() < 0.5], [False, True])])
        hits += hit
        if times(hit, number > last and not hit):
            break
        if not hit:
            missed.append(number)
    assert_store_sound(sweep.zonefan.store)
    pushes = sweep.pushes
    unsynced = f"; {sweep.unsynced} times the WAL was not synced: not acknowledged, exit code 70" if sweep.unsynced else ""
    happened(f"{last} calls; {hits} of them failed, missed {missed or 'none'}: {sweep.ended} ends, {sweep.alive} went on; {pushes.refused} "
             f"refused, {pushes.unanswered} without an answer{unsynced}; 0 false acknowledgements at {sweep.looks} looks while it ran, and at "
             f"each start",
             times=hits, acknowledged=pushes.acknowledged + sweep.others.acknowledged, lost=0)
    assert hits and len(missed) <= times(9, 2), f"missed {missed} of {last}"
    if (phase, call) == ("push", "fdatasync"):  # the only one in which that end is timed
        assert sweep.unsynced > 0, "no sync of the WAL failed"
        bar("seconds until it ended after a sync that failed, at worst", sweep.slowest_end, 1)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("call", [pytest.param(call, marks=pytest.mark.row(
    "S03" if call == "fdatasync" else "S04", fault=f"{call} of a checkpoint fails", injected=f"strace -P STORE -e inject={call}:error=EIO",
    required="exit, for the kernel may have dropped the pages; 0 false acknowledgements")) for call in ("fdatasync", "pwrite64")])
def test_a_checkpoint_that_fails(install, tmp_path, happened, call):
    """The WAL has all of it still: nothing may be written there any more (reliability.md 10.5 Q7)."""
    zonefan = lone(install, programs=release()).start()
    pushed = []

    def push():
        pushed.append(Pushes(zonefan, f"checkpoint{len(pushed)}.example", hosts=400))
        return pushed[-1].push()

    with Strace(thread_of(zonefan.process.pid, "engine"), tmp_path / "strace", "-P", zonefan.store, *fault(call, "error=EIO", 1)) as strace:
        wait_for(lambda: push() is None or not zonefan.alive(), 120, "a checkpoint fails", interval=0)
        assert zonefan.wait_end(15) == 70
    assert any("(INJECTED)" in line for line in strace.lines())
    zonefan.start()
    held = serials(zonefan)
    for zone in pushed:
        zone.check(held)
    assert_store_sound(zonefan.store)
    acknowledged = sum(zone.acknowledged for zone in pushed)
    happened(f"exit code 70 after {acknowledged} acknowledged zones, none lost", acknowledged=acknowledged, lost=0)


def test_a_refusal_says_why(install, tmp_path):
    """Whoever pushed is told before zonefand leaves; without a path of ours."""
    zonefan = lone(install, programs=release()).start()
    pushes = Pushes(zonefan)
    assert pushes.push() == "0"
    zonefan.wait_lane("dc0", "down")
    assert pushes.push() == "0"  # after that event: no sync but that of the next push is to come
    with Strace(thread_of(zonefan.process.pid, "engine"), tmp_path / "strace", *fault("fdatasync", "error=EIO", 1)):
        assert pushes.push() == "1" and pushes.reason == "not stored: the disk of the store fails"
        assert zonefan.wait_end(15) == 70
