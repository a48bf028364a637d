# SPDX-License-Identifier: GPL-3.0-or-later
"""The same zone texts go through zonefan, MariaDB and CoreDNS, and to Knot; then both are asked."""
import contextlib
from concurrent.futures import ThreadPoolExecutor

import corpus
import differ
from servers import Knot
from zf.wait import wait_for

READS = 30  # limit of the wait for the reader's next look at the index


class Play:
    """One stage. What a round found is added to what was found before."""

    def __init__(self, stage, binary, program):
        self.stage = stage
        self.program = program
        self.zonefan = stage.zonefan()
        self.reader = stage.reader(binary).start()
        self.accepted, self.refused = [], {}  # zones; {source: what zonefan said}
        self.results = []
        self.seen = set()  # names of zones compared before

    def push(self, zones):
        """Those that zonefan took; the database holds them then."""
        da = self.zonefan.da()
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda zone: da.push(zone.name, zone.text), zones))
        taken = []
        for zone, reply in zip(zones, replies):
            assert reply.status == 200, f"{zone.source}: {reply}"
            if reply.error == "0":
                taken.append(zone)
            else:
                self.refused[zone.source] = reply.text
        self.zonefan.wait_converged()
        self.accepted += taken
        return taken

    @contextlib.contextmanager
    def oracle(self, zones):
        """Knot with these zones, when both servers have them."""
        knot = Knot({zone.name: zone.for_oracle() for zone in zones}, self.stage.subdirectory("knot"))
        knot.start()
        try:
            for zone in zones:
                knot.wait_serves([zone.name])
                # a second text of a zone may have the serial of the first
                look = differ.record_count if zone.name in self.seen else differ.serial
                wait_for(lambda: look(knot.port, zone.name) == look(self.reader.port, zone.name), READS,
                         lambda: f"the reader has {zone.name}:\n{self.reader.log_tail()}")
            self.seen |= {zone.name for zone in zones}
            yield knot
        finally:
            knot.stop()

    def compare(self, zones, **options):
        """One round: zones of which no two have the same name."""
        taken = self.push(zones)
        with self.oracle(taken) as knot:
            result = differ.compare(self.program, self.stage.subdirectory("differ"), knot.port, self.reader.port, taken, **options)
        self.results.append(result)
        return result

    def compare_all(self, zones, **options):
        for part in corpus.rounds(zones):
            self.compare(part, **options)

    def totals(self):
        """Of all rounds: {what: sum}, and {rule: how often it was needed}."""
        sums, permitted = {}, {}
        for result in self.results:
            for key, value in result.totals.items():
                for name, count in (value.items() if key == "permitted" else ()):
                    permitted[name] = permitted.get(name, 0) + count
                if key != "permitted":
                    sums[key] = sums.get(key, 0) + value
        return sums, permitted
