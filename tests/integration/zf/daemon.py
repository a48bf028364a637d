# SPDX-License-Identifier: GPL-3.0-or-later
"""The real zonefand under its sanitizers: started, questioned, stopped, killed, and searched for reports."""
import glob
import json
import os
import secrets
import shutil
import signal
import subprocess

from .da import DA, NoAnswer
from .wait import free_port, wait_for

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BIN = os.environ.get("ZONEFAN_BIN_DIR", os.path.join(SOURCE, "build", "dev", "bin"))
READY = 30


def to_yaml(value, indent=0):
    """Block YAML of dicts, lists (also of dicts) and scalars; strings always quoted."""
    lines = []
    pad = "  " * indent
    for key, item in value.items():
        if isinstance(item, dict):
            lines.append(f"{pad}{key}:")
            lines.append(to_yaml(item, indent + 1))
        elif isinstance(item, (list, tuple)):
            lines.append(f"{pad}{key}: {json.dumps(item)}")  # JSON is YAML
        elif isinstance(item, bool):
            lines.append(f"{pad}{key}: {'true' if item else 'false'}")
        elif isinstance(item, (int, float)):
            lines.append(f"{pad}{key}: {item}")
        else:
            lines.append(f"{pad}{key}: {json.dumps(item)}")
    return "\n".join(line for line in lines if line)


def merge(base, more):
    """more laid over base, deeply; a None takes the key away."""
    out = dict(base)
    for key, value in more.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merge(out[key], value)
        else:
            out[key] = value
    return out


def sanitizer_environment(directory):
    """Reports go to files, so that none is lost with a killed process; any finding ends it."""
    common = f"log_path={directory}/sanitizer:halt_on_error=1"
    return {
        "ASAN_OPTIONS": f"{common}:detect_leaks=1:abort_on_error=0:exitcode=99:allocator_may_return_null=0",
        "LSAN_OPTIONS": f"log_path={directory}/sanitizer:exitcode=99",
        "UBSAN_OPTIONS": f"{common}:print_stacktrace=1",
        "TSAN_OPTIONS": f"{common}:exitcode=99:second_deadlock_stack=1",
    }


class Zonefan:
    """One installation: a directory with configuration, store and log. It may be started many times."""

    program = "zonefand"

    def __init__(self, directory, backends=(), config=None, log_format=None, programs=BIN):
        """backends: (name, server, port) of each, where port is the proxy's or the server's own."""
        self.programs = programs
        self.directory = str(directory)
        os.makedirs(self.directory, exist_ok=True)
        self.port = free_port()
        self.user = "directdnsonly"
        self.password = "canary-http-" + secrets.token_hex(8)
        self.store = os.path.join(self.directory, "zonefan.sqlite")
        self.config_path = os.path.join(self.directory, "app.yml")
        self.log_path = os.path.join(self.directory, "zonefand.log")
        self.log_format = log_format
        self.process = None
        self.tls = None  # an ssl context, where its main listener speaks TLS
        self.secrets = [self.password]
        self.backends = [backend[0] for backend in backends]
        self.settings = {
            "log_level": "info",
            "app": {"auth_username": self.user, "auth_password": self.password, "listen_port": self.port,
                    "listen_address": "127.0.0.1"},
            "datastore": {"type": "sqlite", "db_location": self.store},
            "dns": {"default_backend": self.backends[0] if self.backends else "none", "backends": {}},
        }
        for name, server, port in backends:
            self.secrets.append(server.password)
            self.settings["dns"]["backends"][name] = {
                "type": "coredns_mysql", "enabled": True, "host": "127.0.0.1", "port": port, "database": "dns",
                "username": server.user, "password": server.password}
        self.configure(config or {})

    def configure(self, more):
        self.settings = merge(self.settings, more)
        with open(self.config_path, "w", encoding="utf-8") as out:
            out.write(to_yaml(self.settings) + "\n")
        os.chmod(self.config_path, 0o600)

    def da(self, **more):
        return DA(self.port, self.user, self.password, **{"tls": self.tls, **more})

    # ---- process ----

    def environment(self):
        env = {key: value for key, value in os.environ.items() if not key.startswith(("DADNS_", "ASAN_", "UBSAN_"))}
        env.update(sanitizer_environment(self.directory))
        if os.geteuid() != 0:
            env["ZONEFAN_TRACEABLE"] = "1"  # else only root sees its descriptors, or traces it (lib/base/privilege.h)
        return env

    def start(self, ready=True, env=None, wrap=()):
        assert not self.alive()
        arguments = [*wrap, os.path.join(self.programs, self.program), "--config", self.config_path]
        if self.log_format:
            arguments += ["--log-format", self.log_format]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.directory, env={**self.environment(), **(env or {})})
        if ready:
            wait_for(self._ready, READY, lambda: f"zonefand is ready; its log:\n{self.log_tail()}")
        return self

    def _ready(self):
        assert self.process.poll() is None, f"zonefand ended with {self.process.returncode}:\n{self.log_tail()}"
        try:
            return self.da(timeout=5).get("/readyz").status == 200
        except (OSError, NoAnswer):
            return False

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill9(self):
        """Returns when the process is gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restore(self, copy):
        """The host was lost, and a copy of the store is put in its place, as README.md says; started again."""
        self.kill9()
        for path in glob.glob(self.store + "*"):
            os.unlink(path)
        shutil.copy(copy, self.store)
        self.start()

    def term(self, deadline=60):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait_end(deadline)

    def wait_end(self, deadline):
        try:
            return self.process.wait(timeout=deadline)
        except subprocess.TimeoutExpired:
            stacks = self.stacks()
            self.kill9()
            raise AssertionError(f"zonefand did not end within {deadline} s; {stacks}\n{self.log_tail()}") from None

    def stacks(self):
        """Where its threads stand, if gdb is here to tell."""
        try:
            return subprocess.run(["gdb", "-p", str(self.process.pid), "-batch", "-ex", "thread apply all bt 12"],
                                  capture_output=True, text=True, timeout=60).stdout[-6000:]
        except (OSError, subprocess.TimeoutExpired):
            return "(no stacks)"

    def restart(self):
        self.stop()
        return self.start()

    def stop(self):
        """An orderly end, which must be a clean one."""
        if self.process is None:
            return
        if self.alive():
            code = self.term()
            assert code == 0, f"exit code {code}:\n{self.log_tail()}\n{self.reports()}"
        self.check()

    def check(self):
        """No sanitizer spoke, no secret leaked."""
        assert not self.reports(), self.reports()
        log = self.log()
        for secret in self.secrets:
            assert secret not in log, "a password stands in the log"

    def reports(self):
        text = ""
        for path in sorted(glob.glob(os.path.join(self.directory, "sanitizer*"))):
            with open(path, encoding="utf-8", errors="replace") as report:
                text += f"{path}:\n{report.read()[:12000]}\n"
        return text

    # ---- what it says ----

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except OSError:
            return ""

    def log_tail(self, lines=25):
        return "\n".join(line[:400] for line in self.log().splitlines()[-lines:])

    def api(self, path):
        answer = self.da().get(path)
        assert answer.status == 200, f"GET {path}: {answer}"
        return answer.json()

    def status(self):
        return self.api("/status")

    def backend(self, name):
        return next(entry for entry in self.status()["backends"] if entry["name"] == name)

    def zone(self, name):
        return self.api(f"/api/v1/zones/{name}")

    def delivery(self, zone, backend):
        return next(entry for entry in self.zone(zone)["deliveries"] if entry["backend"] == backend)

    def listing(self, path="/api/v1/zones", key="zones", limit=None):
        """A paged list, whole. Events come newest first: of them the next page is what was before."""
        items, following = [], ""
        while True:
            query = [f"limit={limit}"] if limit else []
            query += [f"{'before' if key == 'events' else 'after'}={following}"] if following else []
            page = self.api(path + ("?" + "&".join(query) if query else ""))
            items += page[key]
            following = page.get("next") or ""
            if not following:
                return items

    def zones(self):
        """{name: entry} of all zones held."""
        return {entry["name"]: entry for entry in self.listing()}

    def pending(self):
        return {entry["name"]: entry["pending"] for entry in self.status()["backends"]}

    def wait_converged(self, *names, deadline=60):
        """Nothing is pending at the back ends named (all, if none is)."""
        names = names or self.backends

        def done():
            pending = self.pending()
            return all(pending[name] == 0 for name in names)
        wait_for(done, deadline, lambda: f"converged; pending {self.pending()}:\n{self.log_tail()}", interval=0.05)

    def wait_lane(self, name, state, deadline=30):
        wait_for(lambda: self.backend(name)["state"] == state, deadline,
                 lambda: f"{name} is {state}; it is {self.backend(name)}:\n{self.log_tail()}")

    def ctl(self, *arguments, env=None, check=None):
        """Runs zonefanctl; the finished process (text)."""
        done = subprocess.run([os.path.join(self.programs, "zonefanctl"), "--config", self.config_path, *arguments],
                              capture_output=True, text=True, timeout=60, cwd=self.directory,
                              env={**self.environment(), **(env or {})}, stdin=subprocess.DEVNULL)
        if check is not None:
            assert done.returncode == check, f"zonefanctl {arguments}: {done}"
        for secret in self.secrets:
            assert secret not in done.stdout + done.stderr, "zonefanctl prints a password"
        return done
