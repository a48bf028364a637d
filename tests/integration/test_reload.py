# SPDX-License-Identifier: GPL-3.0-or-later
"""
S4: SIGHUP and `zonefanctl reload` read configuration, secrets and certificates again while zonefand serves: nothing that
is pushed meanwhile is lost or refused, a broken file keeps the old one and says why.
"""
import os
import shutil
import signal
import ssl
import threading
import time

import pytest
from zf import certificates
from zf.da import DA
from zf.inject import Strace, fault
from zf.proxy import Proxy
from zf.wait import free_port, wait_for
from zf.zones import da_zone, named


def events(zonefan, *kinds):
    return [event for event in zonefan.listing("/api/v1/events", "events", 1000) if event["kind"] in kinds]


def reload(zonefan):
    """What it says that changed."""
    done = zonefan.ctl("reload", check=0)
    return done.stdout.splitlines()


def by_api(zonefan):
    """As (what changed, what waits for a restart)."""
    answer = zonefan.da().request("POST", "/api/v1/reload", "")
    assert answer.status == 200, answer
    return answer.json()["changed"], answer.json()["needs_restart"]


def hup(zonefan):
    """By the signal; returns when it is done."""
    before = len(events(zonefan, "reloaded", "reload_failed"))
    zonefan.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(events(zonefan, "reloaded", "reload_failed")) > before, 30,
             lambda: f"SIGHUP is heeded:\n{zonefan.log_tail()}")


def wait_everywhere(zonefan, *centres):
    """Right after a reload a new back end has no deliveries yet, so that nothing is pending there: the rows tell."""
    def same():
        if not all(centre.db.has_table("records") for centre in centres):
            return False
        rows = [centre.db.all_rows() for centre in centres]
        return all(other == rows[0] for other in rows[1:])
    zonefan.wait_converged(centres[0].name)
    wait_for(same, 120, lambda: f"all are everywhere; pending {zonefan.pending()}:\n{zonefan.log_tail()}")


class Pusher:
    """Pushes all the time, by each of these masters at once, each zone by one of them, and repeats nothing: an answer other than error=0 is an error."""

    def __init__(self, masters, names):
        self.count, self.errors, self.versions = 0, [], {}
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(master, names[i::len(masters)])) for i, master in enumerate(masters)]
        for thread in self.threads:
            thread.start()

    def _run(self, master, names):
        version = 1
        while not self.stopping.is_set():
            version += 1
            for name in names:
                try:
                    master.push_ok(name, da_zone(name, version, hosts=2))
                except Exception as error:  # pylint: disable=broad-except
                    self.errors.append(repr(error))
                with self.lock:
                    self.count += 1
                    self.versions[name] = version

    def finish(self, pushes=0):
        wait_for(lambda: self.count >= pushes or self.errors, 900, lambda: f"{self.count} of {pushes} pushes")
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        assert self.errors == []


def rotate(zonefan, server, user, password):
    """A second user that may do the same, in the configuration."""
    server.sql(f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{password}'")
    server.sql(f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, REFERENCES ON dns.* TO {user}")
    zonefan.secrets.append(password)
    zonefan.configure({"dns": {"backends": {server.name: {"username": user, "password": password}}}})


def test_back_ends_come_change_and_go(install, dcs):
    zonefan = install(dcs[:2])
    names = named("reload", 12)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    # one more: everything goes there
    port = dcs[2].proxy.port
    zonefan.configure({"dns": {"backends": {"dc3": {
        "type": "coredns_mysql", "enabled": True, "host": "127.0.0.1", "port": port, "database": "dns",
        "username": dcs[2].db.user, "password": dcs[2].db.password}}}})
    zonefan.secrets.append(dcs[2].db.password)
    assert reload(zonefan) == ["dns.backends.dc3: new"]
    wait_everywhere(zonefan, *dcs)
    # its port moves, while it was away on the old one
    dcs[2].proxy.refuse()
    zonefan.da().push_ok(names[0], da_zone(names[0], 2))
    zonefan.wait_lane("dc3", "down")
    with_other_port = Proxy(dcs[2].db.port)
    try:
        zonefan.configure({"dns": {"backends": {"dc3": {"port": with_other_port.port, "connections": 3}}}})
        assert reload(zonefan) == [f"dns.backends.dc3.port: {port} -> {with_other_port.port}",
                                   "dns.backends.dc3.connections: 2 -> 3"]
        zonefan.wait_lane("dc3", "up")
        wait_everywhere(zonefan, *dcs)
        # it goes: what is pushed meanwhile waits for its return
        gone = zonefan.settings["dns"]["backends"].pop("dc3")
        zonefan.configure({})
        hup(zonefan)
        wait_for(lambda: zonefan.status()["unconfigured"] == ["dc3"], 30, lambda: zonefan.log_tail())
        assert [entry["name"] for entry in zonefan.status()["backends"]] == ["dc1", "dc2"]
        zonefan.da().push_ok(names[1], da_zone(names[1], 2))
        zonefan.da().push_ok("later.example", da_zone("later.example"))
        zonefan.wait_converged("dc1", "dc2")
        zonefan.configure({"dns": {"backends": {"dc3": gone}}})
        hup(zonefan)
        wait_everywhere(zonefan, *dcs)
        zonefan.wait_converged("dc1", "dc2", "dc3")  # rows can be read before zonefand is told of their COMMIT
    finally:
        with_other_port.close()
    told = events(zonefan, "reloaded")
    assert [event["actor"] for event in told] == ["SIGHUP", "SIGHUP", "control socket", "control socket"]
    assert told[1]["detail"] == "dns.backends.dc3: gone" and told[3]["detail"] == "dns.backends.dc3: new"
    # a restart finds it all as it is
    zonefan.restart()
    zonefan.wait_converged("dc1", "dc2", "dc3")


def test_logins_limits_and_the_rest(install, dcs):
    zonefan = install(dcs[:1])
    old = DA(zonefan.port, zonefan.user, zonefan.password)
    zonefan.password = "canary-http-rotated"
    zonefan.secrets.append(zonefan.password)
    zonefan.configure({"log_level": "debug", "timezone": "Pacific/Auckland",
                       "app": {"auth_password": zonefan.password, "max_connections": 300, "max_zone_records": 5},
                       "guard": {"mode": "off"}, "history": {"versions": 3}})
    assert reload(zonefan) == [
        "log_level: info -> debug", 'timezone: "" -> "Pacific/Auckland"', "app.auth_password: changed",
        "app.max_connections: 512 -> 300", "app.max_zone_records: 50000 -> 5", "history.versions: 10 -> 3",
        'guard.mode: "hold" -> "off"']
    assert old.get("/status").status == 401
    assert zonefan.da().get("/status").status == 200
    answer = zonefan.da().push("many.example", da_zone("many.example", hosts=20))
    assert "error" in answer.fields and "records" in answer.text, answer
    wait_for(lambda: "level=debug" in zonefan.log() and "+1300 " in zonefan.log(), 30, lambda: zonefan.log_tail())
    # what can't change is named as long as it differs
    zonefan.configure({"app": {"user": "nobody"}})
    waits = ['app.user: "" -> "nobody"']
    assert by_api(zonefan) == ([], waits)
    assert events(zonefan, "reloaded")[0]["detail"] == f"needs a restart: {waits[0]}"
    zonefan.configure({"app": {"dry_run": True}})
    assert by_api(zonefan) == (["app.dry_run: false -> true"], waits)
    zonefan.wait_lane("dc1", "paused")
    zonefan.settings["app"].pop("user")
    zonefan.configure({"app": {"dry_run": False, "max_zone_records": 50000}})
    assert by_api(zonefan) == (["app.dry_run: true -> false", "app.max_zone_records: 5 -> 50000"], [])
    zonefan.da().push_ok("many.example", da_zone("many.example", hosts=20))
    zonefan.wait_converged()


BROKEN = {
    "is no YAML": (lambda zonefan: zonefan.raw("app: [\n"), "app.yml:"),
    "names an unknown key": (lambda zonefan: zonefan.configure({"app": {"listen_prot": 1}}), "app.listen_prot"),
    "has a back end without a password": (
        lambda zonefan: zonefan.configure({"dns": {"backends": {"dc1": {"password": ""}}}}), "dns.backends.dc1.password"),
    "names a CA that is not there": (
        lambda zonefan: zonefan.configure({"dns": {"backends": {"dc1": {"ssl_ca": "/nowhere/ca.pem"}}}}), "/nowhere/ca.pem"),
    "is gone": (lambda zonefan: os.unlink(zonefan.config_path), "app.yml"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_keeps_the_old_one(install, dcs, how):
    zonefan = install(dcs[:1])
    name = "broken.example"
    breaks, names = BROKEN[how]

    def raw(text):
        with open(zonefan.config_path, "w", encoding="utf-8") as out:
            out.write(text)
    zonefan.raw = raw
    good = dict(zonefan.settings)
    with open(zonefan.config_path, encoding="utf-8") as file:
        text = file.read()
    breaks(zonefan)
    answer = zonefan.da().request("POST", "/api/v1/reload", "")
    assert answer.status == 400 and names in answer.json()["error"], answer
    hup(zonefan)
    failed = events(zonefan, "reload_failed")
    assert len(failed) == 2 and names in failed[0]["detail"] and failed[0]["actor"] == "SIGHUP"
    assert "the old one stays" in zonefan.log()
    zonefan.settings = good
    raw(text)
    zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    assert reload(zonefan) == ["reloaded: no setting differs"]


def test_masters_are_switched_on_and_off(install, dcs):
    zonefan = install(dcs[:1])
    assert "not switched on" in zonefan.ctl("reconcile", check=1).stderr
    section = {"enabled": True, "initial_delay_minutes": 60, "directadmin_servers": [
        {"hostname": "127.0.0.1", "port": free_port(), "username": "admin", "password": "canary-da-1", "ssl": False}]}
    zonefan.secrets.append("canary-da-1")
    zonefan.configure({"reconciliation": section})
    assert "reconciliation.enabled: false -> true" in reload(zonefan)
    wait_for(lambda: zonefan.status()["reconciler"]["enabled"], 30, lambda: zonefan.log_tail())
    zonefan.configure({"reconciliation": {"enabled": False}})
    reload(zonefan)
    assert zonefan.status()["reconciler"]["enabled"] is False
    assert "not switched on" in zonefan.ctl("reconcile", check=1).stderr


def serial_of(da):
    """Of the certificate that a new connection is shown."""
    with da.connect() as sock:
        return sock.getpeercert()["serialNumber"]


@pytest.mark.row("SEC S1", fault="a certificate is replaced under pushes, then one whose key does not match",
                 injected="the files, SIGHUP; three times", required="new connections are shown the new one, a key that does not match keeps the "
                 "old one and is told; no push fails, nor one that is half sent")
def test_a_certificate_is_replaced_under_pushes(install, dcs, happened):
    """New connections see the new one, no push fails, nor one that is half sent, and a key that does not match keeps the old one."""
    zonefan = install(dcs[:1], start=False)
    made = certificates.make(os.path.join(zonefan.directory, "tls"))
    files = {"ssl_cert": os.path.join(made, "own.pem"), "ssl_key": os.path.join(made, "own.key")}

    def use(name, key=None):
        shutil.copy(os.path.join(made, name + ".pem"), files["ssl_cert"])
        shutil.copy(os.path.join(made, (key or name) + ".key"), files["ssl_key"])
    use("good")
    port = free_port()
    zonefan.configure({"app": {**files, "body_deadline_ms": 300000, "listeners": [{"address": "127.0.0.1", "port": port, "ssl": True}]}})
    zonefan.start()
    secure = zonefan.da()
    secure.address, secure.tls = ("127.0.0.1", port), certificates.trusting(made)
    old = serial_of(secure)
    errors, sent, stopping = [], [], threading.Event()

    def push():
        while not stopping.is_set():
            sent.append(len(sent) + 1)
            try:
                secure.push_ok("secure.example", da_zone("secure.example", sent[-1]))
            except (AssertionError, OSError, ssl.SSLError) as error:
                errors.append(repr(error))
    thread = threading.Thread(target=push)
    thread.start()
    half = secure.connect()
    request = secure.build("POST", "/CMD_API_DNS_ADMIN?action=rawsave&domain=half.example&hostname=da1.host.example",
                           da_zone("half.example").encode())
    half.sendall(request[:-100])

    def pushed():
        """One more that began after now."""
        now = len(sent)
        wait_for(lambda: len(sent) > now + 1 or errors, 30, "the pushes go on")
    try:
        for _ in range(3):
            pushed()
            use("next")
            hup(zonefan)
            pushed()
            new = serial_of(secure)
            assert new != old
            use("good", key="next")
            hup(zonefan)
            assert serial_of(secure) == new
            assert "key" in events(zonefan, "reload_failed")[0]["detail"]
            pushed()
            use("good")
            hup(zonefan)
            assert serial_of(secure) == old
        half.sendall(request[-100:])
        assert secure.read(half).error == "0", "a request that was open over six reloads"
    finally:
        half.close()
        stopping.set()
        thread.join()
    assert errors == [] and len(sent) >= 9
    zonefan.wait_converged()
    assert "half.example" in zonefan.zones()
    happened(f"{len(sent)} pushes and a half one over nine reloads, {len(errors)} errors", times=3)


def test_a_secret_that_changes_is_read(install, dcs):
    """Looked for every 30 s; the file is replaced as Kubernetes does, by a link that leads elsewhere."""
    zonefan = install(dcs[:1], start=False)
    folder = zonefan.directory
    for version, password in (("one", zonefan.password), ("two", "canary-http-watched")):
        os.mkdir(os.path.join(folder, version))
        with open(os.path.join(folder, version, "password"), "w", encoding="utf-8") as out:
            out.write(password + "\n")
    zonefan.secrets.append("canary-http-watched")
    os.symlink("one", os.path.join(folder, "now"))
    zonefan.settings["app"].pop("auth_password")
    zonefan.configure({"app": {"auth_password_file": os.path.join(folder, "now", "password")}})
    zonefan.start()
    os.symlink("two", os.path.join(folder, "next"))
    os.replace(os.path.join(folder, "next"), os.path.join(folder, "now"))
    rotated = DA(zonefan.port, zonefan.user, "canary-http-watched")
    wait_for(lambda: rotated.get("/status").status == 200, 100, lambda: zonefan.log_tail(), interval=0.5)
    zonefan.password = "canary-http-watched"
    told = wait_for(lambda: events(zonefan, "reloaded"), 30, "the event is written, after the logins are in force")
    assert [(event["actor"], event["detail"]) for event in told] == [("app.watch_secrets", "app.auth_password: changed")]


def test_a_secret_that_changes_while_it_is_read(install, dcs, tmp_path):
    """It is not taken for what was read."""
    zonefan = install(dcs[:1], start=False)
    path = os.path.join(zonefan.directory, "inbound.secret")
    with open(path, "w", encoding="utf-8") as out:
        out.write(zonefan.password + "\n")
    zonefan.secrets.append("canary-http-late")
    zonefan.settings["app"].pop("auth_password")
    zonefan.configure({"app": {"auth_password_file": path}})
    zonefan.start()
    rotated = DA(zonefan.port, zonefan.user, "canary-http-late")
    slow = ["-P", path, *fault("read", "delay_exit=2000000", 1)]
    with Strace(zonefan.process.pid, tmp_path / "log", *slow, all_threads=True) as strace:
        zonefan.process.send_signal(signal.SIGHUP)
        wait_for(lambda: any("read(" in line for line in strace.lines()), 30, "the secret is being read")
        with open(f"{path}.next", "w", encoding="utf-8") as out:
            out.write("canary-http-late\n")
        os.replace(f"{path}.next", path)
        wait_for(lambda: rotated.get("/status").status == 200, 100, lambda: zonefan.log_tail(), interval=0.2)
    zonefan.password = "canary-http-late"


@pytest.mark.row("SEC S4", fault="what zonefand was started with changes while masters push",
                 injected="SIGHUP and zonefanctl reload one after the other: another password of a database and of a login, another "
                          "certificate, a back end gone and back, connections added and taken",
                 required="0 errors in 10,000 pushes, plain and TLS, nothing repeated; the newest of each zone is everywhere")
def test_pushes_under_reloads_have_no_error(install, dcs, times, happened):
    """Of databases two passwords are valid, one data centre is slow; half of the masters come by TLS."""
    pushes, port = times(400, 10000), free_port()
    zonefan = install(dcs, start=False)
    made = certificates.make(os.path.join(zonefan.directory, "tls"))
    files = {"ssl_cert": os.path.join(made, "now.pem"), "ssl_key": os.path.join(made, "now.key")}

    def use(name):
        for kind in ("pem", "key"):
            shutil.copy(os.path.join(made, f"{name}.{kind}"), os.path.join(made, f"now.{kind}"))
    use("good")
    zonefan.configure({"app": {**files, "listeners": [{"address": "127.0.0.1", "port": port, "ssl": True}]}})
    zonefan.start()
    secure = DA(port, zonefan.user, zonefan.password, tls=certificates.trusting(made))
    names = named("under", 24)
    for name in names:
        zonefan.da().push_ok(name, da_zone(name, hosts=2))
    zonefan.wait_converged()
    dcs[1].proxy.slow(up=0.02, down=0.02)
    serials, turn, begun = set(), 0, time.monotonic()
    pusher = Pusher([zonefan.da(), secure, zonefan.da(), secure], names)
    while (pusher.count < pushes or turn < 3) and not pusher.errors and time.monotonic() - begun < 900:
        turn += 1
        rotate(zonefan, dcs[0].db, f"zf{turn % 2}", f"canary-rotated-{turn % 2}")
        use("next" if turn % 2 else "good")
        own = f"canary-http-own-{turn}"
        zonefan.secrets.append(own)
        zonefan.configure({"app": {"users": [{"name": "looker", "password": own, "role": "read-only"}]}})
        if turn % 3 == 0:
            gone = zonefan.settings["dns"]["backends"].pop("dc3")
            zonefan.configure({})
            hup(zonefan)
            zonefan.configure({"dns": {"backends": {"dc3": gone}}})
        zonefan.configure({"dns": {"backends": {"dc2": {"connections": turn % 4 + 1}}}})
        if turn % 2:
            hup(zonefan)
        else:
            reload(zonefan)
        serials.add(serial_of(secure))
        assert DA(port, "looker", own, tls=secure.tls).get("/status").status == 200
        assert DA(port, "looker", f"canary-http-own-{turn - 1}", tls=secure.tls).get("/status").status in (401, 429)
    pusher.finish(pushes)
    assert events(zonefan, "reload_failed") == [] and turn >= 3 and len(serials) == 2
    wait_everywhere(zonefan, *dcs)
    for name in names:
        assert zonefan.zone(name)["serial"] == pusher.versions[name]
    happened(f"{pusher.count} pushes under {turn} reloads, 0 errors, {time.monotonic() - begun:.1f} s", times=turn, acknowledged=pusher.count)
