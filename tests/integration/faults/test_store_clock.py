# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md S11: the wall clock is set, forwards, backwards, to 1970, and to and fro. Generations, back-off and deadlines do not hang on it:
pushes are delivered, and a lane that was away comes back on its own clock. (A start under a wrong clock: unit/test_engine_due.c; peers
whose clocks differ: test_peers.py.)
"""
import threading
import time

import pytest
from test_peers import FAKETIME
from zf.matrix import rows
from zf.rows import assert_rows_are
from zf.zones import da_zone

TOOTH = 0.02


class Clock:
    """The wall clock of a process under libfaketime; the monotonic one is left alone."""

    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, seconds):
        self.path.write_text(f"{seconds:+f}s\n", encoding="ascii")

    def environment(self, zonefan):
        return {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(self.path), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0", "TSAN_OPTIONS": "",
                "ASAN_OPTIONS": zonefan.environment()["ASAN_OPTIONS"].replace("detect_leaks=1", "detect_leaks=0") +
                ":verify_asan_link_order=0"}

    def saw(self, halt):
        while not halt.is_set():
            for seconds in (0.01, -0.01):
                self.set(seconds)
                halt.wait(TOOTH)


JUMPS = {"1 h ahead": 3600, "1 h back": -3600, "1 day ahead": 86400, "1 day back": -86400, "to 1970": None, "10 ms to and fro": 0}


@rows("S11", [f"clock set {jump}" for jump in JUMPS], injected="libfaketime, its file changed while it runs",
      required="generations grow, deliveries and back-off go on, nothing is stuck")
@pytest.mark.timeout(600)
def test_clock_is_set(install, dcs, tmp_path, happened):
    clock = Clock(tmp_path / "clock")
    zonefan = install(dcs, start=False)
    zonefan.start(env=clock.environment(zonefan))
    da, version, generation, back = zonefan.da(), 0, 0, {}
    for jump, seconds in JUMPS.items():
        dcs[1].proxy.refuse()
        version += 1
        da.push_ok("clock.example", da_zone("clock.example", version))
        zonefan.wait_lane("dc2", "down")
        halt = threading.Event()
        tooth = threading.Thread(target=clock.saw, args=(halt,))
        if jump.endswith("fro"):
            tooth.start()
        else:
            clock.set(60 - time.time() if seconds is None else seconds)
        for _ in range(5):
            version += 1
            da.push_ok("clock.example", da_zone("clock.example", version))
        zonefan.wait_converged("dc1", "dc3")
        assert zonefan.zone("clock.example")["generation"] >= generation + 6
        generation = zonefan.zone("clock.example")["generation"]
        began = time.monotonic()
        dcs[1].proxy.passing()
        zonefan.wait_lane("dc2", "up")
        zonefan.wait_converged()
        back[jump] = round(time.monotonic() - began, 1)
        halt.set()
        if tooth.is_alive():
            tooth.join()
        for centre in dcs:
            assert_rows_are(centre.db.rows("clock.example"), da_zone("clock.example", version), "clock.example", centre.name)
    happened(f"0 stuck; the lane that was away was back and equal after {back} s", acknowledged=version, lost=0)
