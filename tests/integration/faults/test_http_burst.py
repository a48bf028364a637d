# SPDX-License-Identifier: GPL-3.0-or-later
"""reliability.md 4.4, H12: bursts. All is acknowledged, the back ends get each zone's newest content and little else."""
import threading

import pytest
from zf.load import RELEASE, Cost, calm
from zf.zones import da_zone, version_of

SENDERS = 8


def burst(da, jobs):
    """Pushes them all, several at once; each must be acknowledged."""
    failures = []
    lock = threading.Lock()
    left = list(reversed(jobs))

    def work():
        while True:
            with lock:
                if not left:
                    return
                zone, serial = left.pop()
            try:
                da.push_ok(zone, da_zone(zone, serial))
            except Exception as error:  # whatever it is: it is told
                failures.append(f"{zone}: {error}")
    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, f"{len(failures)} of {len(jobs)}: {failures[:3]}"


def watch_writes(centre):
    """Each write of a zone's content leaves a line, by a trigger on the last table that it touches."""
    centre.db.sql("CREATE TABLE watched (generation BIGINT)")
    for when in ("INSERT", "UPDATE"):
        centre.db.sql(f"CREATE TRIGGER watch_{when.lower()} AFTER {when} ON zonefan_state FOR EACH ROW "
                      "INSERT INTO watched VALUES (NEW.generation)")


@pytest.mark.row("H12", fault="a burst of 5,000 pushes of one zone", injected="8 senders, while the back ends stand still",
                 required="all acknowledged, the last one everywhere, <= 3 writes of the zone at each back end, RSS <= 256 MB")
def test_burst_of_one_zone(install, dcs, times, happened):
    zonefan = install(dcs, start=False)
    zonefan.start(env=calm(zonefan))
    da = zonefan.da()
    count = times(200, 5000)
    da.push_ok("one.example", da_zone("one.example", 1))
    zonefan.wait_converged()
    for centre in dcs:
        watch_writes(centre)
        centre.proxy.freeze()
    with Cost(zonefan) as cost:
        burst(da, [("one.example", serial) for serial in range(2, count + 1)])
        da.push_ok("one.example", da_zone("one.example", count + 1))
        for centre in dcs:
            centre.proxy.passing()
        zonefan.wait_converged(deadline=120)
    writes = {centre.name: centre.db.value("SELECT COUNT(*) FROM watched") for centre in dcs}
    for centre in dcs:
        assert version_of(centre.db.rows("one.example")) == count + 1, centre.name
        assert 1 <= writes[centre.name] <= 3, writes
    assert not RELEASE or cost.peak_mb <= 256
    happened(f"{count} of {count} acknowledged, writes at each back end: {writes}", times=count, acknowledged=count + 1, lost=0,
             rss_mb=round(cost.peak_mb))


@pytest.mark.timeout(900)
@pytest.mark.row("H12", fault="a burst of 5,000 pushes of 5,000 zones", injected="8 senders, as fast as they can",
                 required="all acknowledged, all everywhere, RSS <= 256 MB")
def test_burst_of_many_zones(install, dcs, times, happened):
    zonefan = install(dcs, start=False)
    zonefan.start(env=calm(zonefan))
    count = times(150, 5000)
    zones = [f"burst{i}.example" for i in range(count)]
    with Cost(zonefan) as cost:
        burst(zonefan.da(), [(zone, 7) for zone in zones])
        zonefan.wait_converged(deadline=300)
    for centre in dcs:
        rows = centre.db.all_rows()
        wrong = [zone for zone in zones if version_of(rows.get(zone)) != 7]
        assert not wrong, f"{centre.name}: {len(wrong)} zones, {wrong[:3]}"
    assert not RELEASE or cost.peak_mb <= 256
    happened(f"{count} of {count} acknowledged and at all three", times=count, acknowledged=count, lost=0, rss_mb=round(cost.peak_mb))
