# SPDX-License-Identifier: GPL-3.0-or-later
"""
X07: two real zonefands can't reach each other, both are given changes of the same zones, then they can again. After two passes of each
both hold the same, and it is one of the two last changes; a delete that was the later one stays a delete.
"""
import random

import pytest
from zf.proxy import Proxy
from zf.wait import wait_for
from zf.zones import da_zone

SECRET = "canary-peer-partition"


@pytest.fixture
def sides(install):
    """Two zonefands, each asking the other through a proxy: [(zonefan, the way to it), ...]."""
    made = [install(config={"dns": {"default_backend": "dc0", "backends": {"dc0": {
        "type": "coredns_mysql", "enabled": True, "host": "127.0.0.1", "port": 9, "database": "dns", "username": "nobody",
        "password": "canary-nowhere"}}}}, start=False) for _ in range(2)]
    ways = [Proxy(zonefan.port) for zonefan in made]
    for zonefan, way in zip(made, reversed(ways)):
        zonefan.secrets.append(SECRET)
        zonefan.configure({"peer_sync": {"enabled": True, "interval_minutes": 10080, "auth_username": "peersync", "auth_password": SECRET,
                                         "peers": [{"url": f"http://127.0.0.1:{way.port}", "username": "peersync", "password": SECRET}]}})
        zonefan.start()
        wait_for(lambda zonefan=zonefan: zonefan.status()["peer_sync"]["passed"] >= 1, 30, "the pass at start")
    yield list(zip(made, ways))
    for way in ways:
        way.close()


def text_at(zonefan, name):
    answer = zonefan.da().get(f"/internal/zones?domain={name}")
    assert answer.status in (200, 404), answer
    return answer.json()["zone_data"] if answer.status == 200 else None


def change(zonefan, name, chance, serial):
    """A push, or a delete; what the zone is then."""
    if chance.random() < 0.2:
        zonefan.da().delete_ok(name)
        return None
    text = da_zone(name, serial, address=f"198.51.100.{chance.randrange(1, 255)}")
    zonefan.da().push_ok(name, text)
    return text


@pytest.mark.timeout(600)
@pytest.mark.row("X07", fault="a partition, and both sides get changes of the same zone",
                 injected="proxies between two zonefands refuse; random pushes and deletes at both; then they pass",
                 required="equal within two passes of each, and one of the two last changes")
def test_both_sides_of_a_partition(sides, seed, times, happened):
    chance, rounds, deletes, changes = random.Random(seed), times(8, 100), 0, 0
    for number in range(rounds):
        name = f"part{number % 20:02}.example"
        last = []
        for _, way in sides:
            way.refuse() if chance.random() < 0.5 else way.black_hole()
        for zonefan, _ in sides:
            for step in range(chance.randrange(1, 4)):
                final = change(zonefan, name, chance, chance.randrange(1, 1000))
                changes += 1
            last.append(final)
        if chance.random() < 0.3:
            done = sides[0][0].ctl("peers", "sync", "--no-wait")
            assert done.returncode == 0, done  # asked while it can't be answered
        for _, way in sides:
            way.passing()
        for zonefan, _ in sides:
            zonefan.ctl("peers", "sync")  # it may be the one that finds its old connection dead
        for zonefan, _ in sides:
            assert zonefan.ctl("peers", "sync").returncode == 0, f"round {number}: {zonefan.status()['peer_sync']}"
        held = [text_at(zonefan, name) for zonefan, _ in sides]
        assert held[0] == held[1], f"round {number}, {name}: the sides differ"
        assert held[0] in last, f"round {number}, {name}: neither side's last change"
        deletes += held[0] is None
    happened(f"{rounds} of {rounds} equal after two passes, {deletes} of them deleted", times=rounds, acknowledged=changes)
