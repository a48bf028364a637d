# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md S11: the wall clock is set, forwards, backwards, to 1970, and to and fro. Generations, back-off and deadlines do not hang on it:
pushes are delivered, a lane that is away is tried as often as before, and comes back on its own clock. That zonefand has the clock that was
set is seen by the times it tells. (A start under a wrong clock: unit/test_engine_due.c; peers
whose clocks differ: test_peers.py.)
"""
import datetime
import os
import threading
import time

import pytest
from test_peers import FAKETIME
from zf.matrix import rows
from zf.proxy import DOWN
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone

ZONE = "clock.example"
TOOTH = 0.02


class Clock:
    """The wall clock of a process under libfaketime; the monotonic one is left alone."""

    def __init__(self, path):
        self.path = str(path)
        self.set(0)

    def set(self, seconds):
        with open(self.path + ".new", "w", encoding="ascii") as out:
            out.write(f"{seconds:+f}s\n")
        os.replace(self.path + ".new", self.path)  # nobody reads half of it
        self.ahead = seconds

    def environment(self, zonefan):
        return {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0", "TSAN_OPTIONS": "",
                "ASAN_OPTIONS": zonefan.environment()["ASAN_OPTIONS"].replace("detect_leaks=1", "detect_leaks=0") +
                ":verify_asan_link_order=0"}

    def saw(self, halt):
        while not halt.is_set():
            for seconds in (0.01, -0.01):
                self.set(seconds)
                halt.wait(TOOTH)


class Pusher:
    """Pushes one zone again and again; of each push it knows the true time before and after it, and the time that zonefand gave to it."""

    def __init__(self, zonefan):
        self.zonefan, self.da, self.version = zonefan, zonefan.da(), 0

    def push(self):
        self.version += 1
        before = time.time()
        self.da.push_ok(ZONE, da_zone(ZONE, self.version))
        after = time.time()
        told = datetime.datetime.fromisoformat(self.zonefan.zone(ZONE)["updated_at"].replace("Z", "+00:00")).timestamp()
        return before, told, after

    def assert_clock_is(self, ahead):
        before, told, after = self.push()
        assert before + ahead - 1 <= told <= after + ahead + 1, f"it told {told} between {before} and {after}, {ahead:+f} s from the truth"

    def assert_clock_saws(self):
        """Times that are yet to come, and times that were over before the push was sent."""
        ahead = back = False

        def seen():
            nonlocal ahead, back
            before, told, after = self.push()
            assert before - 1 <= told <= after + 1, f"it told {told} between {before} and {after}"
            ahead, back = ahead or told > after, back or told < before
            return ahead and back
        wait_for(seen, 60, lambda: f"times ahead of the truth ({ahead}) and behind it ({back}) are told", interval=0)


class Attempts:
    """Connections to a proxy from now on, each of which is cut before a byte of the server's greeting; how many in a second."""

    def __init__(self, proxy):
        self.proxy, self.before, self.began = proxy, proxy.connections, time.monotonic()

    def rate(self, span):
        """Of so many seconds at least."""
        wait_for(lambda: time.monotonic() >= self.began + span, span + 30, "the span is over")
        return (self.proxy.connections - self.before) / (time.monotonic() - self.began)


JUMPS = {"1 h ahead": 3600, "1 h back": -3600, "1 day ahead": 86400, "1 day back": -86400, "to 1970": None, "10 ms to and fro": 0}


@rows("S11", [f"clock set {jump}" for jump in JUMPS], injected="libfaketime, its file changed while it runs; one back end away meanwhile",
      required="it tells the time that was set; generations grow, deliveries go on, nothing is stuck; attempts at the one that is away "
               "within 20 % of those of the span before")
@pytest.mark.timeout(600)
def test_clock_is_set(install, dcs, tmp_path, times, happened, bar):
    clock, span = Clock(tmp_path / "clock"), times(1, 10)
    # Pauses that do not grow; so many of them that their jitter is averaged out, and each long beside what an attempt takes on a busy machine.
    pause = times(50, 200)
    zonefan = install(dcs, start=False, config={"retry": {"probe_initial_ms": pause, "probe_max_ms": pause}})
    zonefan.start(env=clock.environment(zonefan))
    proxy, pusher, generation, back, rates = dcs[1].proxy, Pusher(zonefan), 0, {}, {}
    for jump, seconds in JUMPS.items():
        proxy.cut_after(0, way=DOWN, once=False)  # not refused by the kernel: what is to be counted must come here
        proxy.cut()
        pusher.assert_clock_is(clock.ahead)
        zonefan.wait_lane("dc2", "down")
        undisturbed = Attempts(proxy).rate(span)
        halt = threading.Event()
        tooth = threading.Thread(target=clock.saw, args=(halt,))
        attempts = Attempts(proxy)
        if jump.endswith("fro"):
            clock.set(0)
            tooth.start()
            pusher.assert_clock_saws()
        else:
            clock.set(60 - time.time() if seconds is None else seconds)
            pusher.assert_clock_is(clock.ahead)
        for _ in range(4):
            pusher.push()
        zonefan.wait_converged("dc1", "dc3")
        assert zonefan.zone(ZONE)["generation"] >= generation + 6
        generation = zonefan.zone(ZONE)["generation"]
        rates[jump] = attempts.rate(span) / undisturbed
        assert 0.5 < rates[jump] < 2, f"{jump}: {rates[jump]:.2f} times the {undisturbed:.1f} attempts a second of the span before"
        began = time.monotonic()
        proxy.passing()
        zonefan.wait_lane("dc2", "up")
        zonefan.wait_converged()
        back[jump] = round(time.monotonic() - began, 1)
        halt.set()
        if tooth.is_alive():
            tooth.join()
        for centre in dcs:
            assert_rows_are(centre.db.rows(ZONE), da_zone(ZONE, pusher.version), ZONE, centre.name)
    told = {jump: f"{100 * rate - 100:+.0f} %" for jump, rate in rates.items()}
    happened(f"0 stuck; each time that was set was told; attempts in {span} s after it, of those in {span} s before: {told}; the lane that "
             f"was away was back and equal after {back} s", acknowledged=pusher.version, lost=0)
    bar("attempts after the clock was set, % off those before, at worst", max(abs(100 * rate - 100) for rate in rates.values()), 20)
