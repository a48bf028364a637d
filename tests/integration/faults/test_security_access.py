# SPDX-License-Identifier: GPL-3.0-or-later
"""
Who reaches the front door, and how (reliability.md 9, H11; SEC S1, S6): TLS of today with a certificate that is looked at before it is
used, listeners side by side with lists of addresses and roles, and a client's address from a trusted proxy alone. What the certificate's
files may be is tried one by one in unit/test_http_tls.c, the front door's other promises over TLS in test_http_door_tls.
"""
import os
import re
import shutil
import socket
import ssl
import subprocess

import pytest
from zf.certificates import hello, trusting
from zf.da import DA
from zf.daemon import BIN
from zf.lone import lone
from zf.wait import free_port
from zf.zones import da_zone

TLS = {"app": {"ssl_enable": True}}


def tls_files(folder, name="good"):
    return {"app": {"ssl_cert": f"{folder}/{name}.pem", "ssl_key": f"{folder}/{name}.key"}}


def run(zonefan, *arguments):
    return subprocess.run([os.path.join(BIN, "zonefand"), "--config", zonefan.config_path, *arguments], capture_output=True, text=True,
                          timeout=60, env=zonefan.environment(), cwd=zonefan.directory, stdin=subprocess.DEVNULL)


def spoken(zonefan, text):
    return [line for line in zonefan.log().splitlines() if text in line]


@pytest.mark.row("H11", fault="clients of TLS that mean something else",
                 injected="TLS 1.0 and 1.1, no forward secrecy, plain HTTP on the TLS port, a CA and a name that do not fit, a stalled handshake",
                 required="1.2 and later alone; each is refused clearly, told with address and reason; pushes go on")
@pytest.mark.row("SEC S1", fault="TLS inbound", injected="app.ssl_enable with a certificate, a plain listener beside it",
                 required="TLS 1.2 and later with forward secrecy; the zone is delivered")
def test_tls(install, dcs, certificates, happened):
    plain = free_port()
    zonefan = install(dcs[:1], start=False, config={"app": {**TLS["app"], **tls_files(certificates)["app"], "header_deadline_ms": 1500,
                                                            "listeners": [{"port": plain, "address": "127.0.0.1"}]}})
    zonefan.tls = trusting(certificates)
    zonefan.start()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        zonefan.da(tls=trusting(certificates, version=version)).push_ok(f"v{version:x}.example", da_zone(f"v{version:x}.example"))
    DA(plain, zonefan.user, zonefan.password).push_ok("plain.example", da_zone("plain.example"))
    stalled = socket.create_connection(("127.0.0.1", zonefan.port), timeout=20)
    stalled.sendall(b"\x16\x03\x01\x02\x00\x01")
    refused = 0
    for old in ("-tls1", "-tls1_1"):
        assert "alert protocol version" in hello(zonefan.port, old)
        refused += 1
    for cipher in ("AES128-GCM-SHA256:@SECLEVEL=0", "ECDHE-RSA-AES256-SHA384:@SECLEVEL=0"):
        assert "handshake failure" in hello(zonefan.port, "-tls1_2", "-cipher", cipher)
        refused += 1
    for context, name in ((trusting(certificates, "other"), "localhost"), (trusting(certificates), "other.example")):
        with socket.create_connection(("127.0.0.1", zonefan.port), timeout=20) as sock, pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(sock, server_hostname=name)
        refused += 1
    answer = zonefan.da(tls=None).login_test()
    assert answer.status == 400 and answer.text == "this port speaks TLS alone: use https", answer
    assert stalled.recv(1) == b"", "a handshake has the time of a head"
    stalled.close()
    lines = spoken(zonefan, "TLS refused")
    assert lines and all("127.0.0.1" in line and "reason" in line for line in lines), lines
    assert sum(int(line.split("times=")[1].split()[0]) for line in lines) <= refused + 1
    zonefan.da().push_ok("after.example", da_zone("after.example"))
    zonefan.wait_converged()
    happened(f"{refused + 1} refused, {len(lines)} lines; 4 pushes delivered", times=refused + 1, acknowledged=4)


CERTIFICATES = {
    "missing": ({"ssl_cert": "/nonexistent.pem"}, "app.ssl_cert: /nonexistent.pem: No such file or directory"),
    "key missing": ({"ssl_key": "/nonexistent.pem"}, "app.ssl_key: /nonexistent.pem: No such file or directory"),
    "key of another": ({"ssl_key": "next.key"}, "it is not the key of the certificate in app.ssl_cert"),
    "no certificate": ({"ssl_cert": "good.key"}, "there is no certificate (PEM) in it"),
    "no chain": ({"ssl_bundle": "torn.pem"}, "app.ssl_bundle: "),
    "a folder": ({"ssl_cert": "."}, "is not a file"),
}


@pytest.mark.row("H11", fault="an own certificate that can't be used", injected="missing, torn, of another key, no certificate, a folder",
                 required="exit 78 at start and by --check, key and file named; one that expired is told, and served")
def test_bad_certificates(install, certificates, tmp_path, happened):
    shutil.copytree(certificates, tmp_path / "tls")
    with open(tmp_path / "tls" / "good.pem", encoding="ascii") as good, open(tmp_path / "tls" / "torn.pem", "w", encoding="ascii") as torn:
        torn.write(good.read()[:300] + "\n-----END CERTIFICATE-----\n")
    for files, message in CERTIFICATES.values():
        settings = {**tls_files(tmp_path / "tls")["app"], **{key: os.path.join(tmp_path, "tls", name) for key, name in files.items()}}
        zonefan = lone(install, config={"app": {**TLS["app"], **settings}})
        for more in ([], ["--check"]):
            done = run(zonefan, *more)
            assert done.returncode == 78 and message in done.stderr, (files, done)
        assert not os.path.exists(zonefan.store)
    zonefan = lone(install, config={"app": {**TLS["app"], **tls_files(certificates, "expired")["app"]}})
    assert run(zonefan, "--check").returncode == 0
    zonefan.tls = ssl.create_default_context()
    zonefan.tls.check_hostname, zonefan.tls.verify_mode = False, ssl.CERT_NONE
    zonefan.start()
    assert spoken(zonefan, "the certificate has expired")
    assert zonefan.da().login_test().status == 200
    with socket.create_connection(("127.0.0.1", zonefan.port), timeout=20) as sock, \
         pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        trusting(certificates).wrap_socket(sock, server_hostname="localhost")
    happened(f"{len(CERTIFICATES)} refused twice, the expired one told", times=2 * len(CERTIFICATES))


@pytest.mark.row("SEC S6", fault="a client says that it is somebody else",
                 injected="X-Forwarded-For, Forwarded, X-Real-IP and Via with another address, from outside and through a trusted proxy",
                 required="from outside all of it is ignored in events, lists and limits; of the proxy X-Forwarded-For alone counts")
def test_forged_addresses(install, happened):
    proxied = free_port()
    zonefan = lone(install, config={"app": {"listeners": [{"address": "127.0.0.2", "port": proxied, "allow": ["203.0.113.0/24"]}],
                                            "trusted_proxies": ["127.0.0.2"]}})
    zonefan.start()
    da = zonefan.da()
    forged = ["X-Forwarded-For: 203.0.113.7", "Forwarded: for=203.0.113.7;proto=https", "X-Real-IP: 203.0.113.7", "Via: 1.1 203.0.113.7"]

    def push(zone, connection, headers):
        raw = da.build("POST", f"/CMD_API_DNS_ADMIN?action=rawsave&domain={zone}&hostname=da1.host.example", da_zone(zone).encode(), headers)
        with connection as sock:
            sock.sendall(raw)
            return da.read(sock)
    assert push("forged.example", da.connect(), forged).error == "0"
    wrong = DA(zonefan.port, "nobody", "canary-forged-guess")
    seen = [wrong.request("GET", "/status", headers=[f"X-Forwarded-For: 203.0.113.{number}"]).status for number in range(40)]
    assert seen.count(401) < 20 and seen[-1] == 429, "another forged address is no other bucket"
    through = ("127.0.0.2", proxied)
    # Not from the proxy's address: not in the list, whatever it says; closed before anything is read.
    with socket.create_connection(through, timeout=20) as sock:
        assert sock.recv(1) == b""
    def by_proxy():
        return socket.create_connection(through, timeout=20, source_address=("127.0.0.2", 0))
    answer = push("proxied.example", by_proxy(), ["X-Forwarded-For: 198.51.100.1, 203.0.113.7"])
    assert answer.error == "0", answer
    answer = push("outside.example", by_proxy(), ["X-Forwarded-For: 203.0.113.7, 198.51.100.1"])
    assert answer.status == 403 and answer.text == "this address is not allowed here", answer
    events = {event["zone"]: event["source"] for event in zonefan.api("/api/v1/events")["events"] if event["zone"]}
    assert events == {"forged.example": "127.0.0.1", "proxied.example": "203.0.113.7"}
    assert spoken(zonefan, "address refused"), "told, too"
    happened("4 headers ignored, 40 guesses in one bucket; of the proxy's two clients one was let in")


def is_closed(host, port):
    """Whether the connection to this machine's address `host`, and so from it, gets no answer but its end."""
    with socket.create_connection((host, port), timeout=20) as sock:
        try:
            sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")  # the kernel lets nobody in who says nothing
            return sock.recv(1) == b""
        except (ConnectionResetError, BrokenPipeError):
            return True


@pytest.mark.row("SEC S6", fault="addresses that are not in the list", injected="200 connections at once, IPv4; a listener for masters alone",
                 required="closed at accept, at most one line a second; who is in the list is served, for its roles alone")
def test_lists_and_roles(install, happened):
    ports = [free_port() for _ in range(2)]
    zonefan = lone(install, config={"app": {"listeners": [
        {"address": "127.0.0.1", "port": ports[0], "allow": ["192.0.2.0/24", "2001:db8::/32"]},
        {"address": "127.0.0.1", "port": ports[1], "allow": ["127.0.0.0/8"], "roles": ["master"]}]}})
    zonefan.start()
    assert sum(is_closed("127.0.0.1", ports[0]) for _ in range(200)) == 200
    lines = spoken(zonefan, "address refused")
    assert 1 <= len(lines) <= 30, len(lines)
    masters = DA(ports[1], zonefan.user, zonefan.password)
    masters.push_ok("role.example", da_zone("role.example"))
    answer = masters.get("/status")
    assert answer.status == 403 and answer.json() == {"error": "this listener does not serve that"}
    assert masters.get("/api/v1/zones").status == 403 and masters.get("/").status == 403 and masters.get("/healthz").status == 200
    assert masters.get("/metrics").status == 403
    assert 'zonefan_http_refused_addresses_total 200' in zonefan.da().get("/metrics").body.decode()
    happened(f"200 closed, {len(lines)} lines", times=200)


# The listener's address, its list, who is let in of ::1 and 127.0.0.1 (a client of ::1 cannot be had by IPv4).
SIXES = [
    ("::1", ["::1"], {"::1"}),
    ("::1", ["2001:db8::/32", "::/64"], {"::1"}),
    ("::1", ["::/127"], {"::1"}),
    ("::1", ["::2/127"], set()),  # from the address after it
    ("::1", ["2001:db8::/32", "fe80::/10"], set()),
    ("::1", ["127.0.0.0/8", "::ffff:0:0/96"], set()),
    ("::", ["::/64"], {"::1"}),  # by its bits ::ffff:127.0.0.1 would be in it
    ("::", ["::/0"], {"::1"}),
    ("::", ["127.0.0.0/8"], {"127.0.0.1"}),
    ("::", ["::ffff:127.0.0.0/104"], {"127.0.0.1"}),
    ("::", ["2001:db8::/32", "::1", "127.0.0.1"], {"::1", "127.0.0.1"}),
    ("", ["2001:db8::/32"], set()),
]


@pytest.mark.row("SEC S6", fault="addresses of IPv6 that are not in the list",
                 injected=f"{len(SIXES)} listeners on ::1, :: and all addresses, each with a list of its own, of IPv6 prefixes, IPv4 or "
                          "both; app.allow, changed by a reload",
                 required="who is in the list is served; who is not is closed at accept, told, counted; IPv4 on a socket of IPv6 is IPv4")
def test_lists_of_ipv6(install, happened):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"no IPv6 on this machine: {error}")
    ports = [free_port() for _ in SIXES]
    zonefan = lone(install, config={"app": {"listen_address": "::", "allow": ["127.0.0.0/8", "2001:db8::/32"], "listeners": [
        {"address": address, "port": port, "allow": allow} for port, (address, allow, _) in zip(ports, SIXES)]}})
    zonefan.start()
    closed = served = 0

    def look(port, host, let_in):
        nonlocal closed, served
        if not let_in:
            assert is_closed(host, port), (host, port)
            closed += 1
            return
        da = DA(port, zonefan.user, zonefan.password)
        da.address = (host, port)
        served += 1
        da.push_ok(f"six{served}.example", da_zone(f"six{served}.example"))
        event = zonefan.api("/api/v1/events")["events"][0]
        assert (event["zone"], event["source"]) == (f"six{served}.example", host), event

    for port, (address, _, let_in) in zip(ports, SIXES):
        for host in ("::1", "127.0.0.1") if address != "::1" else ("::1",):
            look(port, host, host in let_in)
    look(zonefan.port, "::1", False)
    # What the door counts is what was refused at it, told with the address as it is written.
    assert f"zonefan_http_refused_addresses_total {closed}" in zonefan.da().get("/metrics").body.decode().splitlines()
    assert any(re.search(r"\baddress=::1\b", line) for line in spoken(zonefan, "address refused")), spoken(zonefan, "address refused")
    zonefan.configure({"app": {"allow": ["127.0.0.0/8", "::/64"]}})
    zonefan.ctl("reload", check=0)
    look(zonefan.port, "::1", True)
    zonefan.configure({"app": {"allow": ["::/64"]}})
    zonefan.ctl("reload", check=0)
    assert is_closed("127.0.0.1", zonefan.port) and not is_closed("::1", zonefan.port)
    happened(f"{closed + 1} closed, {served} served of {len(SIXES) + 1} listeners", times=closed + served)
