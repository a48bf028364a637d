# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: all results of one tree, as JSON and as Markdown."""
import glob
import json
import os
import time

import acceptance
from tree import commit

# Each of one kind: what fuzzers executed is not what the simulation did, and neither is what a test sent.
SUMMED = ("kills", "kills_named", "power_cuts", "acknowledged", "lost", "reversals", "reads", "schedules", "steps",
          "simulated_faults", "executions", "inputs")
# What every entry has, and what the tables show already.
COMMON = {"group", "row", "fault", "injected", "required", "happened", "times", "ok", "seconds", "test", "bars"}


def load(directory):
    """{group: result}, of groups that ended."""
    results = {}
    for path in sorted(glob.glob(os.path.join(directory, "*.json"))):
        if os.path.basename(path) != "report.json":
            with open(path, encoding="utf-8") as file:
                result = json.load(file)
            results[result["group"]] = result
    return results


def missed_bars(entries):
    return [{"row": entry["row"], "fault": entry["fault"], **bar}
            for entry in entries for bar in entry.get("bars", ()) if not bar["met"]]


def summary(tree, results, groups):
    """What is missing or short is a violation of the whole report; until it is whole it is told."""
    entries = [entry for result in results.values() for entry in result["entries"]]
    missing = [group for group in groups if group not in results]
    partial = [group for group in groups if group in results and results[group]["partial"]]
    whole = not missing and not partial
    lines, kinds = list(acceptance.judge(entries)), acceptance.distinct(entries)
    without = acceptance.without_outcome(entries)
    failed = sum(not entry["ok"] for entry in entries)
    short = len(without) + sum(not line["ok"] for line in lines)
    return {
        "tree": tree, "commit": commit(), "machine": " and ".join(sorted({result["machine"] for result in results.values()})),
        "written": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "whole": whole, "entries": len(entries), "violations": failed + (short if whole else 0),
        "distinct_faults": len(kinds["faults"]), "distinct_shapes": len(kinds["shapes"]),
        "acceptance": lines, "rows_without_outcome": without, "groups_without_result": missing, "groups_partial": partial,
        "bars": sum(len(entry.get("bars", ())) for entry in entries), "bars_missed": missed_bars(entries),
        "minutes": round(sum(result["seconds"] for result in results.values()) / 60, 1),
        "sums": {key: sum(entry.get(key) or 0 for entry in entries) for key in SUMMED},
    }


def cell(value):
    return str(value).replace("|", "\\|").replace("\n", " ")[:400]


def figures_of(entry):
    bars = [f"{bar['what']} {bar['reached']:g} (bar {bar['bar']:g})" for bar in entry.get("bars", ())]
    return ", ".join([*bars, *(f"{key} {value}" for key, value in entry.items() if key not in COMMON)])


def table(heads, lines):
    yield "| " + " | ".join(heads) + " |"
    yield "| " + " | ".join("---" for _ in heads) + " |"
    for line in lines:
        yield "| " + " | ".join(cell(value) for value in line) + " |"
    yield ""


def missing(head):
    """What keeps the report from being whole, and what it shows nothing of."""
    if head["groups_without_result"]:
        yield f"**Not whole**: no result of {', '.join(head['groups_without_result'])}."
    if head["groups_partial"]:
        yield f"**Not whole**: cut short by --minutes: {', '.join(head['groups_partial'])}."
    if head["rows_without_outcome"]:
        yield f"**Rows without an outcome**: {', '.join(head['rows_without_outcome'])}{verdict(head, False)}."
    yield ""


def verdict(head, ok):
    """Of something that only the whole report can be blamed for."""
    return "" if ok else ": VIOLATION" if head["whole"] else ": not yet"


def required(head):
    yield "## What is required of all together"
    yield ""
    yield from table(("what", "required", "reached", "counted", ""),
                     [(line["text"], line["bar"], "not counted" if line["reached"] is None else f"{line['reached']:,}", line["counted"], verdict(head, line["ok"]).lstrip(": "))
                      for line in head["acceptance"]])
    if head["bars_missed"]:
        yield "Bars that were not reached here:"
        yield ""
        yield from table(("row", "fault", "what", "reached", "bar", "why it is only told"),
                         [(bar["row"], bar["fault"], bar["what"], bar["reached"], bar["bar"], bar.get("told", ""))
                          for bar in head["bars_missed"]])


def markdown(head, results):
    yield f"# What tests/proof found: {head['violations']} violations"
    yield ""
    yield f"Tree {head['tree']} (commit {head['commit']}), {head['machine']}, {head['written']}, {head['minutes']} minutes."
    yield ""
    yield from table(("figure", "sum"), [("entries", head["entries"]), ("distinct faults", head["distinct_faults"]),
                                         ("distinct configurations and shapes of requests", head["distinct_shapes"]),
                                         ("bars judged or told", head["bars"]),
                                         *((key.replace("_", " "), value) for key, value in head["sums"].items())])
    yield from missing(head)
    yield from required(head)
    yield from table(("group", "entries", "violations", "begun", "seconds", "--minutes", "seed", "what it looked at"),
                     [(name, len(result["entries"]), sum(not entry["ok"] for entry in result["entries"]),
                       time.strftime("%Y-%m-%d %H:%M", time.gmtime(result["started"])), result["seconds"],
                       minutes_of(result), result["seed"], result["identity"]) for name, result in results.items()])
    yield from earlier(results)
    for name, result in results.items():
        yield f"## {name}"
        yield ""
        yield from table(("row", "fault", "injected", "times", "required", "what happened", ""),
                         [(entry["row"], entry["fault"], entry["injected"], entry["times"], entry["required"],
                           entry["happened"] + (f" ({figures_of(entry)})" if figures_of(entry) else ""),
                           "" if entry["ok"] else "VIOLATION") for entry in result["entries"]])


def earlier(results):
    """Runs of the same that a later one replaced: a violation that did not come again is still one that came."""
    runs = [(name, time.strftime("%Y-%m-%d %H:%M", time.gmtime(run["started"])), run["entries"],
             "to its end" if run["ended"] else "broken off", "; ".join(run["violations"]) or "none")
            for name, result in results.items() for run in result.get("before", ())]
    if runs:
        yield "Runs of the same before these:"
        yield ""
        yield from table(("group", "begun", "entries", "ran", "violations"), runs)


def minutes_of(result):
    asked = "its own" if result["minutes"] is None else f"{result['minutes']:g}"
    return f"{asked} (partial)" if result["partial"] else asked


def write(directory, tree, groups):
    """Writes report.json and report.md; the head of it."""
    results = load(directory)
    head = summary(tree, results, groups)
    with open(os.path.join(directory, "report.json"), "w", encoding="utf-8") as out:
        json.dump({**head, "groups": results}, out, indent=1)
    with open(os.path.join(directory, "report.md"), "w", encoding="utf-8") as out:
        out.write("\n".join(markdown(head, results)) + "\n")
    return head
