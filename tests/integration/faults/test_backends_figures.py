# SPDX-License-Identifier: GPL-3.0-or-later
"""
The baseline and its figures (reliability.md B00, B18, O7), which the other rows are compared with. In the long form only, and
with the release build: under sanitizers no figure means anything.
"""
import concurrent.futures
import statistics
import time

import pytest
from zf.history import History
from zf.oracles import Log, ack_ms, assert_clean, assert_no_secret, percentile, resources, wait_recovered
from zf.wait import wait_for
from zf.zones import da_zone, named, version_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


def visible_ms(zonefan, dcs, count):
    """From the push to its rows at all three, in ms, of so many pushes one after the other."""
    taken = []
    for version in range(1, count + 1):
        began = time.monotonic()
        zonefan.da().push_ok("seen.example", da_zone("seen.example", version, hosts=24))
        for centre in dcs:
            wait_for(lambda centre=centre, version=version: version_of(centre.db.rows("seen.example")) == version, 30, "visible",
                     interval=0.002)
        taken.append(1000 * (time.monotonic() - began))
    return taken


@pytest.mark.row("B00", fault="none: 50 pushes/s, 10 % deletes, 200 zones of 30 records, 3 databases", injected="nothing",
                 required="push to visible p99 <= 250 ms at all three; 0 torn in >= 10,000 reads; acknowledged p99 <= 50 ms; "
                          "90 % of the rate")
def test_baseline(install, dcs, seed, happened):
    zonefan = install(dcs)
    history = History(zonefan, dcs, seed=seed)
    with history.load(rate=50) as warm:
        wait_for(lambda: warm.acknowledged() > 500, 60, "warm")
    history.settle()
    before, log = resources(zonefan), Log(zonefan)
    with history.load(rate=50) as load, history.readers():
        taken = visible_ms(zonefan, dcs, 400)
        wait_for(lambda: sum(history.reads.values()) > 10_000, 120, "enough reads")
        load.assert_kept()
    assert not load.refusals, load.refusals
    history.settle()
    figures = history.check()
    for centre in dcs:
        log.assert_few(centre.name)
    assert_no_secret(zonefan)
    assert_clean(zonefan)
    wait_recovered(zonefan, before)
    happened(f"visible at all three after {percentile(taken, 50):.0f} ms (p50), {percentile(taken, 99):.0f} ms (p99); acknowledged in "
             f"{ack_ms(load, 50):.1f} ms (p50), {ack_ms(load):.1f} ms (p99)", **figures)
    assert percentile(taken, 99) <= 250 and ack_ms(load) <= 50


@pytest.mark.row("B00", fault="none: 5,000 zones waiting for three paused databases", injected="pause, resume",
                 required="drained at >= 250 zones/s per back end")
def test_drain(install, dcs, happened):
    zonefan = install(dcs)
    for centre in dcs:
        zonefan.wait_lane(centre.name, "up")
        zonefan.ctl("pause", centre.name, check=0)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: zonefan.da().push_ok(name, da_zone(name, hosts=24)), named("drain", 5000)))
    began = time.monotonic()
    for centre in dcs:
        zonefan.ctl("resume", centre.name, check=0)
    zonefan.wait_converged(deadline=120)
    rate = 5000 / (time.monotonic() - began)
    happened(f"{rate:.0f} zones/s at each of three back ends at once")
    assert rate >= 250


def out_by_refusal(centre):
    centre.proxy.refuse()


def out_by_silence(centre):
    centre.proxy.black_hole()


def out_by_slowness(centre):
    centre.proxy.slow(down=5)


@pytest.mark.parametrize("fault", [pytest.param(fault, marks=pytest.mark.row(
    "B18", fault=f"{what} at one of three: what the others and the masters notice", injected=f"proxy: {what}",
    required="acknowledged p99 <= 50 ms and <= 1.2 x undisturbed, or no more than 5 ms above")) for fault, what in
    ((out_by_refusal, "refused"), (out_by_silence, "black hole"), (out_by_slowness, "5 s late"))])
def test_others_are_undisturbed(install, dcs, fault, seed, happened):
    zonefan = install(dcs, quick=False)
    history = History(zonefan, dcs, seed=seed)
    with history.load(rate=50) as warm:
        wait_for(lambda: warm.acknowledged() > 300, 60, "warm")
    p99 = {False: [], True: []}
    for turn in range(6):
        disturbed = turn % 2 == 1
        (fault if disturbed else lambda centre: centre.proxy.passing())(dcs[1])
        with history.load(rate=50) as load:
            wait_for(lambda load=load: load.acknowledged() > 1000, 120, "the load runs")
        zonefan.wait_converged("dc1", "dc3", deadline=30)
        p99[disturbed].append(ack_ms(load))
    dcs[1].proxy.passing()
    history.settle(deadline=120)
    without, within = statistics.median(p99[False]), statistics.median(p99[True])
    happened(f"acknowledged in {within:.1f} ms (p99, median of three), undisturbed {without:.1f} ms", **history.check())
    assert within <= max(1.2 * without, without + 5) and within <= 50, p99


@pytest.mark.row("B20", fault="10,000 zones lost at one database", injected="TRUNCATE of all three tables",
                 required="found and repaired within 60 s of the pass's begin")
def test_everything_lost(install, dcs, happened):
    zonefan = install(dcs)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: zonefan.da().push_ok(name, da_zone(name, hosts=24)), named("lost", 10_000)))
    zonefan.wait_converged(deadline=180)
    for statement in ("SET FOREIGN_KEY_CHECKS=0", "TRUNCATE records", "TRUNCATE zones", "TRUNCATE zonefan_state"):
        dcs[1].db.sql(statement)
    began = time.monotonic()
    zonefan.ctl("heal", "--backend", "dc2", "--no-wait", check=0)
    wait_for(lambda: (zonefan.backend("dc2")["heal"] or {}).get("state") == "done"
             and dcs[1].db.value("SELECT COUNT(*) FROM zones") >= 10_000, 200, "repaired")
    took = time.monotonic() - began
    assert dcs[1].db.all_rows() == dcs[0].db.all_rows()
    happened(f"10,000 zones, 300,000 records repaired in {took:.1f} s")
    assert took <= 60
