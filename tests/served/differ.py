# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds and runs tests/served/differ, which asks two servers and compares."""
import json
import os
import subprocess

import dns.exception
import dns.message
import dns.query

import corpus

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
PERMITTED = os.path.join(HERE, "permitted.tsv")


def build():
    """The path of the program; Go itself knows what has to be built anew."""
    go = subprocess.run([os.path.join(SOURCE, "tests", "install-packages"), "--find-go"], check=True, stdout=subprocess.PIPE,
                        text=True).stdout.strip()
    output = os.path.join(SOURCE, "build", "served", "differ")
    subprocess.run([go, "build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-o", output, "."], check=True,
                   cwd=os.path.join(HERE, "differ"), env={**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"})
    return output


def table(path=PERMITTED):
    """The names of the rules that the file lists."""
    with open(path, encoding="utf-8") as lines:
        return [line.split("\t")[0] for line in lines if line.strip() and not line.startswith("#")]


class Result:
    """What one run found."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            found = [json.loads(line) for line in lines]
        self.path = path
        self.differences, self.totals = found[:-1], found[-1]

    def text(self, limit=10):
        """The differences, for people; all of them are in the file."""
        lines = [f"{len(self.differences)} differences in {self.totals['questions']} questions, all in {self.path}"]
        for found in self.differences[:limit]:
            lines.append(f"{found['zone']}: {found['question']} over {found['over']}, in {', '.join(found['in'])}")
            lines += [f"    {who}: {json.dumps(found[who])[:600]}" for who in ("oracle", "reader")]
        return "\n".join(lines)


def serial(port, zone):
    """Of the zone's SOA; None if the server does not give it."""
    try:
        answer = dns.query.udp(dns.message.make_query(zone, "SOA"), "127.0.0.1", port=port, timeout=2)
    except (OSError, dns.exception.Timeout):
        return None
    return answer.answer[0][0].serial if answer.answer else None


def record_count(port, zone):
    """Of the zone's transfer; None if the server gives none."""
    try:
        messages = list(dns.query.xfr("127.0.0.1", zone, port=port, timeout=10, relativize=False))
    except (OSError, dns.exception.DNSException):
        return None
    return sum(len(rrset) for message in messages for rrset in message.answer)


def compare(program, directory, oracle, reader, zones, permitted=PERMITTED, **options):
    """oracle and reader are ports; options are those of the program, by name."""
    listing, output = os.path.join(directory, "zones.json"), os.path.join(directory, "differences.json")
    with open(listing, "w", encoding="ascii") as out:
        for zone in zones:
            out.write(json.dumps({"name": zone.name + ".", "lowest": corpus.lowest_ttls(zone)}) + "\n")
    more = [f"-{name}={value}" for name, value in options.items()]
    with open(output, "w", encoding="utf-8") as out:
        done = subprocess.run([program, f"-oracle=127.0.0.1:{oracle}", f"-reader=127.0.0.1:{reader}", f"-zones={listing}",
                               f"-permitted={permitted}", *more], stdout=out, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return Result(output)
