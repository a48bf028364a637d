# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tree a result is of: the content of all files that git knows or would take, but texts and what the bench measured."""
import hashlib
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def counts(path):
    """*.md and tests/bench/results say what was measured, and change nothing of what is."""
    return not path.endswith(".md") and not path.startswith("tests/bench/results/")


def git(*arguments):
    return subprocess.run(["git", "-c", f"safe.directory={ROOT}", *arguments], cwd=ROOT, check=True, capture_output=True,
                          text=True).stdout


def identity():
    """The same for the same content, whatever the commit; the first 16 digits of a hash."""
    whole = hashlib.sha256()
    for path in sorted(set(git("ls-files", "-co", "--exclude-standard", "-z").split("\0"))):
        full = os.path.join(ROOT, path)
        if not path or not counts(path) or not os.path.lexists(full):
            continue
        if os.path.islink(full):
            content = os.readlink(full).encode()
        else:
            with open(full, "rb") as file:
                content = file.read()
        whole.update(f"{path}\0{os.access(full, os.X_OK)}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()[:16]


def commit():
    """For people: the commit, and whether something was changed since."""
    changed = [line for line in git("status", "--porcelain").splitlines() if counts(line[3:])]
    return git("rev-parse", "--short=12", "HEAD").strip() + (" with changes" if changed else "")
