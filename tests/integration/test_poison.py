# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "A server that drops the connection whenever one named zone is written (proxy or trigger): all other zones
finish, the lane stays UP, that zone is listed as suspect and then DEAD." (decisions.md 2; product table W10.)
"""
import pytest
from zf.proxy import zone_patterns
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone, named

POISON = "poison.example"


@pytest.mark.row("B22", fault="the connection breaks whenever one zone is written", injected="proxy cuts at the zone's name",
                 required="the others finish, the lane stays up, the zone is suspect, then dead")
def test_poison_zone(install, dcs):
    zonefan = install(dcs)
    da = zonefan.da()
    trigger = dcs[1].proxy.cut_on(*zone_patterns(POISON + "."))
    names = named("beside", 100)
    texts = {name: da_zone(name) for name in names}
    texts[POISON] = da_zone(POISON)
    for number, (name, text) in enumerate(texts.items()):
        if number == 50:
            da.push_ok(POISON, texts[POISON])
        if name != POISON:
            da.push_ok(name, text)

    def others_done():
        rows = dcs[1].db.all_rows()
        return all(name in rows for name in names)
    wait_for(others_done, 60, lambda: f"the other zones reach {dcs[1].name}; {zonefan.backend('dc2')}")
    assert trigger.hits > 0, "the proxy never saw the name: the test tests nothing"
    wait_for(lambda: zonefan.delivery(POISON, "dc2")["suspect"], 60,
             lambda: f"the zone is suspect: {zonefan.delivery(POISON, 'dc2')}")

    # from now on its failures count against the zone: the lane is up whenever one looks
    seen = set()

    def dead():
        seen.add(zonefan.backend("dc2")["state"])
        return zonefan.delivery(POISON, "dc2")["state"] == "dead"
    wait_for(dead, 60, lambda: f"the zone is dead: {zonefan.delivery(POISON, 'dc2')}")
    assert "down" not in seen, f"the lane went down over one zone: {seen}"
    wait_for(lambda: zonefan.backend("dc2")["state"] == "up", 30, "the lane is up")
    delivery = zonefan.delivery(POISON, "dc2")
    assert delivery["suspect"] and delivery["last_error"] and delivery["applied_generation"] == 0
    backend = zonefan.backend("dc2")
    assert backend["dead"] == 1 and backend["pending"] == 1
    assert zonefan.status()["status"] == "degraded"

    # others go on being written there, and the poison reached whoever could take it
    da.push_ok("after.example", da_zone("after.example"))
    texts["after.example"] = da_zone("after.example")
    zonefan.wait_converged("dc1", "dc3")
    wait_for(lambda: dcs[1].db.rows("after.example"), 30, "a push after the poison reaches dc2")
    for centre in (dcs[0], dcs[2]):
        rows = centre.db.all_rows()
        for name, text in texts.items():
            assert_rows_are(rows[name], text, name, centre.name)

    # cured: a retry by the operator brings it there
    dcs[1].proxy.passing()
    zonefan.ctl("retry", POISON, check=0)
    zonefan.wait_converged()
    assert_rows_are(dcs[1].db.rows(POISON), texts[POISON], POISON, "dc2")
    assert not zonefan.delivery(POISON, "dc2")["suspect"]


@pytest.mark.row("B22", fault="an unknown error for one zone's rows", injected="trigger: SIGNAL 31999",
                 required="the others finish, the zone is dead, half of it is nowhere")
def test_poison_trigger(install, dcs):
    """The same by the server: a trigger refuses one zone's rows with an error of no known kind."""
    zonefan = install(dcs)
    da = zonefan.da()
    da.push_ok("first.example", da_zone("first.example"))
    zonefan.wait_converged()
    dcs[2].db.sql("CREATE TRIGGER poison BEFORE INSERT ON records FOR EACH ROW BEGIN "
                  "IF NEW.data LIKE '%poisoned%' THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO=31999; END IF; END")
    da.push_ok(POISON, da_zone(POISON, extra='x\t60\tIN\tTXT\t"poisoned"'))
    for name in named("around", 20):
        da.push_ok(name, da_zone(name))
    wait_for(lambda: len(dcs[2].db.all_rows()) >= 21, 60, "the other zones reach dc3")
    wait_for(lambda: zonefan.delivery(POISON, "dc3")["state"] == "dead", 60,
             lambda: f"the zone is dead: {zonefan.delivery(POISON, 'dc3')}")
    assert dcs[2].db.zone_id(POISON) is None, "half a zone was left behind"
    wait_for(lambda: zonefan.backend("dc3")["state"] == "up", 30, "the lane is up")
