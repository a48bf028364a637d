# SPDX-License-Identifier: GPL-3.0-or-later
"""
A short whole run, also done under ThreadSanitizer (issue: "ASan, UBSan and TSan are silent"): pushes from several
threads, deletes, lists read meanwhile, one data centre lost and found, an orderly stop.
"""
from concurrent.futures import ThreadPoolExecutor

import pytest
from zf.rows import assert_rows_are
from zf.zones import da_zone, named


@pytest.mark.smoke
def test_many_hands(zonefan, dcs):
    da = zonefan.da()
    names = named("smoke", 60)
    final = {}

    def edit(number):
        for version in (1, 2, 3):
            da.push_ok(names[number], da_zone(names[number], version))
            zonefan.status()
        if number % 10 == 9:
            da.delete_ok(names[number])
        else:
            final[names[number]] = da_zone(names[number], 3)
        if number == 20:
            dcs[1].proxy.refuse()
        if number == 40:
            dcs[1].proxy.passing()
        zonefan.zones()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(edit, range(len(names))))
    zonefan.wait_converged()
    for centre in dcs:
        rows = centre.db.all_rows()
        assert sorted(rows) == sorted(final), centre.name
        for name, text in final.items():
            assert_rows_are(rows[name], text, name, centre.name)
    assert sorted(zonefan.zones()) == sorted(final)
    zonefan.restart()
    assert sorted(zonefan.zones()) == sorted(final)
