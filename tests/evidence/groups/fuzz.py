# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fuzz target for ten minutes, two side by side, then how much of the files it aims at is covered."""
import json
import os

from tree import ROOT

MINUTES = 10
COVERAGE_LEAST = 80.0  # percent of the lines


def names():
    with open(os.path.join(ROOT, "tests", "fuzz", "targets"), encoding="utf-8") as table:
        return [line.split()[0] for line in table if line[0].isalpha()]


def fuzz(context, pair, minutes):
    done = context.command(["tests/fuzz/run", "--json", "--minutes", str(minutes), "--seed", str(context.seed % 2**31), *pair])
    figures = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(figures) != len(pair):
        raise RuntimeError(done.stdout)
    return figures


def coverage(context, name):
    done = context.command(["tests/fuzz/coverage", name], env={"COVERAGE_CORPUS": os.path.join(ROOT, "build", "fuzz", "finds")})
    shares = [line.split()[2] for line in done.stdout.splitlines() if line.startswith(f"{name} all ")]
    if done.returncode != 0 or len(shares) != 1:
        raise RuntimeError(done.stdout)
    return float(shares[0])


def run(context):
    minutes = context.minutes or MINUTES
    targets = names()
    for at in range(0, len(targets), 2):
        for figures in fuzz(context, targets[at:at + 2], minutes):
            covered = coverage(context, figures["name"])
            yield context.entry(
                row=f"fuzz {figures['name']}", fault=f"any bytes for the target {figures['name']}",
                injected=f"libFuzzer, ASan and UBSan, {minutes:g} minutes, seed {figures['seed']}",
                required=f"no crash, hang, leak or broken oracle; {figures['least']} executions a second of processor time; 80 % of the "
                         "lines of its files",
                happened=f"{figures['executions']} inputs, {figures['per_second']} a second, {figures['crashes']} crashes, "
                         f"{covered:.1f} % of the lines {figures['said']}".rstrip(),
                ok=figures["ok"] and covered >= COVERAGE_LEAST, times=figures["executions"], seconds=minutes * 60,
                inputs=figures["executions"], per_second=figures["per_second"], coverage=covered, minutes=minutes,
                crashes=figures["crashes"])
