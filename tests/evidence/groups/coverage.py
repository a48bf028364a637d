# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of lib/ and backends/ the tests of tests/run go through: lines have a bar, branches are told."""
import json
import os

from tree import ROOT

LINES_LEAST = 85.0  # percent, of all together
SHOWN = 8           # the files with most lines that nothing ran


def describe(told):
    files = sorted(told["files"], key=lambda file: file["line_covered"] - file["line_total"])[:SHOWN]
    return (f"{told['line_percent']} % of {told['line_total']} lines, {told['branch_percent']} % of {told['branch_total']} branches, "
            f"{told['function_percent']} % of functions; most is left of: " +
            ", ".join(f"{file['filename']} {file['line_percent']} %" for file in files))


def run(context):
    done = context.command(["tests/coverage"])
    if done.returncode != 0:
        raise RuntimeError(done.stdout)
    with open(os.path.join(ROOT, "build", "coverage", "summary.json"), encoding="utf-8") as file:
        told = json.load(file)
    yield context.entry(row="COVERAGE", fault="lines of lib/ and backends/ that no test runs",
                        injected="gcc --coverage; unit, simulation and integration tests in the sizes of tests/run",
                        required=f"{LINES_LEAST:g} % of the lines; branches are told", happened=describe(told),
                        ok=told["line_percent"] >= LINES_LEAST, lines=told["line_percent"], branches=told["branch_percent"])
