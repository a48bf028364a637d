# SPDX-License-Identifier: GPL-3.0-or-later
"""
The simulation (tests/sim/README.md): 100,000 schedules over all cores, some under the sanitizers, peers, the sweep over each
write and sync of the store; and that it finds the planted bugs within its reach.
"""
import math
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

MINUTES = math.inf          # until all is done: --minutes may always cut it short
SCHEDULES = 100_000
PIECE = 1_000               # of one process
CHECKED = 2_000             # under ASan and UBSan
PEERS = 10_000
STORE_SEEDS = 40
# What is said of each: as in tests/sim/CMakeLists.txt.
BUGS = {"ack_before_commit": "is not stored",
        "synchronous_normal": "is not stored",
        "retry_old_body": "is something else under the same generation",
        "down_burns_attempts": "a lane that is down burnt an attempt",
        "tombstone_forgotten": "was acknowledged and is not stored",
        "no_fence": "a generation went backwards"}
FOUND_WITHIN = 2_000
FIGURES = ["steps", "faults", "restarts", "power cuts", "disk faults", "refused", "unsure", "takeovers", "late writes",
           "orphans deleted", "drifts found", "passes by themselves", "pushes", "deletes", "merges", "restores", "passed",
           "failed", "lives", "failures"]


def figures_of(output):
    found = {}
    for name in FIGURES:
        match = re.search(rf"\b(\d+) {name}\b", output)
        if match:
            found[name.replace(" ", "_")] = int(match.group(1))
    return found


def pieces(program, count, seed, size=PIECE):
    return [[program, "--schedules", str(min(size, count - at)), "--seed", str(seed + at)] for at in range(0, count, size)]


def run_pieces(context, commands, until=None):
    """
    (sums, schedules that were begun, outputs of those that failed): side by side, one process a core; none begins after until.
    """
    sums, begun, failed = {}, 0, []

    def one(command):
        return None if until is not None and time.time() > until else context.command(command)

    with ThreadPoolExecutor(context.cores) as pool:
        for done in pool.map(one, commands):
            if done is None:
                continue
            begun += int(done.args[done.args.index("--schedules") + 1])
            for name, value in figures_of(done.stdout).items():
                sums[name] = sums.get(name, 0) + value
            if done.returncode != 0:
                failed.append(done.stdout)
    return sums, begun, failed


def entry_of(context, what, commands, *, row, until=None):
    """Each schedule that was begun must have ended: one that is missing is as bad as one that failed."""
    started = time.time()
    sums, begun, failed = run_pieces(context, commands, until)
    schedules = sums.pop("passed", 0) + sums.pop("failed", 0)
    # The cuts of a disk in memory are not those of a real one (group power).
    sums["simulated_cuts"] = sums.pop("power_cuts", 0)
    sums["simulated_faults"] = sums.pop("faults", 0)
    told = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in sums.items() if value)
    if failed or schedules != begun:
        happened = f"{schedules} of {begun} schedules ended\n" + "\n".join(failed)[-4000:]
    else:
        happened = f"{schedules} schedules without a violation: {told}"
    return context.entry(
        row=row, fault=what, injected=f"seeds from {commands[0][-1]} on", required="every invariant after every step",
        happened=happened, times=schedules, ok=not failed and schedules == begun > 0,
        seconds=round(time.time() - started, 1), schedules=schedules, **sums)


def sweep(context, program):
    done = context.command([program, str(STORE_SEEDS)])
    lives = figures_of(done.stdout).get("lives", 0)
    return context.entry(row="S03", fault="each write, each sync of the store fails in turn; the power is cut at each (simulated disk)",
                         injected=f"sim_store {STORE_SEEDS}", required="what was acknowledged is there ever after",
                         happened=done.stdout[-1000:].strip(), times=lives, ok=done.returncode == 0 and lives > 0)


def find(context, program, bug, violation):
    done = context.command([program, "--schedules", str(FOUND_WITHIN), "--expect-violation", violation,
                            "--seed", str(context.seed % 2**31)], env={"ZONEFAN_PLANTED": bug})
    after = re.search(r"found after (\d+) schedules", done.stdout)
    return context.entry(row="PLANTED", fault=f"{bug}, under random schedules", injected=f"ZONEFAN_PLANTED={bug}",
                         required=f"found within {FOUND_WITHIN} schedules: {violation}",
                         happened=f"found after {after.group(1)}" if after else done.stdout[-1000:],
                         ok=done.returncode == 0 and after is not None)


def run(context):
    release, checked = context.build("release"), context.build("dev")
    seed = context.seed % 2**31
    until = None if context.minutes is None else time.time() + context.minutes * 60
    yield entry_of(context, "random schedules: pushes, deletes, takeovers, orders, three data centres and a disk that fail, restarts",
                   pieces(os.path.join(release, "sim"), SCHEDULES, seed), row="W1 W8 D1 D2", until=until)
    yield entry_of(context, "random schedules under ASan and UBSan",
                   pieces(os.path.join(checked, "sim"), CHECKED, seed + SCHEDULES, 200), row="W8", until=until)
    yield entry_of(context, "two and three peers, asleep, cut off, restored, clocks an hour wrong",
                   pieces(os.path.join(release, "sim_peers"), PEERS, seed), row="X03 X04 X07", until=until)
    yield sweep(context, os.path.join(release, "sim_store"))
    for bug, violation in BUGS.items():
        yield find(context, os.path.join(checked, "sim"), bug, violation)
