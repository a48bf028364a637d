# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of tests/proof: a failure can't hide in it, figures are counted once, what is missing is named."""
import json
import os
import shutil
import subprocess
import sys
import types

import pytest
from zf.daemon import BIN, SOURCE

sys.path += [os.path.join(SOURCE, "tests", "evidence"), os.path.join(SOURCE, "tests", "evidence", "groups")]

import acceptance  # noqa: E402
import context  # noqa: E402
import main  # noqa: E402
import report  # noqa: E402
import sim  # noqa: E402
import tree  # noqa: E402
from groups import analysers, fuzz, soak  # noqa: E402
from rows import MATRIX  # noqa: E402

SAMPLE = '''
import pytest

ROW = dict(injected="by hand", required="that it holds")

@pytest.mark.row("B01", fault="one", **ROW)
@pytest.mark.row("B02", fault="two", **ROW)
def test_two_rows(happened, times):
    happened("held", times=times(2, 20), kills=5)

@pytest.mark.row("B03", fault="three", **ROW)
def test_that_fails(happened):
    happened("held so far", lost=1)
    assert 1 == 2, "one is not two"

@pytest.mark.row("B04", fault="four", **ROW)
def test_that_is_skipped():
    pytest.skip("not here")

@pytest.mark.long
@pytest.mark.row("B05", fault="five", **ROW)
def test_long():
    pass

def test_without_a_row_that_fails():
    assert False

def test_without_a_row():
    pass
'''


BARS = '''
import pytest

@pytest.mark.row("B01", fault="slow", injected="by hand", required="within 5 s")
@pytest.mark.row("B02", fault="slow, too", injected="by hand", required="within 5 s")
def test_bars(happened, bar):
    happened("took its time")
    bar("seconds", 4.9, 5)
    bar("seconds on this machine", 7, 5, told="two processors")
    bar("seconds at worst", VALUE, 5)
'''


def run_sample(directory, *arguments, source=SAMPLE):
    """The finished pytest, and the entries made of what it left."""
    path, results = directory / "test_sample.py", directory / "results.xml"
    path.write_text(source)
    done = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "zf.matrix", "-p", "no:cacheprovider", f"--junit-xml={results}",
                           f"--rootdir={directory}", *arguments, str(path)], cwd=directory, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PYTHONPATH": os.path.join(SOURCE, "tests", "integration")})
    return done, list(context.Context("sample", str(directory), None, 1).entries_of(str(results), "sample", done))


def test_entries_are_of_marks_and_outcomes(tmp_path):
    _, entries = run_sample(tmp_path, "--long")
    shown = {entry["fault"]: entry for entry in entries}
    assert [entry["row"] for entry in entries].count("-") == 1, "the failed test without a row, alone"
    assert shown["one"]["ok"] and shown["one"]["times"] == 20 and shown["one"]["happened"] == "held"
    assert sum(entry.get("kills", 0) for entry in entries) == 5, "counted once, though the test shows two rows"
    assert not shown["three"]["ok"] and "one is not two" in shown["three"]["happened"]
    assert not shown["four"]["ok"] and "not here" in shown["four"]["happened"], "a skip is no outcome"
    assert shown["five"]["ok"]


def test_the_short_form_is_shorter(tmp_path):
    _, entries = run_sample(tmp_path)
    shown = {entry["fault"]: entry for entry in entries}
    assert shown["one"]["times"] == 2 and "five" not in shown


def test_a_mark_must_say_all(tmp_path):
    done, entries = run_sample(tmp_path, source=SAMPLE.replace('"B04", fault="four", ', '"B04", '))
    assert "test_that_is_skipped" in done.stdout + done.stderr
    assert [entry["ok"] for entry in entries] == [False], "nothing ran: that is a violation"


@pytest.mark.parametrize("value, arguments, ok", [(5, ["--long"], True), (5.1, ["--long"], False), (5.1, [], True)])
def test_a_bar_is_judged_in_the_long_form_alone_and_told_in_each(tmp_path, value, arguments, ok):
    _, entries = run_sample(tmp_path, *arguments, source=BARS.replace("VALUE", str(value)))
    assert [entry["ok"] for entry in entries] == [ok, ok]
    assert ("seconds at worst: reached 5.100, bar 5" in entries[0]["happened"]) == (not ok)
    assert [(bar["reached"], bar["bar"], bar["met"]) for bar in entries[0]["bars"]] == [(4.9, 5, True), (7, 5, False), (value, 5, value <= 5)]
    assert "bars" not in entries[1], "counted once, though the test shows two rows"
    head = written(tmp_path, entries)
    assert head["bars"] == 3 and head["bars_missed"][0] == {"row": "B01", "fault": entries[0]["fault"], "what": "seconds on this machine",
                                                            "reached": 7, "bar": 5, "met": False, "told": "two processors"}
    text = (tmp_path / "report.md").read_text()
    assert "seconds on this machine 7 (bar 5)" in text and "| 7 | 5 | two processors |" in text


def written(directory, entries, groups=("one",), partial=False):
    """The head of the report of one group with these entries."""
    (directory / "one.json").write_text(json.dumps({"group": "one", "started": 0, "seconds": 60, "seed": 1, "minutes": 1 if partial else None,
                                                    "partial": partial, "machine": "this one", "identity": "x", "entries": entries}))
    return report.write(str(directory), "tree", groups)


def entry(row, fault="a fault", group="one", ok=True, **figures):
    return {"group": group, "row": row, "fault": fault, "injected": "x", "required": "y", "happened": "z", "times": 1, "ok": ok,
            "seconds": 1, **figures}


def enough():
    """Entries of a report in which nothing is missing."""
    return [*(entry(row, "none: a baseline") for row in MATRIX), *(entry("B01", f"number {number}") for number in range(62)),  # and eight below
            entry("W1 W8", group="sim", schedules=100_000), entry("P01", kills=500, kills_named=100, lost=0, reversals=0),
            entry("S01", power_cuts=100, acknowledged=50_000), entry("B06", commits_stuck=100, commits_landed=0),
            entry("B05", lost_answers=200), entry("P08", soak_minutes=30), entry("COVERAGE", group="coverage", lines=85.0),
            *(entry(row, fault) for row, fault in acceptance.SWEPT.values()),
            *(entry(f"fuzz {name}", minutes=10, coverage=80.0) for name in fuzz.names()),
            *(entry("PLANTED", f"bug{number}: what", group="planted") for number in range(12)),
            *(entry("PLANTED", f"bug{number}, under random schedules", group="sim") for number in range(6))]


def test_enough_is_enough(tmp_path):
    head = written(tmp_path, enough())
    assert head["whole"] and head["violations"] == 0, [line for line in head["acceptance"] if not line["ok"]]
    assert "VIOLATION" not in (tmp_path / "report.md").read_text()


def less(key, value, row):
    """The same, but for one figure of one row."""
    found = [{**one, key: value} if one["row"] == row and key in one else one for one in enough()]
    assert found != enough()
    return found


SHORT = {
    "schedules of the simulation": less("schedules", 99_999, "W1 W8"),
    "distinct faults": [one for one in enough() if one["fault"] != "number 61"],
    "kill -9 of zonefand": less("kills", 499, "P01"),
    "kill -9 at named points": less("kills_named", 99, "P01"),
    "power cuts": less("power_cuts", 99, "S01"),
    "acknowledged in power cuts": [*less("acknowledged", 49_999, "S01"), entry("B01", acknowledged=1_000_000)],
    "acknowledged changes lost": [*enough(), entry("B01", lost=1)],
    "generations that went back": [*enough(), entry("B01", reversals=1)],
    "stuck COMMITs": less("commits_stuck", 99, "B06"),
    "stuck COMMITs that landed late": less("commits_landed", 1, "B06"),
    "lost COMMIT answers that ended right": less("lost_answers", 199, "B05"),
    "minutes of each fuzz target": less("minutes", 9.5, f"fuzz {fuzz.names()[-1]}"),
    "coverage of each fuzz target, % of lines": less("coverage", 79.9, f"fuzz {fuzz.names()[0]}"),
    "minutes of the soak": less("soak_minutes", 29.9, "P08"),
    "planted bugs found by a test": [*(one for one in enough() if one["fault"] != "bug3: what"),
                                     entry("PLANTED", "off: what (control of another)", group="planted")],
    "planted bugs found by the simulation": [one for one in enough() if not one["fault"].startswith("bug4,")],
    "calls that were failed at every index of a push": [entry("B01"), *(one for one in enough()
                                                                        if one["fault"] != acceptance.SWEPT["malloc"][1])],
    "coverage of lib/ and backends/, % of lines": less("lines", 84.9, "COVERAGE"),
}


@pytest.mark.parametrize("text", [line.text for line in acceptance.LINES])
def test_a_whole_report_that_is_short_is_a_violation(tmp_path, text):
    """Whatever its entries say; as long as it is not whole it is only told."""
    entries = SHORT[text]
    head = written(tmp_path, entries)
    assert [line["text"] for line in head["acceptance"] if not line["ok"]] == [text] and head["violations"] == 1
    assert "VIOLATION" in (tmp_path / "report.md").read_text()
    for head in (written(tmp_path, entries, groups=("one", "two")), written(tmp_path, entries, partial=True)):
        assert not head["whole"] and head["violations"] == 0
        assert "not yet" in (tmp_path / "report.md").read_text()


def test_what_nobody_counted_is_not_none_of_it(tmp_path):
    """A bar "at most" is not met by a report without the figure."""
    for key, row in (("lost", "P01"), ("reversals", "P01"), ("commits_landed", "B06")):
        head = written(tmp_path, less(key, None, row))
        assert head["violations"] == 1
        assert "not counted" in (tmp_path / "report.md").read_text()


def test_a_row_without_an_outcome_is_a_violation_of_a_whole_report(tmp_path):
    entries = [one for one in enough() if one["row"] != "SEC S7"]
    head = written(tmp_path, entries)
    assert head["rows_without_outcome"] == ["SEC S7"] and head["violations"] == 1
    assert "SEC S7: VIOLATION" in (tmp_path / "report.md").read_text()
    assert written(tmp_path, entries, groups=("one", "two"))["violations"] == 0
    assert written(tmp_path, [*entries, entry("X03 X04")])["rows_without_outcome"] == ["SEC S7"]


def test_controls_baselines_and_shapes_are_no_faults(tmp_path):
    head = written(tmp_path, [
        entry("B01", "refused"), entry("B01", "refused"), entry("B02", "refused"), entry("X03 X04", "asleep"),
        entry("B00", "none: 50 pushes/s"), entry("S01", "power cut, synchronous_off (control)"), entry("P02", "a control socket"),
        entry("F01", "tab"), entry("H06", "framing: two lengths"), entry("H07", "no SOA"), entry("H09", "GET"), entry("H01", "slow"),
        entry("SEC S1", "TLS"), entry("U1", "one master away"), entry("PLANTED", "a bug"), entry("-", "a test")])
    assert (head["distinct_faults"], head["distinct_shapes"]) == (6, 4)


def test_figures_of_each_kind_have_a_sum_of_their_own(tmp_path):
    assert fuzz.counted({"executions": 7}) == {"executions": 7}
    assert fuzz.counted({"executions": 700, "schedules": 7}) == {"executions": 7, "steps_fuzzed": 700}
    sums = written(tmp_path, [entry("fuzz core", **fuzz.counted({"executions": 700, "schedules": 7})), entry("W1", steps=20),
                              entry("SEC S3", texts=5, calls=4), entry("SEC S11", inputs=3)])["sums"]
    assert (sums["executions"], sums["steps"], sums["inputs"]) == (7, 20, 3)


@pytest.mark.parametrize("module, minutes, partial", [
    (fuzz, 1, True), (fuzz, 9.9, True), (fuzz, 10, False), (fuzz, None, False), (soak, 29, True), (soak, 30, False), (sim, 1000, True),
    (sim, None, False), (types.SimpleNamespace(), 1, False)])
def test_what_minutes_cut_short_is_partial(tmp_path, module, minutes, partial):
    short = types.SimpleNamespace(**{"MINUTES": module.MINUTES} if hasattr(module, "MINUTES") else {}, run=lambda _: enough())
    context.run_group(short, context.Context("one", str(tmp_path), minutes, 1), str(tmp_path / "one.json"))
    head = report.write(str(tmp_path), "tree", ["one"])
    assert (head["groups_partial"], head["whole"]) == (["one"] if partial else [], not partial)
    text = (tmp_path / "report.md").read_text()
    assert ("its own" if minutes is None else f"| {minutes:g}{' (partial)' if partial else ''} |") in text


def test_what_was_cut_short_is_run_again_without_minutes():
    results = {name: {"partial": name in ("fuzz", "soak")} for name in main.GROUPS if name != "sim"}
    assert main.pending(results, None) == ["sim", "soak", "fuzz"]
    assert main.pending(results, 1) == ["sim"]


def but(*groups):
    return [group for group in main.GROUPS if group not in groups]


@pytest.mark.parametrize("path, groups", [
    ("lib/store/db.c", main.GROUPS), ("tests/evidence/context.py", main.GROUPS), ("lib/http/net.c", but("sim")),
    ("lib/verify/tell.c", but("sim", "fuzz")), ("tests/unit/test_util.h", but("sim")),
    ("tests/integration/zf/da.py", but("sim", "fuzz")), ("tests/integration/conftest.py", but("sim", "fuzz")),
    ("tests/evidence/groups/power.py", ["power"]), ("tests/sim/client.c", ["analysers", "planted", "peers", "sim", "coverage", "fuzz"]),
    ("tests/unit/test_http_door.c", ["analysers", "planted", "security", "http", "coverage"]),
    ("tests/unit/test_coredns_mysql_blame.c", ["analysers", "planted", "security", "backends", "coverage"]),
    ("tests/unit/test_zone_corpus.c", ["analysers", "coverage"]),
    ("tests/fuzz/fuzz_conf.c", ["analysers", "coverage", "fuzz"]), ("tests/deploy/test_deb.py", []),
    ("tests/integration/test_kill.py", ["analysers", "kills", "coverage"]),
    ("tests/integration/faults/test_http_crowd.py", ["analysers", "http", "coverage"]),
    ("tests/integration/test_heal.py", ["analysers", "masters", "backends", "coverage"])])
def test_a_result_is_of_what_its_group_may_have_looked_at(path, groups):
    assert [group for group in main.GROUPS if tree.concerns(path, group, tree.source_of(group))] == groups


def made_of(program):
    """The sources of that program, and what they include, as the build knows them: relative to the source's root."""
    build = os.path.dirname(BIN)

    def ninja(*arguments):
        return subprocess.run(["ninja", "-C", build, "-t", *arguments], check=True, capture_output=True, text=True).stdout
    objects = [line for line in ninja("inputs", os.path.join("bin", program)).splitlines() if line.endswith(".o")]
    names = [line.strip() for line in ninja("deps", *objects).splitlines() if line.startswith(" ")]
    return {os.path.relpath(os.path.join(build, name), SOURCE) for name in names}


@pytest.mark.parametrize("group, programs", [
    ("sim", ["sim", "sim_peers", "sim_store"]), ("fuzz", [*(f"replay_{name}" for name in fuzz.names()), "zone_kept"])])
def test_what_a_group_does_not_look_at_is_not_in_its_programs(group, programs):
    """Fuzzers are linked as those that replay their inputs."""
    sources = set().union(*map(made_of, programs))
    assert {"lib/engine/core_turn.c", "lib/engine/engine.h", "tests/sim/world.c"} <= sources
    assert [path for path in sorted(sources) if path.startswith(tree.NOT_LOOKED_AT_BY[group])] == []


def test_what_is_whole_and_good_is_kept_in_the_repository(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "ROOT", str(tmp_path))
    monkeypatch.setattr(tree, "identity", lambda group: "same")
    for tried in ("this", "that"):
        (tmp_path / tried).mkdir()
    for name, ok, minutes in (("power", True, None), ("kills", False, None), ("soak", True, 1)):
        made = context.Context(name, str(tmp_path / "this"), minutes, 1)
        context.run_group(types.SimpleNamespace(MINUTES=30, run=lambda _, made=made, ok=ok: [made.entry(
            row="P01", fault="x", injected="x", required="x", happened="x", ok=ok)]), made, str(tmp_path / "this" / f"{name}.json"), "same")
    main.keep(str(tmp_path / "this"))
    assert os.listdir(tmp_path / tree.KEPT) == ["power.json"]
    assert not tree.counts(f"{tree.KEPT}/power.json")
    shutil.rmtree(tmp_path / "this")
    main.adopt(str(tmp_path / "that"))
    assert list(report.load(str(tmp_path / "that"))) == ["power"]


def test_a_result_of_another_tree_is_taken_if_it_is_of_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "identity", lambda group: {"power": "same", "kills": "other"}.get(group, "unknown"))
    for name in ("this", "that"):
        (tmp_path / name).mkdir()
    for name in ("power", "kills"):
        made = context.Context(name, str(tmp_path / "that"), None, 1)
        context.run_group(types.SimpleNamespace(run=lambda _, made=made: [made.entry(
            row="P01", fault="x", injected="x", required="x", happened="x", ok=True)]), made, str(tmp_path / "that" / f"{name}.json"), "same")
    main.adopt(str(tmp_path / "this"))
    assert list(report.load(str(tmp_path / "this"))) == ["power"]


def test_a_unit_test_that_fails_under_memcheck_needs_a_reason():
    named = next(iter(analysers.FAILS_UNDER_MEMCHECK))
    for name, found, finished, passed, bad in [
            ("test_zone_parse", False, True, True, False), ("test_zone_parse", False, True, False, True),
            ("test_zone_parse", True, True, False, True), ("test_zone_parse", False, False, False, True),
            (named, False, True, False, False), (named, True, True, False, True), (named, False, False, False, True)]:
        assert analysers.is_bad(name, found, finished, passed) == bad, (name, found, finished, passed)


def test_report_is_the_union_and_names_what_is_missing(tmp_path):
    made = context.Context("one", str(tmp_path), None, 1)

    def run(_):
        yield made.entry(row="B01", fault="refused", injected="x", required="y", happened="a | b\nc", ok=True, kills=3)
        yield made.entry(row="B01", fault="reset", injected="x", required="y", happened="no", ok=False)
        raise RuntimeError("the disk broke")
    entries = context.run_group(types.SimpleNamespace(run=run), made, str(tmp_path / "one.json"))
    assert [entry["ok"] for entry in entries] == [True, False, False], "a group that breaks off is a violation, and keeps its entries"
    head = report.write(str(tmp_path), "tree", ["one", "two"])
    assert (head["violations"], head["distinct_faults"], head["sums"]["kills"]) == (2, 2, 3)
    assert head["groups_without_result"] == ["two"]
    assert "B02" in head["rows_without_outcome"] and "B01" not in head["rows_without_outcome"]
    text = (tmp_path / "report.md").read_text()
    assert "a \\| b c" in text and text.count("VIOLATION") == 2 and "no result of two" in text
    assert json.loads((tmp_path / "report.json").read_text())["groups"]["one"]["entries"][1]["fault"] == "reset"


def test_what_a_later_run_replaces_is_told(tmp_path):
    """A violation that did not come again, whether that run came to its end or not."""
    path = str(tmp_path / "one.json")

    def run(*entries):
        made = context.Context("one", str(tmp_path), None, 1)
        context.run_group(types.SimpleNamespace(run=lambda _: entries), made, path)
    run(entry("B01", "refused", ok=False), entry("B01", "reset"))
    with open(path + ".part", "w", encoding="utf-8") as part:
        part.write(json.dumps(entry("B02", "swallowed", ok=False)) + "\n")
    run(entry("B01", "refused"))
    run(entry("B01", "refused"), entry("B02", "swallowed"))
    before = report.load(str(tmp_path))["one"]["before"]
    assert [(each["entries"], each["ended"], each["violations"]) for each in before] == [
        (2, True, ["B01 refused: z"]), (1, False, ["B02 swallowed: z"]), (1, True, [])]
    assert report.write(str(tmp_path), "tree", ["one"])["rows_without_outcome"]
    text = (tmp_path / "report.md").read_text()
    assert "| 2 | to its end | B01 refused: z |" in text and "| 1 | broken off | B02 swallowed: z |" in text


@pytest.mark.parametrize("said, until, ok", [
    ("echo $2 passed, 0 failed", None, True),
    ("echo 4 passed, 0 failed", None, False),           # one of five never ended
    ("echo $2 passed, 0 failed; exit 1", None, False),
    ("kill -9 $$", None, False),
    ("echo $2 passed, 0 failed", 0, False),             # the time was up before the first
])
def test_each_schedule_must_end(tmp_path, said, until, ok):
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{said}\n")
    program.chmod(0o755)
    made = context.Context("sim", str(tmp_path), None, 1)
    entry = sim.entry_of(made, "a fault", sim.pieces(str(program), 10, 1, 5), row="W8", until=until)
    assert entry["ok"] == ok
    assert not ok or entry["schedules"] == 10


@pytest.mark.parametrize("arguments, code, wanted", [(["no-such-group"], 2, "no-such-group"), (["--minutes", "many"], 2, "many")])
def test_proof_refuses_what_it_does_not_know(arguments, code, wanted):
    done = subprocess.run(["/usr/bin/python3", os.path.join(SOURCE, "tests", "evidence", "main.py"), *arguments],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == code and wanted in done.stderr
