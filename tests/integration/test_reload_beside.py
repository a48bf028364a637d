# SPDX-License-Identifier: GPL-3.0-or-later
"""
S4: what runs beside the engine follows a reload: name servers that are asked, the canary, the webhook, peers.
"""
import dns.message
import dns.query
import pytest
from test_notify import Receiver
from test_verify import ZONE, Served, wait_state
from zf.wait import wait_for
from zf.zones import da_zone

SECRET = "canary-peer-2fd0"


@pytest.fixture
def made():
    """What a test made, closed in the end."""
    things = []
    yield things
    for thing in things:
        thing.close()


def keep(made, thing):
    made.append(thing)
    return thing


def reload(zonefan):
    return zonefan.ctl("reload", check=0).stdout.splitlines()


def asked(zonefan, server):
    """That name server is the one that is asked."""
    def look():
        servers = zonefan.backend("dc1")["verify"]["servers"]
        return [entry["address"] for entry in servers] == [f"127.0.0.1:{server.port}"]
    wait_for(look, 30, lambda: f"port {server.port} is asked: {zonefan.backend('dc1')}\n{zonefan.log_tail()}")


def test_name_servers_come_change_and_go(made, install, dcs):
    zonefan = install(dcs[:1])
    first, second = keep(made, Served()), keep(made, Served())
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 7))
    zonefan.wait_converged()
    assert zonefan.backend("dc1")["verify"] is None and first.counts["udp"] == 0
    # they come: what was written before is found by the sweep
    first.load(da_zone(ZONE, 7))
    verify = {"dns": [f"127.0.0.1:{first.port}"], "interval_seconds": 2}
    zonefan.configure({"dns": {"backends": {"dc1": {"verify": verify}}}})
    assert any("dns.backends.dc1.verify.dns" in line for line in reload(zonefan))
    asked(zonefan, first)
    assert wait_state(zonefan, "answered")["serial_answered"] == 7
    # another one takes its place, while it owes an answer
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 8))
    zonefan.wait_converged()
    second.load(da_zone(ZONE, 8))
    zonefan.configure({"dns": {"backends": {"dc1": {"verify": {"dns": [f"127.0.0.1:{second.port}"]}}}}})
    reload(zonefan)
    asked(zonefan, second)
    delivery = wait_state(zonefan, "answered")
    assert delivery["serial_answered"] == 8 and delivery["answered_by"] == f"127.0.0.1:{second.port}"
    # and none is any more
    zonefan.settings["dns"]["backends"]["dc1"].pop("verify")
    zonefan.configure({})
    reload(zonefan)
    wait_for(lambda: zonefan.backend("dc1")["verify"] is None, 30, lambda: f"{zonefan.backend('dc1')}")
    # Of ours, behind all that it was asked before, which is counted when this is answered.
    dns.query.udp(dns.message.make_query(ZONE, "SOA"), "127.0.0.1", port=second.port, timeout=30)
    before = second.counts["udp"]
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 9))
    zonefan.wait_converged()
    assert second.counts["udp"] == before


def test_the_canary_comes_and_stays_behind(made, install, dcs):
    """It is pushed as soon as it is configured, and no more when it is not; what was pushed stays until somebody deletes it."""
    server = keep(made, Served())
    zonefan = install(dcs[:1], config={"dns": {"backends": {"dc1": {"verify": {"dns": [f"127.0.0.1:{server.port}"]}}}}})
    sample = 'zonefan_backend_canary_answered_timestamp_seconds{backend="dc1"}'
    assert sample not in zonefan.da().get("/metrics").body.decode() and zonefan.zones() == {}
    zonefan.configure({"verify": {"canary": "canary.example"}})
    assert reload(zonefan) == ['verify.canary: "" -> "canary.example"']
    wait_for(lambda: zonefan.zones() != {}, 30, lambda: f"it is pushed:\n{zonefan.log_tail()}")
    # this server does not have it: 0 is never
    assert f"{sample} 0\n" in zonefan.da().get("/metrics").body.decode()
    zonefan.configure({"verify": {"canary": ""}})
    reload(zonefan)
    assert sample not in zonefan.da().get("/metrics").body.decode()
    assert zonefan.zone("canary.example")["deleted"] is False


def test_the_canary_is_not_laid_over_a_zone_that_nobody_owns(made, install, dcs):
    """As an import brings them: without a host name."""
    server = keep(made, Served())
    zonefan = install(dcs[:1], config={"dns": {"backends": {"dc1": {"verify": {"dns": [f"127.0.0.1:{server.port}"]}}}}})
    zonefan.da().push_ok(ZONE, da_zone(ZONE, 7), hostname="")
    zonefan.wait_converged()
    assert zonefan.zone(ZONE)["hostname"] in (None, "")
    zonefan.configure({"verify": {"canary": ZONE}})
    reload(zonefan)
    wait_for(lambda: [event for event in zonefan.listing("/api/v1/events", "events", 1000) if event["kind"] == "canary_refused"], 30,
             lambda: f"it is refused:\n{zonefan.log_tail()}")
    assert zonefan.zone(ZONE)["serial"] == 7
    # that of before goes on after a restart
    zonefan.configure({"verify": {"canary": "canary.example"}})
    reload(zonefan)
    wait_for(lambda: "canary.example" in zonefan.zones(), 30, lambda: f"it is pushed:\n{zonefan.log_tail()}")
    generation = zonefan.zone("canary.example")["generation"]
    zonefan.restart()
    wait_for(lambda: zonefan.zone("canary.example")["generation"] > generation, 30, lambda: f"it goes on:\n{zonefan.log_tail()}")


def test_a_webhook_comes_moves_and_goes(made, install, dcs):
    zonefan = install(dcs[:2])
    first, second = keep(made, Receiver()), keep(made, Receiver("/other-canary-77d0"))
    zonefan.secrets += [first.path, second.path]
    zonefan.wait_lane("dc2", "up")
    zonefan.configure({"notify": {"url": first.url, "min_seconds": 0}})
    said = reload(zonefan)
    assert any("notify.url" in line for line in said) and first.path not in "".join(said)
    dcs[1].proxy.refuse()
    zonefan.da().push_ok("away.example", da_zone("away.example"))  # a lane with nothing to do notices at the next pass
    wait_for(lambda: ("backend_down", "dc2", "problem") in first.told(), 60, lambda: f"told {first.told()}\n{zonefan.log_tail()}")
    # the new one is told of what is wrong now, for it was not told before
    zonefan.configure({"notify": {"url": second.url}})
    reload(zonefan)
    wait_for(lambda: ("backend_down", "dc2", "problem") in second.told(), 60, lambda: f"told {second.told()}\n{zonefan.log_tail()}")
    # its trouble is over when it is taken out, and not because it is up
    count = len(first.messages)
    zonefan.settings["dns"]["backends"].pop("dc2")
    zonefan.configure({})
    reload(zonefan)
    wait_for(lambda: ("backend_down", "dc2", "recovered") in second.told(), 60, lambda: f"told {second.told()}")
    assert second.messages[-1]["text"].endswith("over: dc2 is down (not configured any more)")
    zonefan.settings.pop("notify")
    zonefan.configure({})
    reload(zonefan)
    assert zonefan.status()["notify"]["enabled"] is False and len(first.messages) == count


def test_peers_come_change_and_go(install, dcs):
    other = install(dcs[:1], config={"peer_sync": {"enabled": True, "interval_minutes": 10080, "auth_username": "peersync",
                                                   "auth_password": SECRET, "peers": []}})
    zonefan = install([dcs[1]])
    other.secrets.append(SECRET)
    zonefan.secrets.append(SECRET)
    other.da().push_ok("there.example", da_zone("there.example"))
    assert zonefan.status()["peer_sync"]["enabled"] is False
    peer = {"url": f"http://127.0.0.1:{other.port}", "username": "peersync", "password": "canary-peer-wrong"}
    zonefan.secrets.append(peer["password"])
    zonefan.configure({"peer_sync": {"enabled": True, "interval_minutes": 10080, "auth_username": "peersync",
                                     "auth_password": SECRET, "peers": [peer]}})
    said = reload(zonefan)
    assert "peer_sync.enabled: false -> true" in said and not any("canary-peer" in line for line in said)
    wait_for(lambda: zonefan.status()["peer_sync"]["enabled"], 30, lambda: zonefan.log_tail())
    zonefan.ctl("peers", "sync", check=None)
    assert zonefan.zones() == {}, "that password is wrong"
    # the right one: what the other has comes
    zonefan.configure({"peer_sync": {"peers": [{**peer, "password": SECRET}]}})
    reload(zonefan)
    zonefan.ctl("peers", "sync", check=0)
    wait_for(lambda: [zone["name"] for zone in zonefan.listing()] == ["there.example"], 60, lambda: zonefan.log_tail())
    zonefan.configure({"peer_sync": {"enabled": False}})
    reload(zonefan)
    assert zonefan.status()["peer_sync"]["enabled"] is False
    answer = zonefan.ctl("peers", "sync", check=None)
    assert answer.returncode != 0 and "not switched on" in answer.stderr
