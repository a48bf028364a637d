# SPDX-License-Identifier: GPL-3.0-or-later
"""One push at a time, nothing else to do: until committed in both databases, against the least that takes."""
import json

import zones as bench_zones
from frame import drive, single
from frame.cluster import Cluster, applied_at, wait_delivered
from frame.result import Chart, Figure, Result, cdf, percentile
from frame.warm import warm_up
from zf.mariadb import DATABASE

TITLE = "one push at a time to 2 databases, until its commit is noted of both, against one bare commit and one bare transaction"
BAR = 3.0
PAUSE_MS = 20
WARM = 1000
DRIFT_MOST_US = 200


def add_arguments(parser):
    parser.add_argument("--latency-pushes", type=int, default=200, help="of each kind, per round")


class Latency:
    def __init__(self, ctx, cluster):
        self.ctx = ctx
        self.cluster = cluster
        self.made = 0
        self.names = bench_zones.names("z", ctx.size(ctx.args.latency_pushes, 10))
        self.plans = single.write_plans(ctx, self.names)
        self.rows = {kind: ctx.path(f"{kind}.rows") for kind in self.plans}
        cluster.make_schema()
        self.learn()

    def learn(self):
        """A round that is not counted: what zonefan writes, the bare transactions write too."""
        held, names = {}, set(self.names)

        def keep(kind):
            held[kind] = [row for row in self.cluster.rows() if row[0].rstrip(".") in names]
        self.pushed(self.follow, keep)
        before = set(held["new"])
        changed = [row for row in held["change"] if row not in before]
        assert sorted({row[2] for row in changed}) == ["SOA", "TXT"], "more than the SOA and one record has changed"
        drive.write_rows(self.rows["new"], held["new"])
        drive.write_rows(self.rows["change"], changed)

    def pushed(self, push, after=lambda kind: None):
        """{kind: what push made of its plan}, from an empty store and empty databases."""
        self.cluster.reset()
        zonefan = self.cluster.daemon()
        warm_up(self.ctx, zonefan, self.ctx.size(WARM, 10), 1)
        wait_delivered(zonefan)
        found = {}
        for kind, plan in self.plans.items():
            self.cluster.settle()
            found[kind] = push(zonefan, plan)
            after(kind)
        self.cluster.stop_daemon(zonefan)
        return found

    def note(self, zonefan, plan):
        """Nobody asks the databases: a commit counts when zonefan has its answer and the engine has noted it."""
        pushes = drive.push(self.ctx, zonefan, plan, 1, per_second=1000 / PAUSE_MS)
        wait_delivered(zonefan)
        applied = applied_at(zonefan)
        known_us = [max(at[name + "."] for at in applied.values()) - pushes["start_wall_us"] for name in self.names]
        found = {"answer_us": [answer - start for start, answer, _ in pushes["pushes"]],
                 "commit_us": [known - start for known, (start, _, _) in zip(known_us, pushes["pushes"])]}
        # Pushes are timed by the monotonic clock, commits by the wall clock.
        assert abs(pushes["wall_drift_us"]) < DRIFT_MOST_US, f"the clocks drift: {pushes['wall_drift_us']} µs"
        assert min(found["commit_us"]) > 0, "a commit was noted before its push began"
        return found

    def follow(self, zonefan, plan):
        """A commit counts when a further connection, which asks again and again, sees it."""
        pushes = drive.push(self.ctx, zonefan, plan, 1, self.cluster, PAUSE_MS)
        return {"seen_us": [commit - start for start, _, commit in pushes["pushes"]],
                "error_us": pushes["commit_error_us"]}

    def zonefan_round(self):
        noted = self.pushed(self.note)
        seen = self.pushed(self.follow)
        for kind, label in single.KINDS.items():
            self.ctx.log(f"zonefan, {label}: p50 {percentile(noted[kind]['commit_us'], 50)} µs, "
                         f"seen {percentile(seen[kind]['seen_us'], 50)} µs")
        return {kind: {**noted[kind], **seen[kind]} for kind in self.plans}

    def bare_round(self):
        """The same texts into a bare SQLite file, then the same rows into one of the databases."""
        self.cluster.reset()
        self.made += 1
        found = {}
        for kind, plan in self.plans.items():
            output, _ = self.ctx.run_program("bench_commit", plan, self.ctx.path(f"bare{self.made}.sqlite"), 1, PAUSE_MS)
            found[kind] = {"commit_us": json.loads(output)["commits_us"]}
        user, password = self.cluster.login
        for kind in self.plans:
            self.cluster.settle()
            output, _ = self.ctx.run_program("bench_loader", "-p", PAUSE_MS, kind, self.rows[kind], 1, user, DATABASE,
                                             self.cluster.ports[0], env={"BENCH_DB_PASSWORD": password})
            found[kind]["transaction_us"] = json.loads(output)["transactions_us"][0]
            self.ctx.log(f"bare, {single.KINDS[kind]}: commit p50 {percentile(found[kind]['commit_us'], 50)} µs, "
                         f"transaction p50 {percentile(found[kind]['transaction_us'], 50)} µs")
        return found


def in_ms(rounds, kind, what, share):
    return [percentile(one[kind][what], share) / 1000 for one in rounds]


def figures(zonefan, bare):
    for kind, label in single.KINDS.items():
        for what, text in (("commit_us", "push to commit noted of both databases"),
                           ("seen_us", "push to commit seen in both databases"), ("answer_us", "push to answer")):
            for share in (50, 99):
                yield Figure(f"{label}: {text}, p{share}", "ms", in_ms(zonefan, kind, what, share),
                             main=what == "commit_us" or (what == "seen_us" and share == 50))
        for what, text in (("commit_us", "bare SQLite commit"), ("transaction_us", "bare transaction in one database")):
            for share in (50, 99):
                yield Figure(f"{label}: {text}, p{share}", "ms", in_ms(bare, kind, what, share), main=share == 50)
        sums = [a + b for a, b in zip(in_ms(bare, kind, "commit_us", 50), in_ms(bare, kind, "transaction_us", 50))]
        yield Figure(f"{label}: push to commit noted / (bare commit + bare transaction), p50", "",
                     [a / b for a, b in zip(in_ms(zonefan, kind, "commit_us", 50), sums)], bar=BAR, at_least=False)
        yield Figure(f"{label}: push to commit seen / (bare commit + bare transaction), p50", "",
                     [a / b for a, b in zip(in_ms(zonefan, kind, "seen_us", 50), sums)], bar=BAR, at_least=False,
                     note="as a reader sees it, whose questions cost processor time")
        yield Figure(f"{label}: seen too late by at most, p50", "ms", in_ms(zonefan, kind, "error_us", 50))
        yield Figure(f"{label}: seen too late by at most, p99", "ms", in_ms(zonefan, kind, "error_us", 99))


def charts(zonefan, bare):
    for kind, label in single.KINDS.items():
        series = {}
        for title, rounds, what in (("push to answer", zonefan, "answer_us"),
                                    ("push to commit noted of both databases", zonefan, "commit_us"),
                                    ("bare SQLite commit", bare, "commit_us"),
                                    ("bare transaction in one database", bare, "transaction_us")):
            series[title] = cdf([us / 1000 for one in rounds for us in one[kind][what]])
        yield Chart(kind, f"One push at a time: {label}", "milliseconds", "share", series, kind="cdf", log_x=True)


def run(ctx):
    with Cluster(ctx, 2) as cluster:
        latency = Latency(ctx, cluster)
        zonefan, bare = ctx.alternate(ctx.pairs, latency.zonefan_round, latency.bare_round)
        settings = {"pushes of each kind": len(zonefan[0]["new"]["commit_us"]), "records": bench_zones.RECORDS,
                    "rest between two": f"{PAUSE_MS} ms", **cluster.settings()}
    return Result("latency", TITLE, figures(zonefan, bare), settings, charts=charts(zonefan, bare),
                  raw={"zonefan": zonefan, "bare": bare})
