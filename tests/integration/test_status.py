# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue, fixed interfaces: /healthz, /readyz, /status, /api/v1/zones, /api/v1/zones/<name>, /api/v1/rejected, paged lists;
zonefanctl status | zones | zone NAME | rejected | retry [NAME] | check, with --json and its exit codes. (D3, O2.)
"""
import json
import os
import stat

import pytest
from zf.wait import wait_for
from zf.zones import da_zone, named


def test_status_when_all_is_well(zonefan, dcs):
    da = zonefan.da()
    for name in named("status", 5):
        da.push_ok(name, da_zone(name))
    zonefan.wait_converged()
    status = zonefan.status()
    assert status["status"] == "ok"
    assert {"queues", "workers", "reconciler", "peer_sync", "zones", "backends"} <= set(status)
    assert status["zones"]["total"] == 5
    assert [entry["name"] for entry in status["backends"]] == ["dc1", "dc2", "dc3"]
    for entry in status["backends"]:
        assert {"name", "state", "since", "pending", "oldest_pending_seconds", "dead", "last_error"} <= set(entry)
        assert (entry["state"], entry["pending"], entry["dead"]) == ("up", 0, 0) and not entry["last_error"]


def test_status_tells_the_lag(zonefan, dcs):
    """V4: how far behind a data centre is, while it is out."""
    zonefan.wait_lane("dc2", "up")
    dcs[1].proxy.refuse()
    zonefan.da().push_ok("late.example", da_zone("late.example"))
    zonefan.wait_lane("dc2", "down")
    wait_for(lambda: zonefan.backend("dc2")["oldest_pending_seconds"] >= 1, 30, "the lag grows")
    backend = zonefan.backend("dc2")
    assert backend["pending"] == 1 and backend["last_error"]
    assert zonefan.status()["status"] == "degraded"
    assert zonefan.da().get("/healthz").status == 200 and zonefan.da().get("/readyz").status == 200
    dcs[1].proxy.passing()
    zonefan.wait_converged()
    wait_for(lambda: zonefan.status()["status"] == "ok", 30, "well again")
    assert not zonefan.backend("dc2")["oldest_pending_seconds"]


def test_alive_and_ready_without_any_data_centre(zonefan, dcs):
    """O2: nothing is mended by a restart, and pushes are taken all the same; so a supervisor leaves it alone."""
    for centre in dcs:
        centre.proxy.refuse()
    zonefan.da().push_ok("alone.example", da_zone("alone.example"))
    for centre in dcs:
        zonefan.wait_lane(centre.name, "down")
    assert zonefan.da().get("/healthz").status == 200 and zonefan.da().get("/readyz").status == 200
    zonefan.ctl("ready", check=0)
    zonefan.da().push_ok("alone.example", da_zone("alone.example", 2))
    zonefan.restart()
    assert zonefan.da().get("/healthz").status == 200 and zonefan.da().get("/readyz").status == 200, "it starts without them, too"
    for centre in dcs:
        centre.proxy.passing()
    zonefan.wait_converged()
    assert zonefan.zone("alone.example")["serial"] == 2


def test_zone(zonefan, dcs):
    zonefan.da().push_ok("one.example", da_zone("one.example", 2026030401))
    zonefan.wait_converged()
    zone = zonefan.zone("one.example")
    assert {"generation", "serial", "digest", "hostname", "username", "updated_at", "deliveries"} <= set(zone)
    assert (zone["generation"], zone["serial"], zone["hostname"], zone["username"]) == (
        1, 2026030401, "da1.host.example", "fred")
    assert len(zone["digest"]) == 32
    assert [entry["backend"] for entry in zone["deliveries"]] == ["dc1", "dc2", "dc3"]
    for entry in zone["deliveries"]:
        assert {"backend", "wanted_generation", "applied_generation", "state", "attempts", "next_try", "last_error",
                "applied_at"} <= set(entry)
        assert (entry["wanted_generation"], entry["applied_generation"], entry["state"]) == (1, 1, "clean")
        assert entry["applied_at"]
    assert zonefan.da().get("/api/v1/zones/none.example").status == 404
    assert zonefan.zone("ONE.example.")["generation"] == 1


def test_lists_are_paged(zonefan):
    names = named("page", 25)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name))
        zonefan.da().push(f"bad{name}", "no zone")
    listed = zonefan.listing(limit=10)
    assert [entry["name"] for entry in listed] == names, "each zone once, in order"
    page = zonefan.api("/api/v1/zones?limit=10")
    assert len(page["zones"]) == 10
    refused = zonefan.listing("/api/v1/rejected", "rejected", limit=7)
    assert sorted(entry["zone"] for entry in refused) == sorted(f"bad{name}" for name in names)
    assert zonefan.da().get("/api/v1/zones?limit=nonsense").status == 400


@pytest.mark.parametrize("command", ["status", "zones", "rejected", "zone ctl.example"])
def test_zonefanctl(zonefan, command):
    zonefan.da().push_ok("ctl.example", da_zone("ctl.example"))
    zonefan.da().push("refused.example", "no zone at all")
    zonefan.wait_converged()
    plain = zonefan.ctl(*command.split(), check=0).stdout
    assert plain.strip()
    expect = {"status": "dc2", "zones": "ctl.example", "rejected": "refused.example", "zone ctl.example": "dc3"}[command]
    assert expect in plain, plain
    data = json.loads(zonefan.ctl("--json", *command.split(), check=0).stdout)
    assert expect in json.dumps(data)


def test_zonefanctl_exit_codes(zonefan, dcs):
    """Documented in zonefanctl --help: a caller can tell well, not well, not found, no answer and misuse apart."""
    zonefan.da().push_ok("ctl.example", da_zone("ctl.example"))
    zonefan.wait_converged()
    assert zonefan.ctl("status").returncode == 0
    missing = zonefan.ctl("zone", "none.example").returncode
    misuse = zonefan.ctl("nonsense").returncode
    zonefan.wait_lane("dc2", "up")
    dcs[1].proxy.refuse()
    zonefan.da().push_ok("ctl.example", da_zone("ctl.example", 2))
    zonefan.wait_lane("dc2", "down")
    degraded = zonefan.ctl("status").returncode
    zonefan.stop()
    unreachable = zonefan.ctl("status").returncode
    codes = [missing, misuse, degraded, unreachable]
    assert 0 not in codes and len(set(codes)) == 4, f"missing, misuse, degraded, unreachable: {codes}"
    assert zonefan.ctl("check").returncode == 0, "check works while zonefand is down"
    usage = zonefan.ctl("--help", check=0).stdout
    assert all(str(code) in usage for code in codes), "the exit codes are not documented"


def test_misuse_is_named(zonefan):
    """And is the first line that one sees, not above a page of help."""
    for words, said in ((["nonsense"], "there is no command nonsense"), ([], "a command is missing"), (["status", "more"], "status has no use for more"),
                        (["freeze"], "freeze wants more"), (["status", "--zone", "a.example"], "status has no use for --zone"),
                        (["status", "--nonsense"], "--nonsense")):
        told = zonefan.ctl(*words, check=64).stderr.splitlines()
        assert said in told[0] and len(told) < 8, told


def test_control_socket(zonefan):
    """decisions.md 15: a Unix socket beside the store, mode 0660, no password."""
    sockets = [name for name in os.listdir(zonefan.directory) if stat.S_ISSOCK(os.stat(os.path.join(zonefan.directory, name)).st_mode)]
    assert len(sockets) == 1, sockets
    assert stat.S_IMODE(os.stat(os.path.join(zonefan.directory, sockets[0])).st_mode) == 0o660
    zonefan.stop()
    zonefan.start()
    wait_for(lambda: zonefan.ctl("status").returncode == 0, 30, "status is well, told over the socket")
    zonefan.kill9()
    zonefan.start()  # a socket that was left behind does not keep it from starting
    wait_for(lambda: zonefan.ctl("status").returncode == 0, 30, "status is well, told over the new socket")


def test_retry(zonefan, dcs):
    """D3: list, show, replay."""
    zonefan.da().push_ok("retry.example", da_zone("retry.example"))
    zonefan.wait_converged()
    dcs[1].db.sql("CREATE TRIGGER no BEFORE INSERT ON records FOR EACH ROW SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO=1213")
    zonefan.da().push_ok("retry.example", da_zone("retry.example", 2, hosts=9))
    wait_for(lambda: zonefan.delivery("retry.example", "dc2")["state"] == "dead", 60,
             lambda: f"dead: {zonefan.delivery('retry.example', 'dc2')}")
    delivery = zonefan.delivery("retry.example", "dc2")
    assert delivery["attempts"] == 3 and delivery["last_error"]  # the first and max_attempts (2) retries
    assert zonefan.backend("dc2")["dead"] == 1
    assert "retry.example" in zonefan.ctl("zone", "retry.example", check=0).stdout
    dcs[1].db.sql("DROP TRIGGER no")
    zonefan.ctl("retry", "retry.example", check=0)
    zonefan.wait_converged()
    assert zonefan.backend("dc2")["dead"] == 0
    assert zonefan.ctl("retry", "none.example").returncode != 0
    zonefan.ctl("retry", check=0)


def test_added_back_end_gets_all(install, dcs):
    """D10: a new data centre reaches the full set without DA's doing."""
    zonefan = install(dcs[:2])
    names = named("full", 30)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.da().delete_ok(names[0])
    zonefan.wait_converged()
    zonefan.stop()
    name, server, port = dcs[2].backend()
    zonefan.configure({"dns": {"backends": {name: {"type": "coredns_mysql", "enabled": True, "host": "127.0.0.1",
                                                   "port": port, "database": "dns", "username": server.user,
                                                   "password": server.password}}}})
    zonefan.backends.append(name)
    zonefan.secrets.append(server.password)
    zonefan.start()
    zonefan.wait_converged()
    assert dcs[2].db.all_rows() == dcs[0].db.all_rows()
    assert sorted(dcs[2].db.all_rows()) == names[1:]
