# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "max_memory (an estimate per record, index included, checked against HeapInuse within 25 %) kept, resident memory at
most 2 times it; a zone larger than the room left is served and evicted first."
"""
import os
import time

import pytest

import tables
import versions
from stage import make_stage
from traffic import Dnsperf, write_questions

MIB = 1 << 20
ROOM = 128 * MIB
ZONES = 5500
TXT_SIZE, TXTS = 4000, 8  # 32 KB of data a zone, beside the small records
SAMPLES = 20


def texts(count, size):
    """TXT records of that many bytes of data, at names of their own."""
    value = " ".join(f'"{"k" * 250}"' for _ in range(size // 250))
    return [(f"t{i}", "TXT", value) for i in range(count)]


def zone_names():
    return [f"m{i:05d}.memory.example" for i in range(ZONES)]


@pytest.fixture(scope="module")
def filled(server, scratch):
    """More zones than fit."""
    with make_stage(server, scratch) as made:
        made.tables()
        small = [(f"host{i}", "A", f"192.0.2.{i}") for i in range(1, 11)]
        tables.fill_alike(made.db, zone_names(), small + texts(TXTS, TXT_SIZE))
        yield made


def ask_all(stage, coredns):
    """Every zone once."""
    path = write_questions(os.path.join(stage.directory, "questions"), [(name, "TXT") for name in zone_names()])
    found = Dnsperf(coredns.port, path, runs=1, outstanding=4).wait()
    assert found["rcodes"] == {"NOERROR": ZONES}, found["text"]


def show(coredns, seen):
    sizes = {name: f"{size / MIB:.1f} MiB" for name, size in seen.items()}
    print(f"{sizes}, {coredns.metric('loaded_zones'):.0f} zones loaded")


@pytest.mark.timeout(900)
def test_max_memory_is_kept(filled, plain):
    coredns = filled.reader(plain, max_memory="128MiB").start()
    ask_all(filled, coredns)
    show(coredns, coredns.memory())
    assert 0.7 * ROOM < coredns.memory()["estimate"] <= ROOM
    assert 0.5 * ZONES < coredns.metric("loaded_zones") < ZONES
    ask_all(filled, coredns)
    seen = coredns.memory()
    show(coredns, seen)
    assert seen["estimate"] <= ROOM
    assert seen["peak"] <= 2 * ROOM
    assert coredns.version(zone_names()[0]) == 1


@pytest.mark.timeout(900)
def test_the_estimate_is_the_heap(filled, plain):
    """GOGC=10: the heap in use is what is held, and little garbage."""
    coredns = filled.reader(plain, env={"GOGC": "10"}, max_memory="128MiB", snapshot=None).start()
    ask_all(filled, coredns)
    found = []
    for _ in range(SAMPLES):
        found.append(coredns.memory())
        time.sleep(0.05)
    best = min(found, key=lambda one: one["heap"])
    show(coredns, best)
    assert 0.75 * best["heap"] <= best["estimate"] <= 1.25 * best["heap"]


def loads(coredns):
    return coredns.metric("loads_total")


@pytest.mark.timeout(300)
def test_a_zone_larger_than_the_room(stage, plain):
    """It is answered each time, and takes nobody's place."""
    stage.tables()
    small = [f"s{i:03d}.memory.example" for i in range(200)]
    tables.fill_alike(stage.db, small, [])
    tables.fill_alike(stage.db, ["large.example"], texts(90, 60000))
    coredns = stage.reader(plain, max_memory="4MiB").start()
    coredns.wait_metric("snapshot_zones", lambda count: count == len(small) + 1)
    for name in small:
        assert coredns.version(name) == 1
    before = loads(coredns)
    for _ in range(3):
        assert coredns.version("large.example") == 1
        assert coredns.ask(versions.Question("t7.large.example", "TXT")).rcode == 0
    after = loads(coredns)
    assert after > before
    coredns.wait_metric("memory_bytes", lambda value: value <= 4 * MIB)
    for name in small:
        assert coredns.version(name) == 1
    assert loads(coredns) == after, "small zones were evicted"
