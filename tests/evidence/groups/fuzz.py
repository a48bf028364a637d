# SPDX-License-Identifier: GPL-3.0-or-later
"""
Every fuzz target for ten minutes, two side by side, then how much of the files it aims at is covered; and what BIND makes of the
zone texts that were accepted.
"""
import json
import os

from tree import ROOT

MINUTES = 10
COVERAGE_LEAST = 80.0  # percent of the lines
BAR = 1000             # executions a second
# Of the targets that have a lower one in tests/fuzz/targets, what an execution is.
BELOW = {
    "store": "an execution opens a SQLite file, pushes, commits, and opens it again: two schemas to read, some 40 statements to compile",
    "conf": "an execution reads up to three configurations, and looks for the nearest key to each unknown one",
    "mysql": "an execution connects and logs in, by a thread of its own",
    "core": "a step is one of the whole engine, on a store that SQLite opens anew for each input",
}


def names():
    with open(os.path.join(ROOT, "tests", "fuzz", "targets"), encoding="utf-8") as table:
        return [line.split()[0] for line in table if line[0].isalpha()]


def fuzz(context, pair, minutes):
    done = context.command(["tests/fuzz/run", "--json", "--minutes", str(minutes), "--seed", str(context.seed % 2**31), *pair])
    figures = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(figures) != len(pair):
        raise RuntimeError(done.stdout)
    return figures


def rate(figures):
    """What was reached, against the bar."""
    said = f"{figures['per_second']} a second"
    if figures["per_second"] < BAR and figures["name"] in BELOW:
        said += f" (reached {figures['per_second']}, bar {BAR}, because {BELOW[figures['name']]})"
    return said


def coverage(context, name):
    done = context.command(["tests/fuzz/coverage", name], env={"COVERAGE_CORPUS": os.path.join(ROOT, "build", "fuzz", "finds")})
    shares = {line.split()[1]: float(line.split()[2]) for line in done.stdout.splitlines() if line.startswith(f"{name} ")}
    if done.returncode != 0 or "all" not in shares:
        raise RuntimeError(done.stdout)
    share = shares.pop("all")
    worst = min(shares, key=shares.get)
    return share, worst, shares[worst]


def second_opinion(context):
    programs = context.build("dev", "zone_kept")
    done = context.command(["tests/fuzz/second_opinion", os.path.join(programs, "zone_kept")])
    figures = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(figures) != 1:
        raise RuntimeError(done.stdout)
    figures = figures[0]
    return context.entry(
        row="fuzz zone, second opinion", fault="zone texts that are accepted, read by another server's code",
        injected="all accepted texts of the corpus, as pushed and as kept, to BIND's named-compilezone",
        required="BIND reads the same records in both, but for what second_opinion.tsv permits",
        happened=f"{figures['accepted']} texts: {figures['same']} the same, {figures['permitted']} permitted, {figures['other']} other"
                 + ("" if figures["other"] == 0 else f"\n{done.stdout[:2000]}"),
        ok=done.returncode == 0, times=figures["accepted"], reasons=figures["reasons"])


def counted(figures):
    """An execution of a stateful target is a schedule; what it goes through are steps of the core."""
    if "schedules" in figures:
        return {"executions": figures["schedules"], "steps_fuzzed": figures["executions"]}
    return {"executions": figures["executions"]}


# Product table S11: memory-safe parsing of what comes from outside.
PARSERS = ("http", "form", "zone", "conf")


def memory_safe(context, told):
    """S11, of the targets that it names."""
    parsers = [told[name] for name in PARSERS]
    return context.entry(
        row="SEC S11", fault="hostile bytes for HTTP, forms, zone texts, configuration", injected="the fuzzers of these under ASan and UBSan",
        required="no report of either, no crash, no hang", ok=all(figures["ok"] for figures in parsers), times=len(parsers),
        happened=", ".join(f"{figures['name']} {figures['executions']:,}" for figures in parsers)
                 + f" executions, {sum(figures['crashes'] for figures in parsers)} crashes")


def run(context):
    minutes = context.minutes or MINUTES
    targets, told = names(), {}
    for at in range(0, len(targets), 2):
        for figures in fuzz(context, targets[at:at + 2], minutes):
            told[figures["name"]] = figures
            covered, worst, least_covered = coverage(context, figures["name"])
            yield context.entry(
                row=f"fuzz {figures['name']}", fault=f"any bytes for the target {figures['name']}",
                injected=f"libFuzzer, ASan and UBSan, {minutes:g} minutes, seed {figures['seed']}",
                required=f"no crash, hang, leak or broken oracle; {BAR} executions a second of processor time"
                         + (f" (held: {figures['least']})" if figures["least"] < BAR else "") + "; 80 % of the lines of its files",
                happened=f"{figures['executions']} executions in {figures['processor_seconds']} s of processor time, {rate(figures)}, "
                         f"{figures['crashes']} crashes, "
                         f"{covered:.1f} % of the lines, least {least_covered:.1f} % of {worst} {figures['said']}".rstrip(),
                ok=figures["ok"] and covered >= COVERAGE_LEAST, times=figures["executions"], seconds=minutes * 60,
                **counted(figures), per_second=figures["per_second"], processor_seconds=figures["processor_seconds"], coverage=covered, worst_file=worst,
                worst_coverage=least_covered, minutes=minutes, crashes=figures["crashes"])
    yield memory_safe(context, told)
    yield second_opinion(context)
