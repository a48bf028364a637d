# SPDX-License-Identifier: GPL-3.0-or-later
"""Unbound as a validating resolver of the reader's zones, each with its own key as trust anchor."""
import os

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from servers import Server


class Unbound(Server):
    """zones: names, all of which the server at port has. anchors: DNSKEY or DS records as text."""

    def __init__(self, directory, port, zones, anchors):
        super().__init__(directory)
        lines = [f"""server:
    interface: 127.0.0.1
    port: {self.port}
    access-control: 127.0.0.0/8 allow
    do-not-query-localhost: no
    do-ip6: no
    do-daemonize: no
    num-threads: 1
    username: ""
    chroot: ""
    directory: "{directory}"
    pidfile: ""
    use-syslog: no
    logfile: ""
    val-log-level: 2
    module-config: "validator iterator"
    aggressive-nsec: no
    target-fetch-policy: "0 0 0 0 0"
"""]
        lines += [f"    trust-anchor: \"{' '.join(anchor.split())}\"\n" for anchor in anchors]
        lines.append("remote-control:\n    control-enable: no\n")
        lines += [f"stub-zone:\n    name: \"{zone}.\"\n    stub-addr: 127.0.0.1@{port}\n" for zone in zones]
        self.config = os.path.join(directory, "unbound.conf")
        with open(self.config, "w", encoding="ascii") as out:
            out.write("".join(lines))

    def start(self):
        self.spawn("unbound", "-d", "-c", self.config)
        return self

    def serves(self, zone):
        try:
            return self.resolve(zone + ".", "SOA")[0] == dns.rcode.NOERROR
        except (OSError, EOFError, dns.exception.Timeout):
            return False

    def resolve(self, name, rtype):
        """(rcode, is it validated, the types in the answer)."""
        question = dns.message.make_query(name, rtype)
        question.flags |= dns.flags.AD
        answer = dns.query.tcp(question, "127.0.0.1", port=self.port, timeout=20)
        return answer.rcode(), bool(answer.flags & dns.flags.AD), [rrset.rdtype for rrset in answer.answer]
