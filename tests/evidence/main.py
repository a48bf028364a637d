# SPDX-License-Identifier: GPL-3.0-or-later
"""The programme behind tests/proof: which groups run, in which order; where their results are kept."""
import argparse
import glob
import importlib
import json
import os
import random
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import report  # noqa: E402
import tree  # noqa: E402
from context import Context, run_group  # noqa: E402

# What finds faults soonest comes first.
GROUPS = ["analysers", "planted", "security", "config", "http", "masters", "peers", "store", "process", "power", "kills",
          "backends", "sim", "coverage", "soak", "fuzz"]


def arguments():
    parser = argparse.ArgumentParser(prog="tests/proof", description="The long programme; its report is build/proof/TREE/report.md.")
    parser.add_argument("--minutes", type=float, help="how long groups that have no end of their own run (soak, each fuzzer); sim ends then, too; "
                        "what is shorter than by itself is partial, and run again without --minutes")
    parser.add_argument("--seed", type=int, help="what random choices come from; default: another one each time")
    parser.add_argument("--report", action="store_true", help="only write the report of what there is")
    parser.add_argument("--keep", action="store_true", help=f"then put the results that are whole and without violations into {tree.KEPT}")
    parser.add_argument("group", nargs="*", help=f"of {', '.join(GROUPS)}; default: all that have no whole result for this tree")
    asked = parser.parse_args()
    for group in asked.group:
        if group not in GROUPS:
            parser.error(f"no group {group!r}; there are {', '.join(GROUPS)}")
    return asked


def pending(results, minutes):
    """Groups without a result; and without --minutes those that --minutes once cut short."""
    return [name for name in GROUPS if name not in results or minutes is None and results[name]["partial"]]


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def adopt(directory):
    """Results of other trees, and those in the repository, in which all was the same that the group may have looked at."""
    here = report.load(directory)
    for name in GROUPS:
        if name in here:
            continue
        own = tree.identity(name)
        others = {*glob.glob(os.path.join(os.path.dirname(directory), "*")), os.path.join(tree.ROOT, tree.KEPT)} - {directory}
        for path in [os.path.join(other, f"{name}.json") for other in sorted(others)]:
            if os.path.exists(path) and load(path)["identity"] == own:
                shutil.copy(path, directory)


def keep(directory):
    """For whoever has this repository next; a violation, or what was cut short, is not for keeping."""
    kept = os.path.join(tree.ROOT, tree.KEPT)
    os.makedirs(kept, exist_ok=True)
    for name, result in report.load(directory).items():
        if not result["partial"] and all(entry["ok"] for entry in result["entries"]):
            shutil.copy(os.path.join(directory, f"{name}.json"), kept)


def main():
    asked = arguments()
    identity = tree.identity()
    directory = os.path.join(tree.ROOT, "build", "proof", identity)
    os.makedirs(directory, exist_ok=True)
    adopt(directory)
    wanted = asked.group or pending(report.load(directory), asked.minutes)
    seed = asked.seed if asked.seed is not None else random.randrange(1 << 30)
    for name in [] if asked.report else wanted:
        print(f"== {name} (seed {seed})", flush=True)
        own = tree.identity(name)
        context = Context(name, directory, asked.minutes, seed)
        entries = run_group(importlib.import_module(f"groups.{name}"), context, os.path.join(directory, f"{name}.json"), own)
        print(f"   {len(entries)} entries, {sum(not entry['ok'] for entry in entries)} violations", flush=True)
        if tree.identity(name) != own:
            print("   the tree was changed meanwhile: these results are of no tree", file=sys.stderr)
            os.unlink(os.path.join(directory, f"{name}.json"))
            return 1
    head = report.write(directory, identity, GROUPS)
    if asked.keep:
        keep(directory)
    print(f"{head['entries']} entries, {head['distinct_faults']} distinct faults, {head['violations']} violations; "
          f"without result: {', '.join(head['groups_without_result']) or 'none'}; "
          f"cut short: {', '.join(head['groups_partial']) or 'none'}; {os.path.relpath(directory, tree.ROOT)}/report.md")
    return 0 if (head["whole"] or asked.group) and not head["violations"] else 1


if __name__ == "__main__":
    sys.exit(main())
