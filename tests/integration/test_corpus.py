# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "1,000 zones (DA layout; A, AAAA, MX, TXT over 255 and over 1,024 characters, CNAME, SRV, CAA, TLSA, SSHFP,
NAPTR, HTTPS, DS, PTR, wildcard, TYPE65400) reach three MariaDBs; the digest read back from the rows equals the digest
of the source for each, also for shared/zones/*.db" (kept in tests/data/zones). (W12, S11 of reliability.md 4.)

Twice over: the digest of the rows is computed here by its definition, and dnspython, which shares nothing with
zonefan, reads the source and compares records in wire form.
"""
import glob
import os
from concurrent.futures import ThreadPoolExecutor

import make_zones
import pytest
from zf.daemon import SOURCE
from zf.rows import assert_rows_are, digest

COUNT = 1000
TYPES = {"A", "AAAA", "MX", "TXT", "CNAME", "SRV", "CAA", "TLSA", "SSHFP", "NAPTR", "HTTPS", "DS", "PTR", "TYPE65400",
         "SOA", "NS"}


def check(zonefan, centre, name, text, rows, known):
    count, value = digest(rows)
    assert value == known["digest"], f"{name} at {centre.name}: the rows' digest is not the source's"
    assert count == len(rows)
    assert_rows_are(rows, text, name, centre.name)


@pytest.mark.timeout(600)
def test_thousand_zones(install, dcs):
    zonefan = install(dcs)
    zones = dict(make_zones.zones(COUNT, seed=1))
    assert len(zones) == COUNT
    da = zonefan.da()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: da.push_ok(*item), zones.items()))
    zonefan.wait_converged(deadline=180)
    held = zonefan.zones()
    assert sorted(held) == sorted(zones)
    seen = set()
    for centre in dcs:
        rows = centre.db.all_rows()
        assert sorted(rows) == sorted(zones), centre.name
        for name, text in zones.items():
            check(zonefan, centre, name, text, rows[name], held[name])
            seen |= {row.type for row in rows[name]}
    assert TYPES <= seen, f"the corpus lacks {TYPES - seen}"
    texts = [row.data for zone in rows.values() for row in zone if row.type == "TXT"]
    assert any(255 < len(data) <= 1024 for data in texts) and any(len(data) > 1024 for data in texts)
    assert any(row.hostname == "*" for zone in rows.values() for row in zone)


SAMPLES = sorted(glob.glob(os.path.join(SOURCE, "tests", "data", "zones", "*.db")))


def zone_of(path, text):
    """The samples of DirectAdmin's own layout are of shop.example; the others say what they are."""
    first = text.split(b"\n", 1)[0].decode()
    return first.split(": ")[1].strip() if first.startswith("; zone: ") else "shop.example"


@pytest.mark.parametrize("path", SAMPLES, ids=os.path.basename)
def test_sample(shared, path):
    with open(path, "rb") as file:
        text = file.read()
    name = zone_of(path, text)
    shared.zonefan.da().push_ok(name, text)
    shared.zonefan.wait_converged()
    known = shared.zonefan.zone(name)
    for centre in shared.dcs:
        check(shared.zonefan, centre, name, text, centre.db.rows(name), known)


BAD = sorted(glob.glob(os.path.join(SOURCE, "tests", "data", "zones", "bad", "*.db")))


@pytest.mark.parametrize("path", BAD, ids=os.path.basename)
def test_bad_sample(shared, path):
    """Refused with error=1 and a reason, never a crash; nothing of it reaches a store or a database."""
    with open(path, "rb") as file:
        text = file.read()
    name = "bad-" + os.path.basename(path)[:-3] + ".example"
    answer = shared.zonefan.da().push(name, text)
    assert (answer.status, answer.error) == (200, "1") and answer.text, answer
    assert shared.zonefan.da().exists(name).fields["exists"] == "0"


def test_there_are_samples():
    names = {os.path.basename(path) for path in SAMPLES}
    assert {"directadmin-signed.db", "directadmin-unsigned.db"} <= names
