# SPDX-License-Identifier: GPL-3.0-or-later
"""
Zones are exchanged with peers (part 4 of self-healing; reliability.md 4.7, product table C4, C8, fault C): two real zonefands
whose clocks differ by up to an hour, and a stand-in of directdnsonly 2.8.
"""
import datetime
import json
import os
import random
import threading
import time

import pytest
from zf.lost import assert_told_of_the_restart
from zf.matrix import rows
from zf.peer import Predecessor, trap
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone, named

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
SECRET = "canary-peer-login"
NEVER = 10080


def clock(seconds):
    """The environment in which the wall clock is so much ahead; the monotonic one is left alone."""
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # else waits on the monotonic clock end at once, or too late
            "FAKETIME_FORCE_MONOTONIC_FIX": "0", "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0", "TSAN_OPTIONS": ""} if seconds else {}


# Nobody is there: what is exchanged is what the store wants.
NOWHERE = {"dns": {"default_backend": "dc0", "backends": {"dc0": {
    "type": "coredns_mysql", "enabled": True, "host": "127.0.0.1", "port": 9, "database": "dns", "username": "nobody",
    "password": "canary-nowhere"}}}}


def peer_config(peers=(), **more):
    return {"peer_sync": {"enabled": True, "interval_minutes": NEVER, "auth_username": "peersync", "auth_password": SECRET,
                          "peers": list(peers), **more}}


def sync(zonefan):
    """One pass over all peers, waited for; the status of peer sync after it."""
    done = zonefan.ctl("peers", "sync", check=None)
    assert done.returncode in (0, 2), done
    return zonefan.status()["peer_sync"]


def peer_of(zonefan, index=0):
    return zonefan.status()["peer_sync"]["peers"][index]


def events(zonefan, kind):
    return [event for event in zonefan.api("/api/v1/events?limit=1000")["events"] if event["kind"] == kind]


def text_at(zonefan, name):
    """What is served to peers, or None."""
    answer = zonefan.da().get(f"/internal/zones?domain={name}")
    assert answer.status in (200, 404), answer
    return answer.json()["zone_data"] if answer.status == 200 else None


@pytest.fixture
def predecessor():
    peer = Predecessor()
    yield peer
    peer.close()


@pytest.fixture
def node(install, predecessor):
    """A zonefan whose one peer is the predecessor."""
    zonefan = alone(install, predecessor)
    zonefan.secrets.append(predecessor.password)
    wait_for(lambda: zonefan.status()["peer_sync"]["passed"] >= 1, 30, "the pass at start")
    return zonefan


def alone(install, peer, **more):
    """A zonefan that knows that peer."""
    return install(config={**NOWHERE, **peer_config([{"url": peer.url, "username": peer.user, "password": peer.password}], **more)})


def two(install, skews=(0, 0), centres=(None, None), start=True):
    """Two zonefans that know each other; each with that data centre."""
    nodes = [install(config=NOWHERE, start=False) if centre is None else install([centre], start=False) for centre in centres]
    for index, zonefan in enumerate(nodes):
        other = nodes[1 - index]
        zonefan.configure(peer_config([{"url": f"http://127.0.0.1:{other.port}", "username": "peersync", "password": SECRET}]))
        zonefan.secrets.append(SECRET)
    for zonefan, skew in zip(nodes, skews):
        if start:
            zonefan.start(env=clock(skew))
    return nodes


# ---- two zonefans ----

@pytest.mark.row("X04", fault="a peer lacks what was pushed and deleted while it was down",
                 injected="clocks an hour apart, both ways",
                 required="it takes the newest; the delete travels")
def test_what_one_missed_it_takes_from_the_other(install, dcs):
    one, two_ = two(install, (3000, -2500), dcs[:2])
    one.da().push_ok("new.example", da_zone("new.example", 1))
    sync(two_)
    two_.wait_converged()
    assert_rows_are(dcs[1].db.all_rows()["new.example"], da_zone("new.example", 1), "new.example", "dc2")
    assert text_at(two_, "new.example") == da_zone("new.example", 1)
    assert two_.zone("new.example")["hostname"] == "da1.host.example"
    two_.stop()
    one.da().push_ok("new.example", da_zone("new.example", 2))
    one.da().delete_ok("never.example")
    two_.start(env=clock(-2500))
    wait_for(lambda: two_.zone("new.example")["serial"] == 2, 30, "the pass at start brings the newer one")
    one.stop()
    two_.da().delete_ok("new.example")
    one.start(env=clock(3000))
    wait_for(lambda: one.zone("new.example")["deleted"], 30, "the delete travels")
    sync(two_)
    for zonefan, centre in zip((one, two_), dcs):
        zonefan.wait_converged()
        assert zonefan.zone("new.example")["deleted"] and "new.example" not in centre.db.all_rows()
    assert abs(peer_of(two_)["skew_seconds"] - 5500) < 30
    assert events(two_, "peer_skew"), "a clock that is more than 300 s wrong is told"


class Clock:
    """A wall clock that is skew seconds wrong and can be moved on while its process runs."""

    def __init__(self, zonefan, skew):
        self.path = os.path.join(zonefan.directory, "clock")
        self.skew = skew
        self.move(0)
        self.environment = clock(1)
        del self.environment["FAKETIME"]
        self.environment.update(FAKETIME_TIMESTAMP_FILE=self.path, FAKETIME_NO_CACHE="1")

    def move(self, seconds):
        with open(self.path + ".new", "w", encoding="ascii") as out:
            out.write(f"{self.skew + seconds:+d}s\n")
        os.replace(self.path + ".new", self.path)


@pytest.mark.row("X07", fault="each side is away for some of the pushes and deletes",
                 injected="a random schedule, clocks up to an hour wrong",
                 required="both hold what was accepted last")
@pytest.mark.parametrize("seed", range(1, 21))
def test_schedules_of_two(install, seed):
    """
    Pushes and deletes reach who is awake; in the end both hold what was accepted last. By everybody's clock 10 s and more
    go by between them, and nobody waits.
    """
    rng = random.Random(seed)
    nodes = two(install, start=False)
    clocks = [Clock(zonefan, rng.randint(-3600, 3600)) for zonefan in nodes]
    names = named("peer", 3)
    truth, version, moved = {}, 0, 0

    def wake(index):
        if not nodes[index].alive():
            nodes[index].start(env=clocks[index].environment)
            # No clock is moved while a pass measures how much they differ.
            wait_for(lambda: nodes[index].status()["peer_sync"]["passed"] >= 1, 30, "the pass at start")

    wake(0), wake(1)
    for _ in range(20):
        awake = [zonefan for zonefan in nodes if zonefan.alive()]
        chosen = [zonefan for zonefan in awake if rng.random() < 0.6] or [rng.choice(awake)]
        name = rng.choice(names)
        moved += rng.randint(11, 40)
        for each in clocks:
            each.move(moved)
        if rng.random() < 0.3:
            for zonefan in chosen:
                zonefan.da().delete_ok(name)
            truth[name] = None
        else:
            version += rng.random() < 0.7 or version == 0  # or an old text again
            # A serial that says nothing about the order.
            text = da_zone(name, version * 7919 % 97 + 1, address=f"192.0.2.{version}")
            for zonefan in chosen:
                zonefan.da().push_ok(name, text)
            truth[name] = text
        fate = rng.random()
        if fate < 0.3 and len(awake) == 2:
            rng.choice(nodes).stop()
        elif fate < 0.6:
            wake(0), wake(1)
        elif fate < 0.75:
            sync(rng.choice(awake))
    wake(0), wake(1)
    for zonefan in (*nodes, *nodes):
        sync(zonefan)
    for zonefan, each in zip(nodes, clocks):
        ahead = zonefan.api("/internal/zones?v=2")["now"] / 1e6 - time.time()
        assert abs(ahead - each.skew - moved) < 30, "its clock is as wrong as it should be"
        for name in names:
            assert text_at(zonefan, name) == truth.get(name), f"{name} at node {nodes.index(zonefan)} (seed {seed})"


@pytest.mark.row("X03", fault="a peer is restored from a backup",
                 injected="its store is an older copy",
                 required="0 regressions, at both")
def test_a_restored_peer_regresses_nobody(install):
    one, other = two(install)
    one.da().push_ok("back.example", da_zone("back.example", 1))
    sync(other)
    one.stop()
    with open(one.store, "rb") as store:
        copy = store.read()
    one.start()
    one.da().push_ok("back.example", da_zone("back.example", 2))
    sync(other)
    assert other.zone("back.example")["serial"] == 2
    one.stop()
    with open(one.store, "wb") as store:
        store.write(copy)
    one.start()
    sync(other)
    assert other.zone("back.example")["serial"] == 2
    sync(one)
    assert one.zone("back.example")["serial"] == 2


@pytest.mark.row("X02", fault="both get the same push",
                 injected="at nearly the same time",
                 required="no conflict, no new generation")
def test_both_are_given_the_same_by_their_master(install):
    """As in the predecessor's topology C: no conflict, no generation more, and afterwards each knows of the other's."""
    nodes = two(install)
    for zonefan in nodes:
        zonefan.da().push_ok("both.example", da_zone("both.example", 1))
    for zonefan in nodes:
        sync(zonefan)
    vectors = set()
    for zonefan in nodes:
        assert zonefan.zone("both.example")["generation"] == 1
        assert not events(zonefan, "peer_conflict")
        vectors.add(zonefan.api("/internal/zones?v=2&domain=both.example")["vector"])
    assert len(vectors) == 1 and vectors.pop().count(",") == 1


@pytest.mark.row("X05", fault="a zonefan has 1,200 zones that we lack",
                 injected="one pass after the other",
                 required="100 a pass, the rest waits for approval")
def test_a_thousand_zones_wait_for_a_word_and_come_in_pages(install):
    one, other = two(install)
    wait_for(lambda: other.status()["peer_sync"]["passed"] >= 1, 30, "its pass at start, which is to bring none of them")
    names = named("many", 1200)
    da = one.da()
    for name in names:
        da.push_ok(name, da_zone(name, 1, hosts=0))
    sync(other)
    assert len(other.zones()) == 100
    held = other.api("/api/v1/held")["held"]
    assert [entry["kind"] for entry in held] == ["peer_zones"]
    assert held[0]["subject"] == f"http://127.0.0.1:{one.port}"
    sync(other)
    assert len(other.zones()) == 200, "each pass brings its share"
    other.ctl("approve", str(held[0]["id"]), check=0)
    other.stop()
    other.start()
    wait_for(lambda: other.status()["peer_sync"]["passed"] >= 1, 60, "the pass at start, which the word is for")
    assert sorted(other.zones()) == names
    assert other.api("/api/v1/held")["held"] == []
    assert [entry["domain"] for entry in one.api("/internal/zones")] == names, "the predecessor's list has no pages"


# ---- with the predecessor ----

def test_it_gives_to_the_predecessor_and_takes_from_it(node, predecessor):
    predecessor.push("theirs.example", da_zone("theirs.example", 1))
    node.da().push_ok("ours.example", da_zone("ours.example", 1))
    sync(node)
    assert text_at(node, "theirs.example") == da_zone("theirs.example", 1)
    assert node.zone("theirs.example")["username"] == "fred"
    assert predecessor.sync_from(f"http://127.0.0.1:{node.port}", "peersync", SECRET) == ["ours.example"]
    entry = next(zone for zone in node.api("/internal/zones") if zone["domain"] == "ours.example")
    assert sorted(entry) == ["domain", "hostname", "username", "zone_updated_at"]
    assert datetime.datetime.fromisoformat(entry["zone_updated_at"]).tzinfo is None
    assert predecessor.zones["ours.example"]["zone_data"] == da_zone("ours.example", 1)
    shown = peer_of(node)
    assert shown["kind"] == "directdnsonly" and shown["healthy"] and shown["zones"] == 1
    assert predecessor.sync_from(f"http://127.0.0.1:{node.port}", "peersync", SECRET) == []


@pytest.mark.row("X02", fault="a peer's clock is an hour wrong",
                 injected="stamps older and newer than ours",
                 required="read by its own clock")
def test_its_stamps_are_read_by_its_clock(install):
    for skew in (3600, -3600):
        peer = Predecessor(skew=skew)
        zonefan = alone(install, peer)
        zonefan.da().push_ok("old.example", da_zone("old.example", 5))
        zonefan.da().push_ok("newer.example", da_zone("newer.example", 5))
        peer.push("old.example", da_zone("old.example", 6), peer.now() - datetime.timedelta(seconds=600))
        peer.push("newer.example", da_zone("newer.example", 6), peer.now() + datetime.timedelta(seconds=600))
        sync(zonefan)
        assert zonefan.zone("old.example")["serial"] == 5, "older by its own clock"
        assert zonefan.zone("newer.example")["serial"] == 5, "not yet accepted by its own clock"
        assert abs(peer_of(zonefan)["skew_seconds"] - skew) < 30
        peer.zones["newer.example"]["zone_updated_at"] = (peer.now() - datetime.timedelta(seconds=1)).isoformat()
        zonefan.stop()
        zonefan.start(env=clock(60))
        wait_for(lambda: zonefan.status()["peer_sync"]["passed"] >= 1, 30, "the pass at start")
        assert zonefan.zone("newer.example")["serial"] == 6, "a minute later, and it was accepted before"
        assert zonefan.zone("old.example")["serial"] == 5
        peer.close()


def later(node, predecessor, seconds=60):
    """So much time goes by for both, and nobody waits."""
    node.stop()
    predecessor.server.skew += seconds
    node.start(env=clock(predecessor.server.skew))
    wait_for(lambda: node.status()["peer_sync"]["passed"] >= 1, 30, "the pass at start")


@pytest.mark.row("X04", fault="a peer still holds what we deleted",
                 injected="its healing stamps it anew, older and equal serials",
                 required="0 resurrections; a newer serial is a new zone")
def test_fault_c_what_was_deleted_does_not_come_back(node, predecessor):
    node.da().push_ok("gone.example", da_zone("gone.example", 7))
    predecessor.sync_from(f"http://127.0.0.1:{node.port}", "peersync", SECRET)
    node.da().delete_ok("gone.example")
    for text in (da_zone("gone.example", 7), da_zone("gone.example", 6), da_zone("gone.example", 7, hosts=5)):
        later(node, predecessor)
        # Healing over there wrote it again, so its stamp is the newest of all.
        predecessor.push("gone.example", text)
        for _ in range(2):
            sync(node)
            assert node.zone("gone.example")["deleted"], text
    assert {event["zone"] for event in events(node, "peer_doubt")} == {"gone.example"}
    assert [zone["domain"] for zone in node.api("/internal/zones")] == []
    later(node, predecessor)
    predecessor.push("gone.example", da_zone("gone.example", 8))
    sync(node)
    assert node.zone("gone.example")["serial"] == 8 and not node.zone("gone.example")["deleted"], "made anew over there"


@pytest.mark.row("X03", fault="a newer stamp on an older serial",
                 injected="directdnsonly after a restore",
                 required="ours is kept, told")
@pytest.mark.row("U10", fault="the predecessor takes the newest stamp unchecked",
                 injected="an older zone with a newer stamp",
                 required="not taken")
def test_x03_newer_by_its_stamp_and_older_by_its_serial(node, predecessor):
    node.da().push_ok("old.example", da_zone("old.example", 20))
    later(node, predecessor)
    predecessor.push("old.example", da_zone("old.example", 19))
    sync(node)
    assert node.zone("old.example")["serial"] == 20
    assert [event["detail"] for event in events(node, "peer_doubt")] == [
        "not taken: it was written there later, but its serial is older"]
    predecessor.push("old.example", da_zone("old.example", 21))
    sync(node)
    assert node.zone("old.example")["serial"] == 21


@rows("X02", ["2106", "year 9999", "two minutes ahead", "1969", "year -1", "a word", "an offset"], injected="a zone's stamp",
      required="0 accepted from the future; a bad stamp spoils the whole list")
def test_x02_nothing_from_the_future(node, predecessor):
    for index, stamp in enumerate(("2106-02-07T06:28:16", "9999-12-31T23:59:59",
                                   (predecessor.now() + datetime.timedelta(seconds=120)).isoformat())):
        predecessor.push(f"future{index}.example", da_zone(f"future{index}.example", 1))
        predecessor.zones[f"future{index}.example"]["zone_updated_at"] = stamp
    sync(node)
    assert node.zones() == {}
    told = len(events(node, "peer_doubt"))
    assert told == 3
    sync(node)
    assert len(events(node, "peer_doubt")) == told, "each is told once"
    for stamp in ("1969-12-31T23:59:59", "-0001-01-01T00:00:00", "yesterday", "2026-11-27T14:42:09+13:00"):
        predecessor.zones = {}
        predecessor.push("odd.example", da_zone("odd.example", 1))
        predecessor.push("even.example", da_zone("even.example", 1))
        predecessor.zones["odd.example"]["zone_updated_at"] = stamp
        sync(node)
        assert node.zones() == {}, stamp
        assert "zone odd.example" in peer_of(node)["last_error"]


def memory_of(zonefan):
    with open(f"/proc/{zonefan.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


GOOD = '{"domain": "good.example", "zone_updated_at": "2026-01-01T00:00:00", "hostname": "h", "username": "u"}'
BAD_LISTS = {
    "nothing": b"",
    "garbage": b"\xff\xfe\x00garbage",
    "a login page": b"<html><body>login</body></html>",
    "cut": f"[{GOOD}, {GOOD[:40]}".encode(),
    "no end": f"[{GOOD}".encode(),
    "more behind the end": f"[{GOOD}] x".encode(),
    "doubled keys": b'[%s, {"domain": "a.example", "domain": "b.example", "zone_updated_at": null}]' % GOOD.encode(),
    "deep": b"[" * 200000 + b"]" * 200000,
    "deep in a zone": f"[{GOOD}, {{\"domain\": ".encode() + b"[" * 200000 + b"]" * 200000 + b"}]",
    "a number for a name": f'[{GOOD}, {{"domain": 7, "zone_updated_at": null}}]'.encode(),
    "a number for a stamp": f'[{GOOD}, {{"domain": "a.example", "zone_updated_at": 7}}]'.encode(),
    "a list for a hostname": f'[{GOOD}, {{"domain": "a.example", "zone_updated_at": null, "hostname": []}}]'.encode(),
    "a NUL in a name": f'[{GOOD}, {{"domain": "a\\u0000.example", "zone_updated_at": null}}]'.encode(),
    "an object": b'{"zones": []}',
    "a text": b'"zones"',
    "vectors of nobody": json.dumps({"store_id": "ab" * 16, "now": 1790000000000000, "next": None, "zones": [
        {**json.loads(GOOD), "vector": "ab:1:00000000", "origin": "", "digest": "0" * 32, "records": 1, "serial": 1, "deleted": True}]}).encode(),
    "a counter beyond all": json.dumps({"store_id": "ab" * 16, "now": 1790000000000000, "next": None, "zones": [
        {**json.loads(GOOD), "vector": "ab" * 16 + ":99999999999999999999:00000000", "origin": "", "digest": "0" * 32, "records": 1,
         "serial": 1, "deleted": True}]}).encode(),
    "pages that do not go on": json.dumps({"store_id": "ab" * 16, "now": 1790000000000000, "next": "", "zones": []}).encode(),
}


@pytest.mark.parametrize("what", [
    pytest.param(what, marks=pytest.mark.row("X01", fault=f"the list is {what}" if " " not in what else f"the list: {what}",
                                             injected="one answer of a peer", required="refused whole, 0 zones changed, at most 64 MiB"))
    for what in BAD_LISTS])
def test_x01_an_answer_with_one_thing_wrong_is_refused_whole(node, predecessor, what):
    predecessor.push("good.example", da_zone("good.example", 1))
    said = BAD_LISTS[what]
    predecessor.say["/internal/zones"] = lambda handler, query: said if "domain" not in query else predecessor.json(
        200, predecessor.zones["good.example"])
    before = memory_of(node)
    sync(node)
    assert node.zones() == {}
    assert peer_of(node)["consecutive_failures"] == 1 and peer_of(node)["last_error"], peer_of(node)
    assert memory_of(node) - before < 64 * 1024
    del predecessor.say["/internal/zones"]
    sync(node)
    assert list(node.zones()) == ["good.example"], "the next good answer is taken"


@pytest.mark.row("X01", fault="a gigabyte of JSON without a length",
                 injected="blanks, 1 GiB",
                 required="cut off; at most 64 MiB")
def test_x01_an_answer_without_end_is_cut_off(node, predecessor):
    def endless(handler, query):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        try:
            for _ in range(1024):
                handler.wfile.write(b" " * 1048576)
        except OSError:
            pass

    predecessor.say["/internal/zones"] = endless
    before = memory_of(node)
    sync(node)
    assert "larger than" in peer_of(node)["last_error"]
    assert memory_of(node) - before < 64 * 1024


@pytest.mark.row("X04", fault="a peer lists nothing",
                 injected="[] and an empty store",
                 required="nothing changes")
def test_x04_absence_is_nothing(node, predecessor):
    node.da().push_ok("ours.example", da_zone("ours.example", 1))
    for say in (b"[]", None):
        if say is not None:
            predecessor.say["/internal/zones"] = say
        else:
            predecessor.say.clear()
        sync(node)
        assert list(node.zones()) == ["ours.example"]


@pytest.mark.row("X05", fault="a peer invents 10,000 zones",
                 injected="directdnsonly",
                 required="100 taken; what is known is updated nevertheless; the rest held")
def test_x05_ten_thousand_invented_zones(node, predecessor):
    node.da().push_ok("known.example", da_zone("known.example", 1))
    later(node, predecessor)
    for name in named("invented", 10000):
        predecessor.push(name, da_zone(name, 1, hosts=0))
    predecessor.push("known.example", da_zone("known.example", 2))
    sync(node)
    assert len(node.zones()) == 101
    assert node.zone("known.example")["serial"] == 2, "behind them all: what is known is taken nevertheless"
    assert peer_of(node)["capped"] >= 9900
    held = node.api("/api/v1/held")["held"]
    assert [(entry["kind"], entry["subject"]) for entry in held] == [("peer_zones", predecessor.url)]
    node.ctl("discard", str(held[0]["id"]), check=0)
    assert len(node.zones()) == 101


@pytest.mark.row("X06", fault="a peer names unknown peers",
                 injected="a trap, a URL with a login, file:",
                 required="0 connections")
def test_x06_a_peer_that_peers_name_is_not_asked(node, predecessor):
    stranger = trap()
    predecessor.peers = [stranger.url, "http://user:password@127.0.0.1:1", "file:///etc/passwd"]
    try:
        for _ in range(3):
            sync(node)
        assert stranger.requests == []
        assert len(node.status()["peer_sync"]["peers"]) == 1
    finally:
        stranger.close()


@pytest.mark.row("X06", fault="a peer names a peer, and discover is on",
                 injected="a trap",
                 required="asked without credentials, never handed on")
def test_c8_discovered_peers_get_no_credentials(install, predecessor):
    stranger = trap()
    predecessor.peers = [stranger.url + "/", "http://user:password@127.0.0.1:1", "file:///etc/passwd", 7]
    zonefan = alone(install, predecessor, discover=True)
    try:
        for _ in range(2):
            sync(zonefan)
        assert stranger.requests and all(authorization is None for _, _, authorization in stranger.requests)
        assert [peer["url"] for peer in zonefan.status()["peer_sync"]["peers"]] == [predecessor.url, stranger.url]
        assert zonefan.api("/internal/peers") == [predecessor.url], "what was learnt is not handed on"
    finally:
        stranger.close()


@pytest.mark.row("X06", fault="the list is redirected to another host",
                 injected="302",
                 required="not followed; 0 connections")
def test_c8_a_redirect_takes_no_credentials_along(node, predecessor):
    stranger = trap()
    predecessor.say["/internal/zones"] = lambda handler, query: (302, {"Location": f"{stranger.url}/internal/zones"}, b"")
    try:
        for _ in range(3):
            sync(node)
        assert stranger.requests == []
        assert "redirect" in peer_of(node)["last_error"]
    finally:
        stranger.close()


@pytest.mark.row("X01", fault="a peer answers 500 again and again",
                 injected="five passes",
                 required="degraded after three, told once each way")
def test_three_failures_degrade_and_recovery_is_noted(node, predecessor):
    predecessor.say["/internal/zones"] = lambda handler, query: (500, {}, b"{}")
    for failures in range(1, 6):
        status = sync(node)
        assert status["peers"][0]["consecutive_failures"] == failures
        assert status["peers"][0]["healthy"] == (failures < 3)
        assert (status["total"], status["healthy"], status["degraded"]) == ((1, 1, 0) if failures < 3 else (1, 0, 1))
    assert len(events(node, "peer_degraded")) == 1
    predecessor.say.clear()
    status = sync(node)
    assert status["peers"][0]["healthy"] and status["peers"][0]["consecutive_failures"] == 0
    assert len(events(node, "peer_recovered")) == 1


@pytest.mark.row("X01", fault="a zone's text is none",
                 injected="one of two zones",
                 required="the other is taken; it is not asked again")
def test_a_text_that_is_none_is_left(node, predecessor):
    predecessor.push("broken.example", "this is no zone")
    predecessor.push("good.example", da_zone("good.example", 1))
    sync(node)
    assert list(node.zones()) == ["good.example"]
    asked = len([1 for path, query, _ in predecessor.server.requests if query.get("domain") == "broken.example"])
    assert asked == 1 and len(events(node, "peer_refused")) == 1
    sync(node)
    assert len([1 for path, query, _ in predecessor.server.requests if query.get("domain") == "broken.example"]) == 1


@pytest.mark.row("X02", fault="bytes that are no UTF-8",
                 injected="in a TXT, between two zonefans",
                 required="the same digest at both")
def test_bytes_that_are_no_utf8_travel(install):
    one, other = two(install)
    text = da_zone("latin.example", 1).encode() + b'odd\t60\tIN\tTXT\t"caf\xe9 \\\xe9"\n'
    one.da().push_ok("latin.example", text)
    sync(other)
    assert other.zone("latin.example")["digest"] == one.zone("latin.example")["digest"]


# ---- who may ask ----

def test_the_peers_login_may_exchange_and_nothing_else(node):
    from zf.da import DA
    peer = DA(node.port, "peersync", SECRET)
    assert peer.get("/internal/zones").status == 200
    assert peer.get("/internal/peers").status == 200
    for path in ("/status", "/api/v1/zones", "/api/v1/events"):
        assert peer.get(path).status == 403
    assert peer.push("x.example", da_zone("x.example", 1)).error != "0"
    assert DA(node.port, "peersync", "wrong").get("/internal/zones").status == 401
    assert node.zones() == {}


def test_peers_are_shown_and_asked_on_order(node, predecessor):
    predecessor.push("new.example", da_zone("new.example", 1))
    shown = node.ctl("peers", check=0).stdout
    assert predecessor.url in shown and "directdnsonly" in shown and "good" in shown
    node.ctl("peers", "sync", "--no-wait", check=0)
    wait_for(lambda: "new.example" in node.zones(), 30, "the pass brings it")
    wait_for(lambda: peer_of(node)["taken"] == 1, 30, "it is counted")
    assert json.loads(node.ctl("--json", "peers", check=0).stdout)["peers"][0]["taken"] == 1
    predecessor.say["/internal/zones"] = (500, {}, b"")
    assert "500" in node.ctl("peers", "sync", check=2).stdout
    node.ctl("peers", "everything", check=64)


def test_a_pass_that_a_restart_ended_is_not_waited_for(node, predecessor):
    asked, released = threading.Event(), threading.Event()

    def hold(handler, query):
        asked.set()
        released.wait(30)
    predecessor.say["/internal/zones"] = hold

    def release():
        released.set()
        del predecessor.say["/internal/zones"]
    assert_told_of_the_restart(node, ("peers", "sync"), asked, release, lambda: node.status()["peer_sync"]["passed"] == 1)


def test_without_peers_an_order_is_refused(zonefan):
    refused = zonefan.ctl("peers", "sync")
    assert refused.returncode == 1 and "peer sync is not switched on" in refused.stderr
    assert "not switched on" in zonefan.ctl("peers", check=0).stdout


def test_without_peers_nothing_is_kept_of_versions(install, dcs):
    import sqlite3
    zonefan = install(dcs)
    for version in (1, 1, 2):
        zonefan.da().push_ok("plain.example", da_zone("plain.example", version))
    zonefan.da().delete_ok("plain.example")
    zonefan.da().delete_ok("never.example")
    zonefan.wait_converged()
    zonefan.stop()
    with sqlite3.connect(zonefan.store) as store:
        assert store.execute("SELECT count(*) FROM zone_version").fetchone() == (0,)
        assert store.execute("SELECT count(*) FROM zone").fetchone() == (1,)
