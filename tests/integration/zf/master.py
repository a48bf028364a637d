# SPDX-License-Identifier: GPL-3.0-or-later
"""
A DirectAdmin master that is asked: the list of its zones, one zone, a session, its Extra DNS servers (directadmin-protocol.md 8.1,
8.3 to 8.5), and its own name server. A stand-in that speaks the documented wire form, and every fault that a test scripts.
"""
import base64
import http.server
import json
import os
import secrets
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import urllib.parse

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from .wait import free_port
from .zones import da_zone


def make_certificate(directory, name="IP:127.0.0.1", authority=None, days=2):
    """A certificate for that name and its key, in one file; self-signed, or signed by another one, that of an authority."""
    path = os.path.join(directory, f"master-{secrets.token_hex(4)}.pem")
    signer = ["-CA", authority, "-CAkey", authority] if authority else []
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), *signer,
                    "-subj", f"/CN={name.partition(':')[2]}", "-addext", f"subjectAltName={name}",
                    "-keyout", path, "-out", path + ".crt"], check=True, capture_output=True)
    with open(path, "a", encoding="ascii") as out, open(path + ".crt", encoding="ascii") as certificate:
        out.write(certificate.read())
    return path


def trusting(authority):
    """For Zonefan.start(wrap=): it alone sees a machine on which that authority is the only one that is trusted."""
    script = 'mount -t tmpfs none /etc/ssl/certs && cat "$0" > /etc/ssl/certs/ca-certificates.crt && exec "$@"'
    return ["unshare", "-m" if os.geteuid() == 0 else "-rm", "sh", "-c", script, authority + ".crt"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def log_message(self, *_):
        pass

    def send(self, status, body=b"", kind="text/html", headers=()):
        if isinstance(body, str):
            body = body.encode()
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for key, value in headers:
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode() if size else ""
        url = urllib.parse.urlsplit(self.path)
        query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
        self.server.master.answer(self, url.path.lstrip("/"), query, body)

    do_GET = do_POST = handle_any


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64
    master = None

    def handle_error(self, request, client_address):
        pass  # clients that leave in the middle are part of the tests


LOGIN_PAGE = "<!DOCTYPE html><html><body><form action='/CMD_LOGIN'>Log in</form></body></html>"


class Master:
    """
    zones: {name: (serial, text)}. style "classic" takes Basic; "evolution" redirects it to the login page and wants a
    session's cookie. faults: functions called with (master, handler, path, query) before the answer; one that returns true
    has answered itself.
    """

    def __init__(self, identity="da1.host.example", style="classic", certificate=None, dns=True):
        self.identity = identity
        self.style = style
        self.user = "admin"
        self.password = "canary-da-" + secrets.token_hex(8)
        self.zones = {}
        self.foreign = set()       # zones that another master pushed to this one
        self.faults = []
        self.requests = []         # (path, query, had Basic, cookie)
        self.servers = {}          # Multi Server Setup: {address: {"dns": "yes", ..., "passwd": the one that was given}}
        self.cluster_on = True
        self.sessions = set()
        self.logins = 0
        self.lock = threading.Lock()
        self.tls = certificate is not None
        self.port = free_port()
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.master = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()
        self.dns = NameServer(self) if dns else None
        self.dns_port = self.dns.port if dns else free_port()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        if self.dns:
            self.dns.close()

    def conf(self, **more):
        """An element of reconciliation.directadmin_servers."""
        return {"hostname": "127.0.0.1", "port": self.port, "username": self.user, "password": self.password,
                "ssl": self.tls, "identity": self.identity, "dns_port": self.dns_port, **more}

    # ---- its zones ----

    def put(self, name, serial=1, text=None):
        self.zones[name] = (serial, da_zone(name, serial) if text is None else text)

    def push(self, zonefan, name):
        """As DirectAdmin does it when a zone changes."""
        zonefan.da(hostname=self.identity).push_ok(name, self.zones[name][1])

    # ---- answering ----

    def answer(self, handler, path, query, body):
        basic = handler.headers.get("Authorization") or ""
        cookie = handler.headers.get("Cookie") or ""
        with self.lock:
            self.requests.append((path, query, basic != "", cookie))
            faults = list(self.faults)
        for fault in faults:
            if fault(self, handler, path, query):
                return
        if path == "CMD_LOGIN":
            self.log_in(handler, urllib.parse.parse_qs(body))
        elif not self.is_allowed(basic, cookie):
            self.turn_away(handler, basic)
        elif path == "CMD_DNS_ADMIN":
            handler.send(200, self.page(int(query["page"]), int(query["ipp"])), "application/json")
        elif path == "CMD_API_DNS_ADMIN":
            self.give_zone(handler, query["domain"])
        elif path == "CMD_MULTI_SERVER":
            handler.send(200, json.dumps(self.multi_server(query, urllib.parse.parse_qs(body, keep_blank_values=True))),
                         "application/json")
        else:
            handler.send(404, "not found")

    def is_allowed(self, basic, cookie):
        if self.style == "evolution":
            return any(f"session={session}" in cookie for session in self.sessions)
        return basic == "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def turn_away(self, handler, basic):
        if self.style == "evolution":
            handler.send(302, "", headers=[("Location", "/evo/login")])
        else:
            handler.send(401, "no" if basic else LOGIN_PAGE)

    def log_in(self, handler, form):
        self.logins += 1
        if form.get("username") != [self.user] or form.get("password") != [self.password]:
            handler.send(200, LOGIN_PAGE)
            return
        session = secrets.token_hex(16)
        self.sessions.add(session)
        handler.send(302, "", headers=[("Set-Cookie", f"session={session}; Path=/; HttpOnly"), ("Location", "/")])

    def rows(self):
        names = sorted(set(self.zones) | self.foreign)
        return [{"domain": name, "local_data": "no" if name in self.foreign else "yes", "local_mail": "yes"}
                for name in names]

    def page(self, page, ipp, rows=None):
        rows = self.rows() if rows is None else rows
        part = rows[(page - 1) * ipp:page * ipp]
        out = {str(index): row for index, row in enumerate(part)}
        out["info"] = {"current_page": str(page), "ipp": str(ipp), "rows": str(len(rows)),
                       "total_pages": str((len(rows) + ipp - 1) // ipp)}
        return json.dumps(out)

    def give_zone(self, handler, name):
        if name in self.zones:
            handler.send(200, self.zones[name][1], "text/plain")
        else:
            handler.send(200, "error=1&text=Cannot find that domain&details=no", "text/plain")

    # ---- its Extra DNS servers (8.5) ----

    def multi_server(self, query, form):
        form = {key: values[0] for key, values in form.items()}
        if not form:
            assert query == {"json": "yes"}, query
            shown = {address: {key: value for key, value in server.items() if key != "passwd"}
                     for address, server in self.servers.items()}
            return {"CLUSTER_ON": "yes" if self.cluster_on else "no", "servers": shown}
        if form.get("action") == "add":
            address = form["ip"]
            if address in self.servers:
                return {"success": "", "result": "That connection exists already"}
            self.servers[address] = {key: form[key] for key in ("port", "user", "passwd", "ssl")}
            return {"success": "Connection Added", "result": ""}
        assert (form["action"], form["save"], form["json"]) == ("multiple", "yes", "yes"), form
        address = form["select0"]
        server = self.servers[address]
        for key in ("port", "user", "ssl", "dns", "domain_check", "user_check", "email", "show_all_users"):
            server[key] = form[f"{key}-{address}"]
        server["passwd"] = form["passwd"] or server["passwd"]
        return {"success": "Connections Saved"}

    # ---- what came in ----

    def asked(self, path):
        with self.lock:
            return [query for where, query, _, _ in self.requests if where == path]

    def pulled(self):
        return [query["domain"] for query in self.asked("CMD_API_DNS_ADMIN")]

    def forget(self):
        with self.lock:
            self.requests.clear()


class NameServer:
    """
    Answers SOA queries from the master's zones, by UDP and TCP. mode: "ok", "truncate" (UDP says TC), "silent", "refuse",
    "lame" (without authority).
    """

    def __init__(self, master):
        self.master = master
        self.mode = "ok"
        self.port = free_port()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        self.counts = {"udp": 0, "tcp": 0}
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.serve_udp, self.serve_tcp)]
        for thread in self.threads:
            thread.start()

    def close(self):
        for sock in (self.udp, self.tcp):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def reply(self, wire, tcp):
        query = dns.message.from_wire(wire)
        answer = dns.message.make_response(query)
        name = query.question[0].name.to_text(omit_final_dot=True)
        if self.mode == "refuse":
            answer.set_rcode(dns.rcode.REFUSED)
        elif self.mode == "truncate" and not tcp:
            answer.flags |= dns.flags.TC
        elif name in self.master.zones:
            answer.flags |= dns.flags.AA if self.mode != "lame" else 0
            soa = f"ns1.dns-host.example. hostmaster.{name}. {self.master.zones[name][0]} 3600 3600 1209600 86400"
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 3600, dns.rdataclass.IN,
                                                     dns.rdatatype.SOA, soa))
        else:
            answer.set_rcode(dns.rcode.REFUSED)
        return answer.to_wire()

    def serve_udp(self):
        while True:
            try:
                wire, peer = self.udp.recvfrom(65535)
            except OSError:
                return
            self.counts["udp"] += 1
            if wire and self.mode != "silent":
                self.udp.sendto(self.reply(wire, False), peer)

    def serve_tcp(self):
        while True:
            try:
                conn, _ = self.tcp.accept()
            except OSError:
                return
            with conn:
                self.counts["tcp"] += 1
                conn.settimeout(5)
                try:
                    wire = conn.recv(65535)
                    while len(wire) < 2 or len(wire) < 2 + struct.unpack("!H", wire[:2])[0]:
                        wire += conn.recv(65535)
                    answer = self.reply(wire[2:], True)
                    # In two pieces: a stream has no messages.
                    conn.sendall(struct.pack("!H", len(answer))[:1])
                    conn.sendall(struct.pack("!H", len(answer))[1:] + answer)
                except OSError:
                    pass
