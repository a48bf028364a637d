# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "Changing one record of a 200-record zone writes at most two record rows per back end; re-pushing an identical
zone writes none (counted by Innodb_rows_inserted, updated, deleted over all three tables). The digest sees two swapped
addresses, a doubled row, online=0, a changed TTL, a trailing blank." (product table W9, W12; reliability.md B24; decisions.md 6, 7.)

MariaDB 10.11 dropped the Innodb_rows_* counters; its handler counters and userstat count the same thing.
"""
import pytest
from zf.heal import wait_first_passes
from zf.rows import assert_rows_are, digest
from zf.wait import wait_for
from zf.zones import da_zone

ZONE = "rows.example"


def wide(changed=None, serial=1):
    """196 hosts with addresses of their own; 203 records with SOA, NS, MX and TXT."""
    lines = [f"h{i}\t3600\tIN\tA\t{'203.0.113.7' if i == changed else f'198.51.{i // 100}.{i % 100 + 1}'}" for i in range(196)]
    return da_zone(ZONE, serial, hosts=0, extra="\n".join(lines))


def counts(dcs):
    return [(centre.db.row_writes(), centre.db.rows_changed()) for centre in dcs]


@pytest.mark.row("B24", fault="the same zone pushed again, and reordered", injected="push",
                 required="0 row writes; ids stay; the generation too")
def test_identical_push_writes_nothing(zonefan, dcs):
    da = zonefan.da()
    da.push_ok(ZONE, wide())
    zonefan.wait_converged()
    before, generation = counts(dcs), zonefan.zone(ZONE)["generation"]
    ids = [centre.db.ids(ZONE) for centre in dcs]
    stamps = [centre.db.sql("SELECT * FROM zonefan_state") for centre in dcs]
    for text in (wide(), wide().replace("\t", "  "), "; a comment\n" + wide()):
        da.push_ok(ZONE, text)
        zonefan.wait_converged()
    assert counts(dcs) == before, "an identical push wrote rows"
    assert zonefan.zone(ZONE)["generation"] == generation
    assert [centre.db.ids(ZONE) for centre in dcs] == ids
    assert [centre.db.sql("SELECT * FROM zonefan_state") for centre in dcs] == stamps


@pytest.mark.row("B24", fault="one record of two hundred changed", injected="push",
                 required="at most 2 record rows and one stamp written; all other ids stay")
def test_one_record_of_two_hundred(zonefan, dcs):
    da = zonefan.da()
    da.push_ok(ZONE, wide())
    zonefan.wait_converged()
    before = counts(dcs)
    ids = [set(centre.db.ids(ZONE)) for centre in dcs]
    da.push_ok(ZONE, wide(changed=100))
    zonefan.wait_converged()
    for centre, (_, tables), old in zip(dcs, before, ids):
        after = centre.db.rows_changed()
        records = after["records"] - tables["records"]
        assert 1 <= records <= 2, f"{centre.name}: {records} record rows written for one changed record"
        assert after["zones"] == tables["zones"]
        assert after["zonefan_state"] - tables["zonefan_state"] == 1
        assert len(set(centre.db.ids(ZONE)) & old) >= len(old) - 1, "rows that did not change lost their id"
        assert_rows_are(centre.db.rows(ZONE), wide(changed=100), ZONE, centre.name)


def test_reordered_text_writes_nothing(zonefan, dcs):
    da = zonefan.da()
    da.push_ok(ZONE, wide())
    zonefan.wait_converged()
    before = counts(dcs)
    lines = wide().split("\n")
    hosts = [i for i, line in enumerate(lines) if line.startswith("h") and "\tA\t" in line]
    for i, j in zip(hosts, reversed(hosts)):
        if i < j:
            lines[i], lines[j] = lines[j], lines[i]
    da.push_ok(ZONE, "\n".join(lines))
    zonefan.wait_converged()
    assert counts(dcs) == before


DAMAGE = {
    "two swapped addresses": [
        "UPDATE records a JOIN records b ON a.zone_id=b.zone_id AND a.hostname='h1' AND b.hostname='h2' "
        "SET a.data=b.data, b.data=a.data",
    ],
    "a doubled row": ["INSERT INTO records (zone_id, hostname, type, data, ttl, online) "
                      "SELECT zone_id, hostname, type, data, ttl, online FROM records WHERE hostname='h3'"],
    "online=0": ["UPDATE records SET online=0 WHERE hostname='h4'"],
    "a changed TTL": ["UPDATE records SET ttl=ttl+1 WHERE hostname='h5'"],
    "a trailing blank": ["UPDATE records SET data=CONCAT(data,' ') WHERE hostname='h6'"],
    "a blank in the owner": ["UPDATE records SET hostname=CONCAT(hostname,' ') WHERE hostname='h7'"],
    "upper case": ["UPDATE records SET hostname='H8' WHERE hostname='h8'"],
    "a missing row": ["DELETE FROM records WHERE hostname='h9'"],
    "a surplus row": ["INSERT INTO records (zone_id, hostname, type, data, ttl, online) "
                      "SELECT zone_id, 'evil', type, data, ttl, online FROM records WHERE hostname='h10'"],
    "no row at all": ["DELETE FROM records"],
    "the zone gone": ["DELETE FROM records", "DELETE FROM zones WHERE zone_name<>''"],
    "the stamp gone": ["DELETE FROM zonefan_state", "UPDATE records SET data='192.0.2.66' WHERE hostname='h11'"],
    "other rows under a good stamp": ["UPDATE records SET data='192.0.2.66' WHERE hostname LIKE 'h1%' AND type='A'"],
}


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.row(
    "B20", fault=f"rows changed by hand: {kind}", injected="SQL", required="an equal push repairs them")) for kind in DAMAGE])
def test_damage_is_seen_and_repaired_by_an_equal_push(shared, kind):
    """Nothing that the operator re-pushes stays wrong: the rows are compared, and made right."""
    da = shared.zonefan.da()
    da.push_ok(ZONE, wide())
    shared.zonefan.wait_converged()
    wait_first_passes(shared.zonefan)
    generation = shared.zonefan.zone(ZONE)["generation"]
    centre = shared.dcs[1]
    known = shared.zonefan.zone(ZONE)["digest"]
    assert digest(centre.db.rows(ZONE))[1] == known
    whole = centre.db.rows(ZONE)
    for statement in DAMAGE[kind]:
        centre.db.sql(statement)
    damaged = centre.db.rows(ZONE)
    if kind != "the stamp gone":
        assert digest(damaged)[1] != known, "the definition of the digest does not see this damage"
    others = [(c.db.row_writes(), c.db.rows_changed()) for c in (shared.dcs[0], shared.dcs[2])]
    da.push_ok(ZONE, wide())
    shared.zonefan.wait_converged()
    wait_for(lambda: centre.db.rows(ZONE) == whole, 30, lambda: f"repaired: {set(centre.db.rows(ZONE)) ^ set(whole)}")
    assert_rows_are(centre.db.rows(ZONE), wide(), ZONE, centre.name)
    assert shared.zonefan.zone(ZONE)["generation"] == generation
    assert [(c.db.row_writes(), c.db.rows_changed()) for c in (shared.dcs[0], shared.dcs[2])] == others, \
        "a healthy data centre was written to"


@pytest.mark.row("B14", fault="tables made by the plugin, the state table missing", injected="the plugin's own CREATE TABLE",
                 required="manage_schema widens them; without it: DOWN, nothing created, the file to apply is named")
def test_plugin_made_database(install, dcs):
    """B1: a database that the plugin itself created; what is too long for its columns is refused there alone, by name."""
    for centre in dcs:
        centre.db.plugin_schema()
    zonefan = install(dcs, start=False,
                      config={"dns": {"backends": {"dc2": {"manage_schema": False}}}})
    dcs[1].db.sql("CREATE TABLE other (x INT)")
    zonefan.start()
    zonefan.wait_lane("dc1", "up")
    wait_for(lambda: zonefan.backend("dc2")["last_error"], 30, "dc2 says why it is down")
    backend = zonefan.backend("dc2")
    assert backend["state"] in ("down", "probing") and "zonefan_state" in backend["last_error"], backend
    assert ".sql" in backend["last_error"], "the operator is not told which file to apply"
    long = '"' + "x" * 250 + '" '
    text = da_zone(ZONE, extra=f"long\t60\tIN\tTXT\t{long * 6}")
    zonefan.da().push_ok(ZONE, text)
    zonefan.wait_converged("dc1", "dc3")
    # manage_schema: the column was widened, not the record cut
    assert_rows_are(dcs[0].db.rows(ZONE), text, ZONE, "dc1")
    assert not dcs[1].db.has_table("zonefan_state"), "manage_schema: false creates nothing"


@pytest.mark.row("B15", fault="a record too long for one database's column", injected="ALTER TABLE ... VARCHAR(1024)",
                 required="rejected there alone by record, column and width; nothing cut; replayed when the column fits")
def test_record_too_long_for_one_database(install, dcs):
    """decisions.md 4, D3: rejected for that back end alone, with record and column, no statement sent; listed; replayed."""
    zonefan = install(dcs)
    zonefan.wait_lane("dc2", "up")
    zonefan.stop()
    dcs[1].db.sql("DELETE FROM records")
    dcs[1].db.sql("ALTER TABLE records MODIFY data VARCHAR(1024) NOT NULL")
    zonefan.configure({"dns": {"backends": {"dc2": {"manage_schema": False}}}})
    zonefan.start()
    da = zonefan.da()
    long = '"' + "x" * 250 + '" '
    old = da_zone(ZONE, 1)
    da.push_ok(ZONE, old)
    zonefan.wait_converged()
    text = da_zone(ZONE, 2, extra=f"long\t60\tIN\tTXT\t{long * 6}")
    da.push_ok(ZONE, text)
    zonefan.wait_converged("dc1", "dc3")
    wait_for(lambda: zonefan.delivery(ZONE, "dc2")["state"] == "rejected", 30,
             lambda: f"rejected: {zonefan.delivery(ZONE, 'dc2')}")
    delivery = zonefan.delivery(ZONE, "dc2")
    assert "long" in delivery["last_error"] and "data" in delivery["last_error"] and "1024" in delivery["last_error"]
    assert_rows_are(dcs[1].db.rows(ZONE), old, ZONE, "dc2")
    assert zonefan.backend("dc2")["state"] == "up"
    da.push_ok("beside.example", da_zone("beside.example"))
    wait_for(lambda: dcs[1].db.rows("beside.example"), 30, "other zones go on")
    dcs[1].db.sql("ALTER TABLE records MODIFY data MEDIUMTEXT NOT NULL")
    zonefan.ctl("retry", ZONE, check=0)
    wait_for(lambda: zonefan.delivery(ZONE, "dc2")["state"] == "clean", 60,
             lambda: f"replayed: {zonefan.delivery(ZONE, 'dc2')}")
    assert_rows_are(dcs[1].db.rows(ZONE), text, ZONE, "dc2")


@pytest.mark.row("SEC S10", fault="the database account has no right but DML on the three tables",
                 injected="SELECT, INSERT, UPDATE, DELETE on zones, records, zonefan_state alone",
                 required="saves, changes and deletes work")
def test_dml_rights_are_enough(install, dcs):
    """S10: with the schema in place, DML on the three tables is all that the account needs."""
    zonefan = install(dcs)
    for centre in dcs:
        zonefan.wait_lane(centre.name, "up")
    zonefan.stop()
    for centre in dcs:
        centre.db.grant_dml_only()
    zonefan.start()
    zonefan.da().push_ok(ZONE, wide())
    zonefan.wait_converged()
    zonefan.da().push_ok(ZONE, wide(changed=3))
    zonefan.wait_converged()
    for centre in dcs:
        assert_rows_are(centre.db.rows(ZONE), wide(changed=3), ZONE, centre.name)
    zonefan.da().delete_ok(ZONE)
    zonefan.wait_converged()
    assert all(centre.db.zone_id(ZONE) is None for centre in dcs)
