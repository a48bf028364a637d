# SPDX-License-Identifier: GPL-3.0-or-later
"""The n-th allocation of a process fails: tests/preload/nth_malloc.c, steered through a file that both map."""
import mmap
import os
import struct

import pytest

from .lone import RELEASE

LIBRARY = os.path.join(os.path.dirname(RELEASE), "lib", "nth_malloc.so")
FIELDS = struct.Struct("4q")  # armed, fail_at, count, failed


class NthMalloc:
    def __init__(self, directory):
        if not os.path.exists(LIBRARY):
            pytest.skip("no release build of nth_malloc: cmake --preset release && cmake --build --preset release")
        self.path = os.path.join(directory, "nth_malloc")
        with open(self.path, "wb") as file:
            file.write(bytes(FIELDS.size))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), FIELDS.size)

    def environment(self):
        return {"LD_PRELOAD": LIBRARY, "NTH_MALLOC": self.path}

    def arm(self, fail_at):
        """Counts from now on; the fail_at-th fails, 0: none does."""
        FIELDS.pack_into(self.map, 0, 0, fail_at, 0, 0)
        FIELDS.pack_into(self.map, 0, 1, fail_at, 0, 0)

    def disarm(self):
        """(allocations since it was armed, whether one failed)"""
        _, fail_at, count, failed = FIELDS.unpack_from(self.map, 0)
        FIELDS.pack_into(self.map, 0, 0, fail_at, count, failed)
        return count, failed > 0
