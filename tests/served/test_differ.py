# SPDX-License-Identifier: GPL-3.0-or-later
"""
The differential test: what CoreDNS with zonefan's reader answers is what Knot answers from the pushed text, for every name and its
neighbours, every type, over UDP and TCP, with and without DO; the differences in which the reader is right are those of permitted.tsv.
"""
import json
import os
import subprocess
import tempfile

import dns.message
import dns.query
import dns.rcode
import pytest

import corpus
import differ
import play
from servers import Knot
from stage import make_stage
from zf.zones import da_zone

HERE = os.path.dirname(os.path.abspath(__file__))
SLICE = 0.02  # of the questions for what is not there, without --whole
TYPES = set("""A AAAA AFSDB APL CAA CDNSKEY CDS CERT CNAME CSYNC DHCID DNAME DNSKEY DS EUI48 EUI64 HINFO HTTPS IPSECKEY KEY KX L32 L64
    LOC LP MINFO MX NAPTR NID NS NSEC NSEC3 NSEC3PARAM OPENPGPKEY PTR RP RRSIG RT SMIMEA SOA SPF SRV SSHFP SVCB TLSA TXT TYPE19 TYPE261
    TYPE65400 TYPE65535 URI ZONEMD""".split())


@pytest.fixture(scope="module")
def program():
    return differ.build()


@pytest.fixture(scope="module")
def played(server, scratch, plain, program, request):
    """All of the corpus went through both servers."""
    share = 1 if request.config.getoption("--whole") else SLICE
    with make_stage(server, scratch) as stage:
        made = play.Play(stage, plain, program)
        made.compare_all(corpus.edges(scratch) + corpus.families(scratch))
        made.compare_all(corpus.samples(scratch) + corpus.generated(range(corpus.GENERATED), scratch), share=share)
        made.push(corpus.unreadable(scratch))
        yield made


def test_no_difference(played, record_property):
    totals, permitted = played.totals()
    record_property("totals", json.dumps({**totals, "permitted": permitted}))
    different = [result for result in played.results if result.differences]
    assert not different, "\n".join(result.text() for result in different)
    assert totals["questions"] >= 1000000 and totals["zones"] >= corpus.GENERATED + 45


def test_every_permitted_difference_occurs(played):
    """An entry of the table that nothing needs hides what may come."""
    _, used = played.totals()
    assert set(used) == set(differ.table()) and all(used.values())


def test_corpus_holds_all_types(played):
    held = {row[0] for row in played.stage.db.sql("SELECT DISTINCT type FROM records")}
    assert TYPES <= held, f"the corpus lacks {TYPES - held}"
    hows = {zone.how for zone in played.accepted}
    assert hows == set(corpus.SIGNED)


def test_refused_zones_are_those_of_the_list(played):
    """What zonefan refuses is no difference; which texts these are stands in refused.tsv, each with words of the reason."""
    with open(os.path.join(HERE, "refused.tsv"), encoding="utf-8") as lines:
        listed = dict(line.rstrip("\n").split("\t") for line in lines if not line.startswith("#"))
    assert sorted(played.refused) == sorted(listed)
    for source, words in listed.items():
        assert words in played.refused[source], f"{source}: {played.refused[source]}"
    for name in ("bad-empty.example.", "bad-two-soas.example."):
        answer = dns.query.udp(dns.message.make_query(name, "SOA"), "127.0.0.1", port=played.reader.port, timeout=5)
        assert answer.rcode() == dns.rcode.REFUSED


# ---- the comparer itself ----

def base(zone):
    return da_zone(zone, extra="\n".join((
        "cut\t3600\tIN\tNS\tns.cut", "ns.cut\t3600\tIN\tA\t192.0.2.9", "*.wild\t3600\tIN\tA\t192.0.2.7", "one\t3600\tIN\tTXT\t\"a\"")))


PLANTED = {  # name of a zone: text, other text, question, section
    "data": ('"a"', '"b"', "one.{} TXT", "answer"),
    "ttl": ("one\t3600", "one\t3601", "one.{} TXT", "answer"),
    "glue": ("192.0.2.9", "192.0.2.10", "cut.{} A", "additional"),
    "delegation": ("cut\t3600\tIN\tNS\tns.cut", "cut\t3600\tIN\tNS\tns2.cut", "cut.{} A", "authority"),
    "cut": ("cut\t3600\tIN\tNS\tns.cut", "cut\t3600\tIN\tTXT\t\"x\"", "cut.{} A", "AA"),
    "wildcard": ("*.wild", "wild", "covered.wild.{} A", "status"),
    "minimum": ("86400 )", "86399 )", "zz-missing.one.{} TXT", "authority"),
}


@pytest.fixture(scope="module")
def planted(program, scratch):
    """One Knot with plain zones, one in which each of them has one difference: what is found, and what between equal ones."""
    zones = [corpus.Zone(f"{name}.example", base(f"{name}.example"), name) for name in PLANTED]
    changed = {}
    for zone in zones:
        old, new, *_ = PLANTED[zone.source]
        assert zone.text.count(old) == 1
        changed[zone.name] = zone.text.replace(old, new)
    servers = [Knot(texts, tempfile.mkdtemp(dir=scratch)) for texts in ({zone.name: zone.text for zone in zones}, changed)]
    try:
        for server in servers:
            server.start().wait_serves(changed)
        ports = [server.port for server in servers]
        yield [differ.compare(program, tempfile.mkdtemp(dir=scratch), ports[0], other, zones) for other in (ports[1], ports[0])]
    finally:
        for server in servers:
            server.stop()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_difference_is_seen(planted, name):
    """With and without DO, and in the transfer."""
    *_, question, part = PLANTED[name]
    question = question.format(name + ".example.")
    seen = {entry["question"] for entry in planted[0].differences if entry["zone"] == name + ".example." and part in entry["in"]}
    assert {question, question + " +do"} <= seen, planted[0].text()
    assert f"{name}.example. AXFR" in {entry["question"] for entry in planted[0].differences}


def test_equal_servers_do_not_differ(planted):
    assert planted[1].differences == [] and planted[1].totals["permitted"] == {} and planted[1].totals["questions"] > 10000


def test_unknown_rules_are_refused(program, tmp_path):
    table = tmp_path / "table.tsv"
    table.write_text("no-such-rule\tRFC 1035\tno reason\n")
    listing = tmp_path / "zones.json"
    listing.write_text("")
    done = subprocess.run([program, "-oracle=127.0.0.1:1", "-reader=127.0.0.1:1", f"-zones={listing}", f"-permitted={table}"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and f"{table}:1:" in done.stderr
