# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bench found, for people: lines, and the table that README.md shows."""
import os
import statistics

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def percentile(values, share):
    """The smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def percentiles(figures):
    return f"p50 {figures[50]:.1f} ms, p99 {figures[99]:.1f} ms"


def median(rounds, key):
    return statistics.median(entry[key] for entry in rounds)


def summary(result):
    """result: what run gathered. Adds the figures that are derived from it."""
    zonefan, loader = result["zonefan"], result["loader"]
    out = {
        "zonefan_rate": median(zonefan, "rate"),
        "loader_rate": median(loader, "rate"),
        "ack_rate": median(zonefan, "ack_rate"),
        "rss_mib": max(entry["memory_kib"]["rss"] for entry in zonefan) / 1024,
        "peak_mib": max(entry["memory_kib"]["peak"] for entry in zonefan) / 1024,
        "idle_mib": max(entry["memory_idle_kib"]["rss"] for entry in zonefan) / 1024,
    }
    out["ratio"] = out["zonefan_rate"] / out["loader_rate"]
    out["pair_ratios"] = [z["rate"] / r["rate"] for z, r in zip(zonefan, loader)]
    acks = [ack for entry in zonefan for ack in entry["ack_us"]]
    out["loaded_ack_ms"] = {p: percentile(acks, p) / 1000 for p in (50, 99)}
    for kind, pushes in result["latency"].items():
        for what, column in (("ack", 0), ("commit", 1)):
            out[f"{kind}_{what}_ms"] = {p: percentile([push[column] for push in pushes], p) / 1000 for p in (50, 99)}
    return out


def cpu_line(rounds):
    names = sorted(rounds[0]["cpu"])
    return ", ".join(f"{name} {statistics.median(entry['cpu'][name] for entry in rounds):.2f} s" for name in names)


def settings_line(settings):
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def lines(result):
    """The report on the terminal."""
    s = result["summary"]
    out = [f"databases: {settings_line(result['settings'])}"]
    for number, (zonefan, loader) in enumerate(zip(result["zonefan"], result["loader"]), 1):
        out.append(f"round {number}: zonefan {zonefan['rate']:.0f} zones/s ({zonefan['seconds']:.3f} s, answered at "
                   f"{zonefan['ack_rate']:.0f}/s), loader {loader['rate']:.0f} zones/s ({loader['seconds']:.3f} s)")
    out += [
        f"processor time of a round with zonefan: {cpu_line(result['zonefan'])}",
        f"processor time of a round with the loader: {cpu_line(result['loader'])}",
        f"median: zonefan {s['zonefan_rate']:.0f} zones/s, loader {s['loader_rate']:.0f} zones/s, ratio {s['ratio']:.2f} "
        f"(rounds: {', '.join(f'{ratio:.2f}' for ratio in s['pair_ratios'])})",
        f"answer under load: {percentiles(s['loaded_ack_ms'])}",
    ]
    for kind, label in (("new", "a new zone"), ("edit", "a changed zone")):
        out.append(f"one push at a time, {label}: answer {percentiles(s[f'{kind}_ack_ms'])}; in both databases "
                   f"{percentiles(s[f'{kind}_commit_ms'])}")
    out.append(f"zonefand's memory: {s['idle_mib']:.1f} MiB before, {s['rss_mib']:.1f} MiB after, "
               f"{s['peak_mib']:.1f} MiB at its highest")
    return out


def table(result):
    """The Markdown of README.md."""
    s, settings = result["summary"], result["settings"]
    rows = [
        ("pushed over HTTP, committed in both databases", f"{s['zonefan_rate']:.0f} zones/s"),
        ("the same rows, plain C loader", f"{s['loader_rate']:.0f} zones/s"),
        ("ratio", f"{s['ratio']:.2f}"),
        ("push to commit in both, one at a time, new zone", percentiles(s["new_commit_ms"])),
        ("push to commit in both, one at a time, two records of 20 changed", percentiles(s["edit_commit_ms"])),
        ("push to answer, one at a time", percentiles(s["new_ack_ms"])),
        (f"push to answer, {result['workers']} at a time", percentiles(s["loaded_ack_ms"])),
        (f"zonefand's resident memory, {result['count']} zones", f"{s['rss_mib']:.1f} MiB "
         f"(highest {s['peak_mib']:.1f} MiB, at start {s['idle_mib']:.1f} MiB)"),
    ]
    head = (f"{result['count']} zones of {result['records']} records, two databases, {result['workers']} pushes at a time; "
            f"median of {len(result['zonefan'])} rounds, {os.cpu_count()} processors shared by panels, zonefand and both "
            f"servers; MariaDB {settings['version']}, innodb_flush_log_at_trx_commit="
            f"{settings['innodb_flush_log_at_trx_commit']}, log_bin={settings['log_bin']}; zonefand's store synchronous=FULL.")
    body = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"{head}\n\n| measured by `tests/bench/run` | |\n| --- | --- |\n{body}"


def update_readme(path, result):
    with open(path, encoding="utf-8") as old:
        text = old.read()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no {BEGIN} ... {END}")
    with open(path, "w", encoding="utf-8") as new:
        new.write(f"{before}{BEGIN}\n{table(result)}\n{END}{after}")
