# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "A database restored to an older copy, a repair of hand-edited rows and a frozen database are each answered right
afterwards, nothing missed for ever." What the reader does when its database is not there, not itself, or not what it was.
Those that take minutes, because the reader's intervals are what they are, run with --minutes only.
"""
import os
import shutil
import time

import pytest

import reader
import tables
import versions
from zf.wait import wait_for

SOON = 15         # it is waited for so long: many times the bar for a change
RECONNECTED = 30  # a server that came back: thrice the longest pause between two tries
ZONES = [f"r{i:02d}.recovery.example" for i in range(20)]
SHOWN = ZONES[0]
GONE = -5         # REFUSED: in no zone
SERVFAIL = -2


def push(zonefan, version, names=ZONES):
    for name in names:
        zonefan.da().push_ok(name, versions.text(name, version))
    zonefan.wait_converged()


def heal(zonefan):
    """A pass, which finds something to repair."""
    zonefan.wait_lane(zonefan.backends[0], "up")
    zonefan.ctl("heal", check=2)


def all_are(coredns, version, names=ZONES, deadline=SOON):
    for name in names:
        coredns.wait_version(name, version, deadline)


@pytest.fixture
def served(stage, plain):
    """A zonefand, its zones in version 1, a reader that has loaded them and written them all into its snapshot."""
    zonefan = stage.zonefan()
    push(zonefan, 1)
    coredns = stage.reader(plain).start()
    all_are(coredns, 1)
    coredns.wait_metric("snapshot_zones", lambda count: count == len(ZONES))
    return zonefan, coredns


# ---- an older copy ----

def test_restored_to_an_older_copy_by_a_restart(stage, served):
    zonefan, coredns = served
    db, copy = stage.db, stage.subdirectory("copy")
    db.stop()
    shutil.copytree(db.datadir, copy, dirs_exist_ok=True)
    db.start()
    push(zonefan, 2)
    push(zonefan, 2, ["new.recovery.example"])
    zonefan.da().delete_ok(ZONES[1])
    zonefan.wait_converged()
    all_are(coredns, 2, [SHOWN, "new.recovery.example"], RECONNECTED)
    all_are(coredns, GONE, [ZONES[1]])
    zonefan.stop()
    db.stop()
    shutil.rmtree(db.datadir)
    shutil.copytree(copy, db.datadir)
    db.start()
    all_are(coredns, 1, deadline=RECONNECTED)
    all_are(coredns, GONE, ["new.recovery.example"])
    zonefan.start()
    heal(zonefan)
    all_are(coredns, 2, [SHOWN, "new.recovery.example"])
    all_are(coredns, GONE, [ZONES[1]])


def keep_copy(db):
    """A copy as of an hour ago: its stamps are older than what the reader asks for again and again."""
    for table in ("zones", "records", "zonefan_state"):
        db.sql(f"CREATE TABLE older_{table} AS SELECT * FROM {table}")
    db.sql("UPDATE older_zonefan_state SET changed_at=changed_at - INTERVAL 1 HOUR")


def put_copy_back(db, only=None):
    """In one transaction, as a dump is read in. only: that zone alone."""
    which = "" if only is None else f" WHERE zone_name='{only}.'"
    of_zone = "" if only is None else f" WHERE zone_id=(SELECT id FROM zones WHERE zone_name='{only}.')"
    conn = db.connect()
    with conn, conn.cursor() as cursor:
        cursor.execute("SET foreign_key_checks=0")
        cursor.execute("BEGIN")
        for table, rows in (("records", of_zone), ("zones", which), ("zonefan_state", which)):
            cursor.execute(f"DELETE FROM {table}{rows}")
        for table, rows in (("zones", which), ("records", of_zone), ("zonefan_state", which)):
            cursor.execute(f"INSERT INTO {table} SELECT * FROM older_{table}{rows}")
        cursor.execute("COMMIT")


def test_restored_to_an_older_copy_in_place(stage, served):
    """The server goes on, the reader's connection too: the newest stamp went back."""
    zonefan, coredns = served
    keep_copy(stage.db)
    push(zonefan, 2)
    push(zonefan, 2, ["new.recovery.example"])
    all_are(coredns, 2, [SHOWN, "new.recovery.example"])
    zonefan.stop()
    put_copy_back(stage.db)
    all_are(coredns, 1)
    all_are(coredns, GONE, ["new.recovery.example"])


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_one_zone_restored_while_others_change(stage, served):
    """Nothing tells of it but the comparison of all stamps, every ten minutes. zonefand's own would mend it first."""
    zonefan, coredns = served
    zonefan.stop()
    zonefan.configure({"healing": {"enabled": False}})
    zonefan.start()
    keep_copy(stage.db)
    push(zonefan, 2)
    all_are(coredns, 2)
    put_copy_back(stage.db, only=SHOWN)
    state = {"version": 2}

    def right():
        state["version"] += 1
        push(zonefan, state["version"], [ZONES[1]])
        return coredns.version(SHOWN) == 1
    begun = time.monotonic()
    wait_for(right, 660, lambda: f"{SHOWN} is what the database holds: {stage.db.rows(SHOWN)}")
    print(f"answered after {time.monotonic() - begun:.0f} s")


# ---- rows edited by hand ----

def test_hand_edited_rows_are_right_after_healing(stage, served, plain):
    zonefan, coredns = served
    late = stage.reader(plain, snapshot=None)
    stage.db.sql("UPDATE records r JOIN zones z ON z.id=r.zone_id SET r.data='10.9.9.9' WHERE z.zone_name=%s AND "
                 "r.hostname='host0'", SHOWN + ".")
    stage.db.sql("DELETE r FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name=%s AND r.type='TXT'", SHOWN + ".")
    late.start()
    assert late.ask(versions.apex(SHOWN)).answers == 0  # it loads what stands there
    heal(zonefan)
    for one in (late, coredns):
        wait_for(lambda: versions.is_apex(one.ask(versions.apex(SHOWN)), 1), SOON, "the records are there again")
        answer = one.ask(versions.Question("host0." + SHOWN, "A"))
        assert bytes(map(int, versions.address(1).split("."))) in answer.wire, answer


def test_an_emptied_database_is_right_after_healing(stage, served):
    zonefan, coredns = served
    for table in ("records", "zones", "zonefan_state"):
        stage.db.sql(f"DELETE FROM {table}")
    all_are(coredns, GONE)  # that is what the database says now
    heal(zonefan)
    all_are(coredns, 1)


# ---- a database that does not answer ----

def test_frozen_and_thawed(stage, served, plain):
    """Loaded zones go on; those that are not, from the snapshot; afterwards all is as pushed."""
    zonefan, coredns = served
    coredns.stop()
    coredns.start()  # nothing is loaded
    stage.db.freeze()
    all_are(coredns, 1)
    zonefan.da().push_ok(SHOWN, versions.text(SHOWN, 2))
    zonefan.da().delete_ok(ZONES[1])
    all_are(coredns, 1)
    stage.db.resume()
    all_are(coredns, 2, [SHOWN], RECONNECTED)
    all_are(coredns, GONE, [ZONES[1]], RECONNECTED)
    all_are(coredns, 1, ZONES[2:])


def test_start_while_the_database_is_down(stage, served):
    """The snapshot answers; when the database is back, what changed meanwhile."""
    zonefan, coredns = served
    push(zonefan, 2, [SHOWN])
    all_are(coredns, 2, [SHOWN])
    wait_for(lambda: snapshot_is_current(coredns), SOON, "the snapshot has the new version")
    coredns.stop()
    stage.db.stop()
    coredns.start()
    all_are(coredns, 2, [SHOWN])
    all_are(coredns, 1, ZONES[1:])
    assert coredns.version("elsewhere.example") == GONE
    stage.db.start()
    push(zonefan, 3)
    all_are(coredns, 3, deadline=RECONNECTED)


def snapshot_is_current(coredns):
    with open(coredns.snapshot, "rb") as file:
        return versions.mark(2).encode() in file.read()


def test_start_with_neither_database_nor_snapshot(stage, served, plain):
    """It does not know which zones there are: SERVFAIL, not REFUSED; and it is not ready."""
    zonefan, _ = served
    stage.db.stop()
    coredns = stage.reader(plain).spawn()
    coredns.wait_version(SHOWN, SERVFAIL, SOON)
    assert not coredns.ready() and coredns.version("elsewhere.example") == SERVFAIL
    stage.db.start()
    all_are(coredns, 1, deadline=RECONNECTED)
    assert coredns.ready() and coredns.version("elsewhere.example") == GONE


# ---- the snapshot ----

def damage(path, how):
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        if how == "other file":
            file.truncate(0)
            file.write(b"-- this is a dump of something else --\n" * 10)
        elif how == "empty":
            file.truncate(0)
        elif how == "torn":
            file.truncate(size - 100)
        else:
            file.seek(size // 2)
            byte = file.read(1)[0]
            file.seek(size // 2)
            file.write(bytes([byte ^ 0x55]))


@pytest.mark.parametrize("how, lost", [("other file", len(ZONES)), ("flipped bit", 1), ("torn", 1)])
def test_a_corrupt_snapshot_is_told_and_ignored(stage, served, how, lost):
    """What is whole of it answers while the database is away; with the database all do, and it is written anew."""
    _, coredns = served
    coredns.stop()
    said = len(coredns.log())
    damage(coredns.snapshot, how)
    stage.db.stop()
    coredns.spawn()
    wait_for(lambda: coredns.version(SHOWN) is not None, SOON, "it answers")
    found = [coredns.version(name) for name in ZONES]
    assert found.count(1) >= len(ZONES) - lost and set(found) <= {1, SERVFAIL, GONE}, found
    assert any(coredns.snapshot in line and any(word in line.lower() for word in ("ignore", "skip", "damage", "cut"))
               for line in coredns.log()[said:].splitlines()), coredns.log_tail()
    stage.db.start()
    all_are(coredns, 1, deadline=RECONNECTED)
    if lost > 1:
        coredns.wait_metric("snapshot_zones", lambda count: count == len(ZONES))


def test_two_readers_of_one_snapshot(stage, served, plain):
    """The second goes on without, says so, and takes the file over when the first is gone."""
    zonefan, first = served
    second = stage.reader(plain, snapshot=first.snapshot).start()
    second.wait_log(first.snapshot, "in use by process")
    all_are(second, 1)
    push(zonefan, 2)
    for coredns in (first, second):
        all_are(coredns, 2)
    first.stop()
    second.wait_metric("snapshot_zones", lambda count: count == len(ZONES), 3 * RECONNECTED)
    stage.db.stop()
    second.stop()
    second.start()
    all_are(second, 2)
    stage.db.start()


# ---- a reload ----

def test_a_reload_hands_everything_over(stage, served, plain):
    """With the database away and without a snapshot: what was loaded is still there."""
    bare = stage.reader(plain, snapshot=None).start()
    all_are(bare, 1)
    stage.db.stop()
    for _ in range(3):
        bare.reload()
        assert bare.metric("loaded_zones") == len(ZONES)
        assert [bare.version(name) for name in ZONES] == [1] * len(ZONES)
    stage.db.start()


def test_a_reload_keeps_the_snapshot(stage, served):
    zonefan, coredns = served
    for version in (2, 3):
        coredns.reload()
        push(zonefan, version)
        all_are(coredns, version)
    coredns.reload(refresh="2s")  # another catalog on the same file
    coredns.wait_metric("snapshot_zones", lambda count: count == len(ZONES))
    stage.db.stop()
    coredns.stop()
    coredns.start()
    all_are(coredns, 3)
    stage.db.start()


# ---- what an operator may have wrong ----

def test_a_bad_dsn_is_an_error_at_start(stage, plain):
    coredns = stage.reader(plain, source=f"reader:{reader.PASSWORD}@tcp[127.0.0.1:3306/dns").spawn()
    assert coredns.process.wait(timeout=30) != 0
    assert "Corefile:" in coredns.log() and "dsn" in coredns.log(), coredns.log()
    coredns.process = None


def test_a_wrong_password(stage, served, plain):
    wrong = stage.reader(plain, source=reader.dsn(stage.db.port).replace(reader.PASSWORD, "other")).spawn()
    wrong.wait_log("Access denied")
    assert wrong.version(SHOWN) == SERVFAIL
    stage.db.sql(f"SET PASSWORD FOR {reader.ACCOUNT} = PASSWORD('other')")
    all_are(wrong, 1, deadline=RECONNECTED)


def test_missing_tables_are_named_and_waited_for(stage, plain):
    reader.make_account(stage.db, ())
    stage.db.sql(f"GRANT SELECT ON dns.* TO {reader.ACCOUNT}")
    coredns = stage.reader(plain).spawn()
    coredns.wait_log("zones", "table")
    assert coredns.version(SHOWN) == SERVFAIL and not coredns.ready()
    zonefan = stage.zonefan()
    push(zonefan, 1)
    all_are(coredns, 1, deadline=RECONNECTED)


@pytest.mark.parametrize("table", ["zones", "records", "zonefan_state"])
def test_a_missing_right_is_named_and_waited_for(stage, served, plain, table):
    reader.make_account(stage.db, [name for name in ("zones", "records", "zonefan_state") if name != table])
    coredns = stage.reader(plain, snapshot=None).spawn()
    wait_for(lambda: coredns.version(SHOWN) in (SERVFAIL, 1), SOON, "it answers")
    coredns.wait_log("GRANT SELECT", table)
    assert coredns.version(SHOWN) == SERVFAIL
    stage.db.sql(f"GRANT SELECT ON dns.{table} TO {reader.ACCOUNT}")
    all_are(coredns, 1, deadline=RECONNECTED)


# ---- a commit that stayed open ----

@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_commit_that_stayed_open_for_100_s(stage, served):
    """
    Its stamp is 100 s old when it shows. zonefand gives a transaction up that stands still, so the writer is one of the
    test's own, with the same statements in the same order.
    """
    zonefan, coredns = served
    zonefan.stop()
    rows = tables.rows_of(SHOWN, 7)
    conn = stage.db.connect()
    conn.autocommit(False)
    with conn, conn.cursor() as cursor:
        tables.replace_records(cursor, SHOWN, rows)
        tables.put_state(cursor, SHOWN, 7, rows)
        until = time.monotonic() + 100

        def held_long_enough():
            stage.db.sql("UPDATE zonefan_state SET generation=generation+1, changed_at=UTC_TIMESTAMP(6) WHERE zone_name=%s",
                         ZONES[1] + ".")  # other zones change meanwhile
            assert coredns.version(SHOWN) == 1
            return time.monotonic() > until
        wait_for(held_long_enough, 300, "100 s")
        conn.commit()
    committed = time.monotonic()
    coredns.wait_version(SHOWN, 7, 3 * 60)
    print(f"answered {time.monotonic() - committed:.1f} s after the commit")
