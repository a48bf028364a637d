# SPDX-License-Identifier: GPL-3.0-or-later
"""
Masters that answer anything but what was asked: garbage, gigabytes, drips, headers without end, redirects to other hosts, for the list,
for one zone and for the login. Nothing is deleted, nothing odd is stored, memory stays bounded, the others go on.
"""
import json
import random
import socket
import threading

import pytest
from zf.matrix import rows
from zf.oracles import forget_peak, peak_mib, resources, wait_recovered
from zf.peer import trap
from zf.reconcile import conf, fill, of, orphans, reconcile, vanish
from zf.wait import free_port, wait_for
from zf.zones import da_zone, named

LIST, ZONE = "CMD_DNS_ADMIN", "CMD_API_DNS_ADMIN"
MIB = 1 << 20
PEAK_MIB = 192  # a page of 16 MiB, and what it is as JSON in memory; judged without sanitizers (the group `masters` does it)


def raw(data, pieces=1):
    """These bytes, again and again, instead of an answer; then the end."""
    def say(handler):
        try:
            for _ in range(pieces):
                handler.wfile.write(data)
        except OSError:
            pass
        handler.close_connection = True
    return say


def answer(status, body, *headers, kind="application/json"):
    return lambda handler: handler.send(status, body, kind, headers)


def said(path, say):
    def fault(master, handler, where, query):
        if where != path:
            return False
        say(handler)
        return True
    return fault


def page(count):
    """A well-formed page of so many rows."""
    listed = {str(index): {"domain": f"m{index}.example", "local_data": "yes"} for index in range(count)}
    return json.dumps({**listed, "info": {"current_page": "1", "ipp": "1000", "rows": str(count), "total_pages": "1"}})


GARBAGE = random.Random(4).randbytes(MIB)
GIGABYTE = {
    "a gigabyte that is announced": lambda: raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n"
                                                + b" " * MIB, 1024),
    "a gigabyte in chunks": lambda: raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n" + b" " * MIB, 1024),
    "headers without end": lambda: raw(b"HTTP/1.1 200 OK\r\n" + b"X-More: " + b"x" * 8000 + b"\r\n", 32768),
    "one header without end": lambda: raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * MIB, 1024),
    "interim answers without end": lambda: raw(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 1000, 1024),
    "a million zones": lambda: answer(200, page(1000000)),
}
GARBLED = {
    "random bytes": raw(GARBAGE),
    "random bytes as JSON": answer(200, GARBAGE),
    "no HTTP at all": raw(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    "HTTP/0.9": raw(b'{"info": {"rows": "0", "total_pages": "1"}}'),
    "an end before an answer": raw(b""),
    "204": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "206, a part": answer(206, page(3), ("Content-Range", "bytes 0-10/1000")),
    "a chunk size that is none": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "two lengths": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 44\r\n\r\n{}" + b" " * 42),
    "a body shorter than announced": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"),
    "packed, though nobody asked": answer(200, b"\x1f\x8b\x08" + GARBAGE[:1000], ("Content-Encoding", "gzip")),
    "200,000 brackets": answer(200, "[" * 200000),
    "200,000 objects in each other": answer(200, '{"0":' * 200000 + "{}" + "}" * 200000),
    "numbers beyond all": answer(200, '{"0": {"domain": "a.example"}, "info": {"rows": 1e999, "total_pages": 99999999999999999999}}'),
    "pages without end": answer(200, json.dumps({"0": {"domain": "a.example"}, "info": {"rows": "999999999999", "total_pages": "999999999999"}})),
    "NUL in names": answer(200, '{"0": {"domain": "a\\u0000.example"}, "info": {"rows": "1", "total_pages": "1"}}'),
    "a list in another coding": answer(200, page(3).encode("utf-16")),
}


@pytest.fixture
def pair(install, dcs, masters):
    """Two masters with twelve zones each, well known."""
    odd, well = masters(), masters("da2.host.example")
    zonefan = install(dcs[:1], config=conf(odd, well, orphan_passes=2))
    fill(zonefan, odd, named("odd", 12))
    fill(zonefan, well, named("well", 12))
    reconcile(zonefan, code=0)
    vanish(odd, named("odd", 1))  # so that a list that is believed would count it
    return zonefan, odd, well


def go_through(zonefan, master, faults):
    """Each in a pass of its own; the largest peak of memory."""
    before, peak = resources(zonefan), 0
    held = set(zonefan.zones())
    for what, say in faults.items():
        forget_peak(zonefan)
        master.faults = [said(LIST, say() if faults is GIGABYTE else say)]
        entry = of(reconcile(zonefan, code=1), master)
        peak = max(peak, peak_mib(zonefan) - before.rss_mib)
        assert entry["state"] == "unknown" and entry["error"], what
        assert (entry["missing"], entry["deleting"], entry["held"]) == (0, 0, 0), what
        assert before.sanitized or peak < PEAK_MIB, f"{what}: {peak} MiB more than before"
    master.faults = []
    assert set(zonefan.zones()) == held and orphans(zonefan) == {}
    assert of(reconcile(zonefan, code=2), master)["state"] == "ok", "the next good list is taken"
    wait_recovered(zonefan, before, rss_mib=64)
    return peak


@rows("R03", GARBLED, injected="instead of the list, one pass each", required="unknown; 0 deletes; the next good list is taken")
def test_a_list_that_is_garbled(pair, happened):
    zonefan, odd, _ = pair
    peak = go_through(zonefan, odd, GARBLED)
    happened(f"{len(GARBLED)} of {len(GARBLED)} refused, 0 deletes", times=len(GARBLED), peak_mib=round(peak))


@rows("R09", GIGABYTE, injected="instead of the list, one pass each", required=f"cut off; 0 deletes; at most {PEAK_MIB} MiB more")
def test_a_list_of_a_gigabyte(pair, happened):
    zonefan, odd, _ = pair
    peak = go_through(zonefan, odd, GIGABYTE)
    happened(f"{len(GIGABYTE)} of {len(GIGABYTE)} cut off, 0 deletes", times=len(GIGABYTE), peak_mib=round(peak))


TEXTS = {
    "garbage": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + GARBAGE),
    "a gigabyte that is announced": GIGABYTE["a gigabyte that is announced"](),
    "a gigabyte of records": raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"x 60 IN A 192.0.2.1\n" * 50000, 1024),
    "headers without end": GIGABYTE["headers without end"](),
    "$INCLUDE of a file": answer(200, "$TTL 60\n$INCLUDE /etc/passwd\n", kind="text/plain"),
    "an end in the middle": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + da_zone("odd0002.example", 9).encode()),
    "500": answer(500, "no"),
    "206, a part": answer(206, da_zone("odd0002.example", 9)[:-60], ("Content-Range", "bytes 0-10/1000")),
}


@rows("R09", [f"a zone's text: {what}" for what in TEXTS], injected="to the pull of a zone with a newer serial",
      required="nothing of it is stored; another zone of the same pass is, or of the next; memory bounded")
def test_a_text_that_is_garbled(pair, happened):
    zonefan, odd, well = pair
    before, peak = resources(zonefan), 0
    for number, (what, say) in enumerate(TEXTS.items()):
        odd.put("odd0002.example", 10 + number)
        well.put("well0002.example", 10 + number)
        odd.faults = [said(ZONE, say)]
        forget_peak(zonefan)
        reconcile(zonefan)
        peak = max(peak, peak_mib(zonefan) - before.rss_mib)
        assert zonefan.zone("odd0002.example")["serial"] == 1, what
        assert zonefan.zone("well0002.example")["serial"] == 10 + number, f"{what}: the other master's"
        assert before.sanitized or peak < PEAK_MIB, f"{what}: {peak} MiB more than before"
    odd.faults = []
    odd.put("odd0002.example", 99)
    reconcile(zonefan)
    assert zonefan.zone("odd0002.example")["serial"] == 99
    wait_recovered(zonefan, before, rss_mib=64)
    happened(f"{len(TEXTS)} of {len(TEXTS)} not stored", times=len(TEXTS), peak_mib=round(peak))


ELSEWHERE = ["a list", "a zone's text", "the login", "a list, to a file", "a list, to another scheme"]


@rows("R02", [f"{what}, is redirected to another host" for what in ELSEWHERE], injected="302 and 307 with a Location that is a trap",
      required="nobody follows, nobody else sees a request; 0 deletes")
def test_redirects_to_other_hosts(pair, masters, happened):
    zonefan, odd, _ = pair
    stranger = trap()
    reached = []

    def to(path, where):
        def say(handler):
            reached.append(path)
            handler.send(302 if len(reached) % 2 else 307, "", headers=[("Location", where)])
        return said(path, say)
    try:
        for where in (f"{stranger.url}/{LIST}", "file:///etc/passwd", f"gopher://127.0.0.1:{stranger.port}/"):
            for _ in range(2):
                odd.faults = [to(LIST, where)]
                assert of(reconcile(zonefan, code=1), odd)["state"] == "unknown"
        odd.put("odd0003.example", 5)
        odd.faults = [to(ZONE, f"{stranger.url}/{ZONE}?domain=odd0003.example")]
        reconcile(zonefan)
        odd.sessions.clear()  # the redirect of a text made it log in
        odd.style, odd.faults = "evolution", [to("CMD_LOGIN", f"{stranger.url}/CMD_LOGIN")]
        odd.put("odd0003.example", 6)
        assert of(reconcile(zonefan, code=1), odd)["state"] == "unknown"
        assert {LIST, ZONE, "CMD_LOGIN"} <= set(reached)
        assert stranger.requests == [] and zonefan.zone("odd0003.example")["serial"] == 1
        assert len(zonefan.zones()) == 24
    finally:
        stranger.close()
    happened(f"{len(reached)} redirects, 0 followed", times=len(reached))


@pytest.mark.long
@rows("R01", ["a connection that is taken and never answered", "a black hole behind the connect", "a TLS handshake that never ends"],
      injected="three of four masters at once", required="each given up within 60 s; the fourth is served; 0 deletes")
def test_masters_that_say_nothing(install, dcs, masters, happened):
    well = masters()
    silent = [socket.create_server(("127.0.0.1", 0), backlog=1) for _ in range(3)]
    kept, taken = [socket.socket() for _ in range(4)], []
    for sock in kept:  # its backlog is full: the next SYN gets no answer
        sock.setblocking(False)
        sock.connect_ex(silent[1].getsockname())

    def take(server):
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:
                return
    for server in (silent[0], silent[2]):
        threading.Thread(target=take, args=(server,), daemon=True).start()
    settings = conf(well)
    base = settings["reconciliation"]["directadmin_servers"][0]
    settings["reconciliation"]["directadmin_servers"] += [
        {**base, "port": server.getsockname()[1], "identity": f"da{number + 2}.host.example", "ssl": number == 2, "dns_port": free_port()}
        for number, server in enumerate(silent)]
    zonefan = install(dcs[:1], config=settings)
    fill(zonefan, well, named("well", 6))
    vanish(well, named("well", 1))
    well.put("well0003.example", 4)
    zonefan.ctl("reconcile", "--no-wait", check=0)
    wait_for(lambda: (zonefan.status()["reconciler"]["last_run"] or {}).get("pass") == 1, 280, "the pass is over")
    run = zonefan.status()["reconciler"]
    assert [entry["state"] for entry in run["masters"]] == ["ok", "unknown", "unknown", "unknown"], run["masters"]
    assert zonefan.zone("well0003.example")["serial"] == 4 and len(zonefan.zones()) == 6
    seconds = run["last_run"]["duration_seconds"]
    for sock in (*silent, *kept, *taken):
        sock.close()
    happened(f"3 of 3 given up, the pass took {seconds:.0f} s", seconds_of_pass=round(seconds))
