# SPDX-License-Identifier: GPL-3.0-or-later
"""Power cuts, with their controls (reliability.md S01)."""


def run(context):
    context.build("release")
    yield from context.pytest("faults/test_store_power.py")
