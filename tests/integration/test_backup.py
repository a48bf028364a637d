# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the store while it runs and while it does not; and what a copy of yesterday is good for."""
import glob
import json
import os
import sqlite3
import stat
import threading

import pytest
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone, named

pytestmark = pytest.mark.threads


def zones_in(path):
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {name.rstrip("."): serial for name, serial in store.execute("SELECT name, serial FROM zone WHERE deleted = 0")}


def leftovers(path):
    return [other for other in glob.glob(path + "*") if other != path]


def test_while_it_runs(zonefan, tmp_path):
    """Pushes go on meanwhile; what was answered before the backup began is in it."""
    da = zonefan.da()
    names = named("backup", 200)
    for name in names:
        da.push_ok(name, da_zone(name, 1))
    going = True
    pushed = []

    def push():
        while going:
            pushed.append(zonefan.da().push("busy.example", da_zone("busy.example", len(pushed) + 1)).error)
    pusher = threading.Thread(target=push)
    pusher.start()
    wait_for(lambda: pushed, 30, "pushes go on")
    path = str(tmp_path / "copy.db")
    done = zonefan.ctl("backup", path, check=0)
    going = False
    pusher.join()
    assert done.stdout == f"{path}: {os.path.getsize(path)} bytes\n"
    assert pushed and set(pushed) == {"0"}
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and leftovers(path) == []
    held = zones_in(path)
    assert set(names) <= set(held) and set(held) - set(names) <= {"busy.example"}
    before = open(path, "rb").read()
    assert "is there already" in zonefan.ctl("backup", path, check=1).stderr
    assert open(path, "rb").read() == before
    assert "No such file" in zonefan.ctl("backup", str(tmp_path / "no/folder.db"), check=1).stderr
    # relative names are of zonefanctl's folder
    zonefan.ctl("backup", "here.db", check=0)
    assert zones_in(os.path.join(zonefan.directory, "here.db"))
    events = [event["detail"] for event in zonefan.listing("/api/v1/events", "events", 1000) if event["kind"] == "backup"]
    assert sorted(event.split(" ")[0] for event in events) == ["failed:", "failed:", "to", "to"]
    assert all("control socket" in event for event in events)


def test_while_it_is_down(zonefan, tmp_path):
    zonefan.da().push_ok("down.example", da_zone("down.example", 7))
    for end in (zonefan.stop, zonefan.kill9):
        if not zonefan.alive():
            zonefan.start()
        end()
        path = str(tmp_path / f"{end.__name__}.db")
        done = zonefan.ctl("--json", "backup", path, check=0)
        assert json.loads(done.stdout) == {"state": "done", "file": path, "size": os.path.getsize(path)}
        assert zones_in(path) == {"down.example": 7} and leftovers(path) == []
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert "is there already" in zonefan.ctl("backup", path, check=1).stderr
    zonefan.start()
    assert set(zonefan.zones()) == {"down.example"}
    zonefan.stop()
    os.unlink(zonefan.store)
    assert "there is no store" in zonefan.ctl("backup", str(tmp_path / "none.db"), check=3).stderr
    assert not os.path.exists(zonefan.store), "a backup made a store"


def test_only_by_the_control_socket(zonefan, tmp_path):
    path = tmp_path / "remote.db"
    answer = zonefan.da().request("POST", f"/api/v1/backup?file={path}", b"")
    assert answer.status == 403 and not path.exists()
    zonefan.ctl("backup", check=64)


@pytest.mark.row("S07", fault="store lost, yesterday's copy put in its place", injected="files removed, copy of zonefanctl backup",
                 required="it starts; every later push reaches all databases; what nobody pushed again stays as it is")
def test_yesterdays_copy_restored(zonefan, dcs, tmp_path):
    """The store is lost; the copy of yesterday delivers on, and every later push reaches all databases."""
    names = named("old", 8)
    da = zonefan.da()
    for name in names:
        da.push_ok(name, da_zone(name, 1))
    zonefan.wait_converged()
    copy = str(tmp_path / "yesterday.db")
    zonefan.ctl("backup", copy, check=0)
    for version in range(2, 7):
        for name in names:
            da.push_ok(name, da_zone(name, version))
    da.push_ok("today.example", da_zone("today.example", 1))
    zonefan.wait_converged()
    zonefan.restore(copy)
    assert set(zonefan.zones()) == set(names)
    texts = {name: da_zone(name, 100) for name in names[:4]}
    texts[names[4]] = da_zone(names[4], 1)
    for name, text in texts.items():
        da.push_ok(name, text)
    da.delete_ok(names[5])
    zonefan.wait_converged()
    for centre in dcs:
        rows = centre.db.all_rows()
        for name, text in texts.items():
            assert_rows_are(rows[name], text, name, centre.name)
        assert names[5] not in rows
        assert_rows_are(rows["today.example"], da_zone("today.example", 1), "today.example", centre.name)
