# SPDX-License-Identifier: GPL-3.0-or-later
"""
The three tables written past zonefand, in the form in which zonefand leaves them (schema/coredns_mysql, lib/zone/zone.h): for
zones by the ten thousand, and for transactions that do what its own never do.
"""
import secrets

from zf.rows import Row, digest

STATE_SQL = ("INSERT INTO zonefan_state (zone_name, store_id, generation, digest, record_count, serial, deleted, changed_at) "
             "VALUES (%s, %s, %s, %s, %s, %s, 0, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE store_id=VALUES(store_id), "
             "generation=VALUES(generation), digest=VALUES(digest), record_count=VALUES(record_count), serial=VALUES(serial), "
             "deleted=0, changed_at=VALUES(changed_at)")
RECORD_SQL = "INSERT INTO records (zone_id, hostname, type, data, ttl, online) VALUES (%s, %s, %s, %s, %s, %s)"
STORE = secrets.token_hex(16)


def rows_of(zone, version, records=()):
    """SOA and NS, the version in a TXT, and these: (hostname, type, data)."""
    rows = [("@", "SOA", f"ns1.{zone}. vx{version}x.{zone}. {version} 3600 3600 1209600 300"), ("@", "NS", f"ns1.{zone}."),
            ("ns1", "A", "192.0.2.1"), ("@", "TXT", f'"first vx{version}x"'), ("@", "TXT", f'"second vx{version}x"')]
    return [Row(host, rtype, data, 300, 1) for host, rtype, data in (*rows, *records)]


def put_state(cursor, zone, version, rows):
    """The last statement of a transaction. version is generation and serial."""
    count, sums = digest(rows)
    cursor.execute(STATE_SQL, (zone + ".", STORE, version, sums, count, version))


def replace_records(cursor, zone, rows):
    cursor.execute("SELECT id FROM zones WHERE zone_name=%s", (zone + ".",))
    (ident,) = cursor.fetchone()
    cursor.execute("DELETE FROM records WHERE zone_id=%s", (ident,))
    cursor.executemany(RECORD_SQL, [(ident, *row) for row in rows])


def fill_alike(db, names, records):
    """New zones in version 1, all with the same records; the server itself multiplies them. Their digests are made up."""
    rows = rows_of(names[0], 1, records)
    conn = db.connect()
    with conn, conn.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE name (zone_name VARCHAR(255) PRIMARY KEY)")
        cursor.executemany("INSERT INTO name VALUES (%s)", [(name + ".",) for name in names])
        cursor.execute("CREATE TEMPORARY TABLE record (hostname VARCHAR(512), type VARCHAR(10), data MEDIUMTEXT, ttl INT, "
                       "online INT)")
        for row in rows:
            cursor.execute("INSERT INTO record VALUES (%s, %s, %s, %s, %s)", row)
        cursor.execute("INSERT INTO zones (zone_name) SELECT zone_name FROM name")
        cursor.execute("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT z.id, r.hostname, r.type, "
                       "r.data, r.ttl, r.online FROM zones z JOIN name n ON n.zone_name=z.zone_name CROSS JOIN record r")
        cursor.execute("INSERT INTO zonefan_state (zone_name, store_id, generation, digest, record_count, serial, deleted, "
                       "changed_at) SELECT zone_name, %s, 1, MD5(zone_name), %s, 1, 0, UTC_TIMESTAMP(6) FROM name",
                       (STORE, len(rows)))
