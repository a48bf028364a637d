# SPDX-License-Identifier: GPL-3.0-or-later
"""The n-th allocation of a process fails: tests/preload/nth_malloc.c, steered through a file that both map."""
import mmap
import os
import struct
import typing

import pytest

from .lone import RELEASE

LIBRARY = os.path.join(os.path.dirname(RELEASE), "lib", "nth_malloc.so")
FIELDS = struct.Struct("4q")  # armed, fail_at, count, failed
ASKED_BY = 4096               # bytes after them: who asked for the allocation that failed


class Frame(typing.NamedTuple):
    """A place in a program or library: the call that led to an allocation."""
    module: str
    offset: str
    symbol: str  # the nearest one that is exported; "-": none

    def __str__(self):
        return f"{self.module} {self.symbol if self.symbol != '-' else self.offset}"


class NthMalloc:
    def __init__(self, directory):
        if not os.path.exists(LIBRARY):
            pytest.skip("no release build of nth_malloc: cmake --preset release && cmake --build --preset release")
        self.path = os.path.join(directory, "nth_malloc")
        with open(self.path, "wb") as file:
            file.write(bytes(FIELDS.size + ASKED_BY))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), FIELDS.size + ASKED_BY)

    def environment(self):
        return {"LD_PRELOAD": LIBRARY, "NTH_MALLOC": self.path}

    def arm(self, fail_at):
        """Counts from now on; the fail_at-th fails, 0: none does."""
        FIELDS.pack_into(self.map, 0, 0, fail_at, 0, 0)
        self.map[FIELDS.size:] = bytes(ASKED_BY)
        FIELDS.pack_into(self.map, 0, 1, fail_at, 0, 0)

    def disarm(self):
        """(allocations since it was armed, whether one failed)"""
        _, fail_at, count, failed = FIELDS.unpack_from(self.map, 0)
        FIELDS.pack_into(self.map, 0, 0, fail_at, count, failed)
        return count, failed > 0

    def asked_by(self):
        """Who asked for the allocation that failed, the innermost call first."""
        text = self.map[FIELDS.size:].split(b"\0")[0].decode()
        frames = [line.rsplit(" ", 2) for line in text.splitlines()]
        return [Frame(os.path.basename(path), offset, symbol) for path, offset, symbol in frames]
