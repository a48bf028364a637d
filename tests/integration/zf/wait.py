# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a condition, never for a time; and ports that nobody else takes."""
import fcntl
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
_claims = None  # a file: a lock on its n-th byte is the port n, held as long as this process lives


def claim(port):
    """False: it is another process's, or was given already."""
    global _claims
    if _claims is None:
        _claims = open(f"/tmp/zonefan-ports-{os.getuid()}", "a+b"), set()
    file, given = _claims
    if port in given:
        return False
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    given.add(port)
    return True


def free_port():
    """
    A port below the kernel's own range (32768 and up): a server that stops and comes back on the same port must
    not find it taken by somebody's outgoing connection, nor by a server of another test process.
    """
    for _ in range(1000):
        port = _random.randrange(12000, 32000)
        if not claim(port):
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no free port between 12000 and 32000")
