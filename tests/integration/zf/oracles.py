# SPDX-License-Identifier: GPL-3.0-or-later
"""
The oracles of reliability.md 4 that are no history (O1-O4: zf/history.py): O5 nothing crashed and the store is sound; O6 what
the process held it gives back; O7 how long acknowledgements took; O8 few lines; O9 no secret; O10 the status tells the truth.
"""
import contextlib
import glob
import json
import os
import re
import sqlite3
import subprocess
import time
from typing import NamedTuple

from .wait import wait_for

RSS_MIB = 16


# ---- O6 ----

class Resources(NamedTuple):
    threads: int
    descriptors: int
    rss_mib: float
    sanitized: bool  # ASan keeps what was freed: its resident memory says nothing of ours


def resources(zonefan):
    """What the process holds now."""
    proc = f"/proc/{zonefan.process.pid}"
    with open(f"{proc}/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    try:
        descriptors = os.listdir(f"{proc}/fd")
        with open(f"{proc}/maps", encoding="ascii", errors="replace") as file:
            maps = file.read()
    except PermissionError:  # a release lets only root look
        descriptors, maps = (subprocess.run(["sudo", "-n", *command], capture_output=True, text=True, check=True).stdout
                             for command in (["ls", "-1", f"{proc}/fd"], ["cat", f"{proc}/maps"]))
        descriptors = descriptors.split()
    sanitized = "libasan" in maps or "libtsan" in maps
    return Resources(int(status["Threads"]), len(descriptors), int(status["VmRSS"].split()[0]) / 1024, sanitized)


def forget_peak(zonefan):
    """peak_mib counts from here; where another user than root may not say so, from the start."""
    with contextlib.suppress(PermissionError), open(f"/proc/{zonefan.process.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def peak_mib(zonefan):
    """The most that was resident."""
    with open(f"/proc/{zonefan.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


def unrecovered(before, after, rss_mib=RSS_MIB):
    """What of `before` is not back; [] if all is."""
    wrong = [f"{name}: {was} before, {now} after" for name, was, now in
             (("threads", before.threads, after.threads), ("descriptors", before.descriptors, after.descriptors))
             if abs(was - now) > 2]
    if not after.sanitized and after.rss_mib > before.rss_mib + rss_mib:
        wrong.append(f"resident memory: {before.rss_mib:.0f} MiB before, {after.rss_mib:.0f} MiB after")
    return wrong


def assert_recovered(before, after, rss_mib=RSS_MIB):
    """O6: threads and descriptors back to within two, memory to within rss_mib (judged only without sanitizers)."""
    wrong = unrecovered(before, after, rss_mib)
    assert not wrong, "; ".join(wrong)


def wait_recovered(zonefan, before, deadline=30, rss_mib=RSS_MIB):
    """The same, for what is given back a little later (threads left to a dead resolver, connections that idle)."""
    with contextlib.suppress(AssertionError):
        wait_for(lambda: not unrecovered(before, resources(zonefan), rss_mib), deadline, "recovered")
    after = resources(zonefan)
    assert_recovered(before, after, rss_mib)
    return after


# ---- O5 ----

def assert_store_sound(path):
    """SQLite's own opinion of the file, which may be in use."""
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        said = store.execute("PRAGMA quick_check").fetchall()
    finally:
        store.close()
    assert said == [("ok",)], f"{path}: {said[:5]}"


def assert_clean(zonefan):
    """O5: no sanitizer spoke, nothing dumped core, the store is sound."""
    zonefan.check()
    cores = glob.glob(os.path.join(zonefan.directory, "core*"))
    assert not cores, f"a core file: {cores}"
    assert_store_sound(zonefan.store)


# ---- O7 ----

def percentile(values, part):
    """The value that `part` of 100 of them do not exceed."""
    ranked = sorted(values)
    assert ranked, "no value to rank"
    return ranked[min(len(ranked) - 1, int(len(ranked) * part / 100))]


def ack_ms(load, part=99):
    """O7: the percentile of a history's acknowledgements, in ms. A figure for the report: tests/run asserts none."""
    return 1000 * percentile([seconds for outcome, seconds in load.answers if outcome == "acknowledged"], part)


# ---- O8 ----

BACKEND = re.compile(r'\bbackend="?([A-Za-z0-9_.-]+)')


class Log:
    """What is logged from now on, about each back end."""

    def __init__(self, zonefan):
        self.zonefan = zonefan
        self.lines = len(zonefan.log().splitlines())
        self.event = max((event["id"] for event in zonefan.listing("/api/v1/events", "events")), default=0)
        self.began = time.monotonic()

    def about(self, backend):
        """(lines about it, summaries of batches and of passes among them)"""
        lines = [line for line in self.zonefan.log().splitlines()[self.lines:]
                 if (found := BACKEND.search(line)) and found[1] == backend]
        return lines, [line for line in lines if "batch done" in line or "healing pass" in line]

    def assert_few(self, backend):
        """
        O8: a line for each change of state, one summary a minute. Changes are what the events tell; a zone's own failed
        attempt, which its policy counts, is one too.
        """
        lines, summaries = self.about(backend)
        events = [event for event in self.zonefan.listing("/api/v1/events", "events")
                  if event["backend"] == backend and event["id"] > self.event]
        minutes = 1 + (time.monotonic() - self.began) / 60
        changes = [line for line in lines if line not in summaries and "delivery failed" not in line]
        assert len(changes) <= len(events) + minutes, f"{len(events)} changes of {backend}, and these lines:\n" + "\n".join(changes)
        # A drain of many zones has a summary of its own, a pass two lines, and both follow when a lane came up.
        ups = sum(event["kind"] == "lane_up" for event in events)
        assert len(summaries) <= 3 * (1 + minutes + ups), "summaries:\n" + "\n".join(summaries)
        return len(lines)


# ---- O9 ----

def assert_no_secret(zonefan, *more):
    """O9: none of its passwords stands in the log, what it answers, its command line, or in the texts given."""
    with open(f"/proc/{zonefan.process.pid}/cmdline", encoding="utf-8", errors="replace") as file:
        command = file.read()
    places = {"log": zonefan.log(), "status": json.dumps(zonefan.status()), "command line": command,
              "events": json.dumps(zonefan.listing("/api/v1/events", "events"))}
    places.update({f"text {number}": text for number, text in enumerate(more)})
    for place, text in places.items():
        for secret in zonefan.secrets:
            assert secret not in text, f"a secret stands in the {place}"


# ---- O10 ----

def wait_state(zonefan, backend, *states, limit=10):
    """O10: how many seconds it took until the status told one of the states (the bar, 2 s, is for the report)."""
    began = time.monotonic()
    wait_for(lambda: zonefan.backend(backend)["state"] in states, limit,
             lambda: f"{backend} is {states}; it is {zonefan.backend(backend)}:\n{zonefan.log_tail()}")
    return time.monotonic() - began
