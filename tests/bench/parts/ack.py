# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast pushes are answered, that is made durable, against bare SQLite commits and a server that commits nothing."""
import json
import secrets
import types

import zones as bench_zones
from frame import drive
from frame.cluster import CpuMeter
from frame.result import Chart, Figure, Result, bar_of, cdf, percentile
from frame.warm import warm_up
from zf.daemon import Zonefan
from zf.wait import free_port

TITLE = "pushes answered (durable), against bare SQLite commits and the same server committing nothing"
CLIENTS = (1, 8, 64)
SHARE = {1: 0.25, 8: 0.5, 64: 1.0}  # of --ack-pushes
BACKENDS = ("dc1", "dc2")
WARM = 10000
GROUP = 20
RATE_BAR, LONE_BAR = 0.7, 1.5


def add_arguments(parser):
    parser.add_argument("--ack-pushes", type=int, default=12000, help="per round with 64 clients; fewer with less")


class Null(Zonefan):
    """The same main, configuration and HTTP front; the engine behind them answers at once (tests/bench/null.c)."""

    program = "bench_null"


class Ack:
    def __init__(self, ctx):
        self.ctx = ctx
        self.made = 0
        self.running = None
        self.counts = {clients: int(ctx.size(ctx.args.ack_pushes, 400) * share) for clients, share in SHARE.items()}
        self.plans = {clients: drive.write_plan(ctx.path(f"ack{clients}.plan"), bench_zones.names("z", count))
                      for clients, count in self.counts.items()}
        self.warm = ctx.size(WARM, 10)

    def start(self, kind):
        """An installation of its own. Its back ends don't exist: nothing is ever delivered."""
        self.made += 1
        nowhere = types.SimpleNamespace(user="nobody", password="canary-" + secrets.token_hex(8))
        zonefan = kind(self.ctx.path(f"ack{self.made}"), [(name, nowhere, free_port()) for name in BACKENDS],
                       {"log_level": "warning"})
        self.running = zonefan.start()
        return zonefan

    def push(self, zonefan, clients):
        meter = CpuMeter({"server": zonefan.process.pid})
        pushes = drive.push(self.ctx, zonefan, self.plans[clients], clients)
        count = self.counts[clients]
        took = [answer - start for start, answer, _ in pushes["pushes"]]
        rate = count / max(answer for _, answer, _ in pushes["pushes"]) * 1e6
        self.ctx.log(f"{zonefan.program}, {clients} clients: {rate:,.0f} pushes/s, p50 {percentile(took, 50)} µs")
        return {"rate": rate, "took_us": took, "server_us": meter.used()["server"] / count * 1e6,
                "client_us": pushes["cpu_seconds"] / count * 1e6}

    def zonefan_round(self, clients):
        zonefan = self.start(Zonefan)
        for name in BACKENDS:
            zonefan.ctl("pause", name, check=0)
        warm_up(self.ctx, zonefan, self.warm, clients)
        before = zonefan.pending()
        found = self.push(zonefan, clients)
        assert zonefan.pending() == {name: before[name] + self.counts[clients] for name in BACKENDS}, zonefan.pending()
        zonefan.stop()
        return found

    def null_round(self, clients):
        zonefan = self.start(Null)
        found = self.push(zonefan, clients)
        zonefan.stop()
        return found

    def commit_round(self, clients, rows):
        """Bare commits of the same texts, in a file beside the stores."""
        self.made += 1
        output, cpu = self.ctx.run_program("bench_commit", self.plans[clients], self.ctx.path(f"bare{self.made}.sqlite"),
                                           rows, 0)
        found = json.loads(output)
        self.ctx.log(f"bare commits of {rows}: {found['rows'] / found['seconds']:,.0f} rows/s")
        return {"rate": found["rows"] / found["seconds"], "took_us": found["commits_us"],
                "server_us": cpu / found["rows"] * 1e6}

    def others(self, clients):
        """What zonefan is compared with; what a group commit could do is only shown."""
        found = {"null": self.null_round(clients), "commit": self.commit_round(clients, 1)}
        if clients == max(CLIENTS):
            found["group"] = self.commit_round(clients, GROUP)
        return found

    def measure(self):
        """{clients: {who: [round, ...]}}"""
        found = {}
        for clients in CLIENTS:
            zonefan, others = self.ctx.alternate(self.ctx.pairs, lambda: self.zonefan_round(clients),
                                                 lambda: self.others(clients))
            found[clients] = {"zonefan": zonefan, **{who: [one[who] for one in others] for who in others[0]}}
        return found

    def stop(self):
        if self.running is not None and self.running.alive():
            self.running.kill9()


def rates(rounds):
    return [one["rate"] for one in rounds]


def medians(rounds, share=50):
    """In milliseconds, one per round."""
    return [percentile(one["took_us"], share) / 1000 for one in rounds]


def clients_text(clients):
    return "1 client" if clients == 1 else f"{clients} clients"


def figures_of(clients, found):
    at = clients_text(clients)
    ratios = [a / b for a, b in zip(rates(found["zonefan"]), rates(found["null"]))]
    yield Figure(f"{at}: zonefan", "pushes/s", rates(found["zonefan"]), main=True)
    yield Figure(f"{at}: the same server, committing nothing", "pushes/s", rates(found["null"]), main=True)
    yield Figure(f"{at}: zonefan / the server that commits nothing", "", ratios,
                 bar=RATE_BAR if clients == max(CLIENTS) else None, main=True)
    for who, label in (("zonefan", "zonefan"), ("null", "the server that commits nothing")):
        yield Figure(f"{at}: answer of {label}, p50", "ms", medians(found[who]), main=who == "zonefan")
        yield Figure(f"{at}: answer of {label}, p99", "ms", medians(found[who], 99), main=who == "zonefan")
        yield Figure(f"{at}: {label}: processor time of the server", "µs/push", [one["server_us"] for one in found[who]])
        yield Figure(f"{at}: {label}: processor time of the client", "µs/push", [one["client_us"] for one in found[who]])
    yield Figure(f"{at}: bare SQLite commits of the same texts", "commits/s", rates(found["commit"]))


def figures(found):
    for clients in CLIENTS:
        yield from figures_of(clients, found[clients])
    most, lone = found[max(CLIENTS)], found[1]
    yield Figure(f"bare SQLite commits, {GROUP} texts each", "texts/s", rates(most["group"]), main=True)
    yield Figure("1 client: bare SQLite commit, p50", "ms", medians(lone["commit"]), main=True)
    yield Figure("1 client: answer's p50 / (bare commit + answer that commits nothing)", "",
                 [a / (b + c) for a, b, c in zip(*(medians(lone[who]) for who in ("zonefan", "commit", "null")))],
                 bar=LONE_BAR, at_least=False)


def charts(found):
    bars = {label: [bar_of(clients_text(clients), rates(found[clients][who])) for clients in CLIENTS]
            for who, label in (("zonefan", "zonefan"), ("null", "the same server, committing nothing"),
                               ("commit", "bare SQLite commits (one after the other)"))}
    lone = {label: cdf([us / 1000 for one in found[1][who] for us in one["took_us"]])
            for who, label in (("zonefan", "zonefan"), ("null", "the same server, committing nothing"),
                               ("commit", "bare SQLite commit"))}
    return [Chart("rate", "Pushes answered, one connection each", "", "per second", bars),
            Chart("lone", "One client, push to answer", "milliseconds", "share", lone, kind="cdf", log_x=True)]


def run(ctx):
    ack = Ack(ctx)
    try:
        found = ack.measure()
    finally:
        ack.stop()
    settings = {"zones in the store before": ack.warm, "pushes": "/".join(map(str, ack.counts.values())),
                "records": bench_zones.RECORDS, "back ends": f"{len(BACKENDS)}, paused", "store": "WAL, synchronous=FULL"}
    return Result("ack", TITLE, figures(found), settings, charts=charts(found),
                  raw={str(clients): sides for clients, sides in found.items()})
