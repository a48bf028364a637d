# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone is frozen: the master is told that it is stored, no database sees it, thaw brings the newest everywhere."""
from zf.rows import assert_rows_are
from zf.zones import da_zone

NAME = "frozen.example"


def test_freeze_and_thaw(install, dcs):
    zonefan = install(dcs[:2])
    da = zonefan.da()
    da.push_ok(NAME, da_zone(NAME, 1))
    da.push_ok("other.example", da_zone("other.example", 1))
    zonefan.wait_converged()
    before = [centre.db.all_rows()[NAME] for centre in dcs[:2]]
    assert zonefan.ctl("freeze", NAME, check=0).stdout == f"{NAME} is frozen\n"
    assert zonefan.ctl("freeze", NAME, check=0).stdout == f"{NAME} is frozen already\n"
    for serial in (2, 3):
        da.push_ok(NAME, da_zone(NAME, serial, hosts=7))
    da.push_ok("other.example", da_zone("other.example", 2))
    zonefan.wait_converged()
    assert [centre.db.all_rows()[NAME] for centre in dcs[:2]] == before
    zonefan.kill9()
    # a data centre that is new is not told of it either
    zonefan.settings["dns"]["backends"]["dc3"] = {
        **zonefan.settings["dns"]["backends"]["dc1"], "port": dcs[2].proxy.port, "password": dcs[2].db.password}
    zonefan.secrets.append(dcs[2].db.password)
    zonefan.backends.append("dc3")
    zonefan.configure({})
    zonefan.start()
    zonefan.wait_converged()
    assert [centre.db.all_rows()[NAME] for centre in dcs[:2]] == before
    assert dcs[2].db.zone_id(NAME) is None and dcs[2].db.zone_id("other.example") is not None
    assert {zonefan.delivery(NAME, name)["state"] for name in zonefan.backends} == {"parked"}
    assert "frozen since" in zonefan.ctl("zone", NAME, check=0).stdout
    for name in zonefan.backends:
        zonefan.wait_lane(name, "up")  # one that has nothing pending may not have been reached yet
    status = zonefan.ctl("status")
    assert "frozen zones: 1" in status.stdout and status.returncode == 0
    assert zonefan.ctl("thaw", NAME, check=0).stdout == f"{NAME} is thawed\n"
    zonefan.wait_converged()
    for centre in dcs:
        assert_rows_are(centre.db.all_rows()[NAME], da_zone(NAME, 3, hosts=7), NAME, centre.name)
    kinds = [event["kind"] for event in zonefan.listing("/api/v1/events", "events", 1000) if event["zone"] == NAME]
    assert kinds.count("frozen") == 1 and kinds.count("thawed") == 1


def test_a_delete_waits(zonefan, dcs):
    da = zonefan.da()
    da.push_ok(NAME, da_zone(NAME, 1))
    zonefan.wait_converged()
    zonefan.ctl("freeze", NAME, check=0)
    da.delete_ok(NAME)
    zonefan.wait_converged()
    assert all(centre.db.zone_id(NAME) for centre in dcs)
    zonefan.ctl("thaw", NAME, check=0)
    zonefan.wait_converged()
    assert [centre.db.zone_id(NAME) for centre in dcs] == [None] * 3


def test_exit_codes(zonefan):
    for command in ("freeze", "thaw"):
        assert "zone nobody.example is not held" in zonefan.ctl(command, "nobody.example", check=3).stderr
        zonefan.ctl(command, check=64)


def test_a_frozen_zone_that_is_gone_is_told(install, dcs):
    """Nobody brings it back while it is frozen: then at least everybody hears of it."""
    zonefan = install(dcs[:2], config={"healing": {"enabled": False}})  # the pass is the operator's
    for name in ("ice.example", "warm.example"):
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    zonefan.ctl("freeze", "ice.example", check=0)
    zonefan.da().push_ok("ice.example", da_zone("ice.example", 2))
    for table in ("records", "zones", "zonefan_state"):
        dcs[1].db.sql(f"DELETE FROM {table}")
    zonefan.ctl("heal", check=2)
    drift = {(event["zone"], event["backend"]): event for event in zonefan.listing("/api/v1/events", "events", 1000)
             if event["kind"] == "drift"}
    assert set(drift) == {("ice.example", "dc2"), ("warm.example", "dc2")}, "dc1 is only behind"
    assert "frozen" in drift["ice.example", "dc2"]["detail"] and "frozen" not in drift["warm.example", "dc2"]["detail"]
    assert "parked" in zonefan.ctl("status").stdout
    listed = {zone["name"]: zone["frozen"] for zone in zonefan.listing("/api/v1/zones", "zones", 10)}
    assert listed["ice.example"]["by"] == "control socket" and listed["warm.example"] is None
    rows = [line.split() for line in zonefan.ctl("zones", check=0).stdout.splitlines()]
    assert rows[0][-1] == "FROZEN" and {row[0]: row[-1] for row in rows[1:]} == {
        "ice.example": listed["ice.example"]["since"], "warm.example": "-"}
    zonefan.ctl("thaw", "ice.example", check=0)
    zonefan.wait_converged()
    zonefan.ctl("heal", check=0)
    assert dcs[1].db.all_rows() == dcs[0].db.all_rows()
