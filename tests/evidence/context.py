# SPDX-License-Identifier: GPL-3.0-or-later
"""
What a group of tests/proof works with. A group is a file groups/NAME.py with run(context), which yields entries: one per
fault, with what was injected how, what was required and what happened.
"""
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

from tree import ROOT

PYTHON = "/usr/bin/python3"
OUTPUT_KEPT = 4000  # characters of what a command said last


class Context:
    def __init__(self, group, directory, minutes, seed):
        self.group = group
        self.directory = directory  # for whatever a group wants to keep beside its entries
        self.minutes = minutes      # as asked for, or None: the group's own
        self.seed = seed
        self.cores = os.cpu_count() or 1
        self.built = set()

    # ---- entries ----

    def entry(self, *, row, fault, injected, required, happened, ok, times=1, seconds=None, **figures):
        return {"group": self.group, "row": row, "fault": fault, "injected": injected, "required": required,
                "happened": happened, "times": times, "ok": bool(ok), "seconds": seconds, **figures}

    # ---- running things ----

    def build(self, preset, *targets):
        """Configures and builds a preset, once; the folder of its programs. A build that fails ends the group."""
        if (preset, targets) not in self.built:
            for command in (["cmake", "--preset", preset],
                            ["cmake", "--build", "--preset", preset, "-j", str(self.cores),
                             *(["--target", *targets] if targets else [])]):
                done = self.command(command)
                if done.returncode != 0:
                    raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-OUTPUT_KEPT:]}")
            self.built.add((preset, targets))
        return os.path.join(ROOT, "build", preset, "bin")

    def command(self, arguments, env=None, cwd=ROOT, timeout=None):
        """The finished process, stdout and stderr as one text."""
        return subprocess.run(arguments, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout)

    def pytest(self, *paths, workers=1, preset="dev", arguments=(), env=None):
        """
        The long form of these tests of tests/integration (files, or folders, or file::test), with the programs of a preset; an
        entry for each of their marks `row`, and for each test without one that failed.
        """
        programs = self.build(preset)
        handle, results = tempfile.mkstemp(prefix="zonefan-proof-", suffix=".xml")
        os.close(handle)
        try:
            done = self.command(
                [PYTHON, "-m", "pytest", "-q", "--tb=short", "--long", f"--junit-xml={results}",
                 *(["-n", str(workers), "--dist", "loadfile"] if workers > 1 else []), *arguments,
                 *(os.path.join("tests", "integration", path) for path in paths)],
                env={"ZONEFAN_BIN_DIR": programs, "ZONEFAN_SEED": str(self.seed), **(env or {})})
            with open(os.path.join(self.directory, f"{self.group}.log"), "a", encoding="utf-8") as log:
                log.write(done.stdout)
            yield from self.entries_of(results, " ".join(paths), done)
        finally:
            os.unlink(results)

    def unit_tests(self, units):
        """Programs of the development build that show a row: (program, row, fault, injected, required) of each."""
        programs = self.build("dev")
        for program, row, fault, injected, required in units:
            done = self.command([os.path.join(programs, program)], timeout=1200)
            passed = done.stdout.count("[       OK ]")
            yield self.entry(row=row, fault=fault, injected=injected, required=required, ok=done.returncode == 0 and passed > 0,
                             happened=f"{passed} tests of {program} passed" if done.returncode == 0 else done.stdout[-2000:],
                             times=passed, test=program)

    def entries_of(self, results, what, done):
        try:
            cases = list(xml.parse(results).getroot().iter("testcase"))
        except xml.ParseError:
            cases = []
        if not cases:
            yield self.entry(row="-", fault=what, injected="pytest", required="the tests run", ok=False,
                             happened=done.stdout[-OUTPUT_KEPT:])
        for case in cases:
            yield from self.entries_of_case(case)

    def entries_of_case(self, case):
        name = f"{case.get('classname')}::{case.get('name')}"
        told = [(item.get("name"), json.loads(item.get("value"))) for item in case.iter("property")
                if item.get("name") in ("row", "happened", "bar")]
        rows = [value for kind, value in told if kind == "row"]
        figures = next((value for kind, value in told if kind == "happened"), {"happened": "as required"})
        bars = [value for kind, value in told if kind == "bar"]
        if bars:
            figures = {**figures, "bars": bars}
        bad = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        if bad is not None:
            message = (bad.get("message") or bad.text or "").strip()[:1000]
            figures = {**figures, "happened": f"{bad.tag.upper()} of {name}: {message}"}
        if bad is not None and not rows:
            rows = [{"row": "-", "fault": name, "injected": "a test without a row", "required": "it passes"}]
        for number, row in enumerate(rows):
            # A test's figures are counted once, however many rows it shows.
            shown = figures if number == 0 else {"happened": figures["happened"]}
            yield self.entry(**{**row, **shown}, ok=bad is None, seconds=float(case.get("time") or 0), test=name)


def machine():
    return f"{platform.platform()}, {os.cpu_count()} processors"


def is_partial(module, minutes):
    """Shorter than the group is by itself (its MINUTES; a group without one has an end of its own): no result to rely on."""
    own = getattr(module, "MINUTES", None)
    return None not in (own, minutes) and minutes < own


def runs_before(path, part):
    """What there is of earlier runs of the same, each in short: a result that this run replaces, and one that was broken off."""
    runs = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
        runs += [*result.get("before", ()), in_short(result["started"], result["entries"], True)]
    if os.path.exists(part):
        with open(part, encoding="utf-8") as file:
            runs.append(in_short(os.path.getmtime(part), [json.loads(line) for line in file], False))
    return runs


def in_short(started, entries, ended):
    return {"started": started, "ended": ended, "entries": len(entries),
            "violations": [f"{entry['row']} {entry['fault']}: {entry['happened'][:300]}" for entry in entries if not entry["ok"]]}


def run_group(module, context, path, identity=None):
    """
    Runs a group; its entries are kept as they come (path.part), and as its result (path) when it ended by itself, with what it is of
    (tree.identity).
    """
    part = path + ".part"
    entries = []
    started = time.time()
    before = runs_before(path, part)

    def keep(entry):
        entries.append(entry)
        with open(part, "a", encoding="utf-8") as out:
            out.write(json.dumps(entry) + "\n")
        if not entry["ok"]:
            print(f"   VIOLATION {entry['row']} {entry['fault']}: {entry['happened'][:1500]}", file=sys.stderr, flush=True)

    if os.path.exists(part):
        os.unlink(part)
    try:
        for entry in module.run(context):
            keep(entry)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        keep(context.entry(row="-", fault=f"group {context.group}", injected="", required="it runs to its end",
                           happened=str(error)[-OUTPUT_KEPT:], ok=False))
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"group": context.group, "identity": identity, "machine": machine(), "started": started,
                   "seconds": round(time.time() - started, 1), "seed": context.seed, "minutes": context.minutes,
                   "partial": is_partial(module, context.minutes), "before": before, "entries": entries}, out, indent=1)
    if os.path.exists(part):
        os.unlink(part)
    return entries
