# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "A lane that flaps with 100,000 pending zones writes at most 10 SQLite rows." (decisions.md 5: HELD is derived,
never written; a lane change writes one row.)

The store is filled by this test with 100,000 zones that wait for dc2, as lib/store/checksum.h and
schema/sqlite/0001_initial.sql say; then dc2 comes and goes, and every row of the store is compared.
"""
import hashlib
import os
import sqlite3
import time

import pytest
from zf.proxy import zone_patterns
from zf.wait import wait_for

COUNT = 100_000
FLAPS = 3
# Names no zone, so that each copy of it is a good one.
TEXT = """$TTL 3600
@ IN SOA ns1.dns-host.example. hostmaster.dns-host.example. 1 3600 3600 1209600 86400
@ IN NS ns1.dns-host.example.
www IN A 192.0.2.1
"""


def checksum(*fields):
    """lib/store/checksum.h: numbers as eight bytes, texts with their length before them."""
    data = b""
    for field in fields:
        if isinstance(field, int):
            data += (field & (2 ** 64 - 1)).to_bytes(8, "big")
            continue
        raw = field.encode()
        data += len(raw).to_bytes(8, "big") + (hashlib.sha256(raw).digest() if len(raw) > 255 else raw)
    return hashlib.sha256(data).digest()


def fill(path):
    """COUNT copies of the one zone in the store, each waiting at every back end."""
    with sqlite3.connect(path) as db:
        (columns,) = db.execute("SELECT generation, deleted, digest_count, digest_high, digest_low, serial, hostname, "
                                "username, updated_at, text_size FROM zone").fetchall()
        (text,) = db.execute("SELECT text FROM zone_text").fetchone()
        text = text.decode() if isinstance(text, bytes) else text
        backends = [row[0] for row in db.execute("SELECT id FROM backend")]
        now = time.time_ns() // 1000
        zones, texts, deliveries = [], [], []
        for number in range(2, COUNT + 2):
            name = f"pending{number:06d}.example."
            zones.append((number, name, *columns, checksum("zone", number, name, *columns)))
            texts.append((number, checksum("zone_text", name, text), text.encode()))
            deliveries += [(backend, number, 0, 1, 0, 0, 0, now, now, 0, None) for backend in backends]
        db.executemany("INSERT INTO zone VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", zones)
        db.executemany("INSERT INTO zone_text (zone_id, checksum, text) VALUES (?,?,?)", texts)
        db.executemany("INSERT INTO delivery VALUES (?,?,?,?,?,?,?,?,?,?,?)", deliveries)
    db.close()


def dump(path):
    """{table: {row}} of the whole store (the texts, which no lane touches, aside)."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table' "
                                               "AND name NOT LIKE 'sqlite%' AND name<>'zone_text'")]
        return {table: set(db.execute(f"SELECT * FROM {table}")) for table in tables}
    finally:
        db.close()


def differences(before, after):
    """Rows that are new or changed, and rows that went, by table."""
    changed = {table: (after[table] - before.get(table, set()), before.get(table, set()) - after[table]) for table in after}
    return {table: (len(new), len(old)) for table, (new, old) in changed.items() if new or old}


@pytest.mark.timeout(400)
def test_flapping_lane(install, dcs):
    zonefan = install(dcs[1:2], start=False, config={"dns": {"backends": {"dc2": {
        "connect_timeout_ms": 1000, "query_timeout_ms": 1000, "transaction_stall_ms": 1000}}}})
    zonefan.start()
    zonefan.wait_lane("dc2", "up")
    dcs[1].proxy.refuse()
    zonefan.da().push_ok("first.example", TEXT)
    zonefan.wait_lane("dc2", "down")
    zonefan.stop()
    fill(zonefan.store)
    zonefan.start()
    zonefan.wait_lane("dc2", "down")
    assert zonefan.pending() == {"dc2": COUNT + 1}

    before = dump(zonefan.store)
    wal = os.path.getsize(zonefan.store + "-wal")
    assert len(before["delivery"]) == COUNT + 1
    for _ in range(FLAPS):
        # Up for as long as a probe: where the first delivery begins (its zone is named), all falls silent, and the
        # lane falls again. No zone is delivered.
        trigger = dcs[1].proxy.call_on(*zone_patterns("pending"), action=dcs[1].proxy.black_hole)
        dcs[1].proxy.passing(keep_triggers=True)  # set before: a probe may come at once
        wait_for(lambda: trigger.hits, 60, "the lane comes up, a delivery begins")
        wait_for(lambda: zonefan.backend("dc2")["state"] != "down", 10, "the lane is up, or to be proved up")
        dcs[1].proxy.refuse()
        zonefan.wait_lane("dc2", "down", 60)
    after = dump(zonefan.store)
    # A delivery began each time, so each time the lane was up; where one had brought it down people are not told.
    ups, downs = ([event for event in after["event"] - before["event"] if kind in event] for kind in ("lane_up", "lane_down"))
    assert 1 <= len(ups) <= FLAPS and len(downs) == len(ups), f"told up {len(ups)} times, down {len(downs)} times"
    diff = differences(before, after)
    written = sum(new for new, _ in diff.values())
    grown = os.path.getsize(zonefan.store + "-wal") - wal
    print(f"{FLAPS} flaps with {COUNT} pending zones: {written} rows {diff}, the log grew by {grown} bytes")
    assert written <= 10, f"rows that changed, by table (new, gone): {diff}"
    # and nothing was rewritten as it was: that would show as pages in SQLite's log
    assert grown <= 60 * 4120, f"{grown} bytes were written to the store's log"
    assert zonefan.pending() == {"dc2": COUNT + 1}
    zonefan.stop()
    assert differences(after, dump(zonefan.store)).get("delivery") is None, "the stop rewrote deliveries"
