# SPDX-License-Identifier: GPL-3.0-or-later
"""
A pytest plugin: which row of the fault matrix a test shows, and in which size.

A test bears one mark per fault: @pytest.mark.row("B05", fault="...", injected="...", required="..."). What happened is told by
the fixture `happened`, and how it compares with the row's bars by the fixture `bar`. Marks and figures go into the JUnit file as
the test's properties; tests/evidence makes the report of them. --long: the sizes of tests/proof instead of those of tests/run
(fixture `times`, mark `long`), and the bars are judged.
"""
import json
import os
import random

import pytest


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="the sizes of tests/proof")


def pytest_configure(config):
    config.addinivalue_line("markers", "row(id, fault, injected, required): the row of the fault matrix that the test shows")
    config.addinivalue_line("markers", "long: in the long form only")


def pytest_collection_modifyitems(config, items):
    for item in items:
        for mark in item.iter_markers("row"):
            told = set(mark.kwargs)
            if len(mark.args) != 1 or told != {"fault", "injected", "required"}:
                raise pytest.UsageError(f"{item.nodeid}: row(ID, fault=, injected=, required=), not {mark.args} {told}")
    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def rows(row, faults, **told):
    """A mark `row` for each of these faults, for a test that goes through them all."""
    def decorate(test):
        for fault in faults:
            test = pytest.mark.row(row, fault=fault, **told)(test)
        return test
    return decorate


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """The marks are of the test whether it passes or not. Those nearest to the test come first: the report wants theirs in order."""
    for mark in reversed(list(item.iter_markers("row"))):
        item.user_properties.append(("row", json.dumps({"row": mark.args[0], **mark.kwargs})))


@pytest.fixture
def times(request):
    """times(20, 200): 20 in tests/run, 200 in the long form."""
    long = request.config.getoption("--long")
    return lambda short, much: much if long else short


@pytest.fixture
def happened(request):
    """happened("200 of 200 right", times=200, kills=3): the outcome, in words and figures; said again, it replaces what was said."""
    def tell(text, **figures):
        properties = request.node.user_properties
        properties[:] = [entry for entry in properties if entry[0] != "happened"]
        properties.append(("happened", json.dumps({"happened": text, **figures})))
        print(text, figures or "")
    return tell


@pytest.fixture
def bar(request):
    """
    bar("seconds until drained", took, 60): a figure that the row's bar limits. The report shows both. The long form fails if it is
    not reached, the short form never: there a test asserts limits of its own, several times as large. told="why it can't be reached
    here": never judged, but listed as not reached.
    """
    judged = request.config.getoption("--long")

    def compare(what, value, limit, told=None):
        line = {"what": what, "reached": round(value, 3), "bar": limit, "met": value <= limit, **({"told": told} if told else {})}
        request.node.user_properties.append(("bar", json.dumps(line)))
        print(f"{what}: {value:.3f}, bar {limit:g}")
        assert line["met"] or told or not judged, f"{what}: reached {value:.3f}, bar {limit:g}"
    return compare


@pytest.fixture
def seed():
    """What every random choice of a test comes from; ZONEFAN_SEED repeats one."""
    value = int(os.environ.get("ZONEFAN_SEED") or random.randrange(1 << 30))
    print(f"seed {value} (ZONEFAN_SEED)")
    return value
