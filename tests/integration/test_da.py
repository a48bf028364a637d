# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "zonefanctl da register | status | push-all MASTER registers zonefan as an Extra DNS server with a master, with zone transfer
and domain check on, reports domain conflicts, explains how to have the master re-send everything" (M5; directadmin-protocol.md 8.5).
The master is a stand-in that speaks the documented form.
"""
import json
import subprocess
import threading

import pytest
from conftest import data_centres
from zf.da import DA
from zf.daemon import BIN
from zf.master import make_certificate
from zf.wait import wait_for
from zf.zones import da_zone, named

ADDRESS = "192.0.2.53"
GOOD = {"dns": "yes", "domain_check": "yes", "user_check": "no", "email": "no", "show_all_users": "no", "ssl": "no"}


@pytest.fixture(scope="module")
def centre(servers):
    with data_centres(servers) as made:
        yield made[0]


@pytest.fixture(params=["classic", "evolution"])
def master(masters, request):
    return masters(style=request.param, dns=False)


@pytest.fixture
def zonefan(install, centre, master):
    made = install([centre], start=False)
    made.secrets += [master.password, "canary-the-masters-own"]
    made.configure({"app": {"users": [{"name": "da1", "password": "canary-the-masters-own", "identities": [master.identity]}]},
                    "reconciliation": {"directadmin_servers": [master.conf()]}})
    return made


def da(zonefan, *arguments, code=0):
    return json.loads(zonefan.ctl("--json", "da", *arguments, check=code).stdout)


def test_register_and_all_zones_arrive(zonefan, master):
    """M5: one command; then the master reaches us with what it was told, and push-all sees every zone come."""
    zonefan.start()
    names = named("here", 5)
    for name in names:
        master.put(name)
    before = da(zonefan, "status", master.identity, "--address", ADDRESS, code=2)
    assert (before["registered"], before["zones"]["missing"]) == (False, 5)
    assert "does not know this server" in zonefan.ctl("da", "status", master.identity, "--address", ADDRESS).stdout
    dry = da(zonefan, "register", master.identity, "--address", ADDRESS, "--dry-run")
    assert dry["registered"] is False and master.servers == {}
    made = da(zonefan, "register", master.identity, "--address", ADDRESS)
    assert made["zone_transfer"] and made["domain_check"] and not made["other_switches"]
    entry = master.servers[ADDRESS]
    assert {key: entry[key] for key in GOOD} == GOOD and entry["port"] == str(zonefan.port)
    login = DA(zonefan.port, entry["user"], entry["passwd"], hostname=master.identity)
    assert login.login_test().error == "0", "the master was given a login that does not work"
    follower = subprocess.Popen([f"{BIN}/zonefanctl", "--config", zonefan.config_path, "da", "push-all", master.identity,
                                 "--follow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=zonefan.environment(), cwd=zonefan.directory)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(iter(follower.stdout.readline, "")))
    reader.start()
    wait_for(lambda: "0 of 5 zones were pushed\n" in lines, 30, lambda: f"push-all waits: {lines}")
    assert any("action=rewrite&value=named" in line for line in lines)
    for name in names:
        assert login.push(name, da_zone(name)).error == "0"
    assert follower.wait(30) == 0, follower.stderr.read()
    reader.join()
    follower.stdout.close()
    follower.stderr.close()
    assert lines[-1] == "all 5 zones were pushed\n"
    after = da(zonefan, "status", master.identity, "--address", ADDRESS)
    assert after["zones"] == {"listed": 5, "held": 5, "missing": 0, "arrived": 5, "conflicts": []}


def test_conflicts_are_reported(zonefan, master):
    zonefan.start()
    for name in ("mine.example", "theirs.example"):
        master.put(name)
    zonefan.da(hostname=master.identity).push_ok("mine.example", da_zone("mine.example"))
    zonefan.da(hostname="da9.host.example").push_ok("theirs.example", da_zone("theirs.example"))
    answer = da(zonefan, "register", master.identity, "--address", ADDRESS, code=2)
    assert answer["registered"] and answer["zones"]["conflicts"] == [{"zone": "theirs.example", "owner": "da9.host.example"}]
    text = zonefan.ctl("da", "status", master.identity, "--address", ADDRESS, check=2).stdout
    assert "conflict: theirs.example is held as da9.host.example's" in text


def test_an_entry_that_is_wrong_is_put_right(zonefan, master):
    master.servers = {ADDRESS: {"port": "53", "user": "old", "passwd": "old", "ssl": "yes", "dns": "no", "domain_check": "no",
                                "user_check": "yes", "email": "no", "show_all_users": "no"},
                      "192.0.2.99": {"port": "2222", "user": "another", "passwd": "x", "ssl": "no", "dns": "yes"}}
    other = dict(master.servers["192.0.2.99"])
    text = zonefan.ctl("da", "status", master.identity, "--address", ADDRESS, check=2).stdout
    for words in ("another port", "another user", "differ in SSL", "Zone Transfer is off", "Domain Check is off", "User Check",
                  "can't be compared with those here: "):
        assert words in text, text
    answer = da(zonefan, "register", master.identity, "--address", ADDRESS)
    assert set(answer["zones"]) == {"error"}, "an empty list, and no zonefand: nothing is known"
    assert {key: master.servers[ADDRESS][key] for key in GOOD} == GOOD and master.servers[ADDRESS]["passwd"] == "canary-the-masters-own"
    assert master.servers["192.0.2.99"] == other, "another server's entry was changed"


def test_answers_that_are_no_utf_8(zonefan, master):
    def odd(_, handler, path, query):
        if path == "CMD_DNS_ADMIN":
            handler.send(200, "{}", "text/pl\xe9in")
        return path == "CMD_DNS_ADMIN"
    master.faults = [odd]
    answer = da(zonefan, "register", master.identity, "--address", ADDRESS)
    assert answer["registered"] and "text/pl?in" in answer["zones"]["error"]


def test_push_all_explains(zonefan, master):
    master.put("shop.example")
    assert "zonefand does not answer" in zonefan.ctl("da", "push-all", master.identity, check=1).stderr
    zonefan.start()
    text = zonefan.ctl("da", "push-all", master.identity, check=0).stdout
    assert 'echo "action=rewrite&value=named" >> /usr/local/directadmin/data/task.queue' in text and "1 are missing here" in text
    assert "zonefanctl reconcile" in text


# ---- what goes wrong there ----

@pytest.fixture
def plain(install, centre, masters):
    """With one kind of master: what follows does not depend on how one logs in."""
    made = install([centre], start=False)
    made.master = masters(dns=False)
    made.secrets.append(made.master.password)
    made.configure({"app": {"listen_address": ""}, "reconciliation": {"directadmin_servers": [made.master.conf()]}})
    return made


def assert_fails(zonefan, words, address=("--address", ADDRESS)):
    said = zonefan.ctl("da", "register", zonefan.master.identity, *address, check=1).stderr
    assert words in said, said


def test_refused_by_the_master(plain):
    def full(_, handler, path, query):
        if path == "CMD_MULTI_SERVER" and handler.command == "POST":
            handler.send(200, json.dumps({"success": "", "result": "Too many servers"}), "application/json")
            return True
        return False
    plain.master.faults = [full]
    assert_fails(plain, "does not add the server: Too many servers")


def test_success_that_is_none(plain):
    """It says that it has saved, and has not."""
    def forgetful(master, handler, path, query):
        if path == "CMD_MULTI_SERVER" and handler.command == "POST":
            master.servers[ADDRESS] = {"port": "1", "dns": "no"}
            handler.send(200, json.dumps({"success": "Connections Saved"}), "application/json")
            return True
        return False
    plain.master.faults = [forgetful]
    assert_fails(plain, "it is not as it should be")


def test_switched_off_there(plain):
    plain.master.cluster_on = False
    assert_fails(plain, "Multi Server Setup is switched off")


@pytest.mark.parametrize("answer", ["<html>no</html>", "[]", "", "error=1&text=no"])
def test_answers_that_are_none(plain, answer):
    def odd(_, handler, path, query):
        if path != "CMD_MULTI_SERVER":
            return False
        handler.send(200, answer, "text/plain")
        return True
    plain.master.faults = [odd]
    assert_fails(plain, "login" if answer.startswith("<") else "CMD_MULTI_SERVER")


def test_login_refused_and_certificate_unknown(plain, masters):
    plain.master.password += "x"
    assert_fails(plain, "401")
    tls = masters(certificate=make_certificate(plain.directory), dns=False)
    plain.configure({"reconciliation": {"directadmin_servers": [tls.conf()]}})
    assert_fails(plain, "certificate")
    assert tls.asked("CMD_MULTI_SERVER") == []


def test_misuse(plain):
    assert_fails(plain, "--address is needed", address=())
    plain.ctl("da", "register", check=64)
    plain.ctl("da", "unregister", plain.master.identity, check=64)
    plain.ctl("da", "status", plain.master.identity, "--follow", check=64)
    plain.ctl("da", "push-all", plain.master.identity, "--dry-run", check=64)
    assert "there are: da1.host.example" in plain.ctl("da", "status", "da7.example", check=3).stderr
    done = plain.ctl("--url", "http://127.0.0.1:1", "--user", "x", "--password-file", plain.config_path, "da", "status", "x", check=1)
    assert "it needs --config" in done.stderr
