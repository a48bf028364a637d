# SPDX-License-Identifier: GPL-3.0-or-later
"""
Servers that do not let us in (reliability.md B16, B17): each is DOWN with its reason, is not stormed, and never sees the login in
clear where TLS is demanded.
"""
import contextlib
import os
import socket
import threading
import time

import pymysql
import pytest
from zf.certificates import hello
from zf.oracles import Log
from zf.wait import free_port, wait_for
from zf.zones import da_zone, named

ZONE = "login.example"

# ---- B16 ----


@contextlib.contextmanager
def wrong_password(centre):
    centre.db.sql("SET PASSWORD FOR zonefan = PASSWORD('another')")
    yield
    centre.db.sql("SET PASSWORD FOR zonefan = PASSWORD(%s)", centre.db.password)


@contextlib.contextmanager
def locked_account(centre):
    centre.db.sql("ALTER USER zonefan ACCOUNT LOCK")
    yield
    centre.db.sql("ALTER USER zonefan ACCOUNT UNLOCK")


@contextlib.contextmanager
def user_limit(centre):
    """Somebody else with our account has the only connection that it may have."""
    centre.db.sql("ALTER USER zonefan WITH MAX_USER_CONNECTIONS 1")
    held = wait_for(lambda: connect(centre, "zonefan", centre.db.password), 30, "we have that connection")
    yield
    held.close()
    centre.db.sql("ALTER USER zonefan WITH MAX_USER_CONNECTIONS 0")


def connect(centre, user, password):
    with contextlib.suppress(pymysql.MySQLError):
        return pymysql.connect(host="127.0.0.1", port=centre.db.port, user=user, password=password)


@contextlib.contextmanager
def all_connections_taken(centre):
    """MariaDB allows no fewer than ten; root may have one more."""
    centre.db.sql("CREATE USER crowd")
    centre.db.sql("SET GLOBAL max_connections=10")
    crowd = []

    def taken():
        """Not while zonefan has one of them: the server gives up late what was cut, and then somebody could come in."""
        centre.proxy.cut()
        while more := connect(centre, "crowd", ""):
            crowd.append(more)
        return centre.db.value("SELECT COUNT(*) FROM information_schema.processlist WHERE user IN ('crowd', 'root')") >= 10
    wait_for(taken, 30, "all connections are ours")
    yield
    for conn in crowd:
        conn.close()
    centre.db.sql("SET GLOBAL max_connections=300")
    centre.db.sql("DROP USER crowd")


class Doorkeeper(threading.Thread):
    """Answers every connection with an error in place of the greeting."""

    def __init__(self, code, text):
        super().__init__(daemon=True)
        self.packet = bytes([len(text) + 3, 0, 0, 0, 0xff]) + code.to_bytes(2, "little") + text.encode()
        self.listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                client.sendall(self.packet)
                client.close()


@contextlib.contextmanager
def blocked_host(centre):
    """As a server answers whom it blocks; it never blocks loopback, so somebody says it in its place."""
    keeper = Doorkeeper(1129, "Host '127.0.0.1' is blocked because of many connection errors")
    centre.proxy.target = keeper.port
    yield
    centre.proxy.target = centre.db.port
    keeper.listener.close()


@contextlib.contextmanager
def no_such_database(centre):
    centre.db.sql("SET FOREIGN_KEY_CHECKS=0")
    centre.db.sql("CREATE DATABASE hidden")
    for table in ("records", "zones", "zonefan_state"):
        centre.db.sql(f"RENAME TABLE dns.{table} TO hidden.{table}")
    centre.db.sql("DROP DATABASE dns")
    yield
    centre.db.sql("CREATE DATABASE dns CHARACTER SET utf8mb4")
    for table in ("zones", "records", "zonefan_state"):
        centre.db.sql(f"RENAME TABLE hidden.{table} TO dns.{table}")
    centre.db.sql("DROP DATABASE hidden")


REQUIRED = "DOWN with the reason; no storm (at most 3 logins a minute after the first); the password is never logged"


def row(fault, injected):
    return pytest.mark.row("B16", fault=fault, injected=injected, required=REQUIRED)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("doors", [
    pytest.param(((wrong_password, "1045"), (locked_account, "4151"), (user_limit, "1226")), id="account", marks=[
        row("wrong password", "SET PASSWORD (1045)"), row("account locked", "ACCOUNT LOCK (4151)"),
        row("max_user_connections", "limit of 1, taken (1226)")]),
    pytest.param(((all_connections_taken, "1040"), (blocked_host, "1129"), (no_such_database, "1044|1049")), id="server", marks=[
        row("max_connections", "ten, all taken (1040)"), row("host blocked", "scripted greeting (1129)"),
        row("database gone", "RENAME of its tables, DROP DATABASE (1044, 1049)")])])
def test_not_let_in(install, dcs, doors, times, happened):
    """All three databases at once, each with a reason of its own; in the long form with the clocks of a real installation."""
    zonefan = install(dcs, quick=times(True, False))
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    log = Log(zonefan)
    with contextlib.ExitStack() as shut:
        for centre, (door, _) in zip(dcs, doors):
            centre.proxy.cut()
            shut.enter_context(door(centre))
            centre.proxy.cut()
        for name in named("outside", times(20, 1000)):
            zonefan.da().push_ok(name, da_zone(name))
        for centre, (_, codes) in zip(dcs, doors):
            wait_for(lambda centre=centre, codes=codes: any(
                f"({code})" in (zonefan.backend(centre.name)["last_error"] or "") for code in codes.split("|")), 60,
                lambda centre=centre, codes=codes: f"{codes} is told: {zonefan.backend(centre.name)}")
        # quick clocks: a probe a second at the most; real ones: the first minute is over
        window, began = times(3, 60), time.monotonic() + times(0, 60)
        wait_for(lambda: time.monotonic() >= began, 90, "the first minute passes")
        before = [centre.proxy.connections for centre in dcs]
        wait_for(lambda: time.monotonic() >= began + window, window + 30, "the window passes")
        logins = [centre.proxy.connections - count for centre, count in zip(dcs, before)]
        assert max(logins) <= times(3 * window, 3), f"{logins} logins in {window} s"
        assert all(zonefan.backend(centre.name)["state"] in ("down", "probing") for centre in dcs)
        for centre in dcs:
            log.assert_few(centre.name)
    began = time.monotonic()
    zonefan.wait_converged(deadline=120)
    happened(f"{logins} connections in {window} s; delivered {time.monotonic() - began:.1f} s after the doors were open")


# ---- B17 ----

class Wire:
    """What went up to a server, byte for byte."""

    def __init__(self, target):
        self.listener = socket.create_server(("127.0.0.1", free_port()))
        self.port, self.target = self.listener.getsockname()[1], target
        self.sent = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                self.sent.append(b"")
                threading.Thread(target=self.up, args=(client, server, len(self.sent) - 1), daemon=True).start()
                threading.Thread(target=self.down, args=(server, client), daemon=True).start()

    def up(self, client, server, number):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self.sent[number] += data
                server.sendall(data)
        server.close()

    @staticmethod
    def down(server, client):
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)

    def clear_bytes(self):
        """Bytes of a login in clear: all but the request for TLS (a header and 32 bytes) and what TLS made of the rest."""
        return sum(len(sent) for sent in self.sent if not (len(sent) <= 36 or sent[36] == 0x16))


def start_tls(centre, folder, certificate, *more):
    centre.db.stop()
    centre.db.start(f"--ssl-cert={folder}/{certificate}.pem", f"--ssl-key={folder}/{certificate}.key", *more)


# The server's certificate, the CA that we trust, its further options, and what is told.
CASES = {
    "server without TLS": (None, "ca", (), "the server does not support it"),
    "wrong CA": ("good", "other", (), "unable to get local issuer certificate"),
    "wrong name": ("stranger", "ca", (), "Validation of SSL server certificate failed"),
    "expired certificate": ("expired", "ca", (), "certificate has expired"),
    "TLS 1.1 only": ("good", "ca", ("--tls-version=TLSv1.1", "--ssl-cipher=DEFAULT@SECLEVEL=0"), "alert protocol version"),
}


@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.row(
    "B17", fault=f"TLS: {case}", injected="own CA, a server of that kind, a proxy that keeps what went up",
    required="refused, and told why; 0 bytes of the login in clear; the others go on")) for case in CASES])
def test_tls_is_refused(install, dcs, certificates, case, happened):
    certificate, authority, more, told = CASES[case]
    if certificate:
        start_tls(dcs[1], certificates, certificate, *more)
    wire = Wire(dcs[1].db.port)
    try:
        if more:  # the control: whoever wants that version gets through
            assert "Protocol  : TLSv1.1" in hello(dcs[1].db.port, "-starttls", "mysql", "-tls1_1")
        tls = {"host": "localhost", "port": wire.port, "ssl": True, "ssl_verify": True, "ssl_ca": f"{certificates}/{authority}.pem"}
        zonefan = install(dcs, config={"dns": {"backends": {"dc2": tls}}})
        zonefan.da().push_ok(ZONE, da_zone(ZONE))
        zonefan.wait_converged("dc1", "dc3")
        wait_for(lambda: told in (zonefan.backend("dc2")["last_error"] or "") and len(wire.sent) >= 2, 30,
                 lambda: f"refused twice: {zonefan.backend('dc2')}")
        assert zonefan.backend("dc2")["state"] in ("down", "probing") and not dcs[1].db.has_table("zones")
        assert "TLS failed" in zonefan.backend("dc2")["last_error"]
        clear = wire.clear_bytes()
        assert clear == 0 and not any(dcs[1].db.user.encode() in sent for sent in wire.sent)
        happened(f"{len(wire.sent)} connections refused, {clear} bytes in clear: {zonefan.backend('dc2')['last_error']}")
    finally:
        wire.listener.close()
        if certificate:
            dcs[1].db.stop()
            dcs[1].db.start()


@pytest.mark.row("B17", fault="none: a good certificate", injected="own CA", required="delivered; 0 bytes of the login in clear")
def test_tls_delivers(install, dcs, certificates):
    """The control: the same wire with a good server, and a plain client whose login is seen."""
    start_tls(dcs[1], certificates, "good")
    wire = Wire(dcs[1].db.port)
    try:
        tls = {"host": "localhost", "port": wire.port, "ssl": True, "ssl_verify": True, "ssl_ca": f"{certificates}/ca.pem"}
        zonefan = install(dcs, config={"dns": {"backends": {"dc2": tls}}})
        zonefan.da().push_ok(ZONE, da_zone(ZONE))
        zonefan.wait_converged()
        assert wire.clear_bytes() == 0 and all(b"zonefan" not in sent for sent in wire.sent)
        pymysql.connect(host="127.0.0.1", port=wire.port, user="zonefan", password=dcs[1].db.password, ssl_disabled=True).close()
        assert wire.clear_bytes() > 0 and any(b"zonefan" in sent for sent in wire.sent)
    finally:
        wire.listener.close()
        dcs[1].db.stop()
        dcs[1].db.start()
