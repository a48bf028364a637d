# SPDX-License-Identifier: GPL-3.0-or-later
"""
A network of its own, for packets that are lost: a namespace behind a veth pair, in which a proxy listens, and rules of the
packet filter in it. What the filter drops is lost to the kernel, as on a real wire; nothing leaks out of the namespace.
Needs root, iproute2 and nftables: for the long form only.
"""
import contextlib
import ctypes
import itertools
import os
import random
import re
import socket
import subprocess
import threading

from .proxy import Proxy

CLONE_NEWNET = 0x40000000
_numbers = itertools.count()


def _run(*command):
    subprocess.run(command, check=True, capture_output=True, text=True)


class Namespace:
    def __init__(self):
        number = next(_numbers)
        self.name = f"zf{os.getpid()}n{number}"
        self.link = f"zv{os.getpid() % 1_000_000}n{number}"
        net = f"10.{random.randrange(200, 250)}.{random.randrange(256)}"
        self.near, self.address = f"{net}.1", f"{net}.2"
        self.proxies = []
        with contextlib.ExitStack() as undo:
            _run("ip", "netns", "add", self.name)
            undo.callback(_run, "ip", "netns", "del", self.name)  # takes both ends of the link with it
            self._connect()
            self._undo = undo.pop_all()

    def _connect(self):
        """The link, its addresses, and the filter's chains."""
        _run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "inside", "netns", self.name)
        _run("ip", "addr", "add", f"{self.near}/30", "dev", self.link)
        _run("ip", "link", "set", self.link, "up")
        self.inside("ip", "addr", "add", f"{self.address}/30", "dev", "inside")
        self.inside("ip", "link", "set", "inside", "up")
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("nft", "add table ip faults; "
                    "add chain ip faults input { type filter hook input priority 0; }; "
                    "add chain ip faults output { type filter hook output priority 0; }")

    def inside(self, *command):
        _run("ip", "netns", "exec", self.name, *command)

    # ---- faults ----

    def swallow(self, *ports, also_answers=False):
        """Packets to these ports are dropped; those from them too, if asked."""
        for port in ports:
            self.rule(f"input tcp dport {port} drop")
            if also_answers:
                self.rule(f"output tcp sport {port} drop")

    def rule(self, text):
        """One more rule of the packet filter: a chain (input, output) and what is to be done."""
        self.inside("nft", f"add rule ip faults {text}")

    def counted(self):
        """What the rules with a counter have seen, in packets."""
        listed = subprocess.run(["ip", "netns", "exec", self.name, "nft", "list", "table", "ip", "faults"], check=True,
                                capture_output=True, text=True).stdout
        return sum(int(count) for count in re.findall(r"counter packets (\d+)", listed))

    def passing(self):
        self.inside("nft", "flush chain ip faults input; flush chain ip faults output")

    def narrow(self, rate):
        """Bytes towards the namespace and back pass at this rate (tc's words), those that wait too long are lost."""
        bucket = ("root", "tbf", "rate", rate, "burst", "8kb", "latency", "300ms")
        _run("tc", "qdisc", "replace", "dev", self.link, *bucket)
        self.inside("tc", "qdisc", "replace", "dev", "inside", *bucket)

    # ---- what listens there ----

    def socket(self):
        """A socket that lives in the namespace: made by a thread that went there."""
        made = []

        def make():
            with open(f"/run/netns/{self.name}", "rb") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    made.append(OSError(ctypes.get_errno(), "setns"))
                    return
            made.append(socket.socket())
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise made[0]
        return made[0]

    def proxy(self, target):
        self.proxies.append(NamespaceProxy(self, target))
        self._undo.callback(self.proxies[-1].close)
        return self.proxies[-1]

    def close(self):
        self._undo.close()


class NamespaceProxy(Proxy):
    """Listens in the namespace; goes from there straight to its target outside, which is out of the filter's reach."""

    def __init__(self, namespace, target):
        self.namespace = namespace
        super().__init__(target)

    def _socket(self):
        sock = self.namespace.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((self.namespace.address, self.port))
        return sock


def syn_sent(address, port):
    """Is a connection to there being tried right now?"""
    wanted = f"{int.from_bytes(socket.inet_aton(address), 'little'):08X}:{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        return any(fields[2] == wanted and fields[3] == "02" for fields in map(str.split, table))
