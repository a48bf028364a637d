# SPDX-License-Identifier: GPL-3.0-or-later
"""
Product table O5: what systemd hears of zonefand. It is started as a unit of Type=notify is; the socket is the test's.
"""
import os
import signal
import socket

import pytest
from zf.inject import around, fault
from zf.lone import lone
from zf.ptrace import stopped_thread
from zf.wait import wait_for


class Supervisor:
    """What stands at $NOTIFY_SOCKET; keeps all that it heard."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(self.path)
        self.said = []

    def environment(self):
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "60000000"}

    def hear(self):
        while True:
            try:
                self.said.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return self.said

    def wait(self, text, after=0):
        wait_for(lambda: any(text in said for said in self.hear()[after:]), 60, lambda: f"{text} is said; {self.said}")


@pytest.fixture
def supervisor(scratch):
    made = Supervisor(scratch)
    yield made
    made.socket.close()
    os.unlink(made.path)


def test_ready_comes_when_zones_are_known_and_the_end_is_told(install, supervisor):
    zonefan = lone(install)
    zonefan.start(ready=False, env=supervisor.environment())
    supervisor.wait("READY=1")
    assert zonefan.da().get("/readyz").status == 200, "it was said to be ready, and is not"
    supervisor.wait("WATCHDOG=1")
    zonefan.stop()
    told = supervisor.hear()
    assert sum("READY=1" in text for text in told) == 1, told
    assert told[-1].startswith("STOPPING=1"), told


def test_no_sign_of_life_while_a_thread_stands_still(install, supervisor):
    """The watchdog would start it again: it is fed by the loop only as long as the threads behind it turn."""
    zonefan = lone(install)
    zonefan.start(env=supervisor.environment())
    supervisor.wait("WATCHDOG=1")
    with stopped_thread(zonefan.process.pid, "engine"):
        supervisor.wait("does not turn")
        seen = len(supervisor.hear())
        wait_for(lambda: zonefan.da().get("/readyz").status == 503, 30, "it is not ready")
        assert "WATCHDOG=1" not in supervisor.hear()[seen:]
        assert "engine does not turn" in zonefan.ctl("ready", check=1).stderr
    supervisor.wait("STATUS=serves", after=seen)
    supervisor.wait("WATCHDOG=1", after=seen)
    assert zonefan.ctl("ready", check=0).stdout == "ready\n"
    zonefan.stop()
    assert "does not answer" in zonefan.ctl("ready", check=1).stderr


def test_a_supervisor_that_is_gone_is_no_trouble(install, supervisor):
    zonefan = lone(install)
    zonefan.start(env={**supervisor.environment(), "NOTIFY_SOCKET": supervisor.path + "-gone"})
    assert zonefan.da().login_test().status == 200
    zonefan.stop()


def handles_term(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        caught = next(line for line in file if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1


def test_stopped_before_it_serves(install, tmp_path):
    """The first process of a container does not even hear a signal that it has no handler for: there is one from the start."""
    zonefan = lone(install)
    slow_disk = around(tmp_path / "strace", *fault("fdatasync", "delay_enter=3s", 1, ever=True))
    zonefan.start(ready=False, wrap=slow_disk, env={"LSAN_OPTIONS": "detect_leaks=0"})
    wait_for(lambda: handles_term(zonefan.process.pid) and os.path.exists(zonefan.store), 60, "it opens its store")
    zonefan.process.send_signal(signal.SIGTERM)
    assert zonefan.wait_end(60) == 0
    assert "zonefand serves" not in zonefan.log()
