# SPDX-License-Identifier: GPL-3.0-or-later
"""
Rows of security that concern features of a later issue (TLS inbound, rotation without a restart, allow-lists): what happens today is
safe and said, never silently something else.
"""
import os
import signal
import socket
import ssl
import subprocess

import pytest
from zf.da import DA
from zf.daemon import BIN
from zf.zones import da_zone


def check(zonefan):
    return subprocess.run([os.path.join(BIN, "zonefand"), "--config", zonefan.config_path], capture_output=True, text=True,
                          timeout=60, env=zonefan.environment(), cwd=zonefan.directory, stdin=subprocess.DEVNULL)


@pytest.mark.row("SEC S1", fault="TLS is switched on, or spoken to the plain port (TLS inbound is a later feature)",
                 injected="app.ssl_enable: true; a TLS handshake to the HTTP port",
                 required="the setting is refused by name, never ignored; the handshake ends at once, others are served")
def test_tls_is_refused_not_ignored(install, dcs, happened):
    zonefan = install(dcs[:1])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", zonefan.port), timeout=15) as sock, pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(sock)
    zonefan.da().push_ok("plain.example", da_zone("plain.example"))
    switched = install(dcs[:1], config={"app": {"ssl_enable": True}}, start=False)
    done = check(switched)
    assert done.returncode == 78 and "app.ssl_enable" in done.stderr and "not yet supported" in done.stderr, done
    assert not os.path.exists(switched.store)
    happened("3 handshakes ended, the setting refused with exit 78; TLS inbound itself: later issue")


@pytest.mark.row("SEC S4", fault="a password file is replaced, and SIGHUP sent (rotation without a restart is a later feature)",
                 injected="another password in the file of app.users[0], SIGHUP, then a restart",
                 required="the old one works until the restart and no push fails; afterwards the new one alone")
def test_a_new_password_counts_from_the_next_start(install, dcs, happened):
    zonefan = install(dcs[:1], start=False)
    path = os.path.join(zonefan.directory, "da1")

    def put(password):
        zonefan.secrets.append(password)
        with open(path + ".new", "w", encoding="ascii") as out:
            out.write(password + "\n")
        os.chmod(path + ".new", 0o600)
        os.replace(path + ".new", path)
        return DA(zonefan.port, "da1", password)
    old = put("canary-rotation-old")
    zonefan.configure({"app": {"users": [{"name": "da1", "password_file": path, "identities": ["da1.host.example"]}]}})
    zonefan.start()
    old.push_ok("turn.example", da_zone("turn.example"))
    new = put("canary-rotation-new")
    for number in range(3):
        zonefan.process.send_signal(signal.SIGHUP)
        old.push_ok("turn.example", da_zone("turn.example", 2 + number))
        assert new.login_test().status == 401
    zonefan.restart()
    new.push_ok("turn.example", da_zone("turn.example", 9))
    assert old.login_test().status == 401
    happened("3 SIGHUPs, 0 of 5 pushes failed; rotation itself: later issue", acknowledged=5)


@pytest.mark.row("SEC S6", fault="a client says that it is somebody else (allow-lists and trusted proxies are a later feature)",
                 injected="X-Forwarded-For, Forwarded, X-Real-IP and Via with another address; a key app.allow",
                 required="events and limits go by the address of the connection; the key is refused")
def test_a_forged_address_is_ignored(install, dcs, happened):
    zonefan = install(dcs[:1])
    forged = ["X-Forwarded-For: 203.0.113.7", "Forwarded: for=203.0.113.7;proto=https", "X-Real-IP: 203.0.113.7", "Via: 1.1 203.0.113.7"]
    da = zonefan.da()
    answer = da.request("POST", "/CMD_API_DNS_ADMIN?action=rawsave&domain=forged.example&hostname=da1.host.example",
                        da_zone("forged.example"), headers=forged)
    assert answer.error == "0"
    events = zonefan.api("/api/v1/events")["events"]
    assert [event["source"] for event in events if event["zone"] == "forged.example"] == ["127.0.0.1"]
    wrong = DA(zonefan.port, "nobody", "canary-forged-guess")
    seen = [wrong.request("GET", "/status", headers=[f"X-Forwarded-For: 203.0.113.{number}"]).status for number in range(40)]
    assert seen.count(401) < 20 and seen[-1] == 429, "another forged address is no other bucket"
    assert "203.0.113" not in zonefan.log()
    keyed = install(dcs[:1], config={"app": {"allow": "203.0.113.0/24"}}, start=False)
    done = check(keyed)
    assert done.returncode == 78 and "app.allow" in done.stderr, done
    happened("4 headers ignored, 40 guesses in one bucket, the key refused; allow-lists: later issue")
