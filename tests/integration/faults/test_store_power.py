# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md S01: what was acknowledged survives a power cut. The daemon is stopped in its tracks, the disk is copied without a sync, and
the copy is what the next start finds. The controls show that the cut is one: without the syncs of SQLite's FULL each loses
acknowledged pushes.
"""
import signal
import sqlite3

import pytest
from zf.book import ACKED, GONE
from zf.daemon import BIN
from zf.history import History
from zf.lone import lone, release, stored
from zf.power import Image
from zf.wait import wait_for

PUSHES_A_CUT = 570  # a tenth of them deletes


def lost(book, since, held):
    """How many acknowledged operations are newer than what is held."""
    missing = 0
    for zone, index in since.items():
        have = held.get(zone, GONE)
        if index < 0 or have in book.allowed(zone, index):
            continue
        done = book.operations[zone][:index + 1]
        at = max((i for i, op in enumerate(done) if op.what == have), default=-1)
        missing += sum(op.outcome == ACKED for op in done[at + 1:])
    return missing


def cut(image, zonefan, history, look):
    """One power cut at this moment; what look(path of the store) says of it, and how many acknowledged operations it lacks."""
    zonefan.process.send_signal(signal.SIGSTOP)
    try:
        with image.cut() as path:
            since = history.book.acknowledged()
            try:
                held = look(path + "/zonefan.sqlite")
            except sqlite3.DatabaseError:
                held = {}
            return lost(history.book, since, held)
    finally:
        zonefan.process.send_signal(signal.SIGCONT)


def started(install, programs):
    """look: the real zonefand starts on what is left, and lists its zones."""
    def look(path):
        zonefan = lone(install, programs=programs, store=path)
        zonefan.start()
        held = {name: entry["serial"] for name, entry in zonefan.zones().items()}
        zonefan.kill9()
        return held
    return look


def cuts(install, directory, seed, count, pushes, programs=BIN, env=None, start_every=10):
    """[acknowledged operations that a cut lost], and the history."""
    losses = []
    with Image(directory) as image:
        zonefan = lone(install, programs=programs, store=image.path + "/zonefan.sqlite")
        zonefan.start(env=env)
        history = History(zonefan, [], zones=200, records=9, seed=seed, prefix="power")
        try:
            for number in range(count):
                with history.load(rate=None, writers=6) as load:
                    wait_for(lambda load=load: load.acknowledged() >= pushes, 120, "the load runs")
                    look = started(install, programs) if number % start_every == 0 and not env else stored
                    losses.append(cut(image, zonefan, history, look))
                assert not load.refusals, load.refusals
        finally:
            zonefan.kill9()
    return losses, history


@pytest.mark.timeout(1800)
@pytest.mark.row("S01", fault="power cut", injected="ext4 in a file, copied without a sync while the daemon is stopped",
                 required="0 of at least 50,000 acknowledged pushes lost in 100 cuts")
def test_power_cuts(install, tmp_path, seed, times, happened):
    losses, history = cuts(install, str(tmp_path), seed, times(2, 100), PUSHES_A_CUT, programs=release())
    figures = history.figures()
    happened(f"{sum(losses)} of {figures['acknowledged']} acknowledged operations lost in {len(losses)} cuts", times=len(losses),
             power_cuts=len(losses), **{**figures, "lost": sum(losses)})
    assert sum(losses) == 0, losses
    assert figures["acknowledged"] >= PUSHES_A_CUT * len(losses)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("bug", [
    pytest.param(bug, marks=pytest.mark.row("S01", fault=f"power cut, {bug} (control)", injected="as the power cut, test build",
                                            required="every cut loses acknowledged pushes"))
    for bug in ("synchronous_normal", "synchronous_off")])
def test_controls(install, tmp_path, seed, times, happened, bug):
    losses = []
    for number in range(times(1, 5)):
        directory = tmp_path / str(number)
        directory.mkdir()
        losses += cuts(install, str(directory), seed + number, count=1, pushes=150,
                       env={"ZONEFAN_PLANTED": bug})[0]
    happened(f"{len(losses)} cuts lost {losses} acknowledged operations, as they must", times=len(losses))
    assert all(losses), losses
