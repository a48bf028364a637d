# SPDX-License-Identifier: GPL-3.0-or-later
"""
C1: healing passes that begin by themselves, by the clock and when a back end came up. They have a minute between them, so
these wait for one: nothing else is in this file.
"""
import pytest
from zf.heal import add_foreign, drifts, heal, keep_copy, push_all, put_back_copy
from zf.wait import wait_for
from zf.zones import da_zone, named


@pytest.mark.row("B20", fault="put back to an older copy during an outage", injected="SQL while the proxy refuses",
                 required="found and repaired by a pass that begins by itself")
def test_a_lane_that_comes_up_is_compared(zonefan, dcs):
    """While it was away the database was put back to an older copy: nobody has to ask."""
    push_all(zonefan, named("copy", 10))
    add_foreign(dcs[0].db)
    wait_for(lambda: (zonefan.backend("dc1")["heal"] or {}).get("ended_at"), 60, "the first pass, of a new back end")
    first = zonefan.backend("dc1")["heal"]["pass"]
    keep_copy(dcs[0].db)
    zonefan.da().push_ok("copy0001.example", da_zone("copy0001.example", 2))
    zonefan.wait_converged()
    dcs[0].proxy.refuse()
    zonefan.da().push_ok("copy0002.example", da_zone("copy0002.example", 2))
    zonefan.wait_lane("dc1", "down")
    put_back_copy(dcs[0].db)
    dcs[0].proxy.passing()
    zonefan.wait_lane("dc1", "up")
    wait_for(lambda: zonefan.backend("dc1")["heal"]["pass"] > first and zonefan.backend("dc1")["heal"]["ended_at"], 180,
             "a pass begins by itself")
    assert zonefan.backend("dc1")["heal"]["trigger"] == "lane_up"
    zonefan.wait_converged()
    assert dcs[0].db.all_rows() == dcs[1].db.all_rows() | {
        name: rows for name, rows in dcs[0].db.all_rows().items() if "foreign" in name}
    assert "copy0001.example" in drifts(zonefan, "dc1")


def test_by_the_clock_and_by_policy(install, dcs):
    """dc1 repairs, dc2 reports once, dc3 is off; the operator's own pass repairs all."""
    zonefan = install(dcs, config={"healing": {"interval_minutes": 1}, "dns": {"backends": {
        "dc2": {"heal": "report"}, "dc3": {"heal": "off"}}}})
    push_all(zonefan, named("clock", 5))
    truth = dcs[0].db.all_rows()
    wait_for(lambda: all((zonefan.backend(name)["heal"] or {}).get("ended_at") for name in ("dc1", "dc2")), 60,
             "the first passes, of new back ends")
    for dc in dcs:
        dc.db.sql("UPDATE records SET data='203.0.113.66' WHERE hostname='host1'")
    wait_for(lambda: dcs[0].db.all_rows() == truth, 180, "dc1 is repaired by the clock")
    wait_for(lambda: len(drifts(zonefan, "dc2")) == 5, 180, "dc2 is reported")
    assert zonefan.backend("dc2")["heal"]["trigger"] == "schedule"
    assert set(drifts(zonefan, "dc2").values()) == {
        "9 records wanted and there, but not the same (the right stamp): host1 A 192.0.2.2 -> 203.0.113.66; left as it is (heal: "
        "report)"}
    assert dcs[1].db.all_rows() != truth and dcs[2].db.all_rows() != truth
    assert zonefan.backend("dc3")["heal"] is None and zonefan.backend("dc3")["next_heal"] is None
    plan = zonefan.ctl("plan", check=2).stdout
    assert "dc1: 5 zones compared, 0 differ" in plan and "dc3: 5 zones compared, 5 differ" in plan
    heal(zonefan, code=2)
    assert dcs[1].db.all_rows() == truth == dcs[2].db.all_rows()
