# SPDX-License-Identifier: GPL-3.0-or-later
"""A full healing pass over databases that are right, and over databases of which one zone in a hundred is not."""
import random
import time

import zones as bench_zones
from frame import drive
from frame.cluster import Cluster, CpuMeter, wait_delivered
from frame.result import Chart, Figure, Result, bar_of

TITLE = "a healing pass over 2 databases: nothing wrong, and 1 % of the zones wrong"
PUSHERS = 16
DATABASES = 2
POLL_SECONDS = 0.1
PASS_LIMIT = 600
WRONG_PERCENT = 1
SECONDS_BAR = 10       # per database, for BAR_ZONES zones
BAR_ZONES = 100000
QUERIES_BAR = 10       # per 1,000 zones
COUNTERS = ("Questions", "Bytes_sent", "Bytes_received")
DIFFER = ("missing", "changed", "stamp", "undeleted", "stray")
# 2,000,000 records take about 500 MB; the servers hold them in memory, as they would in the field.
SERVER_OPTIONS = ("--innodb-buffer-pool-size=768M",)


def add_arguments(parser):
    parser.add_argument("--heal-zones", type=int, nargs="+", default=[10000, BAR_ZONES])


def counters(server):
    names = ", ".join(f"'{name}'" for name in COUNTERS)
    found = dict(server.sql(f"SHOW GLOBAL STATUS WHERE variable_name IN ({names})"))
    return {name: int(found[name]) for name in COUNTERS}


class Traffic:
    """What a server was asked since this was made, without the asking for it."""

    def __init__(self, server):
        self.server = server
        first = counters(server)
        self.before = counters(server)
        self.own = {name: self.before[name] - first[name] for name in COUNTERS}

    def used(self):
        now = counters(self.server)
        return {name: now[name] - self.before[name] - self.own[name] for name in COUNTERS}


def heal(zonefan):
    """One pass at all back ends, waited for: {back end: what came of it}."""
    answer = zonefan.da().request("POST", "/api/v1/heal")
    assert answer.status == 200, answer
    number = answer.json()["pass"]
    limit = time.monotonic() + PASS_LIMIT
    while True:
        parts = {entry["name"]: entry["heal"] for entry in zonefan.api("/api/v1/heal")["backends"]}
        if all(part and part["pass"] == number and part["ended_at"] for part in parts.values()):
            assert {part["state"] for part in parts.values()} == {"done"}, parts
            return parts
        assert time.monotonic() < limit, f"the pass does not end: {parts}"
        time.sleep(POLL_SECONDS)


class Healing:
    """A cluster that holds so many zones, all right."""

    def __init__(self, ctx, cluster, count):
        self.ctx = ctx
        self.cluster = cluster
        self.count = count
        self.random = random.Random(count)
        self.names = bench_zones.names("z", count)
        self.zonefan = cluster.daemon()
        drive.push(ctx, self.zonefan, drive.write_plan(ctx.path("heal.plan"), self.names), PUSHERS)
        wait_delivered(self.zonefan)
        self.truth = cluster.digest()
        assert self.truth[0] == str(count * bench_zones.RECORDS)
        ctx.log(f"{count:,} zones are in {len(cluster.servers)} databases")

    def measure(self, damaged):
        """A pass; damaged: how many zones are wrong at each database."""
        self.cluster.settle()
        traffic = [Traffic(server) for server in self.cluster.servers]
        meter = CpuMeter(self.cluster.processes(self.zonefan))
        begun = time.monotonic()
        parts = heal(self.zonefan)
        waited = time.monotonic() - begun
        cpu = meter.used()
        asked = [one.used() for one in traffic]
        for name, part in parts.items():
            differ = sum(part[key] for key in DIFFER)
            assert (part["compared"], differ, part["repaired"]) == (self.count, damaged, damaged), f"{name}: {part}"
        seconds = [part["seconds"] for part in parts.values()]
        assert max(seconds) <= waited <= max(seconds) + 1, f"waited for {waited:.2f} s, told {seconds}"
        self.ctx.log(f"{self.count:,} zones, {damaged} wrong at each database: {max(seconds):.2f} s")
        return {"seconds": max(seconds), "seconds_each": seconds,
                "cpu_us": {name: used / self.count * 1e6 for name, used in cpu.items()},
                "asked": {name: sum(one[name] for one in asked) / len(asked) for name in COUNTERS}}

    def clean(self):
        return self.measure(0)

    def wrong(self):
        """What is wrong differs from database to database, in four ways: changed, lost and added records, lost zones."""
        share = max(1, self.count * WRONG_PERCENT // 100 // 4)
        for server in self.cluster.servers:
            picked = self.random.sample(self.names, 4 * share)
            damage(server, [picked[i::4] for i in range(4)])
        found = self.measure(4 * share)
        assert self.cluster.digest() == self.truth, "a pass did not repair what was wrong"
        return found


def ids(server, names):
    found = server.sql(f"SELECT id FROM zones WHERE zone_name IN ({', '.join(repr(name + '.') for name in names)})")
    assert len(found) == len(names)
    return ", ".join(str(row[0]) for row in found)


def damage(server, kinds):
    changed, lost, added, gone = (ids(server, names) for names in kinds)
    server.sql(f"UPDATE records SET data='203.0.113.99' WHERE zone_id IN ({changed}) AND hostname='www' AND type='A'")
    server.sql(f"DELETE FROM records WHERE zone_id IN ({lost}) AND type='MX'")
    server.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) "
               f"SELECT id, 'added', 'A', '203.0.113.98', 60, 1 FROM zones WHERE id IN ({added})")
    server.sql(f"DELETE s FROM zonefan_state s JOIN zones z ON z.zone_name=s.zone_name WHERE z.id IN ({gone})")
    server.sql(f"DELETE FROM records WHERE zone_id IN ({gone})")
    server.sql(f"DELETE FROM zones WHERE id IN ({gone})")


def figures(count, clean, wrong):
    at = f"{count:,} zones"
    bar = SECONDS_BAR if count == BAR_ZONES else None
    yield Figure(f"{at} per database: pass, nothing wrong", "s", [one["seconds"] for one in clean], bar=bar,
                 at_least=False, main=True)
    yield Figure(f"{at} per database: pass, {WRONG_PERCENT} % wrong, until all is right again", "s",
                 [one["seconds"] for one in wrong], main=True)
    yield Figure(f"{at}: queries per 1,000 zones, nothing wrong", "", [
        one["asked"]["Questions"] / count * 1000 for one in clean], bar=QUERIES_BAR if bar else None, at_least=False,
                 main=True)
    yield Figure(f"{at}: statements per 1,000 zones, {WRONG_PERCENT} % wrong", "", [
        one["asked"]["Questions"] / count * 1000 for one in wrong])
    for label, rounds in (("nothing wrong", clean), (f"{WRONG_PERCENT} % wrong", wrong)):
        yield Figure(f"{at}: sent to the database, {label}", "bytes/zone", [
            one["asked"]["Bytes_received"] / count for one in rounds])
        yield Figure(f"{at}: received from the database, {label}", "bytes/zone", [
            one["asked"]["Bytes_sent"] / count for one in rounds])
        for name in sorted(rounds[0]["cpu_us"]):
            yield Figure(f"{at}: processor time of {name}, {label}", "µs/zone", [one["cpu_us"][name] for one in rounds])


def run(ctx):
    sizes = ctx.size(ctx.args.heal_zones, [500])
    made, raw, settings = [], {}, {}
    bars = {"nothing wrong": [], f"{WRONG_PERCENT} % wrong": []}
    with Cluster(ctx, DATABASES, SERVER_OPTIONS) as cluster:
        settings = {"zones": ", ".join(f"{size:,}" for size in sizes), "records": bench_zones.RECORDS,
                    "databases": DATABASES, "wrong zones": f"{WRONG_PERCENT} %", **cluster.settings()}
        for count in sizes:
            cluster.reset()
            healing = Healing(ctx, cluster, count)
            healing.clean()  # not counted: the servers' memory fills
            clean, wrong = ctx.alternate(ctx.pairs, healing.clean, healing.wrong)
            cluster.stop_daemon(healing.zonefan)
            made += figures(count, clean, wrong)
            raw[f"{count} zones"] = {"clean": clean, "wrong": wrong}
            for label, rounds in zip(bars, (clean, wrong)):
                bars[label].append(bar_of(f"{count:,} zones", [one["seconds"] for one in rounds]))
    notes = ["Both databases are compared at the same time, on the same processors; the slower one counts.",
             "Wrong zones: a quarter each with a changed, a lost and an added record, and lost altogether; others at "
             "each database. The pass ends when they are repaired; all rows are compared after it."]
    charts = [Chart("seconds", f"A healing pass, zones of {bench_zones.RECORDS} records", "", "s", bars)]
    return Result("heal", TITLE, made, settings, notes, charts, raw)
