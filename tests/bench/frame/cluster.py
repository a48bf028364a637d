# SPDX-License-Identifier: GPL-3.0-or-later
"""N database servers alike, the daemon that writes to them, and what each process costs."""
import contextlib
import os
import sqlite3
import time

from zf.daemon import Zonefan
from zf.mariadb import TABLES, MariaDB, make_template

SERVER_OPTIONS = ("--innodb-buffer-pool-size=256M", "--userstat=0")
CONVERGE_LIMIT = 600
POLL_SECONDS = 0.1
SETTLE_LIMIT = 120
HISTORY_AT_REST, DIRTY_AT_REST = 50, 10

SETTINGS = ("version", "innodb_flush_log_at_trx_commit", "innodb_doublewrite", "innodb_flush_method",
            "innodb_buffer_pool_size", "innodb_log_file_size", "innodb_use_native_aio", "log_bin", "sync_binlog")

ROWS_SQL = ("SELECT z.zone_name, r.hostname, r.type, r.data, r.ttl FROM zones z JOIN records r ON r.zone_id=z.id "
            "WHERE r.online=1 ORDER BY z.zone_name, r.id")

# Equal for equal sets of rows, in whatever order and with whatever ids: a count, and sums of both halves of each MD5.
DIGEST_SQL = ("SELECT COUNT(*), SUM(CAST(CONV(LEFT(h, 16), 16, 10) AS UNSIGNED)), "
              "SUM(CAST(CONV(RIGHT(h, 16), 16, 10) AS UNSIGNED)) FROM "
              "(SELECT MD5(CONCAT_WS('\t', z.zone_name, r.hostname, r.type, r.data, r.ttl, r.online)) h "
              "FROM zones z JOIN records r ON r.zone_id=z.id) rows_hashed")


def cpu_seconds(pid):
    """User and system time of a process so far, all its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid):
    """Resident now ("rss") and at its highest ("peak")."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        values = dict(line.split(":", 1) for line in status)
    return {key: int(values[name].split()[0]) for key, name in (("rss", "VmRSS"), ("peak", "VmHWM"))}


class CpuMeter:
    """Processor time of processes since it was made."""

    def __init__(self, processes):
        """processes: {name: pid}"""
        self.processes = dict(processes)
        self.before = {name: cpu_seconds(pid) for name, pid in self.processes.items()}

    def used(self):
        return {name: cpu_seconds(pid) - self.before[name] for name, pid in self.processes.items()}


def at_rest(server):
    values = dict(server.sql("SHOW GLOBAL STATUS WHERE variable_name IN "
                             "('Innodb_history_list_length', 'Innodb_buffer_pool_pages_dirty')"))
    return (int(values["Innodb_history_list_length"]) <= HISTORY_AT_REST and
            int(values["Innodb_buffer_pool_pages_dirty"]) <= DIRTY_AT_REST)


class Cluster:
    """with Cluster(ctx, 2) as cluster: ... Servers dc1, dc2, ... with one account and one password."""

    def __init__(self, ctx, count, options=()):
        self.ctx = ctx
        self.options = options
        self.directory = ctx.path(f"cluster{count}")
        os.makedirs(self.directory)
        template = make_template(self.directory)
        self.servers = [MariaDB(f"dc{i + 1}", template, self.directory) for i in range(count)]
        for server in self.servers:
            server.password = self.servers[0].password  # the bench's programs know one
        self.schema = []
        self.daemons = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.destroy()
            raise
        return self

    def __exit__(self, *_):
        self.destroy()

    def start(self):
        for server in self.servers:
            server.start(*SERVER_OPTIONS, *self.options)
        self.reset()
        self.settings()

    def destroy(self):
        for zonefan in self.daemons:
            if zonefan.alive():
                zonefan.kill9()
        for server in self.servers:
            server.destroy()

    @property
    def ports(self):
        return [server.port for server in self.servers]

    @property
    def login(self):
        return self.servers[0].user, self.servers[0].password

    def processes(self, *daemons):
        """{name: pid} of the servers, and of one daemon as "zonefand"."""
        found = {server.name: server.process.pid for server in self.servers}
        for zonefan in daemons:
            found["zonefand"] = zonefan.process.pid
        return found

    # ---- the databases ----

    def settings(self):
        """{variable: value}, which must be the same at all servers."""
        found = [{name: str(server.value(f"SELECT @@{name}")) for name in SETTINGS} for server in self.servers]
        assert all(one == found[0] for one in found), f"the servers differ: {found}"
        return found[0]

    def reset(self):
        """Drops all databases and makes them anew: empty, or with the tables of keep_schema()."""
        for server in self.servers:
            server.reset()
            for statement in self.schema:
                server.sql(statement)

    def keep_schema(self):
        """From now on reset() makes the tables that zonefand made, and the catch-all row if it made that."""
        server = self.servers[0]
        self.schema = [server.sql(f"SHOW CREATE TABLE {table}")[0][1] for table in TABLES]
        if server.value("SELECT COUNT(*) FROM zones WHERE zone_name=''"):
            self.schema.append("INSERT INTO zones (zone_name) VALUES ('')")

    def make_schema(self):
        """keep_schema() of what a daemon with empty databases makes."""
        self.reset()
        self.stop_daemon(self.daemon())
        self.keep_schema()
        self.reset()

    def digest(self):
        """Of all records, their zones' names included; the same at all servers, or it fails."""
        found = [server.sql(DIGEST_SQL)[0] for server in self.servers]
        assert all(one == found[0] for one in found), f"the databases differ: {found}"
        return tuple(str(value) for value in found[0])

    def rows(self):
        """All records of the first server: (zone, hostname, type, data, ttl), zone by zone."""
        return self.servers[0].sql(ROWS_SQL)

    def settle(self):
        """
        Waits until no server has work left over that would be charged to the next round: deleted rows are purged,
        changed pages are written. That takes two turns of InnoDB's page cleaner, a second each; --quick does without.
        """
        if self.ctx.quick:
            return
        limit = time.monotonic() + SETTLE_LIMIT
        usual = [server.value("SELECT @@GLOBAL.innodb_max_dirty_pages_pct") for server in self.servers]
        for server in self.servers:
            server.sql("SET GLOBAL innodb_max_dirty_pages_pct=0")
        for server, value in zip(self.servers, usual):
            while not at_rest(server):
                assert time.monotonic() < limit, f"{server.name} does not come to rest"
                time.sleep(0.02)
            server.sql("SET GLOBAL innodb_max_dirty_pages_pct=%s", value)

    # ---- the daemon ----

    def daemon(self, config=None, ports=None, wait_up=True):
        """
        A new installation with an empty store, started. ports: where its back ends are reached, if not at the servers
        themselves. To start it again with the store it has: stop_daemon(it), it.start().
        """
        backends = [(server.name, server, port) for server, port in zip(self.servers, ports or self.ports)]
        zonefan = Zonefan(os.path.join(self.directory, f"zonefan{len(self.daemons) + 1}"), backends,
                          {"log_level": "warning"})
        if config:
            zonefan.configure(config)
        self.daemons.append(zonefan)
        zonefan.start()
        if wait_up:
            for server in self.servers:
                zonefan.wait_lane(server.name, "up")
        return zonefan

    def stop_daemon(self, zonefan):
        """An orderly end, and whatever it said must be harmless."""
        zonefan.stop()


def wait_delivered(zonefan):
    """
    Waits until nothing is pending at any back end. Asked ten times a second, so that the question costs little; when
    it was is then told by delivered_at.
    """
    limit = time.monotonic() + CONVERGE_LIMIT
    while any(zonefan.pending().values()):
        assert time.monotonic() < limit, f"not delivered: {zonefan.pending()}:\n{zonefan.log_tail()}"
        time.sleep(POLL_SECONDS)


def delivered_at(zonefan):
    """
    {back end: (first, last)}: wall clock in s at which its zones were known to be committed there, as the store has
    it: noted after the database's answer, so a little later than the commit itself, never earlier.
    """
    with contextlib.closing(sqlite3.connect(f"file:{zonefan.store}?mode=ro", uri=True)) as store:
        rows = store.execute("SELECT b.name, MIN(d.applied_at), MAX(d.applied_at) FROM delivery d "
                             "JOIN backend b ON b.id=d.backend_id GROUP BY b.id").fetchall()
    return {name: (first / 1e6, last / 1e6) for name, first, last in rows}


def applied_at(zonefan):
    """{back end: {zone: wall clock in µs}} of the same, zone by zone."""
    found = {}
    with contextlib.closing(sqlite3.connect(f"file:{zonefan.store}?mode=ro", uri=True)) as store:
        for backend, zone, at in store.execute("SELECT b.name, z.name, d.applied_at FROM delivery d "
                                               "JOIN backend b ON b.id=d.backend_id JOIN zone z ON z.id=d.zone_id"):
            found.setdefault(backend, {})[zone] = at
    return found


def changed_at(server):
    """
    {zone: wall clock in µs} of the last change there, by the database's clock, which is this machine's: taken in the
    last statement before COMMIT, so a little earlier than the commit itself, never later.
    """
    return dict(server.sql("SELECT zone_name, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', changed_at) FROM zonefan_state"))
