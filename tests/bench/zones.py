# SPDX-License-Identifier: GPL-3.0-or-later
"""The zones of the bench: 20 records each, in DirectAdmin's layout, no two with the same data."""
import hashlib

RECORDS = 20
SERIAL = 2026030401


def names(prefix, count):
    return [f"{prefix}{i:05d}.bench.example" for i in range(count)]


def text(name, serial=SERIAL, edition=0):
    """
    serial also stands in one TXT: a zone pushed with the next serial differs in two records, the SOA and that TXT.
    A zone of another edition (and serial) differs in the data of every record.
    """
    seed = hashlib.sha256(f"{name} {edition}".encode()).digest()
    address = f"198.51.{edition}.{seed[0]}"
    address6 = f"2001:db8:{edition:x}::{seed[1]:x}{seed[2]:02x}"
    key = hashlib.sha512(seed).hexdigest() * 3
    more = edition or ""
    hosts = "\n".join(f"{host}\t3600\tIN\tA\t{address}" for host in ("ftp", "mail", "pop", "smtp", "www", "sip"))
    return f"""{chr(10) * 12}$TTL 3600
@       IN      SOA     ns1.dns-host.example.      hostmaster.{name}. (
                                                {serial}
                                                3600
                                                3600
                                                1209600
                                                86400 )

{name}.\t3600\tIN\tNS\tns1{more}.dns-host.example.
{name}.\t3600\tIN\tNS\tns2{more}.dns-host.example.

{name}.\t3600\tIN\tA\t{address}
{hosts}

{name}.\t3600\tIN\tMX\t{10 + edition} mail

blog\t3600\tIN\tCNAME\twww{more}

_dmarc\t3600\tIN\tTXT\t"v=DMARC1; p=none; rua=mailto:dmarc{more}@{name}"
_version\t3600\tIN\tTXT\t"{serial}"
{name}.\t3600\tIN\tTXT\t"v=spf1 a mx ip4:{address} ~all"
x._domainkey\t3600\tIN\tTXT\t( "v=DKIM1; k=rsa; p={key[:200]}"
\t\t\t\t\t"{key[200:384]}" )

mail\t3600\tIN\tAAAA\t{address6}
{name}.\t3600\tIN\tAAAA\t{address6}

_sip._tcp\t3600\tIN\tSRV\t10 60 {5060 + edition} sip
{name}.\t3600\tIN\tCAA\t0 issue "ca{more}.example"

"""


def write_plan(path, zones, found_by=None):
    """
    zones: (name, text) of each push. found_by(name) finds a row once that push is committed. The format is that
    of plan.h.
    """
    with open(path, "wb") as out:
        for name, zone_text in zones:
            body = zone_text.encode()
            sql = found_by(name).encode() if found_by else b""
            out.write(f"{name} {len(body)} {len(sql)}\n".encode() + body + sql)
