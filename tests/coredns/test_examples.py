# SPDX-License-Identifier: GPL-3.0-or-later
"""The example Corefiles of deploy/coredns are accepted, and serve: only addresses, paths and the login are put in."""
import os
import re
import subprocess
import urllib.request

import dns.flags
import dns.rcode
import pytest

from servers import LIMIT, Server
from zf.mariadb import DATABASE
from zf.wait import free_port, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "deploy", "coredns")
ZONE = "shop.example"
LOGIN = "coredns:canary-example-77@tcp(127.0.0.1:{port})/" + DATABASE


class Example(Server):
    def __init__(self, binary, name, directory, put_in):
        super().__init__(directory)
        self.binary = binary
        with open(os.path.join(EXAMPLES, name), encoding="utf-8") as example:
            text = example.read()
        for old, new in [("\n. {\n", f"\n.:{self.port} {{\n\tbind 127.0.0.1\n")] + put_in:
            assert old in text, f"{name} does not hold {old!r} any more"
            text = text.replace(old, new)
        self.corefile = os.path.join(directory, "Corefile")
        with open(self.corefile, "w", encoding="utf-8") as out:
            out.write(text)

    def start(self):
        self.spawn(self.binary, "-conf", self.corefile)
        return self


@pytest.fixture
def login(world):
    world.server.sql("DROP USER IF EXISTS coredns")
    world.server.sql("CREATE USER coredns IDENTIFIED BY 'canary-example-77'")
    world.server.sql(f"GRANT SELECT ON {DATABASE}.* TO coredns")
    with open(os.path.join(ROOT, "tests", "data", "zones", "directadmin-unsigned.db"), "rb") as text:
        world.push({ZONE: text.read()})
    return LOGIN.format(port=world.server.port)


def serve(world, binary, name, put_in):
    made = Example(binary, name, world.subdirectory("example"), put_in)
    world.stack.callback(made.stop)
    made.start().wait_serves([ZONE])
    return made


def page(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=LIMIT) as answer:
        return answer.read().decode()


def status(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=LIMIT) as answer:
            return answer.status
    except OSError as error:
        return getattr(error, "code", None)


def test_corefile_for_the_public_plugin(binary, world, login):
    health, metrics = free_port(), free_port()
    made = serve(world, binary, "Corefile.mysql", [
        ("localhost:8080", f"127.0.0.1:{health}"), ("localhost:9153", f"127.0.0.1:{metrics}"),
        ("coredns:PASSWORD@tcp(192.0.2.10:3306)/coredns", login)])
    answer = made.ask(ZONE + ".", "SOA")
    assert answer.rcode() == dns.rcode.NOERROR and answer.flags & dns.flags.AA
    assert status(health, "/health") == 200 and status(metrics, "/metrics") == 200


def test_corefile_for_zonefan(world, login):
    reader = os.path.join(ROOT, "build", "coredns", "coredns")
    subprocess.run([os.path.join(EXAMPLES, "build"), "test", reader], check=True)
    folder = world.subdirectory("etc")
    with open(os.path.join(folder, "zonefan.dsn"), "w", encoding="ascii") as out:
        out.write(login + "\n")
    health, ready, metrics = free_port(), free_port(), free_port()
    made = serve(world, reader, "Corefile.zonefan", [
        ("localhost:8080", f"127.0.0.1:{health}"), ("localhost:8181", f"127.0.0.1:{ready}"),
        ("localhost:9153", f"127.0.0.1:{metrics}"), ("/etc/coredns", folder), ("/var/lib/coredns", folder),
        ("# transfer {\n\t# \tto 192.0.2.53\n\t# }", "transfer {\n\t\tto 192.0.2.53\n\t}")])
    answer = made.ask("none.mail." + ZONE + ".", "A")
    assert answer.rcode() == dns.rcode.NXDOMAIN and answer.flags & dns.flags.AA and len(answer.authority) == 1
    assert status(health, "/health") == 200 and status(metrics, "/metrics") == 200
    wait_for(lambda: status(ready, "/ready") == 200, LIMIT, lambda: f"/ready:\n{made.log()}")
    wait_for(lambda: re.search(r"^coredns_zonefan_snapshot_zones\{.*\} 1$", page(metrics, "/metrics"), re.M), LIMIT,
             lambda: f"the zone is in the snapshot:\n{made.log()}")


def test_corefile_of_compose(world, login):
    reader = os.path.join(ROOT, "build", "coredns", "coredns")
    subprocess.run([os.path.join(EXAMPLES, "build"), "test", reader], check=True)
    folder = world.subdirectory("compose")
    with open(os.path.join(folder, "dsn"), "w", encoding="ascii") as out:
        out.write(login + "\n")
    ready = free_port()
    made = serve(world, reader, os.path.join("..", "compose", "Corefile"), [
        ("\tready\n", f"\tready 127.0.0.1:{ready}\n"), ("/run/secrets", folder), ("/var/lib/coredns", folder)])
    assert made.ask(ZONE + ".", "SOA").flags & dns.flags.AA
    wait_for(lambda: status(ready, "/ready") == 200, LIMIT, lambda: f"/ready:\n{made.log()}")
