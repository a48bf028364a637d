# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md S12: a store of the first release is brought to the schema of today in one transaction. zonefand is killed at one system call of it after the
other; each time the next start has all zones, and the copy from before is whole. (That a release refuses the store of a newer one:
test_config.py; 50 kills in a step: unit/test_store_migrate.c.)
"""
import collections
import glob
import os
import random
import shutil
import signal

import pytest
from zf.lone import lone, make_first, release, stored
from zf.oracles import assert_store_sound
from zf.inject import around, lines_of
from zf.wait import wait_for
from zf.zones import da_zone, named

ZONES = 60
CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "rename", "unlink", "openat")


@pytest.fixture
def migrating(install, tmp_path):
    """An installation whose store is the first release's, and what it holds; back(): it is so again."""
    zonefan = lone(install, programs=release()).start()
    for name in named("old", ZONES):
        zonefan.da().push_ok(name, da_zone(name, 5))
    zonefan.da().delete_ok(named("old", ZONES)[0])
    zonefan.stop()
    held, first = stored(zonefan.store), str(tmp_path / "first.sqlite")
    make_first(zonefan.store, first)

    def back():
        for path in glob.glob(zonefan.store + "*"):
            os.unlink(path)
        shutil.copy(first, zonefan.store)
    back()
    return zonefan, held, back


def listed(zonefan):
    return {name: entry["serial"] for name, entry in zonefan.zones().items()}


@pytest.mark.timeout(900)
@pytest.mark.row("S12", fault="kill -9 while a store of the first release is migrated",
                 injected="strace -e inject=CALL:signal=KILL:when=N, N over all its calls to the disk",
                 required="0 zones lost in 50 kills; the next start goes on, from the old schema or with the new one")
def test_kills_while_it_migrates(migrating, tmp_path, seed, times, happened):
    zonefan, held, back = migrating
    assert len(held) == ZONES - 1
    log, chance = str(tmp_path / "strace"), random.Random(seed)
    places = [option for ending in ("", "-wal", ".lock", ".v1.bak", ".v1.bak.tmp") for option in ("-P", zonefan.store + ending)]

    def run(*what):
        os.truncate(zonefan.log_path, 0)
        zonefan.start(ready=False, wrap=around(log, *places, *what))
        wait_for(lambda: not zonefan.alive() or "zonefand serves" in zonefan.log(), 30, "it serves or is dead")

    run("-e", "trace=" + ",".join(CALLS))
    zonefan.kill9()
    assert glob.glob(zonefan.store + ".v1.bak"), "the store of before was copied"
    counts = collections.Counter(line.split("(")[0].split()[-1] for line in lines_of(log) if "(" in line)
    moments = [(call, number) for call in CALLS for number in range(1, counts[call] + 1)]
    moments = chance.sample(moments, min(len(moments), times(5, 60)))
    killed = copies = 0
    for call, number in moments:
        back()
        run("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
        if zonefan.alive():
            zonefan.kill9()
        else:
            assert zonefan.process.returncode == -signal.SIGKILL
            killed += 1
        for copy in glob.glob(zonefan.store + ".v1.bak"):
            assert stored(copy) == held
            copies += 1
        zonefan.start()
        assert listed(zonefan) == held, f"after a kill at {call} {number}"
        zonefan.stop()
        assert_store_sound(zonefan.store)
    happened(f"{killed} kills at {len(moments)} of {sum(counts.values())} calls: 0 zones lost; {copies} times the copy was there, and whole",
             times=killed, kills=killed, lost=0)
    assert killed >= 0.8 * len(moments)
