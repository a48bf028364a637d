# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md P04-P06: signals that are none of an end, a process that was stopped as a whole, a limit on the size of files, and threads that hang.
"""
import os
import resource
import signal
import threading
import time

import pytest
from zf.history import History
from zf.lone import Pushes, lone
from zf.oracles import assert_store_sound, resources, wait_recovered
from zf.ptrace import stopped_thread
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone

pytestmark = pytest.mark.threads


def ready(zonefan):
    return zonefan.da(timeout=10).get("/readyz")


@pytest.mark.row("P04", fault="SIGHUP, 100 times under load", injected="kill -HUP",
                 required="0 failed pushes; a setting that was changed is taken, once")
@pytest.mark.row("P06", fault="SIGPIPE, SIGUSR1, SIGUSR2 under load", injected="kill",
                 required="ignored; 0 failed pushes")
def test_signals_under_load(install, seed, happened):
    zonefan = lone(install).start()
    history = History(zonefan, [], zones=40, records=9, seed=seed, prefix="signal")
    zonefan.configure({"history": {"versions": 3}})
    with history.load(rate=None, writers=2) as load:
        wait_for(lambda: load.acknowledged() > 5, 30, "the load runs")
        for number in range(100):
            for signum in (signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2):
                zonefan.process.send_signal(signum)
            seen = load.acknowledged()
            wait_for(lambda seen=seen: load.acknowledged() > seen, 30, f"a push is taken after round {number}", interval=0.002)
    history.check_store()
    figures = history.figures()
    assert not load.refusals and figures["unknown"] == 0, (load.refusals, figures)
    assert zonefan.log().count('msg=reloaded actor=SIGHUP detail="history.versions: 10 -> 3"') == 1, zonefan.log_tail()
    happened(f"0 of {figures['acknowledged']} pushes failed", times=400, **figures)


@pytest.mark.timeout(300)
@pytest.mark.row("P06", fault="the whole process stopped for a minute", injected="SIGSTOP, SIGCONT",
                 required="0 lost, timers sane: ready at once, no thread blamed, deliveries go on")
def test_stopped_and_continued(zonefan, dcs, seed, times, happened):
    history = History(zonefan, dcs, zones=40, records=9, seed=seed, prefix="asleep")
    seconds = times(3, 60)
    with history.load(rate=None, writers=4):  # as later after the stop, each lane has its second connection
        wait_for(lambda: all(centre.proxy.open_connections() >= 2 for centre in dcs), 60, "all lanes are warm")
    history.settle()
    before = resources(zonefan)
    with history.readers(), history.load(rate=20, writers=4) as load:
        wait_for(lambda: load.acknowledged() > 10, 30, "the load runs")
        zonefan.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)  # the fault itself
        zonefan.process.send_signal(signal.SIGCONT)
        seen = load.acknowledged()
        wait_for(lambda: load.acknowledged() > seen + 10, 30, "pushes are taken again")
        assert ready(zonefan).status == 200
    history.settle()
    figures = history.check()
    assert "does not turn" not in zonefan.log()
    wait_recovered(zonefan, before)
    happened(f"stopped for {seconds} s: 0 of {figures['acknowledged']} acknowledged changes lost", **figures)


@pytest.mark.row("P06", fault="a limit on the size of files (SIGXFSZ, EFBIG)", injected="prlimit --fsize",
                 required="an orderly end with an error, no death by the signal; 0 lost; a clean start when the limit is gone")
def test_file_size_limit(install, happened):
    zonefan = lone(install).start()
    pushes = Pushes(zonefan, hosts=400)
    assert pushes.push() == "0"
    size = os.path.getsize(zonefan.store + "-wal")
    resource.prlimit(zonefan.process.pid, resource.RLIMIT_FSIZE, (size + 65536, resource.RLIM_INFINITY))
    wait_for(lambda: pushes.push() is None, 60, "a push finds the limit", interval=0)
    assert zonefan.wait_end(30) == 70, zonefan.log_tail()
    assert "zonefan.sqlite: disk I/O error" in zonefan.log_tail()
    zonefan.start()
    pushes.check({name: entry["serial"] for name, entry in zonefan.zones().items()})
    assert pushes.push() == "0"
    assert_store_sound(zonefan.store)
    happened(f"exit code 70; {pushes.acknowledged} acknowledged, 0 lost", acknowledged=pushes.acknowledged, lost=0)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("thread", [pytest.param(thread, marks=pytest.mark.row(
    "P05", fault=f"the thread {thread} hangs", injected="ptrace: that thread alone is stopped",
    required="not ready within 30 s, with its name; ready again, and nothing lost, when it goes on")) for thread in ("engine", "intake")])
def test_thread_that_hangs(zonefan, dcs, thread, happened, bar):
    da = zonefan.da(timeout=120)
    da.push_ok("before.example", da_zone("before.example"))
    answers = []

    def push():
        answers.append(da.push("hangs.example", da_zone("hangs.example", hosts=4000)))  # too long to pass by the intake
    pusher = threading.Thread(target=push)
    with stopped_thread(zonefan.process.pid, thread):
        began = time.monotonic()
        pusher.start()
        assert ready(zonefan).status == 200
        wait_for(lambda: ready(zonefan).status == 503, 90, "readyz says no")
        took = time.monotonic() - began
        assert ready(zonefan).body == f"not ready: the thread {thread} does not turn\n".encode()
        assert zonefan.da().get("/healthz").status == 200
        assert da.exists("before.example").fields["exists"] == "1"
        assert not answers, "nobody acknowledged what nobody stored"
    wait_for(lambda: ready(zonefan).status == 200, 30, "readyz says yes again")
    pusher.join(60)
    assert [answer.error for answer in answers] == ["0"]
    zonefan.wait_converged()
    for centre in dcs:
        assert_rows_are(centre.db.rows("hangs.example"), da_zone("hangs.example", hosts=4000), "hangs.example", centre.name)
    assert f"thread={thread}" in zonefan.log() and "all threads turn again" in zonefan.log()
    happened(f"not ready after {took:.0f} s, named; ready again when it went on", acknowledged=2, lost=0)
    bar("seconds until not ready", took, 30)


@pytest.mark.timeout(300)
@pytest.mark.row("P05", fault="the thread of one lane hangs", injected="ptrace: that thread alone is stopped",
                 required="the other databases get every push; the one waits, shown as pending, and gets it when the thread goes on")
def test_lane_that_hangs(zonefan, dcs, happened):
    da = zonefan.da()
    with stopped_thread(zonefan.process.pid, "lane/dc2/0"):
        for version in range(1, 20):
            da.push_ok("lane.example", da_zone("lane.example", version))
        zonefan.wait_converged("dc1", "dc3")
        assert zonefan.pending()["dc2"] == 1 and ready(zonefan).status == 200
    zonefan.wait_converged()
    assert_rows_are(dcs[1].db.rows("lane.example"), da_zone("lane.example", 19), "lane.example", "dc2")
    happened("19 pushes reached the others, 1 was pending there and came when it went on", acknowledged=19, lost=0)
