# SPDX-License-Identifier: GPL-3.0-or-later
"""
A validator (unbound, with the zone's key as its trust anchor) accepts what the reader says of signed zones: positive, NODATA, NXDOMAIN,
wildcard, alias, secure and insecure delegation; by NSEC and NSEC3, with salt and opt-out. It also notices what is forged.
"""
import re

import dns.name
import dns.rcode
import dns.rdatatype
import pytest

import differ
import signing
from stage import make_stage
from validator import Unbound
from zf.wait import wait_for
from zf.zones import da_zone

NOERROR, NXDOMAIN, SERVFAIL = dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL
HOW = list(signing.HOW)

PARENT = """\
www\t3600\tIN\tA\t192.0.2.1
www\t3600\tIN\tAAAA\t2001:db8::1
alias\t3600\tIN\tCNAME\twww
*.wild\t3600\tIN\tA\t192.0.2.2
here.wild\t3600\tIN\tTXT\t"beside the wildcard"
*.wc\t3600\tIN\tCNAME\twww
a.b.ent\t3600\tIN\tA\t192.0.2.3
old\t3600\tIN\tDNAME\tnew
x.new\t3600\tIN\tA\t192.0.2.4
insecure\t3600\tIN\tNS\tns.insecure
ns.insecure\t3600\tIN\tA\t192.0.2.5
secure\t3600\tIN\tNS\tns.secure
ns.secure\t3600\tIN\tA\t192.0.2.6
in.between.insecure-below\t3600\tIN\tNS\tns1.dns-host.example.
"""

# owner, type: status, validated, types of the answer. With opt-out a proof that a name is not there says nothing of unsigned
# delegations, and what depends on it is not validated (RFC 5155 9.2): None.
QUESTIONS = {
    ("www", "A"): (NOERROR, True, ["A"]),
    ("WwW", "AAAA"): (NOERROR, True, ["AAAA"]),
    ("@", "SOA"): (NOERROR, True, ["SOA"]),
    ("@", "DNSKEY"): (NOERROR, True, ["DNSKEY"]),
    ("alias", "A"): (NOERROR, True, ["CNAME", "A"]),
    ("alias", "MX"): (NOERROR, True, ["CNAME"]),
    ("www", "MX"): (NOERROR, True, []),
    ("@", "SRV"): (NOERROR, True, []),
    ("b.ent", "A"): (NOERROR, True, []),
    ("ent", "TXT"): (NOERROR, True, []),
    ("missing", "A"): (NXDOMAIN, None, []),
    ("a.b.missing", "A"): (NXDOMAIN, None, []),
    ("missing.www", "A"): (NXDOMAIN, None, []),
    ("z.b.ent", "A"): (NXDOMAIN, None, []),
    ("\\000", "A"): (NXDOMAIN, None, []),
    ("www\\000", "A"): (NXDOMAIN, None, []),
    ("\\000.www", "A"): (NXDOMAIN, None, []),
    ("zzz", "A"): (NXDOMAIN, None, []),
    ("x.wild", "A"): (NOERROR, None, ["A"]),
    ("a.b.wild", "A"): (NOERROR, None, ["A"]),
    ("*.wild", "A"): (NOERROR, True, ["A"]),
    ("x.wild", "TXT"): (NOERROR, None, []),
    ("here.wild", "A"): (NOERROR, True, []),
    ("x.wc", "A"): (NOERROR, None, ["CNAME", "A"]),
    ("x.wc", "MX"): (NOERROR, None, ["CNAME"]),
    ("x.old", "A"): (NOERROR, True, ["DNAME", "CNAME", "A"]),
    ("y.old", "A"): (NXDOMAIN, None, ["DNAME", "CNAME"]),
    ("secure", "DS"): (NOERROR, True, ["DS"]),
    ("www.secure", "A"): (NOERROR, True, ["A"]),
    ("missing.secure", "A"): (NXDOMAIN, None, []),
    ("insecure", "DS"): (NOERROR, None, []),
    ("www.insecure", "A"): (NOERROR, False, ["A"]),
    ("missing.insecure", "A"): (NXDOMAIN, False, []),
    ("www.insecure", "MX"): (NOERROR, False, []),
}


def family(how, scratch):
    """{zone: text} of a signed parent, a signed and an unsigned child; the parent's key."""
    parent = f"{how}.valid.example"
    secure, insecure = f"secure.{parent}", f"insecure.{parent}"
    secure_text, key = signing.sign(secure, da_zone(secure, extra="www\t3600\tIN\tA\t192.0.2.7"), how, scratch)
    ds = signing.delegation_signer(key)
    text, anchor = signing.sign(parent, da_zone(parent, extra=PARENT + ds), how, scratch)
    return {parent: text, secure: secure_text, insecure: da_zone(insecure, extra="www\t3600\tIN\tA\t192.0.2.8")}, anchor


def forged(scratch):
    """An address that was changed after the zone was signed, and the NSEC record of the apex taken away."""
    name = "forged.valid.example"
    text, anchor = signing.sign(name, da_zone(name, extra="www\t3600\tIN\tA\t192.0.2.1\nmail\t3600\tIN\tA\t192.0.2.25"), "nsec", scratch)
    text = text.replace("192.0.2.1\n", "192.0.2.11\n", 1)
    text, count = re.subn(r"^\s+\d+\s+NSEC\s.*\n", "", text, count=1, flags=re.MULTILINE)
    assert count == 1 and "192.0.2.11" in text
    return name, text, anchor


@pytest.fixture(scope="module")
def unbound(server, scratch, plain):
    with make_stage(server, scratch) as stage:
        zones, anchors = {}, []
        for how in HOW:
            texts, anchor = family(how, scratch)
            zones.update(texts)
            anchors.append(anchor)
        name, zones[name], anchor = forged(scratch)
        zonefan, reader = stage.zonefan(), stage.reader(plain).start()
        for zone, text in zones.items():
            zonefan.da().push_ok(zone, text)
        zonefan.wait_converged()
        resolver = Unbound(stage.subdirectory("unbound"), reader.port, zones, [*anchors, anchor])
        try:
            resolver.start()
            for zone in zones:
                wait_for(lambda: differ.serial(reader.port, zone), 30, lambda: f"the reader has {zone}:\n{reader.log_tail()}")
                resolver.wait_serves([zone])
            yield resolver
        finally:
            resolver.stop()


@pytest.mark.parametrize("how", HOW)
def test_validator_accepts(unbound, how):
    zone = dns.name.from_text(f"{how}.valid.example.")
    wrong = []
    for (owner, rtype), (status, validated, types) in QUESTIONS.items():
        name = zone if owner == "@" else dns.name.from_text(owner, zone)
        if validated is None:
            validated = how != "nsec3-opt-out"
        got = unbound.resolve(name, rtype)
        if got != (status, validated, [dns.rdatatype.from_text(text) for text in types]):
            wrong.append(f"{name} {rtype}: {got}")
    assert not wrong, "\n".join(wrong) + "\n" + unbound.log()


def test_validator_notices_what_is_forged(unbound):
    """Else it would accept anything."""
    assert unbound.resolve("mail.forged.valid.example.", "A")[:2] == (NOERROR, True)
    assert unbound.resolve("www.forged.valid.example.", "A")[0] == SERVFAIL
    assert unbound.resolve("forged.valid.example.", "SRV")[0] == SERVFAIL
