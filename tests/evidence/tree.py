# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tree a result is of: the content of all files that git knows or would take, but texts and what was measured or found."""
import hashlib
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


# In the repository: a whole programme takes longer than one machine may be there.
KEPT = os.path.join("tests", "evidence", "results")


def counts(path):
    """*.md and what was measured or found change nothing of what is."""
    return not path.endswith(".md") and not path.startswith(("tests/bench/results/", f"{KEPT}/"))


# Looked at by these groups alone.
LOOKED_AT_BY = {
    "tests/sim/": ("sim", "peers", "fuzz", "planted", "coverage", "analysers"),
    "tests/fuzz/": ("fuzz", "coverage", "analysers"),
    "tests/coredns/": (), "tests/served/": (), "tests/deploy/": (), "tests/release/": (),
}
# Of these nothing is in what that group runs: test_evidence.py asks the build.
NOT_LOOKED_AT_BY = {
    "sim": ("cmd/", "deploy/", "lib/conf/", "lib/dns/", "lib/http/", "lib/notify/", "lib/verify/", "tests/bench/", "tests/integration/",
            "tests/unit/"),
    "fuzz": ("cmd/", "deploy/", "lib/notify/", "lib/verify/", "tests/bench/", "tests/integration/"),
}
RUN_ALL = ("coverage", "analysers")  # of tests/integration and tests/unit


def source_of(group):
    with open(os.path.join(ROOT, "tests", "evidence", "groups", f"{group}.py"), encoding="utf-8") as file:
        return file.read()


def concerns(path, group, source):
    """Whether what a group finds may depend on that file: of what other groups alone look at, or run, it does not."""
    for folder, groups in LOOKED_AT_BY.items():
        if path.startswith(folder):
            return group in groups
    if path.startswith(NOT_LOOKED_AT_BY.get(group, ())):
        return False
    if path.startswith("tests/evidence/groups/"):
        return os.path.basename(path) == f"{group}.py"
    if re.fullmatch(r"tests/integration/(\w+/)?test_\w+\.py", path):
        return group in RUN_ALL or os.path.basename(path) in source
    unit = re.fullmatch(r"tests/unit/(test_([a-z]+_)*)\w+\.c", path)
    if unit:
        # A source may put the name together, of its begin and a word: all of that begin concern it.
        return group in RUN_ALL or unit[1] in source
    return True


def git(*arguments):
    return subprocess.run(["git", "-c", f"safe.directory={ROOT}", *arguments], cwd=ROOT, check=True, capture_output=True,
                          text=True).stdout


def identity(group=None):
    """
    The same for the same content, whatever the commit; the first 16 digits of a hash. Of a group: of what it may have looked at, so that
    its result is of each tree that has that.
    """
    whole = hashlib.sha256()
    source = group and source_of(group)
    for path in sorted(set(git("ls-files", "-co", "--exclude-standard", "-z").split("\0"))):
        full = os.path.join(ROOT, path)
        if not path or not counts(path) or not os.path.lexists(full) or group and not concerns(path, group, source):
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
