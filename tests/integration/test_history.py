# SPDX-License-Identifier: GPL-3.0-or-later
"""The last texts of a zone: listed, compared, and served again under a serial that secondaries take for newer."""
import json
import re

from zf.rows import assert_rows_are
from zf.zones import da_zone

NAME = "history.example"


def is_newer(a, b):
    """RFC 1982 3.2, as a secondary reads it."""
    return a != b and (a - b) % 2**32 < 2**31


def soa_serial(rows):
    return next(int(row.data.split()[2]) for row in rows if row.type == "SOA")


def versions(zonefan):
    return json.loads(zonefan.ctl("--json", "history", NAME, check=0).stdout)["versions"]


def with_serial(text, old, new):
    """The SOA's serial stands on a line of its own."""
    return re.sub(rf"^( +){old}$", rf"\g<1>{new}", text, count=1, flags=re.M)


def test_rollback(install, dcs):
    zonefan = install(dcs, config={"history": {"versions": 4}})
    da = zonefan.da()
    texts = {serial: da_zone(NAME, serial, hosts=serial) for serial in (1, 2, 5)}
    served = []
    for serial, text in texts.items():
        da.push_ok(NAME, text)
        da.push_ok(NAME, text)
        served.append(serial)
    zonefan.wait_converged()
    listed = versions(zonefan)
    assert [(v["version"], v["serial"], v["current"], v["origin"], v["username"]) for v in listed] == [
        (3, 5, True, "push", "fred"), (2, 2, False, "push", "fred"), (1, 1, False, "push", "fred")]
    shown = zonefan.ctl("diff", NAME, "1", "2", check=0).stdout
    assert "+ host1 3600 IN A 192.0.2.3" in shown and "- host0 3600 IN A 192.0.2.2" in shown
    assert zonefan.ctl("diff", NAME, "3", check=0).stdout == ""
    done = zonefan.ctl("rollback", NAME, "2", check=0)
    zonefan.wait_converged()
    for centre in dcs:
        rows = centre.db.all_rows()[NAME]
        serial = soa_serial(rows)
        assert f"under serial {serial}" in done.stdout
        assert all(is_newer(serial, old) for old in served)
        assert_rows_are(rows, with_serial(texts[2], 2, serial), NAME, centre.name)
    zonefan.kill9()
    zonefan.start()
    assert versions(zonefan)[0]["origin"] == "rollback" and len(versions(zonefan)) == 4
    again = zonefan.ctl("rollback", NAME, "1", check=0).stdout
    assert is_newer(int(re.search(r"serial (\d+)", again).group(1)), serial)
    assert zonefan.api(f"/api/v1/zones/{NAME}/history")["rolled_back"]["master_serial"] == 5
    # the master has the last word
    da.push_ok(NAME, da_zone(NAME, 9, hosts=9))
    zonefan.wait_converged()
    for centre in dcs:
        assert_rows_are(centre.db.all_rows()[NAME], da_zone(NAME, 9, hosts=9), NAME, centre.name)
    ended = [event for event in zonefan.listing("/api/v1/events", "events", 1000) if event["kind"] == "rollback_ended"]
    assert len(ended) == 1 and ended[0]["source"] == "127.0.0.1"
    assert zonefan.api(f"/api/v1/zones/{NAME}/history")["rolled_back"] is None
    assert len(versions(zonefan)) == 4
    assert "version 1 is not kept" in zonefan.ctl("rollback", NAME, "1", check=3).stderr


def test_a_signed_zone_stays_signed(zonefan, dcs):
    """With a DS at the parent, resolvers that validate would take the unsigned zone for forged: refused, and all stays."""
    da = zonefan.da()
    signed = da_zone(NAME, 2, extra="@\t3600\tIN\tDNSKEY\t257 3 13 aGVsbG8gd29ybGQ=")
    da.push_ok(NAME, da_zone(NAME, 1))
    da.push_ok(NAME, signed)
    refused = zonefan.ctl("rollback", NAME, "1", check=1)
    assert refused.stdout == "" and "version 1 is not signed, and the zone is now" in refused.stderr
    assert "Take the DS away and have the master push it unsigned first" in refused.stderr
    zonefan.wait_converged()
    for centre in dcs:
        assert_rows_are(centre.db.all_rows()[NAME], signed, NAME, centre.name)
    assert [(v["version"], v["origin"]) for v in versions(zonefan)] == [(2, "push"), (1, "push")]
    assert zonefan.api(f"/api/v1/zones/{NAME}/history")["rolled_back"] is None
    # The master may.
    da.push_ok(NAME, da_zone(NAME, 3))
    zonefan.ctl("rollback", NAME, "1", check=0)
    zonefan.wait_converged()
    for centre in dcs:
        rows = centre.db.all_rows()[NAME]
        assert_rows_are(rows, with_serial(da_zone(NAME, 1), 1, soa_serial(rows)), NAME, centre.name)


def test_undelete(zonefan, dcs):
    da = zonefan.da()
    text = da_zone(NAME, 1)
    da.push_ok(NAME, text)
    assert "is not deleted" in zonefan.ctl("undelete", NAME, check=1).stderr
    da.delete_ok(NAME)
    zonefan.wait_converged()
    assert "undelete it first" in zonefan.ctl("rollback", NAME, "1", check=1).stderr
    zonefan.ctl("undelete", NAME, check=0)
    zonefan.wait_converged()
    for centre in dcs:
        assert_rows_are(centre.db.all_rows()[NAME], text, NAME, centre.name)
    assert da.get(f"/CMD_API_DNS_ADMIN?action=exists&domain={NAME}").fields["exists"] == "1"
    # it is its owner's again
    da.delete_ok(NAME)
    zonefan.wait_converged()
    assert [centre.db.zone_id(NAME) for centre in dcs] == [None] * 3


def test_exit_codes(zonefan):
    for command in (["history"], ["diff", NAME], ["rollback", NAME], ["undelete"]):
        zonefan.ctl(*command, check=64)
    for command in (["history", NAME], ["diff", NAME, "1"], ["rollback", NAME, "1"], ["undelete", NAME]):
        assert "is not held" in zonefan.ctl(*command, check=3).stderr
