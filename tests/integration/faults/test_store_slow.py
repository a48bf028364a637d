# SPDX-License-Identifier: GPL-3.0-or-later
"""
A disk that is slow (reliability.md S05), and a store that somebody else has locked (S06): pushes wait for a while together, or are
refused; none hangs, none is lost.
"""
import os
import sqlite3
import threading
import time

import pytest
from zf.history import History
from zf.lone import Pushes, lone, release
from zf.oracles import ack_ms, percentile
from zf.inject import Strace, lines_of, thread_of
from zf.wait import wait_for

DELAY = 2   # seconds: what each fdatasync takes


@pytest.mark.timeout(600)
@pytest.mark.row("S05", fault="fsync takes 2 s", injected="strace -e inject=fdatasync:delay_enter=2s on the engine's thread",
                 required="50 waiting clients share commits, answered within 5 s (p99); exists answers meanwhile, p99 <= 20 ms")
def test_slow_disk(install, tmp_path, seed, times, happened, bar):
    zonefan = lone(install, programs=release()).start()
    history = History(zonefan, [], zones=200, records=9, seed=seed, prefix="slow")
    log, asked = str(tmp_path / "strace"), []
    delay = ["-e", "trace=fdatasync", "-e", f"inject=fdatasync:delay_enter={DELAY}s"]
    with Strace(thread_of(zonefan.process.pid, "engine"), log, *delay):
        with history.load(rate=None, writers=50) as load:
            end = time.monotonic() + times(6, 40)
            while time.monotonic() < end:
                began = time.monotonic()
                zonefan.da().exists("slow0000.example")
                asked.append(1000 * (time.monotonic() - began))
                time.sleep(0.02)
    commits = len(lines_of(log))
    history.check_store()
    figures = history.figures()
    assert not load.refusals, load.refusals
    assert figures["unknown"] == 0 and figures["acknowledged"] >= 50
    assert commits < figures["acknowledged"] / 5, "pushes that wait share a commit"
    assert max(seconds for _, seconds in load.answers) < 5 * 3
    happened(f"p99 of acknowledgements {ack_ms(load) / 1000:.1f} s, {figures['acknowledged']} in {commits} commits; "
             f"p99 of exists meanwhile {percentile(asked, 99):.1f} ms", **figures)
    bar("p99 of acknowledgements, s", ack_ms(load) / 1000, 5)
    bar("p99 of exists meanwhile, ms", percentile(asked, 99), 20)


@pytest.mark.timeout(300)
@pytest.mark.row("S06", fault="store locked by another process", injected="sqlite3: BEGIN IMMEDIATE, held until pushes were refused",
                 required="a push waits 5 s and is refused; pushes are taken again right after the lock is gone; no deadlock")
def test_locked_store(install, happened, bar):
    zonefan = lone(install).start()
    pushes = Pushes(zonefan)
    assert pushes.push() == "0"
    other = sqlite3.connect(zonefan.store, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    locked = began = time.monotonic()
    assert pushes.push(timeout=30) == "1" and pushes.reason == "not stored: the store is locked by another process"
    waited = time.monotonic() - began
    assert zonefan.da().exists(pushes.zone).fields["exists"] == "1"
    assert zonefan.da().get("/readyz").status == 503
    began = time.monotonic()
    assert pushes.push(timeout=30) == "1" and pushes.push(timeout=30) == "1"
    assert time.monotonic() - began < 5, "nobody waits again for a lock that was waited for in vain"
    answered = []
    waiting = threading.Thread(target=lambda: answered.append(until_taken(pushes)))
    waiting.start()
    released = time.monotonic()
    other.execute("ROLLBACK")
    other.close()
    waiting.join(30)
    assert answered, "pushes are taken again"
    wait_for(lambda: zonefan.da().get("/readyz").status == 200, 30, "readyz says yes again")
    pushes.check({name: entry["serial"] for name, entry in zonefan.zones().items()})
    happened(f"locked for {released - locked:.1f} s; refused after {waited:.1f} s, taken again {1000 * (answered[0] - released):.0f} ms "
             f"after the lock was gone",
             acknowledged=pushes.acknowledged, refused=pushes.refused, lost=0)
    assert waited < 5 * 3
    assert answered[0] - released < 5, "nobody waits as long as for a lock before it is looked at again"
    bar("seconds until taken again", answered[0] - released, 0.1)


def until_taken(pushes):
    """When a push was acknowledged again."""
    wait_for(lambda: pushes.push(timeout=30) == "0", 30, "a push is taken", interval=0.005)
    return time.monotonic()


def test_short_lock_is_waited_for(install):
    """A backup tool that holds the lock for less than 5 s costs nobody a push."""
    zonefan = lone(install).start()
    pushes = Pushes(zonefan)
    assert pushes.push() == "0"
    other = sqlite3.connect(zonefan.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = []
    pusher = threading.Thread(target=lambda: answers.append(pushes.push(timeout=30)))
    pusher.start()
    pusher.join(1)
    assert pusher.is_alive(), "the push waits for the lock"
    other.execute("ROLLBACK")
    other.close()
    pusher.join(30)
    assert answers == ["0"]


def test_the_reason_told_is_that_of_now(install):
    """First the store is locked, then its file is taken away as well: each needs another remedy."""
    zonefan = lone(install).start()
    pushes = Pushes(zonefan)
    assert pushes.push() == "0"
    other = sqlite3.connect(zonefan.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert pushes.push(timeout=30) == "1" and "locked by another process" in pushes.reason
    os.rename(zonefan.store, zonefan.store + ".away")
    wait_for(lambda: pushes.push(timeout=30) == "1" and "removed or replaced" in pushes.reason, 30,
             lambda: f"the new reason is told; it was {pushes.reason}")
    os.rename(zonefan.store + ".away", zonefan.store)
    other.execute("ROLLBACK")
    other.close()
    wait_for(lambda: pushes.push(timeout=30) == "0", 30, "pushes are taken again")
    pushes.check({name: entry["serial"] for name, entry in zonefan.zones().items()})
