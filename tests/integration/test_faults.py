# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "One DC refusing, black-holed and SIGSTOPped (at connect, at every statement, at COMMIT), read-only, with a
revoked grant, 5 s late at every statement: the others' deliveries are unaffected; 1,000 pushes of one zone meanwhile
cause exactly one write there when it is back; no attempt is burnt; it converges within one probe interval of coming
back." (product table W4, W7, D2, D4, D5; reliability.md B01-B10, B18.)
"""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time

import pymysql
import pytest
from zf import inject
from zf.history import History
from zf.proxy import DOWN
from zf.rows import assert_rows_are
from zf.wait import free_port, wait_for
from zf.zones import da_zone, named, version_of

ZONE = "coalesced.example"
PUSHES = 1000
PROBE_MAX = 2.0  # retry.probe_max_ms below
# The longest that a call of ours may hang before it is given up (the time-outs below), and with it the probe that is
# out at the moment of return.
CALL = 2.0
TIMEOUTS = {"connect_timeout_ms": 1000, "query_timeout_ms": 2000, "transaction_stall_ms": 3000}
CONFIG = {"retry": {"backoff_seconds": [30, 30], "max_attempts": 5, "probe_initial_ms": 200,
                    "probe_max_ms": int(PROBE_MAX * 1000)}}


class Refused:
    def begin(self, centre):
        centre.proxy.refuse()

    def end(self, centre):
        centre.proxy.passing()


class BlackHole(Refused):
    def begin(self, centre):
        centre.proxy.black_hole()


class StoppedServer:
    """SIGSTOP of the process: the kernel still shakes hands for it."""

    def begin(self, centre):
        centre.proxy.cut()
        centre.db.freeze()

    def end(self, centre):
        centre.db.resume()


class StoppedAt:
    """SIGSTOP at the moment a statement passes."""

    def __init__(self, *patterns):
        self.patterns = patterns

    def begin(self, centre):
        self.trigger = centre.proxy.call_on(*self.patterns, action=centre.db.freeze)

    def end(self, centre):
        assert self.trigger.hits == 1, "the statement never passed: the test tests nothing"
        centre.db.resume()


class ReadOnly:
    def begin(self, centre):
        centre.db.set_read_only(True)

    def end(self, centre):
        centre.db.set_read_only(False)


class Revoked:
    """Rights on tables, as documented for an account that makes no schema: a REVOKE is felt by open connections too."""

    def begin(self, centre):
        centre.db.revoke("INSERT, UPDATE")

    def end(self, centre):
        centre.db.grant_dml_only()


class Down:
    def begin(self, centre):
        centre.db.kill()

    def end(self, centre):
        centre.db.start()


class NoTable:
    """The schema is not managed here, so a missing table is the operator's."""

    def begin(self, centre):
        centre.db.sql("RENAME TABLE zonefan_state TO hidden")

    def end(self, centre):
        centre.db.sql("RENAME TABLE hidden TO zonefan_state")


FAULTS = {
    "refused": Refused(), "black hole": BlackHole(), "stopped at connect": StoppedServer(),
    "stopped at the lock": StoppedAt(b"FOR UPDATE", b"for update"),
    "stopped at insert": StoppedAt(b"INSERT INTO", b"insert into"),
    "stopped at update or delete": StoppedAt(b"UPDATE `", b"UPDATE data", b"DELETE "),
    "stopped at COMMIT": StoppedAt(b"COMMIT", b"commit"),
    "read-only": ReadOnly(), "revoked": Revoked(), "killed": Down(), "no table": NoTable(),
}


# Of the matrix: the row, and how it is done here.
ROWS = {
    "refused": ("B01", "proxy: no listener, open connections reset"),
    "black hole": ("B02", "proxy: takes connections, swallows all bytes (SYNs: test_backends_network.py)"),
    "stopped at connect": ("B04", "SIGSTOP, connections cut"), "stopped at the lock": ("B04", "SIGSTOP as FOR UPDATE passes"),
    "stopped at insert": ("B04", "SIGSTOP as INSERT passes"),
    "stopped at update or delete": ("B04", "SIGSTOP as UPDATE or DELETE passes"),
    "stopped at COMMIT": ("B04", "SIGSTOP as COMMIT passes"), "read-only": ("B09", "SET GLOBAL read_only=1 (1290)"),
    "revoked": ("B10", "REVOKE INSERT, UPDATE (1142); DELETE stays"), "killed": ("B01", "kill -9 of the server"),
    "no table": ("B14", "RENAME TABLE zonefan_state, manage_schema off (1146)"),
}
REQUIRED = ("the others unaffected; 1,000 pushes of one zone are one write; no attempt burnt; the zone keeps its old rows; "
            "converged within a probe interval")


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.row(
    row, fault=f"one database is out: {kind}", injected=how, required=REQUIRED)) for kind, (row, how) in ROWS.items()])
def test_one_data_centre_is_out(install, dcs, kind, happened):
    fault = FAULTS[kind]
    backends = {"dc2": {**TIMEOUTS, "manage_schema": kind != "no table"}}
    zonefan = install(dcs, config={**CONFIG, "dns": {"backends": backends}}, start=False)
    if kind in ("no table", "revoked"):
        first = install(dcs)  # makes the schema
        first.wait_lane("dc2", "up")
        first.stop()
    if kind == "revoked":
        dcs[1].db.grant_dml_only()
    zonefan.start()
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    names = named("other", 20)

    changed = dcs[1].db.rows_changed()
    fault.begin(dcs[1])
    for name in names:
        da.push_ok(name, da_zone(name))
    slowest = 0
    for version in range(2, PUSHES + 2):
        started = time.monotonic()
        da.push_ok(ZONE, da_zone(ZONE, version))
        slowest = max(slowest, time.monotonic() - started)
    # the others are up to date although the second is out
    zonefan.wait_converged("dc1", "dc3", deadline=30)
    for centre in (dcs[0], dcs[2]):
        assert version_of(centre.db.rows(ZONE)) == PUSHES + 1
    wait_for(lambda: zonefan.backend("dc2")["state"] in ("down", "probing"), 30,
             lambda: f"the lane is down: {zonefan.backend('dc2')}")
    # one that is stopped at a certain statement may have got other zones before
    pending = zonefan.backend("dc2")["pending"]
    assert 1 <= pending <= 21 if isinstance(fault, StoppedAt) else pending == 21
    assert zonefan.backend("dc2")["last_error"]
    assert slowest < 5, f"a push waited {slowest} s for a data centre that is out"
    if kind in ("read-only", "revoked"):
        assert version_of(dcs[1].db.rows(ZONE)) == 1, "a refused write left something else than the old rows"
    delivery = zonefan.delivery(ZONE, "dc2")
    assert delivery["attempts"] == 0, f"an outage burnt attempts: {delivery}"
    assert delivery["state"] == "held" and delivery["wanted_generation"] > delivery["applied_generation"]
    assert zonefan.status()["status"] == "degraded"

    fault.end(dcs[1])
    back = time.monotonic()
    limit = 3 * (PROBE_MAX * 1.2 + CALL)
    zonefan.wait_converged("dc2", deadline=limit)
    took = time.monotonic() - back
    happened(f"converged {took:.2f} s after its return, slowest push {slowest:.3f} s", acknowledged=PUSHES + 21)
    assert_rows_are(dcs[1].db.rows(ZONE), da_zone(ZONE, PUSHES + 1), ZONE, "dc2")
    rows = dcs[1].db.all_rows()
    for name in names:
        assert_rows_are(rows[name], da_zone(name), name, "dc2")
    assert zonefan.delivery(ZONE, "dc2")["attempts"] == 0
    if kind != "killed" and not isinstance(fault, StoppedAt):
        # One write of each zone: its stamp changes once for the thousand pushes. (A killed server has counted anew,
        # one that was stopped within a transaction counts that one too, rolled back or not.)
        stamps = dcs[1].db.rows_changed()["zonefan_state"] - changed["zonefan_state"]
        assert stamps == len(names) + 1, f"{stamps} stamps written for {len(names) + 1} zones"
    zonefan.stop()


def test_exactly_one_write(install, dcs):
    """W4, counted by the server itself: its general log shows one transaction for the zone after 1,000 pushes."""
    zonefan = install(dcs, config=CONFIG)
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    dcs[1].proxy.refuse()
    for version in range(2, PUSHES + 2):
        da.push_ok(ZONE, da_zone(ZONE, version))
    zonefan.wait_lane("dc2", "down")
    log = dcs[1].db.general_log(True)
    changed = dcs[1].db.rows_changed()
    dcs[1].proxy.passing()
    zonefan.wait_converged()
    dcs[1].db.general_log(False)
    after = dcs[1].db.rows_changed()
    assert after["zonefan_state"] - changed["zonefan_state"] == 1
    # SOA, TXT and four addresses differ between two versions
    assert 0 < after["records"] - changed["records"] <= 12
    with open(log, encoding="utf-8", errors="replace") as file:
        commits = [line for line in file if re.search(r"[;\t]COMMIT$", line.rstrip(), re.I)]
    assert len(commits) == 1, "one write, and no other, was committed"
    assert version_of(dcs[1].db.rows(ZONE)) == PUSHES + 1
    assert zonefan.status()["backends"][1]["pending"] == 0


@pytest.mark.row("B18", fault="every answer 5 s late", injected="proxy: 5 s down",
                 required="only that back end lags; 1,000 pushes of one zone are at most 3 writes; slow is not down")
@pytest.mark.row("U9", fault="one thread of the predecessor waits for the slowest database",
                 injected="5 s at each statement of one",
                 required="the others are not held up")
def test_slow_at_every_statement(install, dcs, happened):
    """
    W7, B18: every answer 5 s late. The database is slow, not down (decisions.md 10): it goes on being written, with
    the newest state; the others do not wait for it.
    """
    zonefan = install(dcs, config={**CONFIG, "dns": {"backends": {"dc2": {"connect_timeout_ms": 120_000}}}})
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    changed = dcs[1].db.rows_changed()
    dcs[1].proxy.slow(down=5)
    for version in range(2, PUSHES + 2):
        da.push_ok(ZONE, da_zone(ZONE, version))
    pushed = time.monotonic()
    zonefan.wait_converged("dc1", "dc3", deadline=10)
    took = time.monotonic() - pushed
    for centre in (dcs[0], dcs[2]):
        assert version_of(centre.db.rows(ZONE)) == PUSHES + 1
    assert zonefan.backend("dc2")["pending"] == 1
    assert zonefan.backend("dc2")["state"] == "up", "slow is not down"
    zonefan.wait_converged("dc2", deadline=240)
    assert version_of(dcs[1].db.rows(ZONE)) == PUSHES + 1
    assert zonefan.backend("dc2")["state"] == "up"
    assert zonefan.delivery(ZONE, "dc2")["attempts"] == 0
    writes = dcs[1].db.rows_changed()["zonefan_state"] - changed["zonefan_state"]
    assert writes <= 3, f"{writes} writes of one zone: the pushes were not coalesced"
    happened(f"the others had everything {took:.2f} s after the last push; {writes} writes", acknowledged=PUSHES + 1)


@pytest.mark.row("B02", fault="connections taken and never answered, 200 zones waiting", injected="proxy: black hole",
                 required="one probe at a time on the lane's clock, not one for each zone")
def test_probe_rate_while_black_holed(install, dcs, happened):
    """D2, B01: one probe at a time on the lane's own clock, not one connection for each zone that waits."""
    zonefan = install(dcs, config={**CONFIG, "dns": {"backends": {"dc2": TIMEOUTS}}})
    zonefan.wait_lane("dc2", "up")
    dcs[1].proxy.black_hole()
    da = zonefan.da()
    for name in named("waiting", 200):
        da.push_ok(name, da_zone(name))
    zonefan.wait_lane("dc2", "down", 30)
    before, started = dcs[1].proxy.connections, time.monotonic()
    wait_for(lambda: time.monotonic() - started > 10, 20, "ten seconds of probing")
    probes = dcs[1].proxy.connections - before
    # each takes connect_timeout and then waits for its interval: at most one in probe_initial
    assert 1 <= probes <= 10, f"{probes} connections in 10 s for one data centre that is out"
    happened(f"{probes} connections in 10 s")
    dcs[1].proxy.passing()
    zonefan.wait_converged()


@pytest.mark.timeout(900)
@pytest.mark.row("B05", fault="COMMIT executed, its answer lost", injected="proxy: nothing comes down after COMMIT went up",
                 required="200 of 200 end at the right generation, written once, and that before the cut")
@pytest.mark.row("B05", fault="COMMIT lost on the way up", injected="proxy: cut before the packet that holds COMMIT",
                 required="100 of 100 end at the right generation, written once, and that after the cut")
def test_commit_answer_lost(install, dcs, times, happened):
    """B05: the outcome of COMMIT is unknown: fence, read again, no blind success and no second write."""
    zonefan = install(dcs, config={**CONFIG, "healing": {"enabled": False},
                                   "dns": {"backends": {"dc2": {**TIMEOUTS, "connections": 1}}}})
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    centre, answers, commits = dcs[1], times(20, 200), times(10, 100)
    # Which commit wrote which version: the row belongs to the transaction that did.
    centre.db.sql("CREATE TABLE written (version VARCHAR(64)) ENGINE=InnoDB")
    centre.db.sql("CREATE TRIGGER written AFTER UPDATE ON records FOR EACH ROW BEGIN IF NEW.type='TXT' THEN "
                  "INSERT INTO written VALUES (NEW.data); END IF; END")
    ids = centre.db.ids(ZONE)

    def written(version):
        return centre.db.value("SELECT COUNT(*) FROM written WHERE version=%s", f'"version {version}"')
    cuts = {lose_answer: [], lose_commit: []}
    for version, lose in enumerate([lose_answer, lose_commit, lose_answer] * commits, start=2):
        lose(centre.proxy, lambda version=version: written(version), cuts[lose])
        da.push_ok(ZONE, da_zone(ZONE, version))
        zonefan.wait_converged(deadline=30)
        assert_rows_are(centre.db.rows(ZONE), da_zone(ZONE, version), ZONE, "dc2")
        assert written(version) == 1
    # What the server had done at the moment of each cut decides which branch it was.
    assert cuts == {lose_answer: [1] * answers, lose_commit: [0] * commits}
    assert centre.db.ids(ZONE) == ids, "rows were written anew"
    assert not zonefan.delivery(ZONE, "dc2")["suspect"] or zonefan.delivery(ZONE, "dc2")["state"] == "clean"
    happened(f"{answers + commits} of {answers + commits} right, each written once: {answers} times COMMIT was done and its answer "
             f"lost, {commits} times it was lost itself", times=answers + commits, acknowledged=answers + commits + 1,
             lost_answers=answers, lost_commits=commits)


def lose_answer(proxy, written, cuts):
    """The server does the next COMMIT, then the connection is cut; nothing that it answered meanwhile has come down."""
    def cut():
        wait_for(written, 30, "the server does the COMMIT")
        cuts.append(written())
        proxy.cut_after(0, way=DOWN)
    proxy.call_on(b"COMMIT", action=lambda: proxy.call_on(b"", way=DOWN, action=cut))


def lose_commit(proxy, written, cuts):
    """The connection is cut before the next COMMIT reaches the server."""
    def cut():
        cuts.append(written())
        proxy.cut_after(0)
    proxy.call_on(b"COMMIT", action=cut)


@pytest.mark.row("B06", fault="COMMIT in the socket of a stopped server, which wakes up after the writer gave up",
                 injected="SIGSTOP as COMMIT passes, SIGCONT when the lane is down", required="the newer push stands in the end")
def test_late_commit_does_not_land(install, dcs):
    """
    B06: a COMMIT that hangs in the network when the writer gives up must not land after newer state was written: the
    fence comes first. Here a newer push waits behind the stuck one.
    """
    zonefan = install(dcs, config={**CONFIG, "dns": {"backends": {"dc2": {**TIMEOUTS, "connections": 1}}}})
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    for version in range(2, 8):
        dcs[1].proxy.call_on(b"COMMIT", b"commit", action=dcs[1].db.freeze)
        da.push_ok(ZONE, da_zone(ZONE, version * 10))
        wait_for(lambda: dcs[1].db.stopped, 30, "the server is stopped at COMMIT")
        da.push_ok(ZONE, da_zone(ZONE, version * 10 + 1))
        wait_for(lambda: zonefan.backend("dc2")["state"] != "up", 30, "the writer has given up")
        dcs[1].db.resume()
        zonefan.wait_converged(deadline=30)
        assert version_of(dcs[1].db.rows(ZONE)) == version * 10 + 1


@pytest.mark.row("B08", fault="clean restart, idle connections die", injected="SIGTERM, start",
                 required="no failed delivery, no attempt, no suspect")
def test_server_restart_costs_nothing(install, dcs):
    """B08: idle connections die with a clean restart: no failed delivery, no suspect, no attempt."""
    zonefan = install(dcs)
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    for version in (2, 3):
        dcs[1].db.stop()
        dcs[1].db.start()
        da.push_ok(ZONE, da_zone(ZONE, version))
        zonefan.wait_converged()
        delivery = zonefan.delivery(ZONE, "dc2")
        assert delivery["attempts"] == 0 and not delivery["suspect"] and delivery["state"] == "clean"


@pytest.mark.row("B13", fault="another session holds the zone's row", injected="SELECT ... FOR UPDATE, not ended",
                 required="1205, repeated; the zone keeps its old rows, others go on, the lane stays up")
def test_foreign_lock(install, dcs):
    """B13: another session holds the zone's row: the lane repeats, the zone keeps its old rows, then it is written."""
    zonefan = install(dcs, config={"retry": {"backoff_seconds": [1], "max_attempts": 50}})
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    holder = dcs[1].db.connect()
    holder.begin()
    holder.cursor().execute("SELECT id FROM zones WHERE zone_name=%s FOR UPDATE", (ZONE + ".",))
    da.push_ok(ZONE, da_zone(ZONE, 2))
    zonefan.wait_converged("dc1", "dc3")
    wait_for(lambda: zonefan.delivery(ZONE, "dc2")["attempts"] > 0, 90, "an attempt is counted")
    assert version_of(dcs[1].db.rows(ZONE)) == 1
    assert zonefan.backend("dc2")["state"] == "up", "one locked row is no reason to take the lane down"
    # other zones of that data centre go on
    da.push_ok("unlocked.example", da_zone("unlocked.example"))
    wait_for(lambda: dcs[1].db.rows("unlocked.example"), 60, "another zone is written meanwhile")
    holder.rollback()
    holder.close()
    zonefan.wait_converged()
    assert version_of(dcs[1].db.rows(ZONE)) == 2


# A COMMIT is seen by others before it is in InnoDB's log, and a server that dies in between takes it back, unless it is in a binary log
# before it is seen: test_what_a_killed_server_showed. So that readers may judge, the servers that are killed have one.
BINARY_LOG = ("--log-bin", "--sync-binlog=1", "--server-id=1")


@pytest.fixture
def logged(dcs, scratch):
    """
    Servers with a binary log, killed in the middle of writing. The next test gets nothing of what that left: with a file in it
    that no table has, a database can't be dropped any more (1010), and the servers are there for all tests of the session.
    """
    for centre in dcs:
        centre.db.stop()
        centre.db.start(*BINARY_LOG)
    yield dcs
    for centre in dcs:
        centre.db.kill()
        shutil.rmtree(centre.db.datadir)
        subprocess.check_call(["cp", "-a", os.path.join(scratch, "template"), centre.db.datadir])
        centre.db.start()


def showed(kind, options, stays):
    """For test_what_a_killed_server_showed: a server with these options, and whether what it showed is there again."""
    mark = pytest.mark.row("B07", fault=f"a server {kind} a binary log dies between showing a COMMIT and logging it (control)",
                           injected="two plain clients, no zonefand; strace: the first pwrite64 of each thread 5 s late; kill -9",
                           required="what another client saw is " + ("there again" if stays else "gone"))
    return pytest.param(options, stays, marks=mark, id=f"{kind} binary log")


@pytest.mark.parametrize("options, stays", [showed("without", (), False), showed("with", BINARY_LOG, True)])
def test_what_a_killed_server_showed(logged, tmp_path, happened, options, stays):
    """What a reader may hold against us when a server dies (B07): two plain clients, no zonefand."""
    db = logged[0].db
    db.plugin_schema()
    db.stop()
    db.start(*options)

    def write():
        with contextlib.suppress(pymysql.MySQLError):  # it dies of it
            db.sql("INSERT INTO zones (zone_name) VALUES ('seen.example.')")

    # InnoDB writes whole blocks of its log: behind the end is what the buffer held before. A server killed as the next block is late
    # may take that for records, and does not start ("Missing FILE_DELETE or FILE_MODIFY"). These bytes, in both buffers, are none.
    db.sql("CREATE TABLE filler (bytes LONGBLOB)")
    for _ in range(2):
        db.sql("INSERT INTO filler VALUES (REPEAT('x', 1000000))")

    writer = threading.Thread(target=write, daemon=True)
    with inject.Strace(db.process.pid, tmp_path / "strace", *inject.fault("pwrite64", "delay_enter=5000000", 1, ever=True),
                       all_threads=True):
        writer.start()
        wait_for(lambda: db.zone_id("seen.example"), 120, "another client sees it")
        db.kill()
        writer.join(30)
    db.start(*options)
    there = bool(db.zone_id("seen.example"))
    happened(f"another client saw a row, the server was killed and started again: the row is {'there' if there else 'gone'}", times=1)
    assert there == stays


@pytest.mark.timeout(2400)
@pytest.mark.row("B07", fault="database killed at random under load",
                 injected="kill -9 of all three mariadbd, each with a binary log, at random moments",
                 required="0 lost, 0 torn; redelivered <= 5 s after return")
@pytest.mark.row("B07", fault="database killed as COMMIT or INSERT arrives",
                 injected="kill -9 of a mariadbd with a binary log when the proxy sees the statement",
                 required="0 lost, 0 torn; redelivered <= 5 s after return")
def test_server_killed_at_random(logged, install, times, seed, happened, bar):
    """B07: the databases die in the middle of writing: nothing lost, nothing torn, redelivered."""
    # A server that lives for less than five seconds is taken for the one before it: a fence may then end a session of ours, and
    # that is a failure of its zones. None of them is to be a dead letter by that.
    zonefan = install(logged, config={"retry": {"max_attempts": 50}})
    for centre in logged:
        zonefan.wait_lane(centre.name, "up")  # the tables are there
    history = History(zonefan, logged, zones=60, records=12, seed=seed, prefix="dies")
    kills, worst = 0, 0.0
    with history.readers(pause=0.02):
        while kills < times(25, 500):
            with history.load(rate=60) as load:
                for centre in logged if kills % 2 else ():
                    # This process, and not the one that start() makes below, however late it is.
                    centre.proxy.call_on(b"COMMIT", b"INSERT",
                                         action=lambda process=centre.db.process: (process.kill(), process.wait()))
                wait_for(lambda load=load: load.acknowledged() > 10, 30, "the load runs")
                time.sleep(history.chance.uniform(0.0, 0.3))  # the random moment
                for centre in logged:
                    centre.db.kill()  # those that live still, at the random moment
                kills += len(logged)
            for centre in logged:
                centre.proxy.triggers.clear()
                centre.db.start(*BINARY_LOG)
            back = time.monotonic()
            history.check_whole()
            history.settle(deadline=60)
            worst = max(worst, time.monotonic() - back)
            assert not load.refusals, load.refusals
    figures = history.check()
    happened(f"{kills} kills of a database; redelivered at worst {worst:.1f} s after its return", times=kills, **figures)
    bar("seconds until redelivered, at worst", worst, 5)


@pytest.mark.row("B23", fault="greeting dribbled byte by byte", injected="a listener that sends a byte every 0.5 s",
                 required="held no longer than connect_timeout_ms and its slack")
def test_dribbling_server_is_bounded(install, dcs):
    """B23: a server that dribbles its greeting byte by byte holds nobody longer than connect_timeout_ms."""
    port = free_port()
    listener = socket.create_server(("127.0.0.1", port))
    seen = []
    halt = threading.Event()

    def dribble():
        while not halt.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            held = 0.0
            greeting = b"\x4a\x00\x00\x0a10.11.19-MariaDB\x00" + b"x" * 60
            client.settimeout(0.5)
            try:
                for byte in greeting:
                    waited = time.monotonic()
                    try:
                        client.send(bytes([byte]))
                        if client.recv(1) == b"":
                            break
                    except TimeoutError:
                        pass
                    finally:
                        held += min(time.monotonic() - waited, 0.5)  # what is over that is this thread, which woke up late
            except OSError:
                pass
            seen.append(held)
            client.close()

    thread = threading.Thread(target=dribble, daemon=True)
    thread.start()
    try:
        zonefan = install(dcs, config={**CONFIG, "dns": {"backends": {"dc2": {**TIMEOUTS, "port": port}}}})
        zonefan.da().push_ok(ZONE, da_zone(ZONE))
        zonefan.wait_converged("dc1", "dc3")
        wait_for(lambda: len(seen) >= 2, 40, "two attempts have ended")
        assert all(held < 3 * 1.0 + 1 for held in seen), f"a dribbling server held us for {seen} s"
        assert zonefan.backend("dc2")["state"] in ("down", "probing")
    finally:
        halt.set()
        listener.close()
