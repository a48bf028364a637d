# SPDX-License-Identifier: GPL-3.0-or-later
"""Issue: "zonefanctl top (live view in a terminal); progress bars on long work (import, heal, backup) when on a terminal"."""
import json
import os
import re
import signal
import sqlite3

import pytest
from zf.inject import Strace, fault
from zf.terminal import Terminal
from zf.wait import wait_for
from zf.zones import da_zone


def at_terminal(zonefan, *arguments, **options):
    return Terminal(os.path.join(zonefan.programs, "zonefanctl"), "--config", zonefan.config_path, *arguments, cwd=zonefan.directory,
                    env=zonefan.environment(), **options)


def test_top_shows_what_goes_on(zonefan, dcs):
    zonefan.da().push_ok("first.example", da_zone("first.example"))
    zonefan.wait_converged()
    with at_terminal(zonefan, "top") as terminal:
        terminal.wait_shown(r"dc1 +up ")
        dcs[1].proxy.refuse()
        zonefan.da().push_ok("second.example", da_zone("second.example"))
        frame = terminal.wait_frame(lambda frame: any(re.match(r"dc2 +down +\S+ +\S+ +1 ", line) for line in frame) and
                                    any("lane_down" in line and "dc2" in line for line in frame), "dc2 is down, and an event says so")
        assert "degraded" in frame[0] and "2 zones" in frame[1], frame
        zonefan.stop()
        frame = terminal.wait_frame(lambda frame: frame[0].startswith("zonefand does not answer"), "it is told")
        assert any(line.startswith("dc2") for line in frame), "what was seen last stays"
        seen = len(terminal.frames())
        dcs[1].proxy.passing()
        zonefan.start()
        terminal.wait_frame(lambda frame: not frame[0].startswith("zonefand does not"), "it answers again", behind=seen)
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.is_as_before() and terminal.shown.endswith("\x1b[?25h\x1b[?1049l")


def test_top_fits_any_terminal(zonefan):
    for i in range(30):
        zonefan.da().push_ok(f"z{i}.example", da_zone(f"z{i}.example"))
    with at_terminal(zonefan, "top", columns=150, rows=40) as terminal:
        terminal.wait_shown(r"dc3 +up ")
        before = 150
        for columns, rows in ((40, 10), (200, 60), (1, 1), (100, 24)):
            seen = len(terminal.frames())
            terminal.resize(columns, rows)

            def fits(frame, least=min(before, columns)):
                width = max(len(line) for line in frame)
                return len([line for line in frame if line]) <= rows and least <= width <= columns
            terminal.wait_frame(fits, f"it takes {columns} x {rows}, and uses them", behind=seen)
            before = columns
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 0 and terminal.is_as_before()


def test_top_once(zonefan):
    zonefan.da().push_ok("one.example", da_zone("one.example"))
    zonefan.wait_converged()
    view = zonefan.ctl("top", "--once", check=0).stdout
    assert "\x1b" not in view and "dc2" in view and "one.example" in view and "WRITTEN/S" in view
    wait_for(lambda: [lane["delivered"] for lane in zonefan.status()["backends"]] == [1, 1, 1], 30, "they are counted")
    sample = json.loads(zonefan.ctl("top", "--json", check=0).stdout)
    assert [lane["delivered"] for lane in sample["status"]["backends"]] == [1, 1, 1]
    assert "one.example" in {event["zone"] for event in sample["events"]}
    assert "--once" in zonefan.ctl("top", check=1).stderr, "no terminal"
    zonefan.stop()
    assert "does not answer" in zonefan.ctl("top", "--once", check=1).stderr


def test_heal_tells_how_far_it_is(zonefan, dcs):
    zonefan.da().push_ok("one.example", da_zone("one.example"))
    zonefan.wait_converged()
    dcs[2].proxy.freeze()
    with at_terminal(zonefan, "--json", "heal", only="stderr") as terminal:
        terminal.wait_shown(r"healing \[#+\.+\] 66 %  2 of 3 zones")
        dcs[2].proxy.passing()
        terminal.end()
        assert json.loads(terminal.output)["backends"], "stdout is the answer's alone"
        assert terminal.shown.endswith("\r\x1b[K"), "the line is taken away"


def test_import_tells_how_far_it_is(zonefan, tmp_path):
    with sqlite3.connect(tmp_path / "directdns.db") as store:
        store.execute("CREATE TABLE domains (id INTEGER PRIMARY KEY, domain, hostname, username, zone_data, zone_updated_at)")
        store.executemany("INSERT INTO domains (domain, hostname, username, zone_data) VALUES (?, 'h.example', 'u', ?)",
                          [(f"z{i}.example", da_zone(f"z{i}.example")) for i in range(4)])
    with at_terminal(zonefan, "import", "directdnsonly", str(tmp_path / "directdns.db"), only="stderr", columns=60) as terminal:
        assert terminal.end() == 0 and "4  imported" in terminal.output
        terminal.wait_shown(r"importing \[\.+\]  0 %  0 of 4 zones")
        assert all(len(line) < 60 for line in terminal.shown.replace("\x1b[K", "").split("\r"))


@pytest.mark.parametrize("alive", [True, False])
def test_backup_tells_how_far_it_is(zonefan, tmp_path, alive):
    zonefan.da().push_ok("one.example", da_zone("one.example"))
    if not alive:
        zonefan.stop()
    slow = fault("renameat2", "delay_enter=2000000", 1)
    command = ("backup", str(tmp_path / "copy.db"))
    if alive:
        with Strace(zonefan.process.pid, tmp_path / "log", *slow, all_threads=True), at_terminal(zonefan, *command) as terminal:
            terminal.wait_shown(r"copying \[#+\.*\] +\d+ %  \d+ of \d+ KiB")
            assert terminal.end() == 0
    else:
        with at_terminal(zonefan, *command) as terminal:
            assert terminal.end() == 0
            terminal.wait_shown(r"copying ")
    assert "copy.db: " in terminal.shown


def test_no_terminal_no_bar(zonefan, tmp_path):
    zonefan.da().push_ok("one.example", da_zone("one.example"))
    zonefan.wait_converged()
    assert zonefan.ctl("heal").stderr == "" and zonefan.ctl("backup", str(tmp_path / "copy.db")).stderr == ""
