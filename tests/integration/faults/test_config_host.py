# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md 4.5, F06: a configuration that does not fit this host. Start is refused with exit 78 and a line that names the culprit;
--check says the same without starting. (Whose store it is, and in what state, is in test_store_*.py.)
"""
import contextlib
import os
import socket
import subprocess

import pytest
from zf.daemon import BIN
from zf.zones import da_zone

CONFIG_WRONG = 78


def run(zonefan, *arguments, wrap=()):
    return subprocess.run([*wrap, os.path.join(BIN, "zonefand"), "--config", zonefan.config_path, *arguments], capture_output=True,
                          text=True, timeout=60, env=zonefan.environment(), cwd=zonefan.directory, stdin=subprocess.DEVNULL)


def row(fault, injected):
    return pytest.mark.row("F06", fault=fault, injected=injected, required="exit 78, the culprit is named, by --check too; nothing is made")


@pytest.fixture
def idle(install, dcs):
    return install(dcs, start=False)


def assert_unfit(zonefan, *wanted, wrap=(), check=True):
    """Refused by start, and by --check unless that can't know."""
    for arguments in ([], ["--check"]) if check else ([],):
        done = run(zonefan, *arguments, wrap=wrap)
        assert done.returncode == CONFIG_WRONG, done
        for part in wanted:
            assert part in done.stderr, f"{part!r} is not in {done.stderr}"
    assert not os.path.exists(zonefan.store), "a store was made"


def in_namespace(commands, *options):
    """Some set-up that only the process sees, then the process."""
    return ["unshare", *options, "sh", "-ec", f'{commands}\nexec "$@"', "sh"]


@row("a store's folder that is not there", "datastore.db_location")
def test_no_folder(idle, happened):
    idle.configure({"datastore": {"db_location": "/nonexistent/zonefan.sqlite"}})
    assert_unfit(idle, "datastore.db_location", "/nonexistent")
    happened("refused twice", times=2)


@row("a store's folder that is read-only", "a read-only tmpfs over it, in a mount namespace")
def test_read_only_folder(idle, happened):
    folder = os.path.join(idle.directory, "data")
    os.mkdir(folder)
    idle.configure({"datastore": {"db_location": os.path.join(folder, "zonefan.sqlite")}})
    assert_unfit(idle, "datastore.db_location", folder, "Read-only file system",
                 wrap=in_namespace(f"mount -t tmpfs -o ro zonefan-test '{folder}'", "-m"))
    happened("refused twice", times=2)


@row("a store's folder that is another's", "app.user: nobody, the folder is root's")
def test_folder_of_another(idle, happened):
    idle.configure({"app": {"user": "nobody"}})
    assert_unfit(idle, "datastore.db_location", "as user")
    happened("refused twice", times=2)


@row("a store that is a folder", "datastore.db_location")
def test_store_is_a_folder(idle, happened):
    folder = os.path.join(idle.directory, "folder")
    os.mkdir(folder)
    idle.configure({"datastore": {"db_location": folder}})
    for arguments in ([], ["--check"]):
        done = run(idle, *arguments)
        assert done.returncode == CONFIG_WRONG and "is not a file" in done.stderr, done
    assert os.listdir(folder) == []
    happened("refused twice", times=2)


@row("a port that another program has", "a listening socket; --check only tells, for it may be zonefand's own")
def test_port_in_use(idle, happened):
    with socket.create_server(("127.0.0.1", idle.port)):
        assert_unfit(idle, f"127.0.0.1 port {idle.port}", "Address already in use", check=False)
        done = run(idle, "--check")
        assert done.returncode == 0 and f"127.0.0.1 port {idle.port}" in done.stderr, done
    assert str(idle.port) not in run(idle, "--check").stderr
    happened("refused by start, told by --check", times=2)


@row("a privileged port without the right to it", "port 80 without CAP_NET_BIND_SERVICE")
def test_privileged_port(idle, happened):
    idle.configure({"app": {"listen_port": 80, "listen_address": ""}})
    assert_unfit(idle, "port 80", "Permission denied", wrap=["unshare", "-n", "setpriv", "--bounding-set=-net_bind_service"])
    happened("refused twice", times=2)


@row("an address that is not this host's", "listen_address: 192.0.2.1")
def test_foreign_address(idle, happened):
    idle.configure({"app": {"listen_address": "192.0.2.1"}})
    assert_unfit(idle, "192.0.2.1", "Cannot assign requested address")
    happened("refused twice", times=2)


@row("IPv6 is off", "listen_address: ::1, in a network namespace with disable_ipv6")
def test_no_ipv6(idle, happened):
    off = in_namespace("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6", "-n")
    idle.configure({"app": {"listen_address": "::1"}})
    assert_unfit(idle, "::1", "Cannot assign requested address", wrap=off)
    idle.configure({"app": {"listen_address": ""}})
    assert run(idle, "--check", wrap=off).returncode == 0, "all addresses are those that there are"
    happened("::1 refused twice, \"all addresses\" is good", times=3)


@row("two back ends that are the same database", "the same host, port and tables under two names")
def test_equal_back_ends(idle, happened):
    backends = idle.settings["dns"]["backends"]
    idle.configure({"dns": {"backends": {"again": backends["dc1"]}}})
    assert_unfit(idle, "again", "dc1", "writes to the same tables")
    happened("refused twice", times=2)


@row("a control socket where a file of another kind is", "app.control_socket")
def test_control_socket_is_a_file(idle, happened):
    path = os.path.join(idle.directory, "letter")
    with open(path, "w", encoding="ascii") as out:
        out.write("to my aunt\n")
    idle.configure({"app": {"control_socket": path}})
    done = run(idle)
    assert done.returncode == CONFIG_WRONG and f"control socket {path}: a file of another kind" in done.stderr, done
    with open(path, encoding="ascii") as file:
        assert file.read() == "to my aunt\n"
    happened("refused, the file is as it was")


@row("a control socket that another process listens on", "app.control_socket")
def test_control_socket_in_use(idle, happened):
    path = os.path.join(idle.directory, "taken.sock")
    idle.configure({"app": {"control_socket": path}})
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as other:
        other.bind(path)
        other.listen()
        done = run(idle)
        assert done.returncode == CONFIG_WRONG and f"control socket {path}: another process" in done.stderr, done
        assert os.path.exists(path)
    idle.start()  # nobody listens there any more: it is taken over
    happened("refused; taken over when nobody listens there")


@row("a limit of open files that leaves nothing", "ulimit -n 40")
def test_too_few_files(idle, happened):
    done = run(idle, wrap=["prlimit", "--nofile=40:40"])
    assert done.returncode == CONFIG_WRONG and "limit of open files, 40, is less than" in done.stderr, done
    happened("refused, the number needed is named")


@row("a certificate of a database that can't be read", "dns.backends.dc1.ssl_ca")
def test_no_certificate(idle, happened):
    idle.configure({"dns": {"backends": {"dc1": {"ssl_ca": "/nonexistent/ca.pem"}}}})
    assert_unfit(idle, "dns.backends.dc1.ssl_ca", "/nonexistent/ca.pem")
    happened("refused twice", times=2)


@pytest.mark.row("F06", fault="--check beside the zonefand that runs", injected="the same configuration, twice",
                 required="exit 0, and the one that runs is not disturbed")
def test_check_beside_a_running_one(install, dcs, happened):
    zonefan = install(dcs[:1])
    for _ in range(2):
        assert run(zonefan, "--check").returncode == 0
    zonefan.da().push_ok("undisturbed.example", da_zone("undisturbed.example"))
    zonefan.wait_converged()
    happened("undisturbed", times=2)
