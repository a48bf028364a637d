# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database, or the way to it, can do to us (reliability.md B00-B27)."""
import os
import re

TESTS = ["faults/test_backends_server.py", "faults/test_backends_login.py", "faults/test_backends_outage.py",
         "faults/test_backends_network.py", "faults/test_backends_galera.py", "test_faults.py", "test_poison.py", "test_reader.py",
         "test_row_writes.py", "test_heal.py", "test_heal_auto.py"]

# With the release build: figures.
FIGURES = ["faults/test_backends_figures.py"]

# Unit tests, on a real mariadbd, that show a row: program, row, fault, injected, required.
UNITS = [
    ("test_coredns_mysql_codes", "B22", "38 error codes at each of six stages; six kinds of nonsense at each (a packet cut short, a "
     "wrong number, a length that never comes, nothing, a request for a local file, endless columns)",
     "a relay puts SIGNAL, or nonsense, in the place of one statement", "each ends in its class; no COMMIT after it; old rows stay; no "
     "file is sent"),
    ("test_coredns_mysql_faults", "B12", "deadlock (1213), lock wait, KILL, a slow transaction, a fence, a session's limits",
     "a scripted order of locks by other sessions; SIGSTOP; a scripted server", "the whole transaction again; never COMMIT after it"),
    ("test_coredns_mysql_late", "B06", "a server busy with the last packet of a zonefand that is gone", "a trigger that sleeps",
     "what comes by another connection meanwhile stands in the end"),
    ("test_coredns_mysql_blame", "B22", "one bad zone among 1,024", "checks, triggers, locks",
     "it alone is blamed, within two transactions for each doubling"),
    ("test_coredns_mysql_schema", "B14", "columns narrower, of other kinds, missing; tables altered meanwhile", "ALTER, DROP",
     "named, with the file to apply; nothing is cut"),
]


def run(context):
    yield from context.pytest(*TESTS)
    yield from context.pytest(*FIGURES, preset="release")
    programs = context.build("dev")
    for program, row, fault, injected, required in UNITS:
        done = context.command([os.path.join(programs, program)])
        passed = done.stdout.count("[       OK ]")
        cases = sum(int(count) for count in re.findall(r"^(\d+) cases:", done.stdout, re.M))
        yield context.entry(row=row, fault=fault, injected=injected, required=required, ok=done.returncode == 0 and passed > 0,
                            happened=f"{cases or passed} {'cases' if cases else 'unit tests'} passed" if done.returncode == 0 else
                            done.stdout[-1000:], times=cases or passed)
