# SPDX-License-Identifier: GPL-3.0-or-later
"""
Zones whose version shows in every answer: in two TXT records of one name, in the SOA, in an MX and the address that
comes with it, and in a name that only this version has. An answer that shows two versions mixes them.
"""
import re
import struct

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

MARK = re.compile(rb"vx(\d+)x")
TTL = 300
HEADER = struct.Struct("!6H")
QR, AA, TC = 0x8000, 0x0400, 0x0200


def mark(version):
    """A label, and a word of a TXT: found in a message as it is, compressed or not."""
    return f"vx{version}x"


def address(version):
    return f"10.{version >> 16 & 255}.{version >> 8 & 255}.{version & 255}"


def text(zone, version, hosts=2):
    """The zone as DirectAdmin might push it. version: below 2^24, also the serial."""
    shown, at = mark(version), address(version)
    lines = [f"$TTL {TTL}",
             f"@\tIN\tSOA\tns1.{zone}. {shown}.{zone}. ( {version} 3600 3600 1209600 300 )",
             f"{zone}.\t{TTL}\tIN\tNS\tns1.{zone}.",
             f"{zone}.\t{TTL}\tIN\tNS\tns2.dns-host.example.",
             f'{zone}.\t{TTL}\tIN\tTXT\t"first {shown}"',
             f'{zone}.\t{TTL}\tIN\tTXT\t"second {shown}"',
             f"{zone}.\t{TTL}\tIN\tMX\t10 {shown}",
             f"ns1\t{TTL}\tIN\tA\t192.0.2.1",
             f"{shown}\t{TTL}\tIN\tA\t{at}",
             f"alias\t{TTL}\tIN\tCNAME\t{shown}",
             f'*.any\t{TTL}\tIN\tTXT\t"any {shown}"']
    lines += [f"host{i}\t{TTL}\tIN\tA\t{at}" for i in range(hosts)]
    return "\n".join(lines) + "\n"


class Question:
    """What is asked, as it goes over the wire but for its id."""

    def __init__(self, name, rtype):
        self.name = name
        self.rtype = rtype
        message = dns.message.make_query(name, rtype)
        message.flags &= ~dns.flags.RD
        self.wire = message.to_wire()[2:]

    def __repr__(self):
        return f"{self.name} {self.rtype}"


class Answer:
    """A message that came, read as far as is needed. It is not parsed: there are thousands a second."""

    def __init__(self, question, wire):
        self.question = question
        self.wire = wire
        _, self.flags, _, self.answers, self.authorities, self.additionals = HEADER.unpack_from(wire)
        self.rcode = self.flags & 15
        self.shown = {int(found) for found in MARK.findall(wire, 2 + len(question.wire))}
        assert len(self.shown) <= 1, f"two versions in one answer: {self}"

    @property
    def version(self):
        """None: none is shown."""
        return next(iter(self.shown), None)

    @property
    def authoritative(self):
        return bool(self.flags & AA)

    def __repr__(self):
        return f"{self.question}: {dns.message.from_wire(self.wire, ignore_trailing=True)}"


def apex(zone):
    return Question(zone, "TXT")


def old_host(zone, version):
    return Question(f"{mark(version)}.{zone}", "A")


def is_apex(answer, version):
    """The two TXT records of that version, and nothing else."""
    return answer.rcode == dns.rcode.NOERROR and answer.answers == 2 and answer.version == version


def is_gone(answer):
    """As of a name in no zone."""
    return answer.rcode == dns.rcode.REFUSED and answer.version is None


def details(zone, version, before):
    """
    [(Question, check)] about a zone that has just become this version, each check a function of the Answer: answers that
    are made of several records. before: the version that it had, None if it was not there.
    """
    at = address(version)

    def parsed(answer):
        return dns.message.from_wire(answer.wire)

    def texts(sets):
        return sorted(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} {rdata}" for rrset in sets for rdata in rrset)

    def mail(answer):
        message = parsed(answer)
        return (texts(message.answer) == [f"{zone}. MX 10 {mark(version)}.{zone}."] and
                texts(message.additional) == [f"{mark(version)}.{zone}. A {at}"])

    def alias(answer):
        return texts(parsed(answer).answer) == [f"alias.{zone}. CNAME {mark(version)}.{zone}.",
                                                f"{mark(version)}.{zone}. A {at}"]

    def missing(answer):
        soa = [rdata for rrset in parsed(answer).authority for rdata in rrset]
        return answer.rcode == dns.rcode.NXDOMAIN and len(soa) == 1 and soa[0].serial == version

    def wildcard(answer):
        return answer.rcode == dns.rcode.NOERROR and answer.answers == 1 and answer.version == version

    wanted = [(Question(zone, "MX"), mail), (Question(f"alias.{zone}", "A"), alias),
              (Question(f"below.any.{zone}", "TXT"), wildcard)]
    if before is not None and before != version:
        wanted.append((old_host(zone, before), missing))
    return wanted


def names(prefix, count):
    return [f"{prefix}{i:04d}.changes.example" for i in range(count)]
