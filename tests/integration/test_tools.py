# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools themselves: a proxy that does not fail as it says, or an oracle that sees nothing, would make tests empty."""
import hashlib
import os
import subprocess
import threading
import time

import pymysql
import pytest
from zf.book import ACKED, GONE, REFUSED, UNKNOWN, Book, Stamp, demand, judge_sights, judge_stamps, judge_state, sight_of
from zf.history import READS_LEAST, History, demand_ended
from zf.oracles import Resources, assert_recovered
from zf.proxy import zone_patterns
from zf.rows import Row, assert_rows_are, digest, of_text
from zf.wait import claim, wait_for
from zf.zones import da_zone, version_of


@pytest.fixture
def client(dcs):
    """connect() through the first proxy; seconds: how long it waits for an answer, short where none is to come."""
    def connect(seconds=30):
        return pymysql.connect(host="127.0.0.1", port=dcs[0].proxy.port, user="zonefan", password=dcs[0].db.password,
                               database="dns", connect_timeout=seconds, read_timeout=seconds, autocommit=True)
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
    conn, proxy = client(2), dcs[0].proxy
    proxy.black_hole()
    started = time.monotonic()
    assert fails(conn)
    with pytest.raises(pymysql.OperationalError):
        client(2)
    assert time.monotonic() - started > 3.8, "it answered, if only by a reset"
    proxy.passing()
    assert ask(client()) == ((1,),)


def test_freeze_and_delay(dcs, client):
    conn, proxy = client(), dcs[0].proxy
    proxy.freeze()
    started = time.monotonic()
    threading.Timer(0.5, proxy.passing).start()
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
    conn, proxy = client(2), dcs[0].proxy
    hit = proxy.call_on(b"COMMIT", action=dcs[0].db.freeze)
    assert ask(conn) == ((1,),)
    assert fails(conn, "COMMIT") and hit.hits == 1
    wait_for(lambda: dcs[0].db.stopped, 30, "the server is stopped")
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


# ---- the history checker: each broken history is seen, and no good one is blamed ----

def book_of(*operations, zone="z.example"):
    """operations: (delete?, outcome) in the order of sending; versions count from 1."""
    book = Book([zone])
    for delete, outcome in operations:
        book.end(zone, book.begin(zone, delete), outcome)
    return book


def kinds(violations):
    return [violation.kind for violation in violations]


def lost(book, state):
    return kinds(judge_state(book, "here", book.acknowledged(), {"z.example": state} if state != GONE else {}))


def test_lost_acknowledgement_is_seen():
    book = book_of((False, ACKED), (False, ACKED), (False, UNKNOWN), (False, REFUSED))
    assert lost(book, 1) == lost(book, GONE) == ["lost"]
    assert lost(book, 2) == lost(book, 3) == lost(book, 4) == [], "what was not answered, or refused, may be there"
    deleted = book_of((False, ACKED), (True, ACKED))
    assert lost(deleted, GONE) == [] and lost(deleted, 1) == ["lost"], "a delete was acknowledged"
    nothing = book_of((False, UNKNOWN))
    assert lost(nothing, GONE) == lost(nothing, 1) == []


def seen(book, *sights):
    return kinds(judge_sights(book, "here", [sight_of("z.example", rows, lambda version: 7) for rows in sights]))


def version_rows(version, zone_id=1):
    """What ONE_ZONE gives of a whole zone: seven records."""
    address = f"192.0.2.{version + 1}"
    rows = [("@", "SOA", f"ns1. host. {version} 1 1 1 1"), ("@", "TXT", f'"version {version}"'), ("@", "NS", "ns1."),
            ("@", "NS", "ns2."), ("@", "MX", "10 mail."), ("@", "A", address), ("host0", "A", address)]
    return [(zone_id, *row, 3600, 1) for row in rows]


def test_broken_reads_are_seen():
    book = book_of((False, ACKED), (False, ACKED), (True, ACKED), (False, UNKNOWN))
    one, two, four = (version_rows(version) for version in (1, 2, 4))
    assert seen(book, [], one, one, two, [], [], four) == [], "a good history"
    assert seen(book, one, four) == [] == seen(book, one, version_rows(4, zone_id=2)), "a delete between need not be seen"
    assert seen(book, one[:3] + two[3:]) == ["torn"], "addresses of two versions"
    assert seen(book, one[:1] + two[1:]) == ["torn"], "SOA and TXT differ"
    assert seen(book, one[:-1]) == ["torn"], "a record is missing"
    assert seen(book, [(1, None, None, None, None, None)]) == ["empty"]
    assert seen(book, one, []) == [], "it may be the delete"
    assert seen(book, one, [], two) == ["reversals"], "and that came after 2"
    assert seen(book, two, one) == seen(book, four, two) == ["reversals"]
    assert seen(book, four, []) == ["vanished"], "nobody deleted it after 4"
    assert seen(book, one, version_rows(2, zone_id=2)) == ["ids"]
    assert seen(book, one + one[:1]) == ["doubled"]
    assert seen(book, one + version_rows(1, zone_id=2)) == ["doubled"]
    assert seen(book, version_rows(9)) == ["foreign"]
    with pytest.raises(AssertionError, match="reversals at here: z.example, generation 1"):
        demand(judge_sights(book, "here", [sight_of("z.example", rows, lambda version: 7) for rows in (two, one)]))


def test_reversed_writes_are_seen():
    book = book_of((False, ACKED), (False, ACKED), (True, ACKED), (False, ACKED))

    def written(*stamps):
        """(generation, version, deleted?[, store]) of each write"""
        return kinds(judge_stamps(book, "here", [Stamp("z.example", (*store, "a")[0], generation, version, deleted)
                                                 for generation, version, deleted, *store in stamps]))
    assert written((5, 1, 0), (6, 2, 0), (6, 2, 0), (7, 2, 1), (8, 4, 0)) == [], "a good history; a repair writes the same again"
    assert written((5, 1, 0), (8, 4, 0)) == [], "what was overtaken need not be written"
    assert written((6, 2, 0), (5, 2, 0), (6, 2, 0)) == ["reversals"], "a generation"
    assert written((5, 2, 0), (6, 1, 0)) == ["reversals"], "a version, under a newer generation"
    assert written((7, 2, 1), (6, 2, 0), (7, 2, 1)) == ["reversals"], "back behind the delete"
    assert written((7, 1, 0), (1, 2, 0, "b")) == [], "another store counts for itself"
    assert written((5, 9, 0)) == ["foreign"]


TAMPERED = {
    "lost": "UPDATE records SET data=REPLACE(REPLACE(data, '{v}', '0'), '192.0.2.{a}', '192.0.2.1') WHERE zone_id={id}",
    "torn": "DELETE FROM records WHERE zone_id={id} AND type='MX'",
    "differing": "UPDATE records SET data='mail2.example.' WHERE zone_id={id} AND type='NS' LIMIT 1",
    "empty": "DELETE FROM records WHERE zone_id={id}",
    "ids": "SET FOREIGN_KEY_CHECKS=0; UPDATE zones SET id=id+100000 WHERE id={id}; "
           "UPDATE records SET zone_id=zone_id+100000 WHERE zone_id={id}; SET FOREIGN_KEY_CHECKS=1",
    "doubled": "INSERT INTO records (zone_id, hostname, type, data, ttl, online) "
               "SELECT zone_id, hostname, type, data, ttl, online FROM records WHERE zone_id={id} AND type='MX'",
}


def test_history_of_a_real_zonefan(install, dcs):
    """A good run is judged good, with figures; and each tampering at a database is found and named."""
    history = History(install(dcs, config={"healing": {"enabled": False}}), dcs, zones=12, records=9)
    with history.load(rate=None, writers=3) as load, history.readers():
        wait_for(lambda: load.acknowledged() >= 150 and min(history.reads.values()) >= READS_LEAST, 60, "acknowledged, and looked at")
    history.settle()
    history.check_store()
    figures = history.check()
    assert figures["acknowledged"] >= 150 and figures["reads"] >= 3 * READS_LEAST and not load.refusals
    assert not any(figures[kind] for kind in ("lost", "torn", "reversals"))
    db, held = dcs[1].db, history.zonefan.zones()
    zone = next(name for name in history.zones if name in held)
    version, zone_id = held[zone]["serial"], db.zone_id(zone)
    for kind, statements in TAMPERED.items():
        good = db.sql("SELECT * FROM records WHERE zone_id=%s", zone_id)
        for statement in statements.format(id=zone_id, v=version, a=version % 250 + 1).split("; "):
            db.sql(statement)
        seen_before = {name: list(sights) for name, sights in history.sights.items()}
        with pytest.raises(AssertionError, match=f"{kind} at dc2: {zone}"):
            history.check()
        history.sights = seen_before
        db.sql("SET FOREIGN_KEY_CHECKS=0")
        db.sql("DELETE FROM records WHERE zone_id IN (%s, %s)", zone_id, zone_id + 100000)
        db.sql("UPDATE zones SET id=%s WHERE zone_name=%s", zone_id, zone + ".")
        for row in good:
            db.sql(f"INSERT INTO records VALUES ({','.join(['%s'] * len(row))})", *row)
    assert history.check() == figures, "looks of the check are no reads"
    generation = db.value("SELECT generation FROM zonefan_state WHERE zone_name=%s", zone + ".")
    for back in (generation - 1, generation):  # for an instant that no reader can see
        db.sql("UPDATE zonefan_state SET generation=%s WHERE zone_name=%s", back, zone + ".")
    with pytest.raises(AssertionError, match=f"reversals at dc2: {zone}, generation {generation - 1}"):
        history.check()
    assert history.figures()["reversals"] == 1
    history.restored(dcs[1])
    assert history.sights["dc2"] == []
    with pytest.raises(AssertionError, match="reversals at dc2"):
        history.check()  # what came before is judged nevertheless
    history.past.clear()
    assert history.check() == figures


def test_reader_that_never_reads_is_seen(install, dcs):
    history = History(install(dcs), dcs, zones=2, records=9)
    history.dcs[1].db.connect = refused
    try:
        with history.readers():
            wait_for(lambda: "dc2" in history.failures and min(history.reads["dc1"], history.reads["dc3"]) >= READS_LEAST, 60,
                     "the others look")
    finally:
        del history.dcs[1].db.connect
    with pytest.raises(AssertionError, match="hardly anybody read there: {'dc2': .*not today"):
        history.check()
    halt = threading.Event()
    hanging = threading.Thread(target=halt.wait)
    hanging.problem = None
    hanging.start()
    with pytest.raises(AssertionError, match="it hangs"):
        demand_ended([hanging], 0.1)
    halt.set()
    demand_ended([hanging], 30)


def refused(**_):
    raise pymysql.OperationalError(2003, "not today")


def test_recovered():
    before = Resources(10, 40, 50.0, False)
    assert_recovered(before, Resources(12, 38, 66.0, False))
    assert_recovered(before, Resources(10, 40, 500.0, True))
    for after in (Resources(13, 40, 50.0, False), Resources(10, 43, 50.0, False), Resources(10, 40, 67.0, False)):
        with pytest.raises(AssertionError):
            assert_recovered(before, after)


def test_a_port_is_one_process_s():
    """A server that is down for a moment finds its port free again, whatever other test processes do."""
    take = "import sys; from zf.wait import free_port; print(free_port(), flush=True); sys.stdin.read()"
    with subprocess.Popen(["/usr/bin/python3", "-c", take], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.abspath(__file__))}) as other:
        port = int(other.stdout.readline())
        assert not claim(port), "it is theirs as long as they live"
        other.stdin.close()
    assert claim(port), "and then whose asks first"
    assert not claim(port), "once"
