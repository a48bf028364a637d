# SPDX-License-Identifier: GPL-3.0-or-later
"""What a DirectAdmin master gets while others misbehave, and what that costs zonefand: times, memory, processor, log lines."""
import os
import threading
import time

from .daemon import BIN
from .da import NoAnswer
from .wait import wait_for
from .zones import da_zone

# Rates, percentiles and memory are figures of the release build (decisions.md 22).
RELEASE = os.path.basename(os.path.dirname(BIN)) == "release"
P99_MS = 50  # reliability.md O7: of a master's pushes, beside attackers


class Master:
    """Pushes one zone after the other, all the time, and notes how long each answer took."""

    def __init__(self, da, zones=50, pause=0.02, prefix="steady"):
        self.da = da
        self.zones = [f"{prefix}{i}.example" for i in range(zones)]
        self.pause = pause
        self.seconds = []
        self.failures = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def work(self):
        serial = 0
        while not self.stopping.wait(self.pause):
            serial += 1
            zone = self.zones[serial % len(self.zones)]
            began = time.monotonic()
            try:
                answer = self.da.push(zone, da_zone(zone, serial))
                if (answer.status, answer.error) != (200, "0"):
                    self.failures.append(str(answer))
            except (OSError, NoAnswer) as error:
                self.failures.append(str(error))
            self.seconds.append(time.monotonic() - began)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def p99_ms(self):
        return round(sorted(self.seconds)[int(len(self.seconds) * 0.99)] * 1000, 1)

    def assert_served(self):
        assert self.seconds and not self.failures, f"{len(self.failures)} of {len(self.seconds)} pushes: {self.failures[:3]}"


def assert_undelayed(da, master, undisturbed):
    """
    As released: p99 within twice the undisturbed one of the same session, which is taken again afterwards if it seems not
    to be, for what else runs on this machine changes.
    """
    if not RELEASE or master.p99_ms() <= 2 * undisturbed.p99_ms():
        return
    with Master(da, zones=len(master.zones), pause=master.pause) as after:
        wait_for(lambda: len(after.seconds) >= len(undisturbed.seconds), 240, "pushes without attackers, again")
    after.assert_served()
    assert master.p99_ms() <= 2 * after.p99_ms(), \
        f"p99 {master.p99_ms()} ms, undisturbed {undisturbed.p99_ms()} ms before and {after.p99_ms()} ms after"


def judge_delay(bar, master, undisturbed, elsewhere, why):
    """
    As released, beside attackers that take the processors of this machine, which in life are their own: 50 ms (O7's figure), or
    twice what it is while the same attackers are at another zonefand here, is asserted. Twice the undisturbed, and twice that alone,
    are bars that two processors don't reach every time, so they are told, with why.
    """
    if not RELEASE:
        return
    figures = f"p99 {master.p99_ms()} ms, undisturbed {undisturbed.p99_ms()} ms, the same attackers elsewhere {elsewhere.p99_ms()} ms"
    bar("p99 of pushes, times the undisturbed", master.p99_ms() / undisturbed.p99_ms(), 2, told=f"{why}: {figures}")
    bar("p99 of pushes, times that with the attackers elsewhere", master.p99_ms() / elsewhere.p99_ms(), 2, told=f"{why}: {figures}")
    assert master.p99_ms() <= max(P99_MS, 2 * elsewhere.p99_ms()), figures


def rss_mb(zonefan):
    with open(f"/proc/{zonefan.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def cpu_seconds(zonefan):
    with open(f"/proc/{zonefan.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(zonefan):
    return len(os.listdir(f"/proc/{zonefan.process.pid}/fd"))


def assert_quick(do, first_seconds, most=0.2):
    """The bar of reliability.md for a refusal, as released; of up to five tries, for what else runs here is no fault of it."""
    seconds = [first_seconds]
    while RELEASE and min(seconds) > most and len(seconds) < 5:
        seconds.append(do())
    assert not RELEASE or min(seconds) <= most, f"{seconds} s"


class Cost:
    """What zonefand takes between two moments: with Cost(zonefan) as cost: ...; then cost.cpu (a share), cost.grown_mb."""

    def __init__(self, zonefan):
        self.zonefan = zonefan
        self.peak_mb = 0.0
        self.lines = 0

    def __enter__(self):
        self.rss = rss_mb(self.zonefan)
        self.cpu_before = cpu_seconds(self.zonefan)
        self.log_before = len(self.zonefan.log().splitlines())
        self.began = time.monotonic()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while True:
            self.peak_mb = max(self.peak_mb, rss_mb(self.zonefan))
            if self.done.wait(0.05):
                return

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        self.seconds = time.monotonic() - self.began
        self.cpu = (cpu_seconds(self.zonefan) - self.cpu_before) / self.seconds
        self.lines = len(self.zonefan.log().splitlines()) - self.log_before

    @property
    def grown_mb(self):
        return round(self.peak_mb - self.rss, 1)


def calm(zonefan):
    """For start(env=...): AddressSanitizer keeps little of what was freed, so that the resident size tells something."""
    return {"ASAN_OPTIONS": zonefan.environment()["ASAN_OPTIONS"] + ":quarantine_size_mb=4:thread_local_quarantine_size_kb=64"}
