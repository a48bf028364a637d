# SPDX-License-Identifier: GPL-3.0-or-later
"""Static analysers, ThreadSanitizer, valgrind. ASan and UBSan are in every other group: its programs are built with them."""
import glob
import os
import re
from concurrent.futures import ThreadPoolExecutor

from context import PYTHON
from tree import ROOT

MEMCHECK = ["valgrind", "-q", "--error-exitcode=77", "--child-silent-after-fork=yes"]
LEAKS = ["--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]
MEMCHECK_FOUND = 77
# What valgrind can't run, and why.
NOT_UNDER_MEMCHECK = {
    "test_store_disk": "lowers limits of its children under what valgrind itself needs",
    "test_store_speed": "asserts times",
}
# What may fail there for another reason than an error of memory; any other that fails is a violation. A test that fails leaves what it
# holds, so leaks are not looked for in these.
FAILS_UNDER_MEMCHECK = {
    "test_coredns_mysql_tls": "TLS at a thirtieth of the speed, within time-outs of 1 and 3 s that it is about",
    "test_engine_pulse": "how soon an idle thread beats is what it asserts",
    "test_engine_heal": "one of its tests repeats a pass over 900 zones until one takes less than a second, 99 times",
    "test_http_door": "one of its tests lowers the limit of descriptors, which valgrind only imitates",
    "test_zone_corpus": "how long large zones take is one of its tests",
}
UNIT_SECONDS = 1200
FAILED = [False, True, False]  # no error found, finished, not passed
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
        leaks = [] if name in FAILS_UNDER_MEMCHECK else LEAKS
        done = context.command([*MEMCHECK, *leaks, program], timeout=UNIT_SECONDS)
    except Exception as error:  # a timeout: the report says which
        return name, False, False, False, str(error)[-500:]
    found = done.returncode == MEMCHECK_FOUND or done.returncode < 0
    return name, found, True, done.returncode == 0, done.stdout[-1500:]


def is_bad(name, found, finished, passed):
    return found or not finished or (not passed and name not in FAILS_UNDER_MEMCHECK)


def unit_memcheck(context):
    programs = [path for path in sorted(glob.glob(os.path.join(context.build("release"), "test_*")))
                if os.path.basename(path) not in NOT_UNDER_MEMCHECK]
    with ThreadPoolExecutor(context.cores) as pool:
        results = list(pool.map(lambda path: memcheck(context, path), programs))
    bad = [f"{name}: {output}" for name, *outcome, output in results if is_bad(name, *outcome)]
    failed = [f"{name} ({FAILS_UNDER_MEMCHECK[name]})" for name, *outcome, _ in results
              if outcome == FAILED and name in FAILS_UNDER_MEMCHECK]
    return context.entry(
        row="MEMCHECK", fault="an error of memory or a leak in a unit test", injected="valgrind memcheck on the release's unit tests",
        required="no error, nothing definitely lost; all pass but those that are named with a reason", times=len(results),
        ok=bool(results) and not bad,
        happened=(f"{len(results) - len(bad)} of {len(results)} programs without an error" +
                  (f"; failed there without one: {', '.join(failed)}" if failed else "") + "".join(bad)[:2000]))


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
