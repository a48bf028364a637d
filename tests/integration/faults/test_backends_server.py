# SPDX-License-Identifier: GPL-3.0-or-later
"""
Servers that refuse for reasons of their own (reliability.md B11-B15, B24): a full disk, deadlocks, locks of others, tables that
are gone, not transactional or too narrow, a lax sql_mode, ids at their end. Everywhere the zone keeps its old rows, the other
databases go on, and it is delivered when the reason is gone.
"""
import contextlib
import os
import re
import subprocess
import threading
import time
import types

import pytest
from zf.mariadb import MariaDB
from zf.oracles import Log, wait_state
from zf.proxy import DOWN
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone, named, version_of

ZONE = "refused.example"
SHORT = {"dns": {"backends": {"dc2": {"query_timeout_ms": 2000}}}}  # the server's lock wait is 1 s then


def deliver_first(zonefan):
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()


def push_second(zonefan, text=None):
    zonefan.da().push_ok(ZONE, text or da_zone(ZONE, 2))
    zonefan.wait_converged("dc1", "dc3")


def last_error(zonefan, part, backend="dc2"):
    wait_for(lambda: part in (zonefan.backend(backend)["last_error"] or ""), 60,
             lambda: f"'{part}' is told: {zonefan.backend(backend)}")


# ---- B11 ----

@pytest.fixture
def small_server(scratch):
    """A server of its own on a file system of 176 MiB, and the path of that."""
    path = os.path.join(scratch, "small-db")
    os.makedirs(path)
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*sudo, "mount", "-t", "tmpfs", "-o", "size=176m,mode=777", "none", path], check=True)
    try:
        db = MariaDB("dc2", os.path.join(scratch, "template"), path)
        db.start("--innodb-log-file-size=96M")
        db.reset()
        try:
            yield types.SimpleNamespace(name="dc2", db=db, path=path, backend=lambda: ("dc2", db, db.port))
        finally:
            db.destroy()
    finally:
        subprocess.run([*sudo, "umount", "-l", path], check=True)


@pytest.mark.row("B11", fault="database's disk full", injected="datadir on a tmpfs, filled to the last byte (1114)",
                 required="ROLLBACK, DOWN with the reason; the zone keeps its old rows; delivered when there is room")
def test_full_disk(install, dcs, small_server, happened):
    zonefan = install([dcs[0], small_server, dcs[2]])
    db = small_server.db
    deliver_first(zonefan)
    filler = os.path.join(small_server.path, "filler")
    with open(filler, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                pass
    wide = "\n".join(f'w{i}\t60\tIN\tTXT\t"{"x" * 250}" "{"y" * 250}"' for i in range(9000))
    second = da_zone(ZONE, 2, hosts=1, extra=wide)
    push_second(zonefan, second)
    took = wait_state(zonefan, "dc2", "down", "probing", limit=60)
    reason = zonefan.backend("dc2")["last_error"]
    assert not db.alive() or version_of(db.rows(ZONE)) == 1, "the old rows are gone"
    assert zonefan.delivery(ZONE, "dc2")["attempts"] == 0
    os.unlink(filler)
    crashed = not db.alive()
    if crashed:
        db.start()
        version_of(db.rows(ZONE))  # fails if torn
    zonefan.wait_converged(deadline=90)
    assert_rows_are(db.rows(ZONE), second, ZONE, "dc2")
    happened(f"told after {took:.1f} s: {reason}" + ("; the server crashed of it" if crashed else ""))


# ---- B12 ----

TRANSACTION = re.compile(r"\b(?:START TRANSACTION|BEGIN|ROLLBACK|COMMIT)\b")


def packets(path):
    """[(thread, what it sent)] of a general log: all of a packet's statements, however many of them are carried out."""
    with open(path, encoding="utf-8", errors="replace") as log:
        return [(int(thread), text) for thread, text in re.findall(r"^[\d: ]*\t+ *(\d+) Query\t(.*)$", log.read(), re.M)]


def commits(db):
    """How many COMMITs the server has carried out."""
    return int(db.sql("SHOW GLOBAL STATUS LIKE 'Com_commit'")[0][1])


def victim(db):
    """(thread, user) of the transaction that InnoDB has rolled back in the last deadlock."""
    status = db.sql("SHOW ENGINE INNODB STATUS")[0][2]
    number = re.search(r"^\*\*\* WE ROLL BACK TRANSACTION \((\d)\)", status, re.M)[1]
    told = status[status.index(f"*** ({number}) TRANSACTION:"):]
    thread, user = re.search(r"^MariaDB thread id (\d+),.* 127\.0\.0\.1 (\w+)", told, re.M).groups()
    return int(thread), user


class Answer1213:
    """What there is when the server has answered a deadlock, and zonefand does not know it yet."""

    def __init__(self, centre, log):
        self.db, self.log = centre.db, log
        self.at = None
        self.trigger = centre.proxy.call_on(b"#40001", action=self.look, way=DOWN)  # 1213's SQLSTATE

    def look(self):
        at = time.monotonic()
        self.thread, self.user = victim(self.db)
        self.commits, self.shown, self.sent = commits(self.db), version_of(self.db.rows(ZONE)), len(packets(self.log))
        self.at = at

    def by_victim(self):
        """What its connection has sent before and since, of transactions: a healing pass reads by the same one outside of any."""
        said = packets(self.log)
        return [[text for thread, text in part if thread == self.thread and TRANSACTION.search(text)]
                for part in (said[:self.sent], said[self.sent:])]


@pytest.mark.row("B12", fault="deadlock, and zonefand's transaction is the victim (1213)",
                 injected="another session, that changed more, holds a record of the zone and then wants the zone",
                 required="never COMMIT after it, but ROLLBACK and the whole transaction again; converged <= 2 s")
def test_deadlock(install, dcs, times, happened, bar):
    centre, rounds, worst = dcs[1], times(3, 30), 0.0
    db = centre.db
    zonefan = install(dcs, config={"dns": {"backends": {"dc2": {"connections": 1}}}})
    zonefan.da().push_ok("heavy.example", da_zone("heavy.example", hosts=300))
    deliver_first(zonefan)
    record = db.value("SELECT id FROM records WHERE zone_id=%s AND hostname='host1'", db.zone_id(ZONE))
    log = db.general_log(True)
    with contextlib.closing(db.connect()) as other, other.cursor() as cursor:
        for version in range(2, 2 + rounds):
            before, answer = commits(db), Answer1213(centre, log)
            other.begin()
            cursor.execute("UPDATE records SET ttl=ttl+1 WHERE zone_id=%s", (db.zone_id("heavy.example"),))
            cursor.execute("SELECT id FROM records WHERE id=%s FOR UPDATE", (record,))
            zonefan.da().push_ok(ZONE, da_zone(ZONE, version))
            wait_for(lambda: db.sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")[0][1] == "1", 30, "it waits for it")
            cursor.execute("SELECT id FROM zones WHERE zone_name=%s FOR UPDATE", (ZONE + ".",))
            wait_for(lambda answer=answer: answer.at, 30, "the server answers 1213", interval=0.002)
            other.rollback()
            zonefan.wait_converged()
            worst = max(worst, time.monotonic() - answer.at)
            assert answer.user == db.user and answer.shown == version - 1 and answer.commits == before
            tried, then = answer.by_victim()
            assert tried[-2].startswith("START TRANSACTION;") and tried[-1].endswith(";COMMIT"), "it is no delivery's"
            assert then == ["ROLLBACK", *tried[-2:]], (tried[-2:], then)
            assert commits(db) == before + 1 and version_of(db.rows(ZONE)) == version
    db.general_log(False)
    assert zonefan.backend("dc2")["state"] == "up"
    happened(f"{rounds} of {rounds} times that connection sent ROLLBACK, then the same transaction again, whose COMMIT was the only "
             f"one that the server carried out; converged {worst:.2f} s after 1213 at worst", times=rounds)
    bar("seconds until converged", worst, 2)


# ---- B13 ----

@pytest.mark.row("B13", fault="FLUSH TABLES WITH READ LOCK", injected="another session",
                 required="1205 or a limit, repeated; the zone keeps its old rows; the lane's lock wait is bounded")
def test_all_tables_locked(install, dcs):
    zonefan = install(dcs, config=SHORT)
    deliver_first(zonefan)
    other = dcs[1].db.connect()
    other.cursor().execute("FLUSH TABLES WITH READ LOCK")
    push_second(zonefan)
    wait_for(lambda: zonefan.delivery(ZONE, "dc2")["attempts"] > 0 or zonefan.backend("dc2")["state"] != "up", 60,
             lambda: f"it was tried: {zonefan.delivery(ZONE, 'dc2')}")
    assert version_of(dcs[1].db.rows(ZONE)) == 1
    other.close()
    zonefan.wait_converged()
    assert version_of(dcs[1].db.rows(ZONE)) == 2


@pytest.mark.row("B13", fault="ALTER TABLE that waits for a reader, and all behind it", injected="two other sessions",
                 required="bounded, repeated; the zone keeps its old rows; written to the altered table afterwards")
def test_alter_in_the_way(install, dcs):
    zonefan = install(dcs, config=SHORT)
    deliver_first(zonefan)
    reader, altering = dcs[1].db.connect(), dcs[1].db.connect()
    reader.begin()
    reader.cursor().execute("SELECT * FROM records LIMIT 1")
    alter = threading.Thread(target=altering.cursor().execute, args=("ALTER TABLE records ADD COLUMN note INT NULL",))
    alter.start()
    wait_for(lambda: dcs[1].db.value("SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE "
                                     "'Waiting for table metadata%%'"), 30, "the ALTER waits")
    push_second(zonefan)
    wait_for(lambda: zonefan.delivery(ZONE, "dc2")["attempts"] > 0 or zonefan.backend("dc2")["state"] != "up", 60,
             lambda: f"it was tried: {zonefan.delivery(ZONE, 'dc2')}")
    reader.rollback()
    alter.join(60)
    assert not alter.is_alive()
    zonefan.wait_converged()
    assert version_of(dcs[1].db.rows(ZONE)) == 2
    assert dcs[1].db.value("SELECT COUNT(*) FROM records WHERE note IS NULL") > 0


# ---- B14 ----

@pytest.mark.row("B14", fault="records became an Aria table", injected="ALTER TABLE ... ENGINE=Aria while in use",
                 required="0 rows written to it, the engine is named; delivered when it is InnoDB again")
def test_engine_without_transactions(install, dcs):
    zonefan = install(dcs)
    deliver_first(zonefan)
    db = dcs[1].db
    for (name,) in db.sql("SELECT constraint_name FROM information_schema.referential_constraints WHERE "
                          "constraint_schema='dns' AND table_name='records'"):
        db.sql(f"ALTER TABLE records DROP FOREIGN KEY {name}")
    db.sql("ALTER TABLE records ENGINE=Aria")
    written = db.rows_changed()["records"]
    push_second(zonefan)
    last_error(zonefan, "Aria")
    assert version_of(db.rows(ZONE)) == 1 and db.rows_changed()["records"] == written
    db.sql("ALTER TABLE records ENGINE=InnoDB")
    zonefan.wait_converged()
    assert version_of(db.rows(ZONE)) == 2


@pytest.mark.row("B14", fault="the records' table dropped", injected="DROP TABLE records, manage_schema on",
                 required="made again, with an event; the pass that follows brings all zones back")
def test_dropped_table_is_made_again(install, dcs):
    zonefan = install(dcs)
    deliver_first(zonefan)
    names = named("dropped", 10)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    dcs[1].db.sql("DROP TABLE records")
    push_second(zonefan)
    zonefan.wait_converged()
    assert [event for event in zonefan.listing("/api/v1/events", "events") if event["kind"] == "schema"
            and event["backend"] == "dc2" and "records" in event["detail"]]
    zonefan.ctl("heal", "--backend", "dc2", "--no-wait")  # if none is under way by itself
    wait_for(lambda: dcs[1].db.all_rows() == dcs[0].db.all_rows(), 60, "all zones are back")


# ---- B15 ----

@pytest.mark.row("B15", fault="strict mode off at the server", injected="SET GLOBAL sql_mode='', a column of VARCHAR(1024)",
                 required="0 truncated rows: what does not fit is rejected by name")
@pytest.mark.row("B15", fault="all 256 byte values in TXT, latin1 tables", injected="push; CONVERT TO CHARACTER SET latin1",
                 required="a round trip at all three databases")
def test_lax_server(install, dcs):
    zonefan = install(dcs)
    deliver_first(zonefan)
    zonefan.stop()
    db = dcs[1].db
    try:
        db.sql("SET GLOBAL sql_mode=''")
        db.sql("ALTER TABLE records MODIFY data VARCHAR(1024) CHARACTER SET latin1 NOT NULL")
        zonefan.configure({"dns": {"backends": {"dc2": {"manage_schema": False}}}})
        zonefan.start()
        every = "".join(f"\\{byte:03d}" for byte in range(256))
        bytes_text = da_zone("bytes.example", 1, extra=f'all\t60\tIN\tTXT\t"{every[:4 * 128]}" "{every[4 * 128:]}"')
        zonefan.da().push_ok("bytes.example", bytes_text)
        zonefan.wait_converged()
        for centre in dcs:
            assert_rows_are(centre.db.rows("bytes.example"), bytes_text, "bytes.example", centre.name)
        long = '"' + "x" * 250 + '" '
        push_second(zonefan, da_zone(ZONE, 2, extra=f"long\t60\tIN\tTXT\t{long * 6}"))
        wait_for(lambda: zonefan.delivery(ZONE, "dc2")["state"] == "rejected", 30, "rejected there")
        assert version_of(db.rows(ZONE)) == 1
    finally:
        db.sql("SET GLOBAL sql_mode=DEFAULT")


# ---- B24 ----

@pytest.mark.row("B24", fault="AUTO_INCREMENT at 2^31-1", injected="ALTER TABLE records AUTO_INCREMENT=2147483647 (error 167)",
                 required="DOWN with the reason, few lines, old rows stay; delivered when the column is wider")
def test_ids_at_their_end(install, dcs, happened):
    for centre in dcs:
        centre.db.plugin_schema()
    zonefan = install(dcs)
    deliver_first(zonefan)
    log = Log(zonefan)
    dcs[1].db.sql("ALTER TABLE records AUTO_INCREMENT=2147483647")
    push_second(zonefan, da_zone(ZONE, 2, hosts=30))
    last_error(zonefan, "167")
    assert version_of(dcs[1].db.rows(ZONE)) == 1
    dcs[1].db.sql("ALTER TABLE records MODIFY id BIGINT NOT NULL AUTO_INCREMENT")
    zonefan.wait_converged()
    assert_rows_are(dcs[1].db.rows(ZONE), da_zone(ZONE, 2, hosts=30), ZONE, "dc2")
    happened(f"{log.assert_few('dc2')} lines about it")
