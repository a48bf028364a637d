# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit: what systemd itself says of it."""
import json
import os
import re
import subprocess

EXPOSURE_MOST = 3.0  # systemd calls what is below that "OK"


def unit(root):
    return os.path.join(root, "deploy", "systemd", "zonefand.service")


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, timeout=60)


def test_systemd_knows_all_that_stands_in_it(root, tmp_path):
    """Its programs are not installed here: so they are ours, of the build."""
    with open(unit(root), encoding="utf-8") as source:
        text = source.read().replace("/usr/bin/", os.environ["ZONEFAN_BIN_DIR"] + "/")
    copy = tmp_path / "zonefand.service"
    copy.write_text(text)
    verdict = analyze("verify", "--man=no", str(copy))
    about = [line for line in verdict.stderr.splitlines() if "zonefand" in line]
    assert verdict.returncode == 0 and not about, verdict.stderr


def test_verify_finds_what_systemd_does_not_know(tmp_path):
    copy = tmp_path / "zonefand.service"
    copy.write_text("[Service]\nExecStart=/bin/true\nProtectSytem=strict\n")
    assert "ProtectSytem" in analyze("verify", "--man=no", str(copy)).stderr


def test_it_is_exposed_to_little(root):
    verdict = analyze("security", "--offline=true", "--json=short", unit(root))
    faults = [entry for entry in json.loads(verdict.stdout) if float(entry["exposure"] or 0) > 0]
    text = analyze("security", "--offline=true", unit(root)).stdout
    overall = re.search(r"Overall exposure level for zonefand\.service: ([0-9.]+)", text)
    assert overall, text
    print(f"exposure {overall.group(1)}; of it: " + ", ".join(f"{entry['name']} {entry['exposure']}" for entry in faults))
    assert float(overall.group(1)) < EXPOSURE_MOST, text
