# SPDX-License-Identifier: GPL-3.0-or-later
"""
Planted bugs (reliability.md 6.2, decisions.md 25): each is switched on by ZONEFAN_PLANTED in the development build, and a
test of tests/run must then fail by name; without it the same test passes. What the simulation finds of them is shown by its
own tests (sim_finds_*) and the group sim.
"""
import os
import re
from collections import namedtuple

from context import PYTHON
from tree import ROOT

# said: what the output says of the test that found it.
Bug = namedtuple("Bug", "name what command said")


def unit(program, test):
    return [f"build/dev/bin/{program}"], rf"\[  FAILED  \] {test}\b"


def integration(path, test):
    return [PYTHON, "-m", "pytest", "-q", f"tests/integration/{path}", "-k", test], rf"^(FAILED|ERROR) .*::{test}\b"


BUGS = [Bug(name, what, *found) for name, what, found in [
    ("ack_before_commit", "a push is answered before its COMMIT",
     unit("test_engine_promises", "an_answer_comes_after_the_commit")),
    ("synchronous_normal", "the store commits without waiting for the disk",
     unit("test_store_open", "test_settings")),
    ("synchronous_off", "the store never waits for the disk (control of the power cuts)",
     unit("test_store_open", "test_settings")),
    ("commit_after_1205", "COMMIT after a statement that waited in vain for a lock",
     unit("test_coredns_mysql_faults", "test_lock_wait")),
    ("retry_old_body", "a retry sends the text of the attempt that failed",
     unit("test_engine_promises", "a_retry_delivers_the_newest_text")),
    ("replace_into_zones", "a zone is written by REPLACE INTO zones: its id changes",
     unit("test_coredns_mysql_server", "test_one_record_of_many")),
    ("no_fence", "what a lost connection still does at the server is not fenced off",
     unit("test_coredns_mysql_faults", "test_fence")),
    ("down_burns_attempts", "a back end that is down costs its zones attempts",
     unit("test_engine_promises", "a_back_end_that_is_down_charges_no_attempt")),
    ("digest_check_off", "what was written is not compared before COMMIT",
     unit("test_coredns_mysql_verify", "test_oddities")),
    ("delete_on_empty_list", "an empty list of a master means that it has no zones",
     unit("test_sync_list", "test_what_is_odd")),
    ("no_address_limit", "wrong passwords are limited all together, not for each address",
     unit("test_http_auth", "test_bucket_of_an_address")),
    ("secret_in_log", "a connection that fails is logged with its password",
     integration("test_log.py", "test_an_outage_is_two_lines_not_one_for_each_zone")),
    ("tombstone_forgotten", "a start forgets what was deleted",
     unit("test_engine_promises", "a_delete_is_remembered_over_a_restart")),
]]
# Found within a second or two: tests/run tries these with every change.
QUICK = ["ack_before_commit", "retry_old_body", "down_burns_attempts", "tombstone_forgotten", "no_address_limit"]


def try_one(bug, command):
    """(found, why not): the bug makes the named test fail, and without it the command succeeds."""
    clean = command(bug.command)
    if clean.returncode != 0:
        return False, f"fails without the bug too: {clean.stdout[-1000:]}"
    # A test that fails leaves things behind: that is no finding.
    planted = command(bug.command, env={"ZONEFAN_PLANTED": bug.name, "ASAN_OPTIONS": "detect_leaks=0"})
    if planted.returncode == 0:
        return False, "not found: everything passes"
    if not re.search(bug.said, planted.stdout, re.MULTILINE):
        return False, f"something failed, but not the test for it: {planted.stdout[-1000:]}"
    return True, ""


def run(context):
    context.build("dev")
    for bug in BUGS:
        shown = " ".join(os.path.relpath(part, ROOT) if os.path.isabs(part) and part.startswith(ROOT) else part
                         for part in bug.command)
        found, why = try_one(bug, context.command)
        yield context.entry(row="PLANTED", fault=f"{bug.name}: {bug.what}", injected=f"ZONEFAN_PLANTED={bug.name} {shown}",
                            required="the test for it fails, and passes without it",
                            happened="found" if found else why, ok=found)
