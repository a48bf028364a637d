# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "a single zone is committed within 2.2 round trips of reaching the lane". Counted by the proxy in front of the
database: how often we spoke after it had answered. Two for a zone that is new, changed or deleted, one for a zone that is
right as it is; however many records it has, as long as they fit into a packet.
"""
import pytest
from zf.rows import assert_rows_are
from zf.zones import da_zone, named

ZONE = "counted.example"
# Passes that begin by themselves would be counted too.
ONE_LANE = {"healing": {"enabled": False}, "dns": {"backends": {name: {"connections": 1} for name in ("dc1", "dc2", "dc3")}}}


@pytest.fixture
def lane(install, dcs):
    """A daemon with one connection per database, which has been used."""
    zonefan = install(dcs, config=ONE_LANE)
    zonefan.da().push_ok("first.example", da_zone("first.example"))
    zonefan.wait_converged()
    return zonefan


def trips_of(zonefan, dcs, act):
    before = [centre.proxy.round_trips for centre in dcs]
    act()
    zonefan.wait_converged()
    return [centre.proxy.round_trips - count for centre, count in zip(dcs, before)]


def test_single_zones(lane, dcs):
    da = lane.da()
    steps = [
        ("new", 2, lambda: da.push_ok(ZONE, da_zone(ZONE, 1))),
        ("equal", 1, lambda: da.push_ok(ZONE, da_zone(ZONE, 1))),
        ("changed", 2, lambda: da.push_ok(ZONE, da_zone(ZONE, 2, hosts=9))),
        ("smaller", 2, lambda: da.push_ok(ZONE, da_zone(ZONE, 3, hosts=1))),
        ("deleted", 2, lambda: da.delete_ok(ZONE)),
        ("new again", 2, lambda: da.push_ok(ZONE, da_zone(ZONE, 4))),
        ("large", 2, lambda: da.push_ok("large.example", da_zone("large.example", hosts=900))),
        ("large, changed", 2, lambda: da.push_ok("large.example", da_zone("large.example", 2, hosts=950))),
    ]
    for what, wanted, act in steps:
        trips = trips_of(lane, dcs, act)
        assert trips == [wanted] * len(dcs), f"{what}: {trips} round trips"
    for centre in dcs:
        assert_rows_are(centre.db.rows(ZONE), da_zone(ZONE, 4), ZONE, centre.name)
        assert_rows_are(centre.db.rows("large.example"), da_zone("large.example", 2, hosts=950), "large.example", centre.name)


def test_wrong_rows(lane, dcs):
    """A check that finds wrong rows: it looks, locks, writes."""
    da = lane.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    lane.wait_converged()
    dcs[1].db.sql("UPDATE records SET ttl=ttl+1 WHERE type='SOA'")
    trips = trips_of(lane, dcs, lambda: da.push_ok(ZONE, da_zone(ZONE, 1)))
    assert trips == [1, 3, 1], trips
    assert_rows_are(dcs[1].db.rows(ZONE), da_zone(ZONE, 1), ZONE, "dc2")


def held_up(zonefan, dcs, names, resume):
    """How often was spoken to dc2 until it had all these zones, which waited for it; they are there, and right."""
    zonefan.ctl("pause", "dc2", check=0)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged("dc1", "dc3")
    before = dcs[1].proxy.round_trips
    resume()
    zonefan.ctl("resume", "dc2", check=0)
    zonefan.wait_converged(deadline=60)
    rows = dcs[1].db.all_rows()
    for name in names:
        assert_rows_are(rows[name], da_zone(name), name, "dc2")
    return dcs[1].proxy.round_trips - before


def test_many_zones(lane, dcs):
    """
    What waits for a lane goes there together, at most 64 zones at first: four jobs. Near by a job may take a few round
    trips more than two, where the server works less for it.
    """
    trips = held_up(lane, dcs, named("near", 256), lambda: None)
    assert trips <= 4 * 8, f"{trips} round trips for 256 zones"


def test_many_zones_far_away(lane, dcs):
    """Far away each job takes two round trips, however many zones it has; connecting and probing take a dozen."""
    def move_away():
        dcs[1].proxy.slow(up=0.03, down=0.03)
        dcs[1].proxy.cut()
    trips = held_up(lane, dcs, named("far", 256), move_away)
    assert trips <= 4 * 2 + 16, f"{trips} round trips for 256 zones"
