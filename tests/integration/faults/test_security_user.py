# SPDX-License-Identifier: GPL-3.0-or-later
"""
Drop of privileges (reliability.md 9): zonefand, started by root, takes its port, becomes app.user for good, and everything
that it makes is that user's; who shares the user sees neither its environment nor a core, and no core is given to a program that the
kernel pipes them to. Only root can try it.
"""
import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import stat
import subprocess

import pytest
from zf.certificates import trusting
from zf.daemon import BIN
from zf.inject import of_threads
from zf.lone import lone
from zf.wait import wait_for
from zf.zones import da_zone

USER = "nobody"
ENTRY = pwd.getpwnam(USER)
REQUIRED = "port taken as root; then uid, gid and groups are the user's alone, no capability is left, nothing brings root back"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def give(zonefan):
    """The folder is the user's, and he can get there."""
    os.chown(zonefan.directory, ENTRY.pw_uid, ENTRY.pw_gid)
    folder = os.path.dirname(zonefan.directory)
    while stat.S_IMODE(os.stat(folder).st_mode) & 0o001 == 0:
        os.chmod(folder, stat.S_IMODE(os.stat(folder).st_mode) | 0o011)
        folder = os.path.dirname(folder)


def low_port():
    """One that only root may take."""
    for port in random.sample(range(600, 1000), 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise AssertionError("no free port below 1000")


@pytest.fixture
def owned(install, dcs):
    """Not started; its folder is the user's."""
    zonefan = install(dcs, config={"app": {"user": USER}}, start=False)
    give(zonefan)
    return zonefan


def fields(status):
    return {key: value.split() for key, value in (line.split(":", 1) for line in status.splitlines())}


def run(zonefan, *arguments, **more):
    return subprocess.run([os.path.join(BIN, "zonefand"), "--config", zonefan.config_path, *arguments], capture_output=True,
                          text=True, timeout=60, cwd=zonefan.directory, env=zonefan.environment(), stdin=subprocess.DEVNULL, **more)


@pytest.mark.row("SEC S10", fault="zonefand is started by root, on a port below 1024", injected="app.user: nobody", required=REQUIRED)
def test_root_becomes_the_user_for_good(owned, dcs, happened):
    owned.port = low_port()
    owned.configure({"app": {"listen_port": owned.port}})
    owned.start()
    threads = {thread: fields(text) for thread, text in of_threads(owned.process.pid, "status").items()}
    status = threads[owned.process.pid]
    assert set(status["Uid"]) == {str(ENTRY.pw_uid)} and set(status["Gid"]) == {str(ENTRY.pw_gid)}
    assert set(map(int, status["Groups"])) <= set(os.getgrouplist(USER, ENTRY.pw_gid))
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind][0], 16) == 0, kind
    assert status["NoNewPrivs"] == ["1"]
    assert len(threads) > 3 and all(thread["Uid"] == status["Uid"] for thread in threads.values())
    owned.da().push_ok("user.example", da_zone("user.example"))
    owned.wait_converged()
    made = {entry.name: entry.stat() for entry in os.scandir(owned.directory)
            if entry.name not in ("app.yml", "zonefand.log")}
    assert {"zonefan.sqlite", "zonefan.sqlite.lock", "zonefan.sqlite.ballast", "zonefan.sock"} <= set(made)
    for name, entry in made.items():
        assert (entry.st_uid, entry.st_gid) == (ENTRY.pw_uid, ENTRY.pw_gid), name
        assert stat.S_IMODE(entry.st_mode) == (0o660 if name == "zonefan.sock" else 0o600), name
    owned.ctl("status", check=0)
    owned.restart()
    assert "user.example" in owned.zones() and "stays root" not in owned.log()
    happened(f"port {owned.port}, {len(threads)} threads and {len(made)} files of {USER}, no capabilities", acknowledged=1)


@pytest.mark.row("SEC S3", fault="a process of the same user looks into zonefand's memory and environment",
                 injected="reads of /proc/PID/environ, mem and maps as that user; SIGABRT with unlimited core size",
                 required="refused; no core file")
def test_who_shares_the_user_sees_nothing(owned, happened):
    secret = "canary-environment-0451"
    owned.secrets.append(secret)
    owned.start(env={"DADNS_APP_AUTH_PASSWORD": owned.password, "DADNS_PEER_SYNC_AUTH_PASSWORD": secret},
                wrap=["sh", "-c", 'ulimit -c unlimited; exec "$0" "$@"'])
    pid = owned.process.pid
    for name in ("environ", "mem", "maps", "auxv"):
        read = subprocess.run(["dd", f"if=/proc/{pid}/{name}", "count=1", "status=none"], capture_output=True, user=USER,
                              group=ENTRY.pw_gid, extra_groups=[], cwd="/")
        assert read.returncode != 0 and b"Permission denied" in read.stderr and not read.stdout, (name, read)
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        assert secret.encode() not in file.read()
    owned.process.send_signal(6)
    _, how = os.waitpid(pid, 0)
    owned.process.returncode = -6
    assert os.WIFSIGNALED(how) and not os.WCOREDUMP(how)
    assert not [name for name in os.listdir(owned.directory) if name.startswith("core")]
    happened("4 of 4 reads refused, no core")


# Run by the kernel as root, with a core as its input. Whatever else crashes on this machine meanwhile is not ours to keep.
KEEPER = """#!/bin/sh
[ -e "{0}/wanted.$1" ] || exit 0
exec head -c 400000000 >"{0}/core.$1"
"""


@contextlib.contextmanager
def cores_to_a_program(folder):
    """The kernel pipes every core to a program, be the limit what it may, as systemd-coredump has it; False if it can't be set here."""
    keeper = os.path.join(folder, "keeper")
    with open(keeper, "w", encoding="ascii") as out:
        out.write(KEEPER.format(folder))
    os.chmod(keeper, 0o755)
    # The limit: a process that crashed is not gone before the program has all of its core. suid_dumpable: who became another user is
    # dumped, too, unless he forbids it afterwards.
    wanted = {"/proc/sys/kernel/core_pattern": f"|{keeper} %p", "/proc/sys/kernel/core_pipe_limit": "16", "/proc/sys/fs/suid_dumpable": "1"}
    before = {}
    try:
        for path, value in wanted.items():
            with open(path, "r+", encoding="ascii") as file:
                before[path] = file.read()
                file.seek(0)
                file.write(value)
        settable = True
    except OSError:
        settable = False
    try:
        yield settable
    finally:
        for path, value in before.items():
            with contextlib.suppress(OSError) if not settable else contextlib.nullcontext(), open(path, "w", encoding="ascii") as file:
                file.write(value)


def crash(process, folder):
    """By SIGSEGV: (whether the kernel says that it dumped a core, what the program got of it or None)."""
    path = os.path.join(folder, f"core.{process.pid}")
    with open(os.path.join(folder, f"wanted.{process.pid}"), "w", encoding="ascii"):
        pass
    process.send_signal(signal.SIGSEGV)
    _, how = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGSEGV
    assert os.WIFSIGNALED(how) and os.WTERMSIG(how) == signal.SIGSEGV
    try:
        with open(path, "rb") as core:
            return os.WCOREDUMP(how), core.read()
    except FileNotFoundError:
        return os.WCOREDUMP(how), None


@pytest.mark.row("SEC S3", fault="zonefand crashes where cores are piped to a program, which no limit keeps from it",
                 injected="core_pattern |PROGRAM, suid_dumpable 1; SIGSEGV to zonefand as app.user and as root; SIGSEGV to another program",
                 required="no core of zonefand arrives; the other's does, with the secret of its environment")
def test_a_program_that_takes_cores_gets_none(owned, install, tmp_path, happened):
    secret = "canary-core-0451"
    folder = str(tmp_path)
    rooted = lone(install)
    for zonefan in (owned, rooted):
        zonefan.secrets.append(secret)
    with cores_to_a_program(folder) as settable:
        for zonefan in (owned, rooted):
            environment = zonefan.environment()
            zonefan.start(env={"DADNS_PEER_SYNC_AUTH_PASSWORD": secret,
                               # A sanitizer would take the signal for itself.
                               "ASAN_OPTIONS": environment["ASAN_OPTIONS"] + ":handle_segv=0",
                               "UBSAN_OPTIONS": environment["UBSAN_OPTIONS"] + ":handle_segv=0"})
        if not settable:
            # Files of a process that can't be dumped are root's, whoever it is.
            assert os.stat(f"/proc/{owned.process.pid}/environ").st_uid == 0
        else:
            control = subprocess.Popen(["sh", "-c", "ulimit -c 0; exec sleep 600"], env={"SECRET": secret, "PATH": os.environ["PATH"]},
                                       user=USER, group=ENTRY.pw_gid, extra_groups=[], cwd="/")
            wait_for(lambda: os.readlink(f"/proc/{control.pid}/exe").endswith("sleep"), 30, "it is sleep")
            dumped, core = crash(control, folder)
            assert dumped and core is not None and secret.encode() in core, "the control: such a core arrives, whatever the limit"
            for zonefan in (owned, rooted):
                assert crash(zonefan.process, folder) == (False, None), "a core of zonefand was given away"
    happened("2 crashes, no core; the control's arrived" if settable else "core_pattern can't be set here: files of /proc/PID are root's")


@pytest.mark.row("SEC S10", fault="the user can't have the store's folder, does not exist, or is not ours to become",
                 injected="app.user with a folder of root's; an unknown name; started by another user than root",
                 required="exit 78 naming key and reason, by --check too; nothing made")
def test_a_user_that_does_not_fit_is_refused(install, dcs, owned, happened):
    rooted = install(dcs, config={"app": {"user": USER}}, start=False)
    unknown = install(dcs, config={"app": {"user": "no-such-user"}}, start=False)
    give(rooted)
    os.chown(rooted.directory, 0, 0)
    for zonefan, wanted in ((rooted, "datastore.db_location: no new file can be made"), (unknown, "app.user: there is no user")):
        for arguments in ([], ["--check"]):
            done = run(zonefan, *arguments)
            assert done.returncode == 78 and wanted in done.stderr, done
        assert wanted in zonefan.ctl("check", check=1).stderr
        assert not os.path.exists(zonefan.store)
    os.chown(owned.config_path, 1, 1)
    program = os.path.join(owned.directory, "zonefand")
    shutil.copy(os.path.join(BIN, "zonefand"), program)
    done = subprocess.run([program, "--config", owned.config_path], capture_output=True, text=True, timeout=60, user=1, group=1,
                          extra_groups=[], env=owned.environment(), cwd=owned.directory)
    assert done.returncode == 78 and "app.user: only root can become user nobody" in done.stderr, done
    happened("7 of 7 refused")


@pytest.mark.row("SEC S10", fault="root works on the store while zonefand is down", injected="zonefanctl backup as root, app.user set",
                 required="what it makes is the user's: zonefand starts on it again")
def test_root_s_zonefanctl_leaves_nothing_of_root_s(owned, happened):
    owned.start()
    owned.da().push_ok("kept.example", da_zone("kept.example"))
    owned.stop()
    for name in os.listdir(owned.directory):
        if name.startswith("zonefan.sqlite."):
            os.unlink(os.path.join(owned.directory, name))  # so that zonefanctl makes them
    copy = os.path.join(owned.directory, "copy.db")
    owned.ctl("backup", copy, check=0)
    for name in os.listdir(owned.directory):
        if name.startswith(("zonefan.sqlite", "copy")):
            assert os.stat(os.path.join(owned.directory, name)).st_uid == ENTRY.pw_uid, name
    owned.start()
    assert list(owned.zones()) == ["kept.example"]
    happened("a backup of the user's, and a start after it")


@pytest.mark.row("SEC S10", fault="zonefand is started by root, and app.user is not set", injected="no app.user",
                 required="it works, and a notice says that it stays root")
def test_root_without_a_user_is_told(install, dcs, happened):
    zonefan = install(dcs)
    zonefan.da().push_ok("root.example", da_zone("root.example"))
    assert zonefan.log().count("zonefand stays root") == 1
    happened("served, and noticed once")


@pytest.mark.row("SEC S1", fault="a key that only root may read", injected="app.ssl_key of mode 0600, owned by root; app.user",
                 required="it is read before the step down; --check and start say that a reload can't")
def test_a_key_that_only_root_reads(install, certificates, tmp_path, happened):
    shutil.copytree(certificates, tmp_path / "tls")
    os.chmod(tmp_path / "tls" / "good.key", 0o600)
    zonefan = lone(install, config={"app": {"user": USER, "ssl_enable": True, "ssl_cert": str(tmp_path / "tls" / "good.pem"),
                                            "ssl_key": str(tmp_path / "tls" / "good.key")}})
    give(zonefan)
    told = "a reload will not be able to read this file"
    done = run(zonefan, "--check")
    assert done.returncode == 0 and told in done.stderr and "good.key" in done.stderr, done
    zonefan.tls = trusting(certificates)
    zonefan.start()
    zonefan.da().push_ok("root.example", da_zone("root.example"))
    assert told in zonefan.log()
    happened("served; told twice", times=2, acknowledged=1)
