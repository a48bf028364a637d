# SPDX-License-Identifier: GPL-3.0-or-later
"""
V7, V8: the status page in headless Chromium, one bad night long: a data centre that is down, one that can't hold 200 zones, a
push that looks like an accident, a peer that is away. Pictures of it are left in build/page.
"""
import re

import pytest
from integration.conftest import data_centres, installations
from zf.master import Master
from zf.reconcile import conf, reconcile
from zf.wait import free_port, wait_for
from zf.zones import da_zone, named

EYE = {"name": "eye", "password": "canary-page-eye", "role": "read-only"}
MASTER = {"name": "da1", "password": "canary-page-da1", "identities": ["da1.host.example"]}
PEER = "canary-page-peer"
DEAD = 200
LONG = "long\t60\tIN\tTXT\t" + ('"' + "x" * 250 + '" ') * 6
PANELS = ["verdict", "figures", "backends", "held", "dead", "masters", "peers", "events", "foot"]


class Night:
    def __init__(self, zonefan, centres):
        self.zonefan = zonefan
        self.dcs = centres


def emptied(name):
    """What is left when a template went wrong: SOA and NS."""
    return "\n".join(line for line in da_zone(name, 2, hosts=0).splitlines()
                     if not re.search(r"\bIN\s+(A|MX|TXT)\b", line)) + "\n"


def make_trouble(zonefan, centres):
    for name in named("shop", 30):
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    zonefan.stop()
    centres[2].db.sql("ALTER TABLE records MODIFY data VARCHAR(1024) NOT NULL")
    zonefan.configure({"dns": {"backends": {"dc3": {"manage_schema": False}}}})
    zonefan.start()
    for centre in centres:
        zonefan.wait_lane(centre.name, "up")
    for name in named("dead", DEAD):
        zonefan.da().push_ok(name, da_zone(name, 1, extra=LONG))
    zonefan.da().push_ok("guarded.example", da_zone("guarded.example", 1, hosts=30))
    zonefan.wait_converged("dc1", "dc2")
    assert zonefan.da().push("guarded.example", emptied("guarded.example")).text.startswith("held: ")
    centres[1].proxy.refuse()
    for name in named("shop", 12):
        zonefan.da().push_ok(name, da_zone(name, 2))
    zonefan.wait_lane("dc2", "down")
    wait_for(lambda: zonefan.status()["queues"]["dead_letters"] == DEAD, 120, "all dead letters are there")


@pytest.fixture(scope="module")
def night(scratch, servers):
    master = Master()
    settings = {**conf(master), "app": {"users": [EYE, MASTER]},
                "peer_sync": {"enabled": True, "interval_minutes": 1, "auth_username": "peersync", "auth_password": PEER,
                              "peers": [{"url": f"http://127.0.0.1:{free_port()}", "username": "x", "password": PEER}]}}
    with data_centres(servers) as centres, installations(scratch) as made:
        zonefan = made(centres, config=settings, start=False)
        zonefan.secrets += [EYE["password"], MASTER["password"], PEER]
        zonefan.start()
        make_trouble(zonefan, centres)
        for name in [*named("shop", 30), *named("dead", DEAD), "guarded.example"]:
            master.put(name)
        reconcile(zonefan, "--dry-run")
        yield Night(zonefan, centres)
    master.close()


def test_every_panel(night, browse):
    browser = browse()
    browser.open(night.zonefan)
    assert [panel.get_attribute("id") for panel in browser.all("main > [id]")] == ["notice", *PANELS]
    assert browser.driver.title == "dc2 is down - zonefan"
    verdict = browser.text("#verdict")
    assert verdict.startswith("dc2 is down and ") and "200 deliveries were given up" in verdict
    assert "1 change waits for your word" in verdict and "12 zones wait" in verdict
    assert {"dc1": "up", "dc2": "down", "dc3": "up"} == {
        card.find_element("css selector", "h3").text: card.find_element("css selector", ".badge").text
        for card in browser.all(".card")}
    assert "in step" in browser.text("#backend-dc1") and "behind" in browser.text("#backend-dc2")
    assert "200 zones given up" in browser.text("#backend-dc3")
    assert len(browser.all(".card .lag svg path.line")) >= 3
    assert "guarded.example" in browser.text("#held") and "SOA and NS" in browser.text("#held")
    figures = dict(reversed(line) for line in zip(*[iter(browser.text("#figures").splitlines())] * 2))
    status = night.zonefan.status()
    assert {name: int(figures[name]) for name in ("zones", "deliveries wait", "given up", "held for you", "frozen")} == {
        "zones": status["zones"]["total"], "deliveries wait": 12, "given up": DEAD, "held for you": 1, "frozen": 0}
    assert "Last reconciliation: ok" in browser.text("#masters") and "231 zones there" in browser.text("#masters")
    assert "127.0.0.1 ok" in browser.text("#masters tbody tr")
    peers = [row.text for row in browser.all("#peers tbody tr")]
    assert any("http://127.0.0.1" in row and "Failed to connect" in row for row in peers), peers
    assert "lane_down" in browser.text("#events") and "dc2" in browser.text("#events")
    assert status["version"] in browser.text("#foot")
    browser.lies_within(1280)
    browser.picture("night", 1500)
    browser.picture("night-whole")
    browser.dark()
    browser.picture("night-dark", 1500)


def test_200_dead_letters(night, browse):
    browser, seen = browse(), []
    browser.open(night.zonefan)
    while True:
        rows = browser.all("#dead tbody tr")
        assert 0 < len(rows) <= 50 and "data is 1517 characters long" in rows[0].text
        if not seen:
            browser.picture("dead", 2600)
        seen += [row.find_element("css selector", "a").text for row in rows]
        following = [link for link in browser.all("#dead .more a") if link.text == "Next page"]
        if not following:
            break
        following[0].click()
    assert sorted(seen) == sorted(named("dead", DEAD))
    browser.one("#dead .more a").click()
    assert browser.text("#dead tbody tr a") == seen[0]


def test_one_zone(night, browse):
    browser = browse()
    browser.open(night.zonefan)
    browser.one("#find").send_keys(" Shop0003.Example. \n")
    browser.wait(lambda: browser.all("#zone"), "the zone is shown")
    assert browser.text("#zone h2").startswith("shop0003.example") and "in service" in browser.text("#zone h2")
    assert "Written to 2 of 3 data centres." in browser.text("#zone")
    rows = {row.text.split()[0]: row.text for row in browser.all("#zone tbody tr")}
    assert "in step" in rows["dc1"] and "waits for the data centre" in rows["dc2"] and "an older version" in rows["dc2"]
    assert "in force" in browser.text("#history") and "push" in browser.text("#events")
    browser.picture("zone")
    browser.one("#find").clear()
    browser.one("#find").send_keys("www.shop0003.example\n")
    browser.wait(lambda: "It is a name within" in browser.text("main"), "the zone above is named")
    browser.one("#zone p a").click()
    browser.wait(lambda: browser.all("#history"), "and shown")


def test_an_operators_actions(night, browse):
    browser = browse()
    browser.open(night.zonefan)
    browser.press("#backend-dc1", "Pause")
    assert browser.text("#notice") == "dc1 is now paused." and browser.text("#backend-dc1 .badge") == "paused"
    assert night.zonefan.backend("dc1")["state"] == "paused"
    browser.press("#backend-dc1", "Resume")
    assert browser.text("#notice") == "dc1 is now resumed."
    night.zonefan.wait_lane("dc1", "up")
    browser.wait(lambda: "Heal now" in browser.text("#backend-dc1"), "the pass that began because it came up is over")
    browser.press("#backend-dc1", "Heal now")
    assert browser.text("#notice") == "A healing pass began at 1 data centre."
    browser.wait(lambda: "compared, 0 repaired" in browser.text("#backend-dc1"), "what it found is told")
    browser.press("main", "Try all now")
    assert re.search(r"(is|are) tried now", browser.text("#notice"))
    wait_for(lambda: night.zonefan.status()["queues"]["dead_letters"] == DEAD, 60, "they were tried, and are dead letters again")
    browser.open(night.zonefan)
    browser.press("#dead tbody tr", "Drop")
    assert browser.text("#notice") == "1 dead letter was dropped."
    assert night.zonefan.status()["queues"]["dead_letters"] == DEAD - 1
    browser.open(night.zonefan, "/?zone=dead0000.example")
    assert "dropped by an operator" in browser.text("#zone")
    browser.press("#zone", "Replay")
    assert browser.text("#notice") == "1 dead letter is tried now." and browser.text("#zone h2").startswith("dead0000.example")
    wait_for(lambda: night.zonefan.status()["queues"]["dead_letters"] == DEAD, 60, "it is a dead letter again")


def test_the_other_actions(night, browse):
    browser, zonefan = browse(), night.zonefan

    def dead_again(count, what):
        wait_for(lambda: zonefan.status()["queues"]["dead_letters"] == count, 120, what)
    zonefan.wait_lane("dc1", "up")
    browser.open(zonefan)
    browser.wait(lambda: "Heal now" in browser.text("#backend-dc1"), "no pass is under way")
    night.dcs[0].proxy.freeze()
    browser.press("#backend-dc1", "Heal now")
    browser.wait(lambda: "Stop healing" in browser.text("#backend-dc1"), "the pass waits for its data centre")
    browser.press("#backend-dc1", "Stop healing")
    assert browser.text("#notice") == "Healing was stopped at 1 data centre."
    night.dcs[0].proxy.passing()
    stopped = next(event for event in zonefan.listing("/api/v1/events", "events", 1000) if event["kind"] == "heal_stopped")
    assert stopped["backend"] == "dc1" and stopped["detail"].startswith("stopped by the operator")
    zonefan.wait_lane("dc1", "up")
    browser.press("main", "Heal all")
    assert re.fullmatch(r"A healing pass began at [123] data centres?\.", browser.text("#notice"))
    browser.press("#dead", "Replay all")
    assert browser.text("#notice") == f"{DEAD} dead letters are tried now."
    dead_again(DEAD, "all were tried, and are dead letters again")
    browser.open(zonefan)
    browser.press("#dead tbody tr", "Replay")
    assert browser.text("#notice") == "1 dead letter is tried now."
    dead_again(DEAD, "it was tried, and is a dead letter again")
    browser.open(zonefan, "/?zone=dead0001.example")
    browser.press("#zone", "Drop")
    assert browser.text("#notice") == "1 dead letter was dropped." and zonefan.status()["queues"]["dead_letters"] == DEAD - 1
    browser.press("#zone", "Replay")
    dead_again(DEAD, "it is a dead letter again")
    browser.open(zonefan, "/?zone=shop0005.example")
    browser.press("#zone", "Try now")  # written anew at each, whatever stands there
    assert browser.text("#notice") == "3 deliveries are tried now." and browser.text("#zone h2").startswith("shop0005.example")


def test_approve(night, browse):
    browser, zonefan = browse(), night.zonefan
    zonefan.da().push_ok("word.example", da_zone("word.example", 1, hosts=30))
    assert zonefan.da().push("word.example", emptied("word.example")).text.startswith("held: ")
    browser.open(zonefan)
    next(row for row in browser.all("#held tbody tr") if "word.example" in row.text).find_element("link text", "Look").click()
    assert "- host7 3600 A 192.0.2.2" in browser.text("#held")
    browser.picture("held", 900)
    browser.press("#held", "Approve")
    assert "was approved" in browser.text("#notice") and "word.example" not in browser.text("#held")
    assert zonefan.zone("word.example")["records"] == 3


def test_a_failed_login(night, browse):
    browser = browse()
    browser.open(night.zonefan, user=EYE["name"], password="wrong")
    assert "dc1" not in browser.text()
    assert any("status of 401" in entry["message"] for entry in browser.driver.get_log("browser"))
    browser.open(night.zonefan, user=MASTER["name"], password=MASTER["password"])
    assert "Forbidden 403" in browser.text() and "this login may not do that" in browser.text() and "dc1" not in browser.text()
    browser.picture("refused", 500)
    browser.silence()
    browser.open(night.zonefan, user=EYE["name"], password=EYE["password"])
    assert "dc2 is down" in browser.text("#verdict")


def test_who_only_looks(night, browse):
    browser = browse()
    browser.open(night.zonefan, user=EYE["name"], password=EYE["password"])
    assert "eye, looks only" in browser.text(".top") and browser.text("#verdict").startswith("dc2 is down")
    assert not browser.all("main form, main button, main summary")


def test_without_a_script(night, browse):
    """Everything is there and works; the page comes anew by itself."""
    browser = browse(script=False)
    browser.open(night.zonefan)
    assert not browser.all("#live.on"), "a script ran"
    assert browser.text("#verdict").startswith("dc2 is down") and len(browser.all("#dead tbody tr")) == 50
    assert browser.one("noscript meta").get_attribute("content") == "30"
    browser.picture("no-script", 1500)
    browser.press("#backend-dc1", "Heal now")
    assert browser.text("#notice") == "A healing pass began at 1 data centre."
    browser.press("#backend-dc3", "Pause")
    assert browser.text("#notice") == "dc3 is now paused."
    browser.press("#backend-dc3", "Resume")
    night.zonefan.wait_lane("dc3", "up")


def told(entries, *fields):
    """What the operators' interface tells of them."""
    return [tuple(entry[field] for field in fields) for entry in entries]


def table(browser, panel, *columns):
    """Of each row the words of these columns, of a time the moment itself. In one step: there are many."""
    return [tuple(row) for row in browser.driver.execute_script("""
        const [panel, columns] = arguments;
        return [...document.querySelectorAll(`#${panel} tbody tr`)].map(row => columns.map(column => {
            const cell = row.querySelector(`td[data-of="${column}"]`), time = cell.querySelector("time");
            return time ? time.dateTime : cell.innerText;
        }));""", panel, columns)]


def following(browser, panel, *columns):
    """What the panel shows on the pages behind this one, by the links of them; and how many these are."""
    seen, pages = [], 0
    while True:
        links = [link for link in browser.all(f"#{panel} .more a") if link.text == "Next page"]
        if not links:
            return seen, pages
        links[0].click()
        seen += table(browser, panel, *columns)
        pages += 1
        assert pages < 50, f"there is always a next page: {browser.driver.current_url}"


def test_the_dead_go_on_without_a_script(night, browse):
    browser, columns = browse(script=False), ("Zone", "Data centre", "Since")
    browser.open(night.zonefan)
    first = table(browser, "dead", *columns)
    more, pages = following(browser, "dead", *columns)
    assert pages == 3
    assert first + more == told(night.zonefan.listing("/api/v1/dead", "dead"), "zone", "backend", "since")
    browser.one("#dead .more a").click()
    assert table(browser, "dead", *columns) == first


def test_events_go_on_without_a_script(night, browse):
    """From the second page on: newer events move the first."""
    browser, columns = browse(script=False), ("When", "What", "Of")
    browser.open(night.zonefan)
    browser.one("#events .more a").click()
    before = int(re.search(r"[?&]before=(\d+)", browser.driver.current_url).group(1))
    second = table(browser, "events", *columns)
    more, pages = following(browser, "events", *columns)
    assert pages >= 5
    meant = [event for event in night.zonefan.listing("/api/v1/events", "events", 1000) if event["id"] < before]
    assert second + more == [(event["at"], event["kind"], " at ".join(filter(None, (event["zone"], event["backend"]))))
                             for event in meant]


def test_the_held_go_on_without_a_script(night, browse):
    """A change that stands on the second page is discarded there."""
    browser, zonefan = browse(script=False), night.zonefan
    held = named("wait", 55)
    for name in held:
        zonefan.da().push_ok(name, da_zone(name, 1, hosts=30))
        assert zonefan.da().push(name, emptied(name)).text.startswith("held: ")
    browser.open(zonefan)
    first = table(browser, "held", "Zone", "Came")
    assert len(first) == 50
    more, pages = following(browser, "held", "Zone", "Came")
    meant = told(zonefan.listing("/api/v1/held", "held"), "zone", "at")
    assert pages == 1 and first + more == meant and len(meant) == zonefan.status()["held"]
    last = meant[-1][0]
    browser.press("#held tbody tr:last-child", "Discard")
    assert "was discarded." in browser.text("#notice")
    assert told(zonefan.listing("/api/v1/held", "held"), "zone", "at") == meant[:-1]
    assert zonefan.zone(last)["serial"] == 1, "what is in service stays"
    for entry in zonefan.listing("/api/v1/held", "held"):
        if entry["zone"] in held:
            zonefan.ctl("discard", str(entry["id"]), check=0)


def test_a_zone_is_found_without_a_script(night, browse):
    browser = browse(script=False)
    browser.open(night.zonefan)
    browser.one("#find").send_keys(" Shop0004.Example. ")
    browser.one("form[role=search] button").click()
    browser.wait(lambda: browser.all("#zone"), "the zone is shown")
    zone = night.zonefan.zone("shop0004.example")
    names, values = ([fact.text for fact in browser.all(f"#zone .facts {kind}")] for kind in ("dt", "dd"))
    facts = dict(zip(names, values))
    assert browser.text("#zone h2") == "shop0004.example in service"
    assert (facts["Serial"], facts["Records"], facts["Generation"]) == (
        str(zone["serial"]), str(zone["records"]), str(zone["generation"]))
    assert browser.one("#zone .facts time").get_attribute("datetime") == zone["updated_at"]
    assert "not verified" in browser.text("#zone tbody tr"), "nobody asks name servers here"
    browser.one("#find").clear()
    browser.one("#find").send_keys("shop00x.example\n")
    error = night.zonefan.da().get("/api/v1/zones/shop00x.example").json()["error"]
    browser.wait(lambda: browser.text("#zone h2") == "shop00x.example", "the page comes though there is no such zone")
    assert error and browser.text("#zone .error") == error
    near = [entry["name"] for entry in night.zonefan.api("/api/v1/zones?limit=8&after=shop00x.example")["zones"]]
    assert [link.text for link in browser.all("#zone .near a")] == near
    assert "shop00x.example" not in night.zonefan.zones()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_360_pixels(night, browse, dark):
    browser = browse()
    browser.resize(360, 740)
    if dark:
        browser.dark()
    suffix = "-dark" if dark else ""
    for name, path, ident in (("narrow", "/", "backends"), ("narrow-zone", "/?zone=dead0001.example", "zone"),
                              ("narrow-held", "/?held=1", "held")):
        browser.open(night.zonefan, path)
        assert browser.all(f"#{ident}")
        browser.lies_within(360)
        browser.picture(name + suffix, 2600)


def test_it_follows(night, browse):
    """What changes is seen without a touch, but an open question stays open; an answer that fails to come is told."""
    browser, zonefan = browse(), night.zonefan
    browser.open(zonefan)
    assert browser.one("#live").get_attribute("class") == "on"
    browser.one("#backend-dc1 summary").click()
    zonefan.ctl("pause", "dc3", check=0)
    browser.wait(lambda: "dc3 is paused" in browser.text("#verdict"), "the verdict tells of dc3")
    assert browser.one("#backend-dc1 details").get_attribute("open"), "it was taken from under the hand"
    browser.one("#backend-dc1 summary").click()
    browser.one("body").click()
    browser.wait(lambda: browser.text("#backend-dc3 .badge") == "paused", "its card, too")
    zonefan.ctl("resume", "dc3", check=0)
    browser.wait(lambda: browser.text("#backend-dc3 .badge") == "up", "and that it is resumed")
    zonefan.stop()
    browser.wait(lambda: re.match(r"No answer for \d+ s", browser.text("#live")), "the page is stale, and says so")
    browser.picture("lost", 500)
    browser.silence()
    zonefan.start()
    browser.wait(lambda: browser.text("#live").endswith("UTC"), "it is back")
    browser.wait(lambda: "lost" not in browser.one("body").get_attribute("class"), "and looks so")


def test_who_is_shut_out_asks_no_more(night, browse):
    """Who may not look any more. With a 401 the browser itself asks for a login, and must not do so at each refresh."""
    browser, zonefan = browse(), night.zonefan
    browser.open(zonefan, user=EYE["name"], password=EYE["password"])
    browser.driver.execute_script("const plain = fetch; window.asked = 0; window.fetch = (...all) => { asked++; return plain(...all); };")
    zonefan.configure({"app": {"users": [{**MASTER, "name": EYE["name"], "password": EYE["password"]}, MASTER]}})
    zonefan.ctl("reload", check=0)
    browser.wait(lambda: browser.text("#live") == "Refused (403): load the page again to log in", "it is told")
    before, after = browser.driver.execute_async_script(
        "const done = arguments[0], before = asked; setTimeout(() => done([before, asked]), 7000);")
    assert before == after > 0, "one interval and more went by"
    browser.silence()
    zonefan.configure({"app": {"users": [EYE, MASTER]}})
    zonefan.ctl("reload", check=0)
    browser.driver.refresh()
    browser.wait(lambda: browser.text("#live").endswith("UTC"), "it is back")
