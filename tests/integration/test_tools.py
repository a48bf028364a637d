# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools themselves: a proxy that does not fail as it says, or an oracle that sees nothing, would make tests empty."""
import hashlib
import threading
import time

import pymysql
import pytest
from zf.proxy import zone_patterns
from zf.rows import Row, assert_rows_are, digest, of_text
from zf.zones import da_zone, version_of


@pytest.fixture
def client(dcs):
    """connect() through the first proxy."""
    def connect():
        return pymysql.connect(host="127.0.0.1", port=dcs[0].proxy.port, user="zonefan", password=dcs[0].db.password,
                               database="dns", connect_timeout=1, read_timeout=1, autocommit=True)
    return connect


def ask(conn, statement="SELECT 1"):
    with conn.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def fails(conn, statement="SELECT 1"):
    with pytest.raises((pymysql.OperationalError, pymysql.InterfaceError)):
        ask(conn, statement)
    return True


def test_refuse(dcs, client):
    conn, proxy = client(), dcs[0].proxy
    proxy.refuse()
    assert fails(conn)
    with pytest.raises(pymysql.OperationalError, match="111|refused"):
        client()
    proxy.passing()
    assert ask(client()) == ((1,),)


def test_black_hole(dcs, client):
    conn, proxy = client(), dcs[0].proxy
    proxy.black_hole()
    started = time.monotonic()
    assert fails(conn)
    with pytest.raises(pymysql.OperationalError):
        client()
    assert time.monotonic() - started > 1.9, "it answered, if only by a reset"
    proxy.passing()
    assert ask(client()) == ((1,),)


def test_freeze_and_delay(dcs, client):
    conn, proxy = client(), dcs[0].proxy
    proxy.freeze()
    threading.Timer(0.5, proxy.passing).start()
    started = time.monotonic()
    assert ask(conn) == ((1,),)
    assert time.monotonic() - started > 0.4
    proxy.slow(up=0.2, down=0.3)
    started = time.monotonic()
    ask(conn)
    assert time.monotonic() - started > 0.45


def test_cuts(dcs, client):
    proxy = dcs[0].proxy
    conn = client()
    hit = proxy.cut_on(*zone_patterns("poison.example."))
    assert ask(conn, "SELECT 'harmless.example.'")
    for literal in ("'poison.example.'", "x'%s'" % b"poison.example.".hex(), "X'%s'" % b"poison.example.".hex().upper()):
        conn = client()
        assert fails(conn, f"SELECT {literal}")
    assert hit.hits == 3
    proxy.passing()
    conn = client()
    proxy.cut_after(50)
    with pytest.raises(pymysql.OperationalError):
        for _ in range(50):
            ask(conn)
    assert ask(client()) == ((1,),), "it cut more than once"


def test_call_on(dcs, client):
    conn, proxy = client(), dcs[0].proxy
    hit = proxy.call_on(b"COMMIT", action=dcs[0].db.freeze)
    assert ask(conn) == ((1,),)
    assert fails(conn, "COMMIT") and hit.hits == 1 and dcs[0].db.stopped
    dcs[0].db.resume()
    assert ask(client(), "COMMIT") == ()


def test_kill_keeps_the_port_and_the_rows(dcs, client):
    dcs[0].db.plugin_schema()
    dcs[0].db.sql("INSERT INTO zones (zone_name) VALUES ('kept.example.')")
    before = dcs[0].db.rows_changed()
    assert before["zones"] == 1
    dcs[0].db.kill()
    dcs[0].db.start()
    assert dcs[0].db.zone_id("kept.example") == 1
    assert ask(client()) == ((1,),)


def test_oracle():
    text = da_zone("oracle.example", 5)
    assert {r[1] for r in of_text(text, "oracle.example")} == {"SOA", "NS", "A", "MX", "TXT"}
    rows = [Row("@", "SOA", "ns1.dns-host.example. hostmaster.oracle.example. 5 3600 3600 1209600 86400", 3600, 1),
            Row("@", "NS", "ns1.dns-host.example.", 3600, 1), Row("@", "NS", "ns2.dns-host.example.", 3600, 1),
            Row("@", "A", "192.0.2.6", 3600, 1), Row("host0", "A", "192.0.2.6", 3600, 1),
            Row("host1", "A", "192.0.2.6", 3600, 1), Row("host2", "A", "192.0.2.6", 3600, 1),
            Row("@", "MX", "10 mail.oracle.example.", 3600, 1), Row("@", "TXT", '"version 5"', 3600, 1)]
    assert_rows_are(rows, text, "oracle.example", "here")
    assert version_of(rows) == 5
    good = digest(rows)
    assert digest(rows[::-1]) == good
    for number, changed in ((4, Row("host0", "A", "192.0.2.7", 3600, 1)), (4, Row("host0", "A", "192.0.2.6", 3601, 1)),
                            (4, Row("host0 ", "A", "192.0.2.6", 3600, 1)), (4, rows[5])):
        wrong = rows[:number] + [changed] + rows[number + 1:]
        assert digest(wrong) != good
        with pytest.raises(AssertionError):
            assert_rows_are(wrong, text, "oracle.example", "here")
    with pytest.raises(AssertionError):
        version_of(rows[:-1] + [Row("@", "TXT", '"version 4"', 3600, 1)])
    swapped = [row._replace(data={"192.0.2.6": "192.0.2.7"}.get(row.data, row.data)) for row in rows[3:5]]
    assert digest(swapped) != digest(rows[3:5])
    # one worked example of the definition: SHA-256 of "1:@1:A9:192.0.2.64:36001:1"
    assert digest([rows[3]]) == (1, hashlib.sha256(b"1:@1:A9:192.0.2.64:36001:1").hexdigest()[:32])
