# SPDX-License-Identifier: GPL-3.0-or-later
"""One thread of a process stopped, as a debugger does it (SIGSTOP would stop them all)."""
import contextlib
import ctypes
import os

from .inject import thread_of

SEIZE, INTERRUPT, DETACH, ALL = 0x4206, 0x4207, 17, 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, thread):
    if libc.ptrace(request, thread, None, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace {request:#x}: {os.strerror(error)}")


@contextlib.contextmanager
def stopped_thread(pid, name):
    """Its thread of that name does nothing while the context lasts."""
    thread = thread_of(pid, name)
    ptrace(SEIZE, thread)
    ptrace(INTERRUPT, thread)
    os.waitpid(thread, ALL)
    try:
        yield thread
    finally:
        with contextlib.suppress(OSError):  # the process may have been killed
            ptrace(DETACH, thread)
