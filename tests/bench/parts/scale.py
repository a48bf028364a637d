# SPDX-License-Identifier: GPL-3.0-or-later
"""
What the number of zones in the store costs: memory, start-up, exists, one push. The stores are made once; each round
starts zonefand on each of them, small and large by turns first, with databases that were just made anew.
"""
import json
import os
import random
import socket
import subprocess
import time
import types

import zones as bench_zones
from frame import drive, stores
from frame.cluster import Cluster, CpuMeter, wait_delivered
from frame.result import Chart, Figure, Result, percentile
from zf.wait import free_port

TITLE = "many zones in the store: memory, start-up, exists, one push"
SMALLEST, STEP = 10_000, 10
CLIENTS = (1, 16)
FINDS = 1_000_000
MEMORY_BARS_MIB = {10_000: 32, 1_000_000: 160}
START_BARS_S = {1_000_000: 5}
GROWTH_BAR = 1.25  # from a store to one of ten times as many zones


def add_arguments(parser):
    parser.add_argument("--scale-zones", type=int, default=1_000_000, help="in the largest store")


class Keep:
    """A connection that asks again and again."""

    def __init__(self, zonefan):
        self.da = zonefan.da(version="1.1")
        self.sock = socket.create_connection(self.da.address, timeout=self.da.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exists(self, zone):
        self.sock.sendall(self.da.build("GET", f"/CMD_API_DNS_ADMIN?action=exists&domain={zone}"))
        return self.da.read(self.sock).fields["exists"]

    def close(self):
        self.sock.close()


class Size:
    """One store, and what was found of it round by round."""

    def __init__(self, ctx, cluster, count):
        self.ctx = ctx
        self.cluster = cluster
        self.count = count
        self.directory = ctx.path(f"zones{count}")
        os.makedirs(self.directory)
        self.store = os.path.join(self.directory, "filled.sqlite")
        self.rounds = []
        self.random = random.Random(count)
        begun = time.monotonic()
        self.store_bytes = stores.fill(ctx, self.store, count, [server.name for server in cluster.servers])
        self.zonefan = stores.installation(os.path.join(self.directory, "zonefan"), cluster, self.store)
        self.index = self.measure_index()
        ctx.log(f"{count:,} zones: store made in {time.monotonic() - begun:.0f} s, {self.index}")

    def measure_index(self):
        lines = "".join(f"{stores.name(i)} {stores.owner(i)}\n" for i in range(self.count))
        done = subprocess.run([self.ctx.programs["bench_names"], str(FINDS)], input=lines, text=True, check=True,
                              stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    def some(self, count):
        return [stores.name(number) for number in self.random.sample(range(self.count), count)]

    def measure_exists(self, count):
        """Milliseconds each, over one connection."""
        keep = Keep(self.zonefan)
        took = []
        for zone in self.some(count):
            begun = time.perf_counter()
            held = keep.exists(zone)
            took.append((time.perf_counter() - begun) * 1000)
            assert held == "1", f"{zone} should be held"
        keep.close()
        return took

    def measure_pushes(self, clients, count):
        """Pushes of zones that are held, one record of each changed; until the last is delivered."""
        serial = bench_zones.SERIAL + 1 + len(self.rounds) * len(CLIENTS) + CLIENTS.index(clients)
        plan = drive.write_plan(self.ctx.path("scale.plan"), self.some(count), serial=serial)
        meter = CpuMeter({"zonefand": self.zonefan.process.pid})
        pushes = drive.push(self.ctx, self.zonefan, plan, clients)
        wait_delivered(self.zonefan)
        return {"ms": [(answer - begun) / 1000 for begun, answer, _ in pushes["pushes"]],
                "cpu_us": meter.used()["zonefand"] / count * 1e6}

    def round(self):
        self.cluster.reset()
        self.cluster.settle()
        stores.forget(self.store)
        cold = stores.start(self.zonefan)
        self.zonefan.stop()
        warm = stores.start(self.zonefan)
        pid = self.zonefan.process.pid
        found = {"cold_s": cold[1], "listening_s": warm[0], "ready_s": warm[1], "started_mib": stores.resident_mib(pid)}
        for server in self.cluster.servers:
            self.zonefan.wait_lane(server.name, "up")
        found["exists_ms"] = self.measure_exists(self.ctx.size(5000, 200))
        begun = time.perf_counter()
        held = self.zonefan.status()["zones"]["total"]
        found["status_s"] = time.perf_counter() - begun
        assert held == self.count, f"{held} zones, not {self.count}"
        found["push"] = {clients: self.measure_pushes(clients, self.ctx.size(1000 if clients == 1 else 4000, 100))
                         for clients in CLIENTS}
        found["used_mib"] = stores.resident_mib(pid)
        self.zonefan.stop()
        self.rounds.append(found)
        push = " ".join(f"{one['cpu_us']:.0f}" for one in found["push"].values())
        self.ctx.log(f"{self.count:,} zones: ready in {found['ready_s']:.2f} s ({found['cold_s']:.2f} s cold), "
                     f"{found['used_mib']['peak']:.1f} MiB, {push} µs of processor a push")


def push_all(ctx, zonefan, count, **version):
    names = [stores.name(number) for number in range(count)]
    drive.push(ctx, zonefan, drive.write_plan(ctx.path("scale.plan"), names, **version), max(CLIENTS))


def filled_by_pushes(ctx, cluster, count):
    """
    MiB at most after that many zones were pushed to an empty installation and delivered; and after all of them were
    rewritten while the lanes were paused, and then delivered at once.
    """
    cluster.reset()
    zonefan = cluster.daemon()
    push_all(ctx, zonefan, count)
    wait_delivered(zonefan)
    found = {"pushed": stores.resident_mib(zonefan.process.pid)["peak"]}
    for server in cluster.servers:
        zonefan.ctl("pause", server.name, check=0)
    push_all(ctx, zonefan, count, serial=bench_zones.SERIAL + 1, edition=1)
    for server in cluster.servers:
        zonefan.ctl("resume", server.name, check=0)
    wait_delivered(zonefan)
    found.update({key: stores.resident_mib(zonefan.process.pid)[of] for key, of in (("drained", "peak"), ("after", "now"))})
    zonefan.stop()
    ctx.log(f"{count:,} zones: {found['pushed']:.1f} MiB pushed and delivered, {found['drained']:.1f} MiB drained")
    return found


def with_another(size):
    """The first start with one more back end, which is not there yet: every zone is due at it."""
    nowhere = types.SimpleNamespace(user="nobody", password=size.zonefan.password)
    zonefan = stores.installation(os.path.join(size.directory, "another"), size.cluster, size.store,
                                  [("another", nowhere, free_port())])
    found = {"ready_s": stores.start(zonefan)[1]}
    begun = time.perf_counter()
    zonefan.ctl("status", check=2)  # degraded
    found["status_s"] = time.perf_counter() - begun
    assert zonefan.pending()["another"] == size.count
    found["peak_mib"] = stores.resident_mib(zonefan.process.pid)["peak"]
    zonefan.stop()
    return found


# ---- figures ----

def of(size, *keys):
    """A value of each round."""
    values = size.rounds
    for key in keys:
        values = [value[key] for value in values]
    return values


def push_figures(size, at):
    for clients in CLIENTS:
        who = "1 client" if clients == 1 else f"{clients} clients"
        took = of(size, "push", clients, "ms")
        yield Figure(f"{at}: push answered, {who}, p50", "ms", [percentile(ms, 50) for ms in took], main=clients == 1)
        yield Figure(f"{at}: push answered, {who}, p99", "ms", [percentile(ms, 99) for ms in took])
        yield Figure(f"{at}: processor time of zonefand, {who}", "µs/push", of(size, "push", clients, "cpu_us"),
                     main=True)


def size_figures(size):
    at = f"{size.count:,} zones"
    yield Figure(f"{at}: start-up, exec to ready", "s", of(size, "ready_s"), bar=START_BARS_S.get(size.count),
                 at_least=False, main=True)
    yield Figure(f"{at}: start-up, exec to taking pushes", "s", of(size, "listening_s"))
    yield Figure(f"{at}: start-up, nothing of the store in the page cache", "s", of(size, "cold_s"),
                 note="depends on the disk", main=True)
    yield Figure(f"{at}: resident after the start", "MiB", of(size, "started_mib", "now"), main=True)
    yield Figure(f"{at}: resident at most, pushes included", "MiB", of(size, "used_mib", "peak"),
                 bar=MEMORY_BARS_MIB.get(size.count), at_least=False, main=True)
    yield Figure(f"{at}: proportional share of that (PSS), at the end", "MiB", of(size, "used_mib", "share"))
    yield Figure(f"{at}: exists, p50", "ms", [percentile(ms, 50) for ms in of(size, "exists_ms")], main=True)
    yield Figure(f"{at}: exists, p99", "ms", [percentile(ms, 99) for ms in of(size, "exists_ms")])
    yield Figure(f"{at}: the index of exists", "bytes/zone", size.index["bytes"] / size.index["names"], main=True)
    yield Figure(f"{at}: one look into that index, zone held", "ns", size.index["held_ns"])
    yield Figure(f"{at}: one look into that index, not held", "ns", size.index["unknown_ns"])
    yield Figure(f"{at}: /status", "ms", [seconds * 1000 for seconds in of(size, "status_s")])
    yield Figure(f"{at}: store", "bytes/zone", size.store_bytes, main=True)
    yield from push_figures(size, at)


def growth(few, many, clients, **judged):
    ratios = [b / a for a, b in zip(of(few, "push", clients, "cpu_us"), of(many, "push", clients, "cpu_us"))]
    who = "1 client" if clients == 1 else f"{clients} clients"
    return Figure(f"processor time of a push, {who}: {many.count:,} / {few.count:,} zones", "", ratios, at_least=False,
                  main=True, **judged)


def figures(sizes, written, another):
    small, large = sizes[0], sizes[-1]
    for size in sizes:
        yield from size_figures(size)
    yield Figure(f"{small.count:,} zones pushed to an empty store and delivered: resident at most", "MiB",
                 [one["pushed"] for one in written], bar=MEMORY_BARS_MIB.get(small.count), at_least=False)
    yield Figure(f"{small.count:,} zones rewritten while paused, then delivered: resident at most", "MiB",
                 [one["drained"] for one in written], note="with jobs in flight on all connections", main=True)
    yield Figure(f"{small.count:,} zones rewritten while paused, then delivered: resident afterwards", "MiB",
                 [one["after"] for one in written])
    for clients in CLIENTS:
        for few, many in zip(sizes, sizes[1:]):
            yield growth(few, many, clients, bar=GROWTH_BAR)
        yield growth(small, large, clients, bar=GROWTH_BAR)
    yield Figure(f"{large.count:,} zones, first start with another back end: ready", "s", another["ready_s"])
    yield Figure(f"{large.count:,} zones due at it: zonefanctl status", "s", another["status_s"])
    yield Figure(f"{large.count:,} zones due at it: resident at most", "MiB", another["peak_mib"])


def charts(sizes):
    def line(values):
        return [(size.count, percentile(values(size), 50)) for size in sizes]

    return [Chart("memory", "Resident", "zones in the store", "MiB", {
                "after the start": line(lambda size: of(size, "started_mib", "now")),
                "at most": line(lambda size: of(size, "used_mib", "peak"))}, kind="lines", log_x=True),
            Chart("start", "Start-up, exec to ready", "zones in the store", "seconds", {
                "warm": line(lambda size: of(size, "ready_s")),
                "nothing in the page cache": line(lambda size: of(size, "cold_s"))}, kind="lines", log_x=True),
            Chart("push", "Processor time of zonefand for a push", "zones in the store", "microseconds", {
                "1 client" if clients == 1 else f"{clients} clients":
                line(lambda size, clients=clients: of(size, "push", clients, "cpu_us")) for clients in CLIENTS},
                kind="lines", log_x=True)]


def counts_of(ctx):
    counts = [ctx.size(SMALLEST, SMALLEST // STEP)]
    while counts[-1] * STEP <= ctx.size(ctx.args.scale_zones, SMALLEST):
        counts.append(counts[-1] * STEP)
    return counts


def run(ctx):
    with Cluster(ctx, 2) as cluster:
        sizes = [Size(ctx, cluster, count) for count in counts_of(ctx)]
        written = []
        for number in range(ctx.pairs):
            for size in sizes[::-1] if number % 2 else sizes:
                size.round()
            written.append(filled_by_pushes(ctx, cluster, sizes[0].count))
        another = with_another(sizes[-1])
        settings = {"databases": len(cluster.servers), "records": bench_zones.RECORDS, **cluster.settings()}
    notes = ["The stores are made by bench_fill, through lib/store, with every zone delivered; a push is of a zone that is held, "
             "with one record changed, and is delivered to databases that did not hold it."]
    return Result("scale", TITLE, figures(sizes, written, another), settings, notes, charts(sizes),
                  raw={str(size.count): {"rounds": size.rounds, "index": size.index} for size in sizes})
