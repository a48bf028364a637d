# SPDX-License-Identifier: GPL-3.0-or-later
"""
What DirectAdmin pushed while zonefan was away is fetched: it does not repeat anything. Compared by the serials that the
master's name server tells, or fetched in rotation where that says nothing. Pull races (decisions.md 20).
"""
import os
import random
import threading

import pytest
from zf.reconcile import conf, events, fill, of, orphans, reconcile, replace_list, vanish, wait_gone
from zf.wait import wait_for
from zf.zones import da_zone, named, version_of

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
SIGNED = ('@\t3600\tIN\tDNSKEY\t257 3 13 '
          'mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==')


def rows_of(dc):
    return {name: version_of(rows) for name, rows in dc.db.all_rows().items()}


def converge(zonefan, dc, master):
    """The data centre holds what the master has, and nothing else."""
    wanted = {name: serial for name, (serial, _) in master.zones.items()}

    def equal():
        return rows_of(dc) == wanted
    wait_for(equal, 60, lambda: f"converged:\n{zonefan.log_tail(60)}", interval=0.2)


def test_yesterdays_copy_comes_up_to_today(install, dcs, masters, tmp_path):
    """O7: the store is lost, and the master pushes nothing again: one pass over it brings yesterday's copy to today, and deletes nothing."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("copy", 12)
    fill(zonefan, master, names)
    zonefan.wait_converged()
    copy = str(tmp_path / "yesterday.db")
    zonefan.ctl("backup", copy, check=0)
    for name in [*names[:5], "today.example"]:
        master.put(name, 2)
        master.push(zonefan, name)
    zonefan.wait_converged()
    zonefan.restore(copy)
    assert set(zonefan.zones()) == set(names), "it is yesterday's"
    reconcile(zonefan)
    zonefan.wait_converged()
    converge(zonefan, dcs[0], master)
    held = zonefan.zones()
    assert {name: held[name]["serial"] for name in held} == {name: serial for name, (serial, _) in master.zones.items()}
    assert not events(zonefan, "delete") and orphans(zonefan) == {}


@pytest.mark.parametrize("mode", ["ok", "truncate", "silent", "refuse", "lame", "off"])
def test_a_while_away(install, dcs, masters, mode):
    """20 zones change, 5 are added, 5 deleted: all three kinds converge without a push, and nothing else changes."""
    master = masters(dns=mode != "off")
    settings = conf(master, initial_delay_minutes=0)
    zonefan = install(dcs[:1], config=settings)
    names = named("away", 60)

    def first_is_over():
        run = zonefan.status()["reconciler"].get("last_run")  # nothing of it is known for a moment after a start
        return run and run["pass"] == 1
    wait_for(first_is_over, 60, "the pass at the start is over: it fetches nothing of what is about to be pushed")
    fill(zonefan, master, names)
    zonefan.da(hostname="da9.host.example").push_ok("else.example", da_zone("else.example"))
    reconcile(zonefan)
    zonefan.stop()
    before = zonefan.start().zones()
    wait_for(first_is_over, 60, "the pass at the start is over")
    zonefan.stop()
    added = named("added", 5)
    for name in names[:20]:
        master.put(name, 2)
    for name in added:
        master.put(name, 1)
    vanish(master, names[20:25])
    if master.dns:
        master.dns.mode = mode
    master.forget()
    zonefan.start()
    wait_for(first_is_over, 60, "the pass at the start is over")
    pulled = master.pulled()
    assert set(names[:20] + added) <= set(pulled) and len(pulled) == len(set(pulled))
    if mode in ("ok", "truncate"):
        assert len(pulled) == 25, "a zone with an equal serial was fetched"
    if mode == "truncate":
        assert master.dns.counts["tcp"] >= 50
    assert set(zonefan.zones()) == {*names, *added, "else.example"}, "the first pass deletes nothing"
    reconcile(zonefan)
    wait_gone(zonefan, names[20:25])
    zonefan.wait_converged()
    wanted = {name: serial for name, (serial, _) in master.zones.items()} | {"else.example": 1}
    assert rows_of(dcs[0]) == wanted
    after = zonefan.zones()
    for name in [*names[25:], "else.example"]:
        assert after[name]["generation"] == before[name]["generation"], f"{name} was touched"
    assert {event["zone"] for event in events(zonefan, "pulled")} == set(names[:20] + added)
    assert {after[name]["hostname"] for name in added} == {master.identity}
    assert {after[name]["username"] for name in names[:20]} == {"fred"}, "a master does not tell it, so it stays"
    if mode == "ok":
        master.forget()
        reconcile(zonefan, code=0)
        assert master.pulled() == []


def test_rotation_goes_through_all(install, dcs, masters):
    """Without a name server a pass fetches 200 zones, the next one goes on behind them."""
    master = masters(dns=False)
    zonefan = install(dcs[:1], config=conf(master))
    names = named("turn", 450)
    fill(zonefan, master, names)
    seen = set()
    for expected in (200, 400, 450):
        reconcile(zonefan)
        pulled = master.pulled()
        assert len(pulled) == 200 and len(set(pulled)) == 200
        seen |= set(pulled)
        assert len(seen) == expected
        master.forget()
    master.put(names[7], 2)
    for _ in range(3):
        reconcile(zonefan)
    zonefan.wait_converged()
    assert zonefan.zone(names[7])["serial"] == 2
    assert [event["zone"] for event in events(zonefan, "pulled")] == [names[7]]


@pytest.mark.row("R03", fault="the panel gives an unsigned text of a signed zone",
                 injected="a newer serial",
                 required="not taken, told once")
def test_a_signed_zone_is_not_replaced(install, dcs, masters):
    """What the panel gives is unsigned: an event, once, and no more fetching until the serial changes."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    fill(zonefan, master, named("sign", 6))
    zonefan.da(hostname=master.identity).push_ok("signed.example", da_zone("signed.example", 3, extra=SIGNED))
    master.put("signed.example", 4)
    for _ in range(3):
        reconcile(zonefan)
    assert zonefan.zone("signed.example")["serial"] == 3
    assert len(events(zonefan, "pull_unsigned")) == 1 and master.pulled().count("signed.example") == 1
    assert "rewrite" in events(zonefan, "pull_unsigned")[0]["detail"]
    master.put("signed.example", 5)
    reconcile(zonefan)
    assert master.pulled().count("signed.example") == 2
    master.zones["signed.example"] = (6, da_zone("signed.example", 6, extra=SIGNED))
    reconcile(zonefan)
    assert zonefan.zone("signed.example")["serial"] == 6


@pytest.mark.row("R03", fault="the text of a zone is none",
                 injected="an error of DA, nothing, no SOA, cut, garbage, another zone's",
                 required="never stored, not asked again before the serial changes")
def test_texts_that_are_none(install, dcs, masters):
    """DA's errors, half texts, web pages, nothing: never stored, and not fetched again while the serial is the same."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    fill(zonefan, master, named("text", 6))
    odd = {"da-error.example": "error=1&text=Cannot find that domain&details=x",
           "empty.example": "", "no-soa.example": "$TTL 3600\n@ IN NS ns1.dns-host.example.\n",
           "cut.example": da_zone("cut.example")[:260], "garbage.example": "SOA " + "\x01" * 50,
           "foreign.example": da_zone("other.example")}
    for name, text in odd.items():
        master.put(name, 1, text=text)
    for code in (2, 0, 0):
        run = reconcile(zonefan, code=code)
    assert set(zonefan.zones()) == set(named("text", 6))
    for name in odd:
        assert master.pulled().count(name) == 1, name
    assert set(rows_of(dcs[0])) == set(named("text", 6))
    assert of(run, master)["state"] == "ok"
    # Mended there: the next serial is fetched.
    master.put("cut.example", 2)
    reconcile(zonefan)
    assert zonefan.zone("cut.example")["serial"] == 2


@pytest.mark.row("R05", fault="a zone lost most of its records at its master",
                 injected="60 hosts become none, pulled",
                 required="held, as a push would be")
def test_an_accident_at_the_master_is_held(install, dcs, masters):
    """The guard on content sees pulls as it sees pushes."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    master.put("guard.example", 1, text=da_zone("guard.example", 1, hosts=60))
    master.push(zonefan, "guard.example")
    master.put("guard.example", 2, text=da_zone("guard.example", 2, hosts=0))
    for _ in range(3):
        reconcile(zonefan)
    assert zonefan.zone("guard.example")["serial"] == 1
    assert master.pulled().count("guard.example") == 1, "it is not fetched again with each pass"
    assert len(events(zonefan, "push_held")) == 1


def test_a_rollback_stays_until_the_master_has_something_newer(install, dcs, masters):
    for dns in (True, False):
        master = masters(identity=f"da{dns:d}.host.example", dns=dns)
        zonefan = install(dcs[:1], config=conf(master))
        name = f"back{dns:d}.example"
        for serial in (1, 2):
            master.put(name, serial)
            master.push(zonefan, name)
        zonefan.ctl("rollback", name, "1", check=0)
        serial = zonefan.zone(name)["serial"]
        for _ in range(2):
            reconcile(zonefan)
        assert zonefan.zone(name)["serial"] == serial, "catch-up undid the rollback"
        master.put(name, 30)
        reconcile(zonefan)
        assert zonefan.zone(name)["serial"] == 30
        zonefan.stop()


def test_a_tombstone_that_the_master_lists(install, dcs, masters):
    """Deleted and made anew while zonefan was away."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("tomb", 6)
    fill(zonefan, master, names)
    zonefan.da(hostname=master.identity).delete_ok(names[0])
    assert names[0] not in zonefan.zones()
    master.put(names[0], 2)
    reconcile(zonefan, code=2)
    zonefan.wait_converged()
    assert rows_of(dcs[0])[names[0]] == 2


def test_a_master_that_comes_back(install, dcs, masters):
    """The first contact with one that was away starts a pass by itself."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("back", 6)
    fill(zonefan, master, names)

    def hang_up(master, handler, path, query):
        handler.close_connection = True
        return True
    master.faults = [hang_up]
    assert of(reconcile(zonefan, code=1), master)["state"] == "unknown"
    master.put(names[0], 2)
    master.faults = []
    wait_for(lambda: zonefan.zone(names[0])["serial"] == 2, 90, "what it changed is fetched")
    status = zonefan.status()["reconciler"]
    wait_for(lambda: zonefan.status()["reconciler"]["masters"][0]["state"] == "ok", 30, f"it is known: {status}")
    assert len(events(zonefan, "master_unknown")) == 1 and len(events(zonefan, "master_known")) == 1


@pytest.mark.row("R10", fault="a push or delete arrives while the master's text is on its way",
                 injected="half of it sent, 18 zones",
                 required="the push wins, 18 of 18")
def test_a_push_during_a_slow_pull_wins(install, dcs, masters):
    """The text that the master gave is older than the push that arrived before it was whole: new, changed, deleted zones."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    random.seed(4)
    names = named("slow", 18)
    fill(zonefan, master, names[:12])
    gone = set()

    def push_meanwhile(master, handler, path, query):
        name = query.get("domain")
        if path != "CMD_API_DNS_ADMIN" or name not in names:
            return False
        text = master.zones[name][1]
        da = zonefan.da(hostname=master.identity)
        half = random.randrange(1, len(text))

        def give(part):
            handler.wfile.write(part.encode())
        handler.send_response_only(200)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        give(text[:half])
        handler.wfile.flush()
        if name in names[6:12]:
            da.delete_ok(name)
            gone.add(name)
        else:
            da.push_ok(name, da_zone(name, 9))
        give(text[half:])
        return True
    for name in names:
        master.put(name, 2)
    master.faults = [push_meanwhile]
    reconcile(zonefan)
    zonefan.wait_converged()
    assert gone == set(names[6:12])
    assert rows_of(dcs[0]) == {name: 9 for name in names if name not in gone}
    assert events(zonefan, "pulled") == []


@pytest.mark.row("R09", fault="a master hangs in the middle of a pull",
                 injected="SIGTERM then",
                 required="the stop does not wait")
def test_pulls_do_not_hold_up_the_stop(install, dcs, masters):
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    fill(zonefan, master, named("hang", 3))
    master.put("hang0000.example", 2)
    reached, over = threading.Event(), threading.Event()

    def hang(master, handler, path, query):
        if path != "CMD_API_DNS_ADMIN":
            return False
        reached.set()
        over.wait(60)
        return True
    master.faults = [hang]
    zonefan.ctl("reconcile", "--no-wait", check=0)
    assert reached.wait(20)
    assert zonefan.term(deadline=20) == 0
    over.set()


@pytest.mark.row("R01", fault="one of two masters answers 500",
                 injected="zones changed at both",
                 required="the other one's are fetched, nothing of the first is touched")
def test_two_masters_catch_up_apart(install, dcs, masters):
    """One is away: what the other has is fetched all the same, and nothing of the first is touched."""
    one, two = masters(), masters("da2.host.example")
    zonefan = install(dcs[:1], config=conf(one, two))
    fill(zonefan, one, named("one", 6))
    fill(zonefan, two, named("two", 6))
    one.put("one0001.example", 2)
    two.put("two0001.example", 2)
    two.faults = [replace_list(lambda *_: (500, "", "text/plain"))]
    reconcile(zonefan, code=1)
    assert zonefan.zone("one0001.example")["serial"] == 2 and zonefan.zone("two0001.example")["serial"] == 1
    assert two.pulled() == [] and orphans(zonefan) == {}


@pytest.mark.row("R09", fault="each zone of a master takes 20 s",
                 injected="30 zones, libfaketime",
                 required="after 5 minutes of pulls it is the next master's turn; the rest is postponed")
def test_a_slow_master_does_not_hold_up_the_others(install, dcs, masters):
    """Five minutes of pulls in a pass, then it is the next one's turn; the rest goes on with the next pass."""
    slow, quick = masters(), masters("da2.host.example")
    # Its clock leaps, that of its connections too: none of them, zonefanctl's above all, has stood open for too long.
    patient = {name: 86_400_000 for name in ("header_deadline_ms", "body_deadline_ms", "connection_deadline_ms")}
    zonefan = install(dcs[:1], config={**conf(slow, quick), "app": patient})
    zonefan.stop()
    path = os.path.join(zonefan.directory, "clock")
    moved = []

    def move(seconds):
        with open(path + ".new", "w", encoding="ascii") as out:
            out.write(f"+{seconds}s\n")
        os.replace(path + ".new", path)

    def drag(master, handler, path, query):
        if path == "CMD_API_DNS_ADMIN":
            moved.append(20)
            move(sum(moved))
        return False
    move(0)
    slow.faults = [drag]
    for name in named("slow", 30):
        slow.put(name)
    for name in named("quick", 3):
        quick.put(name)
    zonefan.start(env={"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": path, "FAKETIME_NO_CACHE": "1",
                       "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"})
    run = reconcile(zonefan, code=2)
    entry = of(run, slow)
    assert (entry["behind"], entry["pulled"], entry["postponed"]) == (30, 15, 15)
    assert of(run, quick)["pulled"] == 3
    assert (of(reconcile(zonefan, code=2), slow)["pulled"], len(zonefan.zones())) == (15, 33)
