# SPDX-License-Identifier: GPL-3.0-or-later
"""dnsperf (Debian package) beside what is tested: as many questions as the server takes, or so many a second."""
import os
import re
import signal
import subprocess

LATENCY = re.compile(r"Average Latency \(s\):\s+([\d.]+) \(min ([\d.]+), max ([\d.]+)\)")
FIGURES = {"sent": r"Queries sent:\s+(\d+)", "completed": r"Queries completed:\s+(\d+)", "lost": r"Queries lost:\s+(\d+)",
           "seconds": r"Run time \(s\):\s+([\d.]+)", "rate": r"Queries per second:\s+([\d.]+)",
           "stddev": r"Latency StdDev \(s\):\s+([\d.]+)"}
ENDLESS = 86400
END_LIMIT = 30
RCODES = re.compile(r"([A-Z]+) (\d+) \(")


def write_questions(path, questions):
    """questions: (name, type)"""
    with open(path, "w", encoding="ascii") as out:
        out.writelines(f"{name} {rtype}\n" for name, rtype in questions)
    return path


def read_report(text):
    """dnsperf's summary as numbers; "rcodes": {rcode: answers}."""
    found = {name: float(re.search(pattern, text).group(1)) for name, pattern in FIGURES.items()}
    found["rcodes"] = {}
    for line in text.splitlines():
        if "Response codes:" in line:
            found["rcodes"] = {name: int(count) for name, count in RCODES.findall(line)}
    latency = LATENCY.search(text)
    found["latency"], found["fastest"], found["slowest"] = (float(value) for value in latency.groups())
    return found


class Dnsperf:
    """
    Started when it is made. limit: seconds; runs: times through the questions; neither: until it is ended. per_second: None
    is full speed.
    """

    def __init__(self, port, questions, limit=None, runs=None, per_second=None, outstanding=100, clients=4, timeout=5):
        self.arguments = ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", questions, "-q", str(outstanding),
                          "-c", str(clients), "-t", str(timeout), "-b", "4096"]
        if limit is None and runs is None:
            limit = ENDLESS
        for option, value in (("-l", limit), ("-n", runs), ("-Q", per_second)):
            if value is not None:
                self.arguments += [option, str(value)]
        self.report_path = questions + f".{os.getpid()}.{id(self)}.report"
        with open(self.report_path, "wb") as out:
            self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def running(self):
        return self.process.poll() is None

    def wait(self, deadline=None):
        """Its summary, at its own end; deadline: seconds from now."""
        try:
            code = self.process.wait(timeout=deadline)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"dnsperf does not end: {self.arguments}") from None
        with open(self.report_path, encoding="utf-8", errors="replace") as text:
            report = text.read()
        os.remove(self.report_path)
        assert code == 0 and "Queries completed:" in report, f"dnsperf ended with {code}:\n{report[-3000:]}"
        return {**read_report(report), "text": report[-2500:]}

    def end(self):
        """Its summary, now."""
        if self.running():
            self.process.send_signal(signal.SIGINT)
        return self.wait(END_LIMIT)
