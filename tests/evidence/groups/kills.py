# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of zonefand at random and at named points (reliability.md P01)."""


def run(context):
    yield from context.pytest("test_kill.py", "faults/test_process_kills.py")
