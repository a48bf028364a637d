# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md 4.4, H01: slow clients, all at once, in every part of a request and of its answer. Each is gone by its deadline,
memory stays bounded, and whoever pushes meanwhile is answered.
"""
import pytest
from zf.attack import Attack
from zf.load import RELEASE, Cost, Master, assert_undelayed, calm
from zf.wait import wait_for
from zf.zones import da_zone

# header, body, connection: seconds
SHORT, LONG = (1, 2, 4), (10, 30, 60)
GROWN_MB = 32


def slow_kinds(da, deadlines):
    """Kind of Attack, what it sends, and the times between which the server ends it."""
    header, body, connection = deadlines
    raw = da.build("POST", "/CMD_API_DNS_ADMIN?action=rawsave&domain=slow.example&hostname=h", da_zone("slow.example").encode())
    chunks = raw[:raw.index(b"Content-Length")] + b"Transfer-Encoding: chunked\r\n\r\n"
    lists = da.build("GET", "/api/v1/zones") * 40
    return {
        "headers": ("drip", {"first": raw[:20], "drop": "x"}, header, header),
        "body": ("drip", {"first": raw[:raw.index(b"\r\n\r\n") + 10], "drop": "x"}, body, body),
        "chunks": ("drip", {"first": chunks, "drop": "1\r\nx\r\n"}, body, body),
        "nothing": ("drip", {"first": "", "drop": "", "drops": 0}, header, header),
        "answer": ("lazy", {"first": lists}, connection, connection),
    }


def row(kind, injected):
    return pytest.param(kind, marks=pytest.mark.row(
        "H01", fault=f"slow clients: {kind}", injected=injected,
        required="each gone <= deadline + 2 s, pushes answered with p99 <= 2 times the undisturbed, RSS <= +32 MB"), id=kind)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", [
    row("headers", "a byte of the head every 0.5 s"), row("body", "a byte of the body every 0.5 s"),
    row("chunks", "a chunk of a byte every 0.5 s"), row("nothing", "connected, no byte ever"),
    row("answer", "40 requests for a list of zones, no byte of the answers is read")])
def test_slow_clients(install, dcs, times, happened, kind):
    deadlines = times(SHORT, LONG)
    count = times(20, 1000)
    app = dict(zip(("header_deadline_ms", "body_deadline_ms", "connection_deadline_ms"), (1000 * s for s in deadlines)))
    zonefan = install(dcs, config={"app": {**app, "max_connections": 1500, "max_connections_per_address": 1500}}, start=False)
    zonefan.start(env=calm(zonefan))
    da = zonefan.da(version="1.1")
    if kind == "answer":
        for i in range(20):
            da.push_ok(f"listed{i}.example", da_zone(f"listed{i}.example"))
    attack_kind, how, least, most = slow_kinds(da, deadlines)[kind]
    with Master(zonefan.da(), zones=20, pause=times(0.1, 0.02)) as undisturbed:
        wait_for(lambda: len(undisturbed.seconds) >= times(10, 500), 120, "pushes without slow clients")
    undisturbed.assert_served()
    with Cost(zonefan) as cost, Master(zonefan.da(), zones=20, pause=times(0.1, 0.02)) as master:
        with Attack(attack_kind, zonefan.port, count=count, pause=0.5, rate=times(0, 200), **how) as attack:
            fates = attack.finish()["fates"]
    master.assert_served()
    lives = sorted(seconds for seconds, _ in fates)
    assert len(lives) == count
    assert lives[0] >= 0.8 * least, f"one was ended after {lives[0]} s"
    assert lives[-1] <= (most + 2 if RELEASE else 3 * (most + 2)), f"one lived for {lives[-1]} s"
    if attack_kind == "drip":
        wanted = {0} if kind == "nothing" else {408}
        assert {status for _, status in fates} == wanted
    assert_undelayed(zonefan.da(), master, undisturbed)
    assert cost.grown_mb <= GROWN_MB * (1 if RELEASE else 3), f"RSS grew by {cost.grown_mb} MB"
    happened(f"gone after {lives[0]} to {lives[-1]} s, {len(master.seconds)} of {len(master.seconds)} pushes answered",
             times=count, acknowledged=len(master.seconds), p99_ms=master.p99_ms(), undisturbed_p99_ms=undisturbed.p99_ms(),
             rss_mb=cost.grown_mb)


@pytest.mark.row("H01", fault="bodies that come in pieces of a byte, from many at once",
                 injected="each byte in a packet of its own", required="memory in proportion to the bytes: RSS <= +32 MB")
def test_bodies_in_pieces(install, dcs, times, happened):
    """What is read by itself must not keep a block of its own: 300,000 bytes were 300 MB."""
    zonefan = install(dcs[:1], start=False)
    zonefan.start(env=calm(zonefan))
    da = zonefan.da(version="1.1")
    first = da.build("POST", "/CMD_API_DNS_ADMIN?action=rawsave&domain=pieces.example&hostname=h", b"x" * 100_000)[:-100_000]
    with Cost(zonefan) as cost, Attack("drip", zonefan.port, count=50, first=first, drop="x", pause=0, drops=times(800, 6000)) as attack:
        attack.wait_ready()
        attack.finish()
    assert cost.grown_mb <= GROWN_MB, f"RSS grew by {cost.grown_mb} MB"
    da.push_ok("pieces.example", da_zone("pieces.example"))
    happened(f"RSS +{cost.grown_mb} MB for {50 * times(800, 6000)} bytes", times=50 * times(800, 6000), rss_mb=cost.grown_mb)


@pytest.mark.row("H01", fault="long answers that are not read, more than memory is meant for",
                 injected="40 clients with a login ask for lists of 100 KB and read nothing; app.max_inflight_bytes: 1 MiB",
                 required="the next long answer is 503, pushes are answered; when they are gone lists are given again")
def test_answers_are_bounded(install, dcs, happened):
    zonefan = install(dcs[:1], config={"app": {"max_body_bytes": 1 << 20, "max_inflight_bytes": 1 << 20, "connection_deadline_ms": 8000}})
    da = zonefan.da(version="1.1")
    for i in range(400):
        da.push_ok(f"{'long' * 10}{i}.{'name' * 10}.example", da_zone(f"{'long' * 10}{i}.{'name' * 10}.example"))
    assert len(da.get("/api/v1/zones").body) > 100_000
    with Attack("lazy", zonefan.port, count=40, first=da.build("GET", "/api/v1/zones") * 4, pause=0.5) as attack:
        attack.wait_ready()
        wait_for(lambda: da.get("/api/v1/zones").status == 503, 30, "long answers are refused")
        da.push_ok("short.example", da_zone("short.example"))
        attack.finish()
    wait_for(lambda: da.get("/api/v1/zones").status == 200, 30, "long answers are given again")
    happened("503 while they were there; pushes answered; 200 afterwards", times=40)


@pytest.mark.row("H01", fault="bodies for a page that needs no login", injected="POST /healthz with a body of a megabyte, and in chunks",
                 required="401 before the body is read: nobody fills memory without a login")
def test_no_body_without_a_login(shared, happened):
    da = shared.zonefan.da(version="1.1")
    da.auth = "none"
    for framing in ("Content-Length: 1000000", "Transfer-Encoding: chunked"):
        answer = da.exchange(f"POST /healthz HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n".encode())
        assert answer.status == 401, answer
    assert da.request("POST", "/healthz", b"").status == 404
    happened("401 to both", times=2)
