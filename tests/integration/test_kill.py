# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "50 rounds of kill -9 at random moments under load, at least 40 of them with requests in flight and deliveries
pending at all three databases when the signal fell (counts printed): 0 acknowledged pushes lost, all three databases
equal to the newest acknowledged state." (reliability.md P01; product table W1.)

The books are those of zf/history.py: the store's list tells after every restart whether an acknowledged push is missing.
Whether deliveries were pending is read from the databases right after the kill: each lacks at least one acknowledged version.
"""
import random
import time

import pytest
from zf.history import History
from zf.wait import wait_for
from zf.zones import da_zone

ROUNDS = 50
WRITERS = 6


@pytest.mark.timeout(3600)
@pytest.mark.row("P01", fault="kill -9 at random", injected="SIGKILL under load with deletes, databases slow",
                 required="0 acknowledged changes lost, 0 reversals; 40 of 50 fall on requests and deliveries under way")
def test_fifty_kills(install, dcs, seed, times, happened):
    rounds = times(ROUNDS, 8 * ROUNDS)
    chance = random.Random(seed)
    zonefan = install(dcs)
    for centre in dcs:
        zonefan.wait_lane(centre.name, "up")  # the schema is made
    zonefan.stop()
    history = History(zonefan, dcs, zones=60, records=9, seed=seed, prefix="kill")
    hit = in_flight_sum = 0
    with history.readers(pause=0.03):
        for number in range(rounds):
            for centre in dcs:
                centre.proxy.slow(up=0.01, down=0.03)
            zonefan.start()
            history.check_store()
            with history.load(rate=None, writers=WRITERS) as load:
                wait_for(lambda load=load: load.acknowledged() > 5, 30, "the load runs")
                time.sleep(chance.uniform(0.0, 0.6))  # the random moment
                in_flight = load.kill9()
            assert not load.refusals, load.refusals
            pending = [history.pending_at(centre) for centre in dcs]
            in_flight_sum += in_flight
            hit += in_flight > 0 and all(pending)
            if number % 10 == 9 or number == rounds - 1:
                for centre in dcs:
                    centre.proxy.passing()
                zonefan.start()
                history.check_store()
                history.settle()
                history.check()
                zonefan.stop()
    happened(f"{rounds} kills, {in_flight_sum} requests in flight, {hit} kills with requests in flight and deliveries "
             "pending at all three", times=rounds, kills=rounds, **history.check())
    assert hit >= rounds * 0.8, f"only {hit} of {rounds} kills fell when they should"


@pytest.mark.row("P01", fault="kill -9 right after error=0", injected="SIGKILL, no data centre to be reached",
                 required="the push is in the store and is delivered")
def test_every_acknowledged_push_survives_at_once(install, dcs):
    """W1: kill -9 right after error=0, before any data centre can be reached."""
    zonefan = install(dcs)
    for centre in dcs:
        centre.proxy.refuse()
    for number in range(5):
        name = f"atonce{number}.example"
        zonefan.da().push_ok(name, da_zone(name))
        zonefan.kill9()
        zonefan.start()
        assert name in zonefan.zones()
    for centre in dcs:
        centre.proxy.passing()
    zonefan.wait_converged()
    for centre in dcs:
        assert len(centre.db.all_rows()) == 5
