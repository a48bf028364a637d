# SPDX-License-Identifier: GPL-3.0-or-later
"""Hundreds of questions under way at a time, by one thread over one UDP socket."""
import heapq
import itertools
import select
import socket
import struct
import time

from versions import QR, Answer

LOST_AFTER = 0.4
BUFFER = 4 << 20


class Asker:
    """
    ask() sends; turn() hands answers to who asked. No answer within LOST_AFTER seconds: the question is sent again, and
    counted as lost: a packet that the kernel dropped is no wrong answer.
    """

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.ids = itertools.count(1)
        self.asked = {}
        self.due = []
        self.order = itertools.count()
        self.sent = self.lost = 0

    def close(self):
        self.socket.close()

    def at(self, when, action):
        """action() at that time.monotonic(), or in the turn after."""
        heapq.heappush(self.due, (when, next(self.order), action))

    def ask(self, question, answered):
        """answered(Answer) in a later turn."""
        ident = next(self.ids) & 0xffff
        while ident in self.asked:
            ident = next(self.ids) & 0xffff
        sent = time.monotonic()
        self.asked[ident] = (question, answered, sent)
        self.at(sent + LOST_AFTER, lambda: self._again(ident, sent))
        self.sent += 1
        try:
            self.socket.send(struct.pack("!H", ident) + question.wire)
        except (BlockingIOError, ConnectionRefusedError):
            pass  # as if it was lost

    def _again(self, ident, sent):
        entry = self.asked.get(ident)
        if entry and entry[2] == sent:
            del self.asked[ident]
            self.lost += 1
            self.ask(entry[0], entry[1])

    def turn(self, longest=0.05):
        """Does what is due and takes what has come; waits at most `longest` seconds for something."""
        now = time.monotonic()
        while self.due and self.due[0][0] <= now:
            heapq.heappop(self.due)[2]()
        wait = min(longest, max(0.0, self.due[0][0] - time.monotonic())) if self.due else longest
        select.select([self.socket], [], [], wait)
        for _ in range(256):
            try:
                wire = self.socket.recv(65535)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue  # nobody listens just now: the question counts as lost in a second
            self._take(wire)

    def _take(self, wire):
        ident, flags = struct.unpack_from("!2H", wire)
        entry = self.asked.pop(ident, None)
        if entry is None:
            return  # the answer to a question that was sent again meanwhile
        question, answered, _ = entry
        assert flags & QR and wire[12:len(question.wire) + 2] == question.wire[10:], f"no answer to {question}: {wire}"
        answered(Answer(question, wire))
