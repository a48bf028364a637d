# SPDX-License-Identifier: GPL-3.0-or-later
"""P08: half an hour (--minutes) of everything at once, with a release build; the samples are kept beside the results, as soak.tsv."""
import os

MINUTES = 30


def run(context):
    yield from context.pytest("faults/test_process_soak.py", preset="release", env={
        "ZONEFAN_SOAK_MINUTES": str(context.minutes or MINUTES),
        "ZONEFAN_SOAK_TIMELINE": os.path.join(context.directory, "soak.tsv")})
