# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database, or the way to it, can do to us (reliability.md B00-B27)."""
import os
import re

TESTS = ["faults/test_backends_server.py", "faults/test_backends_login.py", "faults/test_backends_outage.py",
         "faults/test_backends_network.py", "faults/test_backends_galera.py", "test_faults.py", "test_poison.py", "test_reader.py",
         "test_row_writes.py", "test_heal.py", "test_heal_auto.py"]

# With the release build: figures.
FIGURES = ["faults/test_backends_figures.py"]

# Unit tests on a real mariadbd that show a row: program, test, row, fault, injected, required.
BLAMED = "it alone is blamed, in two transactions for each doubling; the others are delivered"
UNITS = [
    ("faults", "test_deadlock", "B12", "deadlock with ours as the victim", "a scripted order of locks (1213)",
     "told to the lane as 1213, to be tried again; old rows stay; the next save is right"),
    ("faults", "test_killed_within_a_transaction", "B08", "our connection killed in mid-transaction", "KILL", "old rows stay; redone"),
    ("faults", "test_fence", "B05", "a thread of ours that the server still runs holds the zone", "another session in its place",
     "ended by the next connection, no lock is waited for; never one of another run of the server"),
    ("faults", "test_slow_transaction", "B18", "a transaction longer than transaction_max_ms", "a trigger that sleeps",
     "given up; COMMIT lands whole or not, never behind what is newer"),
    ("faults", "test_statement_limit", "B18", "a statement longer than max_statement_time", "a trigger that sleeps (1969)",
     "the zone's own trouble; nothing of it stays"),
    ("faults", "test_unknown_variables", "B22", "a server that does not know our session variables", "a scripted server (1193)",
     "left out and told once; all others are set"),
    ("faults", "test_mute_server", "B23", "a server that says nothing", "a listener that never accepts", "connect_timeout_ms"),
    ("tls", "test_dribbled_handshake", "B23", "a TLS handshake dribbled byte by byte", "a scripted server", "connect_timeout_ms"),
    ("late", "test_late_save", "B06", "a server busy with the last packet of a zonefand that is gone: a save", "a trigger that sleeps",
     "what comes by another connection meanwhile stands in the end"),
    ("late", "test_late_delete", "B06", "a server busy with the last packet of a zonefand that is gone: a delete", "a trigger that sleeps",
     "as for a save"),
    ("blame", "test_bad_zones", "B22", "bad zones among 1,024 of one batch", "a check of the table", BLAMED),
    ("blame", "test_locked_zones", "B13", "some zones of a batch locked by others", "another session", BLAMED),
    ("blame", "test_locked_table", "B13", "all zones of a batch locked by others", "another session", "not found out of each one"),
    ("schema", "test_engine_altered_meanwhile", "B14", "a table altered between two packets", "ALTER TABLE in mid-transaction",
     "nothing is written to what was not looked at"),
    ("schema", "test_missing_column", "B14", "a column missing", "ALTER TABLE ... DROP COLUMN", "named"),
    ("schema", "test_without_the_right_to_alter", "B14", "no right to ALTER", "REVOKE", "goes on with what is there, or names the file"),
    ("server", "test_verification", "B20", "a server that stores something else than was written", "triggers that alter data",
     "seen before COMMIT; refused by name"),
]
UNUSUAL = 13  # lines that test_coredns_mysql_codes tells: one that is missing was not tried
SAYS = "each ends in its class; no COMMIT after it; old rows stay; no file is sent"


def unit_tests(context, programs):
    said = {}
    for program, test, row, fault, injected, required in UNITS:
        if program not in said:
            said[program] = context.command([os.path.join(programs, f"test_coredns_mysql_{program}")]).stdout
        passed = f"[       OK ] {test}\n" in said[program]
        yield context.entry(row=row, fault=fault, injected=injected, required=required, ok=passed,
                            happened="as required" if passed else said[program][-1000:], test=f"{program}: {test}")


def unusual_answers(context, programs):
    """B22: the program tells each fault in a line of its own, and how many cases it was."""
    done = context.command([os.path.join(programs, "test_coredns_mysql_codes")])
    told = re.findall(r"^(\d+) cases: (.*)$", done.stdout, re.M)
    for count, fault in told:
        yield context.entry(row="B22", fault=fault, injected="a relay puts SIGNAL, or nonsense, in the place of an answer", required=SAYS,
                            ok=done.returncode == 0, happened=f"{count} cases, all as required", times=int(count))
    if done.returncode != 0 or len(told) != UNUSUAL:
        yield context.entry(row="B22", fault="unusual answers", injected="a relay", required=SAYS, ok=False,
                            happened=done.stdout[-1000:])


def run(context):
    yield from context.pytest(*TESTS, workers=3)  # they wait for most of their time
    yield from context.pytest(*FIGURES, preset="release")
    programs = context.build("dev")
    yield from unit_tests(context, programs)
    yield from unusual_answers(context, programs)
