# SPDX-License-Identifier: GPL-3.0-or-later
"""
Receipts (V1) of name servers that answer in other ways than most: too much for UDP, or nonsense. With real CoreDNS: tests/coredns/test_receipts.py.
"""
import re
import socket
import sqlite3

import dns.flags
import dns.message
import dns.name
import dns.zone
import pytest
from zf.master import NameServer
from zf.wait import wait_for
from zf.zones import da_zone

ZONE = "receipt.example"


class Served(NameServer):
    """Answers from a text of each zone. mode, too: "nonsense" (by TCP, after a truncated answer by UDP: a header, and bytes that mean nothing)."""

    def __init__(self):
        self.zones = {}
        super().__init__(None)

    def load(self, text, name=ZONE):
        self.zones[name] = dns.zone.from_text(text, name + ".", relativize=False)

    def reply(self, wire, tcp):
        if self.mode == "nonsense" and tcp:
            return wire[:2] + b"\x84\x00" + wire[4:6] + b"\xff" * 20
        query = dns.message.from_wire(wire)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        asked = query.question[0]
        if self.mode != "ok" and not tcp:
            answer.flags |= dns.flags.TC
        else:
            found = [zone.get_rrset(asked.name, asked.rdtype) for zone in list(self.zones.values())]
            answer.answer += [rrset for rrset in found if rrset]
        return answer.to_wire()


@pytest.fixture
def served():
    made = Served()
    yield made
    made.close()


@pytest.fixture
def other():
    made = Served()
    yield made
    made.close()


@pytest.fixture
def zonefan(install, dcs, served):
    return install(dcs[:1], config={"verify": {"deadline_seconds": 1}, "dns": {"backends": {"dc1": {
        "verify": {"dns": [f"127.0.0.1:{served.port}"], "interval_seconds": 2}}}}})


def wait_state(zonefan, state, zone=ZONE):
    def look():
        delivery = zonefan.delivery(zone, "dc1")
        return delivery if delivery["verify_state"] == state else None
    return wait_for(look, 60, lambda: f"{zone} is {state}: {zonefan.delivery(zone, 'dc1')}\n{zonefan.log_tail()}")


def answers(zonefan):
    """How many the histogram of push to answer has seen."""
    text = zonefan.da().get("/metrics").body.decode()
    return int(re.search(r'^zonefan_backend_push_to_answer_seconds_count\{backend="dc1"\} (\d+)$', text, re.M).group(1))


def test_what_is_too_long_for_udp_is_asked_by_tcp(zonefan, served):
    served.mode = "truncate"
    served.load(da_zone(ZONE, 7))
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 7))
    delivery = wait_state(zonefan, "answered")
    assert delivery["serial_answered"] == 7 and delivery["authoritative"] and served.counts["tcp"] >= 1
    wait_for(lambda: answers(zonefan) == 1, 30, "it is counted")


def test_nonsense_is_no_answer(zonefan, served):
    served.mode = "nonsense"
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 7))
    delivery = wait_state(zonefan, "unanswered")
    assert delivery["written_at"] and delivery["answered_at"] is None and delivery["serial_answered"] is None
    assert f"127.0.0.1:{served.port}" in delivery["verify_error"] and served.counts["tcp"] >= 1 and answers(zonefan) == 0
    served.load(da_zone(ZONE, 7))
    served.mode = "ok"
    assert wait_state(zonefan, "answered")["serial_answered"] == 7
    wait_for(lambda: answers(zonefan) == 1, 30, "it is counted")


def test_where_tcp_is_closed_a_truncated_answer_is_no_silence(zonefan, served):
    """What is wrong with that zone is told, and no other zone suffers from it."""
    served.mode = "truncate"
    served.tcp.shutdown(socket.SHUT_RDWR)
    served.tcp.close()
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 7))
    delivery = wait_state(zonefan, "unanswered")
    assert "the answer is truncated, and by TCP: " in delivery["verify_error"]
    assert [entry["state"] for entry in zonefan.backend("dc1")["verify"]["servers"]] == ["up"]
    assert not [event for event in zonefan.listing("/api/v1/events", "events", 1000) if event["kind"] == "server_silent"]


def test_one_name_for_a_push_up_to_its_answer(install, dcs, served):
    """V9: who looks for it in the log finds it received, delivered and answered."""
    zonefan = install(dcs[:1], config={"log_level": "debug", "dns": {"backends": {"dc1": {
        "verify": {"dns": [f"127.0.0.1:{served.port}"], "interval_seconds": 2}}}}})
    served.load(da_zone(ZONE, 7))
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 7))
    wait_state(zonefan, "answered")
    push = next(event["push"] for event in zonefan.api("/api/v1/events")["events"] if event["kind"] == "push")
    told = [re.search(r"msg=(\S+)", line)[1] for line in zonefan.log().splitlines() if f"push={push}" in line]
    assert "delivered" in told and told.count("answered") == 1 and told.index("delivered") < told.index("answered"), told


def told(zonefan, kind):
    return [event["detail"] for event in zonefan.listing("/api/v1/events", "events", 1000) if event["kind"] == kind]


@pytest.fixture
def two(install, dcs, served, other):
    """One data centre with two name servers; ZONE and another zone are answered by both, and asked for from time to time."""
    zonefan = install(dcs[:1], config={"verify": {"deadline_seconds": 1}, "dns": {"backends": {"dc1": {
        "verify": {"dns": [f"127.0.0.1:{at.port}" for at in (served, other)], "interval_seconds": 2}}}}})
    for zone in (ZONE, "else.example"):
        for at in (served, other):
            at.load(da_zone(zone, 7), zone)
        zonefan.da().push_ok(zone, da_zone(zone, 7))
        wait_state(zonefan, "answered", zone)
    return zonefan


def test_who_still_answers_is_named(two, served, other):
    """A zone is deleted; of its two name servers the first says nothing, and the second still answers: that one needs a hand."""
    served.mode = "silent"
    two.da().delete_ok(ZONE)
    delivery = wait_state(two, "still_answers")
    assert delivery["verify_error"] == f"127.0.0.1:{other.port} still answers, with serial 7" and delivery["serial_answered"] == 7
    events = wait_for(lambda: told(two, "still_answers"), 60, lambda: f"it is told\n{two.log_tail()}")
    assert events == [f"1 zone, the oldest: name server 127.0.0.1:{other.port} still answers, with serial 7"]


def test_who_is_right_is_not_blamed(two, served, other):
    """The first goes on answering a deleted zone, and lets go of it in the end; the second says nothing all the while."""
    other.mode = "silent"
    two.da().delete_ok(ZONE)
    wait_state(two, "still_answers")
    assert told(two, "unanswered") == []
    # It is asked again at once when it comes back from an outage, which is seen when the other zone is asked for.
    del served.zones[ZONE]
    served.mode = "silent"
    wait_for(lambda: any(f":{served.port}" in text for text in told(two, "server_silent")), 60, "the first is silent")
    served.mode = "ok"
    wait_state(two, "unanswered")
    events = wait_for(lambda: told(two, "unanswered"), 60, lambda: f"it is told that it is late\n{two.log_tail()}")
    assert events[0].startswith(f"1 zone, the oldest: name server 127.0.0.1:{other.port} ")


def test_a_set_that_is_late_after_its_serial(two, served):
    """The serial is late, and that is told; then it is right, and no name that was changed is answered as it was written."""
    two.da().push_ok(ZONE, da_zone(ZONE, 8))
    assert "answers serial 7, 8 was written" in wait_state(two, "unanswered")["verify_error"]
    served.load(re.sub(r"^ +7$", " 8", da_zone(ZONE, 7), flags=re.M))

    def error():
        servers = two.delivery(ZONE, "dc1")["name_servers"]
        return next(at["error"] for at in servers if at["address"].endswith(f":{served.port}"))
    wait_for(lambda: "answers other data for " in error(), 60, lambda: f"what is wrong now is told: {error()}\n{two.log_tail()}")


def test_what_could_not_be_kept_is_not_called_answered(zonefan, served):
    """The right answer comes, and the store can't take it: nothing says that all is answered until it has."""
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 7))
    wait_state(zonefan, "unanswered")
    wait_for(lambda: told(zonefan, "unanswered"), 60, "it is told")
    store = sqlite3.connect(zonefan.store, isolation_level=None, timeout=30)
    store.execute("ALTER TABLE receipt_answer RENAME TO receipt_answer_away")
    served.load(da_zone(ZONE, 7))
    wait_for(lambda: "what name servers answer can't be stored" in zonefan.log(), 60, "it is refused")
    wait_for(lambda: "what was written can't be read" in zonefan.log(), 60, "nor can it be read anew; what is late was looked for meanwhile")
    store.execute("ALTER TABLE receipt_answer_away RENAME TO receipt_answer")
    store.close()
    delivery = wait_state(zonefan, "answered")
    events = wait_for(lambda: [event for event in zonefan.api("/api/v1/events")["events"] if event["kind"] == "answered"], 60,
                      "the end of it is told")
    assert events[-1]["at"] >= delivery["answered_at"] and len(told(zonefan, "unanswered")) == 1
