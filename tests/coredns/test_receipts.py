# SPDX-License-Identifier: GPL-3.0-or-later
"""
Receipts: what was written into the databases of two data centres is asked of their CoreDNS, once with each reader: this
folder's stand-in for the public plugin, and the plugin zonefan of deploy/coredns.
"""
import contextlib
import json
import socket
import tempfile

import pytest

import reader
from servers import CoreDNS
from zf.daemon import Zonefan
from zf.mariadb import DATABASE, MariaDB, make_template
from zf.wait import wait_for

LIMIT = 40
DEADLINE = 3  # verify.deadline_seconds: what is late is told soon, and a machine that stands still for a moment makes nothing late
BEFORE = [f"before{number}.example" for number in range(5)]  # pushed before name servers are asked
CANARY = "canary.example.net"
QUICK = {"retry": {"backoff_seconds": [1, 1, 2], "max_attempts": 2, "probe_initial_ms": 200, "probe_max_ms": 1000}}


def text(serial, address="192.0.2.1"):
    return (f"$TTL 300\n@ IN SOA ns1.example.net. root.example.net. {serial} 3600 600 86400 300\n@ IN NS ns1.example.net.\n"
            f"www IN A {address}\n")


@pytest.fixture(scope="module")
def servers(scratch):
    folder = tempfile.mkdtemp(prefix="receipts-", dir=scratch)  # the other tests have one in scratch itself
    template = make_template(folder)
    made = [MariaDB(name, template, folder) for name in ("dc1", "dc2")]
    for server in made:
        server.start()
    yield made
    for server in made:
        server.destroy()


@pytest.fixture(scope="module", params=["mysql", "zonefan"])
def kind(request):
    return request.param


class Centre:
    """A database, and the CoreDNS that reads it; the port stays the same over restarts."""

    def __init__(self, kind, program, db, directory):
        self.kind = kind
        self.program = program
        self.db = db
        self.directory = directory
        self.reader = None

    def make(self):
        """Once the tables are there."""
        directory = tempfile.mkdtemp(prefix="coredns-", dir=self.directory)
        if self.kind == "mysql":
            self.reader = CoreDNS(self.program, self.db, directory)
        else:
            reader.make_account(self.db)
            self.reader = reader.Reader(self.program, directory, reader.dsn(self.db.port), {"refresh": "200ms"}, bare=True)
        return self

    @property
    def address(self):
        return f"127.0.0.1:{self.reader.port}"

    def start(self):
        self.reader.start()

    def stop(self):
        self.reader.stop()


class Site:
    """zonefan with two data centres."""

    def __init__(self, kind, program, servers, directory, stack):
        self.directory = directory
        self.zonefan = Zonefan(tempfile.mkdtemp(prefix="zonefan-", dir=directory),
                               [(server.name, server, server.port) for server in servers], QUICK)
        stack.callback(self.end)
        self.centres = [Centre(kind, program, server, directory) for server in servers]
        self.zonefan.start()
        for centre in self.centres:
            self.zonefan.wait_lane(centre.db.name, "up")
            centre.make()
            centre.start()
            stack.callback(lambda made=centre: made.reader.process is not None and made.stop())

    def end(self):
        try:
            self.zonefan.stop()
        finally:
            if self.zonefan.alive():
                self.zonefan.kill9()

    def verify(self, more=()):
        """From now on, without a restart, their name servers are asked, and more of dc1; what somebody changes in a database stays so."""
        backends = {centre.db.name: {"verify": {"dns": [centre.address], "interval_seconds": 2}} for centre in self.centres}
        backends["dc1"]["verify"]["dns"] += more
        self.zonefan.configure({"verify": {"deadline_seconds": DEADLINE, "canary": CANARY}, "healing": {"enabled": False},
                                "dns": {"backends": backends}})
        self.zonefan.ctl("reload", check=0)

    def push(self, zone, content):
        self.zonefan.da().push_ok(zone, content)

    def wait(self, zone, backend, state):
        """The delivery, once its receipt says that of the newest generation."""
        def look():
            delivery = self.zonefan.delivery(zone, backend)
            ripe = delivery["applied_generation"] == delivery["wanted_generation"] and delivery["verify_state"] == state
            return delivery if ripe else None
        return wait_for(look, LIMIT, lambda: f"{zone} is {state} at {backend}; "
                        f"{json.dumps(self.zonefan.delivery(zone, backend))}\n{self.zonefan.log_tail()}")

    def server(self, backend):
        return self.zonefan.backend(backend)["verify"]["servers"][0]

    def wait_verify(self, backend, condition, what):
        wait_for(lambda: condition(self.zonefan.backend(backend)["verify"]), LIMIT,
                 lambda: f"{what}: {self.zonefan.backend(backend)['verify']}\n{self.zonefan.log_tail()}")

    def kinds(self, backend):
        return [event["kind"] for event in self.zonefan.listing("/api/v1/events", "events") if event["backend"] == backend]

    @contextlib.contextmanager
    def tells(self, backend, kind):
        """Once, by the end of the block or soon after."""
        if kind == "unanswered":  # what was late by chance is told as over before the block begins
            self.wait_verify(backend, lambda verify: verify["unanswered"] == 0, "nothing is late yet")
        before = self.kinds(backend).count(kind)
        yield
        wait_for(lambda: self.kinds(backend).count(kind) > before, LIMIT,
                 lambda: f"event {kind} of {backend}: {self.kinds(backend)}")
        assert self.kinds(backend).count(kind) == before + 1


@pytest.fixture(scope="module")
def site(kind, binary, servers, scratch):
    """Some zones are there before name servers are asked."""
    program = binary if kind == "mysql" else reader.build()
    for server in servers:
        server.reset()
    with contextlib.ExitStack() as stack:
        made = Site(kind, program, servers, tempfile.mkdtemp(prefix="r-", dir=scratch), stack)
        for number, zone in enumerate(BEFORE):
            made.push(zone, text(number + 1))
        made.zonefan.wait_converged()
        assert made.zonefan.backend("dc1")["verify"] is None
        assert made.zonefan.delivery(BEFORE[0], "dc1")["verify_state"] is None
        made.verify()
        yield made


def check_answered(delivery, centre, serial):
    assert delivery["serial_answered"] == serial
    assert delivery["answered_by"] == centre.address
    assert delivery["written_at"] <= delivery["answered_at"]
    assert delivery["unanswered_since"] is None and delivery["verify_error"] is None
    assert delivery["authoritative"] == (centre.kind == "zonefan")
    [said] = delivery["name_servers"]
    assert said["address"] == centre.address and said["answered_at"] == delivery["answered_at"]


def test_zones_of_before_and_the_canary(site):
    """Zones that were written before anybody asked are found by the sweep; the canary is followed like any zone."""
    for zone in BEFORE:
        for centre in site.centres:
            site.wait(zone, centre.db.name, "answered")
    for centre in site.centres:
        site.wait(CANARY, centre.db.name, "answered")
        site.wait_verify(centre.db.name, lambda verify: verify["canary_answered_at"], "the canary is seen")
        site.wait_verify(centre.db.name, lambda verify: verify["sweep"]["asked"] > 0, "there is a sweep")
    said = {event["kind"] for event in site.zonefan.listing("/api/v1/events", "events") if event["zone"] == CANARY}
    assert not said & {"push", "serial_not_raised"}


def test_written_is_not_answered(site):
    """A push, a change, a name server that is stopped and comes back, a restart of zonefan."""
    first, second = site.centres
    site.push("example.com", text(2026010101))
    for centre in site.centres:
        check_answered(site.wait("example.com", centre.db.name, "answered"), centre, 2026010101)
        site.wait_verify(centre.db.name, lambda verify: verify["servers"][0]["state"] == "up", "it answers")
        assert site.server(centre.db.name)["last_ok_at"] and site.server(centre.db.name)["address"] == centre.address
    # Under the same serial only the record tells.
    site.push("example.com", text(2026010101, "192.0.2.2"))
    for centre in site.centres:
        check_answered(site.wait("example.com", centre.db.name, "answered"), centre, 2026010101)

    with site.tells("dc2", "server_silent"), site.tells("dc2", "unanswered"):
        second.stop()
        site.push("example.com", text(2026010102, "192.0.2.3"))
        check_answered(site.wait("example.com", "dc1", "answered"), first, 2026010102)
        late = site.wait("example.com", "dc2", "unanswered")
    assert late["state"] == "clean" and late["written_at"] and late["answered_at"] is None
    assert late["unanswered_since"] >= late["written_at"]
    assert late["verify_error"].startswith(second.address)
    verify = site.zonefan.backend("dc2")["verify"]
    assert verify["unanswered"] >= 1 and verify["oldest_unanswered_seconds"] >= DEADLINE
    assert verify["servers"][0]["state"] == "silent" and verify["servers"][0]["error"]
    assert site.zonefan.backend("dc1")["verify"]["unanswered"] == 0
    metrics = site.zonefan.da().get("/metrics").body
    assert b'zonefan_backend_unanswered_zones{backend="dc1"} 0\n' in metrics
    assert b'zonefan_backend_unanswered_zones{backend="dc2"} 0\n' not in metrics
    assert b'zonefan_backend_unanswered_zones{backend="dc2"} ' in metrics
    shown = site.zonefan.ctl("zone", "example.com").stdout
    assert "ANSWERED AT" in shown and "unanswered" in shown
    status = site.zonefan.ctl("status").stdout
    assert "written and not answered" in status and f"name server {second.address} is silent" in status
    page = site.zonefan.da().get("/?zone=example.com").body.decode()
    assert "Written to 2 of 2 data centres, answered so by 1." in page and ">not answered<" in page and second.address in page
    page = site.zonefan.da().get("/").body.decode()
    assert "Name servers of dc2 do not answer what was written" in page and ">silent<" in page

    answered_at = site.zonefan.delivery("example.com", "dc1")["answered_at"]
    told = site.kinds("dc2").count("unanswered")
    with site.tells("dc2", "answered"):
        site.zonefan.restart()
        assert site.zonefan.delivery("example.com", "dc1")["answered_at"] == answered_at
        second.start()
        check_answered(site.wait("example.com", "dc2", "answered"), second, 2026010102)
    assert site.kinds("dc2").count("unanswered") == told, "a restart tells what was told"


def test_a_delete_is_followed(site, kind):
    site.push("gone.example", text(1))
    for centre in site.centres:
        site.wait("gone.example", centre.db.name, "answered")
    if kind == "zonefan":
        site.zonefan.da().delete_ok("gone.example")
        for centre in site.centres:
            assert site.wait("gone.example", centre.db.name, "answered")["serial_answered"] is None
        return
    # The public plugin goes on answering from its memory until it is started anew.
    with site.tells("dc1", "still_answers"), site.tells("dc2", "still_answers"):
        site.zonefan.da().delete_ok("gone.example")
    for centre in site.centres:
        delivery = site.wait("gone.example", centre.db.name, "still_answers")
        assert "still answers, with serial 1" in delivery["verify_error"]
        site.wait_verify(centre.db.name, lambda verify: verify["still_answers"] == 1 and verify["unanswered"] == 0, "it is told apart")
        assert f'zonefan_backend_still_answered_zones{{backend="{centre.db.name}"}} 1\n' in site.zonefan.da().get("/metrics").body.decode()
    with site.tells("dc1", "gone"):
        site.centres[0].stop()
        site.push("other.example", text(1))
        site.wait_verify("dc1", lambda verify: verify["servers"][0]["state"] == "silent", "silence is seen")
        site.centres[0].start()
        site.wait("gone.example", "dc1", "answered")
    site.wait("gone.example", "dc2", "still_answers")


# A change of rows past their stamp is not what the other reader looks for.
@pytest.mark.parametrize("kind", ["mysql"], indirect=True)
def test_the_sweep_finds_what_is_lost(site):
    site.push("swept.example", text(7))
    for centre in site.centres:
        site.wait("swept.example", centre.db.name, "answered")
    soa = "ns1.example.net. root.example.net. %d 3600 600 86400 300"
    with site.tells("dc2", "answered"):
        with site.tells("dc2", "unanswered"):
            site.centres[1].db.sql(f"UPDATE {DATABASE}.records SET data = '{soa % 6}' WHERE data = '{soa % 7}'")
        late = site.wait("swept.example", "dc2", "unanswered")
        assert "answers serial 6, 7 was written" in late["verify_error"]
        assert site.zonefan.backend("dc2")["verify"]["sweep"]["lost"] > 0
        site.centres[1].db.sql(f"UPDATE {DATABASE}.records SET data = '{soa % 7}' WHERE data = '{soa % 6}'")
        site.wait("swept.example", "dc2", "answered")
    assert site.zonefan.delivery("swept.example", "dc1")["verify_state"] == "answered"


@pytest.mark.parametrize("kind", ["zonefan"], indirect=True)
def test_the_worst_of_several_counts(site):
    """One that says nothing: what the others say is known all the same, and no other data centre waits for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with site.tells("dc1", "server_silent"), site.tells("dc1", "unanswered"):
            site.verify([address])
            site.push("several.example", text(1))
            site.wait("several.example", "dc2", "answered")
        late = site.wait("several.example", "dc1", "unanswered")
    assert late["verify_error"].startswith(address) and late["answered_at"] is None
    said = {server["address"]: server for server in late["name_servers"]}
    assert said[site.centres[0].address]["answered_at"] and not said[address]["answered_at"]
    with site.tells("dc1", "answered"):
        site.verify()
        site.wait("several.example", "dc1", "answered")
