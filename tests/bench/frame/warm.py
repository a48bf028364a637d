# SPDX-License-Identifier: GPL-3.0-or-later
"""An installation as it is all the time but for its first minutes."""
import zones as bench_zones
from frame import drive
from zf.wait import wait_for


def wal_begun(store):
    """How often the WAL was begun anew after a checkpoint (its header's sequence number)."""
    with open(store + "-wal", "rb") as wal:
        return int.from_bytes(wal.read(16)[12:16], "big")


def warm_up(ctx, zonefan, zones, clients):
    """
    Gives it so many zones, by as many clients as will be measured, and then one more again and again, until the WAL is
    written over. While that grows each commit makes the file longer, which costs the file system a commit of its own.
    """
    drive.push(ctx, zonefan, drive.write_plan(ctx.path("warm.plan"), bench_zones.names("w", zones)), clients)
    lone = drive.write_plan(ctx.path("lone.plan"), bench_zones.names("l", 1))

    def begun():
        drive.push(ctx, zonefan, lone, 1)
        return wal_begun(zonefan.store) > 0
    if not ctx.quick:
        wait_for(begun, 30, "no checkpoint")
