# SPDX-License-Identifier: GPL-3.0-or-later
"""
HTTP under attack (reliability.md 4.4). Twice: with the sanitizers, which find what is touched wrongly, and as released, where
percentiles, memory and the processor's share are judged.
"""

WITH_SANITIZERS = ["test_hygiene.py", "test_dialect.py", "faults/test_http_zones.py", "faults/test_http_large.py",
                   "faults/test_http_crowd.py"]
AS_RELEASED = ["faults/test_http_slow.py", "faults/test_http_login.py", "faults/test_http_crowd.py", "faults/test_http_large.py",
               "faults/test_http_zones.py", "faults/test_http_burst.py"]

# Unit tests that show a row: program, row, fault, injected, required.
UNITS = [
    ("test_http_gate", "H06", "random changes of good requests, cut into any parts", "the gate alone, without sockets",
     "the same verdict however it is cut; nothing is read behind a refusal"),
    ("test_http_door", "H01", "deadlines, a client that does not read, a crowd, a full house, too many bytes", "the whole room with a fake engine",
     "each is ended as lib/http/README.md says, others are served"),
    ("test_http_dialect", "H09", "the vectors of the protocol page, a full queue, an engine in trouble", "the whole room with a fake engine",
     "the answers of the page"),
]


def folded(entries):
    """One entry for each fault: a test that runs for eight variants of a master is one line, with the sum of its times."""
    faults = {}
    for entry in entries:
        known = faults.setdefault((entry["row"], entry["fault"]), entry)
        if known is entry:
            continue
        known["times"] += entry["times"]
        known["seconds"] += entry["seconds"]
        if known["ok"] and not entry["ok"]:
            known.update(ok=False, happened=entry["happened"])
    return faults.values()


def run(context):
    yield from folded(context.pytest(*WITH_SANITIZERS))
    yield from context.pytest(*AS_RELEASED, preset="release")
    yield from context.unit_tests(UNITS)
