# SPDX-License-Identifier: GPL-3.0-or-later
"""CoreDNS with the plugin zonefan as a process on loopback: its Corefile, its log, its metrics, its memory."""
import glob
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

from zf.mariadb import DATABASE
from zf.wait import free_port, wait_for

import versions
from asker import Asker

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READY = 30
ACCOUNT, PASSWORD = "reader", "canary-reader-5f1c"
RACE_EXIT = 66
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


def build(kind="plain"):
    """The path of the program. race: with the race detector; tests: with CoreDNS's plugin `file` beside."""
    output = os.path.join(SOURCE, "build", "served", f"coredns-{kind}")
    flags = [] if kind == "plain" else [f"--{kind}"]
    subprocess.run([os.path.join(SOURCE, "deploy", "coredns", "build"), *flags, "tests", output], check=True)
    return output


def make_account(db, tables=("zones", "records", "zonefan_state")):
    """The reader's login, with the right to read these tables and no other."""
    db.sql(f"DROP USER IF EXISTS {ACCOUNT}")
    db.sql(f"CREATE USER {ACCOUNT} IDENTIFIED BY '{PASSWORD}'")
    for table in tables:
        db.sql(f"GRANT SELECT ON {DATABASE}.{table} TO {ACCOUNT}")


def dsn(port, options="timeout=1s&readTimeout=5s"):
    return f"{ACCOUNT}:{PASSWORD}@tcp(127.0.0.1:{port})/{DATABASE}" + (f"?{options}" if options else "")


class Reader:
    """
    One installation: a directory with Corefile, snapshot and log; it may be started many times. settings: lines of the
    plugin's block, {key: value}; None leaves a key out. bare: without `prometheus` and `transfer`.
    """

    def __init__(self, binary, directory, source, settings=None, env=None, bare=False):
        """source: the DSN."""
        os.makedirs(directory, exist_ok=True)
        self.binary = binary
        self.directory = directory
        self.port, self.metrics_port, self.ready_port = free_port(), free_port(), free_port()
        self.log_path = os.path.join(directory, "coredns.log")
        self.snapshot = os.path.join(directory, "zones.snapshot")
        self.settings = {"dsn": source, "refresh": "1s", "snapshot": self.snapshot, **(settings or {})}
        self.env = {**os.environ, "GORACE": f"log_path={directory}/race halt_on_error=0 exitcode={RACE_EXIT}", **(env or {})}
        self.beside = [] if bare else [f"prometheus 127.0.0.1:{self.metrics_port}", "transfer {", "    to *", "}"]
        self.process = None

    def write_corefile(self, **settings):
        """settings: laid over the present ones."""
        self.settings.update(settings)
        lines = [f"        {key} {value}" for key, value in self.settings.items() if value is not None]
        path = os.path.join(self.directory, "Corefile")
        with open(path, "w", encoding="ascii") as out:
            out.write("\n".join([
                f".:{self.port} {{", "    bind 127.0.0.1", "    errors", f"    ready 127.0.0.1:{self.ready_port}",
                *(f"    {line}" for line in self.beside), "    zonefan {", *lines, "    }", "}", ""]))
        return path

    # ---- process ----

    def spawn(self, **settings):
        """Started; whether it answers is for the caller to see."""
        assert not self.alive()
        corefile = self.write_corefile(**settings)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.binary, "-conf", corefile], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.directory, env=self.env)
        return self

    def start(self, **settings):
        """Started and ready: the first index is there, or a good snapshot."""
        self.spawn(**settings)
        wait_for(self.ready, READY, lambda: f"CoreDNS is ready; its log:\n{self.log_tail()}")
        return self

    def ready(self):
        assert self.alive(), f"CoreDNS ended with {self.process.returncode}:\n{self.log_tail()}"
        return self.get(self.ready_port, "/ready") is not None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """An orderly end."""
        if self.process is None:
            return
        assert self.alive(), f"CoreDNS ended by itself with {self.process.returncode}:\n{self.log_tail(60)}"
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=READY)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"CoreDNS does not end:\n{self.log_tail()}") from None
        self.process = None
        self.check()
        assert code == 0, f"exit code {code}:\n{self.log_tail()}"

    def kill(self):
        if self.alive():
            self.process.kill()
            self.process.wait()
        self.process = None

    def reload(self, **settings):
        """SIGUSR1: a new instance in the same process; returns when it has taken over."""
        self.write_corefile(**settings)
        seen = self.log().count("Reloading complete")
        self.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: self.log().count("Reloading complete") > seen, READY, lambda: f"reload:\n{self.log_tail()}")

    def check(self):
        """No race, no panic, no password in the log."""
        for path in glob.glob(os.path.join(self.directory, "race*")):
            with open(path, encoding="utf-8", errors="replace") as report:
                raise AssertionError(f"a data race:\n{report.read()[:8000]}")
        log = self.log()
        for word in ("panic", "fatal error", "DATA RACE", PASSWORD):
            assert word not in log, f"{word!r} stands in the log:\n{log[max(0, log.index(word) - 500):][:4000]}"

    # ---- what it says ----

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except OSError:
            return ""

    def log_tail(self, lines=25):
        return "\n".join(line[:400] for line in self.log().splitlines()[-lines:])

    def wait_log(self, *words, deadline=READY):
        """A line with all of these words."""
        def found():
            return [line for line in self.log().splitlines() if all(word in line for word in words)]
        return wait_for(found, deadline, lambda: f"a line with {words}:\n{self.log_tail()}")[-1]

    @staticmethod
    def get(port, path):
        """The body; None if it is not 200, or nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None

    def metrics(self):
        """{name: sum over its labels}, and {name{labels}: value} of each."""
        found = {}
        for line in (self.get(self.metrics_port, "/metrics") or "").splitlines():
            sample = SAMPLE.match(line)
            if sample:
                name, labels, value = sample.groups()
                found[name] = found.get(name, 0.0) + float(value)
                if labels:
                    found[f"{name}{{{labels}}}"] = float(value)
        return found

    def metric(self, name):
        """Of the plugin's own, by its name without coredns_zonefan_."""
        return self.metrics().get("coredns_zonefan_" + name)

    def wait_metric(self, name, good, deadline=READY):
        wait_for(lambda: good(self.metric(name) or 0), deadline,
                 lambda: f"metric {name}; it is {self.metric(name)}:\n{self.log_tail()}")

    def memory(self):
        """Bytes: "rss" and "peak" of the process, "heap" in use by Go, "estimate" of the plugin."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            values = dict(line.split(":", 1) for line in status)
        found = self.metrics()
        return {"rss": int(values["VmRSS"].split()[0]) << 10, "peak": int(values["VmHWM"].split()[0]) << 10,
                "heap": int(found["go_memstats_heap_inuse_bytes"]), "estimate": int(found["coredns_zonefan_memory_bytes"])}

    def ask(self, question, deadline=5):
        """One question; the Answer, None if there is none."""
        asker, answers = Asker(self.port), []
        end = time.monotonic() + deadline
        try:
            asker.ask(question, answers.append)
            while not answers and time.monotonic() < end:
                asker.turn()
        finally:
            asker.close()
        return answers[0] if answers else None

    def version(self, zone):
        """That the zone has in its answer of now: a number; an rcode as a negative one; None: no answer."""
        answer = self.ask(versions.apex(zone))
        if answer is None:
            return None
        return -answer.rcode if answer.rcode else answer.version

    def wait_version(self, zone, version, deadline):
        wait_for(lambda: self.version(zone) == version, deadline,
                 lambda: f"{zone} is {version}; it is {self.version(zone)}:\n{self.log_tail()}")
