# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones signed by dnssec-signzone of BIND, which is neither the oracle nor the reader: one key per zone, valid for 30 days."""
import glob
import os
import subprocess
import tempfile

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

# What dnssec-signzone is told beside the zone; NSEC without anything.
HOW = {
    "nsec": [],
    "nsec3": ["-3", "-", "-H", "0"],
    "nsec3-salt": ["-3", "0123abcd", "-H", "5"],
    "nsec3-opt-out": ["-3", "-", "-H", "0", "-A"],
}
ALGORITHM = "ECDSAP256SHA256"


def run(*arguments, directory):
    done = subprocess.run(arguments, cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, f"{arguments}: {done.stdout[-1000:]}{done.stderr[-3000:]}"
    return done.stdout


def sign(name, text, how, scratch):
    """The signed text, and the zone's DNSKEY as a line of zone text."""
    with tempfile.TemporaryDirectory(prefix="sign-", dir=scratch) as directory:
        with open(os.path.join(directory, "zone"), "w", encoding="utf-8") as out:
            out.write(text)
        run("dnssec-keygen", "-q", "-a", ALGORITHM, "-f", "KSK", name, directory=directory)
        # -z: the one key signs everything
        run("dnssec-signzone", "-q", "-S", "-z", "-K", directory, "-o", name, "-N", "keep", "-s", "now-1h", "-e", "now+30d", *HOW[how],
            "-f", "signed", "zone", directory=directory)
        with open(os.path.join(directory, "signed"), encoding="utf-8") as signed:
            text = signed.read()
        with open(glob.glob(os.path.join(directory, "*.key"))[0], encoding="ascii") as key:
            anchor = next(line for line in key if not line.startswith(";"))
    return text, anchor.strip()


def delegation_signer(key):
    """The DS record for a DNSKEY record, as a line of zone text."""
    owner, _, _, data = key.split(maxsplit=3)
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.DNSKEY, data)
    return f"{owner}\t3600\tIN\tDS\t{dns.dnssec.make_ds(dns.name.from_text(owner), rdata, 'SHA256')}\n"


def reread(name, text, scratch):
    """The text as BIND reads it, record by record: for a text that the oracle does not read, or not by the rules."""
    with tempfile.TemporaryDirectory(prefix="reread-", dir=scratch) as directory:
        with open(os.path.join(directory, "zone"), "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        run("named-compilezone", "-q", "-i", "none", "-k", "ignore", "-n", "ignore", "-o", "plain", name, "zone", directory=directory)
        with open(os.path.join(directory, "plain"), encoding="ascii") as plain:
            return plain.read()
