# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted bugs are found (the cheap ones; the group `planted` of tests/proof tries them all)."""
import os
import subprocess
import sys

import pytest
from zf.daemon import SOURCE

sys.path[:0] = [os.path.join(SOURCE, "tests", "evidence"), os.path.join(SOURCE, "tests", "evidence", "groups")]
import planted  # noqa: E402


def command(arguments, env=None):
    return subprocess.run(arguments, cwd=SOURCE, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=120)


@pytest.mark.parametrize("name", planted.QUICK)
def test_it_is_found(name):
    bug = next(bug for bug in planted.BUGS if bug.name == name)
    found, why = planted.try_one(bug, command)
    assert found, why


def test_one_that_is_not_planted_is_not_found():
    """So that the check can fail."""
    bug = next(bug for bug in planted.BUGS if bug.name == "no_address_limit")
    found, why = planted.try_one(bug._replace(name="no_fence"), command)
    assert not found and "everything passes" in why
