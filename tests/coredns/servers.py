# SPDX-License-Identifier: GPL-3.0-or-later
"""
CoreDNS with the reader, and Knot DNS (or BIND, for texts that Knot refuses) as the oracle: each on a loopback port,
asked one question at a time.
"""
import os
import signal
import subprocess

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from zf.mariadb import DATABASE
from zf.wait import free_port, wait_for

HEARTBEAT = 1
LIMIT = 30


class Server:
    """A process that answers DNS at self.port."""

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        self.process = None
        self.log_path = os.path.join(directory, "log")

    def spawn(self, *arguments):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.directory)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def ask(self, name, rtype, dnssec=False, timeout=10):
        """One question over UDP, by TCP where the answer says TC. Records are not folded: a doubled one is seen."""
        assert self.process.poll() is None, f"the server died:\n{self.log()}"
        message = dns.message.make_query(name, rtype, want_dnssec=dnssec)
        message.flags &= ~dns.flags.RD
        answer = dns.query.udp(message, "127.0.0.1", port=self.port, timeout=timeout, one_rr_per_rrset=True)
        if answer.flags & dns.flags.TC:
            answer = dns.query.tcp(message, "127.0.0.1", port=self.port, timeout=timeout, one_rr_per_rrset=True)
        return answer

    def serves(self, zone):
        try:
            answer = self.ask(zone + ".", "SOA", timeout=0.2)  # nobody answers before the socket is there
        except (OSError, dns.exception.Timeout):
            return False
        return answer.rcode() == dns.rcode.NOERROR and len(answer.answer) != 0

    def wait_serves(self, zones):
        for zone in zones:
            wait_for(lambda: self.serves(zone), LIMIT, lambda: f"{zone} is served:\n{self.log()}")


class CoreDNS(Server):
    """The reader's tables are in the database of db; it logs in with the right to read, and no other."""

    def __init__(self, binary, db, directory, dump_file="/dev/null"):
        super().__init__(directory)
        self.binary = binary
        self.corefile = os.path.join(directory, "Corefile")
        db.sql("DROP USER IF EXISTS coredns")
        db.sql("CREATE USER coredns IDENTIFIED BY 'coredns'")
        db.sql(f"GRANT SELECT ON {DATABASE}.* TO coredns")
        with open(self.corefile, "w", encoding="ascii") as out:
            out.write(f""".:{self.port} {{
    bind 127.0.0.1
    errors
    mysql {{
        dsn coredns:coredns@tcp(127.0.0.1:{db.port})/{DATABASE}
        success_heartbeat_time {HEARTBEAT}s
        fail_heartbeat_time {HEARTBEAT}s
        dump_file {dump_file}
    }}
}}
""")

    def start(self):
        self.spawn(self.binary, "-conf", self.corefile)
        return self

    def reload(self):
        """SIGUSR1: a new instance in the same process. Returns when CoreDNS says that it has taken over."""
        seen = self.log().count("Reloading complete")
        self.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: self.log().count("Reloading complete") > seen, LIMIT, lambda: f"reload:\n{self.log()}")


def write_zones(zones, directory):
    """zones: {name: text}, as they were pushed. Yields each name and the path of its file."""
    for number, (zone, text) in enumerate(zones.items()):
        path = os.path.join(directory, f"{number}.zone")
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        yield zone, path


class Knot(Server):
    def __init__(self, zones, directory):
        super().__init__(directory)
        config = [f"server:\n  rundir: {directory}\n  listen: 127.0.0.1@{self.port}\n  udp-workers: 1\n  tcp-workers: 1\n"
                  f"  background-workers: 1\nlog:\n  - target: stderr\n    any: info\ndatabase:\n  storage: {directory}\n"
                  "acl:\n  - id: here\n    address: 127.0.0.1\n    action: transfer\nzone:\n"]
        config += [f"  - domain: {zone}\n    file: {path}\n    journal-content: none\n    zonefile-sync: -1\n    acl: here\n"
                   for zone, path in write_zones(zones, directory)]
        self.config = os.path.join(directory, "knot.conf")
        with open(self.config, "w", encoding="ascii") as out:
            out.write("".join(config))

    def start(self):
        self.spawn("knotd", "-c", self.config)
        return self


class Bind(Server):
    def __init__(self, zones, directory):
        super().__init__(directory)
        config = [f"""options {{
    directory "{directory}"; pid-file none; session-keyfile none; recursion no; dnssec-validation no;
    empty-zones-enable no; listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
}};
controls {{ }};
"""]
        config += [f'zone "{zone}" {{ type primary; file "{path}"; check-names ignore; }};\n'
                   for zone, path in write_zones(zones, directory)]
        self.config = os.path.join(directory, "named.conf")
        with open(self.config, "w", encoding="ascii") as out:
            out.write("".join(config))

    def start(self):
        self.spawn("named", "-g", "-n", "1", "-c", self.config)
        return self
