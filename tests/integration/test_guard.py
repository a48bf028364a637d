# SPDX-License-Identifier: GPL-3.0-or-later
"""
A push that looks like an accident is held, the old zone stays in service, and an operator lets it through once
(decisions.md 13).
"""
import json
import re

from zf.rows import assert_rows_are
from zf.zones import da_zone

NAME = "guarded.example"


def emptied(serial):
    """SOA and NS are all that is left."""
    lines = da_zone(NAME, serial, hosts=0).splitlines()
    return "\n".join(line for line in lines if not re.search(r"\bIN\s+(A|MX|TXT)\b", line)) + "\n"


def held_id(answer):
    assert answer.status == 200 and answer.error == "1" and answer.text.startswith("held: "), answer
    return int(re.search(r"\((\d+)\)$", answer.text).group(1))


def serve(dcs, text):
    for centre in dcs:
        assert_rows_are(centre.db.all_rows()[NAME], text, NAME, centre.name)


def test_held_and_approved(zonefan, dcs):
    da = zonefan.da()
    good = da_zone(NAME, 1, hosts=30)
    da.push_ok(NAME, good)
    zonefan.wait_converged()
    ident = held_id(da.push(NAME, emptied(2)))
    assert held_id(da.push(NAME, emptied(2))) == ident, "the same push got another ID"
    assert zonefan.status()["held"] == 1
    zonefan.kill9()
    zonefan.start()
    zonefan.wait_lane("dc1", "up")
    zonefan.wait_converged()
    serve(dcs, good)
    listed = json.loads(zonefan.ctl("--json", "held", "list", check=0).stdout)["held"]
    assert [(entry["id"], entry["kind"], entry["zone"], entry["hostname"]) for entry in listed] == [
        (ident, "push", NAME, "da1.host.example")]
    shown = zonefan.ctl("held", "show", str(ident), check=0).stdout
    assert "- host7 3600 IN A 192.0.2.2" in shown and "nothing of 36 records" in shown
    assert "held for your word: 1" in zonefan.ctl("status").stdout
    assert zonefan.ctl("approve", str(ident), check=0).stdout == f"{ident} is approved\n"
    zonefan.wait_converged()
    serve(dcs, emptied(2))
    assert "nothing is held as" in zonefan.ctl("approve", str(ident), check=3).stderr
    versions = json.loads(zonefan.ctl("--json", "history", NAME, check=0).stdout)["versions"]
    assert versions[0]["current"] and versions[0]["origin"] == "push"
    assert [versions[0][key] for key in ("source", "actor")] == [versions[1][key] for key in ("source", "actor")], versions
    kinds = [event["kind"] for event in zonefan.listing("/api/v1/events", "events", 1000) if event["zone"] == NAME]
    assert kinds.count("push_held") == 1 and kinds.count("held_approved") == 1


def test_a_newer_push_replaces_it(zonefan, dcs):
    da = zonefan.da()
    da.push_ok(NAME, da_zone(NAME, 1, hosts=30))
    ident = held_id(da.push(NAME, emptied(2)))
    newest = da_zone(NAME, 3, hosts=31)
    da.push_ok(NAME, newest)
    zonefan.ctl("approve", str(ident), check=3)
    ident = held_id(da.push(NAME, da_zone(NAME, 4, hosts=1)))
    assert zonefan.ctl("discard", str(ident), check=0).stdout == f"{ident} is dropped\n"
    zonefan.ctl("held", "show", str(ident), check=3)
    zonefan.wait_converged()
    serve(dcs, newest)


def test_modes(install, dcs):
    zonefan = install(dcs, config={"guard": {"mode": "warn"}})
    da = zonefan.da()
    da.push_ok(NAME, da_zone(NAME, 1, hosts=30))
    da.push_ok(NAME, emptied(2))
    assert [event["kind"] for event in zonefan.listing("/api/v1/events", "events", 1000)].count("guard_warned") == 1
    zonefan.stop()
    zonefan.configure({"guard": {"mode": "hold", "max_shrink_percent": 10}})
    zonefan.start()
    da.push_ok(NAME, da_zone(NAME, 3, hosts=30))
    assert "drops 4 of 36 records, more than 10 %" in da.push(NAME, da_zone(NAME, 4, hosts=26)).text
    zonefan.stop()
    zonefan.configure({"guard": {"mode": "off"}})
    zonefan.start()
    da.push_ok(NAME, emptied(5))


def test_usage(zonefan):
    zonefan.ctl("held", check=64)
    zonefan.ctl("held", "list", "1", check=64)
    zonefan.ctl("held", "show", check=64)
    assert "there is no such use: held approve 1" in zonefan.ctl("held", "approve", "1", check=64).stderr
    zonefan.ctl("approve", check=64)
    assert "1 to" in zonefan.ctl("approve", "x", check=1).stderr
    zonefan.ctl("held", "show", "4711", check=3)
