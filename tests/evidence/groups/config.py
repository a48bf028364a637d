# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a configuration, or does not fit the host (reliability.md 4.5). The time of a refusal is judged as released."""


def run(context):
    yield from context.pytest("test_config.py", "faults/test_config_host.py")
    yield from context.pytest("faults/test_config_files.py", preset="release")
