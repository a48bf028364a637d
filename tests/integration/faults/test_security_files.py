# SPDX-License-Identifier: GPL-3.0-or-later
"""
Files (reliability.md 9): whatever the umask, what zonefand makes is for nobody else; it makes, changes and removes nothing outside
the folder of its store; it executes nothing, and opens no address that the configuration does not name.
"""
import glob
import os
import re
import stat

import pytest
from zf.peer import Predecessor, trap
from zf.reconcile import conf, fill, reconcile, vanish
from zf.wait import wait_for
from zf.zones import da_zone, named

CALLS = ["openat", "open", "creat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "symlink",
         "symlinkat", "link", "linkat", "truncate", "chmod", "fchmodat", "chown", "fchownat", "mknod", "mknodat", "rmdir", "execve",
         "execveat", "connect"]
CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+)")


def beside(zonefan):
    return {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in os.scandir(zonefan.directory)
            if entry.name.startswith("zonefan.sq") or entry.name.endswith((".sock", ".db"))}


@pytest.mark.row("SEC S3", fault="a generous umask", injected="umask 000 at start",
                 required="store, -wal, -shm, lock, ballast and backup 0600, the control socket 0660")
def test_nobody_else_reads_what_is_made(install, dcs, happened):
    zonefan = install(dcs[:1], start=False)
    zonefan.start(wrap=["sh", "-c", 'umask 000; exec "$0" "$@"'])
    zonefan.da().push_ok("mode.example", da_zone("mode.example"))
    zonefan.ctl("backup", os.path.join(zonefan.directory, "copy.db"), check=0)
    seen = beside(zonefan)
    assert {"zonefan.sqlite", "zonefan.sqlite-wal", "zonefan.sqlite-shm", "zonefan.sqlite.lock", "zonefan.sqlite.ballast",
            "copy.db", "zonefan.sock"} <= set(seen)
    assert {name: oct(mode) for name, mode in seen.items()} == {
        name: "0o660" if name == "zonefan.sock" else "0o600" for name in seen}
    happened(f"{len(seen)} files of the right mode")


def traced(zonefan):
    """[(call, its text)] of all threads: what succeeded, and each connect, which does not wait for that."""
    found = []
    for path in glob.glob(os.path.join(zonefan.directory, "trace.*")):
        with open(path, encoding="utf-8", errors="replace") as file:
            found += [match for line in file if (match := CALL.match(line))]
    return [(match[1], match[2]) for match in found if int(match[3]) >= 0 or match[1] == "connect"]


def writes(calls):
    for call, text in calls:
        if call in ("openat", "open", "creat"):
            if call == "creat" or re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND", text):
                yield call, text
        elif call not in ("execve", "connect"):
            yield call, text


@pytest.mark.row("SEC S3", fault="zonefand writes where it has no business, executes something, or speaks to strangers",
                 injected="strace of a whole run: pushes, deletes, refused texts, healing, masters, peers, a backup",
                 required="every path that is opened for writing, renamed or removed lies in the store's folder; no execve; connects "
                          "only to what the configuration names")
def test_nothing_is_written_outside_the_store_s_folder(install, dcs, masters, happened):
    master, predecessor, stranger = masters(), Predecessor(), trap()
    predecessor.peers = [stranger.url]
    settings = conf(master)
    settings["peer_sync"] = {"enabled": True, "interval_minutes": 10080, "auth_username": "p", "auth_password": "canary-files-peer",
                             "peers": [{"url": predecessor.url, "username": predecessor.user, "password": predecessor.password}]}
    zonefan = install(dcs[:2], config=settings, start=False)
    data = os.path.join(zonefan.directory, "data")
    os.mkdir(data)
    zonefan.store = os.path.join(data, "zonefan.sqlite")
    zonefan.configure({"datastore": {"db_location": zonefan.store}})
    # As a grandchild: the process that is waited for, and gets signals, is zonefand.
    zonefan.start(wrap=["strace", "-D", "-ff", "-qq", "-s", "4096", "-o", os.path.join(zonefan.directory, "trace"),
                        "-e", "trace=" + ",".join("?" + call for call in CALLS)],
                  env={"ASAN_OPTIONS": "detect_leaks=0"})
    fill(zonefan, master, named("trace", 20))
    vanish(master, named("trace", 2))
    zonefan.da().push("bad.example", "$TTL 60\n$INCLUDE /etc/shadow\n" + da_zone("bad.example"))
    predecessor.push("theirs.example", da_zone("theirs.example"))
    for _ in range(2):
        reconcile(zonefan)
    zonefan.ctl("peers", "sync", check=0)
    zonefan.wait_converged()
    zonefan.ctl("heal", check=0)
    zonefan.ctl("backup", os.path.join(data, "copy.db"), check=0)
    zonefan.ctl("rollback", "trace0005.example", "1")
    zonefan.da().delete_ok("trace0006.example")
    wait_for(lambda: "theirs.example" in zonefan.zones(), 30, "the peer's zone is taken")
    zonefan.wait_converged()
    zonefan.stop()
    calls = traced(zonefan)
    assert len(calls) > 100, "strace saw too little"
    changed = list(writes(calls))
    assert len([1 for call, _ in changed if call == "openat"]) >= 5 and any("ballast" in text for _, text in changed)
    for call, text in changed:
        paths = re.findall(r'"([^"]*)"', text)
        if not re.fullmatch(r"/dev/null|/proc/self/task/\d+/comm", "".join(paths)):  # the latter is a thread's name
            assert paths and all(os.path.normpath(path).startswith(data + "/") for path in paths), (call, text)
    assert not [text for call, text in calls if call.startswith("open") and "/etc/shadow" in text], "a zone's $INCLUDE was followed"
    assert [call for call, _ in calls if call.startswith("execve")] == ["execve"], "the program itself, and nothing else"
    ports = {int(port) for call, text in calls if call == "connect" for port in re.findall(r"htons\((\d+)\)", text)}
    known = {centre.proxy.port for centre in dcs[:2]} | {master.port, master.dns_port, predecessor.server.port}
    assert {centre.proxy.port for centre in dcs[:2]} | {master.port, predecessor.server.port} <= ports <= known, ports ^ known
    happened(f"{len(calls)} calls, {len(changed)} that change something, all within; {len(ports)} addresses, all configured", calls=len(calls))
    predecessor.close()
    stranger.close()
