# SPDX-License-Identifier: GPL-3.0-or-later
"""deploy/quickstart shows the two data centres answering by DNS, while a database is dead too. It proves each step itself."""
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def test_both_data_centres_answer():
    tour = subprocess.run([os.path.join(ROOT, "deploy", "quickstart"), "--once", "--dns"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=290)
    assert tour.returncode == 0, tour.stdout[-4000:]
    for step in ("A CoreDNS beside each database; both answer", "dns2 goes on answering without its database", "Proved."):
        assert step in tour.stdout, tour.stdout[-4000:]
