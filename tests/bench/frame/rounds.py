# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds that write zones into all databases of a cluster: pushed, drained from the store, or by the plain loader."""
import time

import zones as bench_zones
from frame import drive
from frame.cluster import CpuMeter, delivered_at, memory_kib, wait_delivered
from frame.result import Figure


class Version:
    """One state of all zones: what is pushed (plan), what the loader writes (rows), what is then there (digest)."""

    def __init__(self, ctx, name, count, **version):
        self.name = name
        self.count = count
        self.plan = drive.write_plan(ctx.path(f"{name}.plan"), bench_zones.names("z", count), **version)
        self.rows_path = ctx.path(f"{name}.rows")
        self.digest = None

    def learn(self, cluster):
        """Keeps what the databases hold now, as zonefan wrote it; the rows."""
        self.digest = cluster.digest()
        rows = cluster.rows()
        assert len(rows) == self.count * bench_zones.RECORDS, f"{self.name}: {len(rows)} rows"
        drive.write_rows(self.rows_path, rows)
        return rows

    def check(self, cluster, who):
        if self.digest is not None:
            assert cluster.digest() == self.digest, f"{who} did not write the rows of {self.name}"


def written(ctx, cluster, who, version, seconds, cpu, **more):
    """The result of a round, after a look at what it wrote."""
    version.check(cluster, who)
    rate = version.count / seconds
    ctx.log(f"{len(cluster.servers)} databases, {who}: {rate:,.0f} zones/s")
    return {"rate": rate, "seconds": seconds,
            "cpu_us": {name: used / version.count * 1e6 for name, used in cpu.items()}, **more}


def delivered_since(zonefan, start):
    """Seconds from start (wall clock) to the last commit; every zone must have been delivered after it."""
    spans = delivered_at(zonefan)
    assert all(first >= start for first, _ in spans.values()), f"delivered before it began ({start}): {spans}"
    return max(last for _, last in spans.values()) - start


def pushed(ctx, cluster, zonefan, version, workers):
    """From the first push to the last commit at the slowest database."""
    cluster.settle()
    meter = CpuMeter(cluster.processes(zonefan))
    pushes = drive.push(ctx, zonefan, version.plan, workers)
    wait_delivered(zonefan)
    cpu = {**meter.used(), "client": pushes["cpu_seconds"]}
    seconds = delivered_since(zonefan, pushes["start_wall_us"] / 1e6)
    answered = max(answer for _, answer, _ in pushes["pushes"]) / 1e6
    return written(ctx, cluster, "zonefan, pushed", version, seconds, cpu, answer_rate=version.count / answered,
                   memory_kib=memory_kib(zonefan.process.pid))


def store_paused(ctx, cluster, zonefan, version, workers):
    """Pushes a version while all lanes are paused: it is in the store, and in no database."""
    for server in cluster.servers:
        zonefan.ctl("pause", server.name, check=0)
    drive.push(ctx, zonefan, version.plan, workers)
    pending = zonefan.pending()
    assert set(pending.values()) == {version.count}, f"{version.count} zones wait at each database: {pending}"


def drained(ctx, cluster, zonefan, version, what):
    """From the first resume sent to the last commit at the slowest database."""
    cluster.settle()
    meter = CpuMeter(cluster.processes(zonefan))
    start = time.time()
    for server in cluster.servers:
        zonefan.ctl("resume", server.name, check=0)
    wait_delivered(zonefan)
    cpu = meter.used()
    return written(ctx, cluster, f"zonefan, {what} drained", version, delivered_since(zonefan, start), cpu)


def loaded(ctx, cluster, mode, version):
    """From both connections open to the last COMMIT answered at the slowest database."""
    cluster.settle()
    meter = CpuMeter(cluster.processes())
    found = drive.load(ctx, cluster, mode, version.rows_path)
    cpu = {**meter.used(), "client": found["cpu_seconds"]}
    assert found["zones"] == version.count
    return written(ctx, cluster, f"loader ({mode})", version, found["seconds"], cpu, seconds_each=found["seconds_each"])


# ---- figures ----

def rates(rounds):
    return [one["rate"] for one in rounds]


def ratios(ours, theirs):
    """Pair by pair."""
    return [a / b for a, b in zip(rates(ours), rates(theirs))]


def cpu_figures(who, rounds):
    for name in sorted(rounds[0]["cpu_us"]):
        yield Figure(f"{who}: processor time of {name}", "µs/zone", [one["cpu_us"][name] for one in rounds])
