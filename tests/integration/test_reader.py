# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "A reader that polls during 2,000 rewrites never sees an empty or mixed zone, and the zone id never changes."
(product table W8; reliability.md C5, O2-O4.)
"""
import threading

import pytest
from zf.wait import wait_for
from zf.zones import da_zone, version_of

ZONE = "polled.example"
REWRITES = 2000


class Reader(threading.Thread):
    """Reads the whole zone in one statement, again and again, on a connection of its own."""

    def __init__(self, centre):
        super().__init__(daemon=True)
        self.centre = centre
        self.halt = threading.Event()
        self.versions = []
        self.ids = set()
        self.reads = 0
        self.problem = None

    def run(self):
        try:
            while not self.halt.is_set():
                self.ids.add(self.centre.db.zone_id(ZONE))
                version = version_of(self.centre.db.rows(ZONE))
                assert version is not None, "the zone was empty"
                self.reads += 1
                if not self.versions or self.versions[-1] != version:
                    self.versions.append(version)
        except Exception as error:  # a thread's failure is the test's
            self.problem = f"{self.centre.name}: {error}"


@pytest.mark.row("B00", fault="none: one zone rewritten 2,000 times under a reader", injected="pushes",
                 required="0 torn, 0 empty reads; ids stay")
def test_reader_sees_whole_zones(zonefan, dcs, happened):
    da = zonefan.da()
    da.push_ok(ZONE, da_zone(ZONE, 1, hosts=20))
    zonefan.wait_converged()
    readers = [Reader(centre) for centre in dcs]
    for reader in readers:
        reader.start()
    # from zone to zone the number of records changes too
    delivered = reads = 0
    for version in range(2, REWRITES + 2):
        da.push_ok(ZONE, da_zone(ZONE, version, hosts=20 - version % 10))
        if version % 25 == 0:
            # let it be written now and then: pushes that are coalesced rewrite nothing
            wait_for(lambda: readers[0].versions and readers[0].versions[-1] >= version - 25, 30, "the reader follows")
    zonefan.wait_converged()
    wait_for(lambda: all(r.problem or r.versions[-1] == REWRITES + 1 for r in readers), 30, "the readers see the last")
    for reader in readers:
        reader.halt.set()
        reader.join(20)
        assert reader.problem is None, reader.problem
        assert reader.versions == sorted(reader.versions), f"{reader.centre.name} went backwards"
        assert len(reader.ids) == 1, f"the zone had the ids {reader.ids}"
        delivered += len(reader.versions)
        reads += reader.reads
        assert len(reader.versions) >= 50, "too few versions were seen to mean anything"
    happened(f"{delivered} versions seen, 0 torn, 0 empty", reads=reads, acknowledged=REWRITES + 1)
