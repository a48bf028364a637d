# SPDX-License-Identifier: GPL-3.0-or-later
"""The process (reliability.md 4.3), but for the kills, the soak and ThreadSanitizer (group analysers)."""


def run(context):
    yield from context.pytest("faults/test_process_trace.py", "faults/test_process_signals.py", "test_stop.py")
