# SPDX-License-Identifier: GPL-3.0-or-later
"""
For long runs: a DirectAdmin master that lives its life and loses some of its pushes, faults of databases one after the other, and a
timeline of what the process and its store take.
"""
import os
import sqlite3
import statistics
import threading
import time

from .da import NoAnswer
from .oracles import resources
from .reconcile import login_page
from .zones import named

MIB = 1024 * 1024


class Life(threading.Thread):
    """
    Zones of a Master are made, changed and deleted there, `rate` times a second. What is sent to zonefand may get lost, as
    DirectAdmin's pushes do: it is never sent again. The master's own zones are the truth.
    """

    def __init__(self, zonefan, master, chance, count=120, rate=2.0):
        super().__init__(daemon=True)
        self.zonefan, self.master, self.chance, self.rate = zonefan, master, chance, rate
        self.names = named("mirror", count)
        self.serial = 0
        self.sent = self.lost = 0
        self.halt = threading.Event()
        self.problem = None

    def run(self):
        try:
            while not self.halt.wait(self.chance.expovariate(self.rate)):
                self.once(self.chance.choice(self.names))
        except Exception as error:  # a thread's failure is the test's
            self.problem = f"the master's life: {error!r}"

    def once(self, name, lose=0.2):
        da = self.zonefan.da(hostname=self.master.identity, timeout=20)
        delete = name in self.master.zones and self.chance.random() < 0.06
        if delete:
            del self.master.zones[name]
        else:
            self.serial += 1
            self.master.put(name, self.serial)
        if self.chance.random() < lose:
            self.lost += 1
            return
        try:
            answer = da.delete(name) if delete else da.push(name, self.master.zones[name][1])
            self.sent += answer.error == "0"
            self.lost += answer.error != "0"
        except (OSError, NoAnswer):
            self.lost += 1

    def stop(self):
        self.halt.set()
        self.join(60)
        assert not self.is_alive() and self.problem is None, self.problem or "the master's life does not end"


class Accidents:
    """One fault after the other, chosen at random. Each is a method that begins it and gives the function that ends it."""

    def __init__(self, zonefan, dcs, master, life, chance):
        self.zonefan, self.dcs, self.master, self.life, self.chance = zonefan, dcs, master, life, chance
        self.kinds = [self.database_restarted, self.database_killed, self.database_frozen, self.refused, self.black_hole, self.slow,
                      self.read_only, self.rows_edited, self.rows_edited, self.master_odd]
        self.counts = dict.fromkeys(sorted({kind.__name__ for kind in self.kinds}), 0)
        self.edited = 0

    def begin(self):
        kind = self.chance.choice(self.kinds)
        self.counts[kind.__name__] += 1
        return kind(self.chance.choice(self.dcs))

    def database_restarted(self, centre):
        centre.db.stop()
        return centre.db.start

    def database_killed(self, centre):
        centre.db.kill()
        return centre.db.start

    def database_frozen(self, centre):
        centre.db.freeze()
        return centre.db.resume

    def refused(self, centre):
        centre.proxy.refuse()
        return centre.proxy.passing

    def black_hole(self, centre):
        centre.proxy.black_hole()
        return centre.proxy.passing

    def slow(self, centre):
        centre.proxy.slow(up=0.02, down=0.05)
        return centre.proxy.passing

    def read_only(self, centre):
        centre.db.set_read_only(True)
        return lambda: centre.db.set_read_only(False)

    def master_odd(self, _):
        self.master.faults = [login_page]
        self.master.dns.mode = self.chance.choice(["ok", "truncate"])

        def end():
            self.master.faults = []
        return end

    def rows_edited(self, centre):
        """Somebody's hands in the master's zones: nobody else watches those while they are wrong."""
        edits = ["DELETE r FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name=%s",
                 "UPDATE records r JOIN zones z ON z.id=r.zone_id SET r.data='192.0.2.251', r.ttl=9 WHERE z.zone_name=%s AND r.type='A'",
                 "INSERT INTO records (zone_id,hostname,type,data,ttl,online) SELECT id,'stray','A','192.0.2.252',60,1 FROM zones "
                 "WHERE zone_name=%s",
                 "UPDATE records r JOIN zones z ON z.id=r.zone_id SET r.online=0 WHERE z.zone_name=%s AND r.type='MX'",
                 "DELETE FROM zonefan_state WHERE zone_name=%s"]
        for name in self.chance.sample(self.life.names, 3):
            centre.db.sql(self.chance.choice(edits), name + ".")
            self.edited += 1
        return lambda: None


# ---- what it takes ----

class Timeline(threading.Thread):
    """A sample of the process, its store and what is pending, every `every` s; where zonefand is down, none."""

    heads = ("second", "start", "rss_mib", "descriptors", "threads", "store_mib", "wal_mib", "pending", "acknowledged")

    def __init__(self, zonefan, load, every):
        super().__init__(daemon=True)
        self.zonefan, self.load, self.every = zonefan, load, every
        self.samples = []
        self.starts = []   # pids, in their order
        self.began = time.monotonic()
        self.halt = threading.Event()

    def run(self):
        while not self.halt.wait(self.every):
            try:
                self.samples.append(self.sample())
            except (OSError, NoAnswer, AssertionError, KeyError, IndexError, ValueError):
                pass  # killed meanwhile

    def sample(self):
        process = self.zonefan.process
        if process.pid not in self.starts:
            self.starts.append(process.pid)
        held = resources(self.zonefan)
        pending = sum(entry["pending"] for entry in self.zonefan.status()["backends"])
        return (round(time.monotonic() - self.began, 1), self.starts.index(process.pid), round(held.rss_mib, 2), held.descriptors,
                held.threads, round(size_of(self.zonefan.store) / MIB, 3), round(size_of(self.zonefan.store + "-wal") / MIB, 3),
                pending, self.load.acknowledged())

    def write(self, path):
        with open(path, "w", encoding="ascii") as out:
            for line in (self.heads, *self.samples):
                out.write("\t".join(map(str, line)) + "\n")

    def stop(self):
        self.halt.set()
        self.join(60)

    def since(self, second):
        """{column: [(second, value)]} of the newest start's samples from then on."""
        last = self.samples[-1][1]
        kept = [sample for sample in self.samples if sample[0] >= second and sample[1] == last]
        return {head: [(sample[0], sample[column]) for sample in kept] for column, head in enumerate(self.heads)}


def size_of(path):
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def slope_an_hour(points):
    """Least squares: how much more of it an hour would bring."""
    fit = statistics.linear_regression([second for second, _ in points], [value for _, value in points])
    return fit.slope * 3600


def drift(points):
    """The median of the last third less that of the first."""
    third = max(1, len(points) // 3)
    values = [value for _, value in points]
    return statistics.median(values[-third:]) - statistics.median(values[:third])


def store_use(path):
    """
    Of a store, which may be in use: the bytes of each table with its indexes, those of its free pages, and how many events it has.
    """
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        owners = dict(store.execute("SELECT name, tbl_name FROM sqlite_master WHERE rootpage > 0"))
        tables = {}
        for name, size in store.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"):
            owner = owners.get(name, name)
            tables[owner] = tables.get(owner, 0) + size
        free = store.execute("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size").fetchone()[0]
        return tables, free, store.execute("SELECT count(*) FROM event").fetchone()[0]
    finally:
        store.close()


def live_bytes(path, copy):
    """What the rows alone take: the size of a copy that has been packed."""
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        store.execute("VACUUM INTO ?", (copy,))
    finally:
        store.close()
    size = os.path.getsize(copy)
    os.unlink(copy)
    return size
