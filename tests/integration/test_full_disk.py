# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "The store on a full disk: pushes get an error, nothing acknowledged is lost, it recovers when space returns."
(product table D6, O2; reliability.md S02.)
"""
import os
import subprocess
import time

import pytest
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone


@pytest.fixture
def small_disk(scratch):
    """A file system of 48 MiB that nothing else uses."""
    path = os.path.join(scratch, "small")
    os.makedirs(path, exist_ok=True)
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*sudo, "mount", "-t", "tmpfs", "-o", "size=48m,mode=777", "none", path], check=True)
    yield path
    subprocess.run([*sudo, "umount", "-l", path], check=True)


def fill(path):
    """Takes the last byte."""
    with open(os.path.join(path, "filler"), "ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                pass


@pytest.mark.row("S02", fault="disk full while it runs, ballast and all", injected="tmpfs of 48 MiB and a file that fills it",
                 required="error=1 within 100 ms with the reason, not ready, exists answers; a data centre that comes back is brought up to date "
                          "by the ballast; 0 false acknowledgements; taken again within 2 s of room")
def test_full_disk(install, dcs, small_disk, times, happened, bar):
    zonefan = install(dcs, start=False)
    zonefan.store = os.path.join(small_disk, "store.sqlite")
    zonefan.configure({"datastore": {"db_location": zonefan.store}})
    zonefan.start()
    da = zonefan.da()
    acked = {}
    for number in range(5):
        name = f"before{number}.example"
        da.push_ok(name, da_zone(name, 1))
        acked[name] = 1
    # an edit that dc2 and dc3 have still to be told of when the disk is full
    zonefan.wait_converged()
    dcs[1].proxy.refuse()
    dcs[2].proxy.refuse()
    for name in list(acked):
        da.push_ok(name, da_zone(name, 2))
        acked[name] = 2
    zonefan.wait_lane("dc2", "down")
    zonefan.wait_lane("dc3", "down")
    zonefan.wait_converged("dc1")

    fill(small_disk)
    refused = []

    def full():
        number = len(refused) + len(acked)
        name = f"full{number}.example"
        # a big zone: the pages that SQLite has at hand do not take it
        answer = da.push(name, da_zone(name, 1, hosts=2000))
        if answer.error == "0":
            acked[name] = 1
            return False
        assert answer.status in (200, 503) and answer.error == "1" and answer.text == "not stored: the disk is full", answer
        refused.append(name)
        return True
    wait_for(full, 60, lambda: f"a push is refused; {len(acked)} were taken")
    for _ in range(20):
        full()
    # "releases a ballast, so that bookkeeping can go on"
    dcs[1].proxy.passing()
    zonefan.wait_converged("dc2")
    slowest = slowest_refusal_ms(da, times(20, 200))
    refused.append("small.example")
    # fill what it gave back, too
    fill(small_disk)
    full()
    wait_for(lambda: da.get("/readyz").status == 503, 30, "readyz says no")
    assert da.get("/healthz").status == 200
    assert zonefan.status()["status"] == "error"
    assert da.exists("before0.example").fields["exists"] == "1"

    os.unlink(os.path.join(small_disk, "filler"))
    room = time.monotonic()
    wait_for(lambda: da.push("after.example", da_zone("after.example", 1)).error == "0", 60, "a push is taken again")
    again = time.monotonic() - room
    acked["after.example"] = 1
    wait_for(lambda: da.get("/readyz").status == 200, 60, "readyz says yes again")
    dcs[2].proxy.passing()
    zonefan.wait_converged(deadline=120)
    check(zonefan, dcs, acked, refused)
    zonefan.kill9()
    zonefan.start()
    check(zonefan, dcs, acked, refused)
    happened(f"{len(refused)} large zones refused, a small one after {slowest:.0f} ms at most; dc2 came back and was brought up to date by the "
             f"ballast; {again:.2f} s after there was room a push was taken", acknowledged=len(acked), lost=0)
    bar("ms until refused, at worst", slowest, 100)
    bar("seconds until taken again", again, 2)


def slowest_refusal_ms(da, count):
    """Of so many small zones; none is taken."""
    slowest = 0
    for _ in range(count):
        began = time.monotonic()
        answer = da.push("small.example", da_zone("small.example"))
        slowest = max(slowest, 1000 * (time.monotonic() - began))
        assert answer.error == "1" and answer.text == "not stored: the disk is full", answer
    return slowest


def check(zonefan, dcs, acked, refused):
    held = zonefan.zones()
    for name, version in acked.items():
        assert held[name]["serial"] == version, f"{name} was acknowledged and is lost"
    for centre in dcs:
        rows = centre.db.all_rows()
        for name, version in acked.items():
            hosts = 2000 if name.startswith("full") else 3
            assert_rows_are(rows[name], da_zone(name, version, hosts=hosts), name, centre.name)
    # what was refused is "not promised": it may be there or not, but whole and everywhere
    for name in refused:
        there = [name in centre.db.all_rows() for centre in dcs]
        assert there == [name in held] * 3


@pytest.mark.row("S02", fault="disk full at the start", injected="tmpfs, filled before the start",
                 required="it starts and delivers, or says why not; nothing is overwritten")
def test_start_on_a_full_disk(install, dcs, small_disk):
    """Deliveries that were acknowledged before go on, or it says clearly why it does not start; nothing is overwritten."""
    zonefan = install(dcs, start=False)
    zonefan.store = os.path.join(small_disk, "store.sqlite")
    zonefan.configure({"datastore": {"db_location": zonefan.store}})
    zonefan.start()
    zonefan.da().push_ok("kept.example", da_zone("kept.example"))
    zonefan.kill9()
    fill(small_disk)
    zonefan.start(ready=False)
    wait_for(lambda: not zonefan.alive() or answers(zonefan), 30, "it starts or ends")
    if zonefan.alive():
        zonefan.kill9()
    else:
        assert zonefan.process.returncode > 0 and "store" in zonefan.log_tail()
    os.unlink(os.path.join(small_disk, "filler"))
    zonefan.start()
    assert "kept.example" in zonefan.zones()


def answers(zonefan):
    try:
        return zonefan.da(timeout=5).get("/healthz").status == 200
    except OSError:
        return False
