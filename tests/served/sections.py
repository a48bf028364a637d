# SPDX-License-Identifier: GPL-3.0-or-later
"""
What the generated zones hold besides that of tests/data/make_zones.py: whatever makes an authoritative server think.
Each function adds a section in DA's layout; all of them go into one zone without getting in each other's way.
"""
import make_zones

BIG = 2147483647


def add_deep_wildcards(zone):
    zone.add("*.w1", "A", zone.ipv4())
    zone.add("*.w1", "TXT", '"of the wildcard"')
    zone.add("host.w1", "A", zone.ipv4())
    zone.add("under.ent.w1", "A", zone.ipv4())
    zone.add("*.a.b.w2", "AAAA", zone.ipv6())
    zone.add("below.*.w3", "A", zone.ipv4())
    zone.add("*.w4", "MX", "10 mail")
    zone.add("*.*.w5", "A", zone.ipv4())


def add_wildcard_cname(zone):
    zone.add("*.wc", "CNAME", "www")
    zone.add("*.wo", "CNAME", f"away-{zone.index}.elsewhere.example.")
    zone.add("*.wl", "CNAME", "again.wl")
    zone.add("*.ww", "CNAME", "any.w-target")
    zone.add("*.w-target", "A", zone.ipv4())


def add_chains(zone):
    for number in range(1, 6):
        zone.add(f"c{number}", "CNAME", f"c{number + 1}")
    zone.add("c6", "CNAME", "www")
    zone.add("loop-a", "CNAME", "loop-b")
    zone.add("loop-b", "CNAME", "loop-a")
    zone.add("self", "CNAME", "self")
    zone.add("to-nothing", "CNAME", "not-there.to-nothing-either")
    zone.add("to-ent", "CNAME", "chain-ent")
    zone.add("x.chain-ent", "A", zone.ipv4())
    zone.add("to-apex", "CNAME", zone.apex)
    zone.add("to-cut", "CNAME", "plain-cut")
    zone.add("to-below-cut", "CNAME", "host.plain-cut")
    zone.add("plain-cut", "NS", "ns1.dns-host.example.")
    zone.add("to-dname", "CNAME", "host.chain-dname")
    zone.add("chain-dname", "DNAME", "chain-ent")
    zone.add("to-dname-in", "CNAME", "x.chain-dname")
    zone.add("out", "CNAME", f"Away-{zone.index}.Elsewhere.Example.")


def add_long_chain(zone):
    for number in range(30):
        zone.add(f"l{number}", "CNAME", f"l{number + 1}")
    zone.add("l30", "A", zone.ipv4())


def add_dnames(zone):
    zone.add("dn1", "DNAME", "dn-target")
    zone.add("dn1", "TXT", '"beside a DNAME"')
    zone.add("www.dn-target", "A", zone.ipv4())
    zone.add("*.dn-target", "TXT", '"wild"')
    zone.add("dn2", "DNAME", "dn1")
    zone.add("dn-out", "DNAME", "elsewhere.example.")
    zone.add("dn-loop", "DNAME", "x.dn-loop")
    zone.add("dn-long", "DNAME", f"{'y' * 63}.{'z' * 63}.{zone.apex}")
    zone.add("dn-cut", "DNAME", "dn-child")
    zone.add("dn-child", "NS", "ns.dn-child")
    zone.add("ns.dn-child", "A", zone.ipv4())


def add_delegations(zone):
    zone.add("far", "NS", "ns1.dns-host.example.")
    zone.add("far", "NS", "ns2.dns-host.example.")
    zone.add("near", "NS", "ns.near")
    zone.add("near", "NS", "ns.deep.near")
    zone.add("ns.near", "A", zone.ipv4())
    zone.add("ns.near", "AAAA", zone.ipv6())
    zone.add("ns.deep.near", "A", zone.ipv4())
    zone.add("brother", "NS", "ns.sister")
    zone.add("sister", "NS", "ns.sister")
    zone.add("sister", "NS", "ns.brother")
    zone.add("ns.sister", "A", zone.ipv4())
    zone.add("ns.brother", "A", zone.ipv4())
    zone.add("inside", "NS", "www")
    zone.add("signed-child", "NS", "ns.signed-child")
    zone.add("ns.signed-child", "A", zone.ipv4())
    for digest in ("2", "4"):
        zone.add("signed-child", "DS", f"{zone.rng.randrange(65536)} 13 {digest} {zone.hex(32 if digest == '2' else 48)}")
    zone.add("a.b.far-down", "NS", "ns.a.b.far-down")
    zone.add("ns.a.b.far-down", "A", zone.ipv4())


def add_occluded(zone):
    """Below a cut: other data than glue, and a cut once more."""
    zone.add("cut", "NS", "ns.cut")
    zone.add("ns.cut", "A", zone.ipv4())
    zone.add("www.cut", "A", zone.ipv4())
    zone.add("cut", "TXT", '"not ours to say"')
    zone.add("mail.cut", "MX", "10 www.cut")
    zone.add("*.cut", "A", zone.ipv4())
    zone.add("again.cut", "NS", "ns.again.cut")
    zone.add("ns.again.cut", "A", zone.ipv4())


def add_escapes(zone):
    for owner in (r"dotted\.label", r"blank\032inside", r"\000", r"nul\000inside", r"semi\;colon", r"at\@sign", r"quo\"te",
                  r"back\\slash", r"\200\255", r"UP\080er", r"paren\(thesis\)", r"dollar\$", r"tab\009", r"\*.star", r"*a.star",
                  r"a*.star", r"\192\160"):
        zone.add(owner, "A", zone.ipv4())
    zone.add(r"to\.dotted", "CNAME", r"dotted\.label")
    zone.add(r"mx\.dotted", "MX", r"10 back\\slash")


def add_limits(zone):
    zone.add("ttl-0", "A", zone.ipv4(), 0)
    zone.add("ttl-max", "A", zone.ipv4(), BIG)
    zone.add("l" * 63, "A", zone.ipv4())
    room = 255 - len("*.") - (len(zone.apex) + 1) - 3 * 64  # dnssec-signzone looks for a wildcard below each name
    zone.add(".".join(["m" * 63] * 3 + ["n" * (min(room, 64) - 1)]), "A", zone.ipv4())
    zone.add("sixty", "A", "192.0.2.1")
    for number in range(2, 61):
        zone.add("sixty", "A", f"192.0.2.{number}")
    for number in range(1, 31):
        zone.add("thirty", "MX", f"{number} mx{number}")
        zone.add(f"mx{number}", "A", zone.ipv4())
    zone.add("huge", "TXT", " ".join(f'"{letter * 250}"' for letter in "abcdefghijklmnop" * 4))
    zone.add("empty-text", "TXT", '""')
    zone.add("many", "TXT", " ".join(['"x"'] * 200))


def add_rare(zone):
    name = f"rare.{zone.apex}"
    for rtype, data in (
            ("AFSDB", f"1 Afs.{name}"), ("RT", f"10 rt.{name}"), ("MINFO", f"a.{name} b.{name}"), ("KX", f"1 kx.{name}"),
            ("APL", "1:192.0.2.0/24 !2:2001:db8::/32"), ("IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb"),
            ("DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="), ("SMIMEA", f"3 1 1 {zone.hex(32)}"),
            ("CDNSKEY", f"257 3 13 {zone.base64(64)}"), ("CSYNC", "66 3 A NS AAAA"), ("EUI48", "00-00-5e-00-53-2a"),
            ("EUI64", "00-00-5e-ef-10-00-00-2a"), ("NID", "10 1014:4fff:ff20:ee64"), ("L32", "10 10.1.2.0"),
            ("L64", "10 2001:1db8:1140:1000"), ("LP", f"10 l64.{name}"), ("ZONEMD", f"1 1 241 {zone.hex(48)}"),
            ("SPF", '"v=spf1 -all"'), ("CDS", f"{zone.rng.randrange(65536)} 13 2 {zone.hex(32)}"),
            ("KEY", f"256 3 13 {zone.base64(64)}"), ("TYPE65535", r"\# 0")):
        zone.add("rare", rtype, data)
    zone.add("gateway", "IPSECKEY", f"10 3 2 gw.{zone.apex} AQNRU3mG7TVTO2BkR47usntb")
    zone.add("bare", "IPSECKEY", "10 0 2 . AQNRU3mG7TVTO2BkR47usntb")


def add_unsignable(zone):
    """dnssec-signzone writes these in a way that libzscanner, by which zonefan and Knot read, does not know."""
    zone.add("bracket-\\091", "A", zone.ipv4())
    zone.add(r"brace-\{", "A", zone.ipv4())
    zone.add("rare", "TYPE19", r"\# 13 0c333131303631373030393536")
    zone.add("rare", "TYPE261", r"\# 4 03616263")
    zone.add("rare", "NID", "20 0014:4fff:ff20:ee64")


def add_service_names(zone):
    """Targets whose addresses belong into the additional section, or do not."""
    zone.add("svc1", "SRV", "0 0 443 here")
    zone.add("svc1", "SRV", "1 0 443 any.w1")
    zone.add("svc1", "SRV", "2 0 443 host.near")
    zone.add("svc1", "SRV", "3 0 443 blog")
    zone.add("here", "A", zone.ipv4())
    zone.add("here", "AAAA", zone.ipv6())
    zone.add("mx1", "MX", "1 here")
    zone.add("mx1", "MX", "2 ns.near")
    zone.add("mx1", "MX", "3 .")
    zone.add("svc2", "SVCB", "1 here port=53")
    zone.add("svc2", "SVCB", "2 svc2 alpn=dot")
    zone.add("svc3", "HTTPS", "0 svc2")
    zone.add("svc4", "SVCB", "16 . mandatory=alpn,port alpn=h2,h3 no-default-alpn port=1 key667=hello ech=AAAA")
    zone.add("naptr1", "NAPTR", '10 100 "S" "SIP+D2U" "" svc1')
    zone.add("naptr1", "NAPTR", '20 100 "A" "" "" here')
    zone.add("ptr1", "PTR", "here")


SECTIONS = (add_deep_wildcards, add_wildcard_cname, add_chains, add_long_chain, add_dnames, add_delegations, add_occluded,
            add_escapes, add_limits, add_rare, add_service_names)

# All that the small zones hold; few types, so that there are few questions.
EDGES = (make_zones.add_ns, make_zones.add_wildcard, make_zones.add_balanced, make_zones.add_dname, make_zones.add_svcb,
         make_zones.add_child, add_deep_wildcards, add_wildcard_cname, add_dnames, add_delegations)

# Only in zones that are not signed.
UNSIGNED = (add_unsignable,)
