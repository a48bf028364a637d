# SPDX-License-Identifier: GPL-3.0-or-later
"""
A TCP proxy that misbehaves on demand, at run time: it refuses, falls silent, delays, cuts after so many bytes or when
a byte pattern passes, calls back when a pattern passes, and counts.
"""
import asyncio
import socket
import struct
import threading

from .wait import free_port

UP = "up"      # client -> server
DOWN = "down"  # server -> client


class _Loop:
    """One event loop in a thread for all proxies of the process."""
    instance = None

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="proxy", daemon=True).start()

    @classmethod
    def get(cls):
        if cls.instance is None:
            cls.instance = cls()
        return cls.instance.loop


class _Link:
    """One client connection and its way to the server."""

    def __init__(self, proxy, client_reader, client_writer):
        self.proxy = proxy
        self.reader = {UP: client_reader, DOWN: None}
        self.writer = {UP: None, DOWN: client_writer}
        self.tail = {UP: b"", DOWN: b""}
        self.last = None
        self.doomed = False

    async def run(self):
        proxy = self.proxy
        tasks = []
        try:
            if proxy.mode == "silent":
                self.doomed = True
                await proxy.spoken.wait()
                return
            await proxy.flowing.wait()
            self.reader[DOWN], self.writer[UP] = await asyncio.open_connection("127.0.0.1", proxy.target)
            for writer in (self.writer[UP], self.writer[DOWN]):
                writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for way in (UP, DOWN):
                queue = asyncio.Queue()
                tasks.append(asyncio.create_task(self.take(way, queue)))
                tasks.append(asyncio.create_task(self.give(way, queue)))
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if any(task.exception() for task in done):
                self.reset()  # one side was reset: so is the other, and what was still on the way is lost
            else:
                await asyncio.wait(tasks, timeout=1)  # an orderly end: what was read before it is still given
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.close()
            proxy.links.discard(self)

    async def take(self, way, queue):
        """Reads from one side; stamps what came with the time when it is to be given to the other."""
        proxy = self.proxy
        loop = asyncio.get_running_loop()
        while True:
            data = await self.reader[way].read(65536)
            if not data:
                await queue.put((0, None))
                return
            if self.last == DOWN and way == UP:
                proxy.round_trips += 1
            self.last = way
            if self.doomed:
                continue
            if proxy.mode == "silent":
                self.doomed = True
                continue
            await queue.put((loop.time() + proxy.delay[way], data))

    async def give(self, way, queue):
        proxy = self.proxy
        loop = asyncio.get_running_loop()
        while True:
            due, data = await queue.get()
            if data is None:
                return
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            await proxy.flowing.wait()
            if proxy.mode == "silent":
                self.doomed = True
            if self.doomed:
                continue
            if not await self.watch(way, data):
                self.reset()
                return
            proxy.bytes[way] += len(data)
            self.writer[way].write(data)
            await self.writer[way].drain()

    async def watch(self, way, data):
        """Patterns and byte limits; False: the connection is to be cut before this data."""
        proxy = self.proxy
        seen = self.tail[way] + data
        keep = 0
        for trigger in list(proxy.triggers):
            if trigger.way != way:
                continue
            keep = max(keep, max(len(p) for p in trigger.patterns) - 1)
            # what was seen in the tail alone was seen before
            if not any(seen.find(p, max(0, len(self.tail[way]) - len(p) + 1)) >= 0 for p in trigger.patterns):
                continue
            trigger.hits += 1
            if trigger.times is not None and trigger.hits >= trigger.times:
                proxy.triggers.remove(trigger)
            if trigger.action is None:
                return False
            await asyncio.get_running_loop().run_in_executor(None, trigger.action)
        self.tail[way] = seen[-keep:] if keep else b""
        limit = proxy.limit[way]
        if limit is not None:
            if len(data) > limit:
                if limit > 0:
                    self.writer[way].write(data[:limit])
                    await self.writer[way].drain()
                proxy.limit[way] = None if proxy.limit_once else 0
                return False
            proxy.limit[way] -= len(data)
        return True

    def reset(self):
        for writer in self.writer.values():
            if writer is None:
                continue
            try:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass  # closed already
            writer.transport.abort()

    def close(self):
        for writer in self.writer.values():
            if writer is not None:
                writer.close()


class Trigger:
    def __init__(self, patterns, way, action, times):
        self.patterns = patterns
        self.way = way
        self.action = action
        self.times = times
        self.hits = 0


class Proxy:
    """Listens on a loopback port of its own, forwards to target. All methods may be called from any thread."""

    def __init__(self, target):
        self.target = target
        self.port = free_port()
        self.loop = _Loop.get()
        self.server = None
        self.links = set()
        self.triggers = []
        self.mode = "pass"
        self.delay = {UP: 0.0, DOWN: 0.0}
        self.limit = {UP: None, DOWN: None}
        self.limit_once = True
        self.connections = 0
        self.bytes = {UP: 0, DOWN: 0}
        self.round_trips = 0
        # Holds the port while nobody listens on it, so that "refused" stays refused and nobody else gets it.
        self.holder = self._socket()
        self.call(self._make_events())
        self.call(self._listen())

    def _socket(self):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", self.port))
        return sock

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=20)

    async def _make_events(self):
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.spoken = asyncio.Event()
        self.spoken.set()

    async def _listen(self):
        if self.server is None:
            sock = self._socket()
            self.server = await asyncio.start_server(self._accept, sock=sock, backlog=512)

    async def _unlisten(self):
        if self.server is not None:
            self.server.close()
            self.server = None

    async def _accept(self, reader, writer):
        self.connections += 1
        link = _Link(self, reader, writer)
        if self.server is None:  # taken, and before it came to this refuse() had cut those that it knew of
            link.reset()
            return
        self.links.add(link)
        await link.run()

    async def _cut(self):
        for link in list(self.links):
            link.reset()

    async def _set(self, mode):
        self.mode = mode
        (self.flowing.clear if mode == "frozen" else self.flowing.set)()
        (self.spoken.clear if mode == "silent" else self.spoken.set)()

    def passing(self, keep_triggers=False):
        """
        All is well again. Connections that were swallowed meanwhile are cut: bytes are missing in them. With
        keep_triggers those that were set meanwhile see the first connection from its first byte.
        """
        self.delay = {UP: 0.0, DOWN: 0.0}
        self.limit = {UP: None, DOWN: None}
        if not keep_triggers:
            self.triggers.clear()

        async def heal():
            await self._set("pass")
            for link in list(self.links):
                if link.doomed:
                    link.reset()
            await self._listen()
        self.call(heal())

    def refuse(self):
        """New connections are refused by the kernel (RST to the SYN); those open are reset."""
        async def act():
            await self._unlisten()
            await self._set("pass")
            await self._cut()
        self.call(act())

    def black_hole(self):
        """Connections are taken and swallowed, in both ways; nothing is ever answered, nothing closed."""
        self.call(self._set("silent"))

    def freeze(self):
        """Nothing moves until passing(); then what was sent arrives, late (a stopped host, a routing outage)."""
        self.call(self._set("frozen"))

    def cut(self):
        """Resets every open connection now."""
        self.call(self._cut())

    def slow(self, up=0.0, down=0.0):
        """Each way so many seconds late; order and bandwidth stay."""
        self.delay = {UP: up, DOWN: down}

    def cut_after(self, count, way=UP, once=True):
        """Lets count more bytes pass, over all connections, then resets; later ones too unless once."""
        self.limit_once = once
        self.limit[way] = count

    def cut_on(self, *patterns, way=UP, times=None):
        """Resets the connection in which one of the patterns passes, before it does."""
        return self._trigger(patterns, way, None, times)

    def call_on(self, *patterns, action, way=UP, times=1):
        """Calls action() (in a thread) when a pattern is about to pass; the data waits for it."""
        return self._trigger(patterns, way, action, times)

    def _trigger(self, patterns, way, action, times):
        trigger = Trigger([p if isinstance(p, bytes) else p.encode() for p in patterns], way, action, times)
        self.triggers.append(trigger)
        return trigger

    def open_connections(self):
        return len(self.links)

    def close(self):
        async def act():
            await self._unlisten()
            await self._set("pass")
            await self._cut()
        self.call(act())
        self.holder.close()


def zone_patterns(name):
    """How the name of a zone may pass in SQL: as text, and as a hex literal in either case."""
    raw = name.encode()
    return [raw, raw.hex().encode(), raw.hex().upper().encode()]
