# SPDX-License-Identifier: GPL-3.0-or-later
"""
Fault F of the predecessor, D3: a dead letter is more than a counter. What a data centre can't hold is listed with zone, back
end, error and attempts, and its content can be read; once the column is wide enough, replay brings it there.
"""
import json
import sqlite3

import pytest
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone, named

NAME = "dead.example"
LONG = "long\t60\tIN\tTXT\t" + ('"' + "x" * 250 + '" ') * 6


def dead(zonefan, *arguments):
    return json.loads(zonefan.ctl("--json", "dead", *arguments, check=0).stdout)["dead"]


def wait_state(zonefan, name, state, backend="dc2"):
    wait_for(lambda: zonefan.delivery(name, backend)["state"] == state, 30,
             lambda: f"{name} is {state}: {zonefan.delivery(name, backend)}")


@pytest.fixture
def narrow(install, dcs):
    """A data centre whose column is too narrow for what DNS permits, and nobody may widen it but its administrator."""
    zonefan = install(dcs)
    zonefan.wait_lane("dc2", "up")
    zonefan.stop()
    dcs[1].db.sql("DELETE FROM records")
    dcs[1].db.sql("ALTER TABLE records MODIFY data VARCHAR(1024) NOT NULL")
    zonefan.configure({"dns": {"backends": {"dc2": {"manage_schema": False}}}})
    return zonefan.start()


@pytest.mark.row("U8", fault="the predecessor gives up after five attempts and keeps a counter",
                 injected="a zone that a database can't hold; kill -9 meanwhile",
                 required="listed with reason and content; delivered when it can be")
def test_fault_f(narrow, dcs):
    zonefan = narrow
    old, new = da_zone(NAME, 1), da_zone(NAME, 2, extra=LONG)
    zonefan.da().push_ok(NAME, old)
    zonefan.wait_converged()
    zonefan.da().push_ok(NAME, new)
    wait_state(zonefan, NAME, "rejected")
    zonefan.kill9()
    zonefan.start()
    listed = dead(zonefan, "list")
    assert [(entry["zone"], entry["backend"], entry["state"]) for entry in listed] == [(NAME, "dc2", "rejected")]
    assert "long" in listed[0]["error"] and "1024" in listed[0]["error"]
    assert listed[0]["attempts"] == 0 and listed[0]["since"] and listed[0]["next_try"]
    assert dead(zonefan, "list", "--backend", "dc1") == []
    shown = zonefan.ctl("dead", "show", NAME, check=0).stdout
    assert new.strip() in shown and "dc2" in shown
    assert_rows_are(dcs[1].db.rows(NAME), old, NAME, "dc2")
    dcs[1].db.sql("ALTER TABLE records MODIFY data MEDIUMTEXT NOT NULL")
    assert zonefan.ctl("dead", "replay", NAME, check=0).stdout.startswith("1 dead letters are tried now")
    wait_state(zonefan, NAME, "clean")
    assert dead(zonefan, "list", "--all") == []
    for centre in dcs:
        assert_rows_are(centre.db.rows(NAME), new, NAME, centre.name)
    assert "has no dead letter" in zonefan.ctl("dead", "show", NAME, check=3).stderr


def test_drop(narrow, dcs):
    zonefan = narrow
    for name in (NAME, "other.example"):
        zonefan.da().push_ok(name, da_zone(name, 2, extra=LONG))
    for name in (NAME, "other.example"):
        wait_state(zonefan, name, "rejected")
    assert zonefan.ctl("dead", "drop", NAME, "--backend", "dc2", check=0).stdout.startswith("1 dead letters are dropped")
    assert "has no dead letter" in zonefan.ctl("dead", "drop", NAME, check=3).stderr
    assert [entry["zone"] for entry in dead(zonefan, "list")] == ["other.example"]
    states = {entry["zone"]: entry["state"] for entry in dead(zonefan, "list", "--all")}
    assert states == {NAME: "dropped", "other.example": "rejected"}
    assert "parked" in zonefan.ctl("zone", NAME, check=0).stdout
    backend = zonefan.backend("dc2")
    assert (backend["rejected"], backend["parked"]) == (1, 1)
    dcs[1].db.sql("ALTER TABLE records MODIFY data MEDIUMTEXT NOT NULL")
    zonefan.ctl("dead", "replay", check=0)
    wait_state(zonefan, "other.example", "clean")
    zonefan.ctl("retry", check=0)
    zonefan.restart()
    zonefan.wait_lane("dc2", "up")
    assert zonefan.delivery(NAME, "dc2")["state"] == "parked" and dcs[1].db.zone_id(NAME) is None
    zonefan.da().push_ok(NAME, da_zone(NAME, 3, extra=LONG))
    zonefan.wait_converged()
    assert_rows_are(dcs[1].db.rows(NAME), da_zone(NAME, 3, extra=LONG), NAME, "dc2")
    events = [event for event in zonefan.listing("/api/v1/events", "events", 1000) if event["kind"] == "dead_dropped"]
    assert [(event["zone"], event["backend"], event["actor"]) for event in events] == [(NAME, "dc2", "control socket")]


def test_exit_codes(zonefan):
    for words in (["dead"], ["dead", "show"], ["dead", "drop"], ["dead", "list", "x"], ["dead", "bury", "x"]):
        zonefan.ctl(*words, check=64)
    zonefan.ctl("dead", "list", "--backend", "dc9", check=3)
    zonefan.ctl("dead", "replay", "--backend", "dc9", check=3)
    zonefan.ctl("dead", "drop", "nobody.example", check=3)
    assert zonefan.ctl("dead", "replay", check=0).stdout == "0 dead letters are tried now\n"


def test_back_ends_that_are_gone_hide_nothing(install, dcs):
    zonefan = install(dcs[:2])
    names = named("hidden", 100)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name, hosts=0))
    zonefan.wait_converged()
    zonefan.ctl("pause", "dc1", check=0)
    zonefan.stop()
    with sqlite3.connect(zonefan.store) as store:
        store.execute("UPDATE delivery SET state = 5, next_try = 9e17, applied = 0 WHERE backend_id ="
                      " (SELECT id FROM backend WHERE name = 'dc2') OR zone_id = (SELECT max(id) FROM zone)")
    store.close()
    zonefan.settings["dns"]["backends"].pop("dc2")
    zonefan.backends.remove("dc2")
    zonefan.configure({})
    zonefan.start()
    page = zonefan.api("/api/v1/dead?limit=1")
    assert [(entry["zone"], entry["backend"]) for entry in page["dead"]] == [(names[-1], "dc1")]
    assert page["next"] is None
