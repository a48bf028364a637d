# SPDX-License-Identifier: GPL-3.0-or-later
"""Static analysers, ThreadSanitizer, valgrind. ASan and UBSan are in every other group: its programs are built with them."""
import glob
import os
import re
from concurrent.futures import ThreadPoolExecutor

from context import PYTHON
from tree import ROOT

MEMCHECK = ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
            "--error-exitcode=77", "--child-silent-after-fork=yes"]
MEMCHECK_FOUND = 77
# What valgrind can't run, and why.
NOT_UNDER_MEMCHECK = {
    "test_store_disk": "lowers limits of its children under what valgrind itself needs",
    "test_store_speed": "asserts times",
}
# Without sanitizers a test that waits for something may fail at a thirtieth of the speed: that is no error of memory.
UNIT_SECONDS = 1200
TSAN = {"TSAN_OPTIONS": "halt_on_error=1:exitcode=99:second_deadlock_stack=1"}


def analyse(context, what, required):
    done = context.command(["tests/analyse", what])
    found = [line for line in done.stdout.splitlines() if re.search(r": (error|warning|performance|portability):", line)]
    return context.entry(row="ANALYSER", fault=f"what {what} finds", injected=f"tests/analyse {what}", required=required,
                         happened=f"{len(found)} findings" + ("" if done.returncode == 0 else f": {done.stdout[-2000:]}"),
                         ok=done.returncode == 0)


def memcheck(context, program):
    """(name, found errors, finished, passed, output)"""
    name = os.path.basename(program)
    try:
        done = context.command([*MEMCHECK, program], timeout=UNIT_SECONDS)
    except Exception as error:  # a timeout: the report says which
        return name, False, False, False, str(error)[-500:]
    found = done.returncode == MEMCHECK_FOUND or done.returncode < 0
    return name, found, True, done.returncode == 0, done.stdout[-1500:]


def unit_memcheck(context):
    programs = [path for path in sorted(glob.glob(os.path.join(context.build("release"), "test_*")))
                if os.path.basename(path) not in NOT_UNDER_MEMCHECK]
    with ThreadPoolExecutor(context.cores) as pool:
        results = list(pool.map(lambda path: memcheck(context, path), programs))
    bad = [f"{name}: {output}" for name, found, finished, _, output in results if found or not finished]
    slow = [name for name, found, finished, passed, _ in results if finished and not found and not passed]
    return context.entry(
        row="MEMCHECK", fault="an error of memory or a leak in a unit test", injected="valgrind memcheck on the release's unit tests",
        required="no error, nothing definitely lost", times=len(results), ok=bool(results) and not bad,
        happened=(f"{len(results) - len(bad)} of {len(results)} programs without an error" +
                  (f"; too slow under it for their own waits: {', '.join(slow)}" if slow else "") + "".join(bad)[:2000]))


def tsan_unit(context):
    context.build("tsan")
    done = context.command(["ctest", "--test-dir", "build/tsan", "-j", str(2 * context.cores), "--timeout", "1800",
                            "--output-on-failure"], env=TSAN)
    told = re.search(r"tests passed, (\d+) tests failed out of (\d+)", done.stdout)
    return context.entry(row="P07", fault="a data race or lock inversion in unit tests and simulation",
                         injected="ThreadSanitizer, all of ctest", required="silent, all pass",
                         happened=told.group() if told and done.returncode == 0 else done.stdout[-2000:],
                         times=int(told.group(2)) if told else 0, ok=done.returncode == 0)


def tsan_integration(context):
    """In the sizes of tests/run: what counts is which threads meet, not how often."""
    done = context.command([PYTHON, "-m", "pytest", "-q", "--tb=short", "-m", "smoke or threads", "tests/integration"],
                           env={"ZONEFAN_BIN_DIR": context.build("tsan"), "ZONEFAN_SEED": str(context.seed)})
    told = re.search(r"^.*\d+ passed.*$", done.stdout, re.MULTILINE)
    return context.entry(row="P07", fault="a data race or lock inversion in the running daemon",
                         injected="ThreadSanitizer, the integration tests marked smoke or threads", required="silent, all pass",
                         happened=told.group() if told and done.returncode == 0 else done.stdout[-2000:], ok=done.returncode == 0)


def run(context):
    yield analyse(context, "cppcheck", "nothing that is not explained in tests/cppcheck.suppressions")
    yield analyse(context, "clang-tidy", "nothing that is not explained in .clang-tidy")
    yield from context.pytest("test_memcheck.py", preset="release")
    yield tsan_integration(context)
    yield tsan_unit(context)
    yield unit_memcheck(context)
