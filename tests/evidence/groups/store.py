# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own store (reliability.md 4.2), but for the power cuts."""

# Unit tests that show a row: program, row, fault, injected, required.
UNITS = [
    ("test_store_full", "S02", "disk full at each statement of the store", "a small tmpfs", "refused, nothing half; goes on with the ballast"),
    ("test_store_disk", "S03", "each call to the disk fails in turn, below SQLite", "SQLite's system calls replaced",
     "refused or durable; a disk that failed is not written again"),
    ("test_store_damage", "S07", "rows, pages and header damaged", "bytes changed in the file", "found by checksum or by SQLite; that row only"),
    ("test_store_migrate", "S12", "kill -9 in a step of a migration, 50 times", "SIGKILL at random", "before it or after it, never between"),
]


def run(context):
    context.build("release")
    yield from context.pytest("faults/test_store_io.py", "faults/test_store_slow.py", "faults/test_store_damage.py",
                              "faults/test_store_memory.py", "faults/test_store_clock.py", "faults/test_store_migration.py",
                              "test_full_disk.py", "test_store_replaced.py", "test_backup.py")
    yield from context.unit_tests(UNITS)
