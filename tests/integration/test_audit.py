# SPDX-License-Identifier: GPL-3.0-or-later
"""Who did what, when, from where (V9); one name for each push in events and log lines (S9); events can be followed."""
import json
import os
import re
import subprocess

import pytest
from zf.daemon import BIN
from zf.wait import wait_for
from zf.zones import da_zone

NAME = "audit.example"


def events(zonefan, zone=NAME):
    return [event for event in zonefan.listing("/api/v1/events", "events", 1000) if event["zone"] == zone][::-1]


@pytest.mark.row("SEC S9", fault="somebody changes something",
                 injected="pushes, a delete, freeze, thaw, rollback, undelete",
                 required="an event each: who, what, when, from where; one name for each push in events and log")
def test_every_change_has_its_event(install, dcs):
    zonefan = install(dcs, config={"log_level": "debug"})
    da = zonefan.da()
    for centre in dcs:
        zonefan.wait_lane(centre.name, "up")
    for serial in (1, 1, 2):
        da.push_ok(NAME, da_zone(NAME, serial))
        zonefan.wait_converged()
    for words in (["freeze", NAME], ["thaw", NAME], ["rollback", NAME, "1"]):
        zonefan.ctl(*words, check=0)
    da.delete_ok(NAME)
    zonefan.ctl("undelete", NAME, check=0)
    zonefan.wait_converged()
    seen = events(zonefan)
    assert [event["kind"] for event in seen] == ["push", "push", "push", "frozen", "thawed", "rollback", "delete", "undelete"]
    assert [event["detail"] for event in seen[:3]] == [
        "serial 1, generation 1", "serial 1, generation 1, equal", "serial 2, generation 2"]
    for event in seen:
        by_operator = event["kind"] not in ("push", "delete")
        assert event["actor"] == ("control socket" if by_operator else zonefan.user), event
        assert by_operator or event["source"] == "127.0.0.1"
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9]+", event["push"]), event
    assert len({event["push"] for event in seen}) == len(seen)
    assert len({event["push"][:8] for event in seen}) == 1
    # the same name stands in the log: received, accepted, delivered at each back end
    for event in (seen[0], seen[2], seen[6]):
        lines = [line for line in zonefan.log().splitlines() if f"push={event['push']}" in line]
        words = [re.search(r"msg=(\S+)", line).group(1) for line in lines]
        assert words[0] == "received" and words.count("delivered") == 3, lines
        assert {re.search(r"backend=(\S+)", line).group(1) for line in lines if "msg=delivered" in line} == {
            "dc1", "dc2", "dc3"}
    before = seen[0]["push"][:8]
    zonefan.restart()
    da.push_ok(NAME, da_zone(NAME, 3))
    assert events(zonefan)[-1]["push"][:8] != before, "two starts give the same names"


def test_refused_and_failed(install, dcs):
    """At the usual log level: what is refused or fails names its push too."""
    zonefan = install(dcs)
    da = zonefan.da()
    assert da.push("bad.example", "no zone").error == "1"
    refused = events(zonefan, "bad.example")[0]
    assert f"push={refused['push']}" in next(line for line in zonefan.log().splitlines() if "msg=push_refused" in line)
    da.push_ok(NAME, da_zone(NAME, 1))
    zonefan.wait_converged()
    assert "msg=push " not in zonefan.log() and "msg=delivered" not in zonefan.log()


class Follower:
    def __init__(self, zonefan, *arguments):
        self.path = os.path.join(zonefan.directory, "followed")
        self.output = open(self.path, "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [os.path.join(BIN, "zonefanctl"), "--config", zonefan.config_path, "--json", "events", "--follow", *arguments],
            stdout=self.output, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=zonefan.environment())

    def lines(self):
        with open(self.path, encoding="utf-8") as text:
            return [json.loads(line) for line in text.read().splitlines(keepends=True) if line.endswith("\n")]

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.output.close()


@pytest.fixture
def follow():
    made = []

    def start(*arguments):
        made.append(Follower(*arguments))
        return made[-1]
    yield start
    for follower in made:
        follower.close()


def test_follow_over_a_restart(zonefan, follow):
    da = zonefan.da()
    da.push_ok(NAME, da_zone(NAME, 1))
    da.push_ok("other.example", da_zone("other.example", 1))
    follower = follow(zonefan, "--zone", NAME, "--kind", "push")
    wait_for(lambda: len(follower.lines()) == 1, 30, "what was before is told")
    da.push_ok(NAME, da_zone(NAME, 2))
    wait_for(lambda: len(follower.lines()) == 2, 30, "what comes is told")
    zonefan.kill9()
    zonefan.start()
    zonefan.ctl("freeze", NAME, check=0)
    for serial in range(3, 8):
        da.push_ok(NAME, da_zone(NAME, serial))
    wait_for(lambda: len(follower.lines()) >= 7, 30, "it goes on after a restart")
    lines = follower.lines()
    assert [line["detail"].split(",")[0] for line in lines] == [f"serial {serial}" for serial in range(1, 8)]
    assert {(line["zone"], line["kind"]) for line in lines} == {(NAME, "push")}
    assert follower.process.poll() is None


def test_kind_and_zone(zonefan):
    da = zonefan.da()
    for name in (NAME, "other.example"):
        da.push_ok(name, da_zone(name, 1))
    da.delete_ok(NAME)
    shown = json.loads(zonefan.ctl("--json", "events", "--zone", NAME, check=0).stdout)["events"]
    assert [event["kind"] for event in shown] == ["delete", "push"]
    shown = json.loads(zonefan.ctl("--json", "events", "--kind", "push", check=0).stdout)["events"]
    assert [event["zone"] for event in shown] == ["other.example", NAME]
    assert NAME in zonefan.ctl("events", "--kind", "delete", check=0).stdout
    zonefan.ctl("events", "--all", check=64)
