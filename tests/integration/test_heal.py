# SPDX-License-Identifier: GPL-3.0-or-later
"""
C1, C3, C9: the healing pass finds what a database really holds and delivers again what differs from the truth. Nothing
that zonefan never wrote is touched, and live pushes go on.
"""
import threading

import pytest
from zf.heal import (OURS, add_foreign, differing, drifts, foreign_rows, heal, keep_copy, push_all, put_back_copy, wait_quiet,
                     wipe)
from zf.wait import wait_for
from zf.zones import da_zone, named

pytestmark = pytest.mark.threads


@pytest.mark.row("U6", fault="the predecessor's healing asks only whether a zone exists",
                 injected="rows changed, lost, added and doubled by hand in zones that exist",
                 required="all are found and repaired in one pass")
def test_every_damage_is_repaired_in_one_pass(zonefan, dcs):
    names = named("heal", 40)
    push_all(zonefan, names)
    zonefan.da().delete_ok(names[30])
    zonefan.wait_converged()
    foreign = [add_foreign(dc.db) for dc in dcs]
    truth = dcs[2].db.all_rows()
    one, two = dcs[0].db, dcs[1].db
    ids = two.ids(names[9])
    # one: by hand, each in a way of its own
    one.sql("UPDATE records r JOIN zones z ON z.id=r.zone_id SET r.data='192.0.2.99' WHERE z.zone_name=%s AND "
            "r.hostname='host0'", names[1] + ".")
    one.sql("DELETE r FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name=%s AND r.type='MX'", names[2] + ".")
    one.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, 'added', 'A', '192.0.2.98', 60, 1 "
            "FROM zones WHERE zone_name=%s", names[3] + ".")
    one.sql("UPDATE records r JOIN zones z ON z.id=r.zone_id SET r.ttl=r.ttl+1, r.online=0 WHERE z.zone_name=%s "
            "AND r.type='TXT'", names[4] + ".")
    one.sql("DELETE r FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name=%s", names[5] + ".")
    one.sql("DELETE FROM zones WHERE zone_name=%s", names[5] + ".")
    one.sql("DELETE r FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name=%s", names[6] + ".")
    one.sql("DELETE FROM zonefan_state WHERE zone_name=%s", names[7] + ".")
    one.sql("UPDATE zonefan_state SET generation=generation+5 WHERE zone_name=%s", names[8] + ".")
    one.sql("UPDATE zonefan_state SET store_id=REPEAT('e', 32) WHERE zone_name=%s", names[10] + ".")
    one.sql("INSERT INTO zones (zone_name) VALUES (%s)", names[30] + ".")
    one.sql("UPDATE zonefan_state SET deleted=0 WHERE zone_name=%s", names[30] + ".")
    one.sql("INSERT INTO zonefan_state SELECT 'stray.example.', store_id, 1, digest, 0, 0, 0, changed_at FROM zonefan_state "
            "WHERE zone_name=%s", names[0] + ".")
    # two: everything of zonefan's is lost but one zone
    two.sql("DELETE r FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name NOT LIKE '%%foreign%%' "
            "AND z.zone_name<>%s", names[9] + ".")
    two.sql("DELETE FROM zones WHERE zone_name NOT LIKE '%%foreign%%' AND zone_name NOT IN ('', %s)", names[9] + ".")
    two.sql("DELETE FROM zonefan_state WHERE zone_name<>%s", names[9] + ".")

    dry = heal(zonefan, "--dry-run", "--backend", "dc1", code=2)
    assert list(dry) == ["dc1"] and dry["dc1"]["dry_run"] and dry["dc1"]["repaired"] == 0
    assert (differing(dry["dc1"]), dry["dc1"]["stray"]) == (11, 1)
    assert one.all_rows() != truth

    parts = heal(zonefan, code=2)
    assert {part["state"] for part in parts.values()} == {"done"}
    counted = {key: parts["dc1"][key] for key in ("zones", "compared", "missing", "changed", "stamp", "undeleted", "stray",
                                                  "waiting", "repaired", "unrepaired")}
    assert counted == {"zones": 39, "compared": 39, "missing": 1, "changed": 5, "stamp": 3, "undeleted": 1, "stray": 1,
                       "waiting": 0, "repaired": 10, "unrepaired": 0}
    # Two stamps at dc1 raise the generation of their zones, which may bring them to dc2 before the pass gets to them.
    assert 36 <= parts["dc2"]["missing"] == differing(parts["dc2"]) == parts["dc2"]["repaired"] <= 38
    assert differing(parts["dc3"]) == 0
    # When the command is back, it is done; whoever looks at the tables finds the truth, and what is not ours as it was.
    for number, dc in enumerate(dcs):
        assert dc.db.all_rows() == truth
        assert foreign_rows(dc.db) == foreign[number]
    assert two.ids(names[9]) == ids, "a zone that was right was written"
    assert one.value("SELECT COUNT(*) FROM zonefan_state WHERE zone_name='stray.example.'") == 1
    told = drifts(zonefan, "dc1")
    assert "not the same" in told[names[1]] and "8 there" in told[names[2]] and "is not there" in told[names[5]]
    assert "no stamp" in told[names[7]] and "eeee" in told[names[10]] and "deleted" in told[names[30]]
    again = heal(zonefan, code=2)  # the stray is still there
    assert {name: differing(part) for name, part in again.items()} == {"dc1": 1, "dc2": 0, "dc3": 0}
    one.sql("DELETE FROM zonefan_state WHERE zone_name='stray.example.'")
    writes = [dc.db.row_writes() for dc in dcs]
    clean = heal(zonefan, code=0)
    assert {name: differing(part) for name, part in clean.items()} == {"dc1": 0, "dc2": 0, "dc3": 0}
    assert [dc.db.row_writes() for dc in dcs] == writes, "a pass over what is right wrote rows"


# ---- what a database may go through (fault B) ----

def edit_by_hand(db):
    db.sql(f"UPDATE records r JOIN zones ON zones.id=r.zone_id SET r.data='203.0.113.66' WHERE {OURS} AND r.hostname='host0'")
    db.sql(f"DELETE r FROM records r JOIN zones ON zones.id=r.zone_id WHERE {OURS} AND r.type='MX' AND MOD(zones.id, 2)=0")
    db.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, 'evil', 'TXT', '\"x\"', 60, 1 FROM zones "
           f"WHERE {OURS} AND MOD(id, 3)=0")


def make_empty(db):
    db.sql("DROP DATABASE dns")
    db.sql("CREATE DATABASE dns CHARACTER SET utf8mb4")
    db.local.conn = None


DAMAGES = {
    "wiped": wipe,
    "half wiped": lambda db: wipe(db, "zone_name < 'fault0015'"),
    "tables emptied": lambda db: [db.sql(f"DELETE FROM {table} WHERE " + {
        "records": f"zone_id IN (SELECT id FROM zones WHERE {OURS})"}.get(table, OURS)) for table in ("records", "zones",
                                                                                                  "zonefan_state")],
    "edited by hand": edit_by_hand,
    "an older copy": put_back_copy,
    "created anew": make_empty,
}


@pytest.mark.parametrize("damage", [pytest.param(damage, marks=pytest.mark.row(
    "B20", fault=f"database {damage}", injected="SQL", required="equal to the others after one pass; what is not ours stays"))
    for damage in DAMAGES])
def test_a_damaged_database_is_equal_to_the_others_after_one_pass(zonefan, dcs, damage):
    """Without any contact from DA, and what is not ours is byte for byte as it was."""
    names = named("fault", 30)
    push_all(zonefan, names)
    foreign = [add_foreign(dc.db) for dc in dcs]
    victim = dcs[0].db
    if damage == "an older copy":
        keep_copy(victim)
    for name in names[20:25]:
        zonefan.da().push_ok(name, da_zone(name, 2, hosts=5))
    for name in names[25:]:
        zonefan.da().delete_ok(name)
    late = named("late", 5)
    push_all(zonefan, late)
    truth = dcs[1].db.all_rows()
    pushes = zonefan.status()["counters"]["pushes"]
    DAMAGES[damage](victim)
    assert victim.all_rows() != truth if damage != "created anew" else not victim.has_table("zones")
    parts = heal(zonefan, code=2)
    assert {name: part["state"] for name, part in parts.items()} == {"dc1": "done", "dc2": "done", "dc3": "done"}
    assert differing(parts["dc1"]) > 0 and differing(parts["dc2"]) + differing(parts["dc3"]) == 0
    if damage == "created anew":  # what was theirs went with the database
        truth = {name: rows for name, rows in truth.items() if "foreign" not in name}
    assert {name: sorted(rows) for name, rows in victim.all_rows().items()} == {
        name: sorted(rows) for name, rows in truth.items()}
    for number, dc in enumerate(dcs):
        if number > 0 or damage != "created anew":
            assert foreign_rows(dc.db) == foreign[number]
    if damage == "edited by hand":
        told = drifts(zonefan, "dc1")
        assert "host0 A 192.0.2.2 -> 203.0.113.66" in told["fault0001.example"]
        assert any('+evil TXT "x"' in text for text in told.values())
        assert any("-@ MX 10 mail." in text for text in told.values())
    heal(zonefan, code=0)
    zonefan.ctl("plan", check=0)
    assert zonefan.status()["counters"]["pushes"] == pushes


# ---- by itself ----

def test_a_pass_is_stopped(zonefan, dcs):
    push_all(zonefan, named("stop", 5))
    dcs[1].db.sql("DELETE FROM records")
    with dcs[1].db.connect().cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM dns.zones FOR UPDATE")
        zonefan.ctl("heal", "--backend", "dc2", "--no-wait", check=0)
        wait_for(lambda: (zonefan.backend("dc2")["heal"] or {}).get("state") == "repairing", 30, "all is compared")
        assert "stopped at 1 back ends" in zonefan.ctl("heal", "--stop", check=0).stdout
        assert zonefan.backend("dc2")["heal"]["state"] == "stopped"
        assert "stopped at 0 back ends" in zonefan.ctl("heal", "--stop", "--backend", "dc1", check=0).stdout
        zonefan.ctl("heal", "--stop", "--backend", "dc9", check=3)
        cursor.execute("ROLLBACK")
    zonefan.wait_converged()  # what it had found is on its way all the same
    assert dcs[1].db.all_rows() == dcs[0].db.all_rows()
    assert [event["kind"] for event in zonefan.listing("/api/v1/events", "events", 1000)].count("heal_stopped") == 1


def test_more_zones_than_one_page(install, dcs):
    """Pages end between names of every kind; a table that somebody emptied is full again after one pass."""
    zonefan = install(dcs[:2])
    names = named("page", 500) + named("page-", 300) + [f"p{i:04d}-x.example" for i in range(250)] + [
        f"_p{i:03d}.example" for i in range(50)]
    push_all(zonefan, names)
    truth = dcs[1].db.all_rows()
    parts = heal(zonefan, code=0)
    assert [parts[name]["compared"] for name in ("dc1", "dc2")] == [1100, 1100]
    for statement in ("SET FOREIGN_KEY_CHECKS=0", "TRUNCATE records", "TRUNCATE zones", "TRUNCATE zonefan_state"):
        dcs[0].db.sql(statement)
    parts = heal(zonefan, code=2)
    assert (parts["dc1"]["missing"], parts["dc1"]["repaired"], differing(parts["dc2"])) == (1100, 1100, 0)
    assert dcs[0].db.all_rows() == truth


def test_live_pushes_go_on(install, dcs):
    """Nothing that is pushed during a pass is undone or called wrong; one connection serves both."""
    zonefan = install(dcs[:2], config={"dns": {"backends": {"dc1": {"connections": 1}}}})
    names = named("live", 600)
    push_all(zonefan, names)
    stop = threading.Event()
    failures = []

    def push_on():
        serial = 2
        while not stop.is_set():
            for name in names[::50]:
                try:
                    zonefan.da().push_ok(name, da_zone(name, serial))
                except AssertionError as error:
                    failures.append(error)
                stop.wait(0.02)  # pushes beside the pass, not a machine that has no time for it
            serial += 1
    pusher = threading.Thread(target=push_on)
    pusher.start()
    try:
        for _ in range(8):
            parts = heal(zonefan, code=0)
            assert {part["state"] for part in parts.values()} == {"done"}
    finally:
        stop.set()
        pusher.join()
    assert not failures
    zonefan.wait_converged()
    assert dcs[0].db.all_rows() == dcs[1].db.all_rows()
    assert not drifts(zonefan, "dc1") and not drifts(zonefan, "dc2")


def test_a_back_end_that_is_away(zonefan, dcs):
    """The pass fails there by name, and is done elsewhere."""
    push_all(zonefan, named("away", 5))
    dcs[1].proxy.refuse()
    zonefan.da().push_ok("away0000.example", da_zone("away0000.example", 2))
    zonefan.wait_lane("dc2", "down")
    zonefan.wait_converged("dc1", "dc3")
    dcs[2].db.sql("DELETE FROM records")
    parts = heal(zonefan, code=1)
    assert parts["dc2"]["state"] == "failed" and "dc2 is down" in parts["dc2"]["error"]
    assert (parts["dc1"]["state"], parts["dc3"]["state"], parts["dc3"]["repaired"]) == ("done", "done", 5)
    assert "dc2 is down" in zonefan.ctl("heal", "--backend", "dc2", check=1).stdout
    dcs[1].proxy.passing()
    zonefan.wait_converged()
    heal(zonefan, code=0)


@pytest.mark.row("B20", fault="the connection is lost while a pass compares", injected="proxy cuts at the look's SELECT",
                 required="connected again, the pass goes on")
def test_lost_in_the_middle(zonefan, dcs):
    """The connection is lost under a look: it is made again, and the pass goes on."""
    push_all(zonefan, named("lost", 5))
    dcs[0].db.sql("DELETE FROM records")
    trigger = dcs[0].proxy.cut_on("SELECT zone_name,store_id", times=1)
    parts = heal(zonefan, code=2)
    assert trigger.hits == 1
    assert (parts["dc1"]["state"], parts["dc1"]["repaired"]) == ("done", 5)
    assert dcs[0].db.all_rows() == dcs[1].db.all_rows()
    dcs[0].proxy.cut_on("SELECT zone_name,store_id")
    parts = heal(zonefan, code=1)
    assert parts["dc1"]["state"] == "failed" and parts["dc1"]["error"]
    assert parts["dc2"]["state"] == "done"


def test_dead_deliveries_are_tried(zonefan, dcs):
    """A delivery that was given up has a clock of its own; a pass that the operator asks for tries it at once."""
    push_all(zonefan, named("dead", 2))
    dcs[1].db.sql("CREATE TRIGGER no BEFORE INSERT ON records FOR EACH ROW SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO=1213")
    zonefan.da().push_ok("dead0000.example", da_zone("dead0000.example", 2, hosts=9))
    wait_for(lambda: zonefan.delivery("dead0000.example", "dc2")["state"] == "dead", 60, "dead")
    dcs[1].db.sql("DROP TRIGGER no")
    heal(zonefan, code=0)
    zonefan.wait_converged()


def test_progress_and_refusals(zonefan, dcs):
    push_all(zonefan, named("slow", 5))
    dcs[1].db.sql("DELETE FROM records")
    with dcs[1].db.connect().cursor() as cursor:  # what is found can't be repaired while somebody holds the zones
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM dns.zones FOR UPDATE")
        done = zonefan.ctl("heal", "--no-wait", check=0)
        assert "3 back ends" in done.stdout
        wait_for(lambda: (zonefan.backend("dc2")["heal"] or {}).get("state") == "repairing", 30, "all is compared")
        assert "dc2: healing pass, repairing since" in zonefan.ctl("status").stdout
        refused = zonefan.ctl("heal", check=1)
        assert "a healing pass is under way at dc2: 5 of 5 zones compared" in refused.stderr
        assert zonefan.da().request("POST", "/api/v1/heal").status == 409
        cursor.execute("ROLLBACK")
    wait_for(lambda: zonefan.backend("dc2")["heal"]["state"] == "done", 60, "repaired")
    assert dcs[1].db.all_rows() == dcs[0].db.all_rows()
    zonefan.ctl("heal", "--backend", "dc9", check=3)
    zonefan.ctl("status", "--dry-run", check=64)
    zonefan.ctl("heal", "dc1", check=64)
    shown = zonefan.ctl("heal", check=0).stdout
    assert all(word in shown for word in ("BACKEND", "dc1", "dc3", "done", "5"))
    zonefan.stop()
    zonefan.ctl("heal", check=1)


@pytest.mark.parametrize("kill", [False, True])
def test_a_restart_ends_the_pass(zonefan, dcs, kill):
    """What it had found is due and is delivered; the rest is for the next pass."""
    push_all(zonefan, named("restart", 30))
    wait_quiet(zonefan, named("restart", 30), "dc2")
    dcs[1].db.sql("DELETE FROM records")
    blocker = dcs[1].db.connect()
    with blocker.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM dns.zones FOR UPDATE")
        zonefan.ctl("heal", "--no-wait", check=0)
        wait_for(lambda: zonefan.backend("dc2")["pending"] == 30, 30, "what differs is due")
        if kill:
            zonefan.kill9()
        else:
            zonefan.stop()
        cursor.execute("ROLLBACK")
    blocker.close()
    zonefan.start()
    zonefan.wait_converged()
    # The one that was ordered is over. Where the lock outlasted a delivery, the lane was down, and comes up with a pass of its own.
    later = zonefan.backend("dc2")["heal"]
    assert later is None or later["trigger"] == "lane_up"
    assert dcs[1].db.all_rows() == dcs[0].db.all_rows()
    heal(zonefan, code=0)
