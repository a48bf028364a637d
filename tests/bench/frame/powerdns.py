# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerDNS with its MySQL back end on one of the bench's database servers, and its HTTP API."""
import http.client
import itertools
import json
import os
import secrets
import subprocess

from zf.wait import free_port, wait_for

DATABASE = "pdns"
SCHEMA = "/usr/share/pdns-backend-mysql/schema/schema.mysql.sql"
ZONES = "/api/v1/servers/localhost/zones"


def rrsets(rows):
    """{zone: [rrset, ...]} in the API's form, of rows as Cluster.rows() has them."""
    zones = {}
    for (zone, hostname, kind, ttl), group in itertools.groupby(
            sorted(rows), key=lambda row: (row[0], row[1], row[2], row[4])):
        name = zone if hostname == "@" else f"{hostname}.{zone}"
        records = [{"content": row[3], "disabled": False} for row in group]
        zones.setdefault(zone, []).append({"name": name, "type": kind, "ttl": ttl, "records": records})
    return zones


def expected(rows):
    """
    What PowerDNS's table then holds: no final dots, MX and SRV without their preference. Without the SOA, whose
    serial it counts up.
    """
    found = []
    for zone, hostname, kind, data, ttl in rows:
        name = (zone if hostname == "@" else f"{hostname}.{zone}").rstrip(".")
        if kind in ("NS", "CNAME", "MX", "SRV"):
            data = data.rstrip(".")
        if kind in ("MX", "SRV"):
            data = data.partition(" ")[2]
        if kind != "SOA":
            found.append((name, kind, data, ttl))
    return sorted(found)


class PowerDNS:
    """One server process in a directory of its own, with an empty database. Debian's defaults, no DNSSEC."""

    def __init__(self, directory, server):
        self.directory = directory
        self.server = server
        self.key = secrets.token_hex(16)
        self.port = free_port()
        self.process = None
        os.makedirs(directory, exist_ok=True)
        self.log_path = os.path.join(directory, "pdns.log")

    def start(self):
        self.make_database()
        self.write_settings()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(["pdns_server", f"--config-dir={self.directory}"], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        wait_for(self.ready, 30, lambda: f"pdns_server is ready; its log:\n{self.log_tail()}")
        return self

    def make_database(self):
        server = self.server
        server.sql(f"DROP DATABASE IF EXISTS {DATABASE}")
        server.sql(f"CREATE DATABASE {DATABASE}")
        server.sql(f"GRANT ALL ON {DATABASE}.* TO {server.user}")
        server.sql(f"USE {DATABASE}")
        server.apply_schema(SCHEMA)
        server.sql("USE dns")

    def write_settings(self):
        settings = {
            "launch": "gmysql", "gmysql-host": "127.0.0.1", "gmysql-port": self.server.port, "gmysql-dbname": DATABASE,
            "gmysql-user": self.server.user, "gmysql-password": self.server.password,
            "api": "yes", "api-key": self.key, "webserver": "yes", "webserver-port": self.port,
            "local-address": "127.0.0.1", "local-port": free_port(), "socket-dir": self.directory,
            "security-poll-suffix": "",  # as Debian's own configuration has it
        }
        path = os.path.join(self.directory, "pdns.conf")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
            out.writelines(f"{name}={value}\n" for name, value in settings.items())

    def ready(self):
        assert self.process.poll() is None, f"pdns_server ended:\n{self.log_tail()}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", ZONES, headers={"X-API-Key": self.key})
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def log_tail(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    # ---- requests, whole ----

    def request(self, method, path, document):
        body = json.dumps(document)
        return (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {self.key}\r\nConnection: close\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")

    def create(self, zone, sets):
        return self.request("POST", ZONES, {"name": zone, "kind": "Native", "nameservers": [], "rrsets": sets})

    def replace(self, zone, sets):
        return self.request("PATCH", f"{ZONES}/{zone}", {"rrsets": [{**one, "changetype": "REPLACE"} for one in sets]})

    # ---- what is there ----

    def records(self):
        """Without SOA, and without the rows that stand for names that only have names below them; as expected()."""
        return sorted(self.server.sql(f"SELECT name, type, content, ttl FROM {DATABASE}.records "
                                      "WHERE type IS NOT NULL AND type<>'SOA'"))

    def serials(self):
        """{zone: serial}"""
        return {name + ".": int(content.split()[2]) for name, content in
                self.server.sql(f"SELECT name, content FROM {DATABASE}.records WHERE type='SOA'")}
