# SPDX-License-Identifier: GPL-3.0-or-later
"""The process (reliability.md 4.3), but for the kills and the soak."""
import os

# What has no threads, or takes too long with fifty times the time: as in tests/run.
NO_THREADS = "^(sim_[12]|test_(store|zone|conf|sched)_.*)$"
TSAN_SLICE = ("test_smoke.py", "test_stop.py", "test_heal.py", "faults/test_process_signals.py")


def run(context):
    yield from context.pytest("faults/test_process_trace.py", "faults/test_process_signals.py", "test_stop.py")
    yield from races(context)


def races(context):
    """P07: unit tests, simulation, and a slice of the integration tests, under ThreadSanitizer."""
    required = "0 reports, no suppressions"
    build = os.path.dirname(context.build("tsan"))
    done = context.command(["ctest", "-j", str(context.cores), "--timeout", "600", "--output-on-failure", "-E", NO_THREADS], cwd=build,
                           env={"TSAN_OPTIONS": "halt_on_error=1:exitcode=99:second_deadlock_stack=1"})
    yield context.entry(row="P07", fault="data races, unit tests and simulation", injected="ThreadSanitizer", required=required,
                        happened=done.stdout.strip()[-600 if done.returncode == 0 else -4000:], ok=done.returncode == 0)
    # The slice's own rows were shown above: here it only has to be silent.
    entries = list(context.pytest(*TSAN_SLICE, preset="tsan"))
    bad = [entry for entry in entries if not entry["ok"]]
    yield context.entry(row="P07", fault="data races, integration tests", injected=f"ThreadSanitizer: {', '.join(TSAN_SLICE)}", required=required,
                        times=len(entries), ok=not bad, happened=f"{len(bad)} failures" + "".join(f"; {entry['happened']}" for entry in bad[:5]))
