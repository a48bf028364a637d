# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores of many zones, made without pushing them (bench_fill), and daemons on them."""
import hashlib
import os
import subprocess
import time

import zones as bench_zones
from zf.daemon import Zonefan
from zf.da import NoAnswer

HOSTNAME = "da1.host.example"  # the master that the pusher plays
ZONES_PER_USER = 3
LETTERS = "abcdefghijklmnopqrstuvwxyzaeioutrnsl"
ENDINGS = ("com", "com", "com", "net", "org", "co.uk", "nl", "info")
START_LIMIT = 120
POLL_SECONDS = 0.002


def name(number):
    """As domains are: no order, 12 to 29 characters, 20 on the average."""
    seed = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
    label = "".join(LETTERS[byte % len(LETTERS)] for byte in seed[1:] + seed)[:9 + seed[0] % 15]
    return f"{label}.{ENDINGS[seed[15] % len(ENDINGS)]}"


def owner(number):
    return f"{HOSTNAME} user{number // ZONES_PER_USER}"


def fill(ctx, path, count, backends):
    """Makes a store of that many zones, delivered to all those back ends; bytes of the file for each."""
    with subprocess.Popen([ctx.programs["bench_fill"], path, *backends], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL) as process:
        for number in range(count):
            zone = name(number)
            text = bench_zones.text(zone).encode()
            process.stdin.write(f"{zone} {owner(number)} {len(text)}\n".encode() + text)
        process.stdin.close()
        if process.wait() != 0:
            raise RuntimeError(f"bench_fill: exit code {process.returncode}")
    return os.path.getsize(path) / count


def forget(path):
    """Nothing of the file stays in the kernel's page cache: as after a boot."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def installation(directory, cluster, store, more=()):
    """A daemon for that store, not started. more: further back ends (name, server, port)."""
    backends = [(server.name, server, server.port) for server in cluster.servers]
    zonefan = Zonefan(directory, [*backends, *more], {"log_level": "warning", "datastore": {"db_location": store}})
    zonefan.store = store
    cluster.daemons.append(zonefan)
    return zonefan


def start(zonefan):
    """Starts it; (seconds from exec until it takes pushes, until /readyz is good)."""
    begun = time.monotonic()
    listening = None
    zonefan.start(ready=False)
    while True:
        now = time.monotonic()
        assert now - begun < START_LIMIT and zonefan.alive(), f"zonefand does not get ready:\n{zonefan.log_tail()}"
        try:
            status = zonefan.da(timeout=START_LIMIT).get("/readyz").status
        except (OSError, NoAnswer):
            time.sleep(POLL_SECONDS)
            continue
        now = time.monotonic()
        listening = listening or now
        if status == 200:
            return listening - begun, now - begun
        time.sleep(POLL_SECONDS)


def resident_mib(pid):
    """Resident now, at its highest, and its share of what is shared with others."""
    found = {}
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]  # zonefand lets only root look at its memory
    told = subprocess.run([*sudo, "cat", f"/proc/{pid}/status", f"/proc/{pid}/smaps_rollup"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout
    for line in told.splitlines():
        key, _, value = line.partition(":")
        if key in ("VmRSS", "VmHWM", "Pss"):
            found[key] = int(value.split()[0]) / 1024
    return {"now": found["VmRSS"], "peak": found["VmHWM"], "share": found["Pss"]}
