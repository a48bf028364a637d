# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue, fixed interfaces: configuration by file and environment, --check, --version, refusals at start. (O1, S3, S8, M3;
decisions.md 16.)
"""
import os
import sqlite3
import subprocess
import time

import pytest
from zf.daemon import BIN, SOURCE, merge, to_yaml
from zf.wait import free_port, wait_for
from zf.zones import da_zone


def run(zonefan, *arguments, env=None, cwd=None):
    return subprocess.run([os.path.join(BIN, "zonefand"), *arguments], capture_output=True, text=True, timeout=60,
                          env={**zonefan.environment(), **(env or {})}, cwd=cwd or zonefan.directory,
                          stdin=subprocess.DEVNULL)


def check(zonefan, env=None):
    return run(zonefan, "--config", zonefan.config_path, "--check", env=env)


@pytest.fixture
def idle(install, dcs):
    """An installation that was not started."""
    return install(dcs, start=False)


def test_version(idle):
    done = run(idle, "--version")
    assert done.returncode == 0 and "zonefan" in done.stdout


@pytest.mark.row("F04", fault="--check prints the configuration", injected="passwords in every field",
                 required="none is printed, no store is made")
def test_check_prints_the_effective_configuration(idle):
    done = check(idle)
    assert done.returncode == 0, done
    assert "dc2" in done.stdout and str(idle.port) in done.stdout and "query_timeout_ms: 10000" in done.stdout
    for secret in idle.secrets:
        assert secret not in done.stdout + done.stderr
    assert not os.path.exists(idle.store), "--check made a store"


@pytest.mark.parametrize("what", ["check", "--version", "--help"])
def test_output_that_is_lost_is_no_success(idle, what):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([os.path.join(BIN, "zonefanctl"), "--config", idle.config_path, what], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=60, env=idle.environment(), stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and "standard output: No space left" in done.stderr, done


@pytest.mark.parametrize("what", ["--check", "--version", "--help"])
def test_output_of_zonefand_that_is_lost_is_no_success(idle, what):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([os.path.join(BIN, "zonefand"), "--config", idle.config_path, what], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=60, env=idle.environment(), stdin=subprocess.DEVNULL)
    assert done.returncode == os.EX_IOERR and "zonefand: standard output: No space left" in done.stderr, done


@pytest.mark.parametrize("text, wanted", [
    ("app:\n  no_such_key: 1\n", ["app.yml:2", "no_such_key"]),
    ("nonsense: 1\n", ["app.yml:1", "nonsense"]),
    ("app:\n  listen_port: 70000\n", ["app.yml:2", "listen_port"]),
    ("app:\n  listen_port: 22x\n", ["app.yml:2", "listen_port"]),
    ("app: [\n", ["app.yml:"]),
    ("dns:\n  backends:\n    dc1:\n      type: nosuchtype\n      enabled: true\n", ["dc1"]),
    ("retry:\n  backoff_seconds: []\n", ["backoff_seconds"]),
    ("dns:\n  backends:\n    dc1:\n      type: coredns_mysql\n      enabled: true\n      zones_table: 'a`b'\n", ["zones_table"]),
])
def test_faults_are_named(idle, text, wanted):
    if "auth_password" not in text:
        text += "" if text.startswith("app:") else "app:\n  auth_password: something\n"
    with open(idle.config_path, "w", encoding="utf-8") as out:
        out.write(text)
    done = check(idle, env={"DADNS_APP_AUTH_PASSWORD": "something"})
    assert done.returncode != 0
    for part in wanted:
        assert part in done.stderr, done.stderr


def test_more_back_ends_than_there_may_be(idle):
    """By --check and at a start; 64 are fine."""
    one = idle.settings["dns"]["backends"]["dc1"]
    idle.configure({"dns": {"backends": {f"dc{i}": {**one, "database": f"dns{i}"} for i in range(1, 65)}}})
    assert check(idle).returncode == 0
    idle.configure({"dns": {"backends": {"dc65": {**one, "database": "dns65"}}}})
    for arguments in (["--check"], []):
        done = run(idle, "--config", idle.config_path, *arguments)
        assert done.returncode == 78 and "dns.backends: 65 back ends are enabled; there may be 64" in done.stderr, done
    assert not os.path.exists(idle.store)


@pytest.mark.row("SEC S8", fault="an empty or default password",
                 injected="app.auth_password empty, and changeme",
                 required="exit 78 naming the key, by --check too; no store made")
@pytest.mark.parametrize("password", ["", "changeme"])
def test_default_password_is_refused(idle, password):
    """S8."""
    idle.configure({"app": {"auth_password": password}})
    for arguments in (["--check"], []):
        done = run(idle, "--config", idle.config_path, *arguments)
        assert done.returncode != 0 and "auth_password" in done.stderr, done
    assert not os.path.exists(idle.store)


@pytest.mark.row("F05", fault="a key in the file and in the environment", injected="listen_port, auth_password and its file",
                 required="the environment wins")
def test_environment_wins(idle, tmp_path):
    """Environment, file, defaults; any secret by _FILE."""
    idle.configure({"app": {"auth_password": "wrong-in-the-file"}})
    secret = tmp_path / "password"
    secret.write_text(idle.password + "\n")
    secret.chmod(0o600)
    idle.port = free_port()
    idle.start(env={"DADNS_APP_LISTEN_PORT": str(idle.port), "DADNS_APP_AUTH_PASSWORD_FILE": str(secret)})
    assert idle.da().login_test().error == "0"
    idle.stop()


@pytest.mark.row("F05", fault="no file but a name, all else by the environment",
                 injected="a back end too; DADNS_SERVICE_* and DADNS_PORT* beside",
                 required="serves; service links of Kubernetes are ignored")
def test_everything_by_environment(idle, dcs, tmp_path):
    """decisions.md 16: a back end may be created by environment; Kubernetes' service links are ignored."""
    server, port = dcs[0].db, dcs[0].proxy.port
    env = {"DADNS_APP_AUTH_PASSWORD": idle.password, "DADNS_APP_LISTEN_PORT": str(idle.port),
           "DADNS_DATASTORE_DB_LOCATION": idle.store, "DADNS_SERVICE_HOST": "10.0.0.1",
           "DADNS_PORT_2222_TCP": "tcp://10.0.0.1:2222"}
    for key, value in {"TYPE": "coredns_mysql", "ENABLED": "true", "HOST": "127.0.0.1", "PORT": str(port),
                       "DATABASE": "dns", "USERNAME": server.user, "PASSWORD": server.password}.items():
        env["DADNS_DNS_BACKENDS_COREDNS_MYSQL_" + key] = value
    with open(idle.config_path, "w", encoding="utf-8") as out:
        out.write(to_yaml({"app": {"auth_username": idle.user}}) + "\n")
    idle.start(env=env)
    idle.da().push_ok("env.example", da_zone("env.example"))
    wait_for(lambda: server.has_table("records") and server.rows("env.example"), 30, "the zone is written")
    idle.stop()


@pytest.mark.row("F02", fault="every key of the predecessor", injected="its app.yml",
                 required="accepted, with a notice for each that no longer matters")
def test_predecessors_file(idle):
    """tests/data holds an app.yml with every key of the predecessor: accepted, with a notice for what no longer matters."""
    path = os.path.join(SOURCE, "tests", "data", "app-predecessor.yml")
    done = run(idle, "--config", path, "--check", env={"DADNS_APP_AUTH_PASSWORD": "not-the-default"})
    assert "queue_location" in done.stderr, done
    # its enabled back end of a type that is not built yet is the only thing that may stop it
    assert done.returncode == 0 or "backend" in done.stderr, done


def test_search_order(idle):
    """./app.yml, then ./config/app.yml, when --config does not say."""
    os.makedirs(os.path.join(idle.directory, "config"))
    os.rename(idle.config_path, os.path.join(idle.directory, "config", "app.yml"))
    done = run(idle, "--check")
    assert done.returncode == 0 and str(idle.port) in done.stdout, done
    with open(idle.config_path, "w", encoding="utf-8") as out:
        out.write(to_yaml(merge(idle.settings, {"app": {"listen_port": 2999}})) + "\n")
    assert "listen_port: 2999" in run(idle, "--check").stdout


@pytest.mark.row("F01", fault="app.yml: not there", injected="--config", required="refused at start, the path is named")
def test_missing_file(idle):
    done = run(idle, "--config", "/nonexistent/app.yml")
    assert done.returncode != 0 and "/nonexistent/app.yml" in done.stderr


def test_port_in_use(idle, install, dcs):
    first = install(dcs[:1])
    idle.configure({"app": {"listen_port": first.port}})
    done = run(idle, "--config", idle.config_path)
    assert done.returncode != 0 and str(first.port) in done.stderr


@pytest.mark.row("S08", fault="a second daemon on one store", injected="started so",
                 required="no start: within 1 s, names the store; the first one is not disturbed")
def test_two_daemons_on_one_store(idle, install, dcs, happened, bar):
    """reliability.md S08: the second one leaves, the first one is not disturbed."""
    first = install(dcs[:1])
    idle.configure({"datastore": {"db_location": first.store}})
    began = time.monotonic()
    done = run(idle, "--config", idle.config_path)
    took = time.monotonic() - began
    assert done.returncode != 0 and first.store in done.stderr, done
    first.da().push_ok("undisturbed.example", da_zone("undisturbed.example"))
    happened(f"exit code {done.returncode} after {took:.2f} s; a push to the first is acknowledged", acknowledged=1)
    bar("seconds until refused", took, 1)


@pytest.mark.parametrize("how", [pytest.param(how, marks=pytest.mark.row(
    row, fault=f"store: {how}", injected="the file is made so", required="no start, a clear line, the file is as it was"))
    for row, how in (("S12", "newer"), ("S07", "no store at all"), ("S07", "cut off"))])
def test_store_that_must_not_be_overwritten(idle, how):
    """O6, S07: a clear message, a non-zero exit, the file left as it was."""
    idle.start()
    idle.da().push_ok("kept.example", da_zone("kept.example"))
    idle.stop()
    for beside in ("-wal", "-shm"):
        if os.path.exists(idle.store + beside):
            os.unlink(idle.store + beside)  # test_stop.py says that they should not be there
    if how == "newer":
        with sqlite3.connect(idle.store) as db:
            db.execute("PRAGMA user_version=9999")
            if db.execute("SELECT count(*) FROM meta WHERE key LIKE '%version%'").fetchone()[0]:
                db.execute("UPDATE meta SET value='9999' WHERE key LIKE '%version%'")
        db.close()
    elif how == "no store at all":
        with open(idle.store, "wb") as file:
            file.write(b"this is a letter to my aunt\n" * 1000)
    else:
        os.truncate(idle.store, 5000)
    with open(idle.store, "rb") as file:
        before = file.read()
    done = run(idle, "--config", idle.config_path)
    assert done.returncode != 0 and idle.store in done.stderr, done
    with open(idle.store, "rb") as file:
        assert file.read() == before
