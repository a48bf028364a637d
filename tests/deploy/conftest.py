# SPDX-License-Identifier: GPL-3.0-or-later
"""
What tests/run --deploy runs: what is shipped, tried where it is to run. The daemons are those of build/release, unless
ZONEFAN_BIN_DIR says otherwise; fixtures (scratch, dcs, install, zonefan, masters) and tools (zf) are those of tests/integration.
"""
import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
ROOT = os.path.dirname(TESTS)
sys.path[:0] = [HERE, TESTS, os.path.join(TESTS, "integration"), os.path.join(TESTS, "served")]
os.environ.setdefault("ZONEFAN_BIN_DIR", os.path.join(ROOT, "build", "release", "bin"))

from debian import only_one  # noqa: E402

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


@pytest.fixture(scope="session")
def program(root):
    """tests/deploy/objects, built."""
    out = os.path.join(root, "build", "deploy", "objects")
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with only_one(out):
        subprocess.run(["go", "build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-p", "2", "-o", out, "."], check=True,
                       cwd=os.path.join(root, "tests", "deploy", "objects"), env={**os.environ, "GOTOOLCHAIN": "local"}, timeout=800)
    return out


@pytest.fixture(scope="session")
def objects(program):
    def make(*words, refused=False):
        done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60)
        assert (done.returncode != 0) == refused, done.stderr
        return done.stderr if refused else json.loads(done.stdout)
    return make


@pytest.fixture
def browse(root):
    """browse(...) -> a Browser of one's own, whose console must have stayed silent."""
    from browser import Browser  # not above: who looks at no page needs no Selenium
    made = []

    def make(**more):
        made.append(Browser(os.path.join(root, "build", "page"), **more))
        return made[-1]
    yield make
    complaints = [complaint for browser in made for complaint in browser.complaints()]
    for browser in made:
        browser.close()
    assert not complaints, complaints
