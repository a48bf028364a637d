# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "zonefanctl setup: asks for (or takes by flags) data centres and masters, tests each connection, grants and the schema, writes
app.yml with secrets in files of mode 0600, prints the next step". Never over a file that is there, unless told.
"""
import json
import os
import pty
import select
import stat
import subprocess
import tempfile
import time

import pytest
import yaml
from conftest import data_centres
from zf.da import DA, NoAnswer
from zf.daemon import BIN, sanitizer_environment
from zf.wait import free_port
from zf.zones import da_zone


@pytest.fixture(scope="module")
def centre(servers):
    with data_centres(servers) as made:
        yield made[0]


class Place:
    """A folder like /etc/zonefan, and zonefanctl setup in it."""

    def __init__(self, directory, centre, master):
        self.directory = str(directory)
        self.config = os.path.join(self.directory, "app.yml")
        self.centre = centre
        self.master = master
        self.port = free_port()

    def secret(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as out:
            out.write(text + "\n")
        os.chmod(path, 0o600)
        return path

    def words(self, **more):
        """All that is needed, by dotted keys."""
        backend, server = "dns.backends.dc1.", "reconciliation.directadmin_servers.1."
        words = {"app.listen_port": self.port, "app.listen_address": "127.0.0.1",
                 "datastore.db_location": os.path.join(self.directory, "zonefan.db"),
                 backend + "host": "127.0.0.1", backend + "port": self.centre.proxy.port, backend + "database": "dns",
                 backend + "username": self.centre.db.user,
                 backend + "password_file": self.secret("db", self.centre.db.password),
                 server + "hostname": "127.0.0.1", server + "port": self.master.port, server + "ssl": "false",
                 server + "username": self.master.user, server + "password_file": self.secret("da", self.master.password),
                 server + "identity": self.master.identity, server + "dns_port": self.master.dns_port, **more}
        return [f"{key}={value}" for key, value in words.items() if value is not None]

    def command(self, *arguments):
        return [os.path.join(BIN, "zonefanctl"), "--config", self.config, *arguments]

    def environment(self):
        return {**os.environ, **sanitizer_environment(self.directory)}

    def setup(self, *arguments, check=0, stdin=subprocess.DEVNULL):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, errors="replace", timeout=60, check=False,
                              stdin=stdin, env=self.environment(), cwd=self.directory)
        assert done.returncode == check, done
        for password in (self.centre.db.password, self.master.password):
            assert password not in done.stdout + done.stderr
        return done

    def files(self):
        return sorted(os.path.relpath(os.path.join(folder, name), self.directory)
                      for folder, _, names in os.walk(self.directory) for name in names if name not in ("db", "da"))


@pytest.fixture
def place(scratch, centre, masters):
    master = masters(dns=False)
    master.put("shop.example")
    return Place(tempfile.mkdtemp(prefix="setup-", dir=scratch), centre, master)


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def assert_private(path):
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path


def test_by_words(place):
    answer = json.loads(place.setup("--json", "setup", *place.words()).stdout)
    assert answer["faults"] == 0 and answer["config"] == place.config
    assert {"reach", "schema", "master"} <= {one["check"] for one in answer["findings"]}
    assert place.files() == ["app.yml", "secrets/app.auth_password", "secrets/app.users.1.password"]
    assert answer["secrets"] == [os.path.join(place.directory, name) for name in place.files()[1:]]
    for path in (place.config, *answer["secrets"]):
        assert_private(path)
    passwords = [read(path) for path in answer["secrets"]]
    assert all(len(password) == 32 for password in passwords) and len(set(passwords)) == 2
    assert not any(password in read(place.config) for password in passwords)
    assert "doctor" in answer["next"][-1] and place.master.identity in " ".join(answer["next"])
    # and zonefand runs by it, with the login that the master was given
    log = os.path.join(place.directory, "log")
    with open(log, "wb") as out:
        process = subprocess.Popen([os.path.join(BIN, "zonefand"), "--config", place.config], stdout=out, stderr=out,
                                   stdin=subprocess.DEVNULL, env=place.environment(), cwd=place.directory)
    try:
        pushed = push(place, place.master.identity, passwords[1])
        assert pushed.error == "0", read(log)
        assert push(place, place.master.identity, passwords[1], hostname="other.example").error == "1"
        assert push(place, "directdnsonly", passwords[0], hostname="other.example").error == "0"
    finally:
        process.terminate()
        assert process.wait(30) == 0, read(log)


def push(place, user, password, hostname=None):
    da = DA(place.port, user, password, hostname=hostname or place.master.identity)
    end = time.monotonic() + 30
    while True:
        try:
            return da.push("shop.example", da_zone("shop.example"))
        except (OSError, NoAnswer):
            assert time.monotonic() < end
            time.sleep(0.05)


def test_relative_config(place):
    """What it writes is read by a service, which is at home elsewhere."""
    answer = json.loads(place.setup("--config", "app.yml", "--json", "setup", *place.words()).stdout)
    assert answer["config"] == place.config
    assert answer["secrets"] == [os.path.join(place.directory, "secrets", name) for name in ("app.auth_password", "app.users.1.password")]
    checked = subprocess.run([os.path.join(BIN, "zonefand"), "--config", place.config, "--check"], capture_output=True, text=True,
                             timeout=60, check=False, env=place.environment(), cwd="/")
    assert checked.returncode == 0, checked


def test_name_that_is_a_number(place):
    words = [word.replace("dns.backends.dc1.", "dns.backends.1.") for word in place.words()]
    answer = json.loads(place.setup("--json", "setup", *words).stdout)
    assert [one["subject"] for one in answer["findings"] if one["check"] == "reach"] == ["1"]


def test_never_over_a_file(place):
    with open(place.config, "w", encoding="ascii") as out:
        out.write("mine\n")
    done = place.setup("setup", *place.words(), check=1)
    assert "is there already: --overwrite" in done.stderr and read(place.config) == "mine\n" and place.files() == ["app.yml"]
    place.setup("setup", "--overwrite", *place.words())
    assert read(place.config + ".old") == "mine\n" and "dc1" in read(place.config)
    first = read(os.path.join(place.directory, "secrets", "app.auth_password"))
    place.setup("setup", "--overwrite", *place.words())
    assert read(os.path.join(place.directory, "secrets", "app.auth_password")) == first, "a secret that is in use was replaced"
    assert "secrets/app.auth_password-2" in place.files()


def test_paths_are_those_of_whoever_runs_it(place):
    """zonefand is started elsewhere."""
    words = place.words(**{"datastore.db_location": "zonefan.db", "dns.backends.dc1.password_file": "db", "app.ssl_key": ""})
    place.setup("setup", *words)
    conf = yaml.safe_load(read(place.config))
    assert conf["datastore"]["db_location"] == os.path.join(place.directory, "zonefan.db")
    assert conf["dns"]["backends"]["dc1"]["password_file"] == os.path.join(place.directory, "db")
    assert conf["app"]["ssl_key"] == ""


def test_dry_run_writes_nothing(place):
    done = place.setup("setup", "--dry-run", *place.words())
    assert "nothing was written" in done.stdout and "well  reach" in done.stdout
    assert place.files() == []


def test_a_fault_is_told_and_nothing_written(place):
    place.centre.proxy.refuse()
    try:
        done = place.setup("setup", *place.words(), check=1)
        assert "fault reach" in done.stdout and "bind-address" in done.stdout
        assert "--confirm writes it all the same" in done.stderr
        assert place.files() == []
        place.setup("setup", "--confirm", *place.words())
        assert "app.yml" in place.files()
    finally:
        place.centre.proxy.passing()


@pytest.mark.parametrize("words, message", [
    ([], "nobody answers here: give KEY=VALUE words"),
    (["dns.backends.dc1.host"], "KEY=VALUE is wanted"),
    (["dns.backends.dc1.hots=x"], "no key of app.yml is like that"),
    (["dns.backends.dc1.password=secret"], "everyone sees a command line: give dns.backends.dc1.password_file=PATH"),
    ([os.fsdecode(b"dns.backends.caf\xe9.host=x")], ".host: the key is no UTF-8"),
    ([os.fsdecode(b"dns.backends.dc1.host=caf\xe9")], "dns.backends.dc1.host: the value is no UTF-8"),
    (["dns.backends.dc1.host=x", "app.listen_port=many"], "app.listen_port"),
    (["dns.backends.dc1.host=x"], "dns.backends.dc1.password"),
    (["app.user=no-such-user-here", "dns.backends.dc1.host=x"], "no-such-user-here"),
])
def test_what_is_wrong_is_named(place, words, message):
    if message == "no-such-user-here" and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    assert message in place.setup("setup", *words, check=1).stderr
    assert place.files() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_are_of_the_user_who_runs_it(place):
    place.setup("setup", *place.words(**{"app.user": "nobody"}))
    owner = os.stat(os.path.join(place.directory, "secrets", "app.auth_password")).st_uid
    assert owner != 0 and os.stat(place.config).st_uid == owner


class Dialogue:
    """Somebody at a terminal."""

    def __init__(self, place, *arguments):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(place.command("setup", *arguments), stdin=slave, stdout=slave, stderr=slave,
                                        env=place.environment(), cwd=place.directory, start_new_session=True)
        os.close(slave)
        self.seen = ""

    def read(self, deadline=30):
        """False: the other side has ended."""
        assert select.select([self.master], [], [], deadline)[0], f"nothing more comes: {self.seen}"
        try:
            self.seen += os.read(self.master, 4096).decode()
            return True
        except OSError:
            return False

    def wait_for(self, prompt):
        while not self.seen.endswith(prompt):
            assert self.read(), f"{prompt!r} did not come: {self.seen}"

    def answer(self, prompt, text):
        self.wait_for(prompt)
        os.write(self.master, text.encode() + b"\n")

    def end(self):
        while self.read():
            pass
        os.close(self.master)
        return self.process.wait(30)


def test_dialogue(place):
    talk = Dialogue(place)
    talk.answer("first data centre [dc1]: ", "")
    talk.answer("host of its database: ", "127.0.0.1")
    talk.answer("port [3306]: ", str(place.centre.proxy.port))
    talk.answer("database [coredns]: ", "dns")
    talk.answer("user [zonefan]: ", "")
    talk.answer("password (not shown): ", place.centre.db.password)
    talk.answer("no TLS): ", "")
    talk.answer("next one (empty: no more): ", "")
    talk.answer("DirectAdmin master (empty: none is asked): ", "127.0.0.1")
    talk.answer("its port [2222]: ", str(place.master.port))
    talk.answer("by HTTPS [true]: ", "false")
    talk.answer("admin login there [admin]: ", place.master.user)
    talk.answer("password (not shown): ", place.master.password)
    talk.answer("next one (empty: no more): ", "")
    talk.answer("pushes to [2222]: ", str(place.port))
    talk.answer("zonefan.db]: ", os.path.join(place.directory, "zonefan.db"))
    assert talk.end() == 0, talk.seen
    assert place.centre.db.password not in talk.seen and place.master.password not in talk.seen
    assert "Next:" in talk.seen and "Zone Transfer" in talk.seen
    secret = os.path.join(place.directory, "secrets", "dns.backends.dc1.password")
    assert read(secret) == place.centre.db.password
    assert_private(secret)
    checked = subprocess.run([os.path.join(BIN, "zonefand"), "--config", place.config, "--check"], capture_output=True, text=True,
                             timeout=60, check=False, env=place.environment())
    assert checked.returncode == 0, checked


def test_dialogue_with_a_name_that_is_a_number(place):
    """Its password goes to a file as any."""
    talk = Dialogue(place)
    for prompt, text in (("[dc1]: ", "2"), ("database: ", "127.0.0.1"), ("[3306]: ", str(place.centre.proxy.port)),
                         ("[coredns]: ", "dns"), ("[zonefan]: ", ""), ("(not shown): ", place.centre.db.password), ("no TLS): ", ""),
                         ("no more): ", ""), ("none is asked): ", ""), ("[2222]: ", ""),
                         ("zonefan.db]: ", os.path.join(place.directory, "zonefan.db"))):
        talk.answer(prompt, text)
    assert talk.end() == 0, talk.seen
    assert place.centre.db.password not in read(place.config)
    assert read(os.path.join(place.directory, "secrets", "dns.backends.2.password")) == place.centre.db.password


def test_dialogue_with_a_name_with_a_dot(place):
    talk = Dialogue(place)
    talk.answer("[dc1]: ", "dc1.west")
    assert talk.end() == 1 and "dns.backends.dc1.west.host: no key of app.yml is like that" in talk.seen, talk.seen
    assert place.files() == []


def test_dialogue_that_finds_a_fault(place):
    place.centre.proxy.refuse()
    try:
        for word in ("no", "yes"):
            talk = Dialogue(place)
            for prompt, text in (("[dc1]: ", ""), ("database: ", "127.0.0.1"), ("[3306]: ", str(place.centre.proxy.port)),
                                 ("[coredns]: ", ""), ("[zonefan]: ", ""), ("(not shown): ", "whatever"), ("no TLS): ", ""),
                                 ("no more): ", ""), ("none is asked): ", ""), ("[2222]: ", ""),
                                 ("zonefan.db]: ", os.path.join(place.directory, "zonefan.db")),
                                 ("all the same? [no]: ", word)):
                talk.answer(prompt, text)
            assert talk.end() == (0 if word == "yes" else 1), talk.seen
            assert ("app.yml" in place.files()) == (word == "yes")
    finally:
        place.centre.proxy.passing()


def test_answers_that_end(place):
    talk = Dialogue(place)
    talk.wait_for("[dc1]: ")
    os.write(talk.master, b"\x04")
    assert talk.end() == 1
    assert "the answers ended" in talk.seen and place.files() == []
