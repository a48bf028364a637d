# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of DNS on loopback, each with the settings that it comes with, and dnsperf's questions for them."""
import os
import random
import signal
import subprocess

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
from zf.wait import free_port, wait_for

import reader
import zones as bench_zones

START_LIMIT = 120
HOSTS = ("ftp", "mail", "pop", "smtp", "www", "sip")


def questions(names, seed=1):
    """One for each RRset of zones.text, in no order: (name, type)."""
    found = []
    for zone in names:
        found += [(zone, rtype) for rtype in ("SOA", "NS", "A", "MX", "TXT", "AAAA", "CAA")]
        found += [(f"{host}.{zone}", "A") for host in (*HOSTS, "blog")]
        found += [(f"{host}.{zone}", "TXT") for host in ("_dmarc", "_version", "x._domainkey")]
        found += [(f"mail.{zone}", "AAAA"), (f"_sip._tcp.{zone}", "SRV")]
    random.Random(seed).shuffle(found)
    return found


class Server:
    """A process that answers at self.port."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.port = free_port()
        self.process = None
        self.log_path = os.path.join(directory, "log")

    def command(self):
        """The program and its arguments; its configuration is written."""
        raise NotImplementedError

    def start(self, zone):
        """Returns when it answers for that zone."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.directory)
        wait_for(lambda: self.answers(zone), START_LIMIT, lambda: f"{self.command()[0]} answers:\n{self.log_tail()}")
        return self

    def answers(self, zone):
        assert self.process.poll() is None, f"{self.command()[0]} ended:\n{self.log_tail()}"
        try:
            return bool(ask(self.port, zone, "SOA", timeout=1).answer)
        except (OSError, dns.exception.Timeout):
            return False

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)

    def log_tail(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def write(self, name, lines):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as out:
            out.write("\n".join(lines) + "\n")
        return path


class Corefile(Server):
    """A CoreDNS with `bind`, `errors` and one more plugin."""

    def __init__(self, directory, binary, blocks):
        """blocks: lines of the one server block."""
        super().__init__(directory)
        self.binary = binary
        self.blocks = blocks

    def command(self):
        lines = [f".:{self.port} {{", "    bind 127.0.0.1", "    errors", *self.blocks, "}"]
        return [self.binary, "-conf", self.write("Corefile", lines)]


class FileServer(Server):
    """CoreDNS's own plugin `file`, a server block for each zone."""

    def __init__(self, directory, binary, names):
        super().__init__(directory)
        self.binary = binary
        self.names = names

    def command(self):
        lines = []
        for zone, path in zone_files(self.directory, self.names):
            lines += [f"{zone}:{self.port} {{", "    bind 127.0.0.1", "    errors", f"    file {path}", "}"]
        return [self.binary, "-conf", self.write("Corefile", lines)]


class StandIn(Corefile):
    """The stand-in for the public plugin (tests/coredns), with its default number of connections."""

    def __init__(self, directory, binary, db):
        super().__init__(directory, binary, [
            "    mysql {", f"        dsn {reader.dsn(db.port, '')}", "        success_heartbeat_time 60s", "    }"])


class Knot(Server):
    def __init__(self, directory, names):
        super().__init__(directory)
        self.names = names

    def command(self):
        lines = ["server:", f"  rundir: {self.directory}", f"  listen: 127.0.0.1@{self.port}", "log:", "  - target: stderr",
                 "    any: warning", "database:", f"  storage: {self.directory}", "zone:"]
        for zone, path in zone_files(self.directory, self.names):
            lines += [f"  - domain: {zone}", f"    file: {path}", "    journal-content: none", "    zonefile-sync: -1"]
        return ["knotd", "-c", self.write("knot.conf", lines)]


def zone_files(directory, names):
    """Writes them; yields (zone, path)."""
    folder = os.path.join(directory, "zones")
    os.makedirs(folder, exist_ok=True)
    for zone in names:
        path = os.path.join(folder, zone)
        with open(path, "w", encoding="ascii") as out:
            out.write(bench_zones.text(zone))
        yield zone, path


def ask(port, name, rtype, timeout=5):
    message = dns.message.make_query(name, rtype)
    message.flags &= ~dns.flags.RD
    return dns.query.udp(message, "127.0.0.1", port=port, timeout=timeout)


def records(port, name, rtype):
    """The rcode and the sorted records of the answer section."""
    answer = ask(port, name, rtype)
    found = [f"{rrset.name} {rrset.ttl} {rrset.rdtype} {rdata.to_digestable().hex()}" for rrset in answer.answer
             for rdata in rrset]
    return dns.rcode.to_text(answer.rcode()), sorted(found)


def same_answers(ports, asked):
    """The servers answer these alike."""
    for name, rtype in asked:
        found = [records(port, name, rtype) for port in ports]
        assert found[0][1] and all(one == found[0] for one in found), f"{name} {rtype}: {found}"
