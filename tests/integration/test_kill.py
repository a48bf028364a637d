# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "50 rounds of kill -9 at random moments under load, at least 40 of them with requests in flight and deliveries
pending at all three databases when the signal fell (counts printed): 0 acknowledged pushes lost, all three databases
equal to the newest acknowledged state." (reliability.md P01; product table W1.)

Every zone has one writer, so the order of its pushes is known. Its version is its SOA serial: the store's list tells
after every restart whether an acknowledged push is missing. Whether deliveries were pending is read from the databases
right after the kill: each lacks at least one acknowledged version.
"""
import os
import random
import signal
import threading
import time

import pytest
from zf.da import NoAnswer
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone, named, version_of

ROUNDS = 50
WRITERS = 6
ZONES_EACH = 10
GONE = "gone"


class Writer(threading.Thread):
    """Pushes and deletes its own zones, one request after the other, and keeps the books."""

    def __init__(self, load, names, seed):
        super().__init__(daemon=True)
        self.load = load
        self.names = names
        self.random = random.Random(seed)
        self.acked = {name: None for name in names}    # newest acknowledged: version or GONE; None: nothing yet
        self.unknown = {name: [] for name in names}    # sent after it, without an answer
        self.asking = None
        self.acks = 0

    def run(self):
        da = self.load.zonefan.da(timeout=20)
        while not self.load.halt.is_set():
            name = self.random.choice(self.names)
            version = self.load.next_version()
            delete = self.random.random() < 0.1
            what = GONE if delete else version
            try:
                if delete:
                    answer = da.delete(name, on_sent=lambda: self.sent(name, what))
                else:
                    answer = da.push(name, da_zone(name, version), on_sent=lambda: self.sent(name, what))
            except (OSError, NoAnswer):
                with self.load.lock:
                    if self.asking is None:  # broke before all of it was sent; the daemon may have it all the same
                        self.unknown[name].append(what)
                    self.asking = None
                if self.load.halt.wait(0.02):
                    return
                continue
            assert answer.error == "0", f"{name}: {answer}"
            with self.load.lock:
                self.acked[name] = what
                self.unknown[name] = []
                self.asking = None
                self.acks += 1

    def sent(self, name, what):
        with self.load.lock:
            self.asking = name
            self.unknown[name].append(what)


class Load:
    def __init__(self, zonefan, seed):
        self.zonefan = zonefan
        self.lock = threading.Lock()
        self.halt = threading.Event()
        self.version = 0
        names = named("kill", WRITERS * ZONES_EACH)
        self.writers = [Writer(self, names[i::WRITERS], seed * 100 + i) for i in range(WRITERS)]

    def next_version(self):
        with self.lock:
            self.version += 1
            return self.version

    def start(self):
        self.halt.clear()
        self.writers = [self.renew(writer) for writer in self.writers]
        for writer in self.writers:
            writer.start()

    def renew(self, old):
        new = Writer(self, old.names, old.random.random())
        new.acked, new.unknown, new.acks = old.acked, old.unknown, old.acks
        return new

    def kill(self):
        """kill -9 at one moment of the books: how many requests hung then."""
        with self.lock:
            in_flight = sum(writer.asking is not None for writer in self.writers)
            os.kill(self.zonefan.process.pid, signal.SIGKILL)
        self.zonefan.process.wait()
        self.halt.set()
        for writer in self.writers:
            writer.join(30)
            assert not writer.is_alive()
        return in_flight

    def newest(self):
        """{zone: (newest acknowledged, [what may have followed])}"""
        return {name: (writer.acked[name], writer.unknown[name]) for writer in self.writers for name in writer.names}

    def acks(self):
        return sum(writer.acks for writer in self.writers)


def pending_at(db, newest):
    """Does this database lack an acknowledged state?"""
    have = {name: version_of(rows) or GONE for name, rows in db.all_rows().items()}
    for name, (acked, unknown) in newest.items():
        if acked is None:
            continue
        if have.get(name, GONE) not in [acked, *unknown]:
            return True
    return False


def check_store(zonefan, newest):
    """Every acknowledged push is in the store, or what was sent after it."""
    held = zonefan.zones()
    for name, (acked, unknown) in newest.items():
        if acked is None:
            continue
        have = held[name]["serial"] if name in held else GONE
        assert have in [acked, *unknown], f"{name}: {acked} was acknowledged, {unknown} sent after it, the store has {have}"


def check_databases(zonefan, dcs, newest):
    """All three hold the state that the store promised, record by record."""
    zonefan.wait_converged(deadline=90)
    held = zonefan.zones()
    for centre in dcs:
        rows = centre.db.all_rows()
        assert sorted(rows) == sorted(held), f"{centre.name} holds other zones than the store"
        for name, (acked, unknown) in newest.items():
            if name not in held:
                assert GONE in [acked, *unknown] or acked is None, name
                continue
            version = version_of(rows[name])
            assert version == held[name]["serial"], f"{name} at {centre.name}"
            assert_rows_are(rows[name], da_zone(name, version), name, centre.name)


@pytest.mark.timeout(600)
def test_fifty_kills(install, dcs):
    seed = int(os.environ.get("ZONEFAN_SEED", random.randrange(1 << 30)))
    print(f"seed {seed} (ZONEFAN_SEED)")
    chance = random.Random(seed)
    zonefan = install(dcs)
    for centre in dcs:
        zonefan.wait_lane(centre.name, "up")  # the schema is made
    zonefan.stop()
    load = Load(zonefan, seed)
    hit = in_flight_sum = 0
    for number in range(ROUNDS):
        for centre in dcs:
            centre.proxy.slow(up=0.01, down=0.03)
        zonefan.start()
        check_store(zonefan, load.newest())
        before = load.acks()
        load.start()
        wait_for(lambda: load.acks() > before + 5, 30, "the load runs")
        time.sleep(chance.uniform(0.0, 0.6))  # the random moment
        in_flight = load.kill()
        pending = [pending_at(centre.db, load.newest()) for centre in dcs]
        in_flight_sum += in_flight
        hit += in_flight > 0 and all(pending)
        if number % 10 == 9 or number == ROUNDS - 1:
            for centre in dcs:
                centre.proxy.passing()
            zonefan.start()
            check_store(zonefan, load.newest())
            check_databases(zonefan, dcs, load.newest())
            zonefan.stop()
    print(f"{ROUNDS} kills, {load.acks()} acknowledged, {in_flight_sum} requests in flight, "
          f"{hit} kills with requests in flight and deliveries pending at all three")
    assert hit >= 40, f"only {hit} of {ROUNDS} kills fell when they should"


def test_every_acknowledged_push_survives_at_once(install, dcs):
    """W1: kill -9 right after error=0, before any data centre can be reached."""
    zonefan = install(dcs)
    for centre in dcs:
        centre.proxy.refuse()
    for number in range(5):
        name = f"atonce{number}.example"
        zonefan.da().push_ok(name, da_zone(name))
        zonefan.kill9()
        zonefan.start()
        assert name in zonefan.zones()
    for centre in dcs:
        centre.proxy.passing()
    zonefan.wait_converged()
    for centre in dcs:
        assert len(centre.db.all_rows()) == 5
