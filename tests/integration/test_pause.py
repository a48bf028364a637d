# SPDX-License-Identifier: GPL-3.0-or-later
"""D8: an operator pauses a data centre for its maintenance; pushes are taken, nothing goes there, resume empties it."""
import datetime
import json

from zf.wait import wait_for
from zf.zones import da_zone, named


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def outages(zonefan, backend):
    """On a machine that is busy a start may be an outage, too; of any of them."""
    return [line for line in zonefan.log().splitlines() if "msg=lane_down" in line and f"backend={backend} " in line]


def test_pause_and_resume(zonefan, dcs):
    names = named("pause", 20)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    before = dcs[1].db.all_rows()
    done = zonefan.ctl("pause", "dc2", check=0)
    assert done.stdout == "dc2 is paused\n"
    assert zonefan.ctl("pause", "dc2", check=0).stdout == "dc2 is paused already\n"
    since = moment(zonefan.backend("dc2")["since"])
    downs = outages(zonefan, "dc2")
    for name in names:
        zonefan.da().push_ok(name, da_zone(name, 2, hosts=7))
    zonefan.da().delete_ok(names[0])
    zonefan.wait_converged("dc1", "dc3")
    backend = zonefan.backend("dc2")
    assert (backend["state"], backend["pending"], backend["last_error"]) == ("paused", 20, None)
    assert zonefan.delivery(names[1], "dc2")["state"] == "held"
    assert zonefan.ctl("status").returncode == 2 and "paused" in zonefan.ctl("status").stdout
    spoken = dcs[1].proxy.connections
    zonefan.restart()
    zonefan.wait_lane("dc1", "up")
    backend = zonefan.backend("dc2")
    assert (backend["state"], backend["pending"]) == ("paused", 20)
    assert abs(moment(backend["since"]) - since) < datetime.timedelta(seconds=1), "the pause began anew"
    assert dcs[1].proxy.connections == spoken, "the paused back end is spoken to"
    wait_for(lambda: dcs[1].proxy.open_connections() == 0, 30, "nobody holds a connection to it")
    dcs[1].proxy.refuse()  # the maintenance: nobody must notice
    zonefan.kill9()
    zonefan.start()
    zonefan.wait_lane("dc3", "up")
    assert zonefan.backend("dc2")["state"] == "paused" and not zonefan.backend("dc2")["last_error"]
    assert dcs[1].db.all_rows() == before
    assert outages(zonefan, "dc2") == downs
    dcs[1].proxy.passing()
    assert zonefan.ctl("resume", "dc2", check=0).stdout == "dc2 is resumed\n"
    zonefan.wait_converged()
    assert dcs[1].db.all_rows() == dcs[0].db.all_rows()
    assert sorted(dcs[1].db.all_rows()) == names[1:]
    wait_for(lambda: zonefan.ctl("status").returncode == 0, 30, "well again")
    kinds = [event["kind"] for event in zonefan.listing("/api/v1/events", "events", 1000) if event["backend"] == "dc2"]
    assert kinds.count("lane_paused") == 1 and kinds.count("lane_resumed") == 1


def test_pause_exit_codes(zonefan):
    for command in ("pause", "resume"):
        done = zonefan.ctl(command, "dc9", check=3)
        assert "there is no back end dc9; there are dc1, dc2, dc3" in done.stderr
        zonefan.ctl(command, check=64)
        zonefan.ctl(command, "dc1", "dc2", check=64)
    assert json.loads(zonefan.ctl("--json", "pause", "dc1", check=0).stdout) == {"paused": True, "changed": True}
    assert json.loads(zonefan.ctl("--json", "resume", "dc1", check=0).stdout) == {"paused": False, "changed": True}
    zonefan.stop()
    zonefan.ctl("pause", "dc1", check=1)
    assert "pause BACKEND" in zonefan.ctl("--help", check=0).stdout


def test_resumed_while_away(zonefan, dcs):
    """A back end that is not there when it is resumed is down, and comes up by itself."""
    zonefan.wait_lane("dc2", "up")
    zonefan.ctl("pause", "dc2", check=0)
    dcs[1].proxy.refuse()
    zonefan.da().push_ok("away.example", da_zone("away.example"))
    zonefan.ctl("resume", "dc2", check=0)
    zonefan.wait_lane("dc2", "down")
    assert zonefan.backend("dc2")["last_error"]
    dcs[1].proxy.passing()
    zonefan.wait_converged()


def test_dry_run(install, dcs):
    """G4: the first day beside the old system: pushes are taken, no database is spoken to, whatever an operator says."""
    zonefan = install(dcs, config={"app": {"dry_run": True}})
    zonefan.da().push_ok("dry.example", da_zone("dry.example"))
    done = zonefan.ctl("resume", "dc1", check=1)
    assert "app.dry_run" in done.stderr
    zonefan.restart()
    status = zonefan.status()
    assert status["dry_run"] is True
    assert [(entry["state"], entry["pending"]) for entry in status["backends"]] == [("paused", 1)] * 3
    assert "dry run" in zonefan.ctl("status", check=2).stdout
    assert [centre.proxy.connections for centre in dcs] == [0, 0, 0], "a database was spoken to"
    zonefan.stop()
    zonefan.configure({"app": {"dry_run": False}})
    zonefan.start()
    zonefan.wait_converged()
    assert all(centre.db.zone_id("dry.example") for centre in dcs)
