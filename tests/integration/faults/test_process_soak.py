# SPDX-License-Identifier: GPL-3.0-or-later
"""
P08, the soak: pushes and deletes, a master whose pushes get lost, databases that are restarted, killed, frozen, cut off and edited,
zonefand killed and restarted; healing and reconciliation put it right. In the end databases, store and master are equal, and the
process takes what it took.

The first third of the time has the kills; the process that is started last lives through the rest, and is measured after its first
fifth. ZONEFAN_SOAK_MINUTES (30 in the long form), ZONEFAN_SOAK_TIMELINE: where the samples are kept, as TSV.
"""
import contextlib
import os
import random
import time

import pytest
from zf import oracles
from zf.heal import differing, heal
from zf.history import History
from zf.reconcile import conf, orphans, reconcile
from zf.rows import assert_rows_are
from zf.soak import MIB, Accidents, Life, Timeline, drift, live_bytes, slope_an_hour, store_use

OPENED_LATER = 8         # a second connection of each lane, the master's, handles of readers of the store
RSS_DRIFT_MIB = 8        # of the last third over the first, release build
TABLES_GROW = 1.25       # of the tables that hold what is live, plus a MiB
STORE_OVER_LIVE = 1.3    # the file, over a packed copy of its rows, plus 4 MiB

JUDGED_SECONDS = 300     # the shortest run of which anything can be told
SAMPLES_LEAST = 30       # a data centre that is away has two descriptors less: some samples say nothing

REFUSED_MOST = 0.001     # of what is acknowledged, while zonefand is there
ACKNOWLEDGED_LEAST = 0.5  # of the rate, over all the time: a third of it has the kills

MASTER = "da2.host.example"


class Soak:
    def __init__(self, zonefan, dcs, master, seed, seconds, long):
        self.zonefan, self.dcs, self.master, self.seconds = zonefan, dcs, master, seconds
        self.chance = random.Random(seed)
        self.history = History(zonefan, dcs, zones=200 if long else 40, records=30 if long else 10, seed=seed, prefix="soak")
        self.life = Life(zonefan, master, random.Random(seed + 1), count=120 if long else 25, rate=2 if long else 4)
        self.accidents = Accidents(zonefan, dcs, master, self.life, random.Random(seed + 2))
        self.pauses = (1, 6) if long else (0.3, 1)
        self.kills = self.restarts = 0
        self.refused_at_ends = 0

    def stay(self):
        time.sleep(self.chance.uniform(*self.pauses))  # the random moment

    def end_of_zonefand(self, load):
        """It is killed, or stopped in order, in the middle of whatever goes on. What it refuses then is counted apart."""
        refused = load.refusals.total()
        if self.chance.random() < 0.8:
            load.kill9()
            self.kills += 1
        else:
            self.zonefan.stop()
            self.restarts += 1
        self.zonefan.start()
        self.refused_at_ends += load.refusals.total() - refused
        self.history.check_store()

    def check_load(self, load):
        """It was a load, and it was taken, but for the times when zonefand was not there."""
        refused, taken = load.refusals.total() - self.refused_at_ends, load.acknowledged()
        assert refused <= REFUSED_MOST * taken, f"{refused} refused, {taken} acknowledged: {load.refusals}"
        load.assert_kept(ACKNOWLEDGED_LEAST)
        return refused

    def go_through(self, load, until, kill):
        while time.monotonic() < until:
            end = self.accidents.begin()
            try:
                self.stay()
                if kill:
                    self.end_of_zonefand(load)
            finally:
                end()
            self.stay()

    def settle(self):
        """All faults are over: what was lost comes by the masters' lists, what was edited is healed, then nothing differs."""
        for centre in self.dcs:
            self.zonefan.wait_lane(centre.name, "up", deadline=120)
        for _ in range(6):
            run = reconcile(self.zonefan)
            if not orphans(self.zonefan) and not run["last_run"]["orphans_found"] and not any(
                    entry["behind"] for entry in run["masters"]):
                break
        self.zonefan.wait_converged(deadline=120)
        self.zonefan.ctl("heal")
        self.zonefan.wait_converged(deadline=120)
        assert all(differing(part) == 0 for part in heal(self.zonefan, code=0).values())

    def check_master(self):
        """Store and databases have what the master has, and nothing else is there."""
        wanted = {name: serial for name, (serial, _) in self.master.zones.items()}
        held = {name: entry["serial"] for name, entry in self.zonefan.zones().items() if name in self.life.names}
        assert held == wanted, f"the store has not what the master has: {set(held.items()) ^ set(wanted.items())}"
        others = set(self.zonefan.zones()) - set(self.life.names)
        for centre in self.dcs:
            rows = centre.db.all_rows()
            assert set(rows) == set(wanted) | others, f"{centre.name}: {set(rows) ^ (set(wanted) | others)}"
            for name, (_, text) in self.master.zones.items():
                assert_rows_are(rows[name], text, name, centre.name)
        return len(wanted)


def check_taken(timeline, warm, sanitized, seconds):
    """
    Memory, descriptors and threads are flat while faults come and go; figures. Of a short run nothing can be told, also not where
    a slow machine draws it out, and there are samples enough. seconds: as asked for.
    """
    taken = timeline.since(warm)
    if seconds < JUDGED_SECONDS or len(taken["second"]) < SAMPLES_LEAST:
        return {}
    names = ["descriptors", "threads", *([] if sanitized else ["rss_mib"])]
    figures = {f"{name}_drift": round(drift(taken[name]), 2) for name in names}
    figures.update({f"{name}_slope_an_hour": round(slope_an_hour(taken[name]), 2) for name in names if not sanitized})
    figures.update(rss_mib_last=taken["rss_mib"][-1][1], samples=len(taken["second"]),
                   measured_minutes=round((taken["second"][-1][0] - taken["second"][0][0]) / 60, 1))
    assert abs(figures["descriptors_drift"]) <= 2 and abs(figures["threads_drift"]) <= 2, (figures, taken["descriptors"])
    assert sanitized or figures["rss_mib_drift"] <= RSS_DRIFT_MIB, figures
    return figures


def check_store(zonefan, before):
    """
    No growth beyond live data: a table of what is live (all but event, which has its own bound of rows and age) is not larger
    than it was, and the file is not much larger than a packed copy of its rows.
    """
    tables, free, events = store_use(zonefan.store)
    assert events <= 1_000_000
    for name, size in tables.items():
        assert name == "event" or size <= before.get(name, 0) * TABLES_GROW + MIB, f"table {name}: {before.get(name, 0)} -> {size}"
    size = os.path.getsize(zonefan.store)
    live = live_bytes(zonefan.store, zonefan.store + ".packed")
    assert size <= live * STORE_OVER_LIVE + 4 * MIB, f"{size} bytes, of them live {live}, free {free}"
    return {"store_mib": round(size / MIB, 2), "live_mib": round(live / MIB, 2), "events": events,
            "tables_mib": round(sum(size for name, size in tables.items() if name != "event") / MIB, 2),
            "tables_mib_before": round(sum(size for name, size in before.items() if name != "event") / MIB, 2)}


@pytest.mark.timeout(0)
@pytest.mark.row("P08", fault="everything at once, for long: restarts, kills, cuts, hand edits, lost pushes",
                 injected="random faults of databases, network, master and process, one after the other, under 20 pushes a second",
                 required="databases, store and master equal in the end; O1-O10; memory, descriptors and threads flat after warm-up; the "
                          "store holds little more than its live rows; at least half of the rate acknowledged, at most 1 of "
                          "1,000 refused")
def test_soak(install, dcs, masters, seed, times, happened):
    long = times(False, True)
    seconds = 60 * float(os.environ.get("ZONEFAN_SOAK_MINUTES", times(0.3, 30)))
    master = masters(MASTER)
    settings = conf(master, initial_delay_minutes=0, interval_minutes=1, min_delete_zones=100)
    settings["healing"] = {"interval_minutes": 1}
    zonefan = install(dcs, config=settings)
    zonefan.secrets.append(master.password)
    soak = Soak(zonefan, dcs, master, seed, seconds, long)
    for centre in dcs:
        zonefan.wait_lane(centre.name, "up")
    reconcile(zonefan)
    rested = oracles.resources(zonefan)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        load = stack.enter_context(soak.history.load(rate=20, deletes=0.1, writers=4))
        stack.enter_context(soak.history.readers(pause=0.05))
        timeline = Timeline(zonefan, load, every=10 if long else 0.5)
        timeline.start()
        stack.callback(timeline.stop)
        soak.life.start()
        stack.callback(soak.life.stop)
        soak.go_through(load, began + seconds / 3, kill=True)
        steady = time.monotonic() - began
        soak.go_through(load, began + steady + (seconds - steady) / 5, kill=False)
        warm, before = time.monotonic() - timeline.began, store_use(zonefan.store)[0]
        soak.go_through(load, began + seconds, kill=False)
        zonefan.wait_lane("dc1", "up", deadline=120)
        dcs[0].proxy.refuse()
        told = oracles.wait_state(zonefan, "dc1", "down")
        dcs[0].proxy.passing()
        refused = soak.check_load(load)
    if path := os.environ.get("ZONEFAN_SOAK_TIMELINE"):
        timeline.write(path)
    soak.settle()
    figures = soak.history.check()
    mirrored = soak.check_master()
    last = oracles.resources(zonefan)
    assert abs(last.threads - rested.threads) <= 2 and last.descriptors <= rested.descriptors + OPENED_LATER, (rested, last)
    figures.update(check_taken(timeline, warm, last.sanitized, seconds), **check_store(zonefan, before))
    oracles.assert_no_secret(zonefan)
    oracles.assert_clean(zonefan)
    counts = {**soak.accidents.counts, "rows_edited": soak.accidents.edited}
    happened(f"{seconds / 60:.1f} minutes; {figures['acknowledged']} + {soak.life.sent} changes acknowledged, {soak.life.lost} lost on "
             f"the way and fetched; {mirrored} zones of the master and {len(soak.history.zones)} others equal at {len(dcs)} databases",
             times=sum(counts.values()), soak_minutes=round(seconds / 60, 1),
             accidents=", ".join(f"{kind} {count}" for kind, count in counts.items()), kills=soak.kills,
             restarts=soak.restarts, refused_while_up=refused, ack_p99_ms=round(oracles.ack_ms(load), 1), down_told_s=round(told, 2),
             lines_a_minute=round(len(zonefan.log().splitlines()) / max(0.1, seconds / 60)), **figures)
