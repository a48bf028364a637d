# SPDX-License-Identifier: GPL-3.0-or-later
"""
What tests/run --deploy runs: what is shipped, tried where it is to run. The daemons are those of build/release, unless
ZONEFAN_BIN_DIR says otherwise; fixtures (scratch, dcs, install, zonefan, masters) and tools (zf) are those of tests/integration.
"""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
ROOT = os.path.dirname(TESTS)
sys.path[:0] = [HERE, TESTS, os.path.join(TESTS, "integration")]
os.environ.setdefault("ZONEFAN_BIN_DIR", os.path.join(ROOT, "build", "release", "bin"))

pytest_plugins = ["integration.conftest"]

# The longest first, so that both workers end at about the same time.
ORDER = ["test_image", "test_deb", "test_page"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    def rank(item):
        name = item.module.__name__
        return ORDER.index(name) if name in ORDER else len(ORDER)
    items.sort(key=rank)


@pytest.fixture(scope="session")
def root():
    """The top of the clone."""
    return ROOT
