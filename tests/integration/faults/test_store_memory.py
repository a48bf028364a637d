# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md S10: memory that is refused. The n-th allocation fails, for every n of a start, of one push, of one push and its delivery, of a healing pass (in
tests/run every 50th, from a random one on). To run out of memory ends the process, by rule: the store has the truth. So nothing acknowledged is
lost, nothing hangs, and the next start is a clean one. Limits of memory and descriptors belong here too.
"""
import collections
import concurrent.futures
import os
import random
import resource
import shutil
import signal
import socket
import tempfile

import pytest
from zf.da import NoAnswer
from zf.lone import Pushes, lone, look, release, serials, stored
from zf.memory import NthMalloc
from zf.oracles import assert_store_sound, resources, wait_recovered
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone

HANG = 30
LONG_WAL = 1 << 20
WRONG = "203.0.113.66"
ENDS = {-signal.SIGABRT, 1, 70, 71, 74, 78}

# A library that does not check an allocation of its own while zonefand starts, and so dies of it: glibc 2.36 when libmariadb looks up
# the service "mysql". The library that asked, and the call that led there.
UNCHECKED = {"libmariadb.so.3": "getservbyname"}
GLIBC = ("libc.so.6", "ld-linux-x86-64.so.2")


def asked_by_library(frames):
    """The library of UNCHECKED that asked, by itself or through glibc; None: somebody else, zonefand above all."""
    asker = next((frame.module for frame in frames if frame.module not in GLIBC), None)
    return asker if any(frame.symbol == UNCHECKED.get(asker) for frame in frames) else None


def spoil(db, zone):
    """An address that is not the zone's, in all its A records."""
    db.sql("UPDATE records r JOIN zones z ON z.id=r.zone_id SET r.data=%s WHERE z.zone_name=%s AND r.type='A'", WRONG, zone + ".")
    assert is_spoilt(db)


def is_spoilt(db):
    return db.value("SELECT COUNT(*) FROM records WHERE data=%s", WRONG) > 0


class Runner:
    """
    One installation that is started again and again. What is pushed while memory is refused has a zone of its own, and nobody pushes
    it again before it was looked for: in the process that goes on, and at the next start.
    """

    def __init__(self, install, centres=()):
        self.zonefan = install(centres, start=False, programs=release()) if centres else lone(install, programs=release())
        self.centres = centres
        self.nth = NthMalloc(self.zonefan.directory)
        self.pushes, self.others = Pushes(self.zonefan), Pushes(self.zonefan, "other.example")
        self.ends, self.segfaults = {}, collections.Counter()
        self.went_on = self.hits = self.looks = 0
        self.zonefan.start()
        assert self.pushes.push() == self.others.push() == "0"
        self.zonefan.stop()

    def ready_or_gone(self):
        if not self.zonefan.alive():
            return True
        try:
            return self.zonefan.da(timeout=HANG).get("/readyz").status == 200
        except (OSError, NoAnswer):
            return False

    def start(self):
        """A clean start, which has all that was acknowledged."""
        self.zonefan.start(env=self.nth.environment())
        self.check(serials(self.zonefan))
        for centre in self.centres:
            self.zonefan.wait_lane(centre.name, "up")
        if self.centres:
            self.zonefan.wait_converged()

    def copied(self):
        """What a copy of the store holds: quicker than a start, of which there are thousands. A WAL that has grown is ended."""
        wal = self.zonefan.store + "-wal"
        if os.path.exists(wal) and os.path.getsize(wal) > LONG_WAL:
            return stored(self.zonefan.store)
        with tempfile.TemporaryDirectory(dir=self.zonefan.directory) as folder:
            for path in (self.zonefan.store, wal):
                if os.path.exists(path):
                    shutil.copy(path, folder)
            return stored(os.path.join(folder, os.path.basename(self.zonefan.store)))

    def check(self, held):
        self.pushes.check(held)
        self.others.check(held)

    # ---- phases: how many allocations there were; the fail_at-th failed ----

    def during_start(self, fail_at):
        self.nth.arm(fail_at)
        self.zonefan.start(ready=False, env=self.nth.environment())
        wait_for(self.ready_or_gone, HANG, "it is ready or has ended")
        count = self.finish(ends=ENDS if self.zonefan.alive() else ENDS | self.excused())
        self.check(self.copied())
        return count

    def excused(self):
        """A wild pointer before it serves is a library's own, of an allocation that this library asked for."""
        if self.zonefan.process.returncode != -signal.SIGSEGV:
            return set()
        frames = self.nth.asked_by()
        library = asked_by_library(frames)
        assert library, f"SIGSEGV after an allocation failed that was asked for by {' < '.join(map(str, frames)) or 'nobody knows whom'}"
        self.segfaults[library] += 1
        return {-signal.SIGSEGV}

    def during_push(self, fail_at):
        self.start()
        self.nth.arm(fail_at)
        self.pushes.push(timeout=HANG)
        return self.finish()

    def during_delivery(self, fail_at):
        self.start()
        self.nth.arm(fail_at)
        self.pushes.push(timeout=HANG)
        wait_for(lambda: not self.zonefan.alive() or self.delivered(), HANG, "it is delivered, or the process has ended")
        return self.finish()

    def during_heal(self, fail_at):
        self.start()
        spoil(self.centres[0].db, self.pushes.zone)
        self.nth.arm(fail_at)
        self.zonefan.ctl("heal")
        assert fail_at or not is_spoilt(self.centres[0].db), "a pass repairs"
        return self.finish(self.healed)

    def healed(self):
        """A pass that ran out of memory may have been given up; the next is whole."""
        if is_spoilt(self.centres[0].db):
            self.zonefan.ctl("heal")
        return not is_spoilt(self.centres[0].db)

    def delivered(self):
        try:
            return not any(self.zonefan.pending().values())
        except (OSError, NoAnswer, AssertionError):
            return False  # it ended meanwhile, or could not answer that

    def finish(self, works=lambda: True, ends=ENDS):
        """What goes on must work, and have what it acknowledged; what ended must have said so, and, once it served, not by a wild pointer."""
        count, hit = self.nth.disarm()
        self.hits += hit
        if self.zonefan.alive():
            self.looks += look(self.zonefan, self.pushes, self.others)
            wait_for(lambda: not self.zonefan.alive() or self.others.push(timeout=HANG) == "0" and works(), HANG, "it works again")
        if self.zonefan.alive():
            self.went_on += 1
            self.zonefan.kill9()
        else:
            code = self.zonefan.process.returncode
            assert code in ends, f"ended with {code}:\n{self.zonefan.log_tail(5)}"
            self.ends[code] = self.ends.get(code, 0) + 1
        return count

    def sweep(self, phase, numbers):
        run = getattr(self, "during_" + phase)
        for number in numbers:
            run(number)
        self.start()
        if phase == "heal":
            wait_for(self.healed, HANG, "what was spoilt is repaired")
        assert_store_sound(self.zonefan.store)
        self.zonefan.kill9()


REQUIRED = "0 false acknowledgements, 0 hangs, a clean start after it; it ends by abort or goes on"
BEFORE_READY = ("; before it is ready also by SIGSEGV, if the allocation was asked for by glibc for libmariadb in getservbyname, "
                "which does not check it")
ROWS = [pytest.param(phase, marks=pytest.mark.row(
    "S10", fault=f"out of memory, {phase}", injected="LD_PRELOAD: the N-th malloc, calloc or realloc fails, every N",
    required=REQUIRED + (BEFORE_READY if phase == "start" else ""))) for phase in ("start", "push", "delivery", "heal")]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("phase", ROWS)
def test_nth_allocation_fails(install, request, seed, times, happened, phase):
    centres = request.getfixturevalue("dcs") if phase in ("delivery", "heal") else ()
    runners = [Runner(install, centres[i:i + 1]) for i in range(times(1, min(2, os.cpu_count())))]
    for _ in range(2):  # the first start was of a new store, and a new back end is compared by itself
        last = getattr(runners[0], "during_" + phase)(0)
    first, step = times(random.Random(seed).randint(1, 50), 1), times(max(50, last // 8), 1)
    numbers = range(first, last + 20, step)
    with concurrent.futures.ThreadPoolExecutor(len(runners)) as pool:
        for done in [pool.submit(runner.sweep, phase, numbers[i::len(runners)]) for i, runner in enumerate(runners)]:
            done.result()
    hits, went_on = sum(runner.hits for runner in runners), sum(runner.went_on for runner in runners)
    ends = {}
    for runner in runners:
        for code, count in runner.ends.items():
            ends[code] = ends.get(code, 0) + count
    segfaults = sum((runner.segfaults for runner in runners), collections.Counter())
    told = f" (SIGSEGV of {', '.join(f'{library}: {count}' for library, count in segfaults.items())})" if segfaults else ""
    happened(f"{last} allocations, {hits} of them failed: exit codes {ends}{told}, {went_on} went on; 0 hangs; 0 false acknowledgements "
             f"at {sum(runner.looks for runner in runners)} looks while it ran, and after each end", times=hits, lost=0,
             acknowledged=sum(runner.pushes.acknowledged + runner.others.acknowledged for runner in runners))
    assert hits >= (len(numbers) - 20) * 0.8


# ---- limits ----

def push_within(zonefan, zones, spare):
    """Pushes them all to a process that may grow by so many bytes; whether that was too little."""
    with open(f"/proc/{zonefan.process.pid}/statm", encoding="ascii") as file:
        size = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(zonefan.process.pid, resource.RLIMIT_AS, (size + spare,) * 2)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda zone: zone.push(timeout=HANG), zones))
    return not zonefan.alive() or set(answers) != {"0"}


@pytest.mark.timeout(300)
@pytest.mark.row("S10", fault="limit of memory reached", injected="prlimit --as, 8 clients push large zones; less and less, until it is felt",
                 required="refused or ended, 0 false acknowledgements, 0 hangs, a clean start after it")
def test_memory_limit(install, happened):
    zonefan = lone(install, programs=release()).start()
    zones = [Pushes(zonefan, f"large{number}.example", hosts=30000) for number in range(24)]
    spare = 16 << 20
    while not push_within(zonefan, zones, spare):
        zonefan.kill9()
        zonefan.start()
        spare //= 2
        assert spare, "there is no limit that it feels"
    if zonefan.alive():
        how = "refused, and it went on"
        zonefan.kill9()
    else:
        assert zonefan.process.returncode == -signal.SIGABRT, zonefan.log_tail()
        how = "it ended by abort"
    zonefan.start()
    held = serials(zonefan)
    for zone in zones:
        zone.check(held)
    assert zones[0].push() == "0"
    assert_store_sound(zonefan.store)
    acknowledged = sum(zone.acknowledged for zone in zones)
    happened(f"{how}, with {spare >> 10} KiB to grow by; {acknowledged} acknowledged, 0 of them lost", acknowledged=acknowledged, lost=0)


@pytest.mark.timeout(300)
@pytest.mark.row("S10", fault="no descriptor left for the store and the lanes", injected="prlimit --nofile, idle connections take the rest",
                 required="no end; 0 lost; all goes on when descriptors are free")
def test_descriptors_run_out(zonefan, dcs, happened):
    da = zonefan.da()
    da.push_ok("before.example", da_zone("before.example"))
    zonefan.wait_converged()
    before = resources(zonefan)
    resource.prlimit(zonefan.process.pid, resource.RLIMIT_NOFILE, (before.descriptors + 8, 4096))
    idle = [socket.create_connection(da.address, timeout=20) for _ in range(40)]
    for connection in idle:
        connection.sendall(b"G")  # or the kernel would keep them
    wait_for(lambda: "cannot accept connections" in zonefan.log(), 30, "descriptors are used up")
    dcs[1].proxy.refuse()  # the lane loses its connections, and can't have new ones
    dcs[1].proxy.passing()
    for connection in idle:
        connection.close()
    wait_for(lambda: pushed(da), 30, "a push is taken", interval=0.1)
    zonefan.wait_converged()
    for centre in dcs:
        rows = centre.db.all_rows()
        for name in ("before.example", "after.example"):
            assert_rows_are(rows[name], da_zone(name), name, centre.name)
    after = wait_recovered(zonefan, before)
    happened(f"{before.descriptors} descriptors before, {after.descriptors} after; 0 lost", acknowledged=2, lost=0)


def pushed(da):
    try:
        return da.push("after.example", da_zone("after.example")).error == "0"
    except (OSError, NoAnswer):
        return False
