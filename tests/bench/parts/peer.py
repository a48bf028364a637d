# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerDNS and zonefan, each taking the same zones over HTTP into one database on the same server."""
import zones as bench_zones
from frame import drive, rounds
from frame.cluster import Cluster, CpuMeter
from frame.powerdns import PowerDNS, expected, rrsets
from frame.result import Chart, Figure, Result, bar_of

TITLE = "zonefan with one database, against PowerDNS with its MySQL back end, both over HTTP"
BAR = 10
KINDS = {
    "new": "new zones",
    "whole": "one record of each zone changed, the whole zone sent",
    "single": "one record of each zone changed, only that one sent to PowerDNS",
}


def add_arguments(parser):
    parser.add_argument("--peer-zones", type=int, default=10000, help="for zonefan")
    parser.add_argument("--peer-pdns-zones", type=int, default=1000, help="for PowerDNS, which takes longer")
    parser.add_argument("--peer-workers", type=int, default=16, help="pushes at a time, to zonefan")
    parser.add_argument("--peer-pdns-workers", type=int, default=8, help="requests at a time, to PowerDNS; more than "
                        "its web server's queue of 10 connections takes would make some wait for a second")


class Peer:
    def __init__(self, ctx, cluster):
        self.ctx = ctx
        self.cluster = cluster
        self.workers, self.pdns_workers = ctx.args.peer_workers, ctx.args.peer_pdns_workers
        count = ctx.size(ctx.args.peer_zones, 200)
        serial = bench_zones.SERIAL
        self.versions = {"new": rounds.Version(ctx, "new", count),
                         "changed": rounds.Version(ctx, "changed", count, serial=serial + 1),
                         "again": rounds.Version(ctx, "again", count, serial=serial + 2)}
        self.rows = {}
        cluster.make_schema()
        self.zonefan_round(lambda name, version: self.rows.update({name: version.learn(cluster)}))
        self.shorten(ctx.size(ctx.args.peer_pdns_zones, 50))

    def shorten(self, count):
        """PowerDNS gets the first zones only; there is no rest that the rate would depend on."""
        wanted = {name + "." for name in bench_zones.names("z", count)}
        self.rows = {name: [row for row in rows if row[0] in wanted] for name, rows in self.rows.items()}
        self.pdns_count = len(wanted)

    # ---- zonefan ----

    def zonefan_round(self, after=lambda name, version: None):
        """New zones, then the same with one TXT and the serial changed, twice."""
        self.cluster.reset()
        zonefan = self.cluster.daemon()
        found = {}
        for name, version in self.versions.items():
            found[name] = rounds.pushed(self.ctx, self.cluster, zonefan, version, self.workers)
            after(name, version)
        self.cluster.stop_daemon(zonefan)
        return found

    # ---- PowerDNS ----

    def pdns_round(self):
        pdns = PowerDNS(self.ctx.path("pdns"), self.cluster.servers[0])
        try:
            pdns.start()
            return {kind: self.pdns_take(pdns, kind, version) for kind, version in
                    (("new", "new"), ("whole", "changed"), ("single", "again"))}
        finally:
            pdns.stop()

    def pdns_take(self, pdns, kind, version):
        """Sends one version of all zones; its rate, after a look at what PowerDNS then holds."""
        sets = rrsets(self.rows[version])
        plan = self.ctx.path("pdns.plan")
        bench_zones.write_plan(plan, [(zone, self.pdns_request(pdns, kind, zone, sets[zone])) for zone in sets])
        before = pdns.serials()
        self.cluster.settle()
        meter = CpuMeter({**self.cluster.processes(), "pdns_server": pdns.process.pid})
        sent = drive.request(self.ctx, pdns.port, plan, self.pdns_workers)
        cpu = {**meter.used(), "client": sent["cpu_seconds"]}
        assert pdns.records() == expected(self.rows[version]), f"PowerDNS holds other records ({kind})"
        serials = pdns.serials()
        assert len(serials) == self.pdns_count and all(serials[zone] > before.get(zone, 0) for zone in serials), kind
        seconds = max(answer for _, answer, _ in sent["pushes"]) / 1e6
        self.ctx.log(f"PowerDNS, {kind}: {self.pdns_count / seconds:,.0f} zones/s")
        return {"rate": self.pdns_count / seconds, "seconds": seconds,
                "cpu_us": {name: used / self.pdns_count * 1e6 for name, used in cpu.items()}}

    @staticmethod
    def pdns_request(pdns, kind, zone, sets):
        """Changes come without the SOA: PowerDNS counts its serial up by itself."""
        if kind == "new":
            return pdns.create(zone, sets)
        if kind == "whole":
            return pdns.replace(zone, [one for one in sets if one["type"] != "SOA"])
        return pdns.replace(zone, [one for one in sets if one["name"].startswith("_version.")])

    def measure(self):
        """{kind: (zonefan's rounds, PowerDNS's rounds)}"""
        zonefan, pdns = self.ctx.alternate(self.ctx.pairs, self.zonefan_round, self.pdns_round)
        ours = {"new": "new", "whole": "changed", "single": "again"}
        return {kind: ([one[ours[kind]] for one in zonefan], [one[kind] for one in pdns]) for kind in KINDS}


def figures(found):
    for kind, label in KINDS.items():
        zonefan, pdns = found[kind]
        yield Figure(f"{label}: zonefan", "zones/s", rounds.rates(zonefan), main=True)
        yield Figure(f"{label}: PowerDNS", "zones/s", rounds.rates(pdns), main=True)
        yield Figure(f"{label}: zonefan / PowerDNS", "", rounds.ratios(zonefan, pdns), bar=BAR)
    for kind, label in KINDS.items():
        for who, side in zip(("zonefan", "PowerDNS"), found[kind]):
            yield from rounds.cpu_figures(f"{label}: {who}", side)


def run(ctx):
    with Cluster(ctx, 1) as cluster:
        peer = Peer(ctx, cluster)
        found = peer.measure()
        settings = {"zones": peer.versions["new"].count, "zones of PowerDNS": peer.pdns_count,
                    "records": bench_zones.RECORDS, "pushes at a time": peer.workers,
                    "requests at a time to PowerDNS": peer.pdns_workers, **cluster.settings()}
    series = {who: [bar_of(kind, rounds.rates(found[kind][side])) for kind in KINDS]
              for side, who in enumerate(("zonefan", "PowerDNS"))}
    chart = Chart("rate", "Zones of 20 records over HTTP into one database", "", "zones/s", series)
    return Result("peer", TITLE, figures(found), settings, charts=[chart], raw=found)
