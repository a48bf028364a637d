# SPDX-License-Identifier: GPL-3.0-or-later
"""
A MariaDB server, zonefand writing to it, CoreDNS reading from it, and Knot DNS with the same zone texts.

ZONEFAN_COREDNS names another CoreDNS to try instead of the one that tests/coredns/build makes (README.md).
"""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(TESTS, "integration"), os.path.join(TESTS, "data"), os.path.join(TESTS, "served")]

from servers import CoreDNS, Knot  # noqa: E402
from zf.daemon import Zonefan  # noqa: E402
from zf.mariadb import MariaDB, make_template  # noqa: E402


def pytest_report_header():
    other = os.environ.get("ZONEFAN_COREDNS")
    if other:
        return f"reader: {other}"
    return "reader: CoreDNS 1.10.1 with the stand-in of tests/coredns/reader, not the public plugin (README.md)"


@pytest.fixture(scope="session")
def binary():
    other = os.environ.get("ZONEFAN_COREDNS")
    if other:
        return other
    return subprocess.run([os.path.join(HERE, "build")], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@pytest.fixture(scope="session")
def scratch():
    directory = tempfile.mkdtemp(prefix="zfc-", dir="/tmp")
    yield directory
    if not os.environ.get("ZONEFAN_KEEP"):
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def server(scratch):
    made = MariaDB("dc1", make_template(scratch), scratch)
    made.start(f"--tmpdir={made.directory}")
    yield made
    made.destroy()


class World:
    """zonefand, and what reads or imitates what it wrote. Everything is made when it is first asked for."""

    def __init__(self, binary, server, directory, stack):
        self.binary = binary
        self.server = server
        self.directory = directory
        self.stack = stack
        self.zones = {}
        server.reset()
        self.zonefan = Zonefan(os.path.join(directory, "zonefan"), [(server.name, server, server.port)])
        stack.callback(self.end_zonefan)
        self.zonefan.start()
        self.da = self.zonefan.da()

    def end_zonefan(self):
        try:
            self.zonefan.stop()
        finally:
            if self.zonefan.alive():
                self.zonefan.kill9()

    def push(self, zones):
        """Returns when the database holds them."""
        for name, text in zones.items():
            self.da.push_ok(name, text)
            self.zones[name] = text
        self.zonefan.wait_converged()

    def delete(self, name):
        self.da.delete_ok(name)
        self.zonefan.wait_converged()

    def subdirectory(self, name):
        return tempfile.mkdtemp(prefix=name + "-", dir=self.directory)

    def coredns(self, **more):
        """Started anew: nothing is cached."""
        made = CoreDNS(self.binary, self.server, self.subdirectory("coredns"), **more)
        self.stack.callback(made.stop)
        made.start().wait_serves(self.zones)
        return made

    def oracle(self, server=Knot):
        made = server(self.zones, self.subdirectory("oracle"))
        self.stack.callback(made.stop)
        made.start().wait_serves(self.zones)
        return made


@contextlib.contextmanager
def make_world(binary, server, scratch):
    with contextlib.ExitStack() as stack:
        yield World(binary, server, tempfile.mkdtemp(prefix="w-", dir=scratch), stack)


@pytest.fixture
def world(binary, server, scratch):
    with make_world(binary, server, scratch) as made:
        yield made


@pytest.fixture(scope="module")
def shared_world(binary, server, scratch):
    """One for all tests of a module; they must leave its zones as they are."""
    with make_world(binary, server, scratch) as made:
        yield made
