# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones to try, the questions that they raise, and answers made comparable."""
import glob
import os

import dns.name
import dns.rcode
import dns.rdatatype
import dns.zone

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(os.path.dirname(HERE), "data")

# No server gives these out by type as they stand: they are compared with the text alone.
TEXT_ONLY = {dns.rdatatype.RRSIG, dns.rdatatype.NSEC3}


def all_types():
    """The text of zones/alltypes.db with its long TXT records filled in."""
    with open(os.path.join(HERE, "zones", "alltypes.db"), encoding="ascii") as text:
        zone = text.read()
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    for size in (300, 1300):
        value = (letters * 40)[:size]
        parts = " ".join(f'"{value[at:at + 200]}"' for at in range(0, size, 200))
        zone = zone.replace(f"@TXT{size}@", f"long{size}\t3600\tIN\tTXT\t( {parts} )")
    return zone


def samples():
    """{file: (zone, text)} of tests/data/zones/*.db. A first line "; zone: NAME" names the zone; else it is DA's."""
    found = {}
    for path in sorted(glob.glob(os.path.join(DATA, "zones", "*.db"))):
        with open(path, "rb") as file:
            text = file.read()
        first = text.split(b"\n", 1)[0].decode()
        name = first.split(": ")[1].strip() if first.startswith("; zone: ") else "shop.example"
        found[os.path.basename(path)] = (name, text)
    assert found, f"no samples in {DATA}"
    return found


def parse(name, text):
    """The zone as dnspython reads it."""
    if isinstance(text, bytes):
        text = text.decode()
    text = text.replace("\r\n", "\n")
    return dns.zone.from_text(text, origin=dns.name.from_text(name), relativize=False)


def rrset(zone, owner, rtype):
    """What the zone holds there: {(owner, type, ttl, wire)}; of RRSIG, whatever it covers."""
    return {(str(owner).lower(), rtype, rdataset.ttl, rdata.to_digestable())
            for rdataset in zone.get_node(owner) if rdataset.rdtype == rtype for rdata in rdataset}


def cuts(zone):
    """The names at which the zone delegates."""
    return {name for name, rdataset in zone.iterate_rdatasets(dns.rdatatype.NS) if name != zone.origin}


def below(name, others):
    """Is name at or below one of the others?"""
    return any(name.is_subdomain(other) for other in others)


def questions(zone):
    """Every (owner, type) that an authoritative server answers from the zone itself, wildcards as they stand."""
    delegated = cuts(zone)
    found = set()
    for owner, rdataset in zone.iterate_rdatasets():
        at_cut = owner in delegated and rdataset.rdtype == dns.rdatatype.DS
        if at_cut or rdataset.rdtype in TEXT_ONLY or not below(owner, delegated):
            found.add((owner, rdataset.rdtype))
    return sorted(found)


def answer_set(answer):
    """The answer section: {(owner, type, ttl, wire)}; a record that is in it twice is an error."""
    found = [(str(rrset.name).lower(), rrset.rdtype, rrset.ttl, rdata.to_digestable())
             for rrset in answer.answer for rdata in rrset]
    assert len(found) == len(set(found)), f"doubled records:\n{answer}"
    return set(found)


def without_ttl(records):
    return {(owner, rtype, wire) for owner, rtype, _, wire in records}


def describe(owner, rtype, got, wanted):
    def show(answer):
        return f"{dns.rcode.to_text(answer.rcode())} {[rrset.to_text() for rrset in answer.answer]}"
    return f"{owner} {dns.rdatatype.to_text(rtype)}: {show(got)} instead of {show(wanted) if wanted else 'the text'}"


def difference(reader, oracle, owner, rtype):
    """Asks both; how they differ, as text; empty if they don't."""
    got, wanted = reader.ask(owner, rtype), oracle.ask(owner, rtype)
    if got.rcode() == wanted.rcode() and answer_set(got) == answer_set(wanted):
        return ""
    return describe(owner, rtype, got, wanted)


def difference_from_zone(reader, oracle, zone, owner, rtype, unlike_ttls=False):
    """
    The same for what stands in the zone; the zone must agree with the oracle too: two servers that both answer
    nothing would be alike. unlike_ttls: the zone has RRsets with several TTLs, of which the lowest counts (RFC 2181
    5.2); Knot takes another one, so that the TTL is compared with the zone's.
    """
    got, source = reader.ask(owner, rtype), rrset(zone, owner, rtype)
    wanted = None if rtype in TEXT_ONLY else oracle.ask(owner, rtype)
    alike = without_ttl(answer_set(got)) == without_ttl(source)
    if wanted is not None:
        alike = alike and without_ttl(source) == without_ttl(answer_set(wanted)) and got.rcode() == wanted.rcode()
        alike = alike and answer_set(got) == (source if unlike_ttls else answer_set(wanted))
    return "" if alike else describe(owner, rtype, got, wanted)
