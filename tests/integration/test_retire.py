# SPDX-License-Identifier: GPL-3.0-or-later
"""D9: a data centre is taken out of service: its deliveries go with it, what stands in its database stays."""
import json
import threading

import pytest
from zf.wait import wait_for
from zf.zones import da_zone, named


def without(zonefan, name):
    """Takes the back end out of the configuration."""
    zonefan.stop()
    entry = zonefan.settings["dns"]["backends"].pop(name)
    zonefan.backends.remove(name)
    zonefan.configure({})
    zonefan.start()
    return entry


def test_retire(install, dcs):
    zonefan = install(dcs)
    names = named("retire", 30)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    dcs[2].proxy.refuse()
    zonefan.da().push_ok(names[0], da_zone(names[0], 2))
    zonefan.wait_converged("dc1", "dc2")
    done = zonefan.ctl("retire", "dc3", "--confirm", check=1)
    assert "back end dc3 is configured" in done.stderr
    assert "can't be retired" in zonefan.ctl("retire", "dc3", check=0).stdout
    entry = without(zonefan, "dc3")
    assert zonefan.status()["unconfigured"] == ["dc3"]
    assert "not configured any more: dc3" in zonefan.ctl("status").stdout
    before = dcs[2].db.all_rows()
    reported = zonefan.ctl("retire", "dc3", check=0).stdout
    assert "dc3: 30 deliveries, 1 of them pending, 0 dead" in reported and "nothing was changed" in reported
    assert zonefan.api("/api/v1/backends/dc3")["deliveries"] == 30
    done = zonefan.ctl("retire", "dc3", "--confirm", check=0)
    assert done.stdout == "dc3 is retired, 30 deliveries were dropped\n"
    assert zonefan.status()["unconfigured"] == [] and "not configured" not in zonefan.ctl("status").stdout
    assert "knows no back end dc3" in zonefan.ctl("retire", "dc3", "--confirm", check=3).stderr
    retired = [event for event in zonefan.listing("/api/v1/events", "events", 1000) if event["kind"] == "retired"]
    assert [(event["backend"], event["actor"]) for event in retired] == [("dc3", "control socket")]
    assert dcs[2].db.all_rows() == before
    # one of that name later is a new one
    dcs[2].proxy.passing()
    back(zonefan, "dc3", entry)
    zonefan.wait_converged()
    assert dcs[2].db.all_rows() == dcs[0].db.all_rows()


def test_pushes_go_on(install, dcs):
    """More zones than one step drops, and pushes in between: none waits, none is lost."""
    zonefan = install(dcs[:2])
    names = named("many", 4500)
    threads = [threading.Thread(target=lambda part: [zonefan.da().push_ok(name, da_zone(name, hosts=0)) for name in part],
                                args=(names[i::8],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    zonefan.wait_converged(deadline=180)
    without(zonefan, "dc2")
    done = []
    retiring = threading.Thread(target=lambda: done.append(zonefan.ctl("--json", "retire", "dc2", "--confirm", check=0)))
    retiring.start()
    pushed = 0
    while retiring.is_alive():
        name = names[pushed % len(names)]
        zonefan.da().push_ok(name, da_zone(name, 2))
        pushed += 1
    retiring.join()
    assert json.loads(done[0].stdout) == {"backend": "dc2", "dropped": 4500}
    assert pushed > 0
    zonefan.wait_converged()
    wait_for(lambda: zonefan.status()["status"] == "ok", 30, "well")


def back(zonefan, name, entry):
    zonefan.stop()
    zonefan.settings["dns"]["backends"][name] = entry
    zonefan.backends.append(name)
    zonefan.configure({})
    zonefan.start()


def all_of(db, zone):
    """Every row about it, numbers and stamps too."""
    return [db.sql(statement, zone + ".") for statement in (
        "SELECT * FROM zones WHERE zone_name=%s",
        "SELECT r.* FROM records AS r JOIN zones AS z ON z.id=r.zone_id WHERE z.zone_name=%s ORDER BY r.id",
        "SELECT * FROM zonefan_state WHERE zone_name=%s")]


@pytest.mark.parametrize("retired", [True, False])
def test_what_was_deleted_meanwhile_goes(install, dcs, retired):
    """Without healing too, retired or only out of the configuration; and what somebody else made of such a name meanwhile stays as it is."""
    zonefan = install(dcs[:2], config={"healing": {"enabled": False}})
    names = gone, kept, theirs, others, made = named("meanwhile", 5)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    entry = without(zonefan, "dc2")
    if retired:
        zonefan.ctl("retire", "dc2", "--confirm", check=0)
    zonefan.da().delete_ok(gone, theirs, others, made)
    zonefan.wait_converged()
    db = dcs[1].db
    # by hand: a zone of their own, one of another zonefan, and one made where we had deleted it
    db.sql("DELETE FROM zonefan_state WHERE zone_name=%s", theirs + ".")
    db.sql("UPDATE zonefan_state SET store_id=REPEAT('ab', 16) WHERE zone_name=%s", others + ".")
    db.sql("UPDATE zonefan_state SET deleted=1 WHERE zone_name=%s", made + ".")
    db.sql("UPDATE records SET data='192.0.2.250' WHERE type='A' AND zone_id=(SELECT id FROM zones WHERE zone_name=%s)", made + ".")
    before = {name: all_of(db, name) for name in (theirs, others, made)}
    assert all(zone and records for zone, records, _ in before.values()) and all_of(db, gone)[0]
    back(zonefan, "dc2", entry)
    zonefan.wait_converged()
    assert db.zone_id(gone) is None
    assert {name: all_of(db, name) for name in (theirs, others, made)} == before
    assert db.rows(kept) == dcs[0].db.rows(kept)
    zonefan.ctl("plan", check=0)


def test_a_pause_ends_with_its_back_end(install, dcs):
    zonefan = install(dcs[:2])
    name = named("paused", 1)[0]
    zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    zonefan.ctl("pause", "dc2", check=0)
    entry = without(zonefan, "dc2")
    zonefan.ctl("retire", "dc2", "--confirm", check=0)
    back(zonefan, "dc2", entry)
    zonefan.da().push_ok(name, da_zone(name, 2))
    zonefan.wait_converged()
    assert zonefan.backend("dc2")["state"] == "up"
    assert dcs[1].db.all_rows() == dcs[0].db.all_rows()


def test_exit_codes(zonefan):
    zonefan.ctl("retire", check=64)
    assert "knows no back end dc9" in zonefan.ctl("retire", "dc9", check=3).stderr
