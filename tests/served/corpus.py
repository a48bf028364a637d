# SPDX-License-Identifier: GPL-3.0-or-later
"""The zones that both servers get: the samples, the zone of all types, and generated ones, of which some are signed."""
import glob
import os
import random
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import answers
import make_zones
import sections
import signing
from zf.zones import da_zone

GENERATED = 200
SEED = 5
# Of the generated zones, each eighth (it has every section) and each eighth after the fourth is one of these in turn.
SIGNED = (None, *signing.HOW)
FAMILY = """\
child\t3600\tIN\tNS\tns.child
ns.child\t3600\tIN\tA\t192.0.2.1
secure\t3600\tIN\tNS\tns1.dns-host.example.
secure\t3600\tIN\tDS\t12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
far.away\t3600\tIN\tNS\tns.far.away
ns.far.away\t3600\tIN\tA\t192.0.2.2
*.led\t3600\tIN\tDNAME\tshared
"""
WILDCARD_NS = "*.shared\t3600\tIN\tNS\tns1.dns-host.example.\n"  # dnssec-signzone refuses it
# Knot refuses carriage returns and bytes above 126, and takes 3600 for a TTL that is not stated (tests/coredns):
# it gets these texts as BIND reads them.
REREAD = ("crlf.db", "utf8.db", "inherited-ttl.db", "soa-minimum.db")


@dataclass
class Zone:
    name: str                # without the final dot
    text: object             # what is pushed: str or bytes
    source: str              # file or generator, for messages
    how: str = None          # of signing.HOW, if it was signed here
    key: str = None          # its DNSKEY then
    oracle_text: object = None

    def for_oracle(self):
        return self.text if self.oracle_text is None else self.oracle_text


def samples(scratch):
    """Of DirectAdmin's own layout there are two texts of one zone: they come one after the other."""
    found = [Zone(name, text, file, oracle_text=signing.reread(name, text, scratch) if file in REREAD else None)
             for file, (name, text) in answers.samples().items()]
    return found + [Zone("alltypes.example", answers.all_types(), "alltypes.db")]


def pushed(name, text, source, how, scratch):
    """Signed first, if it says how."""
    if how is None:
        return Zone(name, text, source)
    text, key = signing.sign(name, text, how, scratch)
    return Zone(name, text, f"{source}, {how}", how, key)


def how_of(index):
    return SIGNED[index // 8 % len(SIGNED)] if index % 4 == 0 else None


def generate(index, scratch):
    how = how_of(index)
    name, text = make_zones.make_zone(index, SEED, sections.SECTIONS + (() if how else sections.UNSIGNED))
    return pushed(name, text, f"generated {index}", how, scratch)


def generated(indexes, scratch):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda index: generate(index, scratch), indexes))


def edges(scratch):
    """Small zones of what makes an authoritative server think, unsigned and signed in each way: these are asked for wholly."""
    made = []
    for number, how in enumerate(SIGNED):
        zone = make_zones.Zone(random.Random(f"{SEED}/edges"), number)
        zone.name = f"edge-{how or 'plain'}.example"
        zone.apex = zone.name + "."
        lines = make_zones.head(zone)
        for section in sections.EDGES:
            section(zone)
        made.append(pushed(zone.name, "\n".join(lines + zone.lines) + "\n", "edges", how, scratch))
    return made


def families(scratch):
    """Zones below zones: delegated with and without DS, not delegated at all, two levels down; and a DNAME at an apex."""
    made = []
    for how in SIGNED:
        top = f"family-{how or 'plain'}.example"
        made.append(pushed(top, da_zone(top, extra=FAMILY + ("" if how else WILDCARD_NS)), "family", how, scratch))
        made += [Zone(f"{label}.{top}", da_zone(f"{label}.{top}", extra="*\t60\tIN\tA\t192.0.2.3"), f"family, {label}")
                 for label in ("child", "secure", "orphan", "far.away")]
        apex = f"dname-{how or 'plain'}.example"
        made.append(pushed(apex, da_zone(apex, hosts=0, extra=f"@\t3600\tIN\tDNAME\t{top}."), "DNAME at the apex", how, scratch))
    return made


def unreadable(scratch):
    """Zones that zonefan refuses, with good reason or, the signed one, as libzscanner does."""
    bad = []
    for path in sorted(glob.glob(os.path.join(answers.DATA, "zones", "bad", "*.db"))):
        with open(path, "rb") as file:
            source = os.path.basename(path)
            bad.append(Zone(f"bad-{source[:-3]}.example", file.read(), source))
    name, text = make_zones.make_zone(0, SEED, sections.UNSIGNED)
    return bad + [pushed("unreadable-" + name, text.replace(name, "unreadable-" + name), "unsignable", "nsec", scratch)]


def rounds(zones):
    """Zones of one name cannot be there at the same time: lists, in each of which every name occurs once."""
    made = []
    for zone in zones:
        free = next((names for names in made if zone.name not in names), None)
        if free is None:
            made.append(free := {})
        free[zone.name] = zone
    return [list(names.values()) for names in made]


def lowest_ttls(zone):
    """
    Of each RRset whose records have several TTLs in the text: {"owner TYPE": the lowest}. By the lines of DA's layout, owner, TTL,
    class, type, data with tabs between them: dnspython does not know all the types.
    """
    text = zone.text.decode() if isinstance(zone.text, bytes) else zone.text
    stated = {}
    for owner, ttl, rtype in re.findall(r"^(\S+)\t(\d+)\tIN\t(\S+)\t", text, re.MULTILINE):
        owner = owner if owner.endswith(".") else f"{owner}.{zone.name}."
        stated.setdefault(f"{owner.lower()} {rtype}", set()).add(int(ttl))
    return {key: min(ttls) for key, ttls in stated.items() if len(ttls) > 1}
