# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a condition, never for a time; and ports that nobody else takes."""
import os
import random
import socket
import time


def wait_for(condition, deadline, message, interval=0.02):
    """Returns the first true value of condition(); fails with the message (text, or a function) after deadline s."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            text = message() if callable(message) else message
            raise AssertionError(f"not within {deadline} s: {text}")
        time.sleep(interval)
        interval = min(interval * 1.2, 0.25)


_random = random.Random(os.getpid() * 7919 + time.monotonic_ns())
_given = set()


def free_port():
    """
    A port below the kernel's own range (32768 and up): a server that stops and comes back on the same port must
    not find it taken by somebody's outgoing connection.
    """
    for _ in range(1000):
        port = _random.randrange(12000, 32000)
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise AssertionError("no free port between 12000 and 32000")
