# SPDX-License-Identifier: GPL-3.0-or-later
"""10,000 zones pushed over HTTP, until all are committed at all databases, against the plain loader."""
import zones as bench_zones
from frame import drive
from frame.cluster import Cluster, CpuMeter, delivered_at, memory_kib, wait_delivered
from frame.result import Chart, Figure, Result, bar_of

TITLE = "zones pushed over HTTP to 2 and 4 databases, against a plain loader"
BAR = {2: 0.6, 4: None}


def add_arguments(parser):
    parser.add_argument("--bulk-zones", type=int, default=10000)
    parser.add_argument("--bulk-workers", type=int, default=16, help="pushes at a time")


class Bulk:
    """Both sides, on one cluster."""

    def __init__(self, ctx, cluster):
        self.ctx = ctx
        self.cluster = cluster
        self.count = ctx.size(ctx.args.bulk_zones, 300)
        self.workers = ctx.args.bulk_workers
        self.plan = drive.write_plan(ctx.path("bulk.plan"), bench_zones.names("z", self.count))
        self.rows_path = ctx.path("bulk.rows")
        self.digest = None

    def prepare(self):
        """A round of zonefan that is not counted makes the tables and the rows that the loader will write."""
        self.cluster.make_schema()
        self.zonefan_round()
        rows = self.cluster.rows()
        assert len(rows) == self.count * bench_zones.RECORDS, f"{len(rows)} rows"
        drive.write_rows(self.rows_path, rows)

    def check(self, who):
        found = self.cluster.digest()
        self.digest = self.digest or found
        assert found == self.digest, f"{who} did not write the rows that the first round wrote"

    def done(self, who, seconds, cpu, **more):
        self.check(who)
        self.ctx.log(f"{len(self.cluster.servers)} databases, {who}: {self.count / seconds:.0f} zones/s")
        return {"rate": self.count / seconds, "seconds": seconds,
                "cpu_us": {name: used / self.count * 1e6 for name, used in cpu.items()}, **more}

    def zonefan_round(self):
        """From the first push to the last commit at the slowest database."""
        self.cluster.reset()
        zonefan = self.cluster.daemon()
        self.cluster.settle()
        meter = CpuMeter(self.cluster.processes(zonefan))
        pushes = drive.push(self.ctx, zonefan, self.plan, self.workers)
        wait_delivered(zonefan)
        cpu = {**meter.used(), "client": pushes["cpu_seconds"]}
        start = drive.wall_from_mono(pushes["start_ns"])
        seconds = max(delivered_at(zonefan).values()) - start
        answered = max(ack for _, ack, _ in pushes["pushes"]) / 1e6
        memory = memory_kib(zonefan.process.pid)
        self.cluster.stop_daemon(zonefan)
        return self.done("zonefan", seconds, cpu, ack_rate=self.count / answered, memory_kib=memory)

    def loader_round(self, mode):
        self.cluster.reset()
        self.cluster.settle()
        meter = CpuMeter(self.cluster.processes())
        loaded = drive.load(self.ctx, self.cluster, mode, self.rows_path)
        assert loaded["zones"] == self.count
        return self.done(f"loader ({mode})", loaded["seconds"],
                         {**meter.used(), "client": loaded["cpu_seconds"]}, seconds_each=loaded["seconds_each"])


def rates(rounds):
    return [one["rate"] for one in rounds]


def cpu_figures(databases, who, rounds):
    for name in sorted(rounds[0]["cpu_us"]):
        yield Figure(f"{databases} databases, {who}: processor time of {name}", "µs/zone",
                     [one["cpu_us"][name] for one in rounds])


def figures(databases, zonefan, loader, bulk):
    ratios = [z / p for z, p in zip(rates(zonefan), rates(loader))]
    yield Figure(f"{databases} databases, zonefan", "zones/s", rates(zonefan), main=True)
    yield Figure(f"{databases} databases, loader, one INSERT per zone", "zones/s", rates(loader), main=True)
    yield Figure(f"{databases} databases, loader, one INSERT per 100 zones", "zones/s", rates(bulk), main=True)
    yield Figure(f"{databases} databases, zonefan / loader", "", ratios, bar=BAR[databases], main=True)
    yield Figure(f"{databases} databases, zonefan / loader with one INSERT per 100 zones", "",
                 [z / p for z, p in zip(rates(zonefan), rates(bulk))])
    yield Figure(f"{databases} databases, pushes answered", "zones/s", [one["ack_rate"] for one in zonefan])
    yield Figure(f"{databases} databases, zonefan's memory at its highest", "MiB",
                 [one["memory_kib"]["peak"] / 1024 for one in zonefan])
    yield from cpu_figures(databases, "zonefan", zonefan)
    yield from cpu_figures(databases, "loader", loader)


def run(ctx):
    found, series, raw, settings = [], {}, {}, {}
    for databases in BAR:
        with Cluster(ctx, databases) as cluster:
            bulk = Bulk(ctx, cluster)
            bulk.prepare()

            def loaders():
                return {mode: bulk.loader_round(mode) for mode in ("new", "bulk")}
            zonefan, loaded = ctx.alternate(ctx.pairs, bulk.zonefan_round, loaders)
            plain, grouped = ([one[mode] for one in loaded] for mode in ("new", "bulk"))
            found += figures(databases, zonefan, plain, grouped)
            for label, rounds in (("zonefan, over HTTP", zonefan), ("loader, one INSERT per zone", plain),
                                  ("loader, one INSERT per 100 zones", grouped)):
                series.setdefault(label, []).append(bar_of(f"{databases} databases", rates(rounds)))
            raw[str(databases)] = {"zonefan": zonefan, "loader": plain, "loader_bulk": grouped}
            settings = {"zones": bulk.count, "records": bench_zones.RECORDS, "pushes at a time": bulk.workers,
                        "zones per COMMIT of the loader": drive.ZONES_PER_TRANSACTION, **cluster.settings()}
    chart = Chart("rate", "New zones of 20 records, committed in all databases", "", "zones/s", series)
    return Result("bulk", TITLE, found, settings, charts=[chart], raw=raw)
