# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md 4.4, H07: forms and zones that are not what they should be. Refused with the reason, the old version stays, no
file is ever opened for them. Names and broken zones of other kinds are in test_dialect.py.
"""
import os
import time

import pytest
from zf.load import assert_quick
from zf.inject import Strace
from zf.zones import da_zone

ZONE = "odd.example"
ADMIN = "/CMD_API_DNS_ADMIN"
GOOD = da_zone(ZONE, 5)


def parameters(kind, query="", body=b"", target=None):
    return pytest.param(target or f"{ADMIN}?action=rawsave&hostname=h&{query}", body, id=kind, marks=row(f"form: {kind}"))


def row(fault):
    return pytest.mark.row("H07", fault=fault, injected="one request", required="error=1 with a text within 200 ms, the old version stays")


def assert_old_version(shared, listed):
    """The zone of before, everywhere where it was; and no other was made."""
    assert sorted(shared.zonefan.zones()) == listed
    shared.zonefan.wait_converged()
    for centre in shared.dcs:
        assert '"version 5"' in [record.data for record in centre.db.rows(ZONE)], centre.name


@pytest.fixture
def held(shared):
    """The zone in service, and what is held besides."""
    shared.zonefan.da().push_ok(ZONE, GOOD, hostname="h")
    shared.zonefan.wait_converged()
    return sorted(shared.zonefan.zones())


def send(da, target, body):
    began = time.monotonic()
    answer = da.request("POST", target, body)
    return answer, time.monotonic() - began


@pytest.mark.parametrize("target, body", [
    parameters("no domain", body=GOOD.encode()),
    parameters("two domains", f"domain={ZONE}&domain=other.example", GOOD.encode()),
    parameters("a bad escape in the domain", "domain=odd%zz.example", GOOD.encode()),
    parameters("an escape that is cut off", "domain=odd.example%2", GOOD.encode()),
    parameters("a NUL in the domain", "domain=odd.example%00", GOOD.encode()),
    parameters("a domain that is no UTF-8", "domain=odd%ff%fe.example", GOOD.encode()),
    parameters("a domain in overlong UTF-8", "domain=odd%c0%ae%c0%ae.example", GOOD.encode()),
    parameters("a domain of 5 KB", "domain=" + "a." * 2500 + "example", GOOD.encode()),
    parameters("a domain of quotes and statements", "domain=odd.example%27%3B+DROP+TABLE+zones%3B--", GOOD.encode()),
    parameters("rawsave for a zone without a body", f"domain={ZONE}"),
    parameters("a form of 20,000 fields", body=b"&".join(b"f%d=%d" % (i, i) for i in range(20_000)), target=ADMIN),
    parameters("a form of one field of a megabyte", body=b"action=" + b"x" * 1_000_000, target=ADMIN),
    parameters("a form of ampersands", body=b"&" * 100_000, target=ADMIN),
    parameters("a delete of names that are none", body=b"action=delete&hostname=h&select0=%00&select1=..&select2=" + b"x" * 300,
               target=ADMIN),
    parameters("a multipart body without a query", body=b'--b\r\nContent-Disposition: form-data; name="action"\r\n\r\nrawsave\r\n--b--\r\n',
               target=ADMIN),
])
def test_odd_form(shared, held, happened, target, body):
    answer, seconds = send(shared.zonefan.da(), target, body)
    assert (answer.status, answer.error) == (200, "1") and answer.text, answer
    assert_quick(lambda: send(shared.zonefan.da(), target, body)[1], seconds)
    assert_old_version(shared, held)
    happened(f"error=1: {answer.text[:80]}", answered_s=round(seconds, 3))


@pytest.mark.row("H07", fault="a name of a megabyte", injected="in the query", required="400, closed")
def test_huge_name(shared, held, happened):
    answer, _ = send(shared.zonefan.da(), f"{ADMIN}?action=rawsave&domain={'a' * 1_000_000}", GOOD)
    assert answer.status == 400 and answer.error == "1" and "too long" in answer.text, answer
    assert_old_version(shared, held)
    happened("400")


def records(count):
    return "".join(f"r{i}\t60\tIN\tA\t192.0.2.{i % 250}\n" for i in range(count))


ODD_ZONES = {
    "a parenthesis that is never closed": "@ 60 IN TXT ( \"open\"\n" + records(2000),
    "a quote that is never closed": "@ 60 IN TXT \"open\n" + records(2000),
    "NUL in the midst": "a\0b 60 IN A 192.0.2.1\n",
    "invalid UTF-8 as a type": "www 60 IN \xff\xfe 192.0.2.1\n",
    "$GENERATE of millions": "$GENERATE 1-16777216 h$ A 192.0.2.1\n",
    "$INCLUDE": "$INCLUDE /etc/passwd\n",
    "an unknown directive": "$ORDER 66\n",
    "a line of a megabyte": "www 60 IN TXT " + "x" * 1_000_000 + "\n",
    "a TTL beyond 31 bits": "www 99999999999 IN A 192.0.2.1\n",
    "a label of 64 bytes": "x" * 64 + " 60 IN A 192.0.2.1\n",
    "a name of 300 bytes": "a." * 150 + " 60 IN A 192.0.2.1\n",
    "a type of unknown number with a wrong length": "www 60 IN TYPE65280 \\# 5 0102\n",
    "UTF-16": GOOD.encode("utf-16").decode("latin-1"),
    "100,000 records where 50,000 may be": records(100_000),
    "10,000 parentheses, nested": "@ 60 IN TXT " + "(" * 10_000 + ")" * 10_000 + "\n",
}


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind, marks=row(f"zone: {kind}")) for kind in ODD_ZONES])
def test_odd_zone(shared, held, happened, kind):
    text = (GOOD + ODD_ZONES[kind]).encode("latin-1")
    target = f"{ADMIN}?action=rawsave&domain={ZONE}&hostname=h"
    answer, seconds = send(shared.zonefan.da(), target, text)
    assert (answer.status, answer.error) == (200, "1") and answer.text, answer
    assert_quick(lambda: send(shared.zonefan.da(), target, text)[1], seconds)
    assert_old_version(shared, held)
    happened(f"error=1: {answer.text[:80]}", answered_s=round(seconds, 3))


@pytest.mark.row("H07", fault="a zone of 100,000 records where it may be", injected="app.max_zone_records: 200000",
                 required="taken, and delivered whole")
def test_large_zone(install, dcs, times, happened):
    count = times(20_000, 100_000)
    zonefan = install(dcs[:1], config={"app": {"max_zone_records": 200_000}})
    began = time.monotonic()
    zonefan.da().push_ok("large.example", da_zone("large.example") + records(count))
    seconds = time.monotonic() - began
    zonefan.wait_converged(deadline=240)
    rows = dcs[0].db.value("SELECT COUNT(*) FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name='large.example.'")
    assert rows == count + 9, rows
    happened(f"{count} records acknowledged after {seconds:.1f} s, delivered whole", times=1, acknowledged=1)


@pytest.mark.row("H07", fault="$INCLUDE of a file that is there", injected="in ten spellings, strace on all calls that open or look for a file",
                 required="refused; the file's name appears in no call")
def test_include_opens_no_file(install, dcs, tmp_path, happened):
    zonefan = install(dcs[:1])
    canary = os.path.join(zonefan.directory, "included.zone")
    with open(canary, "w", encoding="ascii") as out:
        out.write("www 60 IN A 192.0.2.66\n")
    name = os.path.basename(canary)
    spellings = [f"$INCLUDE {canary}", f"$include {canary}", f"$Include \"{canary}\"", f"$INCLUDE {canary} sub.odd.example.",
                 f"$INCLUDE\t{name}", f"$INCLUDE ./{name}", f"$INCLUDE file://{canary}", f"$INCLUDE ({canary}\n)",
                 f"$INCLUDE {canary} ; comment", f"$INCLUDE \\{canary}"]
    da = zonefan.da()
    da.push_ok(ZONE, GOOD)
    zonefan.wait_converged()
    control = os.path.join(zonefan.directory, "control.sqlite")
    with Strace(zonefan.process.pid, tmp_path / "strace", "-e", "trace=%file", all_threads=True) as strace:
        for spelling in spellings:
            answer = da.push(ZONE, GOOD + spelling + "\n")
            assert (answer.status, answer.error) == (200, "1") and "INCLUDE" in answer.text.upper(), answer
        zonefan.ctl("backup", control, check=0)  # shows that a file that is opened is seen
    assert any(control in line for line in strace.lines()), "strace saw nothing"
    opened = [line for line in strace.lines() if name in line]
    assert not opened, opened
    assert zonefan.zone(ZONE)["serial"] == 5
    happened(f"{len(spellings)} refused, no call names the file", times=len(spellings))
