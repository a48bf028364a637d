# SPDX-License-Identifier: GPL-3.0-or-later
"""
reliability.md 4.4, H08, and decisions.md 14: guessing. It is slowed down, costs next to nothing, and never the master: not its
login, not its time, not even when it comes from the attackers' own address.
"""
import json
import os
import re
import subprocess

import pytest
from zf.attack import Attack
from zf.daemon import BIN, SOURCE
from zf.load import RELEASE, Cost, Master, assert_undelayed
from zf.wait import wait_for

RATE = 1000  # a second


@pytest.mark.timeout(900)
@pytest.mark.row("SEC S7", fault="wrong passwords without end", injected="100,000 at 1,000 a second",
                 required="other masters keep p99; memory flat")
@pytest.mark.parametrize("sources", [
    pytest.param(1, id="one address", marks=pytest.mark.row(
        "H08", fault="100,000 wrong passwords from one address", injected="1,000 a second",
        required="401, then 429; masters elsewhere keep p99 within 2 times, none refused; <= 1 log line a second")),
    pytest.param(0, id="the master's address", marks=pytest.mark.row(
        "H08", fault="100,000 wrong passwords from the address of a master", injected="1,000 a second, the master pushes from there",
        required="no correct login refused or delayed: p99 within 2 times; <= 1 log line a second")),
    pytest.param(100, id="100 addresses", marks=pytest.mark.row(
        "H08", fault="100,000 wrong passwords from 100 addresses", injected="1,000 a second",
        required="401 and 429 by the limit for all, masters keep p99 within 2 times; <= 1 log line a second")),
])
def test_guessing(install, dcs, times, happened, sources):
    zonefan = install(dcs)
    da = zonefan.da()
    with Master(da) as undisturbed:
        wait_for(lambda: len(undisturbed.seconds) >= times(10, 1000), 240, "pushes without attackers")
    undisturbed.assert_served()
    wrong = zonefan.da()
    wrong.auth = "Basic ZGlyZWN0ZG5zb25seTpndWVzcw=="  # the right name
    total = times(500, 100_000)
    with Cost(zonefan) as cost, Master(da) as master, Attack("ask", zonefan.port, count=20, total=total, rate=RATE, sources=sources,
                                                             first=wrong.build("GET", "/CMD_API_LOGIN_TEST")) as attack:
        outcome = attack.finish()
    master.assert_served()
    statuses = {int(status): count for status, count in outcome["statuses"].items()}
    assert set(statuses) <= {401, 429} and sum(statuses.values()) == total, statuses
    told = sum("login refused" in line or "request refused" in line for line in zonefan.log().splitlines())
    assert 1 <= told <= cost.seconds + 1, f"{told} log lines in {cost.seconds:.0f} s"
    # what was answered 401: bursts and rates of one address and of all (lib/http/auth.h)
    tried = statuses[401]
    allowed = 10 + cost.seconds * 30 / 60 if sources < 2 else 100 + cost.seconds * 1200 / 60
    assert tried <= allowed + 2, f"{tried} passwords were tried, {allowed:.0f} may be"
    assert_undelayed(da, master, undisturbed)
    happened(f"{tried} tried, {statuses.get(429, 0)} answered 429, {len(master.seconds)} of {len(master.seconds)} pushes answered, "
             f"{told} log lines in {cost.seconds:.0f} s", times=total, acknowledged=len(master.seconds), p99_ms=master.p99_ms(),
             undisturbed_p99_ms=undisturbed.p99_ms(), cpu=round(cost.cpu, 2))


@pytest.mark.row("H08", fault="a comparison that tells by its time how much was right", injected="the sources are read: what compares secrets",
                 required="one function, in constant time, over hashes, and of all logins")
def test_how_secrets_are_compared(happened):
    def source(path):
        with open(os.path.join(SOURCE, path), encoding="utf-8") as text:
            return re.sub(r"/\*.*?\*/", "", text.read(), flags=re.S)

    def body(text, function):
        return re.search(rf"\n[^\n]*\b{function}\([^;{{]*\)\n{{\n(.*?)\n}}\n", text, re.S).group(1)
    assert body(source("lib/base/hash.c"), "hash_equal").strip() == "return CRYPTO_memcmp(a, b, HASH_SIZE) == 0;"
    auth = source("lib/http/auth.c")
    found = body(auth, "find_login")
    assert found.count("hash_equal(") == 2 and "name_good & password_good" in found and "&&" not in found
    assert not re.search(r"\b(break|return \w+->|goto)\b", found), "it stops at the first that fits"
    whole = body(auth, "match")
    compared = re.findall(r"\b(strn?casecmp|strn?cmp|memcmp|strstr)\(([^)]*)\)", auth)
    assert sorted(compared) == [("memcmp", "set[i].address, address, AUTH_ADDRESS_SIZE"),
                                ("strncasecmp", 'authorization, "Basic ", 6')], compared
    assert whole.index("hash_sha256(pair, name_size") < whole.index("find_login(") < whole.index("return name_size < size")
    assert "explicit_bzero(pair, size)" in whole and "explicit_bzero(&given" in whole
    happened("CRYPTO_memcmp over SHA-256 of name and password, of each login, no early end")


@pytest.mark.row("H08", fault="the time of a comparison", injected="Welch's t of digests that differ in the first byte or the last",
                 required="|t| < 4.5 over 1,000,000 samples; a comparison that stops early is found out")
def test_the_time_of_a_comparison(times, happened):
    samples = times(20_000, 1_000_000)
    done = subprocess.run([os.path.join(BIN, "bench_timing"), str(samples)], capture_output=True, text=True, timeout=250, check=True)
    measured = json.loads(done.stdout)
    assert abs(measured["naive_t"]) >= 4.5, f"the measure finds nothing: {measured}"
    assert not RELEASE or abs(measured["t"]) < 4.5, measured
    happened(f"t = {measured['t']}; of one that stops early {measured['naive_t']}", times=samples)


@pytest.mark.row("H08", fault="credentials of odd forms", injected="no base64, no colon, a megabyte, NUL, another scheme, two headers",
                 required="401 or 400, never a crash, never accepted")
def test_odd_credentials(shared, happened):
    da = shared.zonefan.da()
    good = da.auth
    odd = ["", "Basic", "Basic ", "Basic !!!!", "Basic AAAA", "Basic Og==", "Bearer " + good[6:], "Digest " + good[6:], good[:-4],
           good + "AAAA", "Basic " + good[6:] + " x", "Basic " + "QUFB" * 3000, good[6:], "Basic\t" + good[6:], "Basic ,", "Negotiate x"]
    for auth in odd:
        da.auth = auth
        answer = da.login_test()
        assert answer.status in (401, 429) and answer.error == "1", f"{auth[:40]!r}: {answer}"
    da.auth = "Basic " + "QUFB" * 8000
    assert da.login_test().status == 400  # headers over 16 KiB
    da.auth = good
    assert da.login_test().error == "0"
    happened(f"{len(odd) + 1} refused, the right one taken", times=len(odd) + 1)
