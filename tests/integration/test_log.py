# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue, part 7: "Batch summary in the log when a lane drains: zones, failures, seconds, zones per second"; the fixed
interface "logs logfmt lines to stderr (--log-format json too)"; product table S3 and reliability.md C12: no secret in
the log, in /status, in the process list; O8: few lines.
"""
import json
import os
import re
import subprocess

from zf.daemon import BIN
from zf.wait import wait_for
from zf.zones import da_zone, named

FIELD = re.compile(r'([A-Za-z_][A-Za-z0-9_.]*)=("(?:[^"\\]|\\.)*"|[^ "]*)')


def logfmt(line):
    """{key: value}; fails if anything of the line is no logfmt."""
    rest = FIELD.sub("", line).strip()
    assert rest == "", f"no logfmt: {line!r} leaves {rest!r}"
    return {key: json.loads(value) if value.startswith('"') else value for key, value in FIELD.findall(line)}


def summaries(entries):
    return [entry for entry in entries if {"zones", "failures", "seconds"} <= set(entry)
            and any("second" in key and key != "seconds" for key in entry)]


def drain(zonefan, dcs):
    zonefan.wait_lane("dc2", "up")
    dcs[1].proxy.refuse()
    for name in named("drain", 40):
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_lane("dc2", "down")
    dcs[1].proxy.passing()
    zonefan.wait_converged()


def test_batch_summary(zonefan, dcs):
    drain(zonefan, dcs)

    def summary():
        return [e for e in summaries(map(logfmt, zonefan.log().splitlines())) if e.get("backend") == "dc2"]
    found = wait_for(summary, 30, lambda: f"a summary of the lane:\n{zonefan.log_tail()}")
    assert sum(int(entry["zones"]) for entry in found) >= 40
    assert all(int(entry["failures"]) == 0 and float(entry["seconds"]) >= 0 for entry in found)


def test_json_lines(install, dcs):
    zonefan = install(dcs, log_format="json")
    drain(zonefan, dcs)
    entries = [json.loads(line) for line in zonefan.log().splitlines()]
    assert entries and all(isinstance(entry, dict) for entry in entries)
    wait_for(lambda: summaries(map(json.loads, zonefan.log().splitlines())), 30, "a summary in JSON")


def test_no_secret_anywhere(zonefan, dcs):
    """Canary passwords in every field; wrong ones of clients too. (The log is searched after every test.)"""
    da = zonefan.da()
    da.push_ok("secret.example", da_zone("secret.example"))
    da.auth = "Basic d3Jvbmc6Y2FuYXJ5LXdyb25n"  # wrong:canary-wrong
    assert da.login_test().status == 401
    zonefan.wait_converged()
    dcs[1].proxy.refuse()
    zonefan.da().push_ok("secret.example", da_zone("secret.example", 2))
    zonefan.wait_lane("dc2", "down")
    listing = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    check = subprocess.run([*zonefan_binary(), "--config", zonefan.config_path, "--check"], capture_output=True,
                           text=True, env=zonefan.environment(), cwd=zonefan.directory)
    assert check.returncode == 0, check
    places = {"log": zonefan.log(), "status": json.dumps(zonefan.status()), "process list": listing,
              "zone": json.dumps(zonefan.zone("secret.example")), "--check": check.stdout + check.stderr,
              "events": json.dumps(zonefan.api("/api/v1/events"))}
    for place, text in places.items():
        for secret in [*zonefan.secrets, "canary-wrong", "d3Jvbmc6Y2FuYXJ5LXdyb25n"]:
            assert secret not in text, f"a secret stands in the {place}"


def zonefan_binary():
    return [os.path.join(BIN, "zonefand")]


def test_an_outage_is_two_lines_not_one_for_each_zone(install, dcs):
    """O8: a state change is a line; 200 zones that wait for it are none."""
    zonefan = install(dcs)
    zonefan.wait_lane("dc2", "up")
    dcs[1].proxy.refuse()
    before = len(zonefan.log().splitlines())
    for name in named("quiet", 200):
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_lane("dc2", "down")
    zonefan.wait_converged("dc1", "dc3")
    lines = [line for line in zonefan.log().splitlines()[before:] if "dc2" in line]
    assert 1 <= len(lines) <= 12, "\n".join(lines)
    assert not [line for line in lines if "quiet0" in line], "a line for each zone"
