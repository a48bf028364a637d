# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers (reliability.md 4.7): two real zonefands, a stand-in of directdnsonly, and the simulation of two and three."""
import os
import re

SCHEDULES = 10_000


def run(context):
    yield from context.pytest("test_peers.py", "faults/test_peers_partition.py")
    # Memory is judged without sanitizers.
    yield from context.pytest("faults/test_peers_answers.py", preset="release")
    done = context.command([os.path.join(context.build("release"), "sim_peers"), "--schedules", str(SCHEDULES), "--seed", str(context.seed)])
    said = " · ".join(done.stdout.strip().splitlines()[-2:])
    count = re.search(r"(\d+) passed", done.stdout)
    yield context.entry(
        row="X07", fault="two and three peers asleep, cut off, restored, clocks an hour wrong, in a simulation",
        injected=f"sim_peers, {SCHEDULES} random schedules", required="all equal in the end, in the true order of acceptance",
        happened=said, ok=done.returncode == 0, times=int(count[1]) if count else 0, schedules=int(count[1]) if count else 0)
