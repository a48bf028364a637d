# SPDX-License-Identifier: GPL-3.0-or-later
"""
A zonefand for tests of its store and its process: no database is there, so whatever it promises is in the store. The release
build where a test counts calls or starts it hundreds of times: sanitizers make calls and threads of their own, and are slow.
"""
import glob
import os
import sqlite3

import pytest

from .da import NoAnswer
from .daemon import BIN, SOURCE
from .zones import da_zone

RELEASE = os.path.join(SOURCE, "build", "release", "bin")
APPLICATION_ID = 0x7a66616e

# Port 9 of this machine: refused at once.
NOWHERE = {"dns": {"default_backend": "dc0", "backends": {"dc0": {
    "type": "coredns_mysql", "enabled": True, "host": "127.0.0.1", "port": 9, "database": "dns", "username": "nobody",
    "password": "canary-nowhere"}}}}


def release():
    """Where the programs of the release build are."""
    if not os.path.exists(os.path.join(RELEASE, "zonefand")):
        pytest.skip("no release build: cmake --preset release && cmake --build --preset release")
    return RELEASE


def lone(install, programs=BIN, store=None, config=None):
    """An installation that was not started yet; store: a path of its own."""
    zonefan = install(config={**NOWHERE, **(config or {})}, start=False, programs=programs)
    if store:
        zonefan.store = store
        zonefan.configure({"datastore": {"db_location": store}})
    return zonefan


def stored(path):
    """{zone: serial} of a store's file that no zonefand has open; sqlite3.DatabaseError if it is none any more."""
    store = sqlite3.connect(path)
    try:
        assert store.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        return {name.rstrip("."): serial for name, serial in store.execute("SELECT name, serial FROM zone WHERE NOT deleted")}
    finally:
        store.close()


def make_first(current, path):
    """The same zones in a store as the first release made it: its tables, of each column what it has today."""
    with open(glob.glob(os.path.join(SOURCE, "schema", "sqlite", "0001_*.sql"))[0], encoding="utf-8") as schema:
        first = sqlite3.connect(path, isolation_level=None)
        first.executescript(schema.read())
    first.execute("ATTACH ? AS now", (current,))
    for (table,) in first.execute("SELECT name FROM main.sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite%'").fetchall():
        columns = ", ".join(row[1] for row in first.execute(f"PRAGMA main.table_info({table})"))
        first.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}")
    first.execute("DETACH now")
    first.execute(f"PRAGMA application_id={APPLICATION_ID}")
    first.execute("PRAGMA user_version=1")
    first.execute("PRAGMA journal_mode=WAL")
    first.close()


def serials(zonefan):
    """{zone: serial} of what it holds."""
    return {name: entry["serial"] for name, entry in zonefan.zones().items()}


def look(zonefan, *pushes):
    """If it still tells what it holds: everything acknowledged is there. Whether it told."""
    try:
        answer = zonefan.da().get("/api/v1/zones")
    except (OSError, NoAnswer):
        return False
    if answer.status != 200:
        return False
    for each in pushes:
        each.check({entry["name"]: entry["serial"] for entry in answer.json()["zones"]})
    return True


class Pushes:
    """One zone pushed again and again: each push has a version of its own; of those between two checks the newest that was acknowledged counts."""

    def __init__(self, zonefan, zone="sweep.example", hosts=3):
        self.zonefan, self.zone, self.hosts = zonefan, zone, hosts
        self.sent = self.acked = 0
        self.acknowledged = self.refused = self.unanswered = 0
        self.reason = None  # of the last refusal

    def push(self, timeout=20):
        """Its answer: "0", "1", or None if there was none."""
        self.sent += 1
        try:
            answer = self.zonefan.da(timeout=timeout).push(self.zone, da_zone(self.zone, self.sent, self.hosts))
        except (OSError, NoAnswer):
            self.unanswered += 1
            return None
        if answer.error == "0":
            self.acked = self.sent
            self.acknowledged += 1
        else:
            # libevent has a page of its own for what it could not even read
            assert answer.error == "1" and answer.text or answer.error is None and answer.status >= 400, answer
            self.refused, self.reason = self.refused + 1, answer.text
        return answer.error

    def check(self, held):
        """Nothing acknowledged is missing, nothing is there that was never sent."""
        version = held.get(self.zone, 0)
        assert self.acked <= version <= self.sent, f"{self.acked} was acknowledged, {self.sent} sent, {version} is there"
