# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "the header hygiene of reliability.md 10.1 (L2-L7); over a limit, a clear answer and the connection closed";
decisions.md 14 and 25: one request per oddity of L2 and L3, each with its expected answer. After a refusal no byte
of the connection is parsed any more.
"""
import socket
import struct
import time

import pytest
from zf.wait import wait_for
from zf.zones import da_zone

ZONE = "smuggled.example"


def head(da, *lines, method="POST", target=None, version="1.1"):
    target = target or f"/CMD_API_DNS_ADMIN?action=rawsave&domain={ZONE}&hostname=h"
    return ("\r\n".join([f"{method} {target} HTTP/{version}", f"Authorization: {da.auth}", *lines]) + "\r\n\r\n").encode(
        "latin-1")


BODY = da_zone(ZONE).encode()
SIZE = f"Content-Length: {len(BODY)}"
HOST = "Host: h"

ODD = {
    "two equal lengths": ([HOST, SIZE, SIZE], BODY),
    "two unlike lengths": ([HOST, SIZE, "Content-Length: 5"], BODY),
    "length with a sign": ([HOST, f"Content-Length: +{len(BODY)}"], BODY),
    "length with a comma": ([HOST, f"Content-Length: {len(BODY)}, {len(BODY)}"], BODY),
    "length in hex": ([HOST, "Content-Length: 0x5"], BODY),
    "negative length": ([HOST, "Content-Length: -1"], BODY),
    "length beyond 63 bits": ([HOST, "Content-Length: 9223372036854775808"], BODY),
    "space before the colon": ([HOST, f"Content-Length : {len(BODY)}"], BODY),
    "both framings": ([HOST, SIZE, "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
    "unknown coding": ([HOST, "Transfer-Encoding: xchunked"], b"0\r\n\r\n"),
    "two codings": ([HOST, "Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n"),
    "chunk size in hex notation": ([HOST, "Transfer-Encoding: chunked"], b"0x%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "chunk size with a sign": ([HOST, "Transfer-Encoding: chunked"], b"+%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "chunk size with a blank": ([HOST, "Transfer-Encoding: chunked"], b" %x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)),
    "two hosts": ([HOST, "Host: other", SIZE], BODY),
    "empty header name": ([HOST, ": x", SIZE], BODY),
    "NUL in a value": ([HOST, "X: a\0b", SIZE], BODY),
    "folded header": ([HOST, "X: a\r\n b", SIZE], BODY),
    "bare line feed": ([HOST, "X: a\nY: b", SIZE], BODY),
}


def exchange_all(da, raw):
    """Everything that the server sends until it closes."""
    with socket.create_connection(da.address, timeout=20) as sock:
        try:
            sock.sendall(raw)
        except ConnectionError:
            pass
        data = b""
        while True:
            try:
                more = sock.recv(65536)
            except ConnectionError:
                return data
            if not more:
                return data
            data += more


@pytest.mark.parametrize("kind", list(ODD))
def test_odd_request_is_refused_and_closed(shared, kind):
    da = shared.zonefan.da(version="1.1")
    lines, body = ODD[kind]
    trap = da.build("GET", "/CMD_API_LOGIN_TEST", headers=["Connection: close"])
    data = exchange_all(da, head(da, *lines) + body + trap)
    assert b"Login" not in data, f"the bytes behind the refusal were parsed: {data!r}"
    assert not data or data.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 501")), data
    assert data.count(b"HTTP/1.") <= 1, data
    assert da.exists(ZONE).fields["exists"] == "0", "the zone of a refused request was taken"


@pytest.mark.parametrize("kind", ["chunked on HTTP/1.0", "absolute URI"])
def test_odd_old_request(shared, kind):
    da = shared.zonefan.da()
    if kind == "absolute URI":
        raw = head(da, HOST, SIZE, target=f"http://h/CMD_API_DNS_ADMIN?action=rawsave&domain={ZONE}") + BODY
    else:
        raw = head(da, HOST, "Transfer-Encoding: chunked", version="1.0") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    data = exchange_all(da, raw)
    assert not data or data.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), data
    assert da.exists(ZONE).fields["exists"] == "0"


@pytest.mark.parametrize("raw", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                 b"GET /\r\n\r\n", b"\r\n\r\n\r\n\r\n", b"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n",
                                 b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A" * 100_000 + b"\r\n\r\n"],
                         ids=["tls", "http2", "http09", "blank", "trace", "options", "long header"])
def test_no_http_at_all(shared, raw):
    """A defined answer or a close; no hang, and the next request is served."""
    da = shared.zonefan.da()
    with socket.create_connection(da.address, timeout=40) as sock:
        try:
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        except ConnectionError:
            pass
    assert da.login_test().error == "0"


def test_body_over_the_limit(install, dcs):
    """H04: one byte over the limit is refused, the limit itself is not; and it closes."""
    zonefan = install(dcs, config={"app": {"max_body_bytes": 20_000}})
    da = zonefan.da()
    text = da_zone("limit.example")
    fits = text + "\n" * (20_000 - len(text))
    assert da.push("limit.example", fits).error == "0"
    raw = da.build("POST", "/CMD_API_DNS_ADMIN?action=rawsave&domain=limit.example&hostname=h", (fits + "\n").encode())
    data = exchange_all(da, raw)
    assert data.split(b" ")[1] == b"413" and b"error=1" in data, data
    announced = head(da, HOST, "Content-Length: 99999999999")
    started = time.monotonic()
    data = exchange_all(da, announced)
    assert not data or data.split(b" ")[1] in (b"413", b"400"), data
    assert time.monotonic() - started < 10, "it waited for a body that it will not take"


def test_slow_clients_are_dropped(install, dcs):
    """H01: absolute deadlines, however busily the client dribbles; real pushes go on meanwhile."""
    zonefan = install(dcs, config={"app": {"header_deadline_ms": 1000, "body_deadline_ms": 2000,
                                           "connection_deadline_ms": 4000}})
    da = zonefan.da()
    raw = da.build("POST", "/CMD_API_DNS_ADMIN?action=rawsave&domain=slow.example&hostname=h", da_zone("slow.example").encode())
    cases = {"in the headers": raw[:20], "in the body": raw[:raw.index(b"\r\n\r\n") + 10]}
    for where, first in cases.items():
        socks = []
        for _ in range(20):
            sock = socket.create_connection(da.address, timeout=10)
            sock.sendall(first)
            socks.append(sock)
        closed = set()

        def dribble():
            for i, sock in enumerate(socks):
                if i in closed:
                    continue
                try:
                    sock.sendall(b"x")
                    sock.setblocking(False)
                    try:
                        if sock.recv(1000) == b"":
                            closed.add(i)
                    except BlockingIOError:
                        pass
                    sock.setblocking(True)
                except OSError:
                    closed.add(i)
            return len(closed) == len(socks)
        wait_for(dribble, 20, lambda: f"slow clients {where}: {len(closed)} of 20 dropped", interval=0.1)
        da.push_ok("good.example", da_zone("good.example"))
        for sock in socks:
            sock.close()


def test_connection_cap(install, dcs):
    """H02, decisions.md 14: at the cap unauthenticated connections go first; a real push still gets in."""
    zonefan = install(dcs, config={"app": {"max_connections": 30, "max_connections_per_address": 30}})
    da = zonefan.da()
    idle = [socket.create_connection(da.address, timeout=10) for _ in range(60)]
    for i in range(5):
        da.push_ok(f"cap{i}.example", da_zone(f"cap{i}.example"))
    for sock in idle:
        sock.close()
    wait_for(lambda: da.login_test().error == "0", 10, "login after the crowd has left")


def test_clients_that_leave_early(shared):
    """H05: a client that resets after sending; what was committed stays, nothing breaks."""
    da = shared.zonefan.da()
    for i in range(100):
        zone = f"left{i}.example"
        sock = socket.create_connection(da.address, timeout=10)
        sock.sendall(da.build("POST", f"/CMD_API_DNS_ADMIN?action=rawsave&domain={zone}&hostname=h", da_zone(zone).encode()))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    assert da.login_test().error == "0"
    shared.zonefan.wait_converged()
    assert shared.zonefan.alive()
