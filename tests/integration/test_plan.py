# SPDX-License-Identifier: GPL-3.0-or-later
"""
G3: `plan` says record by record what would be written, and writes nothing. It is empty exactly when an independent
comparison (the store's text as dnspython reads it, against the rows as wire form) finds nothing, and says the same records.
"""
import collections
import json
import random
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import make_zones
import pytest
from zf.rows import of_text
from zf.wait import wait_for
from zf.zones import da_zone, named

ZONES = 160
ROUNDS = 12
WRITES = re.compile(r" (Query|Execute)\t\s*(INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|TRUNCATE|RENAME|LOCK)|FOR UPDATE",
                    re.I)
QUIET = {"healing": {"enabled": False}}


def plan(zonefan, *arguments, code):
    """{back end: the answer}."""
    done = zonefan.ctl("--json", "plan", *arguments, check=code)
    return {entry["name"]: entry for entry in json.loads(done.stdout)["backends"]}


def push_all(zonefan, zones):
    da = zonefan.da()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: da.push_ok(*item), zones.items()))


# ---- the independent comparison ----

def store_texts(zonefan):
    """{zone: its text} as the store has it; None for one that is deleted."""
    with sqlite3.connect(f"file:{zonefan.store}?mode=ro", uri=True) as store:
        rows = store.execute("SELECT name, deleted, text FROM zone LEFT JOIN zone_text ON zone_id=id").fetchall()
    return {name[:-1]: None if deleted else bytes(text) for name, deleted, text in rows}


def wire(hostname, rtype, data, ttl, online):
    """A row as what DNS makes of it; a row that is no record stays what it is."""
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, rtype, data, origin=None)
        owner = () if hostname == "@" else tuple(dns.name.from_text(hostname, origin=None).labels)
        known = (dns.rdatatype.to_text(rdata.rdtype) == rtype and hostname == hostname.lower() and owner[-1:] != (b"",)
                 and online == 1)
    except (dns.exception.DNSException, AttributeError, TypeError, ValueError):
        known = False
    if not known:
        return "no record", hostname, rtype, data, ttl, online
    return owner, rtype, rdata.to_digestable(), ttl


def difference(texts, rows, ours):
    """{zone: (what is to come, what is to go)}, each a Counter of records; zones without a difference are left out."""
    found = {}
    for zone, text in texts.items():
        want = collections.Counter(of_text(text, zone)) if text is not None else collections.Counter()
        have = collections.Counter(wire(*row) for row in rows.get(zone, []))
        if text is None and zone not in ours:
            continue
        if want != have or (text is not None) != (zone in rows):
            found[zone] = want - have, have - want
    return found


def planned(entry):
    """The same of what zonefan says."""
    found = {}
    for zone in entry["zones"]:
        assert zone["change"] != "unknown" and zone["unlisted"] == 0, zone
        come, go = collections.Counter(), collections.Counter()
        for record in zone["records"]:
            key = record["hostname"], record["type"]
            was = record.get("was", record)
            if record["change"] != "remove":
                come[wire(*key, record["data"], int(record["ttl"]), 1)] += 1
            if record["change"] != "add":
                ttl, online = (None if was[field] is None else int(was[field]) for field in ("ttl", "online"))
                go[wire(*key, was["data"], ttl, online)] += 1
        counts = collections.Counter(record["change"] for record in zone["records"])
        assert (counts["add"], counts["change"], counts["remove"]) == (zone["added"], zone["changed"], zone["removed"])
        found[zone["zone"]] = come, go
    return found


def ours(db):
    """The zones that bear our stamp and are not called deleted, or are there as they were."""
    return {name[:-1] for (name,) in db.sql("SELECT s.zone_name FROM zonefan_state s JOIN zones z ON z.zone_name=s.zone_name "
                                            "WHERE s.deleted=0")}


# ---- drifts ----

def drift(db, rng, zones):
    """One thing that somebody does to the tables."""
    zone = rng.choice(zones) + "."
    one = ("records r JOIN (SELECT r.id FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name=%s ORDER BY r.id "
           f"LIMIT {rng.randrange(12)}, 1) p ON p.id=r.id")
    rng.choice((
        lambda: db.sql(f"UPDATE {one} SET r.data='192.0.2.{rng.randrange(256)}', r.type='A'", zone),
        lambda: db.sql(f"UPDATE {one} SET r.ttl=r.ttl+{rng.randrange(1, 9)}", zone),
        lambda: db.sql(f"UPDATE {one} SET r.online=0", zone),
        lambda: db.sql(f"UPDATE {one} SET r.hostname=UPPER(CONCAT('x', r.hostname))", zone),
        lambda: db.sql(f"UPDATE {one} SET r.data='no data of any type'", zone),
        lambda: db.sql(f"DELETE r FROM {one}", zone),
        lambda: db.sql("DELETE r FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name=%s", zone),
        lambda: (db.sql("DELETE r FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name=%s", zone),
                 db.sql("DELETE FROM zones WHERE zone_name=%s", zone)),
        lambda: db.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, %s, 'TXT', %s, 60, 1 "
                       "FROM zones WHERE zone_name=%s", f"evil{rng.randrange(9)}", '"x \\; y"', zone),
        lambda: db.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT r.zone_id, r.hostname, r.type, "
                       f"r.data, r.ttl, r.online FROM {one}", zone),
        # Nothing that is not a difference of records may be in a plan.
        lambda: db.sql("UPDATE zonefan_state SET generation=generation+1, digest=REPEAT('0', 32) WHERE zone_name=%s", zone),
        lambda: db.sql("INSERT IGNORE INTO zones (zone_name) VALUES (%s)", f"foreign{rng.randrange(9)}.test."),
    ))()


@pytest.mark.timeout(600)
def test_plan_is_what_an_independent_comparison_finds(install, dcs):
    zonefan = install(dcs[:2], config=QUIET)
    zones = dict(make_zones.zones(ZONES, seed=4))
    assert len(zones) == ZONES
    push_all(zonefan, zones)
    names = sorted(zones)
    zonefan.wait_converged(deadline=120)
    for name in names[:6]:
        zonefan.da().delete_ok(name)
    zonefan.wait_converged()
    texts = store_texts(zonefan)
    assert sum(text is not None for text in texts.values()) == ZONES - 6
    zonefan.ctl("plan", check=0)
    one, two = dcs[0].db, dcs[1].db
    rng = random.Random(20261127)
    seen = set()
    for turn in range(ROUNDS):
        for _ in range(1 if turn < 6 else 4 * turn):
            drift(one, rng, names[6:])
        if turn == 8:  # an older copy: what was deleted is there again as ours
            one.sql("UPDATE zonefan_state SET deleted=0 WHERE zone_name=%s", names[0] + ".")
            one.sql("INSERT INTO zones (zone_name) VALUES (%s)", names[0] + ".")
            one.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, '@', 'A', '192.0.2.1', 60, 1 "
                    "FROM zones WHERE zone_name=%s", names[0] + ".")
        if turn == 9:  # and one that somebody made anew is his
            one.sql("INSERT INTO zones (zone_name) VALUES (%s)", names[1] + ".")
        found = difference(texts, one.all_rows(), ours(one))
        got = plan(zonefan, code=2 if found else 0)
        assert planned(got["dc1"]) == found, f"round {turn}"
        assert planned(got["dc2"]) == {} and got["dc2"]["compared"] == ZONES - 6
        assert got["dc1"]["compared"] == ZONES - 6
        seen |= {change for zone in got["dc1"]["zones"] for change in [zone["change"]]}
        if found:
            zone = rng.choice(sorted(found))
            assert planned(plan(zonefan, zone, "--backend", "dc1", code=2)["dc1"]) == {zone: found[zone]}
    assert seen == {"add", "change", "remove"}
    # What is planned is what a pass does.
    zonefan.ctl("heal", check=2)
    assert difference(texts, one.all_rows(), ours(one)) == {}
    zonefan.ctl("plan", check=0)
    right = two.all_rows()
    assert {name: sorted(rows) for name, rows in one.all_rows().items() if name in right} == {
        name: sorted(rows) for name, rows in right.items()}


# ---- writes nothing, and the first day ----

def statements(db, act):
    """What the server was sent meanwhile that would write."""
    path = db.general_log(True)
    before = len(open(path, encoding="utf-8", errors="replace").read())
    try:
        act()
    finally:
        db.general_log(False)
    log = open(path, encoding="utf-8", errors="replace").read()[before:]
    assert "SELECT" in log, "nothing was logged at all"
    return [line for line in log.splitlines() if WRITES.search(line)]


def test_nothing_is_written(install, dcs):
    zonefan = install(dcs[:1], config=QUIET)
    push_all(zonefan, {name: da_zone(name) for name in named("quiet", 30)})
    zonefan.wait_converged()
    dcs[0].db.sql("DELETE FROM records WHERE type='MX'")
    # A delivery shows that the log would tell.
    assert statements(dcs[0].db, lambda: (zonefan.da().push_ok("seen.example", da_zone("seen.example")),
                                          zonefan.wait_converged())) != []
    writes = dcs[0].db.row_writes()
    assert statements(dcs[0].db, lambda: zonefan.ctl("plan", check=2)) == []
    assert dcs[0].db.row_writes() == writes


def test_before_the_first_day(install, dcs):
    """Beside another system: its tables are compared, ours are not even made."""
    db = dcs[0].db
    db.plugin_schema()
    db.sql("INSERT INTO zones (zone_name) VALUES ('same0000.example.'), ('theirs.example.')")
    for name in ("same0000.example", "theirs.example"):
        db.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, '@', 'A', '192.0.2.7', 60, 1 FROM "
               "zones WHERE zone_name=%s", name + ".")
    before = db.all_rows()
    zonefan = install(dcs[:2], config={"app": {"dry_run": True}})
    push_all(zonefan, {name: da_zone(name) for name in named("same", 3)})
    assert statements(db, lambda: zonefan.ctl("plan", "--backend", "dc1", check=2)) == []
    got = plan(zonefan, code=2)
    assert {zone["zone"]: zone["change"] for zone in got["dc1"]["zones"]} == {
        "same0000.example": "change", "same0001.example": "add", "same0002.example": "add"}
    assert got["dc1"]["state"] == "paused" and got["dc1"]["error"] is None
    assert {zone["change"] for zone in got["dc2"]["zones"]} == {"add"}  # a database without any table
    assert db.all_rows() == before and not db.has_table("zonefan_state") and not dcs[1].db.has_table("zones")


def test_where_a_back_end_can_not_be_asked(install, dcs):
    zonefan = install(dcs[:2], config=QUIET)
    push_all(zonefan, {name: da_zone(name) for name in named("away", 3)})
    zonefan.wait_converged()
    dcs[1].proxy.refuse()
    zonefan.da().push_ok("away0000.example", da_zone("away0000.example", 2))
    zonefan.wait_lane("dc2", "down")
    zonefan.wait_converged("dc1")
    done = zonefan.ctl("plan", check=1)
    assert "dc2: can't be asked: dc2" in done.stdout and "dc1: 3 zones compared, 0 differ" in done.stdout
    got = plan(zonefan, code=1)
    assert got["dc2"]["error"] and got["dc2"]["zones"] == [] and got["dc1"]["error"] is None
    zonefan.ctl("plan", "--backend", "dc1", check=0)
    dcs[1].proxy.passing()
    zonefan.wait_converged()
    wait_for(lambda: zonefan.ctl("plan").returncode == 0, 30, "all can be asked")


def test_for_people(install, dcs):
    zonefan = install(dcs[:1], config=QUIET)
    push_all(zonefan, {name: da_zone(name, address="192.0.2.10") for name in named("people", 2)})
    zonefan.wait_converged()
    db = dcs[0].db
    db.sql("UPDATE records r JOIN zones z ON z.id=r.zone_id SET r.data='203.0.113.66' WHERE z.zone_name='people0000.example.' "
           "AND r.hostname='host0'")
    db.sql("UPDATE records r JOIN zones z ON z.id=r.zone_id SET r.hostname='evil' WHERE z.zone_name='people0000.example.' "
           "AND r.hostname='host1'")
    shown = zonefan.ctl("plan", "people0000.example", check=2).stdout
    assert "dc1: people0000.example: 1 added, 1 changed, 1 removed" in shown
    assert "  ~ host0 3600 A 192.0.2.10  (is 3600 203.0.113.66)" in shown
    assert "  + host1 3600 A 192.0.2.10" in shown and "  - evil 3600 A 192.0.2.10" in shown
    assert "1 differ: 1 records to add, 1 to change, 1 to remove" in shown
    zonefan.ctl("plan", "people0001.example", check=0)
    zonefan.ctl("plan", "nobody.example", check=3)
    zonefan.ctl("plan", "--backend", "dc9", check=3)
    zonefan.ctl("plan", "a.example", "b.example", check=64)
    assert zonefan.da().request("GET", "/api/v1/plan").status == 400
    # Many pages: none is left out, and none is told twice.
    push_all(zonefan, {name: da_zone(name) for name in named("many", 450)})
    zonefan.wait_converged()
    db.sql("DELETE r FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name LIKE 'many%%' AND r.type='MX'")
    told = [zone["zone"] for zone in plan(zonefan, code=2)["dc1"]["zones"]]
    assert sorted(told) == sorted(named("many", 450) + ["people0000.example"])
