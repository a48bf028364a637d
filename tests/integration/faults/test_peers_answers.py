# SPDX-License-Identifier: GPL-3.0-or-later
"""
Peers that answer anything but what was asked, for the list, for one zone and for the list of peers (X01, X06). What a list may be in
one thing wrong: test_peers.py.
"""
import json
import random
import re
import threading

import pytest
from zf.matrix import rows
from zf.oracles import forget_peak, peak_mib, resources, wait_recovered
from zf.peer import Predecessor, trap
from zf.wait import wait_for
from zf.zones import da_zone

MIB = 1 << 20
PEAK_MIB = 64         # judged without sanitizers, which keep what was freed (the group `peers` does it)
GARBAGE = random.Random(5).randbytes(MIB)
NEVER = 10080
LEARNT_MOST = 16      # PEER_LEARNT_MOST of lib/sync/peer.h
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def peer():
    made = Predecessor()
    yield made
    made.close()


@pytest.fixture
def node(install, peer):
    zonefan = install(config={
        "dns": {"backends": {"dc0": {"type": "coredns_mysql", "enabled": True, "host": "127.0.0.1", "port": 9, "database": "dns",
                                     "username": "nobody", "password": "canary-nowhere"}}, "default_backend": "dc0"},
        "peer_sync": {"enabled": True, "interval_minutes": NEVER, "auth_username": "peersync", "auth_password": "canary-peer-own",
                      "peers": [{"url": peer.url, "username": peer.user, "password": peer.password}]}})
    zonefan.secrets += [peer.password, "canary-peer-own"]
    wait_for(lambda: zonefan.status()["peer_sync"]["passed"] >= 1, 30, "the pass at start")
    return zonefan


def sync(zonefan):
    done = zonefan.ctl("peers", "sync", check=None)
    assert done.returncode in (0, 2), done
    return zonefan.status()["peer_sync"]["peers"][0]


def raw(data, pieces=1):
    """These bytes, again and again, then the end of the connection."""
    def say(handler, query):
        try:
            for _ in range(pieces):
                handler.wfile.write(data)
        except OSError:
            pass
    return say


LARGE = {
    "a gigabyte that is announced": raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n" + b" " * MIB, 1024),
    "a gigabyte in one string": raw(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[{"domain": "' + b"a" * MIB, 1024),
    "a gigabyte in chunks": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n" + b"[" * MIB, 1024),
    "headers without end": raw(b"HTTP/1.1 200 OK\r\n" + b"X-More: " + b"x" * 8000 + b"\r\n", 32768),
    "interim answers without end": raw(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 1000, 1024),
}
GARBLED = {
    "random bytes": raw(GARBAGE),
    "random bytes as JSON": lambda handler, query: (200, JSON, GARBAGE),
    "no HTTP at all": raw(b"220 mail.example ESMTP\r\n"),
    "an end before an answer": raw(b""),
    "204": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "a chunk size that is none": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "a body shorter than announced": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[]"),
    "401": lambda handler, query: (401, {}, b"denied"),
    "packed, though nobody asked": lambda handler, query: (200, {**JSON, "Content-Encoding": "gzip"}, b"\x1f\x8b\x08" + GARBAGE[:1000]),
}


def go_through(node, peer, faults, on):
    """Each in a pass of its own; the largest peak of memory. What the peer gives is taken before and after, not between."""
    before, peak = resources(node), 0
    for number, (what, say) in enumerate(faults.items()):
        forget_peak(node)
        name = f"x{number}-{'list' if on == 'the list' else 'zone'}.example"
        peer.zones = {}
        peer.push(name, da_zone(name, 1))
        answers = {"the list": peer.json(200, [{key: value for key, value in peer.zones[name].items() if key != "zone_data"}]),
                   "a zone": peer.json(200, peer.zones[name])}

        def mixed(handler, query, say=say, answers=answers):
            asked = "a zone" if "domain" in query else "the list"
            return say(handler, query) if asked == on else answers[asked]
        peer.say["/internal/zones"] = mixed
        told = sync(node)
        assert name not in node.zones(), f"{what}: taken"
        assert on == "a zone" or told["last_error"], f"{what}: {told}"
        peak = max(peak, peak_mib(node) - before.rss_mib)
        assert before.sanitized or peak < PEAK_MIB, f"{what}: {peak} MiB more than before"
        del peer.say["/internal/zones"]
        sync(node)
        if on == "the list":
            assert name in node.zones(), f"{what}: the next good answer is not taken"
    wait_recovered(node, before, rss_mib=64)
    return peak


@rows("X01", [f"the list: {what}" for what in {**GARBLED, **LARGE}], injected="one answer of a peer",
      required=f"refused whole; the next good one is taken; at most {PEAK_MIB} MiB more")
def test_a_list_that_is_none(node, peer, happened):
    faults = {**GARBLED, **LARGE}
    peak = go_through(node, peer, faults, "the list")
    happened(f"{len(faults)} of {len(faults)} refused", times=len(faults), peak_mib=round(peak))


@rows("X01", [f"a zone: {what}" for what in {**GARBLED, **LARGE}], injected="one answer of a peer to the fetch of a zone",
      required=f"nothing stored; at most {PEAK_MIB} MiB more")
def test_a_zone_that_is_none(node, peer, happened):
    faults = {**GARBLED, **LARGE}
    peak = go_through(node, peer, faults, "a zone")
    happened(f"{len(faults)} of {len(faults)} not stored", times=len(faults), peak_mib=round(peak))


@rows("X01", ["the list comes byte by byte", "a zone comes byte by byte"], injected="a byte each 0.2 s",
      required="pushes and status do not wait for it, nor does a stop")
def test_a_peer_that_drips(node, peer, happened):
    over, reached = threading.Event(), threading.Event()
    name = "slow.example"
    peer.push(name, da_zone(name, 1))

    def drip(handler, query):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        reached.set()
        try:
            while not over.wait(0.2):
                handler.wfile.write(b" ")
        except OSError:
            pass
    try:
        for slow in ("the list", "a zone"):
            reached.clear()
            listed = peer.json(200, [{key: value for key, value in peer.zones[name].items() if key != "zone_data"}])
            peer.say["/internal/zones"] = lambda handler, query, slow=slow, listed=listed: (
                drip(handler, query) if ("domain" in query) == (slow == "a zone") else listed)
            node.ctl("peers", "sync", "--no-wait", check=0)
            assert reached.wait(30), slow
            node.da().push_ok("quick.example", da_zone("quick.example", 1))
            assert node.status()["peer_sync"]["enabled"]
            assert node.term(deadline=20) == 0
            node.start()
    finally:
        over.set()
    assert list(node.zones()) == ["quick.example"]
    happened("2 of 2: pushes taken and stopped in order meanwhile", acknowledged=2)


REDIRECTED = ["the list", "a zone", "the list of peers"]


@rows("X06", [f"{what} is redirected to another host" for what in REDIRECTED], injected="301, 302, 307, 308 with a Location that is a trap",
      required="nobody follows, nobody else sees a request")
def test_redirects_to_other_hosts(install, node, peer, happened):
    stranger = trap()
    node.stop()
    node.configure({"peer_sync": {"discover": True}})
    node.start()
    name = "away.example"
    peer.push(name, da_zone(name, 1))
    listed = peer.json(200, [{key: value for key, value in peer.zones[name].items() if key != "zone_data"}])
    reached = []

    def away(what, status):
        def say(handler, query):
            if what != "the list of peers" and ("domain" in query) != (what == "a zone"):
                return listed
            reached.append(what)
            return status, {"Location": f"{stranger.url}{handler.path}"}, b""
        return say
    try:
        for what in REDIRECTED:
            for status in (301, 302, 307, 308):
                peer.say = {"/internal/peers" if what == "the list of peers" else "/internal/zones": away(what, status)}
                if what == "the list of peers":
                    peer.say["/internal/zones"] = peer.json(200, [])
                sync(node)
        assert set(reached) == set(REDIRECTED)
        assert stranger.requests == [] and node.zones() == {}
    finally:
        stranger.close()
    happened(f"{len(reached)} redirects, 0 followed", times=len(reached))


@pytest.mark.row("X06", fault="the list of peers is garbage, huge, or full of odd addresses", injected="discover on, nine answers",
                 required="no request to anything but what is a plain http address; the peer's zones are taken all the same")
def test_a_list_of_peers_that_is_none(node, peer, happened):
    node.stop()
    node.configure({"peer_sync": {"discover": True}})
    node.start()
    odd = [b"", GARBAGE, b"[" * 200000, json.dumps({"a": 1}).encode(), json.dumps(["x" * 5000]).encode(),
           json.dumps(["gopher://127.0.0.1:1", "http://", "http://a b", "http://127.0.0.1:1/path", 7, None]).encode(),
           json.dumps([f"http://127.0.0.1:{port}" for port in range(1, 20000)]).encode(),
           json.dumps(["http://169.254.169.254/latest/meta-data"]).encode(), b" " * (4 * MIB)]
    for number, body in enumerate(odd):
        name = f"p{number}.example"
        peer.push(name, da_zone(name, 1))
        peer.say = {"/internal/peers": body}
        sync(node)
        assert name in node.zones(), body[:60]
    learnt = [entry["url"] for entry in node.status()["peer_sync"]["peers"] if entry["learnt"]]
    assert len(learnt) <= LEARNT_MOST and all(re.fullmatch(r"http://127\.0\.0\.1:\d+", url) for url in learnt), learnt
    happened(f"{len(odd)} of {len(odd)}: zones taken, {len(learnt)} of 19,999 named peers learnt", times=len(odd))
