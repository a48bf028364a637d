# SPDX-License-Identifier: GPL-3.0-or-later
"""Distance between zonefand and a database, and a database that is suddenly silent: bench_proxy."""
import json
import subprocess

from zf.wait import free_port


class Proxy:
    """A process of its own before one server; data is late by half of round_trip_ms each way."""

    def __init__(self, ctx, target_port, round_trip_ms=0):
        self.port = free_port()
        self.process = subprocess.Popen(
            [ctx.programs["bench_proxy"], str(self.port), str(target_port), str(round_trip_ms / 2)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self.process.stdout.readline() == "ready\n", "bench_proxy does not start"

    @property
    def pid(self):
        return self.process.pid

    def _tell(self, command):
        self.process.stdin.write(command + "\n")
        return self.process.stdout.readline()

    def _order(self, command):
        assert self._tell(command) == "ok\n", command

    def stats(self):
        """{"connections", "round_trips", "bytes_up", "bytes_down"} since reset(), and "open": [of each connection]."""
        return json.loads(self._tell("stats"))

    def reset(self):
        self._order("reset")

    def black_hole(self):
        """From now on connections are taken, and what comes on any is swallowed: no answer, no end."""
        self._order("swallow")

    def close(self):
        """It ends with its stdin, and so do all connections through it."""
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(timeout=20) == 0


class Proxies:
    """with Proxies(ctx, cluster, 50) as proxies: one before each server of the cluster."""

    def __init__(self, ctx, cluster, round_trip_ms):
        self.each = [Proxy(ctx, server.port, round_trip_ms) for server in cluster.servers]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for proxy in self.each:
            proxy.close()

    @property
    def ports(self):
        return [proxy.port for proxy in self.each]

    def processes(self):
        return {f"proxy{i + 1}": proxy.pid for i, proxy in enumerate(self.each)}

    def reset(self):
        for proxy in self.each:
            proxy.reset()

    def totals(self):
        """The counters of all, added."""
        found = [proxy.stats() for proxy in self.each]
        return {name: sum(one[name] for one in found) for name in ("round_trips", "bytes_up", "bytes_down")}
