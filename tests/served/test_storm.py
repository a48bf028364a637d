# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "10 minutes of dnsperf at full speed with 5,000 to 10,000 names from cold while zones change and the database is
killed, frozen and restarted: no crash, no wrong answer, no SERVFAIL for a loaded zone; and the same with the race
detector silent." (The public plugin dies of this within seconds: coredns-plugin-facts.md A8.)

In tests/run each fault comes once; with --minutes N they come again and again for so long.
"""
import itertools
import os
import random
import threading
import time

import pytest

import versions
from asker import Asker
from churn import Pusher
from storm import Changer, Checker, Zone
from traffic import Dnsperf, write_questions
from zf.wait import wait_for

ZONES, SHORT_ZONES = 2000, 1000  # each tenth comes and goes
NAMES_PER_ZONE = 5
CHANGES_PER_SECOND = 40
SETTLE_LIMIT = 60
LOST_AT_MOST = 0.001
GOROUTINES_AT_MOST = 1000
SHORT_SECONDS = 15


class Faults(threading.Thread):
    """One fault after the other, as long as it is asked to, all of them once at least; after each, all must come right."""

    def __init__(self, storm, until):
        super().__init__(daemon=True)
        self.storm = storm
        self.until = until
        self.away = 1.5 if storm.short else 6
        self.counts = {}
        self.problem = None
        self.start()

    def run(self):
        try:
            faults = (self.killed, self.frozen, self.restarted, self.reloaded)
            for number, fault in enumerate(itertools.cycle(faults)):
                if time.monotonic() > self.until and number >= len(faults):
                    return
                fault()
                self.counts[fault.__name__] = self.counts.get(fault.__name__, 0) + 1
                self.storm.settle(fault.__name__)
        except Exception as error:  # a thread's failure is the test's
            self.problem = repr(error)

    def killed(self):
        self.storm.db.kill()
        time.sleep(self.away)
        self.storm.db.start()

    def frozen(self):
        self.storm.db.freeze()
        time.sleep(self.away)
        self.storm.db.resume()

    def restarted(self):
        self.storm.db.stop()
        self.storm.db.start()

    def reloaded(self):
        self.storm.coredns.reload()


class Storm:
    def __init__(self, stage, binary, seed, short):
        self.stage, self.db, self.short = stage, stage.db, short
        self.zonefan = stage.zonefan()
        count = SHORT_ZONES if short else ZONES
        self.zones = [Zone(f"s{i:04d}.storm.example", 1) for i in range(count)]
        self.steady, self.fickle = self.zones[count // 10:], self.zones[:count // 10]
        self.pusher = Pusher(self.zonefan.da())
        for zone in self.zones:
            self.pusher.give(zone.name, versions.text(zone.name, 1))
        wait_for(lambda: not self.pusher.work.unfinished_tasks, 60, "all zones are pushed")
        self.zonefan.wait_converged()
        self.coredns = stage.reader(binary).start()
        self.checker = Checker(Asker(self.coredns.port), self.zones, seed)
        self.seed = seed

    def questions(self):
        """Of the zones that stay, in no order: five names of each."""
        asked = [(owner + zone.name, rtype) for zone in self.steady for owner, rtype in
                 (("", "TXT"), ("host0.", "A"), ("below.any.", "TXT"), ("alias.", "A"), ("missing.", "AAAA"))]
        random.Random(self.seed).shuffle(asked)
        return write_questions(os.path.join(self.stage.directory, "questions"), asked)

    def settle(self, after):
        """No more changes, until all that were made are answered; then they go on."""
        self.changer.resting.set()
        wait_for(lambda: not self.checker.unsettled(), SETTLE_LIMIT,
                 lambda: f"after {after}: still not right: "
                         f"{[(z.name, z.states[z.at:]) for z in self.checker.unsettled()[:5]]}:\n{self.coredns.log_tail()}")
        self.changer.resting.clear()

    def run(self, seconds):
        """
        From cold: all questions once, before anything is loaded. When all is loaded the faults begin, and questions go on as
        fast as they are answered. dnsperf's report of both; what is still to be loaded may be SERVFAIL.
        """
        until = time.monotonic() + seconds
        questions = self.questions()
        self.changer = Changer(self.checker, self.pusher, self.steady, self.fickle, CHANGES_PER_SECOND, self.seed)
        cold, warm = Dnsperf(self.coredns.port, questions, runs=1), None
        try:
            self.turn_while(cold.running)
            self.wait_loaded()
            warm = Dnsperf(self.coredns.port, questions)
            faults = Faults(self, until)
            self.turn_while(faults.is_alive)
            assert faults.problem is None, faults.problem
            return cold.wait(), warm.end(), faults.counts
        finally:
            self.changer.over.set()
            for load in filter(None, (cold, warm)):
                load.process.kill()
            self.pusher.end()

    def wait_loaded(self):
        """Nothing is in the index that is not loaded."""
        def watch():
            wait_for(lambda: self.coredns.metric("loaded_zones") >= self.coredns.metric("zones"), SETTLE_LIMIT, "all loaded")
            seen.append(True)
        seen = []
        watcher = threading.Thread(target=watch, daemon=True)
        self.changer.resting.set()
        watcher.start()
        self.turn_while(watcher.is_alive)
        self.changer.resting.clear()
        assert seen, f"{self.coredns.metrics()}:\n{self.coredns.log_tail()}"

    def turn_while(self, goes_on):
        while goes_on():
            self.checker.turn()
            assert self.coredns.alive(), f"CoreDNS died:\n{self.coredns.log_tail(60)}"
            assert self.pusher.problem is None, self.pusher.problem


def show(label, found):
    print(f"dnsperf, {label}: {found['seconds']:.1f} s, {found['rate']:.0f} queries/s, {found['lost']:.0f} lost, "
          f"{found['rcodes']}, slowest {found['slowest']:.2f} s")


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", ["plain", "race"])
def test_storm(stage, request, kind, minutes):
    seed = int(os.environ.get("ZONEFAN_SEED", random.randrange(10**6)))
    print(f"ZONEFAN_SEED={seed}")
    storm = Storm(stage, request.getfixturevalue(kind), seed, short=not minutes)
    begun = time.monotonic()
    cold, warm, faults = storm.run(minutes * 60 or SHORT_SECONDS)
    print(f"{time.monotonic() - begun:.0f} s, {faults}; {storm.changer.version} changes, {storm.checker.checked} answers "
          "checked")
    show("cold", cold)
    show("warm", warm)
    print(storm.coredns.memory())
    assert cold["sent"] == len(storm.steady) * NAMES_PER_ZONE
    assert set(warm["rcodes"]) == {"NOERROR", "NXDOMAIN"}, warm["text"]
    for found in (cold, warm):
        assert found["lost"] <= found["sent"] * LOST_AT_MOST, found["text"]
    assert storm.coredns.metrics()["go_goroutines"] < GOROUTINES_AT_MOST
