# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own store (reliability.md 4.2), but for the power cuts."""
import os

from tree import ROOT

UNIT = {
    "test_store_full": ("S02", "disk full at each statement of the store", "a small tmpfs", "refused, nothing half; goes on with the ballast"),
    "test_store_disk": ("S03", "each call to the disk fails in turn, below SQLite", "SQLite's system calls replaced",
                        "refused or durable; a disk that failed is not written again"),
    "test_store_damage": ("S07", "rows, pages and header damaged", "bytes changed in the file", "found by checksum or by SQLite; that row only"),
    "test_store_migrate": ("S12", "kill -9 in a step of a migration, 50 times", "SIGKILL at random", "before it or after it, never between"),
}


def run(context):
    context.build("release")
    yield from context.pytest("faults/test_store_io.py", "faults/test_store_slow.py", "faults/test_store_damage.py",
                              "faults/test_store_memory.py", "faults/test_store_clock.py", "faults/test_store_migration.py",
                              "test_full_disk.py", "test_store_replaced.py", "test_backup.py")
    for name, (row, fault, injected, required) in UNIT.items():
        done = context.command([os.path.join(context.build("dev"), name)], cwd=os.path.join(ROOT, "build", "dev"), timeout=1200)
        passed = done.stdout.count("[       OK ]")
        yield context.entry(row=row, fault=fault, injected=injected, required=required, times=passed, ok=done.returncode == 0 and passed,
                            happened=f"{passed} tests of {name} passed" if done.returncode == 0 else done.stdout[-2000:], test=name)
