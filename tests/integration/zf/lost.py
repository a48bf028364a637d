# SPDX-License-Identifier: GPL-3.0-or-later
"""A zonefanctl that waits for the end of something while zonefand is restarted."""
import os
import signal
import subprocess

from .daemon import BIN
from .wait import wait_for

CLOCK_NANOSLEEP = ("230", "219")  # x86-64; the other is its restart


def stop_where_it_waits(process):
    """Between two questions: none of its is under way."""
    def stopped():
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
            if file.read().split()[0] in CLOCK_NANOSLEEP:
                return True
        process.send_signal(signal.SIGCONT)
        return False
    wait_for(stopped, 30, "it waits", interval=0.03)


def assert_told(zonefan, words, begun, lose, ready, why):
    """begun: an event that what is asked for sets when it has begun. lose ends it. ready: it may look again."""
    with subprocess.Popen([f"{BIN}/zonefanctl", "--config", zonefan.config_path, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=zonefan.environment(), cwd=zonefan.directory) as waiter:
        try:
            assert begun.wait(30)
            stop_where_it_waits(waiter)
            lose()
            wait_for(ready, 30, "it is there again")
            waiter.send_signal(signal.SIGCONT)
            assert why in waiter.communicate(timeout=30)[1] and waiter.returncode == 1
        finally:
            waiter.kill()


def assert_told_of_the_restart(zonefan, words, begun, release, ready=lambda: True):
    """release lets go what it held."""
    def restart():
        zonefan.kill9()
        release()
        zonefan.start()
    assert_told(zonefan, words, begun, restart, ready, "zonefand was restarted")
