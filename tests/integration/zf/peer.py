# SPDX-License-Identifier: GPL-3.0-or-later
"""Peers: a stand-in of directdnsonly 2.8 as its wire form is documented, and a trap that must never see credentials."""
import base64
import datetime
import email.utils
import http.server
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from .wait import free_port


class Server:
    """An HTTP server in a thread; answer(handler, path, query) -> (status, headers, body) or None for a closed connection."""

    def __init__(self, answer):
        self.requests = []  # (path, query, authorization)
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802
                path, _, query = self.path.partition("?")
                query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
                server.requests.append((path, query, self.headers.get("Authorization")))
                said = answer(self, path, query)
                if said is None:
                    self.close_connection = True
                    return
                status, headers, body = said
                try:
                    self.send_response(status)
                    for key, value in headers.items():
                        self.send_header(key, value)
                    if "Content-Length" not in headers:
                        self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def date_time_string(self, timestamp=None):
                return email.utils.formatdate((timestamp or time.time()) + server.skew, usegmt=True)

            def log_message(self, *arguments):
                pass

        self.skew = 0
        self.port = free_port()
        self.httpd = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.httpd.daemon_threads = True
        self.httpd.handle_error = lambda request, address: None  # clients that leave in the middle are part of the tests
        self.thread = threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()


def trap():
    """Nobody configured it: whoever comes here was sent by somebody else."""
    return Server(lambda handler, path, query: (200, {"Content-Type": "application/json"}, b"[]"))


class Predecessor:
    """
    directdnsonly 2.8: a dictionary of zones, served as it serves them, and its own pass over a peer. Its clock is skew seconds
    ahead. say (path -> bytes, status or a function of the handler) replaces an answer.
    """

    def __init__(self, user="peersync", password="canary-peer-predecessor", skew=0):
        self.user, self.password = user, password
        self.zones = {}
        self.peers = []
        self.say = {}
        self.server = Server(self.answer)
        self.server.skew = skew

    @property
    def url(self):
        return self.server.url

    def now(self):
        return datetime.datetime.utcfromtimestamp(time.time() + self.server.skew)

    def push(self, name, text, at=None, hostname="da1.host.example", username="fred"):
        self.zones[name] = {"domain": name, "zone_data": text, "zone_updated_at": (at or self.now()).isoformat(),
                            "hostname": hostname, "username": username}

    def close(self):
        self.server.close()

    # ---- serving ----

    def answer(self, handler, path, query):
        expected = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if handler.headers.get("Authorization") != expected:
            return 401, {"WWW-Authenticate": 'Basic realm="dadns"'}, b"denied"
        if path in self.say:
            said = self.say[path]
            said = said(handler, query) if callable(said) else said
            return said if said is None or isinstance(said, tuple) else (200, {"Content-Type": "application/json"}, said)
        if path == "/internal/peers":
            return self.json(200, self.peers)
        if path != "/internal/zones" or set(query) - {"domain"}:
            return 404, {"Content-Type": "text/html"}, b"<html>Unexpected query string parameters</html>"
        if "domain" in query:
            zone = self.zones.get(query["domain"])
            return self.json(200, zone) if zone else self.json(404, {"error": "not found"})
        return self.json(200, [{key: value for key, value in zone.items() if key != "zone_data"}
                               for zone in self.zones.values()])

    @staticmethod
    def json(status, value):
        return status, {"Content-Type": "application/json"}, json.dumps(value).encode()

    # ---- its own pass ----

    @staticmethod
    def fetch(url, user, password):
        request = urllib.request.Request(url, headers={
            "Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200
            return json.loads(answer.read())

    def sync_from(self, url, user, password):
        """The newer zone_updated_at wins, unchecked; what it lacks it takes. The names it took."""
        taken = []
        for entry in self.fetch(f"{url}/internal/zones", user, password):
            theirs = datetime.datetime.fromisoformat(entry["zone_updated_at"])
            ours = self.zones.get(entry["domain"])
            if ours and theirs <= datetime.datetime.fromisoformat(ours["zone_updated_at"]):
                continue
            domain = urllib.parse.quote(entry["domain"])
            text = self.fetch(f"{url}/internal/zones?domain={domain}", user, password)["zone_data"]
            self.push(entry["domain"], text, theirs, entry["hostname"], entry["username"])
            taken.append(entry["domain"])
        return taken
