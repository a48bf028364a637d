# SPDX-License-Identifier: GPL-3.0-or-later
"""A program of ours at a terminal, as a person has one."""
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

from .wait import wait_for


class Terminal:
    """
    Runs command with the terminal as its stdin and stdout, and stderr too, unless only="stderr": then stdout is a pipe, in
    self.output when the process has ended. What comes to the screen is self.shown.
    """

    def __init__(self, *command, columns=100, rows=30, only=None, **options):
        self.master, slave = pty.openpty()
        self._shown, self.output = b"", None
        self.before = termios.tcgetattr(slave)
        self.after = None  # the settings, when the program has left
        self.slave = slave
        self._set_size(columns, rows)
        ends = {"stdin": slave, "stdout": slave, "stderr": slave}
        if only == "stderr":
            ends.update(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.process = subprocess.Popen(command, **ends, **options)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self._shown += data

    def _set_size(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self._set_size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    @property
    def shown(self):
        return self._shown.decode(errors="replace")

    def frames(self):
        """Of a program that draws the whole screen again and again: the lines of each, without styles."""
        drawn = [frame.split("\x1b[?2026l")[0] for frame in self.shown.split("\x1b[H")[1:] if "\x1b[?2026l" in frame]
        lines = [re.split(r"\r+\n", frame.removesuffix("\x1b[J")) for frame in drawn]
        return [[re.sub(r"\x1b\[[0-9;]*[mK]", "", line) for line in frame] for frame in lines]

    def wait_shown(self, pattern):
        wait_for(lambda: re.search(pattern, self.shown), 30, f"{pattern} on the terminal")

    def wait_frame(self, condition, message, behind=0):
        """The first frame, of those behind so many, of which condition(lines) is true."""
        return wait_for(lambda: next((frame for frame in self.frames()[behind:] if condition(frame)), None), 30, message)

    def press(self, keys):
        os.write(self.master, keys.encode())

    def is_as_before(self):
        return (self.after or termios.tcgetattr(self.slave)) == self.before

    def end(self):
        """The exit code, when it has left by itself; all that it wrote is in self.shown then."""
        if self.process.stdout is not None:
            self.output = self.process.stdout.read().decode()
        code = self.process.wait(timeout=60)
        self.after = termios.tcgetattr(self.slave)
        os.close(self.slave)  # nobody else has it: the reader gets what is left, and then the end
        self.slave = None
        self.reader.join(30)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.slave is not None:
            os.close(self.slave)
        self.reader.join()
        os.close(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
