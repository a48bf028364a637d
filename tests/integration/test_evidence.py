# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of tests/proof: a failure can't hide in it, figures are counted once, what is missing is named."""
import json
import os
import subprocess
import sys
import types

import pytest
from zf.daemon import SOURCE

sys.path += [os.path.join(SOURCE, "tests", "evidence"), os.path.join(SOURCE, "tests", "evidence", "groups")]

import context  # noqa: E402
import report  # noqa: E402
import sim  # noqa: E402

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
