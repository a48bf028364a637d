# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md S07-S09: a store whose bytes were changed, a folder that is not fit for one, a WAL that a reader keeps from starting over.
"""
import contextlib
import glob
import os
import random
import shutil
import sqlite3
import subprocess
import time

import pytest
from zf.da import NoAnswer
from zf.lone import Pushes, lone, release
from zf.oracles import assert_store_sound
from zf.power import run as as_root
from zf.rows import assert_rows_are
from zf.inject import around
from zf.wait import wait_for
from zf.zones import da_zone, named, version_of

ZONES = 40
NOBODY = 65534


def damage(path, chance):
    """Flips one to three bits of the file; where."""
    size = os.path.getsize(path)
    places = [chance.randrange(size) for _ in range(chance.randint(1, 3))] if chance.random() < 0.8 else \
        [chance.randrange(min(size, 200))]  # the header has its share
    with open(path, "r+b") as file:
        for at in places:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1 << chance.randrange(8)]))
    return f"{os.path.basename(path)} at {places}"


def store_files(zonefan):
    return [path for path in sorted(glob.glob(zonefan.store + "*")) if not path.endswith((".lock", ".ballast"))]


def keep(zonefan, folder):
    folder.mkdir()
    for path in store_files(zonefan):
        shutil.copy(path, folder)
    return folder


def put_back(zonefan, folder):
    for path in store_files(zonefan):
        os.unlink(path)
    for path in folder.iterdir():
        shutil.copy(path, zonefan.directory)


def contents(path):
    with open(path, "rb") as file:
        return file.read()


@pytest.mark.timeout(3600)
@pytest.mark.row("S07", fault="bits of the store flipped (header, pages, texts, WAL, its index)",
                 injected="1 to 3 bits at random places, then an empty database to fill",
                 required="200 flips: 0 wrong zones delivered, 0 crashes; exit code 65 and an untouched file, or it goes on")
def test_flipped_bits(install, dcs, tmp_path, seed, times, happened):
    centre, chance = dcs[0], random.Random(seed)
    zonefan = install([centre])
    names = named("flip", ZONES)
    for version in (1, 2):
        for name in names:
            zonefan.da().push_ok(name, da_zone(name, version, hosts=20))
    zonefan.wait_converged()
    zonefan.kill9()
    with_wal = keep(zonefan, tmp_path / "killed")
    zonefan.start()
    zonefan.stop()
    one_file = keep(zonefan, tmp_path / "stopped")
    refused = served = delivered = 0
    for _ in range(times(5, 200)):
        kept = chance.choice([with_wal, one_file])
        put_back(zonefan, kept)
        where = damage(chance.choice([path for path in store_files(zonefan) for _ in range(1 if path.endswith("-shm") else 3)]), chance)
        before = contents(zonefan.store)
        centre.db.reset()
        zonefan.start(ready=False)
        wait_for(lambda: not zonefan.alive() or is_ready(zonefan), 60, "it is ready or has ended")
        if zonefan.alive():
            zonefan.wait_lane("dc1", "up")
            done = zonefan.ctl("heal")
            assert zonefan.alive() or zonefan.process.wait() in (65, 70), f"{where}: {done}\n{zonefan.log_tail()}"
        if zonefan.alive():
            served += 1
            zonefan.term(60)  # an end with an error is no fault here
        else:
            refused += 1
            assert zonefan.process.returncode in (65, 70), f"{where}: {zonefan.process.returncode}\n{zonefan.log_tail()}"
            assert zonefan.process.returncode == 70 or contents(zonefan.store) == before, f"{where}: the damaged file was changed"
        zonefan.check()
        for name, rows in (centre.db.all_rows() if centre.db.sql("SHOW TABLES") else {}).items():
            assert_rows_are(rows, da_zone(name, version_of(rows), hosts=20), name, f"after {where}")
            delivered += 1
    happened(f"{refused} times it ended with a reason, {served} times it went on; {delivered} zones delivered, 0 of them wrong",
             times=refused + served, lost=0)


def last_leaf_of_zones(path):
    """Where the last page with rows of that table begins (SQLite's file format, 1.6): behind its root, which holds pointers alone."""
    with contextlib.closing(sqlite3.connect(path)) as store:
        root, size = store.execute("SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name = 'zone'").fetchone()
    with open(path, "rb") as file:
        file.seek((root - 1) * size)
        head = file.read(12)
    assert head[0] == 5, "an interior page of a table"
    return (int.from_bytes(head[8:12], "big") - 1) * size


@pytest.mark.row("S07", fault="the store is damaged where it is not looked at before zonefand serves", injected="a page of names, after a clean stop",
                 required="exit code 65 with the reason, and an untouched file, again and again")
def test_names_that_cannot_be_read(install, dcs, happened):
    zonefan = install(dcs[:1])
    dcs[0].proxy.refuse()  # what is delivered is read before it serves
    for name in named("leaf", 120):
        zonefan.da().push_ok(name, da_zone(name, 1))
    zonefan.wait_lane("dc1", "down")  # once it has something to fail at
    zonefan.stop()
    with open(zonefan.store, "r+b") as file:
        file.seek(last_leaf_of_zones(zonefan.store))
        file.write(b"\xff")
    before = contents(zonefan.store)
    for _ in range(2):
        zonefan.start(ready=False)
        wait_for(lambda: not zonefan.alive(), 60, "it has ended")
        assert zonefan.process.returncode == 65 and "can't be read" in zonefan.log(), zonefan.log_tail()
        assert contents(zonefan.store) == before, "the damaged file was changed"
    zonefan.check()
    happened("ended with 65 twice, the file as it was", times=2)


def is_ready(zonefan):
    try:
        return zonefan.da(timeout=10).get("/readyz").status == 200
    except (OSError, NoAnswer):
        return False


# ---- S08 ----

def refusal(zonefan, wrap=()):
    """How it refuses to start: (exit code, seconds, last line)."""
    began = time.monotonic()
    zonefan.start(ready=False, wrap=wrap)
    code = zonefan.wait_end(30)
    return code, time.monotonic() - began, zonefan.log_tail(1)


def missing_folder(zonefan, tmp_path):
    zonefan.store = str(tmp_path / "nowhere" / "zonefan.sqlite")
    return (), ["nowhere", "No such file"]


def read_only_disk(zonefan, tmp_path):
    folder = tmp_path / "ro"
    folder.mkdir()
    done = as_root("mount", "-t", "tmpfs", "-o", "ro", "none", str(folder))
    if done.returncode != 0:
        pytest.skip(f"no mounts here: {done.stderr}")
    zonefan.store = str(folder / "zonefan.sqlite")
    return (), ["Read-only file system"]


def somebody_elses_folder(zonefan, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody else")
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    os.chown(zonefan.config_path, NOBODY, NOBODY)
    for path in (zonefan.directory, os.path.dirname(zonefan.directory), os.path.dirname(os.path.dirname(zonefan.directory)),
                 tmp_path, tmp_path.parent, tmp_path.parent.parent):
        os.chmod(path, 0o755)
    zonefan.store = str(folder / "zonefan.sqlite")
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"), ["Permission denied"]


def network_file_system(zonefan, tmp_path):
    """As the kernel tells it: statfs says NFS (0x6969)."""
    return tuple(around(tmp_path / "strace", "-e", "trace=statfs,fstatfs", "-e", "inject=statfs,fstatfs:poke_exit=@arg2=6969")), ["NFS", "local disk"]


CASES = {"folder missing": missing_folder, "disk read-only": read_only_disk, "folder of another user": somebody_elses_folder,
         "folder on NFS": network_file_system}


@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.row(
    "S08", fault=case, injected={"folder on NFS": "strace pokes the answer of statfs"}.get(case, "made so"),
    required="no start: exit code 78 within 1 s, with the reason")) for case in CASES])
def test_unfit_folders(install, tmp_path, happened, bar, case):
    zonefan = lone(install, programs=release())
    try:
        wrap, wanted = CASES[case](zonefan, tmp_path)
        zonefan.configure({"datastore": {"db_location": zonefan.store}})
        code, took, line = refusal(zonefan, wrap)
        assert code == 78, (code, line)
        for word in wanted:
            assert word in line, line
        assert not os.path.exists(zonefan.store)
        assert took < 15
        happened(f"exit code 78 after {took:.2f} s: {line.split('msg=')[-1][:200]}")
        bar("seconds until refused", took, 1)
    finally:
        subprocess.run(["umount", "-l", str(tmp_path / "ro")], stderr=subprocess.DEVNULL, check=False)


# ---- S09 ----

@pytest.mark.timeout(900)
@pytest.mark.row("S09", fault="a reader keeps the WAL from starting over", injected="sqlite3: BEGIN; SELECT, held while texts are pushed",
                 required="pushes are taken; once it is gone the WAL starts over and is no longer than 64 MiB and a commit (68)")
def test_stuck_reader(install, seed, times, happened):
    zonefan = lone(install, programs=release()).start()
    chance, pushes = random.Random(seed), Pushes(zonefan)
    assert pushes.push() == "0"
    reader = sqlite3.connect(f"file:{zonefan.store}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM zone").fetchone() == (1,)

    def push(number):
        """100 KiB that no compressor makes smaller."""
        name = f"wal{number % 20}.example"
        records = "\n".join(f'r{i} IN TXT "{chance.getrandbits(900):x}"' for i in range(400))
        zonefan.da().push_ok(name, da_zone(name, number + 1, extra=records))

    amount, after = times((60, 100), (1500, 1500))
    for number in range(amount):
        push(number)
    stuck = wal_mib(zonefan)
    reader.execute("ROLLBACK")
    reader.close()
    longest = 0
    for number in range(amount, amount + after):
        push(number)
        longest = max(longest, wal_mib(zonefan)) if number > amount + 20 else 0
    zonefan.wait_lane("dc0", "down")
    assert_store_sound(zonefan.store)
    assert len(zonefan.zones()) == 21
    happened(f"WAL {stuck:.1f} MiB after {amount} pushes of 100 KiB beside the reader, at most {longest:.1f} MiB in {after} without it",
             times=amount + after, acknowledged=1 + amount + after)
    assert stuck > times(8, 128), "the reader was in the way"
    assert longest <= times(min(68, stuck + 4), 68), "the WAL starts over"
    zonefan.stop()
    assert not os.path.exists(zonefan.store + "-wal")


def wal_mib(zonefan):
    return os.path.getsize(zonefan.store + "-wal") / (1 << 20)
