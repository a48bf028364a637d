# SPDX-License-Identifier: GPL-3.0-or-later
"""
deploy/compose.yaml, read as docker compose reads it (no engine is here to start it): what it names is there, its secrets are made, its
parts know each other's names, and zonefand and MariaDB take what it gives them. Its Corefile: tests/coredns/test_examples.py.
"""
import os
import re
import shutil
import stat
import subprocess

import pymysql
import pytest

from zf.mariadb import DATABASE


@pytest.fixture(scope="module")
def shipped(root, tmp_path_factory):
    """A copy of deploy/ with secrets."""
    copy = tmp_path_factory.mktemp("compose") / "deploy"
    shutil.copytree(os.path.join(root, "deploy"), copy, ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([copy / "compose" / "make-secrets"], check=True, timeout=60)
    return copy


@pytest.fixture(scope="module")
def project(objects, shipped):
    return objects("compose", str(shipped / "compose.yaml"), "public-plugin")


def secret(shipped, name):
    return (shipped / "compose" / "secrets" / name).read_text().strip()


def test_all_that_it_names_is_there(project, shipped):
    services = project["services"]
    assert set(services) == {"zonefand", "dc1-db", "dc2-db", "dc1-dns", "dc2-dns", "dc1-public-plugin"}
    dockerfile = (shipped / "Dockerfile").read_text()
    for name, service in services.items():
        for volume in service.get("volumes") or []:
            if volume["type"] == "bind":
                assert os.path.isfile(volume["source"]), f"{name}: {volume['source']}"
        if service.get("build"):
            assert f" AS {service['build']['target']}\n" in dockerfile, name
    for entry in project["secrets"].values():
        assert os.path.isfile(entry["file"]), entry


def test_without_the_profile_the_public_plugin_stays_away(objects, shipped):
    assert "dc1-public-plugin" not in objects("compose", str(shipped / "compose.yaml"))["services"]


def test_a_database_is_reached_by_its_own_alone(project):
    """And zonefand is as restricted as in Kubernetes."""
    networks = {name: set(service["networks"]) for name, service in project["services"].items()}
    for dc in ("dc1", "dc2"):
        assert project["networks"][dc]["internal"] and networks[f"{dc}-db"] == {dc}
        assert {name for name, joined in networks.items() if dc in joined} - {"dc1-public-plugin"} == {f"{dc}-db", f"{dc}-dns", "zonefand"}
    zonefand = project["services"]["zonefand"]
    assert zonefand["read_only"] and zonefand["cap_drop"] == ["ALL"] and zonefand["security_opt"] == ["no-new-privileges:true"]


def test_secrets_are_made_once_and_are_no_one_elses(shipped, project):
    before = {name: secret(shipped, name) for name in os.listdir(shipped / "compose" / "secrets")}
    subprocess.run([shipped / "compose" / "make-secrets"], check=True, timeout=60)
    assert before == {name: secret(shipped, name) for name in os.listdir(shipped / "compose" / "secrets")}
    assert stat.S_IMODE(os.stat(shipped / "compose" / "secrets").st_mode) == 0o700
    assert len(set(before.values())) == len(before) and all(len(text) >= 40 for text in before.values())
    assert before["dc1-dsn"] in before["dc1-public-plugin"] and "PASSWORD" not in before["dc1-public-plugin"]
    for text in before.values():
        assert text not in str(project), "a secret stands in the project itself"


def test_zonefand_takes_its_configuration(project, shipped, tmp_path):
    service = project["services"]["zonefand"]
    config = (shipped / "compose" / "app.yml").read_text()
    for backend in ("dc1", "dc2"):
        assert f"host: {backend}-db\n" in config and f"{backend}-db" in project["services"]
    named = set(re.findall("/run/secrets/(.*)", config))
    assert named == {mounted["source"] for mounted in service["secrets"]}
    config = config.replace("/run/secrets/", f"{shipped}/compose/secrets/").replace("/run/zonefan/", f"{tmp_path}/").replace("/var/lib/zonefan/", f"{tmp_path}/")
    (tmp_path / "app.yml").write_text(config)
    done = subprocess.run([os.path.join(os.environ["ZONEFAN_BIN_DIR"], "zonefand"), "--config", tmp_path / "app.yml", "--check"],
                          env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "level=error" not in done.stderr, done.stderr


def test_the_reader_may_read_and_nothing_else(shipped, dcs):
    """MariaDB's image sources the script, with a function of its own; here the function is the test's."""
    db = dcs[0].db
    db.plugin_schema()
    db.sql("DROP USER IF EXISTS reader")
    script = (shipped / "compose" / "reader.sh").read_text().replace("/run/secrets/dsn", f"{shipped}/compose/secrets/dc1-dsn")
    script = script.replace("ON coredns.*", f"ON {DATABASE}.*")
    subprocess.run(["bash", "-eu", "-c", 'docker_process_sql() { mariadb --no-defaults -uroot -h127.0.0.1 -P"$port" "$@"; }\n' + script],
                   check=True, timeout=60, env={"PATH": os.environ["PATH"], "port": str(db.port)})
    password = secret(shipped, "dc1-dsn").split(":")[1].split("@")[0]
    reader = pymysql.connect(host="127.0.0.1", port=db.port, user="reader", password=password, database=DATABASE)
    with reader.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM zones")
        with pytest.raises(pymysql.MySQLError):
            cursor.execute("INSERT INTO zones (zone_name) VALUES ('x.')")
    reader.close()
    db.sql("DROP USER reader")
