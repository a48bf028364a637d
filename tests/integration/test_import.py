# SPDX-License-Identifier: GPL-3.0-or-later
"""
Taking over what stood elsewhere before (product table M1, M2): the zones in three databases that differ, and those of
directdnsonly's own database; with zonefand running and without; nothing that is held is overwritten, owners are kept.
"""
import datetime
import json
import os
import pickle
import sqlite3
import subprocess

import pytest
from zf.daemon import BIN
from zf.rows import assert_rows_are
from zf.zones import da_zone

DA1, DA2 = "da1.host.example", "da2.host.example"


def run_import(zonefan, *arguments, check=0):
    """The report of zonefanctl import, as JSON."""
    return json.loads(zonefan.ctl("--json", "import", *arguments, check=check).stdout)


def by_name(report):
    return {entry["zone"]: entry for entry in report["zones"]}


def counted(report):
    return {result: count for result, count in report["counts"].items() if count}


# ---- existing databases ----

def rows_of(name, serial=1, address="192.0.2.1", hosts=2):
    """As the predecessor wrote them: (hostname, type, data, ttl)."""
    rows = [("@", "SOA", f"ns1.dns-host.example. hostmaster.{name}. {serial} 3600 3600 1209600 86400", 3600),
            ("@", "NS", "ns1.dns-host.example.", 3600), ("@", "NS", "ns2.dns-host.example.", 3600),
            ("@", "A", address, 3600), ("@", "MX", f"10 mail.{name}.", 3600),
            ("@", "TXT", '"v=spf1 a; mx" "-all"', 3600), ("*", "CNAME", f"{name}.", 300)]
    return rows + [(f"host{i}", "A", address, 3600) for i in range(hosts)]


def text_of(name, *arguments, **more):
    return "\n".join(f"{host} {ttl} IN {kind} {data}" for host, kind, data, ttl in rows_of(name, *arguments, **more)) + "\n"


def stand(db, name, rows, online=1):
    """Puts a zone there as somebody else did; name as it is to stand in the table."""
    db.sql("INSERT INTO zones (zone_name) VALUES (%s)", name)
    for row in rows:
        db.sql("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, %s, %s, %s, %s, %s FROM zones "
               "WHERE zone_name = %s", *row, online, name)


@pytest.fixture
def before(dcs):
    """Three databases as the public plugin makes them, that do not agree."""
    for centre in dcs:
        centre.db.plugin_schema()
        for i in range(5):
            stand(centre.db, f"same{i}.example.", rows_of(f"same{i}.example"))
    one, two, three = (centre.db for centre in dcs)
    for db, serial, address in ((one, 3, "192.0.2.3"), (two, 2, "192.0.2.2"), (three, 3, "192.0.2.3")):
        stand(db, "differs.example.", rows_of("differs.example", serial, address))
    stand(one, "missing.example.", rows_of("missing.example"))
    stand(three, "missing.example.", rows_of("missing.example")[:-1] + [("stray", "A", "192.0.2.99", 60)])
    stand(two, "only-two.example.", rows_of("only-two.example"))
    stand(three, "only-three.example.", rows_of("only-three.example"))
    for db in (one, two):
        stand(db, "no-soa.example.", rows_of("no-soa.example")[1:])
    stand(one, "bad-data.example.", [*rows_of("bad-data.example"), ("www", "A", "192.0.2.256", 60)])
    stand(one, "clash.example.", [*rows_of("clash.example"), ("host0", "CNAME", "other.example.", 60)])
    stand(one, "offline.example.", rows_of("offline.example"), online=0)
    stand(one, "hollow.example.", [])
    stand(one, "nodot.example", rows_of("nodot.example"))
    stand(one, "", [])
    return dcs


BAD = {
    "no-soa.example": "no SOA",
    "bad-data.example": "www A 192.0.2.256",
    "clash.example": "host0 CNAME other.example.: CNAME beside other data",
    "offline.example": "not online",
    "hollow.example": "there are no records",
    "nodot.example": "final dot",
}
ADOPTED = [f"same{i}.example" for i in range(5)] + ["differs.example", "missing.example"]


def untouched(centres):
    """All that an import from dc1 must leave as it is."""
    return [{name: sorted(rows) for name, rows in centre.db.all_rows().items() if name not in ADOPTED} for centre in centres]


def assert_equal_everywhere(centres, names=tuple(ADOPTED)):
    held = [{name: sorted(rows) for name, rows in centre.db.all_rows().items() if name in names} for centre in centres]
    assert set(held[0]) == set(names)
    assert held[0] == held[1] == held[2]


def check_report(report):
    zones = by_name(report)
    assert counted(report) == {"imported": 7, "refused": len(BAD), "elsewhere": 2}
    assert {name: entry["result"] for name, entry in zones.items()} == {
        **dict.fromkeys(BAD, "refused"), "only-two.example": "elsewhere", "only-three.example": "elsewhere",
        "differs.example": "imported", "missing.example": "imported"}
    for name, part in BAD.items():
        assert part in zones[name]["reason"], zones[name]
    assert [(drift["name"], drift["state"], drift["added"], drift["changed"], drift["removed"])
            for drift in zones["differs.example"]["backends"]] == [("dc2", "differs", 0, 4, 0)]
    assert "+ @ 3600 IN A 192.0.2.3" in zones["differs.example"]["backends"][0]["records"]
    assert "- @ 3600 IN A 192.0.2.2" in zones["differs.example"]["backends"][0]["records"]
    assert [(drift["name"], drift["state"]) for drift in zones["missing.example"]["backends"]] == [
        ("dc2", "missing"), ("dc3", "differs")]
    assert zones["missing.example"]["backends"][1]["records"] == [
        "- stray 60 IN A 192.0.2.99", "+ host1 3600 IN A 192.0.2.1"]
    assert "dc2 alone" in zones["only-two.example"]["reason"]
    assert [(entry["name"], entry["differing"], entry["missing"], entry["alone"]) for entry in report["backends"]] == [
        ("dc1", 0, 0, 0), ("dc2", 1, 1, 1), ("dc3", 1, 0, 1)]


def test_three_databases_that_differ(install, before):
    zonefan = install(before)
    for centre in before:
        zonefan.wait_lane(centre.name, "up")
    foreign = untouched(before)
    ids = before[0].db.ids("same0.example")
    dry = run_import(zonefan, "backend", "dc1", "--dry-run", check=2)
    check_report(dry)
    assert zonefan.zones() == {} and untouched(before) == foreign
    report = run_import(zonefan, "backend", "dc1", check=2)
    check_report(report)
    assert dry | {"dry_run": False} == report
    assert sorted(zonefan.zones()) == sorted(ADOPTED)
    zonefan.wait_converged()
    zonefan.ctl("plan", check=0)
    assert_equal_everywhere(before)
    assert untouched(before) == foreign, "what was not taken over is as before"
    assert before[0].db.ids("same0.example") == ids, "rows that were right are the same rows"
    for centre in before:
        assert_rows_are(centre.db.rows("differs.example"), text_of("differs.example", 3, "192.0.2.3"), "differs.example",
                        centre.name)
    again = run_import(zonefan, "backend", "dc1", check=2)
    assert counted(again) == {"same": 7, "refused": len(BAD), "elsewhere": 2}
    shown = zonefan.ctl("import", "backend", "dc1", check=2).stdout
    assert "same" in shown and "no-soa.example" in shown and "at dc2 alone" in shown
    # The rest of another database is taken by naming that.
    rest = run_import(zonefan, "backend", "dc2", check=2)
    assert counted(rest) == {"imported": 1, "same": 7, "refused": 1, "elsewhere": 5}
    zonefan.wait_converged()
    assert_equal_everywhere(before, (*ADOPTED, "only-two.example"))


def test_while_zonefand_is_down(install, before):
    zonefan = install(before, start=False)
    foreign = untouched(before)
    check_report(run_import(zonefan, "backend", "dc1", check=2))
    assert untouched(before) == foreign
    assert before[1].db.rows("missing.example") == [], "nothing is delivered by zonefanctl"
    zonefan.start()
    zonefan.wait_converged()
    zonefan.ctl("plan", check=0)
    assert_equal_everywhere(before)
    assert untouched(before) == foreign
    zone = zonefan.zone("differs.example")
    assert zone["hostname"] == "" and zone["generation"] == 1


def test_another_source_where_they_differ(install, before):
    zonefan = install(before)
    report = run_import(zonefan, "backend", "dc1", "--prefer", "dc2", check=2)
    assert counted(report)["imported"] == 7
    drift = by_name(report)["differs.example"]["backends"]
    assert [entry["name"] for entry in drift] == ["dc1", "dc3"]
    zonefan.wait_converged()
    for centre in before:
        assert_rows_are(centre.db.rows("differs.example"), text_of("differs.example", 2, "192.0.2.2"), "differs.example",
                        centre.name)
    assert_equal_everywhere(before)


def test_nothing_that_is_held_is_overwritten(install, before):
    zonefan = install(before)
    da = zonefan.da()
    zonefan.ctl("pause", "dc1", check=0)
    for name in ("differs.example", "same0.example", "same1.example"):
        da.push_ok(name, da_zone(name, 9))
    da.delete_ok("same0.example")
    da.push_ok("same1.example", text_of("same1.example"))
    report = run_import(zonefan, "backend", "dc1", check=2)
    zones = by_name(report)
    assert zones["differs.example"]["result"] == "kept"
    assert zones["same0.example"]["result"] == "deleted"
    assert counted(report) == {"imported": 4, "same": 1, "kept": 1, "deleted": 1, "refused": 6, "elsewhere": 2}
    assert zonefan.zone("differs.example")["hostname"] == DA1
    zonefan.ctl("resume", "dc1", check=0)
    zonefan.wait_converged()
    zonefan.ctl("plan", check=0)
    for centre in before:
        assert_rows_are(centre.db.rows("differs.example"), da_zone("differs.example", 9), "differs.example", centre.name)
        assert centre.db.rows("same0.example") == []


def test_a_database_that_is_away(install, before):
    """What can't be read is told, and not taken for empty; it gets the zones when it is back."""
    zonefan = install(before, start=False)
    before[1].proxy.refuse()
    report = run_import(zonefan, "backend", "dc1", check=2)
    entry = {entry["name"]: entry for entry in report["backends"]}["dc2"]
    assert entry["error"] and entry["zones"] is None and entry["missing"] == 0
    assert counted(report) == {"imported": 7, "refused": len(BAD), "elsewhere": 1}
    before[1].proxy.passing()
    zonefan.start()
    zonefan.wait_converged()
    assert_equal_everywhere(before)


def test_more_than_one_page(install, dcs):
    """More zones than are read, or listed, at once."""
    names = [f"page{i:04d}.example" for i in range(1101)]
    for centre in dcs[:2]:
        centre.db.plugin_schema()
        with centre.db.connect() as conn, conn.cursor() as cursor:
            cursor.executemany("INSERT INTO zones (zone_name) VALUES (%s)", [name + "." for name in names])
            cursor.execute("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, '@', 'SOA', "
                           "'ns1.dns-host.example. hostmaster.dns-host.example. 1 3600 3600 1209600 86400', 60, 1 FROM zones")
            cursor.execute("INSERT INTO records (zone_id, hostname, type, data, ttl, online) SELECT id, '@', 'NS', "
                           "'ns1.dns-host.example.', 60, 1 FROM zones")
    dcs[1].db.sql("UPDATE records SET ttl = 61 WHERE type = 'NS' AND zone_id = (SELECT id FROM zones WHERE zone_name = %s)",
                  names[700] + ".")
    zonefan = install(dcs[:2], start=False)
    report = run_import(zonefan, "backend", "dc1")
    assert counted(report) == {"imported": len(names)} and list(by_name(report)) == [names[700]]
    assert by_name(report)[names[700]]["backends"][0]["records"] == [
        "- @ 61 IN NS ns1.dns-host.example.", "+ @ 60 IN NS ns1.dns-host.example."]
    zonefan.start()
    zonefan.wait_converged()
    assert sorted(zonefan.zones()) == names
    zonefan.ctl("plan", check=0)


def test_a_lost_store(zonefan, dcs):
    """What one store wrote is taken over by the next one, which then owns it."""
    texts = {f"lost{i}.example": da_zone(f"lost{i}.example", i + 1) for i in range(3)}
    for name, text in texts.items():
        zonefan.da().push_ok(name, text)
    zonefan.wait_converged()
    zonefan.stop()
    for tail in ("", "-wal", "-shm"):
        if os.path.exists(zonefan.store + tail):
            os.unlink(zonefan.store + tail)
    assert counted(run_import(zonefan, "backend", "dc1")) == {"imported": 3}
    zonefan.start()
    zonefan.wait_converged()
    zonefan.ctl("plan", check=0)
    zonefan.da().push_ok("lost0.example", da_zone("lost0.example", 9))
    zonefan.wait_converged()
    for centre in dcs:
        assert_rows_are(centre.db.rows("lost0.example"), da_zone("lost0.example", 9), "lost0.example", centre.name)
        assert_rows_are(centre.db.rows("lost1.example"), texts["lost1.example"], "lost1.example", centre.name)


def test_backends_that_are_not_there(install, before):
    zonefan = install(before, start=False)
    assert "dc1, dc2, dc3" in zonefan.ctl("import", "backend", "dc9", check=3).stderr
    zonefan.ctl("import", "backend", "dc1", "--prefer", "dc9", check=3)
    before[0].proxy.refuse()
    assert "dc1" in zonefan.ctl("import", "backend", "dc1", check=1).stderr
    for words in (["import"], ["import", "backend"], ["import", "other", "x"],
                  ["import", "directdnsonly", "x", "--prefer", "dc1"]):
        zonefan.ctl(*words, check=64)


# ---- directdnsonly ----

def ago(**time):
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(**time)


def make_predecessor(folder, rows):
    """directdnsonly's database as SQLAlchemy makes it; rows: (domain, hostname, username, zone_data, zone_updated_at)."""
    os.makedirs(os.path.join(folder, "data"))
    path = os.path.join(folder, "data", "directdns.db")
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE keys (id INTEGER NOT NULL, key VARCHAR(255), PRIMARY KEY (id))")
        db.execute("CREATE TABLE domains (id INTEGER NOT NULL, domain VARCHAR(255), hostname VARCHAR(255), username VARCHAR(255), "
                   "zone_data TEXT, zone_updated_at DATETIME, PRIMARY KEY (id), UNIQUE (domain))")
        for domain, hostname, username, text, at in rows:
            db.execute("INSERT INTO domains (domain, hostname, username, zone_data, zone_updated_at) VALUES (?,?,?,?,?)",
                       (domain, hostname, username, text, None if at is None else at.isoformat(sep=" ")))
    db.close()
    return path


def make_queue(folder, name, items):
    """One of persist-queue's, with that many items."""
    queue = os.path.join(folder, "data", "queues", name)
    os.makedirs(queue)
    with open(os.path.join(queue, "q00000"), "wb") as out:
        for i in range(items):
            pickle.dump({"domain": f"queued{i}.example"}, out)
    with open(os.path.join(queue, "info"), "wb") as out:
        pickle.dump({"chunksize": 100, "size": items, "tail": [0, 0, 0], "head": [0, items, 0]}, out)


@pytest.fixture
def old(scratch, request):
    return os.path.join(scratch, "old-" + request.node.name[:40])


ROWS = [
    ("first.example", DA1, "fred", da_zone("first.example", 1), ago(days=3)),
    ("Second.Example", DA2, "anna", da_zone("second.example", 2).replace("\n", "\r\n"), ago(hours=2)),
    ("nobodys.example", None, None, da_zone("nobodys.example", 3), None),
    ("textless.example", DA1, "fred", None, None),
    ("broken.example", DA1, "fred", "$TTL 60\n\ngarbage\n", ago(days=1)),
    ("not a name", DA1, "fred", da_zone("x.example"), ago(days=1)),
]


def check_old(zonefan, report, rows):
    assert counted(report) == {"imported": 3, "no_text": 1, "refused": 2}
    zones = by_name(report)
    assert set(zones) == {"textless.example", "broken.example", "not a name"}
    assert "line 3" in zones["broken.example"]["reason"]
    held = zonefan.zones()
    assert {name: (zone["hostname"], zone["username"], zone["serial"]) for name, zone in held.items()} == {
        "first.example": (DA1, "fred", 1), "second.example": (DA2, "anna", 2), "nobodys.example": ("", "", 3)}
    for name, at in (("first.example", rows[0][4]), ("second.example", rows[1][4])):
        assert held[name]["updated_at"] == at.isoformat(timespec="microseconds") + "Z"
    assert [entry["zone"] for entry in zonefan.api("/api/v1/rejected")["rejected"]] == ["broken.example"]
    assert zonefan.api("/api/v1/rejected/broken.example")["text"] == "$TTL 60\n\ngarbage\n"


def check_owners(zonefan, dcs):
    """A late delete from the master that a zone has left is refused, as is one from nobody."""
    zonefan.wait_converged()
    assert_rows_are(dcs[0].db.rows("second.example"), da_zone("second.example", 2), "second.example", "dc1")
    zonefan.da().delete_ok("second.example", hostname=DA1)
    zonefan.da().delete_ok("second.example", hostname="")
    assert not zonefan.zone("second.example")["deleted"]
    refused = [event for event in zonefan.api("/api/v1/events?limit=1000")["events"] if event["kind"] == "delete_refused"]
    assert len(refused) == 2
    zonefan.da().delete_ok("second.example", hostname=DA2)
    assert zonefan.zone("second.example")["deleted"]


def test_directdnsonly(zonefan, dcs, old):
    make_predecessor(old, ROWS)
    dry = run_import(zonefan, "directdnsonly", old, "--dry-run", check=2)
    assert counted(dry) == {"imported": 3, "no_text": 1, "refused": 2} and zonefan.zones() == {}
    assert zonefan.api("/api/v1/rejected")["rejected"] == []
    report = run_import(zonefan, "directdnsonly", old, check=2)
    check_old(zonefan, report, ROWS)
    assert report["queues"] == [] and report["configuration"] is None
    shown = zonefan.ctl("import", "directdnsonly", os.path.join(old, "data", "directdns.db"), check=2).stdout
    assert "3  same" in shown and "import backend" in shown and "broken.example" in shown
    told = [event for event in zonefan.api("/api/v1/events?limit=1000")["events"] if event["kind"] == "push"]
    assert len(told) == 3 and all(event["detail"].startswith("import, ") for event in told)
    check_owners(zonefan, dcs)


def test_directdnsonly_while_zonefand_is_down(install, dcs, old):
    make_predecessor(old, ROWS)
    zonefan = install(dcs, start=False)
    report = run_import(zonefan, "directdnsonly", old, check=2)
    zonefan.start()
    check_old(zonefan, report, ROWS)
    check_owners(zonefan, dcs)


def test_the_newer_content_wins(zonefan, dcs, old):
    """A run once more, after directdnsonly went on: what is newer there is taken, what is newer here is kept."""
    make_predecessor(old, [("first.example", DA1, "fred", da_zone("first.example", 1), ago(hours=3)),
                           ("second.example", DA1, "fred", da_zone("second.example", 1), ago(hours=3)),
                           ("third.example", DA1, "fred", da_zone("third.example", 1), ago(hours=3))])
    assert counted(run_import(zonefan, "directdnsonly", old)) == {"imported": 3}
    zonefan.da(hostname=DA2).push_ok("second.example", da_zone("second.example", 5))
    zonefan.da().delete_ok("third.example")
    with sqlite3.connect(os.path.join(old, "data", "directdns.db")) as db:
        for name in ("first", "second", "third"):
            db.execute("UPDATE domains SET zone_data=?, zone_updated_at=? WHERE domain=?",
                       (da_zone(f"{name}.example", 4), ago(hours=1).isoformat(sep=" "), f"{name}.example"))
    db.close()
    report = run_import(zonefan, "directdnsonly", old)
    assert counted(report) == {"imported": 1, "kept": 1, "deleted": 1}
    assert {name: entry["result"] for name, entry in by_name(report).items()} == {
        "second.example": "kept", "third.example": "deleted"}
    held = zonefan.zones()
    assert held["first.example"]["serial"] == 4
    assert (held["second.example"]["serial"], held["second.example"]["hostname"]) == (5, DA2)
    assert "third.example" not in held


def test_owners_for_what_stands_in_databases(zonefan, dcs, old):
    """Both ways together: content from a back end, owners from directdnsonly, which kept no texts before 2.8."""
    for centre in dcs:
        zonefan.wait_lane(centre.name, "up")  # their tables are whole: import reads all three
    stand(dcs[0].db, "bare.example.", rows_of("bare.example"))
    make_predecessor(old, [("bare.example", DA1, "fred", None, None)])
    report = run_import(zonefan, "directdnsonly", old, check=2)
    assert counted(report) == {"no_text": 1}
    assert counted(run_import(zonefan, "backend", "dc1")) == {"imported": 1}
    assert zonefan.zone("bare.example")["hostname"] == ""
    assert counted(run_import(zonefan, "directdnsonly", old)) == {"owner": 1}
    assert zonefan.zone("bare.example")["hostname"] == DA1
    assert zonefan.da().exists("bare.example").fields.get("exists") != "0"
    zonefan.da().delete_ok("bare.example", hostname=DA2)
    assert not zonefan.zone("bare.example")["deleted"]
    zonefan.wait_converged()
    for centre in dcs:
        assert_rows_are(centre.db.rows("bare.example"), text_of("bare.example"), "bare.example", centre.name)


def test_queues_and_configuration(zonefan, old):
    make_predecessor(old, [])
    for name, items in (("save", 3), ("delete", 0), ("retry", 300)):
        make_queue(old, name, items)
    os.makedirs(os.path.join(old, "config"))
    config = os.path.join(old, "config", "app.yml")
    with open(config, "w", encoding="utf-8") as out:
        out.write("app:\n  auth_username: directdnsonly\n  auth_password: canary-old-one\n  log_to: file\n"
                  "dns:\n  default_backend: old\n  backends:\n    old: {type: coredns_mysql, enabled: true, host: 192.0.2.1, "
                  "database: coredns, username: old, password: canary-old-two}\n")
    zonefan.secrets += ["canary-old-one", "canary-old-two"]
    report = run_import(zonefan, "directdnsonly", old, check=2)
    assert [(queue["queue"], queue["items"]) for queue in report["queues"]] == [("save", 3), ("retry", 300)]
    assert report["configuration"]["path"] == os.path.realpath(config)
    assert report["configuration"]["faults"] == []
    assert any("log_to" in notice for notice in report["configuration"]["notices"])
    with open(config, "a", encoding="utf-8") as out:
        out.write("no_such_key: 1\n")
    shown = zonefan.ctl("import", "directdnsonly", old, check=2).stdout
    assert "no_such_key" in shown and "300 items wait" in shown and "not drained" in shown


def test_path_that_is_no_utf_8(zonefan, old):
    odd = os.fsdecode(os.fsencode(old) + b"-caf\xe9")
    make_predecessor(odd, ROWS[:1])
    make_queue(odd, "save", 3)
    with open(os.path.join(odd, "app.yml"), "w", encoding="utf-8") as out:
        out.write("no_such_key: 1\n")
    report = run_import(zonefan, "directdnsonly", odd, check=2)
    assert report["source"] == os.path.realpath(old) + "-caf?/data/directdns.db"
    assert report["configuration"]["path"] == os.path.realpath(old) + "-caf?/app.yml" and report["configuration"]["faults"]
    assert [queue["items"] for queue in report["queues"]] == [3]


def test_paths_that_are_none(zonefan, old):
    assert old in zonefan.ctl("import", "directdnsonly", old, check=1).stderr
    os.makedirs(old)
    assert "no database of directdnsonly" in zonefan.ctl("import", "directdnsonly", old, check=1).stderr
    with sqlite3.connect(os.path.join(old, "other.db")) as db:
        db.execute("CREATE TABLE zones (id INTEGER PRIMARY KEY)")
    db.close()
    zonefan.ctl("import", "directdnsonly", old, check=1)
    assert "not directdnsonly's" in zonefan.ctl("import", "directdnsonly", os.path.join(old, "other.db"), check=1).stderr
    make_predecessor(os.path.join(old, "x"), ROWS[:1])
    os.rename(os.path.join(old, "x", "data", "directdns.db"), os.path.join(old, "renamed.db"))
    assert counted(run_import(zonefan, "directdnsonly", old)) == {"imported": 1}


def by_url(zonefan, *arguments):
    secret = os.path.join(zonefan.directory, "password")
    with open(secret, "w", encoding="utf-8") as out:
        out.write(zonefan.password)
    return subprocess.run([os.path.join(BIN, "zonefanctl"), "--url", f"http://127.0.0.1:{zonefan.port}", "--user",
                           zonefan.user, "--password-file", secret, *arguments], capture_output=True, text=True, timeout=60,
                          env=zonefan.environment(), stdin=subprocess.DEVNULL)


def test_from_another_host(zonefan, old):
    make_predecessor(old, ROWS[:2])
    done = by_url(zonefan, "import", "directdnsonly", old)
    assert done.returncode == 0 and sorted(zonefan.zones()) == ["first.example", "second.example"], done
    done = by_url(zonefan, "import", "backend", "dc1")
    assert done.returncode == 1 and "--config" in done.stderr


def test_a_store_that_is_in_use(zonefan, old):
    """No control socket, so nobody is there to ask; but the lock tells."""
    make_predecessor(old, ROWS[:1])
    zonefan.stop()
    zonefan.configure({"app": {"control_socket": ""}})
    zonefan.start()
    assert "in use by process" in zonefan.ctl("import", "directdnsonly", old, check=1).stderr
    zonefan.stop()
    assert counted(run_import(zonefan, "directdnsonly", old)) == {"imported": 1}
    zonefan.start()
    assert list(zonefan.zones()) == ["first.example"]


def test_a_store_of_another_user(install, dcs, old):
    """Files made in it would keep its owner out."""
    make_predecessor(old, ROWS[:1])
    zonefan = install(dcs, start=False)
    place = "/"
    if os.geteuid() == 0:
        place = os.path.join(zonefan.directory, "theirs")
        os.mkdir(place)
        os.chown(place, 4711, 4711)
    zonefan.configure({"datastore": {"db_location": os.path.join(place, "zonefan.sqlite")},
                       "app": {"control_socket": os.path.join(zonefan.directory, "c")}})
    assert "another user's" in zonefan.ctl("import", "directdnsonly", old, check=1).stderr
    assert not os.path.exists(os.path.join(place, "zonefan.sqlite"))


def test_names_that_are_no_text(install, dcs, old):
    zonefan = install(dcs, start=False)
    path = make_predecessor(old, [])
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO domains (domain, hostname, zone_data) VALUES (CAST(x'61ff' AS TEXT), ?, ?)", (DA1, "x"))
        db.execute("INSERT INTO domains (domain, hostname, zone_data) VALUES ('utf8.example', ?, CAST(x'fffe0a' AS TEXT))", (DA1,))
    db.close()
    for _ in range(2):
        report = run_import(zonefan, "directdnsonly", old, check=2)
        assert counted(report) == {"refused": 2} and report["zones"][0]["zone"] == "a?"
        if not zonefan.alive():
            zonefan.start()


def test_the_api_says_what_is_wrong(zonefan):
    da = zonefan.da()
    assert da.request("POST", "/api/v1/import?zone=a.example&at=yesterday", "x").status == 400
    assert da.request("GET", "/api/v1/import?zone=a.example").status == 405
    answer = da.request("POST", "/api/v1/import", da_zone("a.example"))
    assert answer.json()["result"] == "refused"
    answer = da.request("POST", "/api/v1/import?zone=a.example&at=2026-02-21T10:11:12Z", da_zone("a.example"))
    assert answer.json() == {"zone": "a.example", "result": "imported", "reason": None}
    assert zonefan.zone("a.example")["updated_at"] == "2026-02-21T10:11:12.000000Z"
