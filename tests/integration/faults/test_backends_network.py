# SPDX-License-Identifier: GPL-3.0-or-later
"""
Packets that are lost on a real wire (reliability.md B01-B03, B06, B23, B27): the data centres are reached through a network
namespace whose packet filter drops them. In the long form only: it needs nftables, and the right to make a network.
"""
import concurrent.futures
import contextlib
import os
import socket
import struct
import time
from typing import NamedTuple

import pymysql
import pytest
from zf.history import History
from zf.netns import Namespace, syn_sent
from zf.oracles import ack_ms, assert_clean, resources, wait_recovered
from zf.wait import wait_for
from zf.zones import da_zone, named, version_of

ZONE = "wire.example"
PROBES = {"retry": {"backoff_seconds": [1, 1, 2], "max_attempts": 5, "probe_initial_ms": 200, "probe_max_ms": 1000}}
# Of linux/if_ether.h and asm-generic/socket.h: Python has no names for them.
ETH_P_ALL, SO_RCVBUFFORCE = 3, 33

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]


@pytest.fixture
def wire(dcs):
    """The data centres by way of a namespace: wire.proxies[i] leads to dcs[i]."""
    namespace = Namespace()
    try:
        for centre in dcs:
            namespace.proxy(centre.db.port)
        yield namespace
    finally:
        namespace.close()


def by(wire, dcs, **more):
    """Configuration of the back ends that leads through the namespace."""
    return {**PROBES, "dns": {"backends": {centre.name: {"host": wire.address, "port": proxy.port, **more}
                                           for centre, proxy in zip(dcs, wire.proxies)}}}


def processor_s(zonefan):
    """Processor time that it has used."""
    with open(f"/proc/{zonefan.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.row("B01", fault="refused by the network, 10,000 zones waiting", injected="nft: reject with tcp reset, counted",
                 required="<= 8 connects in the first minute; processor <= 2 %")
def test_refused_with_many_waiting(install, dcs, wire, happened):
    zonefan = install(dcs, config={"dns": by(wire, dcs)["dns"]}, quick=False)
    zonefan.wait_lane("dc2", "up")
    port = wire.proxies[1].port
    wire.rule(f"input tcp dport {port} tcp flags syn / syn,ack counter reject with tcp reset")
    wire.rule(f"input tcp dport {port} reject with tcp reset")
    wire.proxies[1].cut()
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: zonefan.da().push_ok(name, da_zone(name)), named("waiting", 10_000)))
    zonefan.wait_converged("dc1", "dc3", deadline=240)
    pushed = time.monotonic() - began
    wait_for(lambda: time.monotonic() > began + 60, 120, "the first minute passes")
    connects = wire.counted()
    used, since = processor_s(zonefan), time.monotonic()
    wait_for(lambda: time.monotonic() > since + 30, 60, "half a minute at rest passes")
    share = 100 * (processor_s(zonefan) - used) / (time.monotonic() - since)
    assert zonefan.pending()["dc2"] == 10_000
    wire.passing()
    zonefan.wait_converged(deadline=200)
    happened(f"{connects} connects within {max(60, pushed):.0f} s, then {share:.1f} % of a processor", acknowledged=10_000)
    assert connects <= 8 * max(60, pushed) / 60 and share <= 2


@pytest.mark.row("B01", fault="refused for 2, 10 and 60 s, with the clocks of a real installation", injected="proxy: refuse",
                 required="first write after return: <= 3 s, <= 12 s, <= 36 s")
def test_first_write_after_an_outage(install, dcs, happened):
    zonefan = install(dcs, quick=False)
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    told = []
    for version, (outage, limit) in enumerate(((2, 3), (10, 12), (60, 36)), start=2):
        dcs[1].proxy.refuse()
        zonefan.da().push_ok(ZONE, da_zone(ZONE, version))
        gone = time.monotonic()
        wait_for(lambda: time.monotonic() > gone + outage, outage + 30, "the outage passes")
        dcs[1].proxy.passing()
        back = time.monotonic()
        wait_for(lambda version=version: version_of(dcs[1].db.rows(ZONE)) == version, 3 * limit, "written")
        told.append((outage, time.monotonic() - back, limit))
    happened(", ".join(f"{outage} s: after {took:.1f} s" for outage, took, _ in told), times=len(told))
    assert all(took <= limit for _, took, limit in told), told


@pytest.mark.row("B23", fault="dead resolver", injected="resolv.conf of its own, to a port whose packets nft drops",
                 required="each attempt <= connect_timeout_ms and slack; the others undisturbed; last good address used")
def test_dead_resolver(install, dcs, wire, happened):
    backends = {"dc2": {"host": "db.faults.example", "connect_timeout_ms": 3000}}
    zonefan = install(dcs, config={**PROBES, "dns": {"backends": backends}}, start=False)
    resolver = os.path.join(zonefan.directory, "resolv.conf")
    with open(resolver, "w", encoding="ascii") as file:
        file.write(f"nameserver {wire.address}\noptions timeout:5 attempts:2\n")
    wire.rule("input udp dport 53 counter drop")
    zonefan.start(wrap=("unshare", "--mount", "sh", "-c", f'mount --bind {resolver} /etc/resolv.conf && exec "$@"', "sh"))
    resting = resources(zonefan)
    zonefan.da().push_ok(ZONE, da_zone(ZONE))
    zonefan.wait_converged("dc1", "dc3")
    wait_for(lambda: "db.faults.example" in (zonefan.backend("dc2")["last_error"] or ""), 30, "the host is named")
    held, threads, since, began = 0.0, 0, None, time.monotonic()
    while time.monotonic() < began + 25:
        state = zonefan.backend("dc2")["state"]
        since = (since or time.monotonic()) if state == "probing" else None
        held = max(held, time.monotonic() - since) if since else held
        threads = max(threads, resources(zonefan).threads)
        assert state != "up"
    assert wire.counted() >= 2, "no question was ever asked"
    assert 2 < held <= 5, f"a probe took {held} s"
    assert threads <= resting.threads + 6, "threads that wait for the resolver pile up"
    happened(f"a probe took {held:.1f} s at most, {threads - resting.threads} threads waited for the resolver: "
             f"{zonefan.backend('dc2')['last_error']}")


class Look(NamedTuple):
    """At /proc/net/tcp, which shows what it was at some moment between these two."""
    before: float
    connecting: bool
    after: float


def time_connecting(address, port):
    """
    How long the next try to connect takes, in seconds: surely so long (from the first look that saw it to the last), and surely no
    longer (from the look before to the one after). Where the processors are busy a look comes late, which is no time of zonefand's.
    """
    def looks(until):
        """One after the other; the last shows what is waited for."""
        seen, end = [], time.monotonic() + 30
        while not seen or seen[-1].connecting != until:
            assert time.monotonic() < end, f"within 30 s it does not {'connect' if until else 'give up'}"
            time.sleep(0.002)
            before = time.monotonic()
            seen.append(Look(before, syn_sent(address, port), time.monotonic()))
        return seen

    idle = looks(False)[-1]  # a try that is under way is not seen from its beginning
    *earlier, first = looks(True)
    *later, gone = looks(False)
    last_idle, last = [idle, *earlier][-1], [first, *later][-1]
    return last.before - first.after, gone.after - last_idle.before


@pytest.mark.row("B02", fault="SYN black hole", injected="nft drops what goes to one database's port, in a namespace",
                 required="connect gives up in 3.0 s (2.7 to 3.3); the others and the acknowledgements are undisturbed")
def test_syn_black_hole(install, dcs, wire, seed, happened, bar):
    zonefan = install(dcs, config=by(wire, dcs))
    history = History(zonefan, dcs, zones=60, records=12, seed=seed)
    with history.load(rate=20) as undisturbed:
        wait_for(lambda: undisturbed.acknowledged() > 100, 60, "the load runs")
    history.settle()
    before = resources(zonefan)
    wire.swallow(wire.proxies[1].port)
    wire.proxies[1].cut()
    with history.load(rate=20) as load, history.readers():
        wait_for(lambda: zonefan.backend("dc2")["state"] != "up", 60, "the lane is down")
        held = [time_connecting(wire.address, wire.proxies[1].port) for _ in range(3)]
        zonefan.wait_converged("dc1", "dc3", deadline=30)
    wire.passing()
    history.settle()
    figures = history.check()
    wait_recovered(zonefan, before)
    assert_clean(zonefan)
    happened(f"given up after {', '.join(f'{least:.2f} to {most:.2f}' for least, most in held)} s; acknowledged in {ack_ms(load):.0f} ms "
             f"(p99; undisturbed {ack_ms(undisturbed):.0f} ms, sanitizers)", times=3, **figures)
    assert min(most for _, most in held) >= 2.7, held
    bar("seconds until connect gives up", max(least for least, _ in held), 3.3)


@pytest.mark.row("B03", fault="black hole in mid-transaction", required="error <= 15 s, zone lock free <= 12 s, redone <= 5 s",
                 injected="nft drops both ways as soon as the zone's lock was asked for, until the error")
def test_black_hole_in_a_transaction(install, dcs, wire, happened, bar):
    zonefan = install(dcs, config=by(wire, dcs, connections=1))
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    port, worst = wire.proxies[1].port, {"error": 0.0, "lock": 0.0, "redone": 0.0}
    for version in range(2, 5):
        hit = wire.proxies[1].call_on(b"START TRANSACTION", action=lambda: wire.swallow(port, also_answers=True))
        zonefan.da().push_ok(ZONE, da_zone(ZONE, version))
        wait_for(lambda hit=hit: hit.hits, 30, "the transaction begins")
        began = time.monotonic()
        with contextlib.closing(dcs[1].db.connect()) as other, other.cursor() as cursor:
            wait_for(lambda: dcs[1].db.value("SELECT COUNT(*) FROM information_schema.innodb_trx"), 10, "it holds the lock")
            cursor.execute("SET innodb_lock_wait_timeout=60")
            cursor.execute("SELECT id FROM zones WHERE zone_name=%s FOR UPDATE", (ZONE + ".",))
            worst["lock"] = max(worst["lock"], time.monotonic() - began)
        wait_for(lambda: zonefan.backend("dc2")["state"] != "up", 60, "it is given up")
        worst["error"] = max(worst["error"], time.monotonic() - began)
        assert version_of(dcs[1].db.rows(ZONE)) == version - 1
        wire.passing()
        lifted = time.monotonic()
        zonefan.wait_converged(deadline=30)
        worst["redone"] = max(worst["redone"], time.monotonic() - lifted)
        assert version_of(dcs[1].db.rows(ZONE)) == version
    happened("at worst: " + ", ".join(f"{what} after {seconds:.1f} s" for what, seconds in worst.items()), times=3)
    for what, limit in (("error", 15), ("lock", 12), ("redone", 5)):
        bar(f"seconds until {what}", worst[what], limit)


class Capture:
    """What is given to the wire of a namespace, whether its filter drops it or not: it is seen on the near end of the link."""

    def __init__(self, wire):
        self.address = socket.inet_aton(wire.address)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.socket.bind((wire.link, 0))
        self.socket.setblocking(False)
        self.sent = {}

    def forget(self):
        self.streams()
        self.sent.clear()

    def streams(self):
        """{(port of zonefand's end, port it leads to): what was sent that way}, with what was sent again."""
        while True:
            try:
                packet = self.socket.recv(1 << 17)
            except BlockingIOError:
                return self.sent
            tcp = packet[(packet[0] & 15) * 4:]
            if packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_TCP and packet[16:20] == self.address:
                self.sent.setdefault(struct.unpack(">HH", tcp[:4]), bytearray()).extend(tcp[(tcp[12] >> 4) * 4:])

    def commits(self, port, version):
        """How many connections to this port were given COMMIT together with that version of the zone."""
        txt = f'"version {version}"'.encode().hex().encode()
        return sum(b"COMMIT" in text and txt in text.lower() for (_, to), text in self.streams().items() if to == port)


@pytest.fixture
def capture(wire):
    made = Capture(wire)
    yield made
    made.socket.close()


def commit_late(wire, proxy, db, number):
    """The control: a client without zonefan's precautions, whose COMMIT is to get stuck. send() sends it and closes."""
    conn = pymysql.connect(host=wire.address, port=proxy.port, user="root", database="dns", autocommit=False)
    conn.cursor().execute("INSERT INTO late_control VALUES (%s)", (number,))

    def send():
        conn._execute_command(3, "COMMIT")  # COM_QUERY; its answer is not waited for
        conn._force_close()
    return send


@pytest.mark.row("B06", fault="COMMIT stuck in the kernel, the network heals after the writer gave up",
                 injected="nft drops what goes to the database from the first packet of the transaction until all is closed",
                 required="0 of 100 such COMMITs land (a plain client's land)")
def test_stuck_commits_never_land(install, dcs, wire, capture, happened):
    zonefan = install(dcs, config=by(wire, dcs, connections=1, connect_timeout_ms=1000, query_timeout_ms=2000,
                                     transaction_stall_ms=3000))
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 1))
    zonefan.wait_converged()
    for centre in dcs:
        # who wrote which version, as part of the transaction that did
        centre.db.sql("CREATE TABLE written (version VARCHAR(64), thread BIGINT) ENGINE=InnoDB")
        for moment in ("INSERT", "UPDATE"):
            centre.db.sql(f"CREATE TRIGGER written_{moment} AFTER {moment} ON records FOR EACH ROW BEGIN IF NEW.type='TXT' "
                          "THEN INSERT INTO written VALUES (NEW.data, CONNECTION_ID()); END IF; END")
    dcs[0].db.sql("CREATE TABLE late_control (number INT) ENGINE=InnoDB")
    dcs[0].db.sql("GRANT INSERT ON dns.written TO zonefan")
    control_proxy = wire.proxy(dcs[0].db.port)
    rounds, sent, landed = 34, 0, 0
    for number in range(1, rounds + 1):
        stuck = number * 10
        send_control = commit_late(wire, control_proxy, dcs[0].db, number)
        capture.forget()
        arrived = [proxy.call_on(b"COMMIT", action=lambda: None, times=None) for proxy in wire.proxies[:3]]
        hits = [proxy.call_on(b"START TRANSACTION", action=lambda port=proxy.port: wire.swallow(port))
                for proxy in wire.proxies[:3]]
        zonefan.da().push_ok(ZONE, da_zone(ZONE, stuck))
        wait_for(lambda hits=hits: all(hit.hits for hit in hits), 30, "all three transactions have begun")
        wait_for(lambda stuck=stuck: all(capture.commits(proxy.port, stuck) for proxy in wire.proxies[:3]), 30,
                 "all three COMMITs are given to the wire")
        wire.swallow(control_proxy.port)
        send_control()
        zonefan.da().push_ok(ZONE, da_zone(ZONE, stuck + 1))
        wait_for(lambda: all(zonefan.backend(centre.name)["state"] != "up" for centre in dcs), 30, "all have given up")
        assert not any(trigger.hits for trigger in arrived), "a COMMIT was not stuck"
        sent += sum(capture.commits(proxy.port, stuck) for proxy in wire.proxies[:3])
        for proxy, trigger in zip(wire.proxies, arrived):
            proxy.triggers.remove(trigger)
        wire.passing()
        wait_for(lambda number=number: dcs[0].db.value("SELECT COUNT(*) FROM late_control WHERE number=%s", number), 60,
                 "the control's COMMIT lands: the packet filter did what it should")
        zonefan.wait_converged(deadline=60)
        for centre in dcs:
            assert version_of(centre.db.rows(ZONE)) == stuck + 1
            landed += centre.db.value("SELECT COUNT(*) FROM written WHERE version=%s", f'"version {stuck}"')
            assert centre.db.value("SELECT COUNT(*) FROM written WHERE version=%s", f'"version {stuck + 1}"') == 1
    happened(f"{sent} were given to the wire and did not arrive, {landed} of them landed when it had healed; {rounds} of {rounds} of the "
             "plain client's did", times=sent, commits_stuck=sent, commits_landed=landed)
    assert sent >= 100 and landed == 0


def run_load(zonefan, dcs, seed, seconds, rate):
    history = History(zonefan, dcs, zones=100, records=30, seed=seed)
    began = time.monotonic()
    with history.load(rate=rate) as load, history.readers():
        wait_for(lambda: time.monotonic() - began > seconds, seconds + 30, "the time passes")
        load.assert_kept()
    assert not load.refusals, load.refusals
    history.settle(deadline=300)
    drained = time.monotonic() - began - seconds
    return history.check(), load, drained


@pytest.mark.row("B27", fault="30 % of all packets lost, both ways", injected="nft numgen random mod 100 < 30 drop, in a namespace",
                 required="it drains; O1-O4 hold")
def test_packets_are_lost(install, dcs, wire, seed, happened):
    zonefan = install(dcs, config=by(wire, dcs))
    zonefan.da().push_ok(ZONE, da_zone(ZONE))
    zonefan.wait_converged()
    for chain in ("input", "output"):
        wire.rule(f"{chain} numgen random mod 100 < 30 drop")
    figures, load, drained = run_load(zonefan, dcs, seed, 60, 20)
    assert_clean(zonefan)
    happened(f"drained {drained:.0f} s after the last push; acknowledged in {ack_ms(load):.0f} ms (p99)", **figures)


@pytest.mark.row("B27", fault="a link of 512 kbit/s", injected="tc tbf on both ends of a veth pair", required="it drains; O1-O4 hold")
def test_narrow_link(install, dcs, wire, seed, happened):
    zonefan = install(dcs, config=by(wire, dcs))
    zonefan.da().push_ok(ZONE, da_zone(ZONE))
    zonefan.wait_converged()
    wire.narrow("512kbit")
    figures, load, drained = run_load(zonefan, dcs, seed, 60, 20)
    assert_clean(zonefan)
    happened(f"drained {drained:.0f} s after the last push; acknowledged in {ack_ms(load):.0f} ms (p99)", **figures)


@pytest.mark.row("B27", fault="RTT of 50 ms", injected="proxy: 25 ms each way", required=">= 20 zones/s per back end; O1-O4 hold")
def test_far_away(install, dcs, seed, happened):
    zonefan = install(dcs)
    zonefan.da().push_ok(ZONE, da_zone(ZONE))
    zonefan.wait_converged()
    for centre in dcs:
        centre.proxy.slow(up=0.025, down=0.025)
    writes = [centre.db.rows_changed()["zonefan_state"] for centre in dcs]
    began = time.monotonic()
    figures, load, drained = run_load(zonefan, dcs, seed, 30, 60)
    took = time.monotonic() - began
    rates = [(centre.db.rows_changed()["zonefan_state"] - before) / took for centre, before in zip(dcs, writes)]
    assert_clean(zonefan)
    happened(f"{min(rates):.0f} zones/s at the slowest back end, drained {drained:.1f} s after the last push of 60/s", **figures)
    assert min(rates) >= 20, rates
