# SPDX-License-Identifier: GPL-3.0-or-later
"""The two sides that are compared: panels that push over HTTP (bench_pusher), and the plain loader (bench_loader)."""
import json

from zf.mariadb import DATABASE

import zones as bench_zones

ZONES_PER_TRANSACTION = 100
CLOCK_DRIFT_US = 2000  # wall clock against monotonic clock, over one run of the pusher


def push(ctx, zonefan, plan, workers, watched=None, pause_ms=0, per_second=None):
    """
    Pushes the plan (zones.write_plan), each push over a connection of its own. watched: a Cluster whose databases are
    asked after each push until all show it (one worker only), pause_ms of rest after each. per_second: so many begin
    each second, whether others are answered or not, and one that has to wait counts from when it should have begun.
    Returns {"start_ns", "start_wall_us", "pushes": [[start, answer, commit] in µs since then], "commit_error_us":
    [by how much each commit may have been seen too late], "cpu_seconds"}.
    """
    report = ctx.path("pushes.json")
    arguments = ["-r", per_second] if per_second else []
    arguments += [plan, report, zonefan.port, workers, zonefan.user]
    env = {"BENCH_PASSWORD": zonefan.password}
    if watched is not None:
        user, env["BENCH_DB_PASSWORD"] = watched.login
        arguments += [pause_ms, user, DATABASE, *watched.ports]
    return _run_pusher(ctx, arguments, report, env)


def request(ctx, port, plan, workers):
    """Sends the plan, whose bodies are whole HTTP requests. Returns the same as push."""
    report = ctx.path("requests.json")
    return _run_pusher(ctx, ["-w", plan, report, port, workers], report, {})


def _run_pusher(ctx, arguments, report, env):
    _, cpu = ctx.run_program("bench_pusher", *arguments, env=env)
    with open(report, encoding="ascii") as text:
        found = json.load(text)
    assert abs(found["wall_drift_us"]) < CLOCK_DRIFT_US, f"the clock was set meanwhile: {found['wall_drift_us']} µs"
    return {**found, "cpu_seconds": cpu}


def load(ctx, cluster, mode, rows_path):
    """
    Runs the loader on all databases of the cluster; mode as loader.c names them (new, bulk, rewrite).
    Returns {"zones", "rows", "seconds", "seconds_each", "cpu_seconds"}.
    """
    user, password = cluster.login
    output, cpu = ctx.run_program("bench_loader", mode, rows_path, ZONES_PER_TRANSACTION, user, DATABASE,
                                  *cluster.ports, env={"BENCH_DB_PASSWORD": password})
    return {**json.loads(output), "cpu_seconds": cpu}


def write_rows(path, rows):
    """What the loader reads: rows of (zone, hostname, type, data, ttl), zone by zone."""
    with open(path, "w", encoding="ascii") as out:
        for row in rows:
            fields = [str(field) for field in row]
            assert not any("\t" in field or "\n" in field for field in fields), fields
            out.write("\t".join(fields) + "\n")


def write_plan(path, names, **version):
    """A plan that pushes these zones; version as for zones.text."""
    bench_zones.write_plan(path, [(name, bench_zones.text(name, **version)) for name in names])
    return path
