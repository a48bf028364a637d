# SPDX-License-Identifier: GPL-3.0-or-later
"""
Clients that mean no good, by the thousand: a program of its own beside the test, with one event loop and no threads, so
that it takes no time of the test that measures what others get meanwhile.

    with Attack("drip", port=port, count=1000, first=raw[:20], drop="x", pause=0.5) as attack:
        attack.wait_ready()
        ...
        fates = attack.finish()["fates"]      # [seconds until the server ended it, status it said or 0], of each

Kinds (all take count, and sources: from how many addresses 127.1.x.y they come; 0: from 127.0.0.1; drip and lazy also rate: so
many begin in a second):
    drip    sends first, then drop every pause seconds, until the server ends it; drops: how many at most
    lazy    sends first and reads nothing
    hold    sends first and stays; as often as the server ends it, it comes again
    ask     sends first, reads the answer to its end, and begins anew: total in all, at most rate a second
    abort   sends first, but only as far as a random byte, and resets the connection: total in all
"""
import asyncio
import collections
import contextlib
import json
import os
import random
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time

RESET = struct.pack("ii", 1, 0)
ANSWER_MOST = 65536


class Attack:
    """One such program under way."""

    def __init__(self, kind, port, **how):
        for name in ("first", "drop"):
            if isinstance(how.get(name), bytes):
                how[name] = how[name].decode("latin-1")
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(json.dumps({"kind": kind, "port": port, **how}) + "\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def wait_ready(self):
        """Each of them has been connected once."""
        line = self.process.stdout.readline()
        assert json.loads(line or "null") == "ready", f"the attackers did not get ready: {line!r}"

    def finish(self):
        """What became of them, when all are through."""
        lines = self.process.stdout.readlines()
        assert lines, "the attackers ended without a word"
        return json.loads(lines[-1])

    def stop(self):
        """The same, now."""
        self.process.send_signal(signal.SIGTERM)
        return self.finish()


# ---- the program ----

class Crowd:
    def __init__(self, kind, port, count, first="", drop="", pause=1.0, drops=1 << 30, sources=0, total=0, rate=0, seed=0):
        self.work = getattr(self, kind)
        self.port = port
        self.count = count
        self.first = first.encode("latin-1")
        self.drop = drop.encode("latin-1")
        self.pause = pause
        self.drops = drops
        self.sources = sources
        self.left = total
        self.rate = rate
        self.random = random.Random(seed)
        self.loop = asyncio.get_running_loop()
        self.began = time.monotonic()
        self.begun = 0
        self.connected = 0
        self.fates = []
        self.statuses = collections.Counter()

    async def connect(self, number, receive_buffer=0):
        """From its own address, if it has one; tried again if it is refused. The socket, and when it began to connect."""
        while True:
            began = time.monotonic()
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if self.sources:
                own = number % self.sources
                sock.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: the port is chosen by connect
                sock.bind((f"127.1.{own // 250}.{own % 250 + 1}", 0))
            try:
                await self.loop.sock_connect(sock, ("127.0.0.1", self.port))
                self.connected += 1
                return sock, began
            except OSError:
                sock.close()
                await asyncio.sleep(0.1)

    async def read_end(self, sock):
        """All that comes until the server ends the connection, however it does it."""
        data = b""
        with contextlib.suppress(OSError):
            while more := await self.loop.sock_recv(sock, ANSWER_MOST):
                data = (data + more)[:ANSWER_MOST]
        return data

    @staticmethod
    def status(data):
        return int(data[9:12]) if data.startswith(b"HTTP/1.") else 0

    async def come(self, number):
        """Those that stay come one after the other, at that rate."""
        if self.rate:
            await asyncio.sleep(number / self.rate)

    async def drip(self, number):
        await self.come(number)
        sock, began = await self.connect(number)
        reading = asyncio.ensure_future(self.read_end(sock))
        with contextlib.suppress(OSError):
            await self.loop.sock_sendall(sock, self.first)
            for _ in range(self.drops):
                if self.pause == 0:
                    await asyncio.sleep(0)
                elif (await asyncio.wait([reading], timeout=self.pause))[0]:
                    break
                await self.loop.sock_sendall(sock, self.drop)
        data = await reading
        self.fates.append([round(time.monotonic() - began, 2), self.status(data)])
        sock.close()

    async def lazy(self, number):
        await self.come(number)
        sock, began = await self.connect(number, receive_buffer=4096)
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(self.loop.sock_sendall(sock, self.first), self.pause)
        gone = select.poll()
        gone.register(sock, select.POLLHUP | select.POLLERR | select.POLLRDHUP)
        while not gone.poll(0):
            await asyncio.sleep(0.2)
        self.fates.append([round(time.monotonic() - began, 2), 0])
        sock.close()

    async def hold(self, number):
        while True:
            sock, _ = await self.connect(number)
            with contextlib.suppress(OSError):
                await self.loop.sock_sendall(sock, self.first)
            self.statuses[self.status(await self.read_end(sock))] += 1
            sock.close()
            await asyncio.sleep(self.pause)

    async def turn(self):
        """When the next one of total may begin; False: there is none."""
        if self.left <= 0:
            return False
        self.left -= 1
        self.begun += 1
        if self.rate:
            await asyncio.sleep(self.began + self.begun / self.rate - time.monotonic())
        return True

    async def ask(self, number):
        while await self.turn():
            sock, _ = await self.connect(number + self.begun)
            with contextlib.suppress(OSError):
                await self.loop.sock_sendall(sock, self.first)
            self.statuses[self.status(await self.read_end(sock))] += 1
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.close()

    async def abort(self, number):
        while await self.turn():
            sock, _ = await self.connect(number + self.begun)
            size = self.random.choice([len(self.first), self.random.randrange(len(self.first) + 1)])
            with contextlib.suppress(OSError):
                await self.loop.sock_sendall(sock, self.first[:min(1, size)])  # who says nothing is not let in, and leaves nothing
                await asyncio.sleep(0)
                await self.loop.sock_sendall(sock, self.first[1:size])
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.close()
            self.statuses["whole" if size == len(self.first) else "part"] += 1

    async def tell_ready(self):
        while self.connected < self.count:
            await asyncio.sleep(0.02)
        print(json.dumps("ready"), flush=True)

    async def run(self):
        stop = asyncio.Event()
        self.loop.add_signal_handler(signal.SIGTERM, stop.set)
        everybody = asyncio.gather(*(self.work(number) for number in range(self.count)))
        ready = asyncio.ensure_future(self.tell_ready())
        await asyncio.wait([everybody, asyncio.ensure_future(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        if everybody.done():
            await everybody  # its error, if it had one
            await ready
        print(json.dumps({"fates": self.fates, "statuses": self.statuses, "connected": self.connected,
                          "seconds": round(time.monotonic() - self.began, 2)}), flush=True)
        os._exit(0)  # thousands of tasks need not be taken down one by one


async def main():
    await Crowd(**json.loads(sys.stdin.readline())).run()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    os.nice(10)  # attackers have machines of their own
    asyncio.run(main())
