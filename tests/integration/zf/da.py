# SPDX-License-Identifier: GPL-3.0-or-later
"""A DirectAdmin master, as directadmin-protocol.md saw it on the wire: raw sockets, nothing added, nothing smoothed."""
import base64
import json
import socket
import time
import urllib.parse


class Response:
    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        parts = lines[0].split(" ", 2)
        self.version = parts[0]
        self.status = int(parts[1]) if len(parts) > 1 else 0
        self.headers = {}
        for line in lines[1:]:
            key, _, value = line.partition(":")
            self.headers[key.strip().lower()] = value.strip()

    @property
    def fields(self):
        """The body as DA reads it."""
        return dict(urllib.parse.parse_qsl(self.body.decode("latin-1"), keep_blank_values=True))

    @property
    def error(self):
        return self.fields.get("error")

    @property
    def text(self):
        return self.fields.get("text", "")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class NoAnswer(Exception):
    """The connection ended before a whole answer came."""


class DA:
    """One master. Thread-safe: every request has a connection of its own, as DA does it."""

    def __init__(self, port, user, password, hostname="da1.host.example", version="1.0", content_type=None, timeout=30, tls=None):
        """tls: an ssl context, where the server speaks TLS."""
        self.tls = tls
        self.address = ("127.0.0.1", port)
        self.auth = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.hostname = hostname
        self.version = version
        self.content_type = content_type
        self.timeout = timeout

    def build(self, method, target, body=None, headers=()):
        """The bytes of a request: DA's own header set and no other."""
        lines = [f"{method} {target} HTTP/{self.version}", f"Authorization: {self.auth}", "Host: ns3.dns-host.example"]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
            if self.content_type:
                lines.append(f"Content-Type: {self.content_type}")
        lines += headers
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")

    def connect(self):
        sock = socket.create_connection(self.address, timeout=self.timeout)
        if self.tls is None:
            return sock
        try:
            return self.tls.wrap_socket(sock, server_hostname="localhost")
        except Exception:
            sock.close()
            raise

    def exchange(self, raw, on_sent=None):
        """Sends the bytes, reads the answer to the end that Content-Length or the close says."""
        with self.connect() as sock:
            sock.sendall(raw)
            if on_sent:
                on_sent()
            return self.read(sock)

    def read(self, sock):
        data = b""
        end = time.monotonic() + self.timeout
        while True:
            head, found, body = data.partition(b"\r\n\r\n")
            if found and not head.startswith(b"HTTP/1.1 100"):
                length = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if
                          line.lower().startswith(b"content-length:")]
                if length and len(body) >= length[0]:
                    return Response(data)
            elif found:
                data = body
                continue
            if time.monotonic() > end:
                raise NoAnswer(f"no answer within {self.timeout} s")
            try:
                more = sock.recv(65536)
            except ConnectionError as error:
                raise NoAnswer(f"{error} after {len(data)} bytes") from error
            if not more:
                if found and not [1 for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]:
                    return Response(data)
                raise NoAnswer(f"closed after {len(data)} bytes")
            data += more

    def request(self, method, target, body=None, headers=(), on_sent=None):
        if isinstance(body, str):
            body = body.encode()
        return self.exchange(self.build(method, target, body, headers), on_sent)

    def push(self, zone, text, username="fred", hostname=None, named_reload=False, on_sent=None):
        """POST rawsave, keys in DA's order; the body verbatim."""
        query = f"action=rawsave&domain={zone}"
        if named_reload:
            query += "&named_reload=yes"
        if username is not None:
            query += f"&username={username}"
        hostname = self.hostname if hostname is None else hostname
        if hostname:
            query += f"&hostname={hostname}"
        return self.request("POST", f"/CMD_API_DNS_ADMIN?{query}", text, on_sent=on_sent)

    def delete(self, *zones, hostname=None, on_sent=None):
        """POST delete: an untyped form, the names in select0, select1, ..."""
        body = "action=delete&cluster=yes"
        hostname = self.hostname if hostname is None else hostname
        if hostname:
            body += f"&hostname={hostname}"
        for i, zone in enumerate(zones):
            body += f"&select{i}={zone}"
        return self.request("POST", "/CMD_API_DNS_ADMIN", body, on_sent=on_sent)

    def exists(self, domain, parent=False):
        more = "&check_for_parent_domain=true" if parent else ""
        return self.request("GET", f"/CMD_API_DNS_ADMIN?action=exists&domain={domain}{more}")

    def login_test(self):
        return self.request("GET", "/CMD_API_LOGIN_TEST")

    def get(self, path):
        """An operator's GET."""
        return self.request("GET", path)

    def push_ok(self, zone, text, **more):
        answer = self.push(zone, text, **more)
        assert answer.status == 200 and answer.error == "0", f"push of {zone}: {answer}"
        return answer

    def delete_ok(self, *zones, **more):
        answer = self.delete(*zones, **more)
        assert answer.status == 200 and answer.error == "0", f"delete of {zones}: {answer}"
        return answer
