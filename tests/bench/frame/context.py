# SPDX-License-Identifier: GPL-3.0-or-later
"""What a part is given to work with."""
import os
import subprocess
import sys


class Context:
    """
    .programs  {name: path} of the release build's programs
    .scratch   a directory of this run, removed after it; on the disk that build/ is on
    .pairs     rounds of each side
    .quick     tiny sizes: only shows that the part works
    .args      the command line
    .results   a directory for what the part wants to keep
    """

    def __init__(self, programs, scratch, args):
        self.programs = programs
        self.scratch = scratch
        self.pairs = args.pairs
        self.quick = args.quick
        self.args = args
        self.results = args.output

    def path(self, *names):
        return os.path.join(self.scratch, *names)

    def log(self, text):
        """Progress, to the terminal at once."""
        print(text, file=sys.stderr, flush=True)

    def size(self, full, quick):
        return quick if self.quick else full

    def alternate(self, pairs, first, second):
        """Runs both by turns, and by turns one or the other goes first; what each returned, pair by pair."""
        sides = (first, second)
        results = ([], [])
        for number in range(pairs):
            for which in ((0, 1), (1, 0))[number % 2]:
                results[which].append(sides[which]())
        return results

    def run_program(self, name, *arguments, env=None):
        """Runs a program to its end; (what it printed, seconds of processor time it took)."""
        process = subprocess.Popen([self.programs[name], *(str(argument) for argument in arguments)], text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ, **(env or {})})
        with process.stdout:
            output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError(f"{name} {' '.join(map(str, arguments))}: exit code {process.returncode}")
        return output, usage.ru_utime + usage.ru_stime
