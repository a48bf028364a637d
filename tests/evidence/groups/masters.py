# SPDX-License-Identifier: GPL-3.0-or-later
"""Reconciliation with DirectAdmin masters (reliability.md 4.6), and the predecessor's faults (4.8)."""

TESTS = ["test_reconcile.py", "test_reconcile_odd.py", "test_catch_up.py", "test_predecessor_faults.py",
         "test_heal.py::test_every_damage_is_repaired_in_one_pass", "test_dead.py::test_fault_f",
         "test_faults.py::test_slow_at_every_statement"]


def run(context):
    yield from context.pytest(*TESTS)
    # Memory is judged without sanitizers.
    yield from context.pytest("faults/test_masters_answers.py", preset="release")
