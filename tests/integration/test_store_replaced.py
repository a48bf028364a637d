# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "The store replaced by a copy ten generations old, and by an empty store plus a push: every later push reaches
all databases." (decisions.md 1: a restored or rebuilt store never locks itself out.)
"""
import glob
import os
import shutil

import pytest
from zf.rows import assert_rows_are
from zf.zones import da_zone, named


def store_files(zonefan):
    return [path for path in glob.glob(zonefan.store + "*") if not path.endswith((".lock", ".ballast"))]


def expect(dcs, texts):
    for centre in dcs:
        rows = centre.db.all_rows()
        for name, text in texts.items():
            assert_rows_are(rows.get(name, []), text, name, centre.name)


@pytest.mark.row("S07", fault="store replaced by a copy ten generations old", injected="files copied, put back later",
                 required="every later push and delete reaches all databases, generations go on upwards")
def test_ten_generations_old(zonefan, dcs, tmp_path):
    names = named("old", 8)
    da = zonefan.da()
    for name in names:
        da.push_ok(name, da_zone(name, 1))
    zonefan.wait_converged()
    oldest = zonefan.zone(names[0])["generation"]
    zonefan.stop()
    for path in store_files(zonefan):
        shutil.copy(path, tmp_path)
    zonefan.start()
    for version in range(2, 12):
        for name in names:
            da.push_ok(name, da_zone(name, version))
    zonefan.wait_converged()
    newest = zonefan.zone(names[0])["generation"]
    zonefan.stop()
    for path in store_files(zonefan):
        os.unlink(path)
    for path in tmp_path.iterdir():
        shutil.copy(path, zonefan.directory)
    zonefan.start()
    # A healing pass may have met the newer stamps by now, and raised the generation; the text is still the old one.
    assert oldest <= newest - 10 and zonefan.zone(names[0])["serial"] == 1
    # what follows the restore must reach everybody: an edit, the same text again, a delete, a new zone
    texts = {name: da_zone(name, 100) for name in names[:4]}
    texts[names[4]] = da_zone(names[4], 1)
    texts["brandnew.example"] = da_zone("brandnew.example", 1)
    for name, text in texts.items():
        da.push_ok(name, text)
    da.delete_ok(names[5])
    zonefan.wait_converged()
    expect(dcs, texts)
    for centre in dcs:
        assert centre.db.zone_id(names[5]) is None
    assert zonefan.zone(names[0])["generation"] > newest
    # and once more: no push after the first needs a second look
    texts = {name: da_zone(name, 101) for name in names[:4]}
    for name, text in texts.items():
        da.push_ok(name, text)
    zonefan.wait_converged()
    expect(dcs, texts)


@pytest.mark.parametrize("how", [pytest.param(how, marks=pytest.mark.row(
    "S07", fault=f"store {how}", injected="files removed", required="every later push and delete reaches all databases; nothing else is touched"))
    for how in ("missing", "empty of zones")])
def test_empty_store(zonefan, dcs, how):
    names = named("lost", 5)
    da = zonefan.da()
    for name in names:
        for version in (1, 2, 3):
            da.push_ok(name, da_zone(name, version))
    zonefan.wait_converged()
    ids = {centre.name: centre.db.zone_id(names[0]) for centre in dcs}
    zonefan.stop()
    for path in store_files(zonefan):
        os.unlink(path)
    zonefan.start()
    if how == "empty of zones":
        zonefan.restart()
    assert zonefan.zones() == {}
    texts = {names[0]: da_zone(names[0], 50), names[1]: da_zone(names[1], 3)}
    for name, text in texts.items():
        da.push_ok(name, text)
    zonefan.wait_converged()
    expect(dcs, texts)
    # zones that the new store was not told of are nobody's to change
    expect(dcs, {name: da_zone(name, 3) for name in names[2:]})
    for centre in dcs:
        assert centre.db.zone_id(names[0]) == ids[centre.name], "the zone's id changed"
    texts = {names[0]: da_zone(names[0], 51)}
    da.push_ok(names[0], texts[names[0]])
    zonefan.wait_converged()
    expect(dcs, texts)
    # a delete by the new store is honoured too
    da.delete_ok(names[1])
    zonefan.wait_converged()
    assert [centre.db.zone_id(names[1]) for centre in dcs] == [None] * 3


def test_lost_database(zonefan, dcs):
    """The other way round: one database is emptied; pushes (even equal ones) bring their zones back."""
    names = named("emptied", 4)
    da = zonefan.da()
    texts = {name: da_zone(name, 1) for name in names}
    for name, text in texts.items():
        da.push_ok(name, text)
    zonefan.wait_converged()
    dcs[1].proxy.refuse()
    dcs[1].db.reset()
    dcs[1].proxy.passing()
    for name, text in texts.items():
        da.push_ok(name, text)
    zonefan.wait_converged()
    expect(dcs, texts)
