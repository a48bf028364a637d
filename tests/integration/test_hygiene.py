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

def chunked(framing):
    return [HOST, "Transfer-Encoding: chunked"], framing


CHUNK = b"%x\r\n%s\r\n" % (len(BODY), BODY)
LAST = b"0\r\n\r\n"

# Header lines behind the login, and what follows the head.
ODD = {
    "two equal lengths": ([HOST, SIZE, SIZE], BODY),
    "two unlike lengths": ([HOST, SIZE, "Content-Length: 5"], BODY),
    "length with a sign": ([HOST, f"Content-Length: +{len(BODY)}"], BODY),
    "length with a comma": ([HOST, f"Content-Length: {len(BODY)}, {len(BODY)}"], BODY),
    "length with a blank inside": ([HOST, "Content-Length: 5 5"], BODY),
    "length in hex": ([HOST, "Content-Length: 0x5"], BODY),
    "length with an exponent": ([HOST, "Content-Length: 1e1"], BODY),
    "empty length": ([HOST, "Content-Length:"], BODY),
    "negative length": ([HOST, "Content-Length: -1"], BODY),
    "length beyond 63 bits": ([HOST, "Content-Length: 9223372036854775808"], BODY),
    "length beyond 64 bits that wraps to a small one": ([HOST, f"Content-Length: {(1 << 64) + len(BODY)}"], BODY),
    "blank before the colon of a length": ([HOST, f"Content-Length : {len(BODY)}"], BODY),
    "both framings": ([HOST, SIZE, "Transfer-Encoding: chunked"], LAST),
    "both framings, the coding first": ([HOST, "Transfer-Encoding: chunked", "Content-Length: 0"], CHUNK + LAST),
    "unknown coding": ([HOST, "Transfer-Encoding: xchunked"], LAST),
    "two codings": ([HOST, "Transfer-Encoding: gzip, chunked"], LAST),
    "chunked twice in a line": ([HOST, "Transfer-Encoding: chunked, chunked"], CHUNK + LAST),
    "chunked in two lines": ([HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], CHUNK + LAST),
    "chunked, then identity": ([HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: identity"], CHUNK + LAST),
    "identity": ([HOST, "Transfer-Encoding: identity", SIZE], BODY),
    "coding in another case": ([HOST, "Transfer-Encoding: Chunked"], CHUNK + LAST),
    "coding behind a vertical tab": ([HOST, "Transfer-Encoding: \x0bchunked"], CHUNK + LAST),
    "coding in quotes": ([HOST, 'Transfer-Encoding: "chunked"'], CHUNK + LAST),
    "coding with a parameter": ([HOST, "Transfer-Encoding: chunked;q=1"], CHUNK + LAST),
    "blank before the colon of a coding": ([HOST, "Transfer-Encoding : chunked"], CHUNK + LAST),
    "coding in a folded line": ([HOST, "Transfer-Encoding:\r\n chunked"], CHUNK + LAST),
    "chunk size in hex notation": chunked(b"0x" + CHUNK + LAST),
    "chunk size with a sign": chunked(b"+" + CHUNK + LAST),
    "negative chunk size": chunked(b"-1\r\n" + LAST),
    "chunk size behind a blank": chunked(b" " + CHUNK + LAST),
    "chunk size before a blank": chunked(CHUNK.replace(b"\r\n", b" \r\n", 1) + LAST),
    "chunk size of 17 digits that wraps": chunked(b"1%016x\r\n%s\r\n" % (len(BODY), BODY) + LAST),
    "empty chunk size": chunked(b"\r\n" + LAST),
    "chunk with an extension": chunked(CHUNK.replace(b"\r\n", b";a=b\r\n", 1) + LAST),
    "chunk longer than its size": chunked(b"5\r\n" + BODY + b"\r\n" + LAST),
    "chunk line that ends without CR": chunked(CHUNK.replace(b"\r\n", b"\n", 1) + LAST),
    "trailer": chunked(CHUNK + b"0\r\nContent-Length: 5\r\n\r\n"),
    "two hosts": ([HOST, "Host: other", SIZE], BODY),
    "two logins": ([HOST, "Authorization: Basic AAAA", SIZE], BODY),
    "empty header name": ([HOST, ": x", SIZE], BODY),
    "header without a colon": ([HOST, "Nonsense", SIZE], BODY),
    "header name beyond ASCII": ([HOST, "Caf\xe9: x", SIZE], BODY),
    "NUL in a value": ([HOST, "X: a\0b", SIZE], BODY),
    "NUL in a name": ([HOST, "X\0Y: a", SIZE], BODY),
    "CR in a value": ([HOST, "X: a\rTransfer-Encoding: chunked", SIZE], BODY),
    "folded header": ([HOST, "X: a\r\n b", SIZE], BODY),
    "folded behind a tab": ([HOST, "X: a\r\n\tb", SIZE], BODY),
    "bare line feed": ([HOST, "X: a\nY: b", SIZE], BODY),
    "bare line feed that would end the head": ([HOST, "X: a\n", SIZE], BODY),
    "101 headers": ([HOST, *[f"X{i}: a" for i in range(100)], SIZE], BODY),
    "3,000 headers": ([HOST, *["X: a"] * 3000, SIZE], BODY),
    "headers of 16 KiB and one byte": ([HOST, "X: " + "a" * 16 * 1024, SIZE], BODY),
}

# Request lines; what follows is a good head and body.
PUSH = f"/CMD_API_DNS_ADMIN?action=rawsave&domain={ZONE}&hostname=h"
ODD_LINES = {
    "absolute URI": (f"POST http://h{PUSH} HTTP/1.1", 400),
    "authority for CONNECT": ("CONNECT h:80 HTTP/1.1", 405),
    "asterisk": ("POST * HTTP/1.1", 400),
    "fragment": (f"POST /a#b{PUSH} HTTP/1.1", 400),
    "NUL in the target": (f"POST {PUSH}\0 HTTP/1.1", 400),
    "two blanks before the target": (f"POST  {PUSH} HTTP/1.1", 400),
    "tab before the target": (f"POST\t{PUSH} HTTP/1.1", 400),
    "blank in the target of a POST": (f"POST {PUSH}&a=b c HTTP/1.1", 400),
    "blank behind the version": (f"POST {PUSH} HTTP/1.1 ", 505),
    "method in small letters": (f"post {PUSH} HTTP/1.1", 405),
    "PUT": (f"PUT {PUSH} HTTP/1.1", 405),
    "a body with a GET": (f"GET {PUSH} HTTP/1.1", 400),
    "HTTP/1.2": (f"POST {PUSH} HTTP/1.2", 505),
    "HTTP/2.0": (f"POST {PUSH} HTTP/2.0", 505),
    "HTTP/01.1": (f"POST {PUSH} HTTP/01.1", 505),
    "http/1.1": (f"POST {PUSH} http/1.1", 400),
    "no version": (f"POST {PUSH}", 400),
    "a target of 8 KiB and one byte": (f"POST {PUSH}&a={'a' * (8 * 1024 + 1 - len(PUSH) - 3)} HTTP/1.1", 400),
    "blank before the method": (f" POST {PUSH} HTTP/1.1", 400),
}


def refused(kinds):
    """Each with its line in the report."""
    return [pytest.param(kind, id=kind, marks=pytest.mark.row(
        "H06", fault=f"framing: {kind}", injected="one request, behind it a login on the same connection",
        required="one refusal, then closed; no byte behind it is parsed, nothing is stored")) for kind in kinds]


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


def assert_refused(da, raw, status):
    """The only answer, whatever lies behind; and the zone in it was not taken."""
    trap = da.build("GET", "/CMD_API_LOGIN_TEST", headers=["Connection: close"])
    data = exchange_all(da, raw + trap)
    assert b"Login" not in data, f"the bytes behind the refusal were parsed: {data!r}"
    assert data.startswith(b"HTTP/1.1 %d " % status) and b"error=1" in data and b"Connection: close" in data, data
    assert data.count(b"HTTP/1.") == 1, data
    assert da.exists(ZONE).fields["exists"] == "0", "the zone of a refused request was taken"


@pytest.mark.parametrize("kind", refused(ODD))
def test_odd_request_is_refused_and_closed(shared, happened, kind):
    da = shared.zonefan.da(version="1.1")
    lines, body = ODD[kind]
    status = 413 if "beyond" in kind and "bits" in kind else 400
    assert_refused(da, head(da, *lines) + body, status)
    happened(f"{status} and closed")


@pytest.mark.parametrize("kind", refused(ODD_LINES))
def test_odd_request_line_is_refused_and_closed(shared, happened, kind):
    da = shared.zonefan.da(version="1.1")
    line, status = ODD_LINES[kind]
    raw = f"{line}\r\nAuthorization: {da.auth}\r\n{HOST}\r\n{SIZE}\r\n\r\n".encode("latin-1") + BODY
    assert_refused(da, raw, status)
    happened(f"{status} and closed")


@pytest.mark.parametrize("kind", refused(["chunked on HTTP/1.0"]))
def test_odd_old_request(shared, happened, kind):
    da = shared.zonefan.da()
    assert_refused(da, head(da, HOST, "Transfer-Encoding: chunked", version="1.0") + CHUNK + LAST, 400)
    happened("400 and closed")


NO_HTTP = {
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "the HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "blank lines and nothing else": (b"\r\n\r\n\r\n\r\n", 0),
    "more blank lines than a client sends": (b"\r\n" * 9, 400),
    "HEAD": (b"HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    "TRACE": (b"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    "OPTIONS": (b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 405),
    "an unknown expectation": (b"POST /healthz HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx", 417),
    "a header line of 100 KB": (b"GET / HTTP/1.1\r\n" + b"A" * 100_000 + b"\r\n\r\n", 400),
    "random bytes": (bytes(range(255, -1, -1)) * 4, 400),
}


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind, marks=pytest.mark.row(
    "H10", fault=f"on the plain port: {kind}", injected="these bytes, then the end",
    required="a defined answer or a close within 10 s; the next request is served")) for kind in NO_HTTP])
def test_no_http_at_all(shared, happened, bar, kind):
    """A defined answer or a close; no hang, and the next request is served."""
    da = shared.zonefan.da()
    raw, status = NO_HTTP[kind]
    began = time.monotonic()
    data = b""
    with socket.create_connection(da.address, timeout=30) as sock:
        try:
            sock.sendall(raw)
            sock.shutdown(socket.SHUT_WR)
            while more := sock.recv(65536):
                data += more
        except ConnectionError:
            pass
    assert data.startswith(b"HTTP/1.1 %d " % status) if status else data == b"", data
    assert status != 405 or b"Allow: GET, POST\r\n" in data, data
    assert kind != "HEAD" or data.endswith(b"\r\n\r\n"), "an answer to HEAD has no body"
    took = time.monotonic() - began
    assert took < 30
    assert da.login_test().error == "0"
    happened(f"{status or 'closed without a word'}, after {took:.2f} s")
    bar("seconds until answered or closed", took, 10)


@pytest.mark.row("H10", fault="1,000 requests in one go on one connection", injected="pipelined, all before the first answer is read",
                 required="all answered, in their order")
def test_pipelining(shared, times, happened):
    da = shared.zonefan.da(version="1.1")
    count = times(200, 1000)
    raw = b"".join(da.build("GET", f"/CMD_API_DNS_ADMIN?action=exists&domain=p{i}.example") if i % 2 == 0 else
                   da.build("POST", f"/CMD_API_DNS_ADMIN?action=nonsense{i}", b"x" * 100) for i in range(count - 1))
    raw += da.build("GET", "/healthz", headers=["Connection: close"])
    data = exchange_all(da, raw)
    answers = data.split(b"HTTP/1.1 ")[1:]
    assert len(answers) == count and all(answer.startswith(b"200") for answer in answers), data[-500:]
    assert [b"exists" in answer for answer in answers[:-1]] == [i % 2 == 0 for i in range(count - 1)]
    assert answers[-1].endswith(b"ok\n")
    happened(f"{count} answered in order", times=count)


@pytest.mark.row("H10", fault="one connection kept for ever", injected="a request every 20 ms on the same connection",
                 required="ended within its deadline, with an answer that says so, none cut off")
def test_keep_alive_ends(install, dcs, happened):
    zonefan = install(dcs[:1], config={"app": {"connection_deadline_ms": 8000}})
    da = zonefan.da(version="1.1")
    began = time.monotonic()
    count = 0
    with socket.create_connection(da.address, timeout=20) as sock:
        while True:
            sock.sendall(da.build("GET", "/CMD_API_LOGIN_TEST"))
            answer = da.read(sock)
            assert answer.error == "0", answer
            count += 1
            if answer.headers.get("connection") == "close":
                break
            time.sleep(0.02)  # the pace of a client that works
        assert sock.recv(100) == b""
    lived = time.monotonic() - began
    assert 3.9 <= lived <= 12
    happened(f"{count} answered, then told to close after {lived:.1f} s", times=count)


@pytest.mark.row("H04", fault="a body one byte over the limit", injected="20,001 bytes where 20,000 may be", required="413 with error=1, closed; the limit itself is taken")
@pytest.mark.row("H04", fault="a Content-Length of 93 GB", injected="the head alone", required="413 at once, not after the body")
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


@pytest.mark.row("H01", fault="slow clients that dribble as fast as they can", injected="20 in the head, 20 in a body, a byte every 0.1 s",
                 required="dropped by absolute deadlines; a push meanwhile is answered")
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


@pytest.mark.row("H02", fault="more connections than the cap", injected="60 idle ones where 30 may be",
                 required="those without a login go first, pushes get in")
def test_connection_cap(install, dcs):
    """H02, decisions.md 14: at the cap unauthenticated connections go first; a real push still gets in."""
    zonefan = install(dcs, config={"app": {"max_connections": 30, "max_connections_per_address": 30}})
    da = zonefan.da()
    idle = [socket.create_connection(da.address, timeout=10) for _ in range(60)]
    for sock in idle:
        sock.sendall(b"G")  # or the kernel would keep them
    for i in range(5):
        da.push_ok(f"cap{i}.example", da_zone(f"cap{i}.example"))
    for sock in idle:
        sock.close()
    wait_for(lambda: da.login_test().error == "0", 10, "login after the crowd has left")
