# SPDX-License-Identifier: GPL-3.0-or-later
"""Completions for zsh, in a zsh at a terminal; bash is tests/integration/test_manual.py's."""
import os
import subprocess

import pytest
from zf.daemon import BIN
from zf.zones import da_zone

HERE = os.path.dirname(os.path.abspath(__file__))
MAN = os.path.join(os.path.dirname(BIN), "man")


def offered(line, *words, cwd=None):
    subprocess.run(["zsh", "-f", os.path.join(HERE, "offers.zsh"), MAN, BIN, line, *words], timeout=60, check=True, cwd=cwd,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("line, words", [
    ("zonefanctl d", ["dead", "diff", "discard"]),
    ("zonefanctl heal --d", ["--dry-run"]),
    ("zonefanctl dead --all ", ["drop", "list", "replay", "show"]),
    ("zonefanctl --json import --dry-run back", ["backend"]),
    ("zonefand --log-format ", ["logfmt", "json"]),
    ("zonefand --ch", ["--check"]),
])
def test_zsh_offers_what_the_tables_name(line, words):
    offered(line, *words)


def test_zsh_offers_what_zonefand_knows(zonefan):
    for name in ("a.example", "b1.example", "b2.example"):
        zonefan.da().push_ok(name, da_zone(name))
    start = f"zonefanctl --config {zonefan.config_path} "
    offered(start + "pause ", "dc1", "dc2", "dc3", cwd=zonefan.directory)
    offered(start + "zone b", "b1.example", "b2.example", cwd=zonefan.directory)
    offered(start + "heal --backend ", "dc2", cwd=zonefan.directory)
