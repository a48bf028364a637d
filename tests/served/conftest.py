# SPDX-License-Identifier: GPL-3.0-or-later
"""A MariaDB server per session. --minutes N: the long forms of the tests that have one (README.md)."""
import os
import shutil
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "integration"), os.path.join(TESTS, "data"), os.path.join(TESTS, "coredns")]

import reader  # noqa: E402
from stage import make_stage  # noqa: E402
from zf.mariadb import MariaDB, make_template  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--minutes", type=float, default=0, help="the long forms, of so many minutes where they have no end")
    parser.addoption("--whole", action="store_true", help="the differential test asks all questions, not a part of them")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes, and is there with --minutes only")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--minutes"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def minutes(request):
    """0: the short forms."""
    return request.config.getoption("--minutes")


@pytest.fixture(scope="session")
def scratch():
    directory = tempfile.mkdtemp(prefix="zfs-", dir="/tmp")
    yield directory
    if not os.environ.get("ZONEFAN_KEEP"):
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def server(scratch):
    made = MariaDB("dc1", make_template(scratch), scratch)
    made.start()
    yield made
    made.destroy()


@pytest.fixture
def stage(server, scratch):
    with make_stage(server, scratch) as made:
        yield made


@pytest.fixture(scope="session")
def plain():
    return reader.build()


@pytest.fixture(scope="session")
def race():
    return reader.build("race")
