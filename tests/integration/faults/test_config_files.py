# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md 4.5, F01-F05: what is wrong with a configuration is told before anything is touched: exit 78, the file and line or
the variable, the key. The readers themselves are tested in unit/test_conf_*.c.
"""
import os
import subprocess
import time

import pytest
from zf.daemon import BIN
from zf.load import assert_quick

CONFIG_WRONG = 78

GOOD = """app:
  auth_password: a-good-one
dns:
  backends:
    dc1: {type: coredns_mysql, enabled: true, password: x}
"""
LAST = GOOD.count("\n")


def run(directory, text, env=None, arguments=("--check",)):
    """(finished process, seconds) of zonefand with that file."""
    path = os.path.join(directory, "app.yml")
    with open(path, "wb") as out:
        out.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(path, 0o600)
    began = time.monotonic()
    done = subprocess.run([os.path.join(BIN, "zonefand"), "--config", path, *arguments], capture_output=True, text=True,
                          errors="replace", timeout=60, cwd=directory, stdin=subprocess.DEVNULL,
                          env={"PATH": os.environ["PATH"], "DADNS_DATASTORE_DB_LOCATION": os.path.join(directory, "store.sqlite"),
                               **(env or {})})
    return done, time.monotonic() - began


def assert_refused(directory, text, *wanted, env=None):
    done, seconds = run(directory, text, env)
    assert done.returncode == CONFIG_WRONG, done
    for part in wanted:
        assert part in done.stderr, f"{part!r} is not in {done.stderr!r}"
    assert_quick(lambda: run(directory, text, env)[1], seconds)
    assert os.listdir(directory) == ["app.yml"], "something was made"
    return done


def test_the_good_one_is_good(tmp_path):
    """Else all that follow would be refused for another reason."""
    done, _ = run(str(tmp_path), GOOD)
    assert done.returncode == 0 and "a-good-one" not in done.stdout + done.stderr, done


# F01: text, line (None: of the whole file), part of the message.
BAD_FILES = {
    "empty": ("", 1, "the file is empty"),
    "blank": ("\n\n\n", 1, "the file is empty"),
    "comments alone": ("# nothing\n", 1, "the file is empty"),
    "an empty document": ("---\n", 2, "empty"),
    "text": ("just text\n", 1, "not a mapping"),
    "a list": ("- a\n", 1, "not a mapping"),
    "a bracket that is not closed": ("app: [\n", 2, "YAML"),
    "a brace that is not closed": ("app: {auth_password: x\n", 2, "YAML"),
    "a quote that is not closed": ("app:\n  auth_password: \"x\n", 3, "YAML"),
    "a tab as indentation": ("app:\n\tauth_password: x\n", 2, "tab"),
    "an indentation that goes back halfway": ("app:\n    auth_password: x\n  listen_port: 1\n", 3, "YAML"),
    "no colon": (GOOD + "log_level\n", LAST + 2, "YAML"),
    "two colons": (GOOD + "log_level: INFO: x\n", LAST + 1, "YAML"),
    "a second document": (GOOD + "---\n" + GOOD, LAST + 1, "second document"),
    "a second document behind dots": (GOOD + "...\n---\n", LAST + 2, "second document"),
    "an anchor": (GOOD.replace("app:", "app: &a"), 1, "anchors"),
    "an alias": (GOOD + "healing: *a\n", LAST + 1, "anchors"),
    "a merge key": (GOOD + "<<: {log_level: INFO}\n", LAST + 1, "unknown key"),
    "a tag": (GOOD + "log_level: !!str INFO\n", LAST + 1, "anchors"),
    "a tag that would make an object": (GOOD + "log_level: !!python/object:os.system x\n", LAST + 1, "anchors"),
    "a billion laughs": ("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", 1, "anchors"),
    "a NUL": (GOOD + "log_level: \"IN\\0FO\"\n", LAST + 1, "NUL"),
    "a raw NUL": (GOOD.encode() + b"log_level: IN\0FO\n", LAST + 1, ""),
    "a control character": (GOOD + "log_level: IN\x07FO\n", LAST + 1, "control"),
    "no UTF-8": (GOOD.encode() + b"log_level: \xff\xfe\n", LAST + 1, "YAML"),
    "UTF-16 that does not say so": (GOOD.encode("utf-16-le"), None, ""),
    "nested too deeply": ("".join("  " * i + f"k{i}:\n" for i in range(60)), None, "deep"),
    "100,000 brackets": ("a: " + "[" * 100_000 + "\n", None, ""),
    "10 MB": (GOOD + "#" * 10_000_000, None, "larger than"),
    "100,001 values": (GOOD + "retry:\n  backoff_seconds:\n" + "  - 1\n" * 100_001, None, "more than"),
    "a key that is a list": (GOOD + "? [a]\n: b\n", LAST + 1, "key"),
    "random bytes": (bytes(range(128, 256)) * 10, None, ""),
}


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind, marks=pytest.mark.row(
    "F01", fault=f"app.yml: {kind}", injected="zonefand --check", required="exit 78 with file and line within 200 ms, nothing is made"))
    for kind in BAD_FILES])
def test_bad_file(tmp_path, happened, kind):
    text, line, message = BAD_FILES[kind]
    done = assert_refused(str(tmp_path), text, f"app.yml:{line}:" if line else "app.yml", message)
    happened(done.stderr.partition("error=")[2].strip()[:120] or "refused")


BAD_KEYS = {
    "unknown": ("log_levl: INFO\n", "log_levl: unknown key; did you mean log_level?"),
    "of another mapping": ("listen_port: 1\n", "listen_port: unknown key; did you mean app.listen_port?"),
    "with a dot": ("app.listen_port: 1\n", "app.listen_port: unknown key"),
    "unknown at a back end": ("dns:\n  backends:\n    dc1: {type: coredns_mysql, enabled: true, password: x, pasword: y}\n",
                              "did you mean dns.backends.dc1.password?"),
    "doubled": ("log_level: INFO\nlog_level: INFO\n", "log_level: given twice"),
    "a mapping doubled": ("healing: {enabled: true}\nhealing: {enabled: true}\n", "healing: given twice"),
    "a back end doubled": ("dns:\n  backends:\n    dc1: {type: coredns_mysql}\n    dc1: {type: coredns_mysql}\n", "dc1: given twice"),
    "on without what it needs": ("app:\n  ssl_enable: true\n", "app.ssl_enable: needs a certificate: app.ssl_cert must be set"),
}


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind, marks=pytest.mark.row(
    "F02", fault=f"a key that is {kind}", injected="zonefand --check", required="exit 78, the key and the nearest known one are named"))
    for kind in BAD_KEYS])
def test_bad_key(tmp_path, happened, kind):
    text, message = BAD_KEYS[kind]
    head = "" if text.startswith(("dns:", "app:")) else GOOD
    env = {} if head else {"DADNS_APP_AUTH_PASSWORD": "a-good-one", "DADNS_DNS_BACKENDS_COREDNS_MYSQL_ENABLED": "true",
                           "DADNS_DNS_BACKENDS_COREDNS_MYSQL_PASSWORD": "x"}
    assert_refused(str(tmp_path), head + text, "app.yml:", message, env=env)
    happened(message)


NUMBERS = ["10m", "010", "0x10", "-1", "99999999999", "1.5", "1e3", "+1", "1_0", "0b1", "0o7", "1:30", "''", "~", ".inf", "true",
           "'1 '", "65536", "0", "18446744073709551617"]


@pytest.mark.parametrize("number", [pytest.param(number, id=number, marks=pytest.mark.row(
    "F03", fault=f"a port of {number}", injected="in the file and by the environment",
    required="exit 78, the key is named; never read as another number")) for number in NUMBERS])
def test_bad_number(tmp_path, happened, number):
    text = GOOD.replace("app:", f"app:\n  listen_port: {number}")
    assert_refused(str(tmp_path), text, "app.yml:2: app.listen_port: ", "is not a whole number from 1 to 65535")
    assert_refused(str(tmp_path), GOOD, "DADNS_APP_LISTEN_PORT", "is not a whole number from 1 to 65535",
                   env={"DADNS_APP_LISTEN_PORT": number.strip("'")})
    happened("refused twice", times=2)


def secret_file(tmp_path, name, content, mode=0o600):
    folder = tmp_path.parent / (tmp_path.name + "-secrets")
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


WITHOUT = {
    "app.auth_password": (GOOD.replace("app:\n  auth_password: a-good-one\n", ""), "DADNS_APP_AUTH_PASSWORD"),
    "dns.backends.dc1.password": (GOOD.replace(", password: x", ""), "DADNS_DNS_BACKENDS_DC1_PASSWORD"),
}


@pytest.mark.parametrize("password", ["", "changeme", "ChangeMe", "********"])
@pytest.mark.parametrize("key", [pytest.param(key, marks=pytest.mark.row(
    "F04", fault=f"an empty or a default {key}", injected="by the file, by the environment, by a file of its own",
    required="exit 78, the key is named (S8)")) for key in WITHOUT])
def test_default_password(tmp_path, happened, key, password):
    without, variable = WITHOUT[key]
    given = {"app.auth_password": GOOD.replace("a-good-one", f'"{password}"'),
             "dns.backends.dc1.password": GOOD.replace("password: x", f'password: "{password}"')}[key]
    assert given != GOOD and without != GOOD
    assert_refused(str(tmp_path), given, f"{key}: ")
    assert_refused(str(tmp_path), without, variable, env={variable: password})
    path = secret_file(tmp_path, "password", password.encode() + b"\n")
    assert_refused(str(tmp_path), without, variable, env={variable + "_FILE": path})
    happened("refused three times", times=3)


BAD_SECRETS = {
    "not there": (None, "No such file"),
    "of two megabytes": (b"canary" * 300_000, "larger than"),
    "with a NUL": (b"canary\0one", "NUL"),
    "with a line break inside": (b"canary\none\n", "control character"),
    "that is no UTF-8": (b"\xff\xfe", "UTF-8"),
}


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind, marks=pytest.mark.row(
    "F04", fault=f"a secret's file {kind}", injected="DADNS_APP_AUTH_PASSWORD_FILE", required="exit 78, variable and file named, no byte of it"))
    for kind in BAD_SECRETS])
def test_bad_secret_file(tmp_path, happened, kind):
    content, message = BAD_SECRETS[kind]
    path = secret_file(tmp_path, "password", content) if content is not None else str(tmp_path.parent / "nowhere")
    done = assert_refused(str(tmp_path), GOOD, "DADNS_APP_AUTH_PASSWORD_FILE", message, env={"DADNS_APP_AUTH_PASSWORD_FILE": path})
    assert "canary" not in done.stderr
    happened(message)


@pytest.mark.row("F04", fault="a secret twice: by the environment and by a file of its own", injected="DADNS_APP_AUTH_PASSWORD and ..._FILE",
                 required="exit 78: none is preferred")
def test_secret_twice(tmp_path, happened):
    path = secret_file(tmp_path, "password", b"another\n")
    assert_refused(str(tmp_path), GOOD, "is set as well",
                   env={"DADNS_APP_AUTH_PASSWORD": "a-good-one", "DADNS_APP_AUTH_PASSWORD_FILE": path})
    happened("refused")


@pytest.mark.row("F04", fault="an app.yml with passwords that everyone can read", injected="mode 0644",
                 required="told; not refused, for the predecessor's files are such (drop-in)")
def test_world_readable(tmp_path, happened):
    run(str(tmp_path), GOOD)
    os.chmod(tmp_path / "app.yml", 0o644)
    done = subprocess.run([os.path.join(BIN, "zonefand"), "--config", str(tmp_path / "app.yml"), "--check"], capture_output=True, text=True,
                          timeout=60, cwd=tmp_path, env={"PATH": os.environ["PATH"],
                                                         "DADNS_DATASTORE_DB_LOCATION": str(tmp_path / "store.sqlite")})
    assert done.returncode == 0 and "everyone on this host can read it" in done.stderr, done
    happened("a notice names the file")


@pytest.mark.row("F04", fault="secrets on the command line", injected="what zonefand and zonefanctl take as arguments is read",
                 required="no argument takes a secret; none stands in /proc/PID/cmdline or environ of others' reading")
def test_no_secret_as_an_argument(zonefan, happened):
    for program, options in (("zonefand", {"--config", "--check", "--log-format", "--version", "--help"}),
                             ("zonefanctl", None)):
        told = subprocess.run([os.path.join(BIN, program), "--help"], capture_output=True, text=True, timeout=60, check=True).stdout
        found = {word.strip(",[]()|") for word in told.split() if word.strip(",[](|").startswith("--")}
        assert not [option for option in found if "password" in option and "file" not in option], found
        assert options is None or found == options
    with open(f"/proc/{zonefan.process.pid}/cmdline", "rb") as cmdline:
        line = cmdline.read()
    assert not [secret for secret in zonefan.secrets if secret.encode() in line]
    assert os.stat(f"/proc/{zonefan.process.pid}/environ").st_mode & 0o077 == 0
    happened("none")


BAD_VARIABLES = {
    "unknown": ({"DADNS_APP_LISTEN_PROT": "1"}, "DADNS_APP_LISTEN_PROT"),
    "of an unknown mapping": ({"DADNS_NONSENSE": "1"}, "DADNS_NONSENSE"),
    "an element of a list": ({"DADNS_APP_USERS_0_NAME": "x"}, "DADNS_APP_USERS_0_NAME"),
    "of a megabyte less one": ({"DADNS_APP_AUTH_USERNAME": "x" * 100_000}, "DADNS_APP_AUTH_USERNAME"),
    "with a control character": ({"DADNS_APP_AUTH_USERNAME": "a\x07b"}, "DADNS_APP_AUTH_USERNAME"),
    "that is no UTF-8": ({b"DADNS_APP_AUTH_USERNAME": b"a\xff"}, "DADNS_APP_AUTH_USERNAME"),
    "a list with a word": ({"DADNS_RETRY_BACKOFF_SECONDS": "1,x"}, "DADNS_RETRY_BACKOFF_SECONDS"),
    "a list in YAML": ({"DADNS_RETRY_BACKOFF_SECONDS": "[1, 2]"}, "DADNS_RETRY_BACKOFF_SECONDS"),
    "an empty list": ({"DADNS_RETRY_BACKOFF_SECONDS": ""}, "DADNS_RETRY_BACKOFF_SECONDS"),
    "a switch that is neither": ({"DADNS_HEALING_ENABLED": "maybe"}, "DADNS_HEALING_ENABLED"),
    "a back end without a type": ({"DADNS_DNS_BACKENDS_DC9_ENABLED": "true"}, "DC9"),
}


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind, marks=pytest.mark.row(
    "F05", fault=f"a variable: {kind}", injected="in the environment", required="exit 78, the variable is named")) for kind in BAD_VARIABLES])
def test_bad_variable(tmp_path, happened, kind):
    env, message = BAD_VARIABLES[kind]
    env = {os.fsdecode(key) if isinstance(key, bytes) else key: os.fsdecode(value) if isinstance(value, bytes) else value
           for key, value in env.items()}
    assert_refused(str(tmp_path), GOOD, message, env=env)
    happened("refused, named")
