# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "doctor names the fault in each of 15 broken set-ups": zonefanctl doctor, with zonefand down and up. Each set-up is broken
in one way, and what it finds must be that, with a remedy.
"""
import contextlib
import json
import os
import pwd
import socket
import sqlite3
import stat
import subprocess

import pytest
from conftest import data_centres
from zf.mariadb import DML, PLUGIN_SCHEMA
from zf.master import make_certificate
from zf.wait import free_port, wait_for
from zf.zones import da_zone

UNTIL_LONG_AGO = "SET SESSION timestamp=1700000000"


@pytest.fixture(scope="module")
def centre(servers):
    """One data centre for all tests here, which put right what they break."""
    with data_centres(servers) as made:
        yield made[0]


@pytest.fixture
def patient(install, centre, masters):
    """An installation that is well, not started: one data centre, one master."""
    zonefan = install([centre], start=False)
    master = masters()
    master.put("shop.example")
    zonefan.secrets.append(master.password)
    zonefan.configure({"reconciliation": {"enabled": True, "directadmin_servers": [master.conf()]},
                       "dns": {"backends": {"dc1": {"connect_timeout_ms": 20000, "query_timeout_ms": 5000}}}})
    zonefan.master = master
    return zonefan


def examine(zonefan, code=None):
    """All that is found: [(grade, check, subject, text and remedy)]."""
    done = zonefan.ctl("--json", "doctor")
    assert not zonefan.reports(), zonefan.reports()
    answer = json.loads(done.stdout)
    found = [(one["grade"], one["check"], one["subject"], f"{one['text']} -> {one['remedy']}") for one in answer["findings"]]
    for grade in ("fault", "doubt"):
        assert all(one["remedy"] for one in answer["findings"] if one["grade"] == grade), "a fault without a remedy"
        assert answer[grade + "s"] == sum(one[0] == grade for one in found)
    expected = 1 if answer["faults"] else 2 if answer["doubts"] else 0
    assert done.returncode == expected and code in (None, expected), (done.returncode, found)
    return found


def troubles(zonefan):
    """What is not well, but that zonefand is down and the tests are root's."""
    return [one for one in examine(zonefan) if one[0] != "well" and one[1:3] not in (("zonefand", "zonefand"), ("user", "root"))]


def assert_alone(zonefan, grade, check, *words, subject=None):
    """That is found, and nothing else."""
    found = troubles(zonefan)
    assert [one[:2] for one in found] == [(grade, check)], found
    assert subject is None or found[0][2] == subject, found
    for word in words:
        assert word in found[0][3], found
    return found[0]


# ---- well ----

def test_well_before_the_first_start(patient):
    assert troubles(patient) == []
    found = {(grade, check): text for grade, check, _, text in examine(patient)}
    assert "does not answer" in found["doubt", "zonefand"] and "systemctl start" in found["doubt", "zonefand"]
    assert "root and its user may use the socket, and its group where" in found["doubt", "zonefand"]
    assert "tables are missing: zonefand makes them" in found["well", "schema"] or "as they should be" in found["well", "schema"]
    assert "not there yet" in found["well", "store"] and "it is free" in found["well", "port"]
    assert "it lists 1 zones of its own" in found["well", "master"]
    assert not os.path.exists(patient.store), "the doctor made a store"


def test_well_while_it_runs(patient, centre):
    patient.start()
    patient.da().push_ok("shop.example", da_zone("shop.example"))
    patient.wait_converged()
    patient.wait_lane("dc1", "up")
    before = centre.db.all_rows()
    assert troubles(patient) == []
    assert {check for grade, check, *_ in examine(patient) if grade == "well"} >= {
        "configuration", "files", "disk", "zonefand", "store", "lane", "port", "limits", "reach", "clock", "schema", "rows",
        "rights", "master"}
    assert centre.db.all_rows() == before
    text = patient.ctl("doctor").stdout
    assert "faults, " in text and "well  reach" in text and "server 10." in text


def test_misuse(patient):
    patient.ctl("doctor", "dc1", check=64)
    done = patient.ctl("--url", "http://127.0.0.1:1", "--user", "x", "--password-file", patient.config_path, "doctor", check=1)
    assert "doctor looks at this host" in done.stderr


# ---- the host ----

def test_configuration(patient):
    patient.configure({"app": {"listen_prot": 2223}, "history": {"versions": "many"}})
    found = examine(patient, code=1)
    assert [one[1] for one in found] == ["configuration"] * len(found)
    assert "app.listen_prot" in found[0][3] and "app.yml:" in found[0][3]
    assert any("history.versions" in one[3] for one in found)


def test_path_that_is_no_utf_8(patient):
    done = patient.ctl("--json", "--config", os.fsdecode(b"/caf\xe9.yml"), "doctor", check=1)
    assert [one["subject"] for one in json.loads(done.stdout)["findings"]] == ["/caf?.yml"]


def test_password_that_everyone_knows(patient):
    patient.secrets.clear()  # it is not one: the message may name it
    patient.configure({"app": {"auth_password": "changeme"}})
    assert_alone(patient, "fault", "configuration", "app.auth_password")


def test_user_that_is_not_there(patient):
    patient.configure({"app": {"user": "no-such-user-here"}})
    assert_alone(patient, "fault", "user", "useradd", subject="no-such-user-here")


def test_folder_of_the_store_missing(patient):
    patient.configure({"datastore": {"db_location": os.path.join(patient.directory, "gone", "zonefan.sqlite")}})
    found = troubles(patient)
    assert found[0][:2] == ("fault", "files") and "datastore.db_location" in found[0][3] and "install -d" in found[0][3]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_folder_of_the_store_is_somebody_elses(patient):
    patient.configure({"app": {"user": "nobody"}})
    for folder in (patient.directory, os.path.dirname(patient.directory), os.path.dirname(os.path.dirname(patient.directory))):
        os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) | 0o011)
    found = troubles(patient)
    assert found[0][:2] == ("fault", "files") and "Permission denied" in found[0][3] and "chown" in found[0][3]


def test_port_taken(patient):
    with socket.create_server(("127.0.0.1", patient.port)):
        assert_alone(patient, "fault", "port", "Address already in use", "ss -ltnp")


def test_secrets_that_everyone_reads(patient):
    os.chmod(patient.config_path, 0o644)
    assert_alone(patient, "doubt", "secrets", "everyone on this host can read it", "chmod", subject=patient.config_path)


def test_key_that_everyone_reads(patient):
    path = make_certificate(patient.directory, days=400)
    os.chmod(path, 0o644)
    patient.configure({"app": {"ssl_enable": True, "ssl_cert": path + ".crt", "ssl_key": path}})
    assert_alone(patient, "doubt", "secrets", "everyone on this host can read it", "chmod", subject=path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_password_that_the_user_of_a_unit_cannot_read(patient):
    """The unit starts zonefand as the owner of the store's folder; root reads every file, and he does not."""
    nobody = pwd.getpwnam("nobody")
    secret = os.path.join(patient.directory, "grafana")
    with open(secret, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write("canary-of-grafana\n")
    patient.configure({"app": {"users": [{"name": "grafana", "role": "read-only", "password_file": secret}]}})
    os.chown(patient.directory, nobody.pw_uid, nobody.pw_gid)
    for folder in (os.path.dirname(patient.directory), os.path.dirname(os.path.dirname(patient.directory))):
        os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) | 0o011)
    assert ("fault", "secrets", secret) in [one[:3] for one in troubles(patient)]
    os.chown(secret, nobody.pw_uid, nobody.pw_gid)
    assert "secrets" not in [one[1] for one in troubles(patient)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_disk_almost_full(patient, scratch):
    small = os.path.join(scratch, "tiny")
    os.makedirs(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", small], check=True)
    try:
        patient.configure({"datastore": {"db_location": os.path.join(small, "zonefan.sqlite")},
                           "app": {"control_socket": os.path.join(patient.directory, "s")}})
        assert_alone(patient, "fault", "disk", "8 MiB are free", "make room", subject=small)
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_store_of_a_newer_release(patient):
    patient.start()
    patient.stop()
    with contextlib.closing(sqlite3.connect(patient.store)) as store:
        store.execute("PRAGMA user_version=9999")
        store.commit()
    assert_alone(patient, "fault", "store", "newer release", subject=patient.store)


def test_store_damaged(patient):
    with open(patient.store, "wb") as store:
        store.write(b"\x01" * 20000)
    assert_alone(patient, "fault", "store", "backup", subject=patient.store)


# ---- the data centre ----

def test_database_refuses(patient, centre):
    centre.proxy.refuse()
    try:
        assert_alone(patient, "fault", "reach", "refused", "bind-address", subject="dc1")
    finally:
        centre.proxy.passing()


def test_database_says_nothing(patient, centre):
    conf(patient, connect_timeout_ms=1000)
    centre.proxy.black_hole()
    try:
        assert_alone(patient, "fault", "reach", "no answer", "firewall", subject="dc1")
    finally:
        centre.proxy.passing()


def conf(patient, **settings):
    patient.configure({"dns": {"backends": {"dc1": settings}}})


def test_host_name_unknown(patient):
    conf(patient, host="db.no-such-place.invalid", connect_timeout_ms=1000)
    assert_alone(patient, "fault", "reach", "db.no-such-place.invalid", "dns.backends.dc1.host")


def test_login_wrong(patient):
    conf(patient, password="not-this-one-either")
    assert_alone(patient, "fault", "login", "login refused for user 'zonefan'", "dns.backends.dc1.username", "CREATE USER")


def test_no_such_database(patient, centre):
    conf(patient, database="nowhere")
    found = assert_alone(patient, "fault", "rights", "GRANT SELECT, INSERT, UPDATE, DELETE ON `nowhere`.* TO 'zonefan'")
    assert "1044" in found[3]
    centre.db.sql(f"GRANT {DML} ON nowhere.* TO {centre.db.user}")
    assert_alone(patient, "fault", "database", "the database does not exist", "CREATE DATABASE `nowhere`")
    centre.db.sql(f"REVOKE ALL PRIVILEGES ON nowhere.* FROM {centre.db.user}")


@pytest.fixture
def own(patient, centre):
    """A database of one's own, in which the account may do what the test grants."""
    db = centre.db
    db.sql("CREATE DATABASE own")
    conf(patient, database="own")
    yield lambda rights, on="*": db.sql(f"GRANT {rights} ON own.{on} TO {db.user}")
    db.sql("DROP DATABASE own")
    db.sql(f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {db.user}")
    db.grant_schema()


def plugin_tables(db):
    with contextlib.closing(db.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("USE own")
        for statement in PLUGIN_SCHEMA:
            cursor.execute(statement)


def test_schema_missing_and_nobody_may_make_it(patient, own):
    own(DML)
    assert_alone(patient, "fault", "schema", "it lacks CREATE, ALTER, INDEX, REFERENCES", "schema/coredns_mysql")
    conf(patient, manage_schema=False)
    assert_alone(patient, "fault", "schema", "1_zones.sql", "CREATE TABLE IF NOT EXISTS `zones` ( id")


def test_tables_of_another_engine(patient, own, centre):
    own(f"{DML}, CREATE, ALTER, INDEX, REFERENCES")
    centre.db.sql("CREATE TABLE own.zones (id INT PRIMARY KEY AUTO_INCREMENT, zone_name VARCHAR(255) UNIQUE) ENGINE=MyISAM")
    assert_alone(patient, "fault", "schema", "MyISAM, not InnoDB", "by hand")


def test_right_missing(patient, own, centre):
    own(f"{DML}, CREATE, ALTER, INDEX, REFERENCES")
    patient.start()
    patient.wait_lane("dc1", "up")
    patient.stop()
    centre.db.sql(f"REVOKE DELETE ON own.* FROM {centre.db.user}")
    assert_alone(patient, "fault", "rights", "DELETE right missing on table", "GRANT")


def test_rows_that_stop_the_plugin(patient, own, centre):
    own(f"{DML}, CREATE, ALTER, INDEX, REFERENCES")
    plugin_tables(centre.db)
    centre.db.sql("INSERT INTO own.zones (id, zone_name) VALUES (7, 'theirs.example.'), (8, 'Loud.example')")
    centre.db.sql("INSERT INTO own.records (zone_id, hostname, type, data, ttl, online) VALUES (7, 'www', 'A', '192.0.2.1', -5, 1), "
                  "(7, 'bad', 'A', 'not an address', 60, 1)")
    found = {(grade, check): text for grade, check, _, text in troubles(patient)}
    assert "www A of zone theirs.example.: its TTL is negative" in found["fault", "rows"]
    assert "restart that CoreDNS" in found["fault", "rows"]
    assert "Loud.example" in found["doubt", "names"] and len(found) == 2
    centre.db.sql("UPDATE own.records SET ttl = 5 WHERE ttl < 0")
    found = {(grade, check): text for grade, check, _, text in troubles(patient)}
    assert set(found) == {("doubt", "names"), ("doubt", "foreign")}
    assert "1 zones there are not zonefan's; 1 of them are no whole zones: theirs.example." in found["doubt", "foreign"]


def test_server_takes_no_writes(patient, centre):
    patient.start()
    patient.wait_lane("dc1", "up")
    patient.stop()
    centre.db.set_read_only(True)
    try:
        assert_alone(patient, "fault", "read-only", "read-only (1290)", "replica", subject="dc1")
    finally:
        centre.db.set_read_only(False)


def test_server_without_tls(patient):
    conf(patient, ssl=True, ssl_ca=make_certificate(patient.directory) + ".crt")
    assert_alone(patient, "fault", "tls", "ssl_cert and ssl_key", subject="dc1")


def test_certificate_file_missing(patient):
    conf(patient, ssl=True, ssl_ca=os.path.join(patient.directory, "ca.pem"))
    found = troubles(patient)
    assert found[0][:2] == ("fault", "files") and "dns.backends.dc1.ssl_ca" in found[0][3]


def test_clock_of_the_server(patient, centre):
    centre.db.sql(f"SET GLOBAL init_connect='{UNTIL_LONG_AGO}'")
    try:
        assert_alone(patient, "doubt", "clock", "s behind ours", "chrony", subject="dc1")
    finally:
        centre.db.sql("SET GLOBAL init_connect=''")


# ---- masters and peers ----

def test_master_away(patient):
    patient.master.close()
    assert_alone(patient, "fault", "master", "connect", "firewall", subject="da1.host.example")
    patient.master.close = lambda: None


def test_master_refuses_the_login(patient):
    patient.master.password += "-new"
    assert_alone(patient, "fault", "master", "401", "login key")


def test_master_without_a_zone(patient):
    def nothing(master, handler, path, _):
        if path == "CMD_DNS_ADMIN":
            handler.send(200, json.dumps({"info": {"current_page": "1", "ipp": "1000", "rows": "0", "total_pages": "1"}}), "application/json")
        return path == "CMD_DNS_ADMIN"
    patient.master.faults = [nothing]
    assert_alone(patient, "doubt", "master", "no zone at all", "administrator")


def test_master_whose_answer_is_no_utf_8(patient):
    def odd(_, handler, path, query):
        if path == "CMD_DNS_ADMIN":
            handler.send(200, "{}", "text/pl\xe9in")
        return path == "CMD_DNS_ADMIN"
    patient.master.faults = [odd]
    assert_alone(patient, "fault", "master", "is text/pl?in")


def test_master_whose_certificate_nobody_knows(patient, masters):
    master = masters(certificate=make_certificate(patient.directory), dns=False)
    patient.configure({"reconciliation": {"directadmin_servers": [master.conf()]}})
    assert_alone(patient, "fault", "master", "certificate", "verify_ssl")


def test_name_server_of_the_master_silent(patient):
    patient.master.dns.mode = "refuse"
    assert_alone(patient, "doubt", "serials", "does not have shop.example. (code 5)", "dns_port")
    patient.configure({"reconciliation": {"directadmin_servers": [patient.master.conf(dns_port=free_port())]}})
    assert_alone(patient, "doubt", "serials", "refused")


def test_port_of_root_while_the_doctor_is_not_root(patient):
    """zonefand takes it before it steps down to its user; what the doctor can do after that says nothing."""
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
        port = int(file.read()) - 1
    if port < 1:
        pytest.skip("every port is everybody's here")
    patient.configure({"app": {"user": "nobody", "listen_port": port}})
    found = [one for one in examine(patient) if one[1] == "port"]
    assert [one[0] for one in found] == ["doubt"] and "can't be told" in found[0][3] and "CAP_NET_BIND_SERVICE" in found[0][3], found


def test_name_servers_of_the_data_centre(patient, masters):
    """The name server that a stand-in has serves as that of a data centre, too."""
    patient.start()
    patient.da().push_ok("shop.example", da_zone("shop.example"))
    patient.wait_converged()
    patient.stop()
    reader = masters()
    server = f"127.0.0.1:{reader.dns.port}"
    conf(patient, verify={"dns": [server]})
    assert_alone(patient, "doubt", "names", "does not have shop.example. (code 5)", "Corefile", subject=server)
    reader.put("shop.example", 7)
    assert troubles(patient) == []
    assert ("well", "names", server, "it answers for shop.example., serial 7 -> ") in examine(patient)
    conf(patient, verify={"dns": [f"127.0.0.1:{free_port()}"]})
    assert_alone(patient, "fault", "names", "refused", "UDP and TCP")
    conf(patient, verify={"dns": ["ns1.invalid:53"]})
    found = assert_alone(patient, "fault", "names", "UDP and TCP", subject="ns1.invalid:53")
    assert "ns1.invalid" not in found[3], found


def test_certificate(patient):
    def serve(days):
        path = make_certificate(patient.directory, days=days)
        patient.configure({"app": {"ssl_enable": True, "ssl_cert": path + ".crt", "ssl_key": path}})
        return path
    serve(400)
    assert troubles(patient) == []
    serve(2)
    assert_alone(patient, "doubt", "certificate", "valid for 1 days more", "zonefanctl reload")
    patient.configure({"app": {"ssl_key": make_certificate(patient.directory)}})
    found = troubles(patient)
    assert [one[:2] for one in found] == [("fault", "certificate")] and "its own key" in found[0][3]


def test_further_port_taken(patient):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        patient.configure({"app": {"listeners": [{"address": "127.0.0.1", "port": port}]}})
        assert_alone(patient, "fault", "port", "ss -ltnp", subject=f"127.0.0.1 port {port}")


def test_nobody_is_asked(patient):
    patient.configure({"reconciliation": {"enabled": False}})
    assert_alone(patient, "doubt", "master", "missed for good")


def test_peer(patient, install, centre):
    other = install([centre], config={"app": {"dry_run": True}, "peer_sync": {"enabled": True,
                                                                            "auth_password": "canary-their-peers-password"}})
    peer = {"url": f"http://127.0.0.1:{other.port}"}
    patient.configure({"peer_sync": {"enabled": True, "auth_password": "canary-our-peers-password", "peers": [peer]}})
    assert_alone(patient, "fault", "peer", "refuses the login", "auth_password", subject=peer["url"])
    patient.configure({"peer_sync": {"auth_password": "canary-their-peers-password"}})
    assert troubles(patient) == []
    patient.configure({"peer_sync": {"peers": [{"url": f"http://127.0.0.1:{free_port()}"}]}})
    assert_alone(patient, "fault", "peer", "firewall")


# ---- a zonefand that runs ----

def test_lane_down_and_something_held(patient, centre):
    patient.start()
    patient.da().push_ok("shop.example", da_zone("shop.example", hosts=30))
    patient.wait_converged()
    without_ns = "\n".join(line for line in da_zone("shop.example", 2).splitlines() if "\tNS\t" not in line)
    assert patient.da().push("shop.example", without_ns).error == "1"
    centre.proxy.refuse()
    try:
        patient.da().push_ok("other.example", da_zone("other.example"))
        patient.wait_lane("dc1", "down")
        found = {check: (grade, text) for grade, check, _, text in troubles(patient)}
        assert found["lane"][0] == "fault" and "down since" in found["lane"][1]
        assert found["reach"][0] == "fault"
        assert found["held"][0] == "doubt" and "zonefanctl held list" in found["held"][1]
    finally:
        centre.proxy.passing()
    wait_for(lambda: patient.backend("dc1")["state"] == "up", 30, "dc1 is up again")
    patient.ctl("pause", "dc1", check=0)
    assert ("doubt", "lane") in [one[:2] for one in troubles(patient)]
    patient.ctl("resume", "dc1", check=0)


def test_too_few_open_files(patient):
    patient.start()
    patient.wait_lane("dc1", "up")
    subprocess.run(["prlimit", "--pid", str(patient.process.pid), "--nofile=300:300"], check=True)
    assert_alone(patient, "doubt", "limits", "300 are allowed", "LimitNOFILE")
