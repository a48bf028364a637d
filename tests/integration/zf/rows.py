# SPDX-License-Identifier: GPL-3.0-or-later
"""
What database rows should be, said by somebody else than zonefan: the digest of lib/zone/zone.h computed again, and
zone text read by dnspython and compared with rows as wire form.
"""
import hashlib
from typing import NamedTuple

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zone
import dns.zonefile

MASK = (1 << 64) - 1


class Row(NamedTuple):
    hostname: str
    type: str
    data: str
    ttl: object  # int, or None in a table that allows it
    online: object


def digest(rows):
    """(count, 32 hex digits) as lib/zone/zone.h defines it; any text, any ttl and online."""
    count = high = low = 0
    for row in rows:
        text = b""
        for field in row:
            value = b"" if field is None else str(field).encode("utf-8")
            text += b"%d:%s" % (len(value), value)
        sha = hashlib.sha256(text).digest()
        count += 1
        high = (high + int.from_bytes(sha[:8], "big")) & MASK
        low = (low + int.from_bytes(sha[8:16], "big")) & MASK
    return count, f"{high:016x}{low:016x}"


def relative(name, origin):
    """The labels of an absolute name below the origin, in lower case."""
    return tuple(label.lower() for label in name.relativize(origin).labels)


def _canonical(rdata):
    """Type and wire form, names inside lower-cased for the types whose canonical form does so."""
    return dns.rdatatype.to_text(rdata.rdtype), rdata.to_digestable()


class _Reader(dns.zonefile.Reader):
    """dnspython's, but with BIND's rule: the SOA's minimum is the default TTL only if the SOA itself states none."""

    def _rr_line(self):
        known = self.default_ttl_known
        super()._rr_line()
        if not known and self.default_ttl_known and self.last_ttl_known:
            self.default_ttl_known = False


def of_text(text, zone_name):
    """Zone text -> {(owner labels, type, wire, ttl)}: one TTL per RRset, the lowest; an RRSIG bears its RRset's TTL."""
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    origin = dns.name.from_text(zone_name)
    zone = dns.zone.Zone(origin, relativize=False)
    with zone.writer(True) as transaction:
        tokens = dns.tokenizer.Tokenizer(text.replace("\r\n", "\n"), "zone text")
        _Reader(tokens, dns.rdataclass.IN, transaction).read()
    zone.check_origin()
    ttls = {}
    for name, rdataset in zone.iterate_rdatasets():
        if rdataset.rdtype != dns.rdatatype.RRSIG:
            ttls[name, rdataset.rdtype] = rdataset.ttl
    records = set()
    for name, rdataset in zone.iterate_rdatasets():
        ttl = rdataset.ttl
        if rdataset.rdtype == dns.rdatatype.RRSIG:
            ttl = ttls.get((name, rdataset.covers), ttl)
        for rdata in rdataset:
            type_text, wire = _canonical(rdata)
            records.add((relative(name, origin), type_text, wire, ttl))
    return records


def of_rows(rows):
    """Rows -> [(owner labels, type, wire, ttl)], sorted; a list, so that a doubled row shows."""
    records = []
    for row in rows:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, row.type, row.data, origin=None)
        type_text, wire = _canonical(rdata)
        assert row.online == 1, f"{row} is not online"
        assert type_text == row.type, f"{row}: the type is not spelt as DNS software spells it"
        assert row.hostname and row.hostname == row.hostname.lower(), f"{row}: the owner is not in lower case"
        owner = () if row.hostname == "@" else dns.name.from_text(row.hostname, origin=None).labels
        assert not owner or owner[-1], f"{row}: the owner is absolute"
        records.append((owner, type_text, wire, row.ttl))
    return sorted(records)


def assert_rows_are(rows, text, zone_name, where):
    """The rows hold exactly what the text says: nothing missing, nothing more, nothing twice."""
    want = sorted(of_text(text, zone_name))
    have = of_rows(rows)
    if want == have:
        return
    missing = [r for r in want if r not in have]
    surplus = [r for r in have if r not in want]
    raise AssertionError(f"{where}: {zone_name} differs from its source: missing {missing[:5]}, surplus {surplus[:5]}, "
                         f"{len(want)} records wanted, {len(have)} there")
