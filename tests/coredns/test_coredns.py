# SPDX-License-Identifier: GPL-3.0-or-later
"""What zonefand wrote, read by CoreDNS, is what Knot DNS or BIND answers from the pushed text."""
import time

import dns.name
import dns.rcode
import dns.rdatatype
import pytest

import answers
import make_zones
from servers import HEARTBEAT, Bind, Knot
from zf.wait import wait_for
from zf.zones import da_zone

# Of the 1,000-zone corpus, and more that Knot, CoreDNS and dnspython all know.
CORPUS_TYPES = ("A AAAA MX TXT CNAME SRV CAA TLSA SSHFP NAPTR HTTPS DS PTR NS SOA TYPE65400 "
                "SVCB SPF CDS DNAME LOC HINFO RP URI CERT OPENPGPKEY")
CORPUS_ZONES = 40
# Knot refuses carriage returns and bytes above 126, and takes 3600 for a TTL that is not stated, where BIND
# takes the last one stated (RFC 1035 5.1) or the SOA's minimum.
FOR_BIND = {"crlf.db", "utf8.db", "inherited-ttl.db", "soa-minimum.db"}
SECOND = da_zone("second.example", extra="cross\t3600\tIN\tCNAME\twww.alltypes.example.")


def compare_all(world, names, oracle=Knot, **how):
    """Every owner and type of the zones, asked of both; the number of questions."""
    reader, oracle = world.coredns(), world.oracle(oracle)
    asked, differences = 0, []
    for name in names:
        zone = answers.parse(name, world.zones[name])
        for owner, rtype in answers.questions(zone):
            asked += 1
            difference = answers.difference_from_zone(reader, oracle, zone, owner, rtype, **how)
            if difference:
                differences.append(difference)
    assert not differences, f"{len(differences)} of {asked} differ:\n" + "\n".join(differences[:20])
    return asked


@pytest.mark.parametrize("file", answers.samples())
def test_sample_is_answered_as_by_the_oracle(world, file):
    name, text = answers.samples()[file]
    world.push({name: text})
    assert compare_all(world, [name], oracle=Bind if file in FOR_BIND else Knot) >= 2


def test_corpus_holds_all_types():
    zone = answers.parse("alltypes.example", answers.all_types())
    held = {rdataset.rdtype for _, rdataset in zone.iterate_rdatasets()}
    assert {dns.rdatatype.from_text(rtype) for rtype in CORPUS_TYPES.split()} <= held
    texts = [b"".join(rdata.strings) for name, rdataset in zone.iterate_rdatasets(dns.rdatatype.TXT) for rdata in rdataset]
    assert any(255 < len(text) <= 1024 for text in texts) and any(len(text) > 1024 for text in texts)


def test_every_type_is_answered_as_by_knot(world):
    world.push({"alltypes.example": answers.all_types()})
    assert compare_all(world, ["alltypes.example"]) >= 45


def test_zones_of_the_corpus_are_answered_as_by_knot(world):
    """The first of the zones of which the integration tests push 1,000; every eighth holds every type."""
    zones = dict(make_zones.zones(CORPUS_ZONES, seed=1))
    world.push(zones)
    assert compare_all(world, zones, unlike_ttls=True) >= 10 * CORPUS_ZONES


@pytest.fixture(scope="module")
def pair(shared_world):
    """CoreDNS and Knot on the zone of all types, and a second zone for what crosses from one to the other."""
    shared_world.push({"alltypes.example": answers.all_types(), "second.example": SECOND})
    return shared_world.coredns(), shared_world.oracle()


@pytest.mark.parametrize("owner, rtype", [
    ("blog", "A"),                # the chain ends in the zone
    ("BLOG", "A"),                # the case of a question does not matter
    ("shop", "A"),                # the chain leaves all zones: the row zone_name = '' keeps this from being SERVFAIL
    ("shop", "AAAA"),
    ("any-name", "A"),            # from the wildcard
    ("any-name", "TXT"),
    ("mixed", "A"),
    ("MIXED", "A"),
])
def test_derived_answers_are_those_of_knot(pair, owner, rtype):
    reader, oracle = pair
    difference = answers.difference(reader, oracle, dns.name.from_text(f"{owner}.alltypes.example."),
                                    dns.rdatatype.from_text(rtype))
    assert not difference, difference
    assert oracle.ask(f"{owner}.alltypes.example.", rtype).answer


def test_cname_into_another_zone_of_the_database(pair):
    """Knot stops at the end of the zone; the reader goes one zone further, and must find that zone's own record."""
    reader, oracle = pair
    name = dns.name.from_text("cross.second.example.")
    got = answers.answer_set(reader.ask(name, "A"))
    target = answers.answer_set(oracle.ask("www.alltypes.example.", "A"))
    assert target and got == answers.answer_set(oracle.ask(name, "CNAME")) | target


def test_external_cname_needs_the_catch_all_row(world):
    """The row zone_name = '' is there, and it is what makes the answer."""
    world.push({"alltypes.example": answers.all_types()})
    assert world.server.value("SELECT COUNT(*) FROM zones WHERE zone_name=''") == 1
    assert world.server.value("SELECT COUNT(*) FROM records r JOIN zones z ON z.id=r.zone_id WHERE z.zone_name=''") == 0
    answer = world.coredns().ask("shop.alltypes.example.", "A")
    assert answer.rcode() == dns.rcode.NOERROR
    assert [str(rrset[0]) for rrset in answer.answer] == ["storefront.elsewhere.example."]


def addresses(answer):
    return sorted(rdata.address for rrset in answer.answer for rdata in rrset)


def test_changed_record_is_answered_at_once(world):
    world.push({"change.example": da_zone("change.example", serial=1, address="192.0.2.1")})
    reader = world.coredns()
    assert addresses(reader.ask("host0.change.example.", "A")) == ["192.0.2.1"]
    for serial in range(2, 8):
        address = f"192.0.2.{serial}"
        world.push({"change.example": da_zone("change.example", serial=serial, address=address)})
        assert addresses(reader.ask("host0.change.example.", "A")) == [address]
        assert reader.ask("change.example.", "SOA").answer[0][0].serial == serial


def test_one_of_several_records_goes_at_once(world):
    two = "pair\t3600\tIN\tA\t192.0.2.7\npair\t3600\tIN\tA\t192.0.2.8"
    world.push({"pair.example": da_zone("pair.example", serial=1, extra=two)})
    reader = world.coredns()
    assert addresses(reader.ask("pair.pair.example.", "A")) == ["192.0.2.7", "192.0.2.8"]
    world.push({"pair.example": da_zone("pair.example", serial=2, extra=two.splitlines()[0])})
    assert addresses(reader.ask("pair.pair.example.", "A")) == ["192.0.2.7"]


def test_new_zone_is_answered_after_the_next_look_at_the_list(world, record_property):
    """No restart; the zones that were there before go on being answered, for the ids stay."""
    world.push({"old.example": da_zone("old.example")})
    reader = world.coredns()
    world.push({"new.example": da_zone("new.example")})
    begin = time.monotonic()
    wait_for(lambda: reader.serves("new.example"), 10 * HEARTBEAT, lambda: f"new.example is served:\n{reader.log()}")
    record_property("seconds_until_new_zone", round(time.monotonic() - begin, 2))
    assert reader.serves("old.example")


def test_deleted_and_revived_zone_is_answered_again(world):
    world.push({"back.example": da_zone("back.example", serial=1, address="192.0.2.1")})
    reader = world.coredns()
    world.delete("back.example")
    assert world.server.rows("back.example") == []
    world.push({"back.example": da_zone("back.example", serial=2, address="192.0.2.2")})
    wait_for(lambda: addresses(reader.ask("host0.back.example.", "A")) == ["192.0.2.2"], 10 * HEARTBEAT,
             lambda: f"the new address is answered:\n{reader.log()}")
