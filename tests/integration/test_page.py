# SPDX-License-Identifier: GPL-3.0-or-later
"""
V7: the status page shows what the operators' interface tells, and its buttons do what zonefanctl does, for who may. How it looks
to a browser is tests/deploy/test_page.py.
"""
import html
import re
import urllib.parse

import pytest
from zf.da import DA
from zf.wait import wait_for
from zf.zones import da_zone, named

EYE = {"name": "eye", "password": "canary-page-eye", "role": "read-only"}


@pytest.fixture
def zonefan(install, dcs):
    made = install(dcs, config={"app": {"users": [EYE]}}, start=False)
    made.secrets.append(EYE["password"])
    made.start()
    for centre in dcs:
        made.wait_lane(centre.name, "up")
    return made


def page(zonefan, path="/", da=None):
    answer = (da or zonefan.da()).get(path)
    assert answer.status == 200, answer
    return answer.body.decode()


def words(text):
    """What is read of it."""
    text = re.sub(r"<(style|script)[^>]*>.*?</\1>", " ", text, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def section(text, ident):
    return re.search(rf'<(section|article|div)[^>]* id="{ident}".*?</\1>|<(section|article|div) id="{ident}".*?</\2>', text, re.S).group(0)


def press(zonefan, text, action, **fields):
    """Sends the form of that action with these fields, as a browser would; the page behind it."""
    for form in re.findall(r'<form method="post".*?</form>', text, re.S):
        found = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        if f'"/page/{action}"' in form and all(found.get(key) == value for key, value in fields.items()):
            answer = zonefan.da().request("POST", f"/page/{action}", urllib.parse.urlencode(found).encode(), headers=(
                "Content-Type: application/x-www-form-urlencoded", "Origin: http://ns3.dns-host.example"))
            assert answer.status == 303, answer
            return page(zonefan, re.search(rb"\r\nLocation: (\S+)", answer.raw).group(1).decode())
    raise AssertionError(f"no form {action} {fields} in {words(text)}")


def test_what_it_shows(zonefan, dcs):
    for name in named("page", 4):
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    text = page(zonefan)
    assert "All is well" in words(text) and "4 zones in 3 data centres, all as they were pushed" in words(text)
    dcs[1].proxy.refuse()
    zonefan.da().push_ok("page0.example", da_zone("page0.example", 2))
    zonefan.wait_lane("dc2", "down")
    wait_for(lambda: sum(zonefan.pending().values()) == 1, 30, "the others have it")
    # for a moment it is probed, and shown so
    text = wait_for(lambda: next((now for now in [page(zonefan)] if "down" in words(section(now, "backend-dc2"))), None), 30,
                    "it is shown as down")
    shown = words(section(text, "verdict"))
    assert "dc2 is down" in shown and "1 zone waits" in shown and zonefan.backend("dc2")["last_error"] in shown
    assert "in step" in words(section(text, "backend-dc1"))
    assert "lane_down" in words(section(text, "events"))
    one = words(page(zonefan, "/?zone=page0.example"))
    assert "Written to 2 of 3 data centres." in one and "waits for the data centre" in one and "not verified" in one
    dcs[1].proxy.passing()
    zonefan.wait_converged()
    wait_for(lambda: "All is well" in words(page(zonefan)), 30, "well again")
    assert "Written to 3 of 3 data centres." in words(page(zonefan, "/?zone=page0.example"))


def test_what_it_does(zonefan):
    zonefan.da().push_ok("act.example", da_zone("act.example"))
    zonefan.wait_converged()
    text = press(zonefan, page(zonefan), "pause", backend="dc2")
    assert "dc2 is now paused." in section(text, "notice")
    zonefan.wait_lane("dc2", "paused")
    text = page(zonefan)
    assert "dc2 is paused" in section(text, "verdict")
    text = press(zonefan, text, "resume", backend="dc2")
    assert "dc2 is now resumed." in section(text, "notice")
    zonefan.wait_lane("dc2", "up")
    text = press(zonefan, page(zonefan), "heal", backend="dc1")
    assert "A healing pass began at 1 data centre." in section(text, "notice")
    wait_for(lambda: "1 compared, 0 repaired" in words(section(page(zonefan), "backend-dc1")), 30, "its healing is told")
    text = press(zonefan, page(zonefan, "/?zone=act.example"), "freeze", zone="act.example")
    assert "act.example is now frozen." in section(text, "notice") and zonefan.zone("act.example")["frozen"]
    text = press(zonefan, text, "thaw", zone="act.example")
    assert "act.example is now thawed." in section(text, "notice") and not zonefan.zone("act.example")["frozen"]
    assert "tried now." in section(press(zonefan, text, "retry", zone="act.example"), "notice")
    told = {event["kind"]: event["actor"] for event in zonefan.api("/api/v1/events?limit=100")["events"]}
    assert {told[kind] for kind in ("lane_paused", "lane_resumed", "frozen", "thawed")} == {zonefan.user}


def test_held(zonefan):
    """What looks like an accident is shown with what it would change, and approved."""
    zonefan.da().push_ok("guard.example", da_zone("guard.example", 1, hosts=30))
    lines = [line for line in da_zone("guard.example", 2, hosts=0).splitlines() if not re.search(r"\bIN\s+(A|MX|TXT)\b", line)]
    assert zonefan.da().push("guard.example", "\n".join(lines) + "\n").text.startswith("held: ")
    text = page(zonefan)
    assert "1 change waits for your word" in section(text, "verdict")
    ident = re.search(r'href="/\?held=(\d+)"', section(text, "held")).group(1)
    one = page(zonefan, f"/?held={ident}")
    assert "- host7 3600 A 192.0.2.2" in words(one)
    text = press(zonefan, one, "approve", id=ident)
    assert f"Number {ident} was approved." in section(text, "notice")
    assert zonefan.status()["held"] == 0 and zonefan.zone("guard.example")["records"] == 3


def test_who_only_looks(zonefan):
    eye = DA(zonefan.port, EYE["name"], EYE["password"])
    text = page(zonefan, da=eye)
    assert "All is well" in words(text) and "eye, looks only" in words(text) and "<button" not in section(text, "backends")
    answer = eye.request("POST", "/page/pause", b"backend=dc1")
    assert answer.status == 403 and zonefan.backend("dc1")["state"] == "up"
    assert DA(zonefan.port, "eye", "wrong").get("/").status == 401


def test_no_other_site_acts_by_the_login(zonefan):
    """The browser of an operator sends the login with whatever form another site makes."""
    zonefan.da().push_ok("forged.example", da_zone("forged.example"))
    token = re.search(r'name="token" value="(\w+)"', page(zonefan)).group(1)
    for headers in (["Origin: https://evil.example"], ["Origin: null"], ["Sec-Fetch-Site: cross-site"]):
        for target, body in (("/page/pause", f"token={token}&backend=dc1"), ("/api/v1/backends/dc1/pause", ""),
                             ("/CMD_API_DNS_ADMIN", "action=delete&select0=forged.example&hostname=da1.host.example")):
            answer = zonefan.da().request("POST", target, body.encode(), headers=headers)
            assert answer.status == 403, (headers, target, answer)
    assert zonefan.da().request("POST", "/page/pause", b"backend=dc1").status == 403, "without a token"
    assert zonefan.backend("dc1")["state"] == "up" and "forged.example" in zonefan.zones()
    zonefan.restart()
    stale = zonefan.da().request("POST", "/page/pause", f"token={token}&backend=dc1".encode())
    assert stale.status == 403 and b"from before a restart" in stale.raw
