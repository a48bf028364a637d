# SPDX-License-Identifier: GPL-3.0-or-later
"""What a healing pass costs live pushes: how late they are at a steady rate, with passes under way and without."""
import threading
import time

import zones as bench_zones
from frame import drive
from frame.cluster import Cluster, applied_at, wait_delivered
from frame.result import Chart, Figure, Result, cdf, percentile
from parts.heal import DIFFER, heal

TITLE = "pushes at a steady rate to 2 databases while a healing pass over 10,000 zones runs, against the same without"
LATE_BAR = 1.2
DATABASES = 2
WORKERS = 16
SIDES = {"alone": "no pass", "beside": "a pass under way"}
SERVER_OPTIONS = ("--innodb-buffer-pool-size=256M",)


def add_arguments(parser):
    parser.add_argument("--live-zones", type=int, default=10000, help="that a pass compares")
    parser.add_argument("--live-rate", type=int, default=100, help="pushes a second")
    parser.add_argument("--live-seconds", type=int, default=20, help="of a round")


class Passes:
    """One pass after the other, at both databases, as long as it is asked to."""

    def __init__(self, zonefan):
        self.zonefan = zonefan
        self.over = threading.Event()
        self.done = []
        self.thread = threading.Thread(target=self.run)
        self.begun = time.monotonic()
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            parts = heal(self.zonefan)
            assert not any(part[key] for part in parts.values() for key in DIFFER), parts
            self.done.append(max(part["seconds"] for part in parts.values()))

    def end(self):
        """How long each of them took; together they must have filled the time until now."""
        lasted = time.monotonic() - self.begun
        self.over.set()
        self.thread.join()
        assert sum(self.done) > 0.9 * lasted, f"the passes took {self.done} of {lasted:.1f} s"
        return self.done


class Live:
    def __init__(self, ctx, cluster):
        self.ctx = ctx
        self.cluster = cluster
        self.zones = ctx.size(ctx.args.live_zones, 300)
        self.rate = ctx.args.live_rate
        self.names = bench_zones.names("s", self.rate * ctx.size(ctx.args.live_seconds, 2))
        self.serial = bench_zones.SERIAL
        self.zonefan = cluster.daemon({"healing": {"enabled": False}})
        drive.push(ctx, self.zonefan, drive.write_plan(ctx.path("held.plan"), bench_zones.names("z", self.zones)), WORKERS)
        drive.push(ctx, self.zonefan, drive.write_plan(ctx.path("live.plan"), self.names), WORKERS)
        wait_delivered(self.zonefan)
        heal(self.zonefan)  # the servers' memory fills
        ctx.log(f"{self.zones + len(self.names):,} zones are in {DATABASES} databases")

    def round(self, side):
        """
        A record of each live zone changes, so many a second: microseconds from when the push should have begun until it is
        answered, and until its commit is noted of both databases.
        """
        self.serial += 1
        plan = drive.write_plan(self.ctx.path("live.plan"), self.names, serial=self.serial)
        self.cluster.settle()
        passes = Passes(self.zonefan) if side == "beside" else None
        pushes = drive.push(self.ctx, self.zonefan, plan, WORKERS, per_second=self.rate)
        took = passes.end() if passes else []
        wait_delivered(self.zonefan)
        applied = applied_at(self.zonefan)
        found = {"answer_us": [answer - start for start, answer, _ in pushes["pushes"]], "pass_seconds": took,
                 "noted_us": [max(at[name + "."] for at in applied.values()) - pushes["start_wall_us"] - start
                              for name, (start, _, _) in zip(self.names, pushes["pushes"])]}
        assert min(found["noted_us"]) > 0, "a push was not delivered"
        self.ctx.log(f"{SIDES[side]}: p50 {percentile(found['noted_us'], 50) / 1000:.2f}, p99 "
                     f"{percentile(found['noted_us'], 99) / 1000:.2f} ms, passes {', '.join(f'{one:.1f} s' for one in took)}")
        return found


def late(found, what, share):
    """In milliseconds, one per round."""
    return [percentile(one[what], share) / 1000 for one in found]


def figures(live, found):
    for what, text in (("noted_us", "push to commit noted of both databases"), ("answer_us", "push to answer")):
        p99 = {}
        for side, label in SIDES.items():
            yield Figure(f"{text}, {label}, p50", "ms", late(found[side], what, 50))
            p99[side] = late(found[side], what, 99)
            yield Figure(f"{text}, {label}, p99", "ms", p99[side], main=True)
        yield Figure(f"{text}, p99: with a pass / without", "", [a / b for a, b in zip(p99["beside"], p99["alone"])],
                     bar=LATE_BAR, at_least=False)
    yield Figure(f"a pass over {live.zones + len(live.names):,} zones beside {live.rate} pushes/s", "s", [
        seconds for one in found["beside"] for seconds in one["pass_seconds"]], main=True)


def run(ctx):
    with Cluster(ctx, DATABASES, SERVER_OPTIONS) as cluster:
        live = Live(ctx, cluster)
        alone, beside = ctx.alternate(ctx.pairs, lambda: live.round("alone"), lambda: live.round("beside"))
        settings = {"zones": f"{live.zones:,}", "live zones": f"{len(live.names):,}", "pushes": f"{live.rate}/s",
                    "records": bench_zones.RECORDS, "databases": DATABASES, **cluster.settings()}
        cluster.stop_daemon(live.zonefan)
    found = {"alone": alone, "beside": beside}
    shares = {SIDES[side]: cdf([us / 1000 for one in found[side] for us in one["noted_us"]]) for side in SIDES}
    charts = [Chart("late", f"{live.rate} pushes per second: push to commit noted of both databases", "milliseconds", "share",
                    shares, kind="cdf", log_x=True)]
    notes = ["Passes follow one another as long as is pushed; all of them find nothing wrong."]
    return Result("live", TITLE, list(figures(live, found)), settings, notes, charts, found)
