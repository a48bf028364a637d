# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "at least 100 kills at named fault points between 'received' and 'applied everywhere': 0 acknowledged changes lost, 0
reversals." The points are those of lib/base/testing.h, in the order in which a push passes them; which passing it is comes from the seed.
"""
import random
import signal

import pytest
from zf.history import History
from zf.matrix import rows

POINTS = ("push_received", "push_parsed", "before_commit", "after_commit", "before_answer", "after_answer", "job_sent",
          "before_delivery", "before_remote_write", "after_remote_commit", "result_received", "before_applied", "after_applied")
SETTLE_EVERY = 7


@rows("P01", [f"kill -9 at {point}" for point in POINTS], injected="ZONEFAN_KILL_AT, under load with deletes",
      required="0 acknowledged changes lost, 0 reversals, every database equal to the store")
@pytest.mark.timeout(1800)
def test_kills_at_every_point(install, dcs, seed, times, happened):
    chance = random.Random(seed)
    zonefan = install(dcs)
    for centre in dcs:
        zonefan.wait_lane(centre.name, "up")  # the schema is made
    zonefan.stop()
    history = History(zonefan, dcs, zones=60, records=9, seed=seed, prefix="point")
    rounds = [point for _ in range(times(1, 10)) for point in chance.sample(POINTS, len(POINTS))]
    with history.readers(pause=0.03):
        for number, point in enumerate(rounds):
            zonefan.start(env={"ZONEFAN_KILL_AT": f"{point}:{chance.randint(1, 30)}"}, ready=False)
            with history.load(rate=None, writers=6) as load:
                assert zonefan.process.wait(60) == -signal.SIGKILL, f"{point}:\n{zonefan.log_tail()}"
            assert not load.refusals, load.refusals
            history.check_store()
            if number % SETTLE_EVERY == SETTLE_EVERY - 1 or number == len(rounds) - 1:
                zonefan.start()
                history.check_store()
                history.settle()
                figures = history.check()
                zonefan.stop()
    happened(f"{len(rounds)} kills at {len(POINTS)} points: 0 of {figures['acknowledged']} acknowledged changes lost, 0 reversals",
             times=len(rounds), kills=len(rounds), kills_named=len(rounds), **figures)
