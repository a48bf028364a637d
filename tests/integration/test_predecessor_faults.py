# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "Faults D, E, G and H of the product table are tests." (Reproduced in the predecessor by running it; reliability.md
4.8.) Fault H is also in test_dialect.py, in every variant of HTTP.
"""
import time

import pytest
from zf.heal import heal, wait_first_passes, wipe
from zf.wait import wait_for
from zf.zones import da_zone, version_of

ZONE = "fault.example"


def reject_version(centre, version):
    """The server refuses one version of the zone, for that zone's own reason (a row that breaks a rule of its own)."""
    centre.db.sql("CREATE TRIGGER refuse BEFORE INSERT ON records FOR EACH ROW BEGIN "
                  f"IF NEW.data = '\"version {version}\"' THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO=1213; END IF; END")
    centre.db.sql("CREATE TRIGGER refuse2 BEFORE UPDATE ON records FOR EACH ROW BEGIN "
                  f"IF NEW.data = '\"version {version}\"' THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO=1213; END IF; END")


def allow(centre):
    centre.db.sql("DROP TRIGGER refuse")
    centre.db.sql("DROP TRIGGER refuse2")


# By when an attempt that failed would have been repeated: 3 s, a fifth of jitter, and as much again.
RETRY_CLOCK = 2 * 3 * 1.2
SLOW_RETRY = {"retry": {"backoff_seconds": [3, 3, 3], "max_attempts": 5}}


@pytest.mark.row("U3", fault="a retry of the predecessor carries the old text",
                 injected="version 2 fails at dc2, version 3 is pushed",
                 required="version 2 never shows")
def test_fault_d_old_retry_never_overwrites_a_newer_push(install, dcs):
    """v1 fails at dc2 and waits for its retry; v2 succeeds; the retry of v1 must not bring v1 back."""
    zonefan = install(dcs, config=SLOW_RETRY)
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    reject_version(dcs[1], 2)
    da.push_ok(ZONE, da_zone(ZONE, 2))
    wait_for(lambda: zonefan.delivery(ZONE, "dc2")["attempts"] > 0, 30,
             lambda: f"version 2 failed: {zonefan.delivery(ZONE, 'dc2')}")
    failed = time.monotonic()
    da.push_ok(ZONE, da_zone(ZONE, 3))
    allow(dcs[1])
    wait_for(lambda: version_of(dcs[1].db.rows(ZONE)) == 3, 30, "version 3 is there")
    # the time at which version 2 would have been tried again passes; version 2 must not show
    seen = set()
    zonefan.wait_converged()
    assert zonefan.delivery(ZONE, "dc2")["wanted_generation"] == zonefan.delivery(ZONE, "dc2")["applied_generation"]

    def passed():
        seen.update(version_of(centre.db.rows(ZONE)) for centre in dcs)
        return time.monotonic() > failed + RETRY_CLOCK
    wait_for(passed, 60, "the retry's time passes")
    assert seen == {3}, f"versions seen after 3 was there: {seen}"
    assert zonefan.status()["counters"]["superseded"] >= 1


@pytest.mark.row("U4", fault="saves and deletes of the predecessor overtake each other",
                 injected="a delete while a save waits for its retry",
                 required="gone everywhere, and stays so")
def test_fault_e_delete_during_a_pending_retry(install, dcs):
    """The zone fails at dc2 and waits for its retry; it is deleted; the retry must not bring it back."""
    zonefan = install(dcs, config=SLOW_RETRY)
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    reject_version(dcs[1], 2)
    da.push_ok(ZONE, da_zone(ZONE, 2))
    wait_for(lambda: zonefan.delivery(ZONE, "dc2")["attempts"] > 0, 30, "version 2 failed")
    failed = time.monotonic()
    da.delete_ok(ZONE)
    allow(dcs[1])
    wait_for(lambda: all(centre.db.zone_id(ZONE) is None for centre in dcs), 30, "the zone is gone everywhere")

    def passed():
        assert all(centre.db.zone_id(ZONE) is None for centre in dcs), "the zone came back"
        return time.monotonic() > failed + RETRY_CLOCK
    wait_for(passed, 60, "the retry's time passes")


@pytest.mark.row("U7", fault="the predecessor's retry drain loses what it took out when it is killed",
                 injected="kill -9 twice while a database is away",
                 required="the newest state is delivered")
def test_fault_e_over_a_restart(install, dcs):
    """The same while the data centre is out and the daemon restarts in between."""
    zonefan = install(dcs)
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    dcs[1].proxy.refuse()
    da.push_ok(ZONE, da_zone(ZONE, 2))
    zonefan.kill9()
    zonefan.start()
    da.delete_ok(ZONE)
    zonefan.kill9()
    zonefan.start()
    dcs[1].proxy.passing()
    zonefan.wait_converged()
    assert [centre.db.zone_id(ZONE) for centre in dcs] == [None] * 3


@pytest.mark.row("U11", fault="the predecessor drops a delete that failed",
                 injected="a database away; a delete that the server refuses",
                 required="both are done later")
def test_fault_g_deletes_are_retried(install, dcs):
    """A delete while dc2 is out, and one that fails there for the zone's own reason: both are done later."""
    zonefan = install(dcs, config={"retry": {"max_attempts": 20}})
    da = zonefan.da()
    for name in ("out.example", "locked.example"):
        da.push_ok(name, da_zone(name))
    zonefan.wait_converged()
    dcs[1].proxy.refuse()
    da.delete_ok("out.example")
    zonefan.wait_converged("dc1", "dc3")
    assert dcs[1].db.zone_id("out.example") is not None
    dcs[1].proxy.passing()
    wait_for(lambda: dcs[1].db.zone_id("out.example") is None, 30, "the delete reaches dc2")

    dcs[1].db.sql("CREATE TRIGGER keep BEFORE DELETE ON records FOR EACH ROW "
                  "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO=1213")
    da.delete_ok("locked.example")
    wait_for(lambda: zonefan.delivery("locked.example", "dc2")["attempts"] > 0, 30, "the delete failed at dc2")
    dcs[1].db.sql("DROP TRIGGER keep")
    wait_for(lambda: dcs[1].db.zone_id("locked.example") is None, 30, "the delete is tried again")
    zonefan.wait_converged()


@pytest.mark.row("U5", fault="the predecessor stores content only when all databases took it, so healing brings old text or none",
                 injected="dc2 away, a zone changed and one added, dc1 loses everything",
                 required="dc1 is healed with the newest text meanwhile; dc2 gets it when it is back")
def test_a_wiped_database_is_healed_while_another_is_away(install, dcs):
    zonefan = install(dcs)
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    wait_first_passes(zonefan)
    dcs[1].proxy.refuse()
    da.push_ok(ZONE, da_zone(ZONE, 2))
    da.push_ok("added.example", da_zone("added.example", 5))
    zonefan.wait_converged("dc1", "dc3")
    wipe(dcs[0].db)
    assert heal(zonefan, "--backend", "dc1", code=2)["dc1"]["missing"] == 2
    zonefan.wait_converged("dc1")
    assert [version_of(dcs[0].db.rows(name)) for name in (ZONE, "added.example")] == [2, 5]
    dcs[1].proxy.passing()
    zonefan.wait_converged()
    assert [version_of(dcs[1].db.rows(name)) for name in (ZONE, "added.example")] == [2, 5]


def test_fault_h_the_real_delete_is_carried_out(install, dcs):
    """DA's delete: no query, no Content-Type, the name in select0."""
    zonefan = install(dcs)
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE))
    zonefan.wait_converged()
    answer = da.request("POST", "/CMD_API_DNS_ADMIN",
                        f"action=delete&cluster=yes&hostname=da1.host.example&username=fred&select0={ZONE}")
    assert answer.error == "0"
    zonefan.wait_converged()
    assert [centre.db.zone_id(ZONE) for centre in dcs] == [None] * 3
