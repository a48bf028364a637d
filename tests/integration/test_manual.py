# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "every configuration key is in the man page, the README table and --check, by construction"; "man pages made from one
source that also feeds README's configuration table, so neither can go stale"; completions for bash.
"""
import glob
import json
import os
import re
import subprocess

import pytest
import yaml
from zf.daemon import BIN
from zf.zones import da_zone

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAN = os.path.join(os.path.dirname(BIN), "man")
ONE_DC = ("app: {auth_password: a-good-one, users: [{name: da1, password: another, identities: [h.example]}], listeners: [{port: 8080}]}\n"
          "datastore: {db_location: store.db}\n"
          "dns: {backends: {dc1: {type: coredns_mysql, enabled: true, password: a-third}}}\n"
          "reconciliation: {directadmin_servers: [{hostname: m.example, username: admin, password: a-fourth}]}\n"
          "peer_sync: {enabled: true, auth_password: a-fifth, peers: [{url: 'http://p.example:2222'}]}\n")


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, **options).stdout


def read(*parts):
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def page(name):
    """As somebody reads it: without requests, fonts and escapes."""
    text = re.sub(r"\\f[BR]|\\&", "", read(MAN, name))
    return text.replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\")


def table():
    text = read(ROOT, "README.md")
    return text.split("<!-- configuration:begin -->\n")[1].split("<!-- configuration:end -->")[0]


def commands():
    """Name -> what --help tells of it."""
    told = run(os.path.join(BIN, "zonefanctl"), "--help").split("\n\n")[1]
    found = {}
    for line in told.splitlines():
        start = re.match(r"  ([a-z]+)\b", line)
        if start:
            found[start[1]] = line + "\n"
        else:
            found[list(found)[-1]] += line + "\n"
    assert len(found) > 25, told
    return found


def test_what_needs_a_restart_is_said():
    """As the table of keys has it (`restart`), where a reload names the same keys."""
    keys = set(re.findall(r'(?:\.path = |_KEY\()"([a-z_.]+)"(?:(?!\n\t\{).)*?\.restart = true', read(ROOT, "lib/conf/keys.c"), re.S))
    assert keys == {"app.user", "app.control_socket", "datastore.db_location"}
    marked = {line.split("`")[1] for line in read(ROOT, "README.md").splitlines() if "a change needs a restart" in line}
    assert marked == keys


def test_the_table_of_readme_is_fresh():
    """cmake --build --preset dev --target readme makes it so."""
    assert table() == run(os.path.join(BIN, "manual"), "configuration.md")


@pytest.mark.parametrize("name", ["zonefan.yml.5", "zonefanctl.1", "zonefand.8"])
def test_the_pages_of_deploy_are_fresh(name):
    """cmake --build --preset dev --target pages makes them so."""
    assert read(ROOT, "deploy", "man", name) == read(MAN, name)


def printed_keys(value, path=""):
    if isinstance(value, dict) and value:
        for name, below in value.items():
            yield from printed_keys(below, f"{path}.{'*' if path == 'dns.backends' else name}".lstrip("."))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from printed_keys(value[0], path + "[]")
    else:
        yield path


def test_every_key_that_check_prints_is_explained(tmp_path):
    (tmp_path / "app.yml").write_text(ONE_DC)
    printed = set(printed_keys(yaml.safe_load(run(os.path.join(BIN, "zonefanctl"), "--config", "app.yml", "check", cwd=tmp_path,
                                                  env={"PATH": os.environ["PATH"]}))))
    rows = set(re.findall(r"^\| `([^`]+)`", table(), re.MULTILINE))
    entries = set(re.findall(r"^\.TP\n(\S+)", page("zonefan.yml.5"), re.MULTILINE))
    assert len(printed) > 80 and {"app.users[].identities", "dns.backends.*.host", "log_level"} <= printed
    # A password of a file is not printed, nor is the place of one that is not from a file.
    assert rows == printed, rows ^ printed
    assert printed <= entries, printed - entries


def test_every_command_and_option_is_in_its_page():
    for name, told in commands().items():
        entry = re.search(rf"^\.TP\n{name}\b.*\n(.+)", page("zonefanctl.1"), re.MULTILINE)
        assert entry and entry[1].split()[0] in told, name
        for option in re.findall(r"^    (--[a-z-]+)", told, re.MULTILINE):
            assert re.search(rf"^\.TP\n{option}\b", page("zonefanctl.1"), re.MULTILINE), option
    for program, section in (("zonefand", 8), ("zonefanctl", 1)):
        for option in re.findall(r"^  (--[a-z-]+)", run(os.path.join(BIN, program), "--help"), re.MULTILINE):
            assert re.search(rf"^\.TP\n(-[a-z], )?{option}\b", page(f"{program}.{section}"), re.MULTILINE), option


@pytest.mark.parametrize("name", ["zonefan.yml.5", "zonefanctl.1", "zonefand.8"])
def test_groff_has_nothing_to_say_of_a_page(name):
    done = subprocess.run(["groff", "-man", "-Tutf8", "-P-cbou", "-ww", os.path.join(MAN, name)], capture_output=True, timeout=60, check=True)
    assert done.stderr == b"" and b"NAME" in done.stdout, done.stderr


def test_documents_name_no_command_that_is_not_there():
    known = set(commands())
    found = {}
    for path in [os.path.join(ROOT, "README.md"), *glob.glob(os.path.join(ROOT, "lib", "**", "*.md"), recursive=True),
                 *glob.glob(os.path.join(ROOT, "deploy", "**", "*.md"), recursive=True),
                 *glob.glob(os.path.join(ROOT, "backends", "**", "*.md"), recursive=True), os.path.join(ROOT, "schema", "README.md")]:
        for word in re.findall(r"`zonefanctl(?: --config \S+)? ([a-z]+)|^zonefanctl(?: --config \S+)? ([a-z]+)", read(path), re.MULTILINE):
            found.setdefault("".join(word), path)
    assert len(found) > 15 and not {word: path for word, path in found.items() if word not in known}


def bash(*words, program="zonefanctl", cwd=None):
    """What bash offers for the last word."""
    script = ('source "$1"; shift; complete -p "$1" >/dev/null || exit 1; name=$1; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
              '"_$name"; printf "%s\\n" "${COMPREPLY[@]}"')
    return set(run("bash", "-c", script, "bash", os.path.join(MAN, "zonefanctl.bash"), program, os.path.join(BIN, program), *words,
                   cwd=cwd).split())


def test_bash_offers_what_the_tables_name(tmp_path):
    assert bash("") == set(commands())
    assert bash("d") == {name for name in commands() if name.startswith("d")}
    assert {"--backend", "--dry-run", "--stop", "--json"} <= bash("heal", "--")
    assert bash("pause", "--d") == set() and bash("heal", "--d") == {"--dry-run"}
    assert bash("--config", "x.yml", "dead", "--all", "") == {"list", "show", "replay", "drop"}
    assert bash("import", "b") == {"backend"}
    (tmp_path / "app.yml").write_text(ONE_DC)
    assert bash("--config", "app.yml", "da", "status", "", cwd=tmp_path) == {"m.example"}
    assert bash("--config", "app.yml", "da", "status", "x", cwd=tmp_path) == set()
    assert bash("--log-format", "", program="zonefand") == {"logfmt", "json"}
    (tmp_path / "store.copy").write_text("")
    for words in (["backup", "st"], ["--config", "st"], ["import", "directdnsonly", "st"]):
        assert bash(*words, cwd=tmp_path) == {"store.copy"}, words


def test_bash_offers_what_zonefand_knows(zonefan):
    for name in ("a.example", "b1.example", "b2.example"):
        zonefan.da().push_ok(name, da_zone(name))
    config = ["--config", zonefan.config_path]
    assert bash(*config, "pause", "", cwd=zonefan.directory) == {"dc1", "dc2", "dc3"}
    assert bash(*config, "plan", "--backend", "dc2", cwd=zonefan.directory) == {"dc2"}
    assert bash(*config, "zone", "b", cwd=zonefan.directory) == {"b1.example", "b2.example"}
    assert bash(*config, "events", "--zone", "a.", cwd=zonefan.directory) == {"a.example"}
    zonefan.stop()
    assert bash(*config, "zone", "b", cwd=zonefan.directory) == set(), "an error is no offer"


def test_all_that_looks_speaks_json(zonefan):
    """The status page is drawn of the same answers."""
    zonefan.da().push_ok("json.example", da_zone("json.example"))
    zonefan.wait_converged()
    zonefan.ctl("heal", check=0)
    for words in ("status", "zones", "zone json.example", "rejected", "events", "plan", "heal --last", "heal --last --backend dc2", "reconcile --last",
                  "orphans", "history json.example", "dead list", "peers", "held list", "check"):
        plain, told = zonefan.ctl(*words.split(), check=0).stdout, zonefan.ctl("--json", *words.split(), check=0).stdout
        assert isinstance(json.loads(told), dict) and plain != told, words
    lanes = json.loads(zonefan.ctl("--json", "heal", "--last", "--backend", "dc2", check=0).stdout)["backends"]
    assert [(lane["name"], lane["heal"]["state"], lane["heal"]["trigger"]) for lane in lanes] == [("dc2", "done", "operator")]
    zonefan.stop()
    assert zonefan.ctl("heal", "--last").returncode == zonefan.ctl("reconcile", "--last").returncode == 1


def test_install(tmp_path):
    run("cmake", "--install", os.path.dirname(BIN), "--prefix", "/usr", env={**os.environ, "DESTDIR": str(tmp_path)})
    usr = str(tmp_path / "usr")
    here = {os.path.relpath(path, usr) for path in glob.glob(os.path.join(usr, "**"), recursive=True) if os.path.isfile(path)}
    assert {"bin/zonefand", "bin/zonefanctl", "share/man/man1/zonefanctl.1", "share/man/man5/zonefan.yml.5", "share/man/man8/zonefand.8",
            "share/bash-completion/completions/zonefanctl", "share/bash-completion/completions/zonefand",
            "share/zsh/vendor-completions/_zonefanctl"} <= here, here
