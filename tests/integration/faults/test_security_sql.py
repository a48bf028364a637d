# SPDX-License-Identifier: GPL-3.0-or-later
"""
No SQL by concatenation (decisions.md 8, reliability.md 9): the sources are searched for every way to make a statement, and hostile
names and data are sent in by every door, with each server's general log read afterwards.
"""
import glob
import os
import re
import sqlite3
import urllib.parse

import pytest
from zf.daemon import SOURCE
from zf.oracles import assert_store_sound
from zf.peer import Predecessor
from zf.reconcile import conf, json_answer, reconcile, replace_list
from zf.rows import assert_rows_are
from zf.zones import da_zone

# ---- the sources ----

CALL = re.compile(r"\b(mysql_query|mysql_real_query|mysql_send_query|mysql_stmt_prepare|sqlite3_exec|sqlite3_prepare\w*|"
                  r"literal_sql|db_exec|db_prepare|db_fetch_int|\w*printf)\(")
# Where alone a statement goes to a library.
DOORS = {"mysql_send_query": ["backends/coredns_mysql/link.c"], "mysql_stmt_prepare": ["backends/coredns_mysql/link.c"],
         "sqlite3_exec": ["lib/store/db.c"], "sqlite3_prepare": ["lib/store/db.c", "lib/store/predecessor.c"],
         "mysql_query": [], "mysql_real_query": []}
# Arguments that are no literal where they are used; what they are is constant text, or a number was printed into it.
CONSTANT = re.compile(r'^(?:[A-Z_]+\s+)*"|^\w*_sql$|^sql$|^as_utf8$|^format$|^list->head$|^setting->set$|^[A-Z_]+$|^(?:statements?|steps)\[\w+\]$|'
                      r'^[^?"]* \? (\w*_sql|".*") : (\w*_sql|".*")$')
TOKEN = re.compile(r'''"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)'|[()\[\]{},]''')
SQL = re.compile(r'^"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|PRAGMA|SET |CREATE|ALTER|DROP|VACUUM|KILL|START|COMMIT)')


def sources():
    for folder in ("lib", "cmd", "backends"):
        for path in sorted(glob.glob(os.path.join(SOURCE, folder, "**", "*.c"), recursive=True)):
            with open(path, encoding="utf-8") as file:
                text = re.sub(r"/\*.*?\*/", " ", file.read(), flags=re.DOTALL)
            yield os.path.relpath(path, SOURCE), text


def arguments(text, at):
    """The arguments of a call whose bracket opens before at; strings are stepped over whole."""
    depth, start, found = 0, at, []
    for token in TOKEN.finditer(text, at):
        if token[0] in ("(", "[", "{"):
            depth += 1
        elif depth and token[0] in (")", "]", "}"):
            depth -= 1
        elif not depth and token[0] in (",", ")"):
            found.append(" ".join(text[start:token.start()].split()))
            start = token.end()
            if token[0] == ")":
                return found
    raise AssertionError("a call without an end")


@pytest.mark.row("SEC SQL", fault="a statement is put together from data", injected="every call in lib, cmd and backends that makes or sends SQL",
                 required="one file sends statements to MariaDB, two prepare those of SQLite; texts are constants or literal_sql's; no "
                          "printf with a string makes SQL")
def test_statements_are_constants_or_literals(happened):
    seen = 0
    for path, text in sources():
        for call in CALL.finditer(text):
            name, given = call[1], arguments(text, call.end())
            if text[:call.start()].rstrip().endswith(("int", "void", "PRINTF_LIKE", "char *")):
                continue  # its definition
            seen += 1
            door = next((key for key in DOORS if name == key or key == "sqlite3_prepare" and name.startswith(key)), None)
            if door:
                assert path in DOORS[door], f"{path} calls {name}"
            elif name in ("literal_sql", "db_exec", "db_prepare", "db_fetch_int"):
                assert CONSTANT.match(given[1]), f"{path}: {name}({', '.join(given)})"
            else:
                for argument in given:
                    assert not (SQL.match(argument) and re.search(r"%[^%]*s", argument)), \
                        f"{path}: {name}({', '.join(given)})"
    assert seen > 300, "the search finds nothing any more"
    happened(f"{seen} calls looked at, none makes SQL of data", calls=seen)


# ---- hostile data ----

EVIL = ["'; DROP TABLE records; -- ", '"; DROP TABLE zones; -- ', "\\'; DROP TABLE zonefan_state; -- ", "' OR '1'='1", "\\", "\\\\'",
        "`evil`.`x`", "%s%n%x", "*/ DROP TABLE zones; /*", "x' UNION SELECT password FROM mysql.user -- "]


def escaped(data):
    """Bytes as a character-string of a zone file."""
    return "".join(f"\\{byte:03d}" for byte in data)


def hostile_zone(name):
    every = bytes(range(256))
    strings = [every[:200], every[200:], b"\xbf\x27 OR 1=1 -- ", b"\xbf\x5c\x27; DROP TABLE zones; -- ", *(evil.encode() for evil in EVIL)]
    lines = [f't{number}\t60\tIN\tTXT\t"{escaped(data)}"' for number, data in enumerate(strings)]
    lines += ['plain\t60\tIN\tTXT\t"it\'s; DROP TABLE zones; -- " "back\\\\slash\\"quote"',
              "quote\\'s\t60\tIN\tA\t192.0.2.1", "semi\\;colon\t60\tIN\tA\t192.0.2.1", "back\\\\tick\\096\t60\tIN\tA\t192.0.2.1",
              "nul\\000byte\t60\tIN\tA\t192.0.2.1", "high\\191\\039\t60\tIN\tA\t192.0.2.1"]
    return da_zone(name, 7, extra="\n".join(lines))


def statements(centre):
    with open(os.path.join(centre.db.directory, "general.log"), "rb") as file:
        return file.read()


@pytest.fixture
def logged(install, dcs, masters):
    """One data centre with its general log on, a master and a peer: (zonefan, master, peer)."""
    master, peer = masters(), Predecessor()
    settings = conf(master)
    settings["peer_sync"] = {"enabled": True, "interval_minutes": 10080, "auth_username": "p", "auth_password": "canary-sql-peer",
                             "peers": [{"url": peer.url, "username": peer.user, "password": peer.password}]}
    zonefan = install(dcs[:1], config=settings)
    zonefan.wait_lane("dc1", "up")
    open(dcs[0].db.general_log(False), "wb").close()
    dcs[0].db.general_log(True)
    yield zonefan, master, peer
    dcs[0].db.general_log(False)
    peer.close()


@pytest.mark.row("SEC SQL", fault="hostile names, data, owners and parameters are sent in by every door",
                 injected="quotes, backslashes, NUL, 0xBF27, all 256 bytes: zones pushed, hostnames, users, parameters of the API, lists of "
                          "masters and peers, names that stand in the database already",
                 required="rows equal the input; no statement in the server's general log holds any of it but as hex; all tables there")
def test_hostile_input_is_data(logged, dcs, happened):
    zonefan, master, peer = logged
    db = dcs[0].db
    for name in ("o'neill.foreign.test.", "x'; DROP TABLE records; -- .", 'y"; DROP TABLE zones; -- .', "back\\slash\\'.test."):
        db.sql("INSERT INTO zones (zone_name) VALUES (%s)", name)  # by somebody else; by pymysql's own escaping, so not looked for
    mark = len(statements(dcs[0]))
    da = zonefan.da()
    da.push_ok("evil.example", hostile_zone("evil.example"))
    inputs = 1
    for evil in EVIL:
        quoted = urllib.parse.quote(evil, safe="")
        assert da.push(quoted, da_zone("evil.example")).error == "1"
        da.push("owned.example", da_zone("owned.example"), username=quoted, hostname="da1.host.example")
        da.push("owned2.example", da_zone("owned2.example"), hostname=quoted)
        da.delete(quoted)
        da.exists(quoted)
        for path in ("/api/v1/zones/{}", "/api/v1/zones?after={}", "/api/v1/events?kind={}&zone={}", "/api/v1/rejected/{}",
                     "/api/v1/dead?backend={}&zone={}", "/api/v1/plan?zone={}", "/api/v1/orphans?after={}", "/api/v1/zones/{}/history",
                     "/internal/zones?domain={}", "/api/v1/backends/{}", "/api/v1/held?after={}"):
            da.get(path.format(quoted, quoted))
        da.request("POST", f"/api/v1/retry?zone={quoted}", b"")
        da.request("POST", f"/api/v1/import?zone={quoted}&hostname={quoted}&username={quoted}", da_zone("evil.example"))
        inputs += 19
        peer.push(evil, da_zone("evil.example"))
        peer.zones[evil]["hostname"] = peer.zones[evil]["username"] = evil
    peer.push("theirs.example", da_zone("theirs.example"), hostname=EVIL[0], username=EVIL[1])
    master.faults = [replace_list(lambda master, page, ipp: json_answer(
        master.page(page, ipp, [{"domain": name, "local_data": "yes"} for name in [*EVIL, "evil.example"]])))]
    reconcile(zonefan)
    zonefan.ctl("peers", "sync")
    zonefan.wait_converged()
    zonefan.ctl("heal")
    zonefan.ctl("plan")
    db.general_log(False)
    said = statements(dcs[0])[mark:]
    assert_rows_are(db.rows("evil.example"), hostile_zone("evil.example"), "evil.example", "dc1")
    assert da.get("/api/v1/zones/evil.example").json()["username"] == "fred"
    assert said.lower().count(b"evil.example".hex().encode()) > 1, "the log has nothing of it"
    account = b"\n".join(line for line in said.split(b"\n") if b"SET GLOBAL general_log" not in line)
    for raw in [evil.encode() for evil in EVIL if len(evil) > 5] + [b"DROP TABLE", b"\xbf\x27", b"\xbf\x5c", b"UNION SELECT", b"OR '1'", b"evil.example"]:
        assert raw not in account, f"{raw!r} stands in a statement: {account[max(0, account.find(raw) - 200):][:400]!r}"
    assert all(db.has_table(table) for table in ("zones", "records", "zonefan_state"))
    assert db.value("SELECT COUNT(*) FROM zones WHERE zone_name LIKE '%%DROP TABLE%%'") == 2, "others' zones stay"
    zonefan.stop()
    assert_store_sound(zonefan.store)
    with sqlite3.connect(zonefan.store) as store:
        assert store.execute("SELECT count(*) FROM zone").fetchone()[0] >= 1
    happened(f"{inputs} inputs by 6 doors; {len(said)} bytes of general log, hex alone", inputs=inputs)
