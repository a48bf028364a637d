#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes sample zones in the layout in which DirectAdmin writes them.

    make_zones.py [--seed N] COUNT FOLDER    writes COUNT files FOLDER/<zone>.db

As a module: zones(count, seed) gives (name, text) pairs; the same count and
seed give the same zones for ever. name has no final dot, text is str with LF.

The layout is that of directadmin-protocol.md 4.4: empty lines first, $TTL, an
SOA with blanks and no TTL of its own, then one section per type with
owner<TAB>ttl<TAB>IN<TAB>TYPE<TAB>data, apex owners absolute and others
relative, long TXT split in parentheses. Every eighth zone, the first one
included, holds every kind of record below; the others a random half. On purpose
some zones have doubled records, unlike TTLs in an RRset, and mixed case.
"""
import argparse
import base64
import pathlib
import random

LOWER = "abcdefghijklmnopqrstuvwxyz"
IDN_LABELS = ("xn--bcher-kva", "xn--mller-kva", "xn--fiqs8s", "xn--80ak6aa92e")
WORDS = ("shop", "blog", "acme", "fred", "pixel", "lemon", "north", "copper", "delta", "paper")
OUTSIDE = "edge-{}.cdn.example.net."
CHUNK = 255


class Zone:
    """One zone in the making: sections of lines, in the order in which they were opened."""

    def __init__(self, rng, index):
        self.rng = rng
        self.index = index
        self.name = zone_name(rng, index)
        self.apex = self.name + "."
        self.lines = []

    def add(self, owner, rtype, data, ttl=3600):
        self.lines.append(f"{owner}\t{ttl}\tIN\t{rtype}\t{data}")

    def gap(self):
        self.lines.extend([""] * self.rng.choice((1, 1, 2)))

    def ipv4(self):
        return f"192.0.2.{self.rng.randrange(1, 255)}"

    def ipv6(self):
        return "2001:db8:" + ":".join(f"{self.rng.randrange(1, 65536):x}" for _ in range(3)) + "::10"

    def blob(self, size):
        return bytes(self.rng.randrange(256) for _ in range(size))

    def hex(self, size):
        return self.blob(size).hex()

    def base64(self, size):
        return base64.b64encode(self.blob(size)).decode()


def zone_name(rng, index):
    if index % 25 == 7:
        return f"{index % 256}.{index // 256 % 256}.198.in-addr.arpa"
    label = f"{rng.choice(WORDS)}-{index}"
    if index % 10 == 3:
        label = f"{rng.choice(IDN_LABELS)}.{label}"
    if index % 10 == 6:
        label = f"{rng.choice(WORDS)}.{label}"
    return f"{label}.{rng.choice(('example', 'test', 'example.com', 'example.org'))}"


def text_data(text):
    """TXT data as DA writes it: one string, or strings of 255 in parentheses on lines of their own."""
    if len(text) <= CHUNK:
        return f'"{text}"'
    chunks = [text[i:i + CHUNK] for i in range(0, len(text), CHUNK)]
    return "( " + "\n\t\t\t\t\t".join(f'"{chunk}"' for chunk in chunks) + " )"


def head(zone):
    rng = zone.rng
    serial = 2026010100 + rng.randrange(1000000)
    blanks = " " * 48
    lines = [""] * rng.randrange(3, 14)
    lines.append(f"$TTL {rng.choice((3600, 14400, 86400))}")
    lines.append(f"@       IN      SOA     ns1.dns-host.example.      hostmaster.{zone.apex} (")
    lines += [blanks + str(number) for number in (serial, 3600, 3600, 1209600)]
    lines.append(blanks + "86400 )")
    lines.append("")
    return lines


def add_ns(zone):
    for number in (1, 2):
        zone.add(zone.apex, "NS", f"ns{number}.dns-host.example.")


def add_a(zone):
    address = zone.ipv4()
    for owner in sorted(("ftp", "mail", "pop", "smtp", "www")):
        zone.add(owner, "A", address)
    zone.add(zone.apex, "A", address)


def add_wildcard(zone):
    zone.add("*", "A", zone.ipv4())
    zone.add("*.dev", "TXT", '"wildcard below a name"')


def add_balanced(zone):
    """An RRset of several records with unlike TTLs: the lowest is the one that counts."""
    for ttl in (3600, 300, 86400):
        zone.add("balanced", "A", zone.ipv4(), ttl)


def add_doubled(zone):
    address = zone.ipv4()
    zone.add("doubled", "A", address)
    zone.add("DOUBLED", "A", address, 7200)


def add_mx(zone):
    zone.add(zone.apex, "MX", "10 mail")
    zone.add(zone.apex, "MX", f"20 MX2.{zone.apex.upper()}")


def add_cname(zone):
    zone.add("blog", "CNAME", "www")
    zone.add("cdn", "CNAME", OUTSIDE.format(zone.index))
    zone.add("Mixed-Case", "CNAME", f"WWW.{zone.apex}")


def add_txt(zone):
    zone.add("_acme-challenge", "TXT", f'"{zone.base64(32).rstrip("=")}"', 5)
    zone.add("_dmarc", "TXT", f'"v=DMARC1; p=none; rua=mailto:dmarc@{zone.name}"')
    zone.add(zone.apex, "TXT", f'"v=spf1 a mx ip4:{zone.ipv4()} ~all"')
    zone.add("quoted", "TXT", '"a \\"quoted\\" word; and a back\\\\slash"')


def add_long_txt(zone):
    zone.add("x._domainkey", "TXT", text_data("v=DKIM1; k=rsa; p=" + zone.base64(294)))
    zone.add("long", "TXT", text_data("".join(zone.rng.choice(LOWER + " ") for _ in range(1500))))


def add_aaaa(zone):
    address = zone.ipv6()
    zone.add("mail", "AAAA", address)
    zone.add(zone.apex, "AAAA", address)


def add_srv(zone):
    zone.add("_sip._tcp", "SRV", "10 60 5060 sip")
    zone.add("_imaps._tcp", "SRV", f"0 1 993 Mail.{zone.apex}")
    zone.add("sip", "A", zone.ipv4())


def add_caa(zone):
    zone.add(zone.apex, "CAA", '0 issue "letsencrypt.org"')
    zone.add(zone.apex, "CAA", '0 issuewild ";"')
    zone.add(zone.apex, "CAA", f'128 iodef "mailto:security@{zone.name}"')


def add_tlsa(zone):
    zone.add(f"_443._tcp.www.{zone.apex}", "TLSA", f"3 1 1 {zone.hex(32)}", 300)


def add_sshfp(zone):
    zone.add("ssh", "A", zone.ipv4())
    zone.add("ssh", "SSHFP", f"4 2 {zone.hex(32)}")
    zone.add("ssh", "SSHFP", f"1 1 {zone.hex(20)}")


def add_naptr(zone):
    zone.add("4.4.2.3.3.5", "NAPTR", '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .')
    zone.add(zone.apex, "NAPTR", '10 100 "S" "SIP+D2U" "" _sip._udp')


def add_https(zone):
    zone.add(zone.apex, "HTTPS", '1 . alpn="h2,h3"')
    zone.add("www", "HTTPS", f'1 . alpn="h2" port=8443 ipv4hint={zone.ipv4()} ipv6hint={zone.ipv6()}')


def add_svcb(zone):
    zone.add("_dns", "SVCB", f'1 Dns.{zone.apex} alpn="dot" port=853')
    zone.add("_alias", "SVCB", f"0 svc.{zone.apex}")


def add_child(zone):
    zone.add("child", "NS", "ns.child")
    zone.add("ns.child", "A", zone.ipv4())
    zone.add("child", "DS", f"{zone.rng.randrange(65536)} 13 2 {zone.hex(32)}")


def add_ptr(zone):
    zone.add("10", "PTR", f"www.{zone.apex}")
    zone.add("11", "PTR", f"Host.{zone.apex}")


def add_loc(zone):
    zone.add("hq", "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 10m 10000m 10m")


def add_hinfo(zone):
    zone.add("hq", "HINFO", '"Some CPU" "An OS"')


def add_rp(zone):
    zone.add("hq", "RP", f"Fred.{zone.apex} people")
    zone.add("people", "TXT", '"Fred, +31 20 5550100"')


def add_uri(zone):
    zone.add("_http._tcp", "URI", f'10 1 "https://www.{zone.name}/a?b=c;d"')


def add_cert(zone):
    zone.add("cert", "CERT", f"PKIX 12345 8 {zone.base64(120)}")


def add_openpgpkey(zone):
    zone.add(f"{zone.hex(28)}._openpgpkey", "OPENPGPKEY", zone.base64(300))


def add_dname(zone):
    zone.add("old", "DNAME", f"new.{zone.apex}")


def add_unknown(zone):
    zone.add("unknown", "TYPE65400", "\\# 2 abcd")
    size = zone.rng.randrange(1, 40)
    zone.add("unknown", "TYPE65401", f"\\# {size} {zone.hex(size)}")


def add_underscores(zone):
    zone.add("under_score", "A", zone.ipv4())
    zone.add("_a._b_._c", "TXT", '"deep"')


def add_idn(zone):
    for label in IDN_LABELS[:2]:
        zone.add(label, "A", zone.ipv4())


ALWAYS = (add_ns, add_a, add_mx, add_txt)
SOMETIMES = (add_wildcard, add_balanced, add_doubled, add_cname, add_long_txt, add_aaaa, add_srv, add_caa, add_tlsa,
             add_sshfp, add_naptr, add_https, add_svcb, add_child, add_ptr, add_loc, add_hinfo, add_rp, add_uri,
             add_cert, add_openpgpkey, add_dname, add_unknown, add_underscores, add_idn)


def make_zone(index, seed, more=()):
    """The index-th zone of that seed, whatever the number of zones. more: sections that come after the others."""
    rng = random.Random(f"{seed}/{index}")
    zone = Zone(rng, index)
    lines = head(zone)
    for section in ALWAYS + SOMETIMES + tuple(more):
        if section in ALWAYS or index % 8 == 0 or rng.random() < 0.5:
            section(zone)
            zone.gap()
    return zone.name, "\n".join(lines + zone.lines) + "\n" * rng.randrange(2, 5)


def zones(count, seed=1, more=()):
    for index in range(count):
        yield make_zone(index, seed, more)


def main():
    parser = argparse.ArgumentParser(description="make sample zones in DirectAdmin's layout")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("count", type=int)
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in zones(options.count, options.seed):
        (options.folder / f"{name}.db").write_text(text, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
