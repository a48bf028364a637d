# SPDX-License-Identifier: GPL-3.0-or-later
"""
What was sent and what came of it, and the judge: was what a place holds, or what was seen there, promised? Pure: no server,
no clock (zf/history.py has those, and the promises O1-O4).

Each zone has one writer, so the order of its operations is known. What was refused or not answered may have taken effect or
not (reliability.md C2); what was acknowledged must have.
"""
import collections
import threading
from typing import NamedTuple

from .rows import Row
from .zones import address_of, version_of

GONE = "gone"
ASKING, ACKED, REFUSED, UNKNOWN, UNSENT = "asking", "acknowledged", "refused", "unknown", "unsent"


class Operation:
    """A push of a version, or a delete, and what came of it."""

    def __init__(self, what):
        self.what = what
        self.outcome = ASKING


class Sight(NamedTuple):
    """What one SELECT saw of a zone: its version or GONE, its id; or what was wrong with it."""
    zone: str
    state: object
    zone_id: object = None
    problem: str = None
    text: str = ""


class Stamp(NamedTuple):
    """A row of zonefan_state as it was written."""
    zone: str
    store_id: str
    generation: int
    serial: int
    deleted: int


class Violation(NamedTuple):
    kind: str
    where: str
    zone: str
    state: object
    text: str

    def __str__(self):
        return f"{self.kind} at {self.where}: {self.zone}, generation {self.state}: {self.text}"


class Book:
    """All operations of all zones, in the order of sending. Its lock makes a moment of it."""

    def __init__(self, zones):
        self.lock = threading.RLock()
        self.operations = {zone: [] for zone in zones}
        self.version = 0

    def begin(self, zone, delete=False):
        with self.lock:
            self.version += 1
            operation = Operation(GONE if delete else self.version)
            self.operations[zone].append(operation)
            return operation

    def end(self, zone, operation, outcome):
        with self.lock:
            operation.outcome = outcome
            if outcome == UNSENT:
                self.operations[zone].remove(operation)

    def count(self, outcome):
        with self.lock:
            return sum(op.outcome == outcome for ops in self.operations.values() for op in ops)

    def acknowledged(self):
        """{zone: index of its newest acknowledged operation, -1 if there is none}, now."""
        with self.lock:
            return {zone: max((i for i, op in enumerate(ops) if op.outcome == ACKED), default=-1)
                    for zone, ops in self.operations.items()}

    def allowed(self, zone, since):
        """What a place may hold that has all that was acknowledged up to the index `since`: that, or what was sent after it."""
        with self.lock:
            held = [op.what for op in self.operations[zone][max(since, 0):]]
        return held if since >= 0 else [GONE, *held]


# ---- the judge ----

def sight_of(zone, rows, records_of):
    """(z.id, and the columns of a Row) of one SELECT -> Sight. records_of(version): how many records that version has."""
    if not rows:
        return Sight(zone, GONE)
    ids, records = {row[0] for row in rows}, [Row(*row[1:]) for row in rows if row[1] is not None]
    zone_id = min(ids)
    if len(ids) > 1:
        return Sight(zone, None, zone_id, "doubled", f"ids {sorted(ids)}")
    if not records:
        return Sight(zone, None, zone_id, "empty", "the zone is there, and no record of it")
    if len(set(records)) < len(records):
        twice = [row for row, times in collections.Counter(records).items() if times > 1]
        return Sight(zone, None, zone_id, "doubled", str(twice[:3]))
    try:
        version = version_of(records)
    except AssertionError as error:
        return Sight(zone, None, zone_id, "torn", str(error))
    addresses = {row.data for row in records if row.type == "A"}
    if len(records) != records_of(version) or addresses != {address_of(version)}:
        return Sight(zone, version, zone_id, "torn", f"{len(records)} records of {records_of(version)}, addresses {addresses}")
    return Sight(zone, version, zone_id)


class Track:
    """Where a zone stood at a database when it was last seen: an index in its operations, and its id."""

    def __init__(self):
        self.at, self.zone_id, self.version = -1, None, None


def judge_sights(book, where, sights):
    """O2, O3, O4 of what was seen at one place, in the order of seeing; [Violation]."""
    found, tracks = [], collections.defaultdict(Track)
    for sight in sights:
        if sight.problem:
            found.append(Violation(sight.problem, where, sight.zone, sight.state, sight.text))
            continue
        kind, text = _step(book.operations[sight.zone], tracks[sight.zone], sight)
        if kind:
            found.append(Violation(kind, where, sight.zone, sight.state, text))
    return found


def _step(operations, track, sight):
    """Moves the track to what was seen, if it can go there by what was sent; (kind, text) of what is wrong, or (None, "")."""
    if sight.state == GONE:
        if track.version is None:
            return None, ""  # still, or never, there
        for index in range(track.at + 1, len(operations)):
            if operations[index].what == GONE:
                track.at, track.version, track.zone_id = index, None, None
                return None, ""
        return "vanished", f"version {track.version} was there, and no delete was sent after it"
    index = next((i for i, op in enumerate(operations) if op.what == sight.state), None)
    if index is None:
        return "foreign", "nobody sent that"
    if index < track.at:
        return "reversals", f"{track.version or GONE} was seen before, which was sent later"
    deleted = any(op.what == GONE for op in operations[track.at + 1:index])
    before, was = track.zone_id, track.version
    track.at, track.version, track.zone_id = index, sight.state, sight.zone_id
    if before is not None and sight.zone_id != before and not deleted:
        return "ids", f"zones.id {before} (version {was}) became {sight.zone_id}, and no delete was sent between"
    return None, ""


def judge_stamps(book, where, stamps):
    """O3 of every write at one place, in the order of writing: neither generation nor version goes back; [Violation]."""
    found, newest = [], {}
    for stamp in stamps:
        key = stamp.store_id, stamp.zone
        if stamp.generation < newest.get(key, 0):
            found.append(Violation("reversals", where, stamp.zone, stamp.generation,
                                   f"generation {newest[key]} of store {stamp.store_id} was written before"))
        newest[key] = max(newest.get(key, 0), stamp.generation)
    return found + judge_sights(book, where, [Sight(stamp.zone, GONE if stamp.deleted else stamp.serial) for stamp in stamps])


def judge_state(book, where, since, held):
    """O1: held ({zone: version}) at a place against what was acknowledged up to since ({zone: index}); [Violation]."""
    found = []
    for zone, index in since.items():
        have, allowed = held.get(zone, GONE), book.allowed(zone, index)
        if have not in allowed:
            found.append(Violation("lost", where, zone, allowed[0], f"acknowledged, {allowed[1:]} sent after it; {have} is there"))
    return found


def demand(violations):
    """Raises what the judge found, if anything."""
    if violations:
        counts = collections.Counter(violation.kind for violation in violations)
        raise AssertionError(f"history violated: {dict(counts)}\n" + "\n".join(str(v) for v in violations[:12]))
