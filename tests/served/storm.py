# SPDX-License-Identifier: GPL-3.0-or-later
"""
What goes on at the same time in test_storm.py: zones that change, and a checker that knows what each of them may answer.
"""
import collections
import random
import threading
import time

import dns.rcode

import versions

ASKED_PER_TURN = 8
TURN_SECONDS = 0.008
UNDER_WAY = 60  # questions; no more, so that the kernel drops none
STALL_SECONDS = 60
FAR_BEHIND = 8  # states: such a zone is left alone for now


class Zone:
    """
    states: what it was made, in order: a version, or None for deleted. at: the place of the state that was answered last;
    answers never go back before it.
    """

    def __init__(self, name, version):
        self.name = name
        self.states = [version]
        self.at = 0
        self.loaded = False
        self.asked = False
        self.questions = {kind: versions.Question(owner + name, rtype) for kind, owner, rtype in
                          (("TXT", "", "TXT"), ("MX", "", "MX"), ("SOA", "", "SOA"), ("wildcard", "below.any.", "TXT"),
                           ("missing", "missing.", "A"))}

    @property
    def settled(self):
        """Whether it was deleted once or twice does not show."""
        return self.states[self.at] == self.states[-1]

    def take(self, kind, answer):
        """Where the answer stands among the states; it must be one of them, and no older than what was seen."""
        if answer.rcode == dns.rcode.SERVFAIL:
            # it is known, and its rows are out of reach: no answer, but no wrong one either
            assert not self.loaded, f"SERVFAIL for a loaded zone, {self.name}"
            return
        state = self.state_of(kind, answer)
        self.loaded = state is not None
        later = range(self.at, len(self.states))
        self.at = next((at for at in later if self.states[at] == state), -1)
        assert self.at >= 0, f"{self.name}: {state} is none of {self.states[later.start:]}: {answer}"

    @staticmethod
    def state_of(kind, answer):
        if versions.is_gone(answer):
            return None
        good = dns.rcode.NXDOMAIN if kind == "missing" else dns.rcode.NOERROR
        assert answer.rcode == good and answer.version is not None and answer.authoritative, answer
        return answer.version


class Checker:
    """Asks all the time, one question per zone at a time; what is not settled is asked first. Its turns are the caller's."""

    def __init__(self, asker, zones, seed):
        self.asker = asker
        self.zones = zones
        self.random = random.Random(seed)
        self.restless = collections.deque()
        self.lock = threading.Lock()
        self.checked = 0
        self.progress = time.monotonic()

    def changed(self, zone, version):
        """Called before the push."""
        with self.lock:
            zone.states.append(version)
            self.restless.append(zone)

    def turn(self):
        for number in range(min(ASKED_PER_TURN, UNDER_WAY - len(self.asker.asked))):
            zone = self.next_restless() if number % 2 else None
            self.ask(zone or self.random.choice(self.zones))
        self.asker.turn(TURN_SECONDS)
        assert time.monotonic() - self.progress < STALL_SECONDS, "nothing is answered any more"

    def next_restless(self):
        with self.lock:
            for _ in range(len(self.restless)):
                zone = self.restless.popleft()
                if not zone.settled:
                    self.restless.append(zone)
                    return zone
        return None

    def ask(self, zone):
        if zone.asked:
            return
        zone.asked = True
        kind = self.random.choice(list(zone.questions))
        self.asker.ask(zone.questions[kind], lambda answer: self.answered(zone, kind, answer))

    def answered(self, zone, kind, answer):
        zone.asked = False
        zone.take(kind, answer)
        self.checked += 1
        self.progress = time.monotonic()

    def unsettled(self):
        return [zone for zone in self.zones if not zone.settled]


class Changer(threading.Thread):
    """Pushes and deletes at a steady rate; fickle zones come and go, the others only change."""

    def __init__(self, checker, pusher, steady, fickle, per_second, seed):
        super().__init__(daemon=True)
        self.checker, self.pusher = checker, pusher
        self.steady, self.fickle = steady, fickle
        self.pause = 1 / per_second
        self.random = random.Random(seed)
        self.over, self.resting = threading.Event(), threading.Event()
        self.version = 1
        self.start()

    def run(self):
        while not self.over.wait(self.pause):
            if not self.resting.is_set():
                self.one()

    def one(self):
        self.version += 1
        zone = self.random.choice(self.random.choice((self.steady, self.steady, self.steady, self.fickle)))
        if not zone.settled and zone.at < len(zone.states) - FAR_BEHIND:
            return
        deletes = zone in self.fickle and zone.states[-1] is not None
        self.checker.changed(zone, None if deletes else self.version)
        self.pusher.give(zone.name, None if deletes else versions.text(zone.name, self.version))
