# SPDX-License-Identifier: GPL-3.0-or-later
"""
The history checker (reliability.md 6): writers push and delete over the DA dialect and keep a book of what was sent and what
was answered; readers read whole zones in one SELECT at each database; the judge compares the two. It knows nothing of
zonefan but its promises:

 O1  what was acknowledged, or something sent after it, is in the store and in every database once all has settled
 O2  no reader sees a torn, mixed or empty zone, none sees one vanish that nobody deleted
 O3  no zone goes back to an older version at a database: of every single write of its stamp, and of all that was seen
 O4  zones.id stays while the zone is not deleted; no row stands there twice

    history = History(zonefan, dcs, seed=seed)
    with history.load(rate=50) as load, history.readers():
        ...                                 # the fault
    history.settle()
    figures = history.check()

Each zone has one writer, so the order of its pushes is known; its version is its SOA serial, its TXT and all its addresses.
"""
import collections
import contextlib
import os
import random
import signal
import sqlite3
import threading
import time

import pymysql

from .book import (ACKED, GONE, REFUSED, UNKNOWN, UNSENT, Book, Violation, demand, judge_sights, judge_stamps, judge_state,
                   sight_of)
from .da import NoAnswer
from .rows import Row, assert_rows_are
from .stamps import StampLog
from .zones import da_zone, named

ONE_ZONE = ("SELECT z.id, r.hostname, r.type, r.data, r.ttl, r.online FROM zones z LEFT JOIN records r ON r.zone_id=z.id "
            "WHERE z.zone_name=%s")
JUDGED = ("torn", "lost", "reversals")  # the kinds of violations that the report counts
READS_LEAST = 20  # of each database with a reader; fewer show nothing


class Writer(threading.Thread):
    """Pushes and deletes its own zones, one request after the other."""

    def __init__(self, load, zones, chance):
        super().__init__(daemon=True)
        self.load, self.zones, self.chance = load, zones, chance
        self.operation = None
        self.sent = False
        self.problem = None

    def run(self):
        history, due = self.load.history, time.monotonic()
        da = history.zonefan.da(timeout=20)
        while not self.load.halt.is_set():
            if self.load.interval:
                due = max(due + self.load.interval, time.monotonic() - 1)
                if self.load.halt.wait(max(0, due - time.monotonic())):
                    return
            try:
                self.once(da, history, self.chance.choice(self.zones))
            except Exception as error:  # a thread's failure is the test's
                self.problem = f"writer: {error!r}"
                return

    def once(self, da, history, zone):
        delete = self.chance.random() < self.load.deletes
        with history.book.lock:
            self.operation, self.sent = history.book.begin(zone, delete), False
        started = time.monotonic()
        try:
            if delete:
                answer = da.delete(zone, on_sent=self.on_sent)
            else:
                answer = da.push(zone, history.text(zone, self.operation.what), on_sent=self.on_sent)
        except ConnectionRefusedError:
            outcome = UNSENT
        except (OSError, NoAnswer):
            outcome = UNKNOWN
        else:
            outcome = ACKED if answer.status == 200 and answer.error == "0" else REFUSED
            if outcome == REFUSED:
                self.load.refusals[answer.text or str(answer)] += 1
            self.load.answers.append((outcome, time.monotonic() - started))
        with history.book.lock:
            history.book.end(zone, self.operation, outcome)
            self.operation = None
        if outcome != ACKED:
            self.load.halt.wait(0.02)

    def on_sent(self):
        self.sent = True


class Load:
    """Writers at work. rate: pushes a second in all, None: one after the other as fast as they are answered."""

    def __init__(self, history, rate, deletes, writers, chance):
        self.history, self.deletes, self.rate = history, deletes, rate
        self.began = time.monotonic()
        self.interval = writers / rate if rate else None
        self.halt = threading.Event()
        self.answers = []   # (outcome, seconds) of each answer, O7
        self.refusals = collections.Counter()
        zones = list(history.zones)
        self.writers = [Writer(self, zones[i::writers], random.Random(chance.random())) for i in range(writers)]
        for writer in self.writers:
            writer.start()

    def acknowledged(self):
        return sum(outcome == ACKED for outcome, _ in self.answers)

    def assert_kept(self, share=0.9):
        """It was a load: so much of its rate was acknowledged, over all the time since it began."""
        wanted = share * self.rate * (time.monotonic() - self.began)
        assert self.acknowledged() >= wanted, f"{self.acknowledged()} acknowledged, {wanted:.0f} wanted at {self.rate}/s"

    def kill9(self):
        """kill -9 of zonefand at one moment of the book: how many requests hung then, sent whole and unanswered."""
        process = self.history.zonefan.process
        with self.history.book.lock:
            in_flight = sum(writer.operation is not None and writer.sent for writer in self.writers)
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return in_flight

    def stop(self):
        self.halt.set()
        demand_ended(self.writers, 40)


class Watcher(threading.Thread):
    """Reads zones at one database, past every proxy; survives its absence."""

    def __init__(self, history, centre, pause, chance):
        super().__init__(daemon=True)
        self.history, self.centre, self.pause, self.chance = history, centre, pause, chance
        self.halt = threading.Event()
        self.problem = None
        self.conn = None

    def run(self):
        while not self.halt.wait(self.pause):
            try:
                self.conn = self.conn or self.centre.db.connect(read_timeout=2)
                self.look(self.conn)
            except (pymysql.MySQLError, OSError) as error:
                self.history.failures[self.centre.name] = error  # its absence is borne; READS_LEAST asks whether it was ever there
                self.close()
                self.halt.wait(0.1)
            except Exception as error:
                self.problem = f"reader of {self.centre.name}: {error!r}"
                break
        self.close()

    def close(self):
        with contextlib.suppress(pymysql.MySQLError, OSError):
            if self.conn is not None:
                self.conn.close()
        self.conn = None

    def look(self, conn):
        """Zones that were pushed lately are the ones that may be torn: every other look is at one of them."""
        recent = self.history.recent()
        zone = self.chance.choice(recent if recent and self.chance.random() < 0.5 else self.history.zones)
        with conn.cursor() as cursor:
            cursor.execute(ONE_ZONE, (zone + ".",))
            rows = cursor.fetchall()
        self.history.sights[self.centre.name].append(sight_of(zone, rows, self.history.records_of))
        self.history.reads[self.centre.name] += 1


def demand_ended(threads, seconds):
    """All of them have ended, and none by a failure."""
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    problems = [thread.problem or "it hangs" for thread in threads if thread.problem or thread.is_alive()]
    assert not problems, "\n".join(problems)


class History:
    """One zonefand, its databases, and everything that was sent and seen."""

    def __init__(self, zonefan, dcs, zones=200, records=30, seed=0, prefix="history"):
        self.zonefan, self.dcs, self.records = zonefan, list(dcs), records
        self.zones = named(prefix, zones)
        self.book = Book(self.zones)
        self.sights = {centre.name: [] for centre in self.dcs}
        self.past = []      # violations of what was seen before a database was put back (restored)
        self.reads = {}     # looks of the readers at each database that has one
        self.failures = {}  # and why the last one there failed
        self.counts = {}    # of JUDGED, what was judged last
        self.logs = {centre.name: StampLog(centre) for centre in self.dcs}
        self.chance = random.Random(seed)

    def text(self, zone, version):
        return da_zone(zone, version, hosts=self.records_of(version) - 6)

    def records_of(self, version):
        """The number of records differs too from version to version."""
        return max(7, self.records - version % 4)

    def recent(self):
        return [zone for zone in self.zones if (ops := self.book.operations[zone]) and
                isinstance(ops[-1].what, int) and ops[-1].what > self.book.version - 16]

    @contextlib.contextmanager
    def load(self, rate=50, deletes=0.1, writers=4):
        load = Load(self, rate, deletes, writers, self.chance)
        try:
            yield load
        finally:
            load.stop()

    @contextlib.contextmanager
    def readers(self, *centres, pause=0.004):
        watchers = [Watcher(self, centre, pause, random.Random(self.chance.random())) for centre in centres or self.dcs]
        for watcher in watchers:
            self.reads.setdefault(watcher.centre.name, 0)
            watcher.start()
        try:
            yield watchers
        finally:
            for watcher in watchers:
                watcher.halt.set()
            demand_ended(watchers, 20)

    def restored(self, centre):
        """The test put this database to an older state itself: what is seen from now on is not compared with before."""
        self.past += self._seen_at(centre.name)
        self.sights[centre.name] = []
        self.logs[centre.name].forget()

    def _seen_at(self, name):
        return [*judge_sights(self.book, name, self.sights[name]),
                *judge_stamps(self.book, name, self.logs[name].written(self.book.operations))]

    # ---- checks ----

    def settle(self, *names, deadline=90):
        self.zonefan.wait_converged(*names, deadline=deadline)

    def _state_of(self, centre):
        """{zone: sight} of all our zones, in one SELECT."""
        rows = collections.defaultdict(list)
        for name, *row in centre.db.sql("SELECT z.zone_name, z.id, r.hostname, r.type, r.data, r.ttl, r.online "
                                        "FROM zones z LEFT JOIN records r ON r.zone_id=z.id"):
            rows[name[:-1]].append(row)
        return {zone: sight_of(zone, rows[zone], self.records_of) for zone in self.zones}, rows

    def pending_at(self, centre):
        """Does this database lack an acknowledged state, right now?"""
        since = self.book.acknowledged()
        sights, _ = self._state_of(centre)
        return bool(judge_state(self.book, centre.name, since, {zone: sight.state for zone, sight in sights.items()}))

    def _stored(self):
        """{zone: version} of the store: from zonefand, or from its file while it is stopped."""
        if self.zonefan.alive():
            return {name: entry["serial"] for name, entry in self.zonefan.zones().items()}
        store = sqlite3.connect(f"file:{self.zonefan.store}?mode=ro", uri=True)
        try:
            return {name.rstrip("."): serial for name, serial in store.execute("SELECT name, serial FROM zone WHERE NOT deleted")}
        finally:
            store.close()

    def check_store(self):
        """O1 of the store alone; also while the load runs, or after a kill."""
        since = self.book.acknowledged()
        self._judge(judge_state(self.book, "the store", since, self._stored()), "lost")

    def check_whole(self):
        """O2 of all zones, right now, at each database; deliveries may be under way."""
        for centre in self.dcs:
            sights, _ = self._state_of(centre)
            self._judge([Violation(sight.problem, centre.name, zone, sight.state, sight.text)
                         for zone, sight in sights.items() if sight.problem], "torn")

    def _judge(self, found, *kinds):
        """Raises what was found; the report counts these kinds of it."""
        counted = collections.Counter(violation.kind for violation in found)
        self.counts.update({kind: counted[kind] for kind in kinds})
        demand(found)

    def check(self, centres=None):
        """O1-O4 at the end; figures for the report. Nothing may be under way."""
        since, held = self.book.acknowledged(), self._stored()
        found = [*self.past, *judge_state(self.book, "the store", since, held)]
        compared = {}
        for centre in centres or self.dcs:
            sights, rows = self._state_of(centre)
            found += judge_state(self.book, centre.name, since, {zone: sight.state for zone, sight in sights.items()})
            found += self._differing(centre.name, held, sights, rows, compared)
            self.sights[centre.name] += sights.values()
        for name in self.sights:
            found += self._seen_at(name)
        self._judge(found, *JUDGED)
        blind = {name: f"{reads} reads, last failure {self.failures.get(name)!r}" for name, reads in self.reads.items()
                 if reads < READS_LEAST}
        assert not blind, f"hardly anybody read there: {blind}"
        return self.figures()

    def _differing(self, where, held, sights, rows, compared):
        """Every database holds what the store holds, record by record as its text says."""
        found = []
        for zone in self.zones:
            have = sorted(Row(*row[1:]) for row in rows[zone])
            if sights[zone].problem or not have and zone not in held:
                continue
            if sights[zone].state != held.get(zone, GONE):
                found.append(Violation("differing", where, zone, sights[zone].state, f"the store holds {held.get(zone, GONE)}"))
                continue
            if compared.get(zone) == have:
                continue  # byte for byte what was compared with the text at another database
            try:
                assert_rows_are(have, self.text(zone, held[zone]), zone, where)
                compared[zone] = have
            except AssertionError as error:
                found.append(Violation("differing", where, zone, held[zone], str(error)))
        return found

    def figures(self):
        """For happened(): what was counted; of violations only those kinds that were judged."""
        counts = {outcome: self.book.count(outcome) for outcome in (ACKED, REFUSED, UNKNOWN)}
        return {**counts, "reads": sum(self.reads.values()), **self.counts}
