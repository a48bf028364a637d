# SPDX-License-Identifier: GPL-3.0-or-later
"""The rounds of the bench: zonefand fed over HTTP, and the plain loader, into the same two databases."""
import json
import os
import subprocess
import time

import zones as bench_zones
from zf.daemon import Zonefan
from zf.mariadb import DATABASE, MariaDB, make_template

SERVER_OPTIONS = ("--innodb-buffer-pool-size=256M", "--userstat=0")
DRAIN_LIMIT = 300
PAUSE_MS = 20

DURABILITY = ("innodb_flush_log_at_trx_commit", "innodb_doublewrite", "innodb_flush_method", "innodb_buffer_pool_size",
              "innodb_log_file_size", "innodb_use_native_aio", "log_bin", "sync_binlog", "version")

ROWS_SQL = ("SELECT z.zone_name, r.hostname, r.type, r.data, r.ttl FROM zones z JOIN records r ON r.zone_id=z.id "
            "WHERE r.online=1 ORDER BY z.zone_name, r.hostname, r.type, r.data")


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_seconds():
    """The same of all programs that were run and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def memory_kib(pid):
    """Resident now and at its highest."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        values = dict(line.split(":", 1) for line in status)
    return {key: int(values[name].split()[0]) for key, name in (("rss", "VmRSS"), ("peak", "VmHWM"))}


class Bench:
    def __init__(self, directory, programs, count, workers):
        self.directory = directory
        self.programs = programs
        self.count = count
        self.workers = workers
        template = make_template(directory)
        self.servers = [MariaDB(name, template, directory) for name in ("dc1", "dc2")]
        self.schema = []
        self.rows = None
        self.made = 0
        self.zonefan = None

    def start(self):
        for server in self.servers:
            server.password = self.servers[0].password  # the loader and the pusher know one
            # A server that starts removes all temporary tables in its tmpdir, whosesoever they are.
            server.start(*SERVER_OPTIONS, f"--tmpdir={server.directory}")
            server.reset()

    def finish(self):
        if self.zonefan is not None and self.zonefan.alive():
            self.zonefan.kill9()
        for server in self.servers:
            server.destroy()

    def path(self, name):
        return os.path.join(self.directory, name)

    # ---- the databases ----

    def settings(self):
        """{variable: value}, which must be the same at both servers."""
        found = []
        for server in self.servers:
            found.append({name: str(server.value(f"SELECT @@{name}")) for name in DURABILITY})
        assert found[0] == found[1], f"the servers differ: {found}"
        return found[0]

    def reset(self):
        """Both databases as zonefand made them, without a row but the catch-all one, if it made that."""
        for server in self.servers:
            server.reset()
            for statement in self.schema:
                server.sql(statement)

    def keep_schema(self):
        server = self.servers[0]
        self.schema = [server.sql(f"SHOW CREATE TABLE {table}")[0][1] for table in ("zones", "records", "zonefan_state")]
        if server.value("SELECT COUNT(*) FROM zones WHERE zone_name=''"):
            self.schema.append("INSERT INTO zones (zone_name) VALUES ('')")

    def held(self, server):
        return server.value("SELECT COUNT(*) FROM zones WHERE zone_name<>''")

    def wait_held(self, server):
        """The monotonic time at which the server held all zones, found within a few milliseconds."""
        limit = time.monotonic() + DRAIN_LIMIT
        while self.held(server) != self.count:
            assert time.monotonic() < limit, \
                f"{server.name} holds {self.held(server)} zones:\n{self.zonefan.log_tail()}"
            time.sleep(0.002)
        return time.monotonic_ns()

    def content(self):
        """The records of both databases, which must be the same."""
        both = [server.sql(ROWS_SQL) for server in self.servers]
        assert both[0] == both[1], "the two databases differ"
        return both[0]

    def check_content(self, who):
        assert self.content() == self.rows, f"{who} did not write the rows that the first round wrote"

    def keep_rows(self):
        """What zonefand wrote first is what the loader will write."""
        self.rows = self.content()
        expected = self.count * bench_zones.RECORDS
        assert len(self.rows) == expected, f"{len(self.rows)} rows instead of {expected}"
        with open(self.path("rows.tsv"), "w", encoding="ascii") as out:
            for row in self.rows:
                fields = [str(field) for field in row]
                assert not any("\t" in field or "\n" in field for field in fields)
                out.write("\t".join(fields) + "\n")

    # ---- zonefand ----

    def start_zonefan(self):
        """A new installation with an empty store."""
        self.made += 1
        backends = [(server.name, server, server.port) for server in self.servers]
        self.zonefan = Zonefan(self.path(f"zonefan{self.made}"), backends, {"log_level": "warning"})
        self.zonefan.start()
        for server in self.servers:
            self.zonefan.wait_lane(server.name, "up")

    def stop_zonefan(self):
        self.zonefan.stop()
        self.zonefan = None

    def push(self, plan, workers, watched=False):
        """Runs the pusher; its report."""
        report = self.path("pushes.json")
        arguments = [self.programs["bench_pusher"], plan, report, str(self.zonefan.port), str(workers), self.zonefan.user]
        if watched:
            arguments += [str(PAUSE_MS), self.servers[0].user, DATABASE, *(str(s.port) for s in self.servers)]
        environment = {**os.environ, "BENCH_PASSWORD": self.zonefan.password,
                       "BENCH_DB_PASSWORD": self.servers[0].password}
        subprocess.run(arguments, check=True, env=environment)
        with open(report, encoding="ascii") as text:
            return json.load(text)

    def processes(self):
        found = {server.name: server.process.pid for server in self.servers}
        if self.zonefan is not None:
            found["zonefand"] = self.zonefan.process.pid
        return found

    def zonefan_round(self, keep=False):
        """From the first push to the last commit at the slower database."""
        self.reset()
        self.start_zonefan()
        plan = self.path("all.plan")
        bench_zones.write_plan(plan, [(name, bench_zones.text(name)) for name in bench_zones.names("z", self.count)])
        idle = memory_kib(self.zonefan.process.pid)
        before = {name: cpu_seconds(pid) for name, pid in self.processes().items()}
        pusher = children_seconds()
        report = self.push(plan, self.workers)
        pusher = children_seconds() - pusher
        ends = {}
        for server in self.servers:
            ends[server.name] = self.wait_held(server)
        seconds = (max(ends.values()) - report["start_ns"]) / 1e9
        acks = [push[1] for push in report["pushes"]]
        result = {
            "seconds": seconds, "rate": self.count / seconds, "ack_seconds": max(acks) / 1e6,
            "ack_rate": self.count / (max(acks) / 1e6),
            "ack_us": [ack - start for start, ack, _ in report["pushes"]],
            "cpu": {name: cpu_seconds(pid) - before[name] for name, pid in self.processes().items()},
            "memory_idle_kib": idle, "memory_kib": memory_kib(self.zonefan.process.pid),
        }
        result["cpu"]["pusher"] = pusher
        if self.rows is None:
            self.keep_schema()
            self.keep_rows()
        self.check_content("zonefand")
        if not keep:
            self.stop_zonefan()
        return result

    # ---- latency, one push at a time, beside the zones of the round before ----

    def latency(self, count):
        """{"new": ..., "edit": ...}: for each push (microseconds to the answer, to the commit in both)."""
        serial = bench_zones.SERIAL + 1

        def is_new(name):
            return f"SELECT 1 FROM zones WHERE zone_name='{name}.'"

        def is_edited(name):
            return ("SELECT 1 FROM records r JOIN zones z ON z.id=r.zone_id WHERE "
                    f"z.zone_name='{name}.' AND r.hostname='_version' AND r.type='TXT' AND r.data='\"{serial}\"'")

        found = {}
        for kind, names, sql in (("new", bench_zones.names("n", count), is_new),
                                 ("edit", bench_zones.names("z", count), is_edited)):
            plan = self.path(f"{kind}.plan")
            bench_zones.write_plan(plan, [(name, bench_zones.text(name, serial)) for name in names], sql)
            report = self.push(plan, 1, watched=True)
            found[kind] = [(ack - start, commit - start) for start, ack, commit in report["pushes"]]
        return found

    # ---- the loader ----

    def loader_round(self, zones_per_transaction):
        self.reset()
        before = {name: cpu_seconds(pid) for name, pid in self.processes().items()}
        loader = children_seconds()
        arguments = [self.programs["bench_loader"], self.path("rows.tsv"), str(zones_per_transaction),
                     self.servers[0].user, DATABASE, *(str(server.port) for server in self.servers)]
        done = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "BENCH_DB_PASSWORD": self.servers[0].password})
        result = json.loads(done.stdout)
        assert result["zones"] == self.count
        result["rate"] = self.count / result["seconds"]
        result["cpu"] = {name: cpu_seconds(pid) - before[name] for name, pid in self.processes().items()}
        result["cpu"]["loader"] = children_seconds() - loader
        self.check_content("the loader")
        return result
