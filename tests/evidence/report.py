# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: all results of one tree, as JSON and as Markdown."""
import glob
import json
import os
import platform
import time

from rows import MATRIX
from tree import commit

SUMMED = ("kills", "power_cuts", "acknowledged", "lost", "reversals", "schedules", "steps", "faults", "inputs", "reads")
# What every entry has, and what the tables show already.
COMMON = {"group", "row", "fault", "injected", "required", "happened", "times", "ok", "seconds", "test"}


def load(directory):
    """{group: result}, of groups that ended."""
    results = {}
    for path in sorted(glob.glob(os.path.join(directory, "*.json"))):
        if os.path.basename(path) != "report.json":
            with open(path, encoding="utf-8") as file:
                result = json.load(file)
            results[result["group"]] = result
    return results


def summary(tree, results, missing_groups):
    entries = [entry for result in results.values() for entry in result["entries"]]
    shown = {entry["row"] for entry in entries}
    return {
        "tree": tree, "commit": commit(), "machine": f"{platform.platform()}, {os.cpu_count()} processors",
        "written": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "entries": len(entries), "violations": sum(not entry["ok"] for entry in entries),
        "distinct_faults": len({(entry["row"], entry["fault"]) for entry in entries if entry["row"] in MATRIX}),
        "rows_without_outcome": [row for row in MATRIX if row not in shown], "groups_without_result": missing_groups,
        "minutes": round(sum(result["seconds"] for result in results.values()) / 60, 1),
        "sums": {key: sum(entry.get(key) or 0 for entry in entries) for key in SUMMED},
    }


def cell(value):
    return str(value).replace("|", "\\|").replace("\n", " ")[:400]


def figures_of(entry):
    return ", ".join(f"{key} {value}" for key, value in entry.items() if key not in COMMON)


def table(heads, lines):
    yield "| " + " | ".join(heads) + " |"
    yield "| " + " | ".join("---" for _ in heads) + " |"
    for line in lines:
        yield "| " + " | ".join(cell(value) for value in line) + " |"
    yield ""


def markdown(head, results):
    yield f"# What tests/proof found: {head['violations']} violations"
    yield ""
    yield f"Tree {head['tree']} (commit {head['commit']}), {head['machine']}, {head['written']}, {head['minutes']} minutes."
    yield ""
    yield from table(("figure", "sum"), [("entries", head["entries"]), ("distinct faults", head["distinct_faults"]),
                                         *((key, value) for key, value in head["sums"].items())])
    if head["groups_without_result"]:
        yield f"**Not whole**: no result of {', '.join(head['groups_without_result'])}."
    if head["rows_without_outcome"]:
        yield f"**Rows without an outcome**: {', '.join(head['rows_without_outcome'])}."
    yield ""
    yield from table(("group", "entries", "violations", "seconds", "seed"),
                     [(name, len(result["entries"]), sum(not entry["ok"] for entry in result["entries"]), result["seconds"],
                       result["seed"]) for name, result in results.items()])
    for name, result in results.items():
        yield f"## {name}"
        yield ""
        yield from table(("row", "fault", "injected", "times", "required", "what happened", ""),
                         [(entry["row"], entry["fault"], entry["injected"], entry["times"], entry["required"],
                           entry["happened"] + (f" ({figures_of(entry)})" if figures_of(entry) else ""),
                           "" if entry["ok"] else "VIOLATION") for entry in result["entries"]])


def write(directory, tree, groups):
    """Writes report.json and report.md; the head of it."""
    results = load(directory)
    head = summary(tree, results, [group for group in groups if group not in results])
    with open(os.path.join(directory, "report.json"), "w", encoding="utf-8") as out:
        json.dump({**head, "groups": results}, out, indent=1)
    with open(os.path.join(directory, "report.md"), "w", encoding="utf-8") as out:
        out.write("\n".join(markdown(head, results)) + "\n")
    return head
