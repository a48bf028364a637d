# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones that are in the store already, from resuming the lanes to the last commit, against the plain loader."""
import zones as bench_zones
from frame import drive, rounds
from frame.cluster import Cluster
from frame.result import Chart, Figure, Result, bar_of

TITLE = "zones in the store, lanes resumed, until committed in 2 and in 4 databases; no HTTP; against a plain loader"
PUSHERS = 16

# kind: (what the loader does instead, {databases: bar})
KINDS = {
    "new": ("new", {2: 0.9, 4: 0.85}),
    "rewritten": ("rewrite", {2: 0.9, 4: 0.85}),
    "one changed": ("rewrite", {2: 1.5, 4: None}),
    "identical": ("rewrite", {2: 2.0, 4: None}),
}
LABELS = {
    "new": "new zones",
    "rewritten": "every record of each zone changed",
    "one changed": "one record of each zone changed",
    "identical": "the same zones again",
}


def add_arguments(parser):
    parser.add_argument("--drain-zones", type=int, default=10000)


def make_versions(ctx):
    """What is pushed, kind by kind, each on top of the one before."""
    count = ctx.size(ctx.args.drain_zones, 200)
    serial = bench_zones.SERIAL
    versions = {
        "new": rounds.Version(ctx, "new", count),
        "rewritten": rounds.Version(ctx, "rewritten", count, serial=serial + 1, edition=1),
        "one changed": rounds.Version(ctx, "one changed", count, serial=serial + 2, edition=1),
    }
    versions["identical"] = versions["one changed"]
    return versions


def identity(server):
    """Changes if any row of the three tables gets another id or is written anew."""
    return (server.sql("SELECT COUNT(*), MAX(id), SUM(id), BIT_XOR(id) FROM zones"),
            server.sql("SELECT COUNT(*), MAX(id), SUM(id), BIT_XOR(id) FROM records"),
            server.sql("SELECT COUNT(*), MAX(changed_at), MAX(generation) FROM zonefan_state"))


class Drain:
    def __init__(self, ctx, cluster):
        self.ctx = ctx
        self.cluster = cluster
        self.versions = make_versions(ctx)
        cluster.make_schema()
        self.learn()

    def learn(self):
        """A round that is not counted: zonefan writes what the loader will write. The kinds are what they say."""
        rows = {}

        def keep(kind):
            rows[kind] = {row[:4] for row in self.versions[kind].learn(self.cluster)}
        self.zonefan_round(keep)
        count = self.versions["new"].count
        assert not rows["new"] & rows["rewritten"], "a record of a rewritten zone is the same as before"
        changed = rows["rewritten"] - rows["one changed"]
        assert sorted({row[2] for row in changed}) == ["SOA", "TXT"] and len(changed) == 2 * count, \
            f"{len(changed)} records changed instead of each zone's SOA and one TXT"
        assert rows["identical"] == rows["one changed"]

    def zonefan_round(self, after=lambda kind: None):
        """All kinds, one after the other."""
        self.cluster.reset()
        zonefan = self.cluster.daemon()
        found = {}
        for kind, version in self.versions.items():
            rounds.store_paused(self.ctx, self.cluster, zonefan, version, PUSHERS)
            before = [(server.row_writes(), identity(server)) for server in self.cluster.servers]
            reads = [server.row_reads() for server in self.cluster.servers]
            found[kind] = rounds.drained(self.ctx, self.cluster, zonefan, version, kind)
            if kind == "identical":
                read = [server.row_reads() - was for server, was in zip(self.cluster.servers, reads)]
                assert min(read) >= version.count * bench_zones.RECORDS, f"not every record was looked at: {read}"
                now = [(server.row_writes(), identity(server)) for server in self.cluster.servers]
                assert now == before, f"an equal push wrote rows: {before}, then {now}"
            after(kind)
        self.cluster.stop_daemon(zonefan)
        return found

    def loader_round(self):
        self.cluster.reset()
        return {"new": rounds.loaded(self.ctx, self.cluster, "new", self.versions["new"]),
                "rewrite": rounds.loaded(self.ctx, self.cluster, "rewrite", self.versions["rewritten"])}

    def measure(self):
        """{who or kind: [round, ...]}"""
        zonefan, loader = self.ctx.alternate(self.ctx.pairs, self.zonefan_round, self.loader_round)
        return {**{kind: [one[kind] for one in zonefan] for kind in KINDS},
                **{f"loader {mode}": [one[mode] for one in loader] for mode in ("new", "rewrite")}}


def figures(databases, found):
    at = f"{databases} databases"
    yield Figure(f"{at}: loader, new zones", "zones/s", rounds.rates(found["loader new"]), main=True)
    yield Figure(f"{at}: loader, rewrites", "zones/s", rounds.rates(found["loader rewrite"]), main=True)
    for kind, (mode, bars) in KINDS.items():
        yield Figure(f"{at}: zonefan, {LABELS[kind]}", "zones/s", rounds.rates(found[kind]), main=True)
        yield Figure(f"{at}: {LABELS[kind]}: zonefan / loader's {'new zones' if mode == 'new' else 'rewrites'}", "",
                     rounds.ratios(found[kind], found[f"loader {mode}"]), bar=bars[databases], main=True)
    for mode, label in (("new", "new zones"), ("rewrite", "rewrites")):
        yield from rounds.cpu_figures(f"{at}: loader, {label}", found[f"loader {mode}"])
    for kind, label in LABELS.items():
        yield from rounds.cpu_figures(f"{at}: zonefan, {label}", found[kind])


def charts(found):
    """found: {databases: {who or kind: rounds}}"""
    for databases, sides in found.items():
        zonefan = [bar_of(kind, rounds.rates(sides[kind])) for kind in KINDS]
        loader = [bar_of(kind, rounds.rates(sides[f"loader {mode}"])) for kind, (mode, _) in KINDS.items()]
        yield Chart(f"rate{databases}", f"From the store to {databases} databases, zones of 20 records", "", "zones/s",
                    {"zonefan": zonefan, "loader (new zones; else DELETE and INSERT of all records)": loader})


def run(ctx):
    found, made, settings = {}, [], {}
    for databases in (2, 4):
        with Cluster(ctx, databases) as cluster:
            drain = Drain(ctx, cluster)
            found[databases] = drain.measure()
            settings = {"zones": drain.versions["new"].count, "records": bench_zones.RECORDS,
                        "zones per COMMIT of the loader": drive.ZONES_PER_TRANSACTION, **cluster.settings()}
        made += figures(databases, found[databases])
    notes = ["The same zones again: no row was written in any round (handler counters, ids and stamps compared)."]
    raw = {f"{databases} databases": sides for databases, sides in found.items()}
    return Result("drain", TITLE, made, settings, notes, charts(found), raw)
