# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones pushed over HTTP, until all are committed at all databases, against the plain loader."""
import zones as bench_zones
from frame import drive, rounds
from frame.cluster import Cluster
from frame.result import Chart, Figure, Result, bar_of

TITLE = "zones pushed over HTTP until committed in 2 and in 4 databases, against a plain loader"
BAR = {2: 0.6, 4: None}


def add_arguments(parser):
    parser.add_argument("--bulk-zones", type=int, default=10000)
    parser.add_argument("--bulk-workers", type=int, default=16, help="pushes at a time")


class Bulk:
    """Both sides, on one cluster. A first round of zonefan, not counted, makes tables and rows for the loader."""

    def __init__(self, ctx, cluster):
        self.ctx = ctx
        self.cluster = cluster
        self.workers = ctx.args.bulk_workers
        self.version = rounds.Version(ctx, "new", ctx.size(ctx.args.bulk_zones, 200))
        cluster.make_schema()
        self.zonefan_round()
        self.version.learn(cluster)

    def zonefan_round(self):
        self.cluster.reset()
        zonefan = self.cluster.daemon()
        found = rounds.pushed(self.ctx, self.cluster, zonefan, self.version, self.workers)
        self.cluster.stop_daemon(zonefan)
        return found

    def loader_round(self, mode):
        self.cluster.reset()
        return rounds.loaded(self.ctx, self.cluster, mode, self.version)

    def loader_rounds(self):
        """Both ways of the loader, each into empty databases."""
        return {mode: self.loader_round(mode) for mode in ("new", "bulk")}

    def measure(self):
        zonefan, loaders = self.ctx.alternate(self.ctx.pairs, self.zonefan_round, self.loader_rounds)
        return {"zonefan": zonefan, **{mode: [one[mode] for one in loaders] for mode in ("new", "bulk")}}


def figures(databases, found):
    zonefan, loader, bulk = found["zonefan"], found["new"], found["bulk"]
    at = f"{databases} databases"
    yield Figure(f"{at}: zonefan, HTTP to commit", "zones/s", rounds.rates(zonefan), main=True)
    yield Figure(f"{at}: loader, one INSERT per zone", "zones/s", rounds.rates(loader), main=True)
    yield Figure(f"{at}: zonefan / loader", "", rounds.ratios(zonefan, loader), bar=BAR[databases], main=True)
    yield Figure(f"{at}: loader, one INSERT per 100 zones", "zones/s", rounds.rates(bulk), main=True)
    yield Figure(f"{at}: zonefan / that loader", "", rounds.ratios(zonefan, bulk))
    yield Figure(f"{at}: zonefan, answered", "zones/s", [one["answer_rate"] for one in zonefan])
    yield Figure(f"{at}: zonefan's memory at its highest", "MiB", [one["memory_kib"]["peak"] / 1024 for one in zonefan])
    yield from rounds.cpu_figures(f"{at}: zonefan", zonefan)
    yield from rounds.cpu_figures(f"{at}: loader, one INSERT per zone", loader)
    yield from rounds.cpu_figures(f"{at}: loader, one INSERT per 100 zones", bulk)


def run(ctx):
    made, raw, settings, series = [], {}, {}, {}
    for databases in BAR:
        with Cluster(ctx, databases) as cluster:
            bulk = Bulk(ctx, cluster)
            found = bulk.measure()
            settings = {"zones": bulk.version.count, "records": bench_zones.RECORDS, "pushes at a time": bulk.workers,
                        "zones per COMMIT of the loader": drive.ZONES_PER_TRANSACTION, **cluster.settings()}
        made += figures(databases, found)
        raw[f"{databases} databases"] = found
        for side, label in (("zonefan", "zonefan, over HTTP"), ("new", "loader, one INSERT per zone"),
                            ("bulk", "loader, one INSERT per 100 zones")):
            series.setdefault(label, []).append(bar_of(f"{databases} databases", rounds.rates(found[side])))
    chart = Chart("rate", "New zones of 20 records, committed in all databases", "", "zones/s", series)
    return Result("bulk", TITLE, made, settings, charts=[chart], raw=raw)
