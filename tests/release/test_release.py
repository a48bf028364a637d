# SPDX-License-Identifier: GPL-3.0-or-later
"""
What the release's programs are made of: hardened as reliability.md 9 wants it, and without anything of the test builds.
Looks at build/release/bin, or ZONEFAN_RELEASE_DIR.
"""
import os
import platform
import re
import subprocess

import pytest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("ZONEFAN_RELEASE_DIR", os.path.join(SOURCE, "build", "release", "bin"))
PROGRAMS = ["zonefand", "zonefanctl"]


def look(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stdout


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request):
    return os.path.join(BIN, request.param)


def imported(program):
    """The functions that it takes from libraries."""
    return set(re.findall(r"UND (\w+)", look("readelf", "-W", "--dyn-syms", program)))


def test_its_place_in_memory_is_random(program):
    assert re.search(r"Type:\s+DYN \(Position-Independent Executable file\)", look("readelf", "-hW", program))


def test_what_is_linked_is_bound_at_the_start_and_then_read_only(program):
    dynamic = look("readelf", "-dW", program)
    assert "BIND_NOW" in dynamic and re.search(r"FLAGS_1\).*\bNOW\b", dynamic)
    assert "GNU_RELRO" in look("readelf", "-lW", program)


def test_nothing_is_writable_and_executable(program):
    headers = look("readelf", "-lW", program)
    stack = re.search(r"GNU_STACK .*", headers).group()
    assert re.search(r" RW +0x", stack), stack
    assert not re.search(r" RWE ", headers)


def test_the_stack_is_guarded(program):
    assert "__stack_chk_fail" in imported(program)


def test_copies_and_formats_are_checked(program):
    """_FORTIFY_SOURCE: glibc's checking namesakes are called; what can't be bounded is never called at all."""
    names = imported(program)
    assert {"__memcpy_chk", "__snprintf_chk", "__vsnprintf_chk"} <= names
    assert not names & {"sprintf", "vsprintf", "strcpy", "stpcpy", "strcat", "gets", "scanf", "sscanf"}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86 only")
def test_jumps_land_where_they_may(program):
    """-fcf-protection: functions begin with endbr64. The file's own IBT mark is not there: Debian 12's crt1.o has none."""
    code = look("objdump", "-d", "--no-show-raw-insn", program)
    starts = re.findall(r"^[0-9a-f]+ <(\w+)>:\n\s*[0-9a-f]+:\s+(\w+)", code, re.MULTILINE)
    ours = dict(starts)
    assert ours["main"] == "endbr64"
    marked = sum(first == "endbr64" for first in ours.values())
    assert marked > 100 and marked > len(ours) // 20


def test_large_frames_are_probed(program):
    """-fstack-clash-protection: a frame of more than a page touches each page on its way: or qword ptr [rsp], 0."""
    if platform.machine() == "x86_64":
        assert re.search(r"\borq?\s+\$0x0,\(%rsp\)", look("objdump", "-d", "--no-show-raw-insn", program))


def test_nothing_of_the_test_builds(program):
    """No fault point, no planted bug, no sanitizer, no counters."""
    with open(program, "rb") as file:
        content = file.read()
    for trace in (b"ZONEFAN_KILL_AT", b"ZONEFAN_PLANTED", b"synchronous_normal", b"PRAGMA synchronous = NORMAL",
                  b"PRAGMA synchronous = OFF", b"REPLACE INTO %t", b"before_remote_write", b".gcda"):
        assert trace not in content, trace
    symbols = look("nm", program)
    assert not re.search(r"\b(testing_\w+|__asan_\w+|__gcov_\w+|__sanitizer_\w+)", symbols)


def test_the_same_check_finds_the_test_build():
    """So that it can fail: the development build has what a release must not have."""
    program = os.path.join(SOURCE, "build", "dev", "bin", "zonefand")
    if not os.path.exists(program):
        pytest.fail("the development build is not there")
    with open(program, "rb") as file:
        assert b"ZONEFAN_PLANTED" in file.read()
    assert "testing_is_planted" in look("nm", program)
