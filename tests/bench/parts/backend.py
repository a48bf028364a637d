# SPDX-License-Identifier: GPL-3.0-or-later
"""One back end without zonefand around it: what each kind of delivery costs it and the server."""
import subprocess

from frame.cluster import Cluster
from frame.result import Figure, Result

TITLE = "one back end alone, by kind of delivery; a plain client beside it"
ZONES = 3000
# What is measured together: zones per transaction, and whether the server is treated as a far one.
WAYS = [("one zone a transaction", 1, False), ("64 zones a transaction", 64, False), ("512 zones a transaction", 512, False),
        ("512 zones a transaction, as if far", 512, True)]
NAMES = {"plain-new": "plain client, new zones (100 a transaction)", "plain-rewrite": "plain client, rewrites (100 a transaction)",
         "new": "new zones", "equal": "zones with their stamp", "check": "zones checked", "one": "one record changed",
         "rewrite": "every record changed", "delete": "deletes"}


def add_arguments(parser):
    parser.add_argument("--backend-zones", type=int, default=ZONES)


def measure(ctx, server, zones, batch, far):
    """{kind: (zones per second, microseconds of the client, of the server; each per zone)} of one round."""
    done = subprocess.run([ctx.programs["bench_backend"], "--port", str(server.port), "--user", "root", "--pid",
                           str(server.process.pid), "--zones", str(zones), "--batch", str(batch), "--rounds", "1",
                           *(["--far"] if far else [])], check=True, stdout=subprocess.PIPE, text=True)
    rows = (line.split() for line in done.stdout.splitlines()[2:])
    return {row[0]: tuple(float(value) for value in row[1:]) for row in rows}


def figures(rounds):
    """rounds: {way: [of measure(), ...]}. The plain client does not depend on the way: it is shown once."""
    for way, found in rounds.items():
        for kind, name in NAMES.items():
            plain = kind.startswith("plain")
            if plain and way != WAYS[0][0]:
                continue
            of = name if plain else f"{way}: {name}"
            yield Figure(of, "zones/s", [one[kind][0] for one in found])
            yield Figure(f"{of}: processor time of the client", "µs/zone", [one[kind][1] for one in found])
            yield Figure(f"{of}: processor time of the server", "µs/zone", [one[kind][2] for one in found])


def run(ctx):
    zones = ctx.size(ctx.args.backend_zones, 100)
    rounds = {way: [] for way, _, _ in WAYS}
    with Cluster(ctx, 1) as cluster:
        server = cluster.servers[0]
        for number in range(ctx.pairs):
            for way, batch, far in WAYS if number % 2 == 0 else reversed(WAYS):
                cluster.settle()
                rounds[way].append(measure(ctx, server, zones, batch, far))
                ctx.log(f"round {number + 1}: {way}")
        settings = {"zones": zones, "records": 20, "connections": 1, **cluster.settings()}
    return Result("backend", TITLE, figures(rounds), settings, raw={"rounds": rounds})
