# SPDX-License-Identifier: GPL-3.0-or-later
"""
A long outage, and others who write (reliability.md B19, B21, B26): newest only, deletes too, each zone once; whoever else keeps
changing a zone is answered three times an hour and then named; two daemons on one database tear no zone.
"""
import concurrent.futures
import os
import threading
import time

import pytest
from zf.history import History
from zf.oracles import assert_clean, assert_store_sound, resources, wait_recovered
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone, named, version_of


def in_parallel(act, names):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(act, names))


def stored_bytes(zonefan):
    """Of the store's file itself: what its log holds goes there in time."""
    return os.path.getsize(zonefan.store)


@pytest.mark.timeout(900)
@pytest.mark.row("B19", fault="one of three out, every zone changed meanwhile, many deleted, some made again",
                 injected="proxy refuses; 1,000 zones (10,000 in the long form)",
                 required="each zone written exactly once, the newest; deletes delivered, nothing back; drained <= 60 s; "
                          "the store grows by no more than 2 x the texts")
def test_long_outage(install, dcs, times, happened, bar):
    zonefan = install(dcs)
    zonefan.wait_lane("dc2", "up")
    old, new = named("old", times(300, 5000)), named("new", times(700, 5000))
    deleted, again = old[:times(50, 500)], old[times(50, 500):times(60, 550)]
    in_parallel(lambda name: zonefan.da().push_ok(name, da_zone(name, 1, hosts=24)), old)
    zonefan.wait_converged(deadline=120)
    before, resting = stored_bytes(zonefan), resources(zonefan)
    dcs[1].proxy.refuse()
    in_parallel(lambda name: zonefan.da().push_ok(name, da_zone(name, 2, hosts=24)), old[::5])  # never to be seen at dc2
    in_parallel(lambda name: zonefan.da().delete_ok(name), deleted + again)
    changed = [name for name in old if name not in set(deleted)] + new
    texts = {name: da_zone(name, 3, hosts=24) for name in changed}
    in_parallel(lambda name: zonefan.da().push_ok(name, texts[name]), changed)
    zonefan.wait_lane("dc2", "down")
    zonefan.wait_converged("dc1", "dc3", deadline=120)
    assert zonefan.pending()["dc2"] == len(old) + len(new)
    written, ids = dcs[1].db.rows_changed(), {name: dcs[1].db.zone_id(name) for name in again[:5]}
    dcs[1].proxy.passing()
    wait_for(lambda: zonefan.backend("dc2")["state"] == "up", 30, "it is back")
    began = time.monotonic()
    zonefan.wait_converged("dc2", deadline=180)
    took = time.monotonic() - began
    stamps = dcs[1].db.rows_changed()["zonefan_state"] - written["zonefan_state"]
    assert stamps == len(old) + len(new), f"{stamps} stamps written for {len(old) + len(new)} zones"
    rows = dcs[1].db.all_rows()
    assert sorted(rows) == sorted(changed) and rows == dcs[0].db.all_rows() == dcs[2].db.all_rows()
    for name in changed[::20]:
        assert_rows_are(rows[name], texts[name], name, "dc2")
    assert {name: dcs[1].db.zone_id(name) for name in ids} == ids, "made again before the delete came: the id stays"
    grown, text = stored_bytes(zonefan) - before, sum(map(len, texts.values()))
    assert grown <= 2 * text + (4 << 20), f"the store grew by {grown} bytes for {text} bytes of text"
    wait_recovered(zonefan, resting, rss_mib=times(64, 64))
    assert_clean(zonefan)
    happened(f"{len(old) + len(new)} zones drained in {took:.1f} s after its return, each written once; the store grew by "
             f"{grown / text:.2f} x the texts", acknowledged=len(old) + len(old[::5]) + len(deleted + again) + len(changed))
    bar("seconds until drained", took, 60)


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.row("B21", fault="somebody keeps changing one zone's rows", injected="SQL, as soon as it is repaired; passes every minute",
                 required="at most 3 repairs an hour, then 'contested', in status and events; other zones are repaired")
def test_contested_rows(install, dcs, happened):
    zonefan = install(dcs, config={"healing": {"interval_minutes": 1}})
    names = named("contested", 5)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    repairs, changes, halt = 0, 0, threading.Event()
    began = time.monotonic()

    def foreign():
        return dcs[1].db.value("SELECT COUNT(*) FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name=%s AND "
                               "r.data='203.0.113.66'", names[0] + ".")

    def contested():
        return [event for event in zonefan.listing("/api/v1/events", "events", 1000)
                if event["kind"] == "contested" and event["zone"] == names[0]]
    while time.monotonic() - began < 9 * 60 and not halt.wait(1):
        if foreign():
            continue
        repairs += changes > 0
        dcs[1].db.sql("UPDATE records r JOIN zones z ON z.id=r.zone_id SET r.data='203.0.113.66' WHERE z.zone_name=%s AND "
                      "r.hostname='host0'", names[0] + ".")
        changes += 1
    assert 1 <= repairs <= 3 and contested(), f"{repairs} repairs; {contested()}"
    assert zonefan.delivery(names[0], "dc2")["contested"]
    dcs[1].db.sql("UPDATE records r JOIN zones z ON z.id=r.zone_id SET r.data='203.0.113.66' WHERE z.zone_name=%s AND "
                  "r.hostname='host0'", names[1] + ".")
    wait_for(lambda: dcs[1].db.all_rows()[names[1]] == dcs[0].db.all_rows()[names[1]], 200, "another zone is repaired as ever")
    happened(f"{repairs} repairs in 9 minutes of passes every minute, then contested", times=repairs)


@pytest.mark.row("B26", fault="two daemons write the same database", injected="two zonefands, pushes of the same zones to both",
                 required="no read is torn or empty, ids stay, no row twice; each tells that another store writes it")
def test_two_daemons(install, dcs, seed, times, happened):
    first, second = install(dcs[:1]), install(dcs[:1])
    history = History(first, dcs[:1], zones=6, records=20, seed=seed, prefix="twice")
    other = History(second, dcs[:1], zones=6, records=20, seed=seed + 1, prefix="twice")
    other.book.version = 1_000_000
    for name in history.zones:
        first.da().push_ok(name, history.text(name, 1))
    first.wait_converged()
    ids = {name: dcs[0].db.zone_id(name) for name in history.zones}
    history.book.version = 1
    with history.readers(pause=0.001), history.load(rate=40, deletes=0) as one, other.load(rate=40, deletes=0) as two:
        wait_for(lambda: min(one.acknowledged(), two.acknowledged()) > times(150, 2000), 200, "both have pushed")
        for zonefan in (first, second):
            wait_for(lambda zonefan=zonefan: any(event["kind"] in ("stamp_taken_over", "contested")
                                                 for event in zonefan.listing("/api/v1/events", "events", 1000)),
                     60, "each tells that another store writes")
    sights = history.sights["dc1"]
    wrong = [sight for sight in sights if sight.problem or sight.zone_id != ids[sight.zone]]
    assert not wrong, f"{len(wrong)} of {len(sights)} reads: {wrong[:5]}"
    writers = {(sight.state or 0) >= 1_000_000 for sight in sights}
    assert writers == {True, False}, "only one of them ever wrote: the test tests nothing"
    for name in history.zones:
        assert version_of(dcs[0].db.rows(name))
    for zonefan in (first, second):
        assert_store_sound(zonefan.store)
    happened(f"{len(sights)} reads, 0 torn, 0 empty, ids as before", reads=len(sights),
             acknowledged=one.acknowledged() + two.acknowledged())
