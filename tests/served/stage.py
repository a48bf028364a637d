# SPDX-License-Identifier: GPL-3.0-or-later
"""What these tests stand on: a MariaDB, a zonefand that writes to it, CoreDNS readers of it; all are examined at the end."""
import contextlib
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
for _folder in (HERE, os.path.join(TESTS, "integration"), os.path.join(TESTS, "data")):
    if _folder not in sys.path:
        sys.path.insert(0, _folder)

from zf.daemon import Zonefan  # noqa: E402

import reader  # noqa: E402

# Short clocks: what is tested here is the reader.
QUICK = {"retry": {"backoff_seconds": [1, 1, 2], "max_attempts": 2, "probe_initial_ms": 200, "probe_max_ms": 1000}}


class Stage:
    """One database server, empty, with the three tables as zonefand makes them."""

    def __init__(self, directory, db, stack):
        self.directory = directory
        self.db = db
        self.stack = stack
        self.zonefans = []
        self.readers = []

    def subdirectory(self, name):
        return tempfile.mkdtemp(prefix=name + "-", dir=self.directory)

    def zonefan(self, config=None, start=True):
        made = Zonefan(self.subdirectory("zonefan"), [(self.db.name, self.db, self.db.port)], QUICK)
        made.configure({"log_level": "warning", **(config or {})})
        self.zonefans.append(made)
        if start:
            made.start()
            made.wait_lane(self.db.name, "up")
            reader.make_account(self.db)
        return made

    def reader(self, binary, source=None, env=None, **settings):
        made = reader.Reader(binary, self.subdirectory("coredns"), source or reader.dsn(self.db.port), settings, env)
        self.readers.append(made)
        return made

    def tables(self):
        """The three tables without a zonefand."""
        folder = os.path.join(os.path.dirname(TESTS), "schema", "coredns_mysql")
        for name in ("1_zones.sql", "2_records.sql", "3_zonefan_state.sql"):
            self.db.apply_schema(os.path.join(folder, name))
        reader.make_account(self.db)

    def finish(self):
        """An orderly end of all; what anybody has to complain of."""
        problems = []
        self.db.resume()
        for made in self.readers + self.zonefans:
            try:
                made.stop()
                made.check()
            except AssertionError as error:
                problems.append(str(error))
        assert not problems, "\n".join(problems)

    def kill(self):
        for made in self.readers:
            made.kill()
        for made in self.zonefans:
            if made.alive():
                made.kill9()


@contextlib.contextmanager
def make_stage(db, scratch):
    db.reset()
    with contextlib.ExitStack() as stack:
        made = Stage(tempfile.mkdtemp(prefix="s-", dir=scratch), db, stack)
        try:
            yield made
        except BaseException:
            made.kill()
            raise
        try:
            made.finish()
        finally:
            made.kill()
