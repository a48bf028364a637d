# SPDX-License-Identifier: GPL-3.0-or-later
"""Far databases: round trips of a single zone, and the bulk rate, through a proxy that delays (tests/bench/relay.h)."""
import statistics

import zones as bench_zones
from frame import drive, rounds, single
from frame.cluster import Cluster, CpuMeter, applied_at
from frame.proxy import Proxies
from frame.result import Chart, Figure, Result, bar_of

TITLE = "2 databases behind a delaying proxy: round trips of a single zone, bulk rate against the same proxy without delay"
ROUND_TRIPS_MS = (10, 50, 150)
BAR_MS, SINGLE_BAR, BULK_BAR = 50, 2.2, 0.5
WORKERS = 16


def add_arguments(parser):
    parser.add_argument("--distance-zones", type=int, default=6000, help="of a bulk round")
    parser.add_argument("--distance-pushes", type=int, default=20, help="single ones of each kind, per round")


class Distance:
    def __init__(self, ctx, cluster):
        self.ctx = ctx
        self.cluster = cluster
        self.bulk = rounds.Version(ctx, "bulk", ctx.size(ctx.args.distance_zones, 200))
        self.names = bench_zones.names("s", ctx.size(ctx.args.distance_pushes, 3))
        self.plans = single.write_plans(ctx, self.names)
        cluster.make_schema()

    def one_by_one(self, zonefan, proxies, kind, round_trip_ms):
        """
        Each push waits until the last one's COMMIT is answered. Times in round trips from the answer to the push (it is
        durable then, and goes to the lanes) to the commit as the databases show it without any proxy ("seen"), and to
        its answer as zonefand noted it ("known"); the later of both databases.
        """
        proxies.reset()
        pushes = drive.push(self.ctx, zonefan, self.plans[kind], 1, self.cluster, pause_ms=round_trip_ms + 20)
        rounds.wait_delivered(zonefan)
        count = len(self.names) * len(self.cluster.servers)
        totals = {name: value / count for name, value in proxies.totals().items()}
        applied = applied_at(zonefan)
        found = {"seen": [], "known": [], "error": [error / 1000 / round_trip_ms for error in pushes["commit_error_us"]],
                 **totals}
        for name, (_, answer, commit) in zip(self.names, pushes["pushes"]):
            known = max(at[name + "."] for at in applied.values()) - pushes["start_wall_us"]
            found["seen"].append((commit - answer) / 1000 / round_trip_ms)
            found["known"].append((known - answer) / 1000 / round_trip_ms)
        self.ctx.log(f"{round_trip_ms} ms, {single.KINDS[kind]}: {totals['round_trips']:.2f} round trips per zone, committed after "
                     f"{statistics.median(found['seen']):.2f}")
        return found

    def round(self, round_trip_ms):
        """Single zones (not without distance), then the bulk, each with an empty store and empty databases."""
        found = {}
        with Proxies(self.ctx, self.cluster, round_trip_ms) as proxies:
            if round_trip_ms:
                self.cluster.reset()
                zonefan = self.cluster.daemon({"healing": {"enabled": False}}, proxies.ports)
                for kind in single.KINDS:
                    found[kind] = self.one_by_one(zonefan, proxies, kind, round_trip_ms)
                self.cluster.stop_daemon(zonefan)
            self.cluster.reset()
            zonefan = self.cluster.daemon({"healing": {"enabled": False}}, proxies.ports)
            proxies.reset()
            meter = CpuMeter(proxies.processes())
            found["bulk"] = rounds.pushed(self.ctx, self.cluster, zonefan, self.bulk, WORKERS)
            found["bulk"]["proxy_us"] = sum(meter.used().values()) / self.bulk.count * 1e6
            count = self.bulk.count * len(self.cluster.servers)
            found["bulk"].update({name: value / count for name, value in proxies.totals().items()})
            self.cluster.stop_daemon(zonefan)
        self.bulk.digest = self.bulk.digest or self.cluster.digest()
        return found

    def measure(self):
        """{round trip in ms: [round, ...]}; by turns from near to far and from far to near."""
        distances = (0, *ROUND_TRIPS_MS)
        found = {distance: [] for distance in distances}
        for number in range(self.ctx.pairs):
            for distance in distances if number % 2 == 0 else reversed(distances):
                found[distance].append(self.round(distance))
        return found


def of(rounds_found, kind, what):
    return [one[kind][what] for one in rounds_found]


def single_figures(distance, found):
    bar = SINGLE_BAR if distance == BAR_MS else None
    for kind, label in single.KINDS.items():
        at = f"{distance} ms: {label}"
        yield Figure(f"{at}: round trips counted by the proxy", "per zone and database", of(found, kind, "round_trips"),
                     main=distance == BAR_MS)
        for what, text in (("seen", "answer to commit, as the database shows it"),
                           ("known", "answer to commit, its answer's way back included")):
            yield Figure(f"{at}: {text}, p50", "round trips", [statistics.median(values) for values in of(found, kind, what)],
                         bar=bar, at_least=False)
            yield Figure(f"{at}: {text}, longest", "round trips", [max(values) for values in of(found, kind, what)])
        yield Figure(f"{at}: seen too late by at most, p50", "round trips",
                     [statistics.median(values) for values in of(found, kind, "error")])
        yield Figure(f"{at}: bytes to and from", "per zone and database",
                     [up + down for up, down in zip(of(found, kind, "bytes_up"), of(found, kind, "bytes_down"))])


def figures(found):
    near = [one["bulk"] for one in found[0]]
    for distance in ROUND_TRIPS_MS:
        yield from single_figures(distance, found[distance])
    for distance, sides in found.items():
        bulk = [one["bulk"] for one in sides]
        at = f"{distance} ms: bulk"
        yield Figure(at, "zones/s", rounds.rates(bulk), main=True)
        if distance:
            yield Figure(f"{at} / the same proxies without delay", "", rounds.ratios(bulk, near),
                         bar=BULK_BAR if distance == BAR_MS else None, main=True)
        yield Figure(f"{at}: round trips", "per zone and database", [one["round_trips"] for one in bulk])
        yield Figure(f"{at}: bytes to and from", "per zone and database",
                     [one["bytes_up"] + one["bytes_down"] for one in bulk])
        yield Figure(f"{at}: processor time of both proxies", "µs/zone", [one["proxy_us"] for one in bulk])
        yield from rounds.cpu_figures(at, bulk)


def charts(found):
    bulk = [bar_of(f"{distance} ms", rounds.rates([one["bulk"] for one in sides])) for distance, sides in found.items()]
    alone = {label: [bar_of(f"{distance} ms", [value for one in found[distance] for value in one[kind]["known"]])
                      for distance in ROUND_TRIPS_MS] for kind, label in single.KINDS.items()}
    return [Chart("bulk", "New zones pushed, 2 databases, by round trip", "", "zones/s", {"zonefan": bulk}),
            Chart("single", "Single zones: from the answer to the COMMIT's answer", "", "round trips", alone)]


def run(ctx):
    with Cluster(ctx, 2) as cluster:
        distance = Distance(ctx, cluster)
        found = distance.measure()
        settings = {"zones": distance.bulk.count, "single pushes of each kind": len(distance.names),
                    "records": bench_zones.RECORDS, "pushes at a time (bulk)": WORKERS, **cluster.settings()}
    return Result("distance", TITLE, figures(found), settings, charts=charts(found),
                  raw={str(key): value for key, value in found.items()})
