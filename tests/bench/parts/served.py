# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader answering: how fast, how much memory, how soon after a commit; beside other servers of the same zones."""
import os
import subprocess
import threading
import time

import reader
import versions
import zones as bench_zones
from asker import Asker
from churn import Churn, Pusher, Stamps
from frame import dns, drive
from frame.cluster import Cluster, cpu_seconds, memory_kib, wait_delivered
from frame.result import Chart, Figure, Result, bar_of, cdf, percentile
from traffic import Dnsperf, write_questions

TITLE = ("CoreDNS with the plugin zonefan on 10,000 zones of 20 records, beside its own plugin `file`, Knot, and a stand-in for "
         "the public plugin")
FILE_BAR, PUBLIC_BAR, COMMIT_BAR = 0.8, 5, 1.5
FILE_ZONES = 100
CHANGED_ZONES = 2000
IN_FLIGHT = 200
MISS_LIMIT = 30
COLD_RCODES = ("NOERROR", "SERVFAIL")  # a question waits for a zone no longer than a second
SERVER_OPTIONS = ("--innodb-buffer-pool-size=256M",)
TESTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def add_arguments(parser):
    parser.add_argument("--served-zones", type=int, default=10000)
    parser.add_argument("--served-seconds", type=int, default=5, help="of a round of questions")
    parser.add_argument("--served-changes", type=int, default=200, help="zones that change in a second")


class Side:
    """A server, and the questions that it is measured with."""

    def __init__(self, label, server, questions):
        self.label = label
        self.server = server
        self.questions = questions


class Served:
    def __init__(self, ctx, cluster):
        self.ctx = ctx
        self.cluster = cluster
        self.db = cluster.servers[0]
        self.names = bench_zones.names("z", ctx.size(ctx.args.served_zones, 200))
        self.few = self.names[:ctx.size(FILE_ZONES, 20)]
        self.seconds = ctx.size(ctx.args.served_seconds, 1)
        self.serial = bench_zones.SERIAL
        self.zonefan = cluster.daemon({"healing": {"enabled": False}})
        self.push()
        reader.make_account(self.db)
        self.binary = reader.build("tests")
        self.all_questions = self.write("all", self.names)
        self.few_questions = self.write("few", self.few)
        ctx.log(f"{len(self.names):,} zones are in the database")

    def write(self, name, names):
        return write_questions(self.ctx.path(f"{name}.questions"), dns.questions(names))

    def push(self):
        drive.push(self.ctx, self.zonefan, drive.write_plan(self.ctx.path("held.plan"), self.names), 16)
        wait_delivered(self.zonefan)

    # ---- the servers ----

    def reader(self, name, bare=False):
        """A new installation, not started. bare: with no other plugins than the servers that it is compared with."""
        return reader.Reader(self.binary, self.ctx.path(name), reader.dsn(self.db.port), bare=bare)

    def others(self):
        stand_in = subprocess.run([os.path.join(TESTS, "coredns", "build")], check=True, stdout=subprocess.PIPE, text=True)
        return {"file": dns.FileServer(self.ctx.path("file"), self.binary, self.few),
                "stand-in": dns.StandIn(self.ctx.path("stand-in"), stand_in.stdout.strip(), self.db),
                "Knot": dns.Knot(self.ctx.path("knot"), self.names)}

    # ---- questions ----

    def ask(self, server, questions, rcodes=("NOERROR",), **more):
        """One run of dnsperf, in which no other rcodes may occur: its report, with the server's processor time per answer."""
        pid = server.process.pid
        before = cpu_seconds(pid)
        found = Dnsperf(server.port, questions, **more).wait()
        assert set(found["rcodes"]) <= set(rcodes), found["text"]
        assert found["lost"] <= found["sent"] / 1000, found["text"]
        found["cpu_us"] = (cpu_seconds(pid) - before) / found["completed"] * 1e6
        return found

    def round(self, side):
        found = self.ask(side.server, side.questions, limit=self.seconds)
        self.ctx.log(f"{side.label}: {found['rate']:,.0f} queries/s, {found['latency'] * 1e3:.2f} ms, "
                     f"{found['cpu_us']:.1f} µs each")
        return found

    def cold(self):
        """Every zone is asked for once, and nothing is loaded. From the database, then from the snapshot with it away."""
        path = write_questions(self.ctx.path("cold.questions"), [(f"www.{zone}", "A") for zone in self.names])
        coredns = self.reader("cold").start()
        found = {"database": self.ask(coredns, path, rcodes=COLD_RCODES, runs=1)}
        coredns.wait_metric("snapshot_zones", lambda count: count >= len(self.names), 600)
        coredns.stop()
        self.db.stop()
        coredns.start()
        found["snapshot"] = self.ask(coredns, path, rcodes=COLD_RCODES, runs=1)
        coredns.stop()
        self.db.start(*SERVER_OPTIONS)
        for source, one in found.items():
            self.ctx.log(f"cold, from the {source}: {one['rate']:,.0f} zones/s, slowest {one['slowest'] * 1e3:.0f} ms")
        return found

    # ---- changes ----

    def churn(self, coredns, prefix, per_second, count, load):
        """
        So many changes of zones with that prefix, each from its commit to the first right answer: seconds. load: questions
        a second of dnsperf beside, about other zones.
        """
        asker, pusher = Asker(coredns.port), Pusher(self.zonefan.da())
        changing = Churn(asker, pusher, Stamps(self.db), versions.names(prefix, CHANGED_ZONES), 1, MISS_LIMIT, IN_FLIGHT)
        beside = Dnsperf(coredns.port, self.all_questions, per_second=load) if load else None
        try:
            changing.run(count, per_second=per_second)
            changing.sweep()
        finally:
            pusher.end()
            asker.close()
            found = beside.end() if beside else None
        took = changing.latencies()
        self.ctx.log(f"{per_second} changes/s, {found['rate'] if found else 0:,.0f} queries/s beside: "
                     f"p50 {percentile(took, 50):.2f}, p99 {percentile(took, 99):.2f}, longest {max(took):.2f} s")
        return took

    def round_while_changing(self, side):
        """The same round while a record of each of so many zones changes in a second, among those that are asked for."""
        per_second, seconds = self.ctx.args.served_changes, self.seconds + 2
        self.serial += 1
        names = self.names[:per_second * seconds]
        plan = drive.write_plan(self.ctx.path("changes.plan"), names, serial=self.serial)
        pushes = threading.Thread(target=drive.push, args=(self.ctx, self.zonefan, plan, 8),
                                  kwargs={"per_second": per_second})
        pushes.start()
        time.sleep(1)  # from the first round of changes on
        found = self.round(side)
        pushes.join()
        wait_delivered(self.zonefan)
        return found


def memory(served):
    """Of the reader before and after all zones are loaded; bytes."""
    coredns = served.reader("memory").start()
    empty = coredns.memory()
    served.ask(coredns, served.all_questions, runs=1)
    coredns.wait_metric("loaded_zones", lambda count: count == len(served.names))
    full = coredns.memory()
    coredns.stop()
    return empty, full


def measure(served, ctx):
    """Everything, by name."""
    found = {"cold": [served.cold() for _ in range(ctx.pairs)]}
    found["memory"] = [memory(served) for _ in range(ctx.pairs)]
    coredns, others = served.reader("warm", bare=True).start(), served.others()
    try:
        for server in others.values():
            server.start(served.names[0])
        dns.same_answers([coredns.port, *(server.port for server in others.values())], dns.questions(served.few)[:100])
        found.update(warm(served, ctx, coredns, others))
        found["quiet"] = served.churn(coredns, "quiet", 20, ctx.size(400, 20), 0)
        found["loaded"] = served.churn(coredns, "loaded", ctx.args.served_changes, ctx.size(6000, 100), ctx.size(5000, 500))
        found["rss"] = {name: memory_kib(server.process.pid)["rss"] / 1024
                        for name, server in {"zonefan": coredns, **others}.items()}
    finally:
        for server in (coredns, *others.values()):
            server.stop()
    return found


def warm(served, ctx, coredns, others):
    """Pairs of rounds, each of zonefan and of what it is compared with."""
    few, every = served.few_questions, served.all_questions
    side = {"few": Side("zonefan, the zones of file", coredns, few), "all": Side("zonefan", coredns, every),
            "file": Side("file", others["file"], few), "stand-in": Side("the stand-in", others["stand-in"], few),
            "Knot": Side("Knot", others["Knot"], every)}
    for one in side.values():  # the uncounted round: all is loaded, and the stand-in has its answers
        served.round(one)
    served.ask(coredns, every, runs=1)
    found = {}
    for name, ours, theirs in (("file", "few", "file"), ("all", "all", "file"), ("stand-in", "few", "stand-in"),
                               ("Knot", "all", "Knot")):
        found[name] = ctx.alternate(ctx.pairs, lambda ours=ours: served.round(side[ours]),
                                    lambda theirs=theirs: served.round(side[theirs]))
    found["changing"] = ctx.alternate(ctx.pairs, lambda: served.round_while_changing(side["all"]),
                                      lambda: served.round(side["all"]))
    return found


# ---- what was found ----

def rates(rounds):
    return [one["rate"] for one in rounds]


def ratios(pair):
    """Pair by pair."""
    return [a / b for a, b in zip(rates(pair[0]), rates(pair[1]))]


def rate_figures(served, found):
    zones, few = f"{len(served.names):,} zones", f"{len(served.few)} zones"
    sides = ((f"zonefan, {zones}", found["Knot"][0]), (f"zonefan, asked for {few} of them", found["file"][0]),
             (f"file, {few}", found["file"][1]), (f"the stand-in, asked for {few}", found["stand-in"][1]),
             (f"Knot, {zones}", found["Knot"][1]))
    for label, rounds in sides:
        yield Figure(f"warm: {label}", "queries/s", rates(rounds), main=True)
        yield Figure(f"warm: {label}: mean latency", "ms", [one["latency"] * 1e3 for one in rounds])
        yield Figure(f"warm, {label}: processor time of the server", "µs/query", [one["cpu_us"] for one in rounds])
    yield Figure("zonefan / file, the same questions", "", ratios(found["file"]), bar=FILE_BAR)
    yield Figure(f"zonefan asked for {zones} / file asked for {few}", "", ratios(found["all"]), bar=FILE_BAR)
    yield Figure("zonefan / the stand-in, the same questions", "", ratios(found["stand-in"]), bar=PUBLIC_BAR)
    yield Figure("zonefan / Knot", "", ratios(found["Knot"]), main=True)
    changing = f"while {served.ctx.args.served_changes} zones/s change"
    yield Figure(f"warm: zonefan, {zones}, {changing}", "queries/s", rates(found["changing"][0]), main=True)
    yield Figure(f"zonefan {changing} / without", "", ratios(found["changing"]), main=True)


def cold_figures(found):
    for source in ("database", "snapshot"):
        rounds = [one[source] for one in found["cold"]]
        yield Figure(f"cold, from the {source}: each zone asked for once", "zones/s", rates(rounds), main=True)
        yield Figure(f"cold, from the {source}: the slowest answer", "ms", [one["slowest"] * 1e3 for one in rounds])
        yield Figure(f"cold, from the {source}: SERVFAIL, the zone came too late", "answers",
                     [one["rcodes"].get("SERVFAIL", 0) for one in rounds])


def memory_figures(served, found):
    records = len(served.names) * bench_zones.RECORDS
    full = [one for _, one in found["memory"]]
    yield Figure("memory: a record, by the plugin's estimate, index included", "bytes",
                 [one["estimate"] / records for one in full], main=True)
    yield Figure("memory: a record, resident, loaded less not loaded", "bytes",
                 [(one["rss"] - empty["rss"]) / records for empty, one in found["memory"]])
    yield Figure("memory: resident, nothing loaded", "MiB", [empty["rss"] / 2**20 for empty, _ in found["memory"]])
    yield Figure("memory: resident, all loaded", "MiB", [one["rss"] / 2**20 for one in full], main=True)
    for name, mib in found["rss"].items():
        yield Figure(f"memory: {name}, resident after all rounds", "MiB", mib, main=name != "zonefan")


def commit_figures(served, found):
    many = f"{served.ctx.args.served_changes} changes/s and 5,000 queries/s"
    for kind, label in (("quiet", "20 changes/s"), ("loaded", many)):
        took = found[kind]
        yield Figure(f"COMMIT to the first right answer, {label}, p50", "s", percentile(took, 50), main=True)
        yield Figure(f"COMMIT to the first right answer, {label}, p99", "s", percentile(took, 99), main=True)
        yield Figure(f"COMMIT to the first right answer, {label}, longest", "s", max(took), bar=COMMIT_BAR, at_least=False)


def charts(served, found):
    sides = (("zonefan", "all", 0), ("zonefan, file's zones", "file", 0), ("file", "file", 1),
             ("the stand-in", "stand-in", 1), ("Knot", "Knot", 1))
    bars = [bar_of(label, rates(found[name][side])) for label, name, side in sides]
    shares = {"20 changes/s": cdf(found["quiet"]), f"{served.ctx.args.served_changes} changes/s": cdf(found["loaded"])}
    return [Chart("rate", "Warm: queries answered per second", "", "queries/s", {"dnsperf": bars}),
            Chart("commit", "From COMMIT to the first right answer, refresh 1s", "seconds", "share", shares, kind="cdf")]


def run(ctx):
    with Cluster(ctx, 1, SERVER_OPTIONS) as cluster:
        served = Served(ctx, cluster)
        found = measure(served, ctx)
        settings = {"zones": f"{len(served.names):,}", "records": bench_zones.RECORDS, "seconds a round": served.seconds,
                    "questions": "one for each RRset, none that is not there", **cluster.settings()}
        cluster.stop_daemon(served.zonefan)
    notes = ["The stand-in is written from the measured description of the public plugin (tests/coredns/README.md), which "
             "could not be had here; CoreDNS 1.10.1, warm and static, the state in which the public plugin survives."]
    figures = [*rate_figures(served, found), *cold_figures(found), *memory_figures(served, found),
               *commit_figures(served, found)]
    return Result("served", TITLE, figures, settings, notes, charts(served, found), found)
