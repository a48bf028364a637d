# SPDX-License-Identifier: GPL-3.0-or-later
"""A short whole run under valgrind, of a build without sanitizers (group `analysers` of tests/proof)."""
import os

import pytest
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone, named

MEMCHECK = ["valgrind", "--tool=memcheck", "--leak-check=full", "--show-leak-kinds=definite", "--fair-sched=yes",
            "--errors-for-leak-kinds=definite", "--error-exitcode=77"]
PATIENCE = 240  # it is some 30 times slower


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.row("MEMCHECK", fault="an error of memory, or a leak",
                 injected="valgrind memcheck: pushes, a data centre lost and found, damage healed, deletes, a stop",
                 required="no error, nothing definitely lost")
def test_a_whole_run_under_memcheck(install, dcs, happened):
    zonefan = install(dcs, start=False)
    said = os.path.join(zonefan.directory, "memcheck")
    zonefan.start(ready=False, wrap=[*MEMCHECK, f"--log-file={said}"])
    wait_for(zonefan._ready, PATIENCE, "zonefand is ready under valgrind")
    da = zonefan.da(timeout=60)
    names = named("memcheck", 12)
    dcs[1].proxy.refuse()
    for version in (1, 2):
        for name in names:
            da.push_ok(name, da_zone(name, version))
    da.delete_ok(names[-1])
    dcs[1].proxy.passing()
    zonefan.wait_converged(deadline=PATIENCE)
    dcs[0].db.sql("DELETE FROM records")
    zonefan.ctl("heal")
    zonefan.ctl("status")
    zonefan.ctl("events")

    def is_healed():
        return len(dcs[0].db.all_rows().get(names[0], ())) > 0
    wait_for(is_healed, PATIENCE, "what was damaged is healed")
    zonefan.wait_converged(deadline=PATIENCE)
    for centre in dcs:
        rows = centre.db.all_rows()
        assert sorted(rows) == sorted(names[:-1]), centre.name
        assert_rows_are(rows[names[0]], da_zone(names[0], 2), names[0], centre.name)
    code = zonefan.term(deadline=PATIENCE)
    with open(said, encoding="utf-8", errors="replace") as file:
        report = file.read()
    assert code == 0 and "ERROR SUMMARY: 0 errors" in report, report[-6000:]
    happened("0 errors, 0 bytes definitely lost", zones=len(names))
