# SPDX-License-Identifier: GPL-3.0-or-later
"""Healing passes: asking for them, and what they found; databases that somebody damaged."""
import concurrent.futures
import datetime
import json

from .wait import wait_for
from .zones import da_zone

TABLES = ("zones", "records", "zonefan_state")
OURS = "zone_name NOT LIKE '%%foreign%%' AND zone_name<>''"  # and not the catch-all row


def heal(zonefan, *options, code):
    """{back end: what came of the pass}."""
    done = zonefan.ctl("--json", "heal", *options, check=code)
    return {entry["name"]: entry["heal"] for entry in json.loads(done.stdout)["backends"]}


def differing(part):
    return sum(part[key] for key in ("missing", "changed", "stamp", "undeleted", "stray"))


def drifts(zonefan, backend):
    """{zone: what an event says of it}."""
    events = zonefan.listing("/api/v1/events", "events", 1000)
    return {event["zone"]: event["detail"] for event in events if event["kind"] == "drift" and event["backend"] == backend}


def push_all(zonefan, names):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: zonefan.da().push_ok(name, da_zone(name)), names))
    zonefan.wait_converged()
    wait_first_passes(zonefan)


def wait_first_passes(zonefan):
    """A new back end is compared by itself: what a test damages must not be found by that pass."""
    wait_for(lambda: all(lane["next_heal"] is None or (lane["heal"] or {}).get("ended_at")
                         for lane in zonefan.status()["backends"]), 60, "the first passes are over")


def wait_quiet(zonefan, names, backend):
    """A second after the last delivery pages are whole again."""
    def quiet():
        last = max(zonefan.delivery(name, backend)["applied_at"] for name in names)
        passed = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(last.replace("Z", "+00:00"))
        return passed > datetime.timedelta(seconds=1.2)
    wait_for(quiet, 30, "nothing was delivered for a second")


def foreign_rows(db):
    return db.sql("SELECT z.id, z.zone_name, r.id, r.hostname, r.type, r.data, r.ttl, r.online FROM zones z "
                  "JOIN records r ON r.zone_id=z.id WHERE z.zone_name LIKE '%foreign%' ORDER BY r.id")


def add_foreign(db):
    """Zones that zonefan never wrote, before, between and behind its own."""
    for name in ("a.foreign.example.", "heal0003.foreign.example.", "zz.foreign.example."):
        db.sql("INSERT INTO zones (zone_name) VALUES (%s)", name)
        db.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, '@', 'A', '192.0.2.77', 60, 0 "
               "FROM zones WHERE zone_name=%s", name)
    return foreign_rows(db)


def wipe(db, which="1=1"):
    """Everything of zonefan's, or a part of it, with its stamps."""
    db.sql(f"DELETE r FROM records r JOIN zones ON zones.id=r.zone_id WHERE {OURS} AND {which}")
    db.sql(f"DELETE FROM zones WHERE {OURS} AND {which}")
    db.sql(f"DELETE FROM zonefan_state WHERE {which}")


def keep_copy(db):
    for table in TABLES:
        db.sql(f"CREATE TABLE kept_{table} AS SELECT * FROM {table} WHERE "
               + {"records": "zone_id IN (SELECT id FROM zones WHERE " + OURS + ")"}.get(table, OURS))


def put_back_copy(db):
    """An older copy of zonefan's zones, with the stamps and ids of that time."""
    wipe(db)
    for table in TABLES:
        db.sql(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        db.sql(f"DROP TABLE kept_{table}")
