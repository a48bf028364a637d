# SPDX-License-Identifier: GPL-3.0-or-later
"""
No secret leaves (C12, O9, product table S3): another password in every field of the configuration, by file, by environment and by
mistake where none belongs; then everything that zonefand and zonefanctl say is searched, at the log level debug.
"""
import base64
import glob
import os
import re
import subprocess

import pytest
from zf.daemon import BIN, SOURCE
from zf.da import DA
from zf.peer import Predecessor
from zf.reconcile import conf, reconcile
from zf.wait import wait_for
from zf.zones import da_zone

CANARY = "canary-{}-7f3a"


class Canaries:
    """A password for each place that may have one; all of them are searched for."""

    def __init__(self, directory):
        self.directory = directory
        self.made = []

    def __call__(self, place):
        self.made.append(CANARY.format(place))
        return self.made[-1]

    def file(self, place):
        path = os.path.join(self.directory, place)
        with open(path, "w", encoding="ascii") as out:
            out.write(self(place) + "\n")
        os.chmod(path, 0o600)
        return path

    def searched(self):
        """As they are, and as they travel."""
        shapes = list(self.made)
        for secret in self.made:
            # Inside of the base64 of "name:secret", whatever the length of the name.
            shapes += [base64.b64encode(b"x" * shift + secret.encode())[4:-4].decode() for shift in range(3)]
        return shapes


def gets():
    """Every path that answers a GET, from the table of the program."""
    with open(os.path.join(SOURCE, "lib", "http", "routes.c"), encoding="utf-8") as source:
        paths = re.findall(r'(?:GET|EXCHANGE)\("([^"]+)"', source.read())
    assert len(paths) > 15
    paths += ["/", "/?zone=*", "/metrics", "/healthz", "/readyz"]
    return [path.replace("*", "1" if "held" in path else "dc1" if "backends" in path else "held.example") for path in paths]


OPEN = ("/healthz", "/readyz")  # to everybody

# What changes something, and what the shells ask.
NOT_RUN = {"pause", "resume", "reload", "backup", "retire", "diff", "rollback", "undelete", "import", "freeze", "thaw", "approve", "discard",
           "setup", "complete"}


def commands(zonefan):
    """Every command that only looks, from zonefanctl's own help."""
    told = zonefan.ctl("--help", check=0).stdout
    known = {"status": [], "zones": [], "zone": ["held.example"], "rejected": [], "events": [], "plan": [], "orphans": [],
             "peers": [], "held": ["list"], "dead": ["list"], "history": ["held.example"], "check": [], "heal": ["--no-wait"],
             "reconcile": ["--dry-run"], "retry": [], "ready": [], "doctor": [], "top": ["--once"],
             "da": ["status", "da1.host.example"]}
    assert set(known) | NOT_RUN == set(re.findall(r"^  ([a-z]+)\b", told, re.MULTILINE)), told
    return [[command, *words] for command, words in known.items()]


def echo(master, handler, path, query):
    """A master that says the password back, wherever it can."""
    said = handler.headers.get("Authorization", "") + " " + master.password
    handler.send(500, said, headers=[("Location", f"http://{master.user}:{master.password}@127.0.0.1/"), ("X-Said", said)])
    return True


@pytest.fixture
def armed(install, dcs, masters):
    """Everything that has a password, and much that fails: (zonefan, canaries, master, peer)."""
    zonefan = install(dcs, start=False)
    canaries = Canaries(zonefan.directory)
    canaries.made += zonefan.secrets
    master, second = masters(), masters("da2.host.example")
    peer = Predecessor(password=canaries("peer"))
    canaries.made += [master.password, second.password]
    settings = conf(master, second)
    servers = settings["reconciliation"]["directadmin_servers"]
    servers[1] = {**servers[1], "password": "", "password_file": canaries.file("master-file")}
    settings.update({
        "log_level": "debug",
        "app": {"users": [{"name": "da1", "password": canaries("user"), "identities": ["da1.host.example"]},
                          {"name": "eye", "password_file": canaries.file("user-file"), "role": "read-only"}]},
        "peer_sync": {"enabled": True, "interval_minutes": 10080, "auth_username": "peers", "auth_password": canaries("peers"),
                      "peers": [{"url": peer.url, "username": peer.user, "password": peer.password},
                                {"url": "http://127.0.0.1:9", "username": "x", "password_file": canaries.file("peer-file")}]},
        "notify": {"url": f"http://127.0.0.1:9/{canaries('webhook')}", "username": "x", "password_file": canaries.file("notify-file"),
                   "min_seconds": 0},
        "dns": {"backends": {"dc3": {"password": canaries("wrong-password-of-dc3")}}}})
    zonefan.configure(settings)
    zonefan.start(env={"DADNS_DNS_BACKENDS_DC2_PASSWORD_FILE": password_file(canaries, dcs[1].db.password)})
    yield zonefan, canaries, master, peer
    peer.close()


def variables():
    """The variable of every secret outside of lists, from the table of the program."""
    with open(os.path.join(SOURCE, "lib", "conf", "keys.c"), encoding="utf-8") as source:
        rows = re.split(r"\n\t(?=\{|PEER_KEY)", source.read().split("keys_table[] = {")[1])
    paths = [re.search(r'"([^"]+)"', row).group(1) for row in rows if ".secret = true" in row or re.match(r"PEER_KEY\(.*, true\)", row)]
    assert len(paths) > 10
    return {"DADNS_" + path.replace("*", "dc1").replace("#", "1").replace(".", "_").upper() for path in paths if "[]" not in path}


@pytest.fixture
def by_value(install, dcs):
    """Each secret that a variable can bring is brought by it, and by nothing else: (zonefan, canaries, values, peers)."""
    zonefan = install(dcs, start=False)
    canaries = Canaries(zonefan.directory)
    canaries.made += zonefan.secrets
    peers = [Predecessor(password=canaries("peer")), Predecessor(password=canaries("peer1"))]
    values = {"DADNS_APP_AUTH_PASSWORD": zonefan.password, "DADNS_DNS_BACKENDS_DC1_PASSWORD": dcs[0].db.password,
              "DADNS_DATASTORE_PASS": canaries("datastore"), "DADNS_NOTIFY_URL": f"http://127.0.0.1:9/{canaries('webhook')}",
              "DADNS_NOTIFY_PASSWORD": canaries("notify"), "DADNS_PEER_SYNC_AUTH_PASSWORD": canaries("peers"),
              "DADNS_PEER_SYNC_PEER_PASSWORD": peers[0].password, "DADNS_PEER_SYNC_PEER_1_PASSWORD": peers[1].password}
    assert set(values) == variables()
    more = {"DADNS_DNS_BACKENDS_DC2_PASSWORD": dcs[1].db.password, "DADNS_DNS_BACKENDS_DC3_PASSWORD": canaries("wrong-password-of-dc3"),
            "DADNS_PEER_SYNC_PEER_URL": peers[0].url, "DADNS_PEER_SYNC_PEER_USERNAME": peers[0].user,
            "DADNS_PEER_SYNC_PEER_1_URL": peers[1].url, "DADNS_PEER_SYNC_PEER_1_USERNAME": peers[1].user}
    zonefan.configure({
        "log_level": "debug", "app": {"auth_password": None, "users": [{"name": "eye", "password_file": canaries.file("user-file"),
                                                                        "role": "read-only"}]},
        "peer_sync": {"enabled": True, "interval_minutes": 10080, "auth_username": "peers"},
        "notify": {"username": "x", "min_seconds": 0},
        "dns": {"backends": {centre.name: {"password": None} for centre in dcs}}})
    with open(zonefan.config_path, encoding="utf-8") as config:
        assert not set(canaries.made) & set(re.findall(r"[\w-]+", config.read()))
    ours = zonefan.environment
    zonefan.environment = lambda: {**ours(), **values, **more}  # zonefanctl's and --check's, too
    zonefan.start()
    yield zonefan, canaries, {**values, **more}, peers
    for peer in peers:
        peer.close()


def password_file(canaries, password):
    path = os.path.join(canaries.directory, "dc2-password")
    with open(path, "w", encoding="ascii") as out:
        out.write(password)
    os.chmod(path, 0o600)
    return path


def say_all(zonefan, canaries):
    """{place: text} of all that is told to anybody."""
    said = {}
    for path in gets():
        for name, da, let_in in (("operator", zonefan.da(), True), ("eye", DA(zonefan.port, "eye", CANARY.format("user-file")), True),
                                 ("nobody", DA(zonefan.port, "nobody", CANARY.format("guess")), path in OPEN)):
            answer = da.get(path)
            assert (answer.status not in (401, 429)) == let_in, f"{path} for {name}: {answer.status}"
            said[f"GET {path} for {name}"] = answer.raw.decode("latin-1")
    for words in commands(zonefan):
        for options in ([], ["--json"]):
            done = zonefan.ctl(*options, *words)
            said[f"zonefanctl {options} {words}"] = done.stdout + done.stderr
    done = subprocess.run([os.path.join(BIN, "zonefand"), "--config", zonefan.config_path, "--check"], capture_output=True,
                          text=True, env=zonefan.environment(), cwd=zonefan.directory, timeout=60)
    assert done.returncode == 0, done
    said["zonefand --check"] = done.stdout + done.stderr
    with open(f"/proc/{zonefan.process.pid}/cmdline", encoding="utf-8") as file:
        said["command line"] = file.read()
    with open(f"/proc/{zonefan.process.pid}/environ", encoding="utf-8") as file:
        said["environment"] = file.read()
    said["all command lines"] = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    said["log"] = zonefan.log()
    for path in glob.glob(zonefan.store + "*"):
        with open(path, encoding="latin-1") as file:
            said[os.path.basename(path)] = file.read()
    assert {"zonefan.sqlite", "zonefan.sqlite-wal"} <= set(said)
    return said


def assert_silent(said, canaries):
    """No secret is in there, in no shape; how many shapes."""
    shapes = canaries.searched()
    for place, text in said.items():
        for shape in shapes:
            assert shape not in text, f"{shape} stands in {place}"
    return len(shapes)


def say_it_back(peer):
    """A peer that says the password back, wherever it can."""
    peer.say["/internal/zones"] = lambda handler, query: (
        500, {"Location": f"http://x:{peer.password}@127.0.0.1/"}, (handler.headers["Authorization"] + peer.password).encode())


def guess(zonefan, canaries):
    for path in ("/", "/status"):
        DA(zonefan.port, zonefan.user, CANARY.format("guess")).get(path)
    canaries("guess")


@pytest.mark.row("SEC S3", fault="a secret stands in the log (debug), an answer, zonefanctl's output, --check or a process list",
                 injected="another canary in each field that has a password, by value, by file and by environment; every GET path, "
                          "every command; wrong passwords on both sides; masters and peers that say passwords back",
                 required="found nowhere, as it is or in base64")
def test_no_secret_is_told(armed, dcs, happened):
    zonefan, canaries, master, peer = armed
    zonefan.secrets.clear()  # searched for here, in more shapes
    zonefan.da().push_ok("held.example", da_zone("held.example", hosts=60))
    zonefan.da().push("held.example", da_zone("held.example", 2, hosts=0))
    zonefan.da().push("bad.example", "no zone")
    master.put("master.example")
    reconcile(zonefan)
    master.faults = [echo]
    reconcile(zonefan)
    zonefan.ctl("peers", "sync")
    say_it_back(peer)
    zonefan.ctl("peers", "sync")
    guess(zonefan, canaries)
    zonefan.wait_converged("dc1", "dc2")
    zonefan.wait_lane("dc3", "down")
    wait_for(lambda: "a notification can't be posted" in zonefan.log(), 30, "the webhook is away, and the log says so")
    assert "log_level" not in zonefan.log() and "level=debug" in zonefan.log()
    said = say_all(zonefan, canaries)
    shapes = assert_silent(said, canaries)
    assert len(canaries.made) >= 14
    happened(f"{len(canaries.made)} secrets in {shapes} shapes, searched in {len(said)} texts: none", texts=len(said))


@pytest.mark.row("SEC S3", fault="a secret that a variable brings by value stands in the log (debug), the store, an answer, zonefanctl's "
                                 "output, --check or a process list",
                 injected="every secret that has a variable given by it alone, each another canary; every GET path, every command; wrong "
                          "passwords on both sides; peers that say passwords back",
                 required="each is used, and found nowhere but in /proc/PID/environ, which root reads")
def test_no_value_of_the_environment_is_told(by_value, happened):
    zonefan, canaries, values, peers = by_value
    zonefan.secrets.clear()  # searched for here, in more shapes
    zonefan.da().push_ok("held.example", da_zone("held.example", hosts=60))
    zonefan.da().push("held.example", da_zone("held.example", 2, hosts=0))
    zonefan.da().push("bad.example", "no zone")
    peers[0].push("peer.example", da_zone("peer.example"))
    peers[1].push("peer1.example", da_zone("peer1.example"))
    zonefan.ctl("peers", "sync", check=0)
    # Each is the one that counts: databases, both peers and those who log in take them.
    zonefan.wait_converged("dc1", "dc2")
    assert {"held.example", "peer.example", "peer1.example"} <= set(zonefan.zones())
    assert DA(zonefan.port, "peers", values["DADNS_PEER_SYNC_AUTH_PASSWORD"]).get("/internal/zones").status == 200
    zonefan.wait_lane("dc3", "down")
    for peer in peers:
        say_it_back(peer)
    zonefan.ctl("peers", "sync")
    guess(zonefan, canaries)
    wait_for(lambda: "a notification can't be posted" in zonefan.log(), 30, "the webhook is away, and the log says so")
    assert "level=debug" in zonefan.log() and "DADNS_DATASTORE_PASS: accepted, but without meaning" in zonefan.log()
    said = say_all(zonefan, canaries)
    # What README.md says of it: the kernel keeps for root what a process was started with.
    environment = said.pop("environment").split("\0")
    assert {f"{variable}={value}" for variable, value in values.items()} <= set(environment)
    shapes = assert_silent(said, canaries)
    happened(f"{len(canaries.made)} secrets in {shapes} shapes, searched in {len(said)} texts: none", texts=len(said))


# What is wrong: (what stands in the file, where the message says that it is).
MISTAKES = {
    "a misspelt key": ("  auth_pasword: {}\n", ":3: app.auth_pasword: "),
    "a mapping where a password belongs": ("  auth_password: {{inner: {}}}\n", ":2: app.auth_password: "),
    "a list where a password belongs": ("  auth_password: [{}]\n", ":2: app.auth_password: "),
    "twice": ("  auth_password: {0}\n  auth_password: {0}\n", ":3: app.auth_password: "),
    "a login in a peer's URL": ("peer_sync:\n  enabled: true\n  auth_password: x\n  peers:\n"
                                "    - {{url: 'http://user:{}@127.0.0.1:1', password: y}}\n", ":6: peer_sync.peers[0].url: "),
    "with a control character": ('  auth_password: "{}\\x07"\n', ":2: app.auth_password: "),
    "as a host": ("reconciliation:\n  enabled: true\n  directadmin_servers:\n"
                  "    - {{hostname: 'admin:{}@da1.example', username: a, password: b}}\n",
                  ":6: reconciliation.directadmin_servers[0].hostname: "),
}
# Of each variable: a value that is refused.
WRONG_VALUES = {
    "DADNS_APP_AUTH_PASSWORD": "{}\x07",
    "DADNS_DNS_BACKENDS_DC1_PASSWORD": "{}\nx",
    "DADNS_NOTIFY_PASSWORD": "\x1b{}",
    "DADNS_NOTIFY_URL": "http://user:{}@127.0.0.1/",
    "DADNS_PEER_SYNC_AUTH_PASSWORD": "{}\x01",
    "DADNS_PEER_SYNC_PEER_PASSWORD": "{}\x01",
    "DADNS_PEER_SYNC_PEER_1_PASSWORD": "{}\x01",
    "DADNS_DATASTORE_PASS": None,  # without meaning: any value is taken
    "DADNS_PEER_SYNC_PEER_1_URL": "http://user:{}@127.0.0.1",
    "DADNS_APP_AUTH_PASWORD": "{}",
    "DADNS_APP_USERS_0_PASSWORD": "{}",
}


@pytest.mark.row("SEC S3", fault="a secret in the wrong place of the configuration comes back in an error message",
                 injected=f"{len(MISTAKES)} mistakes in the file and {len(WRONG_VALUES) - 1} in the environment, each with a canary",
                 required="refused; the message names key and line, or the variable, not the secret")
def test_a_fault_does_not_tell_the_password(install, happened):
    zonefan = install(start=False)
    secret = CANARY.format("mistake")
    told = []

    def check(what, place, env=None):
        done = subprocess.run([os.path.join(BIN, "zonefand"), "--config", zonefan.config_path, "--check"], capture_output=True,
                              text=True, env={**zonefan.environment(), **(env or {})}, cwd=zonefan.directory, timeout=60)
        # Not refused for something else.
        assert done.returncode == 78 and "the configuration is wrong" in done.stderr and place in done.stderr, (what, done)
        if secret in done.stdout + done.stderr:
            told.append((what, done.stderr))

    backend = "dns:\n  backends:\n    dc1: {type: coredns_mysql, enabled: true, host: 127.0.0.1, password: x}\n"
    for what, (text, place) in MISTAKES.items():
        with open(zonefan.config_path, "w", encoding="utf-8") as out:
            head = "app:\n  auth_password: good-enough\n" if "auth_password" not in text.split("peers")[0] else "app:\n"
            out.write(head + text.format(secret) + backend)
        check(what, zonefan.config_path + place)
    with open(zonefan.config_path, "w", encoding="utf-8") as out:
        out.write("app:\n  auth_password: good-enough\n" + backend)
    assert variables() <= set(WRONG_VALUES)
    wrong = {variable: value for variable, value in WRONG_VALUES.items() if value}
    for variable, value in wrong.items():
        check(variable, variable + ": ", {variable: value.format(secret)})
    assert not told, "\n".join(f"{what}: {text}" for what, text in told)
    happened(f"{len(MISTAKES) + len(wrong)} of {len(MISTAKES) + len(wrong)} refused without the secret")


@pytest.mark.row("SEC S3", fault="a secret's file is the wrong one", injected="password_file: missing, empty, a folder, 2 MiB, with a NUL",
                 required="exit 78 naming key and path, nothing of its content")
def test_a_bad_password_file_is_named(install, happened):
    zonefan = install(start=False)
    base = "app:\n  users:\n    - {name: u, role: operator, password_file: %s}\n  auth_password: good-enough\n" \
           "dns:\n  backends:\n    dc1: {type: coredns_mysql, enabled: true, host: 127.0.0.1, password: x}\n"
    for name, content in {"missing": None, "empty": b"", "large": b"canary-large-7f3a" * 120000, "nul": b"canary-nul-7f3a\0x"}.items():
        path = os.path.join(zonefan.directory, name)
        if content is not None:
            with open(path, "wb") as out:
                out.write(content)
        with open(zonefan.config_path, "w", encoding="utf-8") as out:
            out.write(base % path)
        done = subprocess.run([os.path.join(BIN, "zonefand"), "--config", zonefan.config_path, "--check"], capture_output=True,
                              text=True, env=zonefan.environment(), cwd=zonefan.directory, timeout=60)
        assert done.returncode == 78 and "password" in done.stderr and "canary" not in done.stderr + done.stdout, (name, done)
        assert name == "empty" or path in done.stderr, done.stderr
    happened("4 of 4 named")
