# SPDX-License-Identifier: GPL-3.0-or-later
"""
Three real MariaDB servers per test session (and worker), each behind a fault proxy that a test gets anew; a factory
for installations of zonefand that are searched for sanitizer reports and secrets when the test ends.
"""
import contextlib
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data"))

from zf.certificates import make as make_certificates  # noqa: E402
from zf.daemon import Zonefan  # noqa: E402
from zf.mariadb import MariaDB, make_template  # noqa: E402
from zf.master import Master  # noqa: E402
from zf.proxy import Proxy  # noqa: E402

# The longest first, so that all workers end at about the same time.
ORDER = ["test_faults", "test_http_slow", "test_heal_auto", "test_reconcile_odd", "test_peers", "test_reconcile", "test_heal",
         "test_catch_up", "test_corpus", "test_kill", "test_process_signals", "test_plan", "test_predecessor_faults"]

pytest_plugins = ["zf.matrix"]

# Short clocks: a test that is not about time does not wait for it.
QUICK = {"retry": {"backoff_seconds": [1, 1, 2], "max_attempts": 2, "probe_initial_ms": 200, "probe_max_ms": 1000}}


def pytest_collection_modifyitems(items):
    def rank(item):
        name = item.module.__name__
        return ORDER.index(name) if name in ORDER else len(ORDER)
    items.sort(key=rank)


class DataCentre:
    """A server, the account on it, and the way to it."""

    def __init__(self, name, db):
        self.name = name
        self.db = db
        self.proxy = Proxy(db.port)

    def backend(self):
        """For Zonefan(backends=...)."""
        return self.name, self.db, self.proxy.port


@pytest.fixture(scope="session")
def scratch():
    """A short path (Unix sockets live there), outside of pytest's own."""
    base = os.environ.get("TMPDIR", "/tmp")
    directory = tempfile.mkdtemp(prefix="zf-", dir=base if len(base) < 40 else "/tmp")
    yield directory
    if not os.environ.get("ZONEFAN_KEEP"):
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def certificates(scratch):
    """A folder of them (zf/certificates.py)."""
    return make_certificates(os.path.join(scratch, "certificates"))


@pytest.fixture(scope="session")
def servers(scratch):
    """Three servers, kept over all tests of the session."""
    template = make_template(scratch)
    made = [MariaDB(name, template, scratch) for name in ("dc1", "dc2", "dc3")]
    for server in made:
        server.start()
    yield made
    for server in made:
        server.destroy()


@contextlib.contextmanager
def data_centres(servers):
    made = []
    for server in servers:
        server.reset()
        made.append(DataCentre(server.name, server))
    try:
        yield made
    finally:
        for centre in made:
            centre.proxy.close()
            centre.db.resume()


@pytest.fixture
def dcs(servers):
    """Three data centres, empty, reachable."""
    with data_centres(servers) as made:
        yield made


class Installations:
    """Makes daemons; ends and examines them all."""

    def __init__(self, directory):
        self.directory = directory
        self.made = []

    def __call__(self, centres=(), config=None, quick=True, start=True, **more):
        settings = dict(QUICK) if quick else {}
        zonefan = Zonefan(os.path.join(self.directory, f"z{len(self.made)}"),
                          [centre.backend() for centre in centres], settings, **more)
        if config:
            zonefan.configure(config)
        self.made.append(zonefan)
        return zonefan.start() if start else zonefan

    def finish(self):
        problems = []
        for zonefan in self.made:
            try:
                zonefan.stop()
            except AssertionError as error:
                problems.append(str(error))
            if zonefan.alive():
                zonefan.kill9()
        assert not problems, "\n".join(problems)


@contextlib.contextmanager
def installations(scratch):
    directory = tempfile.mkdtemp(prefix="i-", dir=scratch)
    made = Installations(directory)
    try:
        yield made
    except BaseException:
        for zonefan in made.made:
            if zonefan.alive():
                zonefan.kill9()
        raise
    made.finish()
    if not os.environ.get("ZONEFAN_KEEP"):
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def install(scratch):
    """install(dcs, config={...}) -> a running Zonefan."""
    with installations(scratch) as made:
        yield made


@pytest.fixture
def masters():
    """masters(...) -> a Master, closed when the test ends."""
    made = []

    def make(*arguments, **more):
        made.append(Master(*arguments, **more))
        return made[-1]
    yield make
    for master in made:
        master.close()


class Shared:
    def __init__(self, install, centres, zonefan):
        self.install = install
        self.dcs = centres
        self.zonefan = zonefan


@pytest.fixture(scope="module")
def shared(scratch, servers):
    """One daemon and three data centres for all tests of a module that leave each other's zones alone."""
    with data_centres(servers) as centres, installations(scratch) as made:
        yield Shared(made, centres, made(centres))


@pytest.fixture
def zonefan(install, dcs):
    """The usual: one daemon, three data centres behind proxies."""
    return install(dcs)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of each daemon's log."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        install = item.funcargs.get("install") or getattr(item.funcargs.get("shared"), "install", None)
        for number, zonefan in enumerate(getattr(install, "made", [])):
            if zonefan.log_tail() not in str(report.longrepr):
                report.sections.append((f"log of zonefand {number}", zonefan.log_tail(40)))
