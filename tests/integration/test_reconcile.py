# SPDX-License-Identifier: GPL-3.0-or-later
"""
C2, C3 and reliability.md 4.6: what the masters' lists say of our zones: orphans, the guard against deleting too much,
ownership, races with pushes. What is odd about a list: test_reconcile_odd.py.
"""
import re
import threading

import pytest

from zf.lost import assert_told, assert_told_of_the_restart
from zf.reconcile import conf, events, fill, json_answer, login_page, of, orphans, reconcile, vanish, wait_gone
from zf.wait import wait_for
from zf.zones import da_zone, named

pytestmark = pytest.mark.threads


def but_soa(rows):
    return sorted((row.hostname, row.type, row.data, row.ttl) for row in rows if row.type != "SOA")


# ---- complete lists: counting, grace, the way back ----

@pytest.mark.row("R06", fault="zones are missing in one pass and back in the next",
                 injected="3 of 20, one comes back",
                 required="it is not deleted, and counted anew")
@pytest.mark.row("R07", fault="zones are missing in two passes",
                 injected="3 of 20",
                 required="exactly those, as tombstones; undelete restores all rows")
def test_exactly_the_missing_zones_go_after_two_passes_and_come_back(install, dcs, masters):
    """R06, R07. The first pass after a start counts, and deletes nothing."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("gone", 20)
    fill(zonefan, master, names)
    assert reconcile(zonefan, code=0)["last_run"]["zones_in_da"] == 20
    zonefan.wait_converged()
    rows = but_soa(dcs[0].db.all_rows()[names[4]])
    vanish(master, names[3:6])
    run = reconcile(zonefan, code=2)
    assert (of(run, master)["missing"], of(run, master)["deleting"]) == (3, 0)
    assert {zone: entry["passes"] for zone, entry in orphans(zonefan).items()} == dict.fromkeys(names[3:6], 1)
    assert {event["zone"] for event in events(zonefan, "orphan")} == set(names[3:6])
    master.put(names[3])  # listed again
    run = reconcile(zonefan, code=2)
    assert (of(run, master)["missing"], of(run, master)["deleting"]) == (2, 2)
    assert [event["zone"] for event in events(zonefan, "orphan_back")] == [names[3]]
    wait_gone(zonefan, names[4:6])
    zonefan.wait_converged()
    assert set(zonefan.zones()) == set(names) - set(names[4:6])
    assert set(dcs[0].db.all_rows()) == set(names) - set(names[4:6])
    assert {event["zone"] for event in events(zonefan, "orphan_deleted")} == set(names[4:6])
    assert orphans(zonefan) == {}
    assert reconcile(zonefan, code=0)["last_run"]["orphans_found"] == 0
    zonefan.ctl("undelete", names[4], check=0)
    zonefan.wait_converged()
    assert but_soa(dcs[0].db.all_rows()[names[4]]) == rows


@pytest.mark.row("R06", fault="a restart between two passes",
                 injected="and a master that is unknown at first",
                 required="counts survive; the first complete list only counts")
def test_the_first_pass_after_a_start_deletes_nothing(install, dcs, masters):
    """Passes and first-missing times survive the restart; the first pass only counts, the next one deletes."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("first", 12)
    fill(zonefan, master, names)
    vanish(master, names[:2])
    first = reconcile(zonefan, code=2)
    since = {zone: entry["first_missing_at"] for zone, entry in orphans(zonefan).items()}
    zonefan.restart()
    master.faults = [login_page]
    reconcile(zonefan, code=1)  # was none: nobody knows yet what the master has
    master.faults = []
    run = reconcile(zonefan, code=2)
    assert (of(first, master)["deleting"], of(run, master)["deleting"]) == (0, 0)
    assert {zone: (entry["passes"], entry["first_missing_at"]) for zone, entry in orphans(zonefan).items()} == {
        zone: (2, at) for zone, at in since.items()}
    reconcile(zonefan, code=2)
    wait_gone(zonefan, names[:2])


@pytest.mark.row("R06", fault="many passes within the grace",
                 injected="6 passes in a minute's grace",
                 required="0 deletes")
def test_grace_is_kept(install, dcs, masters):
    master = masters()
    zonefan = install(dcs[:1], config=conf(master, orphan_grace_minutes=1))
    names = named("grace", 12)
    fill(zonefan, master, names)
    vanish(master, names[:2])
    for _ in range(6):
        run = reconcile(zonefan, code=2)
    assert (of(run, master)["missing"], of(run, master)["deleting"]) == (2, 0)
    assert {entry["passes"] for entry in orphans(zonefan).values()} == {6}
    assert set(zonefan.zones()) == set(names)


def test_a_dry_run_only_reports(install, dcs, masters):
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("dry", 12)
    fill(zonefan, master, names)
    vanish(master, names[:2])
    master.put("new.example")
    for _ in range(4):
        run = reconcile(zonefan, "--dry-run", code=2)
    assert run["last_run"]["dry_run"] and of(run, master)["missing"] == 2 and of(run, master)["behind"] == 1
    assert {entry["passes"] for entry in orphans(zonefan).values()} == {0}
    assert set(zonefan.zones()) == set(names) and master.pulled() == []


@pytest.mark.row("R08", fault="a zone is listed as another server's",
                 injected="local_data no, at its owner and at another",
                 required="neither missing nor claimed")
def test_listed_as_another_servers_is_not_missing(install, dcs, masters):
    """local_data "no": nobody claims the zone, and nobody lacks it, whichever master lists it so."""
    first, second = masters(), masters("da2.host.example")
    zonefan = install(dcs[:1], config=conf(first, second))
    names = named("fo", 12)
    fill(zonefan, first, names)
    fill(zonefan, second, named("other", 2))
    reconcile(zonefan, code=0)
    first.foreign.add(names[0])
    vanish(first, names[1:3])
    second.put(names[1])
    second.foreign.add(names[1])
    for _ in range(3):
        run = reconcile(zonefan)
    wait_gone(zonefan, names[2:3])
    assert {event["zone"] for event in events(zonefan, "orphan")} == {names[2]}
    assert set(names[:2]) <= set(zonefan.zones()) and run["last_run"]["zones_listed_as_foreign"] == 2
    assert (events(zonefan, "owner_moved"), orphans(zonefan)) == ([], {})


# ---- the guard ----

@pytest.mark.row("R05", fault="300 of 1,000 zones vanish from a complete list",
                 injected="three passes, a push, a restart",
                 required="0 deletes, held, told once; after approval exactly those still missing")
def test_many_at_once_wait_for_an_operator(install, dcs, masters):
    """300 of 1,000 zones vanish: nothing is deleted until approved, and then exactly those that are still missing."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("mass", 1000)
    fill(zonefan, master, names)
    vanish(master, names[:300])
    for _ in range(3):
        run = reconcile(zonefan, code=2)
    assert (of(run, master)["missing"], of(run, master)["held"], of(run, master)["deleting"]) == (300, 300, 0)
    number = of(run, master)["held_id"]
    assert len(events(zonefan, "orphans_held")) == 1, "it is told once, not with each pass"
    told = events(zonefan, "orphan")
    assert len(told) == 101 and [event["detail"] for event in told if event["zone"] is None] == [
        f"{master.identity} owns 200 more and does not list them any more"], "a hundred, and how many more"
    assert len(zonefan.zones()) == 1000
    # One is pushed again, one is listed again: neither is of the set any more.
    zonefan.da(hostname=master.identity).push_ok(names[0], da_zone(names[0], 7))
    master.put(names[0], 7)
    master.put(names[1])
    zonefan.restart()
    for _ in range(2):
        run = reconcile(zonefan, code=2)
    assert (of(run, master)["held"], of(run, master)["held_id"]) == (298, number)
    assert len(zonefan.zones()) == 1000
    zonefan.ctl("approve", str(number), check=0)
    wait_gone(zonefan, names[2:300])
    assert set(zonefan.zones()) == {names[0], names[1], *names[300:]}
    zonefan.wait_converged()
    assert len(dcs[0].db.all_rows()) == 702
    zonefan.ctl("approve", str(number), check=3)
    assert reconcile(zonefan, code=0)["last_run"]["orphans_found"] == 0


@pytest.mark.row("R05", fault="5 of 6 zones vanish",
                 injected="four passes",
                 required="0 deletes, held: never more than half")
def test_five_of_a_small_masters_six_zones(install, dcs, masters):
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("small", 6)
    fill(zonefan, master, names)
    vanish(master, names[:5])
    for _ in range(4):
        run = reconcile(zonefan, code=2)
    assert (of(run, master)["held"], of(run, master)["deleting"]) == (5, 0)
    assert set(zonefan.zones()) == set(names)


@pytest.mark.row("R05", fault="the set grows after an operator saw it",
                 injected="2 more vanish",
                 required="the old approval is refused")
def test_a_larger_set_needs_another_word(install, dcs, masters):
    """What the operator saw is what he approves: a set that grew since has another number."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("grow", 20)
    fill(zonefan, master, names)
    vanish(master, names[:7])
    for _ in range(2):
        run = reconcile(zonefan, code=2)
    number = of(run, master)["held_id"]
    vanish(master, names[7:9])
    for _ in range(2):
        run = reconcile(zonefan, code=2)
    assert of(run, master)["held"] == 9 and of(run, master)["held_id"] != number
    zonefan.ctl("approve", str(number), check=3)
    assert set(zonefan.zones()) == set(names)


# ---- ownership ----

@pytest.mark.row("R08", fault="moved, claimed by two, without owner, owned by a stranger",
                 injected="two masters' lists",
                 required="0 deletes; the owner changes only by a complete list or a push")
def test_ownership_follows_the_lists(install, dcs, masters):
    """R08: moved, claimed by two, without owner, owned by somebody who is not configured."""
    one, two = masters(), masters("DA2.Host.Example.")
    zonefan = install(dcs[:1], config=conf(one, two))
    fill(zonefan, one, named("one", 12))
    fill(zonefan, two, named("two", 12))
    reconcile(zonefan, code=0)
    zonefan.da(hostname="").push_ok("free.example", da_zone("free.example"))
    zonefan.da(hostname="da9.host.example").push_ok("else.example", da_zone("else.example"))
    zonefan.da(hostname="").push_ok("nobody.example", da_zone("nobody.example"))
    one.put("free.example")
    two.put("one0003.example", 1)          # moved from one to two
    del one.zones["one0003.example"]
    two.put("one0004.example", 1)          # claimed by both
    two.foreign.add("one0005.example")     # only mirrored there
    reconcile(zonefan, code=2)
    for _ in range(3):
        run = reconcile(zonefan, code=2)
    assert run["last_run"]["zones_contested"] == 1
    owners = {name: entry["hostname"] for name, entry in zonefan.zones().items()}
    assert owners["free.example"] == one.identity
    assert owners["one0003.example"].rstrip(".").lower() == "da2.host.example"
    assert owners["one0004.example"] == one.identity and owners["one0005.example"] == one.identity
    assert owners["else.example"] == "da9.host.example" and owners["nobody.example"] == ""
    assert [event["zone"] for event in events(zonefan, "owner_moved")] == ["one0003.example"]
    assert [event["zone"] for event in events(zonefan, "owner_found")] == ["free.example"]
    assert [event["zone"] for event in events(zonefan, "owner_contested")] == ["one0004.example"], "told once"
    assert len(owners) == 27 and orphans(zonefan) == {} and events(zonefan, "orphan_deleted") == []
    # The old master's late delete is refused, the new one's is taken.
    zonefan.da(hostname=one.identity).delete_ok("one0003.example")
    assert "one0003.example" in zonefan.zones()
    zonefan.da(hostname="da2.host.example").delete_ok("one0003.example")
    assert "one0003.example" not in zonefan.zones()


# ---- races ----

@pytest.mark.row("R10", fault="a push arrives between list and delete",
                 injected="changed and equal, while the list is on its way",
                 required="the zone stays, and is counted anew")
def test_a_push_between_list_and_delete_wins(install, dcs, masters):
    """R10: it arrives when the list that lacks it was fetched already; an equal one, too."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("race", 20)
    fill(zonefan, master, names)
    reconcile(zonefan, code=0)
    vanish(master, names[:2])
    reconcile(zonefan, code=2)

    def push_meanwhile(master, handler, path, query):
        if path == "CMD_DNS_ADMIN":
            body = master.page(1, 1000)
            for name, serial in ((names[0], 9), (names[1], 1)):
                zonefan.da(hostname=master.identity).push_ok(name, da_zone(name, serial))
            handler.send(*json_answer(body))
            return True
        return False
    master.faults = [push_meanwhile]
    reconcile(zonefan)
    master.faults = []
    assert set(zonefan.zones()) == set(names)
    assert events(zonefan, "orphan_deleted") == []
    # They are counted anew from there.
    run = reconcile(zonefan, code=2)
    assert of(run, master)["deleting"] == 0 and {entry["passes"] for entry in orphans(zonefan).values()} == {1}
    reconcile(zonefan, code=2)
    wait_gone(zonefan, names[:2])


@pytest.mark.row("R10", fault="a delete waits for a database, then the zone is pushed again",
                 injected="dc1 refuses connections meanwhile",
                 required="the push is served everywhere")
def test_a_delete_that_waits_and_a_new_push(install, dcs, masters):
    """R10: the delete is queued while the data centre is down; then the zone is pushed again."""
    master = masters()
    zonefan = install(dcs, config=conf(master))
    names = named("wait", 12)
    fill(zonefan, master, names)
    zonefan.wait_converged()
    dcs[0].proxy.refuse()
    vanish(master, names[:1])
    for _ in range(3):
        reconcile(zonefan)
    wait_gone(zonefan, names[:1])
    master.put(names[0], 4)
    master.push(zonefan, names[0])
    dcs[0].proxy.passing()
    zonefan.wait_converged()
    for dc in dcs:
        assert dc.db.all_rows()[names[0]] == dcs[2].db.all_rows()[names[0]]
    assert names[0] in zonefan.zones()


# ---- the operator ----

def test_the_operators_view(install, dcs, masters):
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    fill(zonefan, master, named("view", 12))
    begun = zonefan.status()["reconciler"]
    assert (begun["enabled"], begun["alive"], begun["last_run"], begun["interval_minutes"]) == (True, True, None, 60)
    assert begun["masters"][0]["state"] == "new"
    vanish(master, named("view", 1))
    out = zonefan.ctl("reconcile", check=2).stdout
    assert re.search(r"da1\.host\.example +ok +11 +1 ", out), out
    assert re.search(r"view0000\.example +da1\.host\.example .* 1 +no", zonefan.ctl("orphans", check=0).stdout)
    run = zonefan.status()["reconciler"]["last_run"]
    assert (run["status"], run["da_servers_polled"], run["da_servers_unreachable"], run["orphans_found"]) == ("ok", 1, 0, 1)
    master.faults = [login_page]
    out = zonefan.ctl("reconcile", check=1).stdout
    assert "unknown" in out
    assert re.search(r"master da1\.host\.example is unknown since \d+s: .*login", zonefan.ctl("status").stdout)
    asked = events(zonefan, "reconcile")
    assert len(asked) == 2 and {event["actor"] for event in asked} == {"control socket"}


def hold_up(master):
    """Two events: it was asked; its answers, which wait for that, may come."""
    reached, go_on = threading.Event(), threading.Event()

    def fault(*_):
        reached.set()
        go_on.wait(60)
        return False
    master.faults = [fault]
    return reached, go_on


def test_a_pass_that_a_restart_ended_is_not_waited_for(install, dcs, masters):
    """Another one may begin hours later."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    reached, go_on = hold_up(master)
    assert_told_of_the_restart(zonefan, ("reconcile",), reached, go_on.set)


def test_a_pass_that_a_reload_ended_is_not_waited_for(install, dcs, masters):
    """Whose masters changed counts its passes from the start, too."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    reached, go_on = hold_up(master)

    def change():
        zonefan.configure({"reconciliation": {"interval_minutes": 61}})
        zonefan.ctl("reload", check=0)
        go_on.set()
    assert_told(zonefan, ("reconcile",), reached, change,
                lambda: zonefan.status()["reconciler"].get("interval_minutes") == 61, "or its masters are others now")


def test_asked_for_during_a_pass(install, dcs, masters):
    """Another pass follows the one that is under way: what it was asked for may have changed behind that one's back."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    fill(zonefan, master, named("asked", 3))
    reached, go_on = hold_up(master)
    zonefan.ctl("reconcile", "--no-wait", check=0)
    assert reached.wait(30)
    for option in ([], ["--dry-run"]):  # of both wishes the one that does more
        zonefan.ctl("reconcile", "--no-wait", *option, check=0)
    master.put("new.example")
    go_on.set()
    wait_for(lambda: (zonefan.status()["reconciler"]["last_run"] or {"pass": 0})["pass"] == 2, 60, "the second pass is over")
    assert zonefan.status()["reconciler"]["last_run"]["dry_run"] is False
    assert "new.example" in zonefan.zones()


def test_switched_off(zonefan):
    assert zonefan.status()["reconciler"] == {"enabled": False, "alive": False}
    done = zonefan.ctl("reconcile", check=1)
    assert "reconciliation is not switched on" in done.stderr
