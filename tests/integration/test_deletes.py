# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "A delete of an unknown name, one without hostname, one from a foreign hostname, and foreign zones beside ours
behave as decisions.md 11 says." (product table C3, C4, C7.)
"""
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone

ZONE = "owned.example"


def events(zonefan, zone):
    return [event for event in zonefan.api("/api/v1/events?limit=1000")["events"] if event["zone"] == zone]


def kinds(zonefan, zone):
    return {event["kind"] for event in events(zonefan, zone)}


def gone(dcs, zone):
    return all(centre.db.zone_id(zone) is None for centre in dcs)


def test_unknown_name(zonefan, dcs):
    """error=0, an event, no tombstone, no back end touched."""
    zonefan.da().push_ok(ZONE, da_zone(ZONE))
    zonefan.wait_converged()
    before = [(centre.db.row_writes(), centre.db.rows_changed()) for centre in dcs]
    zonefan.da().delete_ok("never.example")
    assert events(zonefan, "never.example"), "nobody is told"
    assert "never.example" not in zonefan.zones()
    assert zonefan.da().get("/api/v1/zones/never.example").status == 404
    zonefan.wait_converged()
    assert [(centre.db.row_writes(), centre.db.rows_changed()) for centre in dcs] == before


def test_twice(zonefan, dcs):
    zonefan.da().push_ok(ZONE, da_zone(ZONE))
    zonefan.da().delete_ok(ZONE)
    zonefan.da().delete_ok(ZONE)
    zonefan.wait_converged()
    assert gone(dcs, ZONE) and ZONE not in zonefan.zones()


def test_foreign_hostname(zonefan, dcs):
    zonefan.da().push_ok(ZONE, da_zone(ZONE))
    zonefan.wait_converged()
    zonefan.da().delete_ok(ZONE, hostname="da2.host.example")
    zonefan.wait_converged()
    for centre in dcs:
        assert_rows_are(centre.db.rows(ZONE), da_zone(ZONE), ZONE, centre.name)
    refusal = [event for event in events(zonefan, ZONE) if "refused" in event["kind"]]
    assert refusal and "da2.host.example" in str(refusal[0]), refusal


def test_without_hostname(zonefan, dcs):
    """Honoured only where no owner is stored."""
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE))
    da.push_ok("ownerless.example", da_zone("ownerless.example"), hostname="", username=None)
    assert zonefan.zone("ownerless.example")["hostname"] == ""
    zonefan.wait_converged()
    da.delete_ok(ZONE, "ownerless.example", hostname="")
    wait_for(lambda: gone(dcs, "ownerless.example"), 30, "the zone without owner is gone")
    zonefan.wait_converged()
    assert ZONE in zonefan.zones() and not any(centre.db.zone_id(ZONE) is None for centre in dcs)


def test_push_without_hostname_keeps_the_owner(zonefan, dcs):
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    da.push_ok(ZONE, da_zone(ZONE, 2), hostname="", username=None)
    assert zonefan.zone(ZONE)["hostname"] == "da1.host.example"
    da.delete_ok(ZONE, hostname="da2.host.example")
    assert ZONE in zonefan.zones()
    da.delete_ok(ZONE)
    assert ZONE not in zonefan.zones()


def test_take_over(zonefan, dcs):
    """C7: a domain moved da1 -> da2: pushes from da2 take over with an event, a late delete from da1 is refused."""
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    second = zonefan.da(hostname="da2.host.example")
    second.push_ok(ZONE, da_zone(ZONE, 1), username="wilma")
    assert zonefan.zone(ZONE)["hostname"] == "da2.host.example"
    assert zonefan.zone(ZONE)["username"] == "wilma"
    assert any("da1.host.example" in str(e) and "da2.host.example" in str(e) for e in events(zonefan, ZONE))
    zonefan.da().delete_ok(ZONE)
    assert ZONE in zonefan.zones()
    second.delete_ok(ZONE)
    wait_for(lambda: gone(dcs, ZONE), 30, "the new owner's delete")


def test_revived_by_another_master(zonefan, dcs):
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 5))
    zonefan.wait_converged()
    generation = zonefan.zone(ZONE)["generation"]
    da.delete_ok(ZONE)
    wait_for(lambda: gone(dcs, ZONE), 30, "gone")
    zonefan.da(hostname="da2.host.example").push_ok(ZONE, da_zone(ZONE, 5))
    zonefan.wait_converged()
    assert zonefan.zone(ZONE)["generation"] == generation + 2
    for centre in dcs:
        assert_rows_are(centre.db.rows(ZONE), da_zone(ZONE, 5), ZONE, centre.name)


def test_foreign_zones_stay(install, dcs):
    """Rows of zones that are not ours change only by a push of that very name."""
    for centre in dcs:
        centre.db.plugin_schema()
        centre.db.sql("INSERT INTO zones (id, zone_name) VALUES (77, 'theirs.example.'), (78, 'both.example.')")
        centre.db.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) VALUES "
                      "(77, '@', 'A', '198.51.100.1', 60, 1), (77, 'off', 'A', '198.51.100.2', 60, 0), "
                      "(78, '@', 'A', '198.51.100.3', 60, 1), (78, 'stray', 'TXT', 'unquoted', 60, 0)")
    zonefan = install(dcs)
    da = zonefan.da()
    theirs = [centre.db.rows("theirs.example") for centre in dcs]
    assert len(theirs[0]) == 2
    da.push_ok(ZONE, da_zone(ZONE))
    da.delete_ok("theirs.example")       # never ours: an event and nothing else
    da.push_ok("both.example", da_zone("both.example"))
    zonefan.wait_converged()
    assert [centre.db.rows("theirs.example") for centre in dcs] == theirs
    for centre in dcs:
        assert_rows_are(centre.db.rows("both.example"), da_zone("both.example"), "both.example", centre.name)
        assert centre.db.zone_id("both.example") == 78, "the id of a zone that was there before is kept"
        assert centre.db.zone_id("theirs.example") == 77
    da.delete_ok("both.example")
    zonefan.restart()
    zonefan.wait_converged()
    assert gone(dcs, "both.example")
    assert [centre.db.rows("theirs.example") for centre in dcs] == theirs


def test_delete_overtakes_the_save_of_a_zone_that_was_there(install, dcs):
    """A data centre that was away sees only the delete of a zone that it holds from before our time: it goes there too."""
    for centre in dcs:
        centre.db.plugin_schema()
        centre.db.sql("INSERT INTO zones (id, zone_name) VALUES (91, 'before.example.')")
        centre.db.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) VALUES (91, '@', 'A', '198.51.100.1', 60, 1)")
    zonefan = install(dcs)
    da = zonefan.da()
    zonefan.wait_lane("dc2", "up")
    dcs[1].proxy.refuse()
    da.push_ok(ZONE, da_zone(ZONE))
    zonefan.wait_lane("dc2", "down")
    da.push_ok("before.example", da_zone("before.example"))
    da.delete_ok("before.example")
    dcs[1].proxy.passing()
    zonefan.wait_converged()
    assert gone(dcs, "before.example")


def test_catch_all_row_is_kept(zonefan, dcs):
    """decisions.md 26: the row zone_name='' is there, is no zone, and no delete takes it away."""
    zonefan.da().push_ok(ZONE, da_zone(ZONE))
    zonefan.wait_converged()
    for centre in dcs:
        assert centre.db.value("SELECT COUNT(*) FROM zones WHERE zone_name=''") == 1
    zonefan.da().delete_ok(ZONE)
    zonefan.wait_converged()
    for centre in dcs:
        assert centre.db.sql("SELECT zone_name FROM zones") == (("",),)


def test_deleted_state_row_stays_for_readers(zonefan, dcs):
    """decisions.md 29: a deleted zone's state row stays, marked, so that a reader sees the delete."""
    zonefan.da().push_ok(ZONE, da_zone(ZONE))
    zonefan.wait_converged()
    zonefan.da().delete_ok(ZONE)
    zonefan.wait_converged()
    for centre in dcs:
        assert centre.db.value("SELECT deleted FROM zonefan_state WHERE zone_name=%s", ZONE + ".") == 1
