# SPDX-License-Identifier: GPL-3.0-or-later
"""
The reader's own limits. Each test shows that the database row is right, and that the reader answers otherwise than
Knot DNS all the same: a limit that goes away fails its test, and then its row goes from the table in README.md.
"""
import os
import re
import time

import dns.flags
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

import answers
from servers import HEARTBEAT
from zf.rows import of_rows, of_text
from zf.wait import wait_for
from zf.zones import da_zone

ZONE = "alltypes.example"
WILD_CNAME = da_zone("wildcname.example", extra="*\t3600\tIN\tCNAME\thost0")
SERVFAIL, NOERROR, NXDOMAIN = dns.rcode.SERVFAIL, dns.rcode.NOERROR, dns.rcode.NXDOMAIN


@pytest.fixture(scope="module")
def here(shared_world):
    """A world with the zones of this module, and CoreDNS and Knot beside it."""
    signed = next(file for file in answers.samples() if "signed" in file and "unsigned" not in file)
    name, text = answers.samples()[signed]
    shared_world.push({ZONE: answers.all_types(), "wildcname.example": WILD_CNAME, name: text})
    shared_world.signed = name
    shared_world.reader, shared_world.oracle = shared_world.coredns(), shared_world.oracle()
    return shared_world


def stored(world, owner, rtype, zone=ZONE):
    """The rows of that name and type, which must be those of the pushed text. 0 of both is right too."""
    labels = () if owner == "@" else dns.name.from_text(owner, origin=None).labels

    def pick(records):
        return sorted(record for record in records if record[0] == labels and record[1] == rtype)
    rows = pick(of_rows(world.server.rows(zone)))
    assert rows == pick(of_text(world.zones[zone], zone))
    return len(rows)


def ask_both(world, owner, rtype, zone=ZONE, **more):
    name = f"{owner}.{zone}." if owner != "@" else f"{zone}."
    return world.reader.ask(name, rtype, **more), world.oracle.ask(name, rtype, **more)


def only_types(answer):
    return [dns.rdatatype.to_text(rrset.rdtype) for rrset in answer.answer]


def test_missing_name_is_servfail(here):
    zone = "wildcname.example"  # two labels down its wildcard does not reach in Knot either: host0 exists
    assert stored(here, "missing.host0", "A", zone) == 0 and stored(here, "host0", "A", zone) == 1
    got, wanted = ask_both(here, "missing.host0", "A", zone)
    assert (got.rcode(), wanted.rcode()) == (SERVFAIL, NXDOMAIN)


def test_missing_type_is_servfail(here):
    assert stored(here, "www", "A") == 1 and stored(here, "www", "MX") == 0
    got, wanted = ask_both(here, "www", "MX")
    assert (got.rcode(), wanted.rcode(), wanted.answer) == (SERVFAIL, NOERROR, [])


def test_answers_are_not_authoritative(here):
    assert stored(here, "@", "SOA") == 1
    got, wanted = ask_both(here, "@", "SOA")
    assert not got.flags & dns.flags.AA and wanted.flags & dns.flags.AA


def test_negative_answers_have_no_soa(here):
    assert stored(here, "@", "SOA") == 1
    got, wanted = ask_both(here, "www", "SRV")
    assert got.authority == [] and wanted.authority[0].rdtype == dns.rdatatype.SOA


def test_any_is_servfail(here):
    assert stored(here, "www", "A") == 1
    got, wanted = ask_both(here, "www", "ANY")
    assert got.rcode() == SERVFAIL and wanted.answer


def test_wildcard_two_labels_up(here):
    assert stored(here, "*", "A") == 1
    got, wanted = ask_both(here, "a.b", "A")
    assert got.rcode() == SERVFAIL and only_types(wanted) == ["A"]


def test_wildcard_below_the_apex(here):
    assert stored(here, "*.dev", "A") == 1
    got, wanted = ask_both(here, "x.dev", "A")
    assert got.rcode() == SERVFAIL and only_types(wanted) == ["A"]


def test_wildcard_answers_for_a_name_that_exists(here):
    assert stored(here, "www", "A") == 1 and stored(here, "www", "TXT") == 0 and stored(here, "*", "TXT") == 1
    got, wanted = ask_both(here, "www", "TXT")
    assert only_types(got) == ["TXT"] and wanted.answer == []


def test_wildcard_answers_for_an_empty_non_terminal(here):
    assert stored(here, "a.ent", "A") == 1 and stored(here, "ent", "A") == 0
    got, wanted = ask_both(here, "ent", "A")
    assert only_types(got) == ["A"] and (wanted.rcode(), wanted.answer) == (NOERROR, [])


def test_wildcard_cname(here):
    assert stored(here, "*", "CNAME", "wildcname.example") == 1
    got, wanted = ask_both(here, "some-name", "A", "wildcname.example")
    assert got.rcode() == SERVFAIL and only_types(wanted) == ["CNAME", "A"]


def test_second_cname_of_a_chain(here):
    assert stored(here, "two", "CNAME") == 1 and stored(here, "blog", "CNAME") == 1
    got, wanted = ask_both(here, "two", "A")
    assert only_types(got) == ["CNAME"] and only_types(wanted) == ["CNAME", "CNAME", "A"]


def test_cname_to_a_name_of_the_wildcard(here):
    assert stored(here, "dangling", "CNAME") == 1
    got, wanted = ask_both(here, "dangling", "A")
    assert only_types(got) == ["CNAME"] and only_types(wanted) == ["CNAME", "A"]


def test_no_referral_below_a_delegation(here):
    assert stored(here, "child", "NS") == 1
    got, wanted = ask_both(here, "host.child", "A")
    assert got.rcode() == SERVFAIL
    assert wanted.rcode() == NOERROR and wanted.authority[0].rdtype == dns.rdatatype.NS


def test_delegation_is_answered_as_own_data(here):
    assert stored(here, "child", "NS") == 1
    got, wanted = ask_both(here, "child", "NS")
    assert only_types(got) == ["NS"] and wanted.answer == [] and wanted.authority


def test_dname_is_not_applied(here):
    assert stored(here, "moved", "DNAME") == 1
    got, wanted = ask_both(here, "www.moved", "A")
    assert got.rcode() == SERVFAIL and "DNAME" in only_types(wanted)


def test_signatures_are_not_added(here):
    """They are rows, and are given out when asked for by their type, but not beside what they sign."""
    assert stored(here, "@", "RRSIG", here.signed) >= 4
    got, wanted = ask_both(here, "@", "SOA", here.signed, dnssec=True)
    assert only_types(got) == ["SOA"] and sorted(only_types(wanted)) == ["RRSIG", "SOA"]
    zone = answers.parse(here.signed, here.zones[here.signed])
    everything = {(str(zone.origin), dns.rdatatype.RRSIG, rdata.to_digestable())
                  for rdataset in zone.get_node(zone.origin) if rdataset.rdtype == dns.rdatatype.RRSIG
                  for rdata in rdataset}
    given = here.reader.ask(zone.origin, "RRSIG")
    assert {(owner, rtype, wire) for owner, rtype, _, wire in answers.answer_set(given)} == everything


def test_no_proof_of_absence(here):
    assert stored(here, "@", "NSEC", here.signed) + stored(here, "@", "NSEC3PARAM", here.signed) >= 1
    got, wanted = ask_both(here, "no-type", "LOC", here.signed, dnssec=True)
    proofs = {rrset.rdtype for rrset in wanted.authority}
    assert got.authority == [] and proofs & {dns.rdatatype.NSEC, dns.rdatatype.NSEC3}


# ---- stale answers; each test has a world of its own ----

EXTRA = "gone\t3600\tIN\tA\t192.0.2.66"


def addresses(answer):
    return [rdata.address for rrset in answer.answer for rdata in rrset]


def go_on_asking(reader, name, seconds):
    """Asks again and again for so long; all the different answers, as lists of addresses."""
    end = time.monotonic() + seconds
    found = []
    while time.monotonic() < end:
        answer = addresses(reader.ask(name, "A"))
        if answer not in found:
            found.append(answer)
        time.sleep(0.05)
    return found


def test_deleted_record_is_still_answered(world):
    """For as long as this CoreDNS lives; SIGUSR1 ends it where dump_file is /dev/null."""
    world.push({"stale.example": da_zone("stale.example", serial=1, extra=EXTRA)})
    reader = world.coredns()
    assert addresses(reader.ask("gone.stale.example.", "A")) == ["192.0.2.66"]
    world.push({"stale.example": da_zone("stale.example", serial=2)})
    assert stored(world, "gone", "A", "stale.example") == 0
    assert go_on_asking(reader, "gone.stale.example.", 3 * HEARTBEAT) == [["192.0.2.66"]]
    pid = reader.process.pid
    reader.reload()
    reader.wait_serves(["stale.example"])
    assert reader.process.pid == pid and reader.process.poll() is None
    assert reader.ask("gone.stale.example.", "A").rcode() == SERVFAIL


def test_deleted_zone_is_still_answered(world):
    world.push({"stale.example": da_zone("stale.example", extra=EXTRA), "kept.example": da_zone("kept.example")})
    reader = world.coredns()
    assert addresses(reader.ask("gone.stale.example.", "A")) == ["192.0.2.66"]
    world.delete("stale.example")
    assert world.server.zone_id("stale.example") is None and world.server.rows("stale.example") == []
    wait_for(lambda: reader.ask("host0.stale.example.", "A").rcode() == SERVFAIL, 10 * HEARTBEAT,
             "a name of the zone that was never asked for is gone")
    assert go_on_asking(reader, "gone.stale.example.", HEARTBEAT) == [["192.0.2.66"]]
    reader.reload()
    reader.wait_serves(["kept.example"])
    assert reader.ask("gone.stale.example.", "A").rcode() == SERVFAIL


def test_deleted_record_comes_back_from_a_dump_file(world):
    """With an ordinary dump_file neither reload nor restart forgets."""
    world.push({"stale.example": da_zone("stale.example", serial=1, extra=EXTRA)})
    reader = world.coredns(dump_file=os.path.join(world.directory, "dump.json"))
    assert addresses(reader.ask("gone.stale.example.", "A")) == ["192.0.2.66"]
    world.push({"stale.example": da_zone("stale.example", serial=2)})
    assert stored(world, "gone", "A", "stale.example") == 0
    reader.stop()
    reader.start().wait_serves(["stale.example"])
    assert addresses(reader.ask("gone.stale.example.", "A")) == ["192.0.2.66"]


def test_cname_made_an_address_is_still_a_cname_for_other_types(world):
    world.push({"stale.example": da_zone("stale.example", serial=1, extra="www\t3600\tIN\tCNAME\thost0")})
    reader = world.coredns()
    assert only_types(reader.ask("www.stale.example.", "AAAA")) == ["CNAME"]
    world.push({"stale.example": da_zone("stale.example", serial=2, extra="www\t3600\tIN\tA\t192.0.2.9")})
    assert stored(world, "www", "A", "stale.example") == 1 and stored(world, "www", "CNAME", "stale.example") == 0
    assert addresses(reader.ask("www.stale.example.", "A")) == ["192.0.2.9"]
    assert only_types(reader.ask("www.stale.example.", "AAAA")) == ["CNAME"]


# ---- the table ----

def test_table_and_tests_are_the_same():
    """Each row of the table in README.md names a test of this file, and each test here has its row."""
    with open(os.path.join(answers.HERE, "README.md"), encoding="utf-8") as readme:
        table = readme.read().partition("<!-- limits:begin -->")[2].partition("<!-- limits:end -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    named = [re.search(r"`(test_\w+)`", row.split("|")[-2]) for row in rows]
    assert rows and all(named), "a row names no test"
    tests = {name for name, thing in globals().items() if name.startswith("test_") and callable(thing)}
    tests.discard("test_table_and_tests_are_the_same")
    assert sorted(match.group(1) for match in named) == sorted(tests)
