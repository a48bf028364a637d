# SPDX-License-Identifier: GPL-3.0-or-later
"""What the whole report must reach in figures, however well each of its entries ended; and what counts as a distinct fault."""
import re
from collections import namedtuple

from groups.fuzz import names as fuzz_targets
from rows import MATRIX

# counted: of which entries, in words; count(entries) does it. least and most: bounds, None: none.
Line = namedtuple("Line", "text counted count least most", defaults=(None, None))

FAULTS = ("B", "S", "P", "H", "R", "X")
# Each text of a configuration or a request is a row of its own: many, but not many faults.
SHAPES = ("F", "H06", "H07", "H09")


def rows_of(entry):
    """An entry may show several rows; those of security have a blank in their names."""
    return [entry["row"]] if entry["row"] in MATRIX else entry["row"].split()


def is_control(entry):
    """It shows that a test can fail, or what happens without a fault."""
    return entry["fault"].startswith("none: ") or "(control)" in entry["fault"]


def distinct(entries):
    """{(row, fault)} that begin so, by kind: faults, shapes (of texts)."""
    found = {"faults": set(), "shapes": set()}
    for entry in entries:
        for row in rows_of(entry):
            if row not in MATRIX or row.startswith("SEC") or is_control(entry):
                continue
            if row.startswith(SHAPES):
                found["shapes"].add((row, entry["fault"]))
            elif row.startswith(FAULTS):
                found["faults"].add((row, entry["fault"]))
    return found


def without_outcome(entries):
    shown = {row for entry in entries for row in rows_of(entry)}
    return [row for row in MATRIX if row not in shown]


def total(key, given=None, group=None):
    """Adds a figure up, over all entries or those that have another one, too, or of one group; None where no entry has it."""
    def count(entries):
        found = [entry[key] for entry in entries if entry.get(key) is not None and (given is None or entry.get(given))
                 and group in (None, entry["group"])]
        return sum(found) if found else None
    return count


def schedules(entries):
    """Those with three data centres and a store, not those of peers."""
    return sum(entry.get("schedules") or 0 for entry in entries if entry["group"] == "sim" and entry["row"].startswith("W"))


# What is failed at each index of a push, and the entry that tells of it.
SWEPT = {"fdatasync": ("S03", "fdatasync fails with EIO, push"), "pwrite64": ("S04", "pwrite64 fails with EIO, push"),
         "malloc": ("S10", "out of memory, push")}


def swept(entries):
    told = {(entry["row"], entry["fault"]) for entry in entries if entry["ok"]}
    return sum(which in told for which in SWEPT.values())


def planted(group):
    """Bugs that were found, but for the controls."""
    def count(entries):
        found = [entry["fault"] for entry in entries if entry["group"] == group and entry["row"] == "PLANTED" and entry["ok"]]
        return len({re.match(r"\w+", fault).group() for fault in found if "(control" not in fault})
    return count


def least_of_fuzzers(key):
    """Of the target that has least; a target without an entry has none."""
    def count(entries):
        reached = {entry["row"]: entry.get(key) or 0 for entry in entries}
        return min(reached.get(f"fuzz {name}", 0) for name in fuzz_targets())
    return count


LINES = [
    Line("schedules of the simulation", "schedules, group sim, without those of peers", schedules, least=100_000),
    Line("distinct faults", "rows B, S, P, H, R, X; no controls, nothing of H06, H07, H09 (shapes of requests) and F (configurations)",
         lambda entries: len(distinct(entries)["faults"]), least=70),
    Line("kill -9 of zonefand", "kills", total("kills"), least=500),
    Line("kill -9 at named points", "kills_named", total("kills_named"), least=100),
    Line("power cuts", "power_cuts (without the controls)", total("power_cuts"), least=100),
    Line("acknowledged in power cuts", "acknowledged, where power_cuts", total("acknowledged", "power_cuts"), least=50_000),
    Line("acknowledged changes lost", "lost", total("lost"), most=0),
    Line("generations that went back", "reversals", total("reversals"), most=0),
    Line("stuck COMMITs", "commits_stuck", total("commits_stuck"), least=100),
    Line("stuck COMMITs that landed late", "commits_landed", total("commits_landed"), most=0),
    Line("lost COMMIT answers that ended right", "lost_answers", total("lost_answers"), least=200),
    Line("calls that were failed at every index of a push", ", ".join(SWEPT), swept, least=len(SWEPT)),
    Line("minutes of each fuzz target", "minutes, of the target that has least", least_of_fuzzers("minutes"), least=10),
    Line("coverage of each fuzz target, % of lines", "coverage, of the target that has least", least_of_fuzzers("coverage"), least=80),
    Line("minutes of the soak", "soak_minutes", total("soak_minutes"), least=30),
    Line("planted bugs found by a test", "PLANTED, group planted, without the control", planted("planted"), least=12),
    Line("planted bugs found by the simulation", "PLANTED, group sim", planted("sim"), least=6),
    Line("coverage of lib/ and backends/, % of lines", "lines, group coverage", total("lines", group="coverage"), least=85),
]


def judge(entries):
    """What each line reached, and whether that is enough."""
    for line in LINES:
        reached = line.count(entries)
        # What nobody counted is not "none of it".
        ok = reached is not None and (line.least is None or reached >= line.least) and (line.most is None or reached <= line.most)
        yield {"text": line.text, "counted": line.counted, "reached": reached, "ok": ok,
               "bar": f">= {line.least:,}" if line.least is not None else f"<= {line.most:,}"}
