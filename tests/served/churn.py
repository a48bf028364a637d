# SPDX-License-Identifier: GPL-3.0-or-later
"""
Zones that change all the time: pushed through the real zonefand, each change followed by questions until it is answered
right, and timed from the database's own note of its commit.
"""
import queue
import random
import socket
import struct
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

import versions

POLL_SECONDS = 0.04
STAMPS_EVERY = 0.1
STAMPS_OVERLAP_US = 2_000_000
SETTLE_LIMIT = COMMIT_LIMIT = 30
EPOCH = "'1970-01-01'"


class Pusher:
    """Pushes and deletes by threads of its own, in any order: a zone is given only when its last change is done."""

    def __init__(self, da, workers=8):
        self.da = da
        self.work = queue.Queue()
        self.problem = None
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(workers)]
        for thread in self.threads:
            thread.start()

    def give(self, zone, text):
        """text None: a delete."""
        self.work.put((zone, text))

    def _run(self):
        for zone, text in iter(self.work.get, None):
            try:
                if text is None:
                    self.da.delete_ok(zone)
                else:
                    self.da.push_ok(zone, text)
            except Exception as error:  # a thread's failure is the test's
                self.problem = f"{zone}: {error!r}"
            finally:
                self.work.task_done()

    def end(self):
        for _ in self.threads:
            self.work.put(None)
        for thread in self.threads:
            thread.join()


class Stamps:
    """Commits as the database tells them: changed_at is written in the last statement before COMMIT, so never too late."""

    def __init__(self, db):
        self.db = db
        self.last = db.value(f"SELECT TIMESTAMPDIFF(MICROSECOND, {EPOCH}, UTC_TIMESTAMP(6))")

    def read(self):
        """Yields (zone, version or None, wall clock in seconds) of what was committed of late, some of it again."""
        rows = self.db.sql(f"SELECT zone_name, serial, deleted, TIMESTAMPDIFF(MICROSECOND, {EPOCH}, changed_at) FROM "
                           f"zonefan_state WHERE changed_at >= {EPOCH} + INTERVAL %s MICROSECOND",
                           self.last - STAMPS_OVERLAP_US)
        for name, serial, deleted, at in rows:
            self.last = max(self.last, at)
            yield name[:-1], None if deleted else serial, at / 1e6


class Zone:
    """version: answered now; None: it is not there. last: of when it was there last."""

    def __init__(self, name, version=None):
        self.name = name
        self.version = version
        self.last = version
        self.apex = versions.apex(name)


class Change:
    """begun, committed, seen: wall clock in seconds."""

    def __init__(self, zone, version):
        self.zone = zone
        self.before, self.version = zone.version, version
        self.begun = time.time()
        self.committed = self.seen = None
        self.checks = []  # still to be asked once it is seen: (Question, check)

    @property
    def kind(self):
        if self.version is None:
            return "deleted"
        return "new" if self.before is None else "changed"

    def answered_by(self, answer):
        if self.version is None:
            return versions.is_gone(answer)
        return versions.is_apex(answer, self.version)

    def still_before(self, answer):
        if self.before is None:
            return versions.is_gone(answer)
        return versions.is_apex(answer, self.before)

    def __repr__(self):
        return f"{self.kind} {self.zone.name} {self.before} -> {self.version}, begun {time.time() - self.begun:.2f} s ago"


class Churn:
    """
    Keeps up to in_flight changes under way. Of four changes three change a zone, the rest deletes one or brings one
    back. done: every Change, seen and stamped. late_loads: answers SERVFAIL for a zone that has just become known.
    """

    def __init__(self, asker, pusher, stamps, names, seed, limit, in_flight=200):
        self.asker, self.pusher, self.stamps = asker, pusher, stamps
        self.random = random.Random(seed)
        self.limit = limit
        self.in_flight = in_flight
        self.idle = [Zone(name) for name in names]
        self.count = 0
        self.flight = {}
        self.done = []
        self.late_loads = 0
        self.stamps_due = 0.0

    # ---- beginning ----

    def begin(self, kind=None):
        """The next change of a zone picked at random; its number is its version."""
        at = self.random.randrange(len(self.idle))
        self.idle[at], self.idle[-1] = self.idle[-1], self.idle[at]
        zone = self.idle.pop()
        self.count += 1
        kind = kind or self.random.choices(("put", "delete"), (3, 1))[0]
        deletes = kind == "delete" and zone.version is not None
        change = Change(zone, None if deletes else self.count)
        self.flight[zone.name] = change
        self.pusher.give(zone.name, None if deletes else versions.text(zone.name, self.count))
        self.poll(change)

    def run(self, count, kind=None, per_second=None):
        """count more changes, and returns when all are done. per_second: as many, not as fast as can be."""
        target, begun, start = len(self.done) + count, 0, time.monotonic()
        while len(self.done) < target:
            assert self.pusher.problem is None, self.pusher.problem
            may = count if per_second is None else min(count, int((time.monotonic() - start) * per_second) + 1)
            while begun < may and len(self.flight) < self.in_flight and self.idle:
                self.begin(kind)
                begun += 1
            self.turn()

    def turn(self):
        self.asker.turn(0.02)
        if time.monotonic() >= self.stamps_due:
            self.read_stamps()
            self.stamps_due = time.monotonic() + STAMPS_EVERY

    # ---- under way ----

    def poll(self, change):
        self.asker.ask(change.zone.apex, lambda answer: self.polled(change, answer))

    def polled(self, change, answer):
        now = time.time()
        if change.answered_by(answer):
            change.seen = now
            self.look_closer(change)
            return
        if change.before is None and answer.rcode == dns.rcode.SERVFAIL:
            self.late_loads += 1  # it is known, and its rows did not come within the reader's second
        else:
            assert change.still_before(answer), f"{change}: {answer}"
        if change.committed:
            assert now - change.committed < self.limit, f"missed for {now - change.committed:.1f} s: {change}: {answer}"
        else:
            assert now - change.begun < COMMIT_LIMIT, f"never committed: {change}"
        self.asker.at(time.monotonic() + POLL_SECONDS, lambda: self.poll(change))

    def look_closer(self, change):
        """One question after the other, lest all zones ask all of them at the moment at which all become visible."""
        zone = change.zone
        if change.version is None:
            change.checks = [(versions.old_host(zone.name, zone.version), versions.is_gone)]
        else:
            change.checks = versions.details(zone.name, change.version, zone.last)
        change.checks.append((zone.apex, change.answered_by))  # and it does not go back
        self.next_check(change)

    def next_check(self, change):
        question, check = change.checks[0]
        self.asker.ask(question, lambda answer: self.looked(change, check, answer))

    def looked(self, change, check, answer):
        assert check(answer), f"{change}: {answer}"
        change.checks.pop(0)
        if change.checks:
            self.next_check(change)
        else:
            self.finish(change)

    def read_stamps(self):
        for name, version, at in self.stamps.read():
            change = self.flight.get(name)
            if change and change.version == version and change.committed is None and at >= change.begun:
                change.committed = at
                self.finish(change)

    def finish(self, change):
        if change.checks or change.seen is None or change.committed is None:
            return
        zone = change.zone
        zone.version, zone.last = change.version, change.version or zone.last
        del self.flight[zone.name]
        self.idle.append(zone)
        self.done.append(change)

    # ---- afterwards ----

    def sweep(self):
        """Every zone is what its last change made it."""
        left = []

        def answered(zone, answer):
            good = versions.is_gone(answer) if zone.version is None else versions.is_apex(answer, zone.version)
            assert good, f"{zone.name} is not {zone.version}: {answer}"
            left.remove(zone)
        for zone in self.idle:
            left.append(zone)
            self.asker.ask(zone.apex, lambda answer, zone=zone: answered(zone, answer))
            self.asker.turn(0)
        end = time.monotonic() + SETTLE_LIMIT
        while left:
            assert time.monotonic() < end, f"{len(left)} zones are not answered: {left[:3]}"
            self.asker.turn()

    def latencies(self, kind=None):
        """Seconds from commit to the first right answer."""
        return [change.seen - change.committed for change in self.done if kind in (None, change.kind)]


class Transfers(threading.Thread):
    """Transfers zones while they change: whatever version comes, it is one."""

    def __init__(self, port, names, seed, pause=0.05):
        super().__init__(daemon=True)
        self.port, self.names, self.pause = port, names, pause
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.good = self.refused = 0
        self.problem = None
        self.start()

    def run(self):
        try:
            while not self.over.wait(self.pause):
                self.one(self.random.choice(self.names))
        except Exception as error:  # a thread's failure is the test's
            self.problem = repr(error)

    def one(self, zone):
        records = transfer(self.port, zone)
        if records in (dns.rcode.REFUSED, dns.rcode.NOTAUTH):
            self.refused += 1  # deleted just now
            return
        text = "\n".join(records).encode()
        shown = set(versions.MARK.findall(text))
        assert len(shown) == 1, f"AXFR of {zone} mixes versions {shown}:\n{text.decode()}"
        assert records[0] == records[-1] and " SOA " in records[0], f"AXFR of {zone}: {records[0]} ... {records[-1]}"
        want = versions.text(zone, int(next(iter(shown)))).count("\n")  # a line each, but $TTL; the SOA comes twice
        assert len(records) == want, f"AXFR of {zone}: {len(records)} records instead of {want}"
        self.good += 1

    def end(self):
        self.over.set()
        self.join()
        assert self.problem is None, self.problem


def transfer(port, zone):
    """The records of an AXFR (RFC 5936), each as text, in their order; the rcode if it is refused."""
    query = dns.message.make_query(zone, "AXFR")
    query.flags &= ~dns.flags.RD
    wire = query.to_wire()
    records, soas = [], 0
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock, sock.makefile("rb") as stream:
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        while soas < 2:
            head = stream.read(2)
            assert len(head) == 2, f"AXFR of {zone}: closed after {len(records)} records"
            (size,) = struct.unpack("!H", head)
            message = dns.message.from_wire(stream.read(size), one_rr_per_rrset=True)
            if message.rcode() != dns.rcode.NOERROR:
                return message.rcode()
            records += [rrset.to_text() for rrset in message.answer]
            soas += sum(rrset.rdtype == dns.rdatatype.SOA for rrset in message.answer)
    return records
