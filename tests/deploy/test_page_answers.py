# SPDX-License-Identifier: GPL-3.0-or-later
"""
V1, V7: the status page in headless Chromium where name servers are asked. dc1: CoreDNS with our plugin, which answers. dc2: two of
them, one of which is stopped. dc3: the stand-in for the public plugin, which goes on answering what was deleted.
"""
import contextlib
import datetime
import os
import re
import subprocess
import tempfile

import pytest
import reader
from coredns.servers import CoreDNS
from integration.conftest import data_centres, installations
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone, named, version_of

CANARY = "canary.example.net"
ZONES = named("shop", 9)
LATE = ZONES[:5]  # changed since one of dc2's went silent
LIMIT = 60
UNITS = {"d": 86400, "h": 3600, "min": 60, "s": 1}


class Asked:
    """zonefan, its data centres, and of each of them the name servers."""

    def __init__(self, zonefan, centres, readers):
        self.zonefan = zonefan
        self.dcs = centres
        self.readers = readers

    @property
    def silent(self):
        return self.readers["dc2"][1]

    def address(self, backend, number=0):
        return f"127.0.0.1:{self.readers[backend][number].port}"

    def verify(self, backend):
        return self.zonefan.backend(backend)["verify"]

    def wait(self, zone, states):
        """states: what each data centre's receipt of the newest generation says."""
        def said():
            return {entry["backend"]: entry["verify_state"] for entry in self.zonefan.zone(zone)["deliveries"]
                    if entry["applied_generation"] == entry["wanted_generation"]}
        wait_for(lambda: said() == states, LIMIT, lambda: f"{zone} is {states}; it is {self.zonefan.zone(zone)}\n{self.zonefan.log_tail()}")


def every(state, **more):
    return {**dict.fromkeys(("dc1", "dc2", "dc3"), state), **more}


def start_readers(root, centres, scratch, stack):
    """Of each data centre those that read its tables, once these are there."""
    ours = reader.build()
    public = subprocess.run([os.path.join(root, "tests", "coredns", "build")], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    readers = {}
    for centre, count in zip(centres[:2], (1, 2)):
        reader.make_account(centre.db)
        readers[centre.name] = [reader.Reader(ours, tempfile.mkdtemp(prefix="reader-", dir=scratch), reader.dsn(centre.db.port),
                                              {"refresh": "200ms"}, bare=True) for _ in range(count)]
    readers["dc3"] = [CoreDNS(public, centres[2].db, tempfile.mkdtemp(prefix="public-", dir=scratch))]
    for made in (made for some in readers.values() for made in some):
        made.start()
        stack.callback(made.stop)
    return readers


def make_trouble(asked):
    zonefan = asked.zonefan
    for name in [*ZONES, "gone.example", "hushed.example", "ice.example"]:
        zonefan.da().push_ok(name, da_zone(name))
    for name in [*ZONES, "gone.example", "hushed.example", "ice.example", CANARY]:
        asked.wait(name, every("answered"))
    zonefan.da().delete_ok("gone.example")
    asked.wait("gone.example", every("answered", dc3="still_answers"))
    asked.silent.stop()
    zonefan.da().delete_ok("hushed.example")
    for name in LATE:
        zonefan.da().push_ok(name, da_zone(name, 2))
    for name in LATE:
        asked.wait(name, every("answered", dc2="unanswered"))
    asked.wait("hushed.example", every("answered", dc2="unanswered", dc3="still_answers"))
    wait_for(lambda: asked.verify("dc2")["servers"][1]["state"] == "silent", LIMIT, lambda: f"silence is seen: {asked.verify('dc2')}")


@pytest.fixture(scope="module")
def asked(root, scratch, servers):
    with data_centres(servers) as centres, installations(scratch) as made, contextlib.ExitStack() as stack:
        zonefan = made(centres)
        for centre in centres:
            zonefan.wait_lane(centre.name, "up")
        asked = Asked(zonefan, centres, start_readers(root, centres, scratch, stack))
        zonefan.configure({"verify": {"deadline_seconds": 3, "canary": CANARY}, "dns": {"backends": {
            name: {"verify": {"dns": [f"127.0.0.1:{one.port}" for one in some], "interval_seconds": 2}}
            for name, some in asked.readers.items()}}})
        zonefan.ctl("reload", check=0)
        make_trouble(asked)
        yield asked


def moment(element):
    """The times that it names, as the operators' interface writes them."""
    return [time.get_attribute("datetime") for time in element.find_elements("tag name", "time")]


def facts(browser, backend):
    """What its card tells: {name: (words, times)}."""
    def look():
        names = [name.text for name in browser.all(f"#backend-{backend} dl dt")]
        values = [(value.text, moment(value)) for value in browser.all(f"#backend-{backend} dl dd")]
        assert len(names) == len(values)
        return dict(zip(names, values))
    return browser.patiently(look)


def seconds(span):
    return sum(int(count) * UNITS[unit] for count, unit in re.findall(r"(\d+) (d|h|min|s)\b", span))


def is_age(browser, span, since):
    """The span is that from then to the page's own clock."""
    clock = re.match(r"(\d+):(\d+):(\d+) UTC$", browser.text("#live"))
    now = datetime.timedelta(**dict(zip(("hours", "minutes", "seconds"), map(int, clock.groups()))))
    then = datetime.datetime.fromisoformat(since.replace("Z", "+00:00"))
    begun = datetime.timedelta(hours=then.hour, minutes=then.minute, seconds=then.second)
    return abs((now - begun).total_seconds() % 86400 - seconds(span)) <= 1


def troubles(browser):
    """{headline: what is told of it}"""
    return browser.patiently(lambda: {item.find_element("tag name", "a").text: item.find_element("tag name", "span").text
                                      for item in browser.all("#verdict li")})


def test_what_name_servers_say(asked, browse):
    """First the verdict, then each data centre's card: who is silent, since when, how many zones that leaves unanswered."""
    browser = browse()
    browser.open(asked.zonefan)
    silent = asked.address("dc2", 1)
    server = asked.verify("dc2")["servers"][1]
    assert server["address"] == silent and server["last_ok_at"]
    heads = [f"Name server {silent} of dc2 is silent", "Name servers of dc2 do not answer what was written",
             "Name servers of dc3 still answer what was deleted"]
    # A machine that stood still may have made others late for a moment.
    browser.wait(lambda: list(troubles(browser)) == heads, f"the verdict is {heads}")
    browser.wait(lambda: browser.driver.title == f"{heads[0]} - zonefan", "the worst is what the tab shows")
    verdict = troubles(browser)
    assert verdict[heads[0]].startswith(f"{server['error']}. Last answer ")
    assert browser.patiently(lambda: moment(browser.one("#verdict li"))) == [server["last_ok_at"]]
    assert verdict[heads[2]].startswith("2 zones. The public plugin")

    def is_late():
        verify = asked.verify("dc2")  # the canary is among them from some time on
        told = re.match(r"(\d+) zones, the oldest for (.+)\.$", troubles(browser)[heads[1]])
        return (int(told[1]) == verify["unanswered"] >= len(LATE) and 0 <= verify["oldest_unanswered_seconds"] - seconds(told[2]) < 10 and
                facts(browser, "dc2")["Not answered"][0] == told[1])
    browser.wait(is_late, "how many zones of dc2 are not answered, and for how long")

    shown = facts(browser, "dc2")
    words, times = shown[silent]
    assert re.fullmatch(rf"silent .+ ago {re.escape(server['error'])}", words) and times == [server["last_ok_at"]]
    assert re.fullmatch(r"answers (just now|.+ ago)", shown[asked.address("dc2")][0])
    assert browser.patiently(lambda: {badge.text: badge.get_attribute("class") for badge in browser.all("#backend-dc2 dd .badge")}) == {
        "answers": "badge good", "silent": "badge bad"}
    for name, count in (("dc1", None), ("dc3", "2")):
        shown = facts(browser, name)
        assert shown[asked.address(name)][0].startswith("answers ") and "Not answered" not in shown
        assert shown.get("Still answered", (None,))[0] == count
    browser.lies_within(1280)
    browser.picture("answers", 1500)
    browser.dark()
    browser.picture("answers-dark", 1500)


def test_how_old_the_canary_is(asked, browse):
    """It is answered every minute, but at dc2 not any more since one of them is silent."""
    browser = browse()
    browser.open(asked.zonefan)
    stood = asked.verify("dc2")["canary_answered_at"]

    def is_shown(name):
        words, times = facts(browser, name)["Canary"]
        age = re.fullmatch(r"answered (just now|(.+) ago)", words)
        return times == [asked.verify(name)["canary_answered_at"]] and is_age(browser, age[2] or "0 s", times[0])
    for name in ("dc1", "dc2", "dc3"):
        browser.wait(lambda: is_shown(name), f"the canary of {name}")
    others = ("dc1", "dc3")
    wait_for(lambda: all(asked.verify(name)["canary_answered_at"] > stood for name in others), 2 * LIMIT, "the others answer a newer one")
    browser.wait(lambda: all(facts(browser, name)["Canary"][1] > [stood] for name in others), "which the page shows without a touch")
    browser.wait(lambda: is_shown("dc2"), "of dc2 the old one still")
    assert asked.verify("dc2")["canary_answered_at"] == stood


def receipts(browser):
    """{data centre: (the whole cell, what each name server said, times)} of a zone's page."""
    def look():
        found = {}
        for row in browser.all("#zone tbody tr"):
            cell = row.find_element("css selector", 'td[data-of="Answered"]')
            found[row.find_element("css selector", 'td[data-of="Data centre"]').text] = (
                cell.text, [line.text for line in cell.find_elements("css selector", "div.note")], moment(cell))
        return found
    return browser.patiently(look)


def test_who_answers_a_zone(asked, browse):
    browser = browse()
    browser.open(asked.zonefan, f"/?zone={LATE[0]}")
    assert "Written to 3 of 3 data centres, answered so by 2." in browser.text("#zone")
    shown = receipts(browser)
    deliveries = {name: asked.zonefan.delivery(LATE[0], name) for name in asked.readers}
    for name in ("dc1", "dc3"):
        words, lines, times = shown[name]
        assert words.endswith(f" by {asked.address(name)}") and not lines and times == [deliveries[name]["answered_at"]]
    words, lines, times = shown["dc2"]
    late = deliveries["dc2"]
    assert re.match(rf"not answered written .+ ago {re.escape(late['verify_error'])}\n", words) and times == [late["unanswered_since"]]
    errors = {said["address"]: said["error"] for said in late["name_servers"]}
    assert errors[asked.address("dc2", 1)] and lines == [
        f"{asked.address('dc2')} serial 2" if address == asked.address("dc2") else f"{address} {error}"
        for address, error in errors.items()]
    browser.picture("answers-zone")

    browser.open(asked.zonefan, f"/?zone={ZONES[-1]}")
    assert "Written to 3 of 3 data centres, answered so by 3." in browser.text("#zone"), "it was answered before the silence"

    browser.open(asked.zonefan, "/?zone=gone.example")
    assert browser.text("#zone h2") == "gone.example deleted"
    assert "Deleted at 3 of 3 data centres, answered so by 2." in browser.text("#zone")
    words, _, times = receipts(browser)["dc3"]
    still = asked.zonefan.delivery("gone.example", "dc3")
    assert words.startswith("still answered written ") and "still answers, with serial 1" in words and times == [still["unanswered_since"]]

    browser.open(asked.zonefan, "/?zone=hushed.example")
    assert "Deleted at 3 of 3 data centres, answered so by 1." in browser.text("#zone")
    words, lines, _ = receipts(browser)["dc2"]
    assert words.startswith("not answered written ") and errors[asked.address("dc2", 1)] in words, "nobody knows whether it is"
    assert any(line.startswith(asked.address("dc2")) for line in lines)


def test_an_answer_of_before(asked, browse):
    """What was answered is not what is wanted now: the page says so, and does not count it."""
    browser, zonefan, name = browse(), asked.zonefan, ZONES[-2]
    zonefan.ctl("pause", "dc1", check=0)
    zonefan.wait_lane("dc1", "paused")
    zonefan.da().push_ok(name, da_zone(name, 2))
    asked.wait(name, {"dc2": "unanswered", "dc3": "answered"})
    browser.open(zonefan, f"/?zone={name}")
    assert "Written to 2 of 3 data centres, answered so by 1." in browser.text("#zone")
    assert receipts(browser)["dc1"][0].endswith(f" by {asked.address('dc1')} the older version")
    zonefan.ctl("resume", "dc1", check=0)
    browser.wait(lambda: "Written to 3 of 3 data centres, answered so by 2." in browser.text("#zone"), "it follows")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_360_pixels(asked, browse, dark):
    """An address and a long error beside each other, where there is no room for them."""
    browser = browse()
    browser.resize(360, 740)
    if dark:
        browser.dark()
    for name, path, seen in (("answers-narrow", "/", "#backend-dc2 .badge.bad"),
                             ("answers-narrow-zone", f"/?zone={LATE[0]}", "#zone .badge.bad")):
        browser.open(asked.zonefan, path)
        assert browser.all(seen)
        browser.lies_within(360)
        browser.picture(name + ("-dark" if dark else ""), 3400)


def test_freeze_and_thaw_without_a_script(asked, browse):
    """By the page's buttons: no database sees what is pushed meanwhile, and all of them get the newest of it."""
    browser, zonefan, name = browse(script=False), asked.zonefan, "ice.example"

    def versions():
        return [version_of(centre.db.all_rows()[name]) for centre in asked.dcs]
    browser.open(zonefan, f"/?zone={name}")
    browser.press("#zone", "Freeze")
    assert not browser.all("#live.on"), "a script ran"
    assert browser.text("#notice") == f"{name} is now frozen." and "frozen" in browser.text("#zone h2")
    assert zonefan.zone(name)["frozen"]["by"] == zonefan.user and zonefan.status()["frozen"] == 1
    assert f"by {zonefan.user}" in zonefan.ctl("zone", name, check=0).stdout
    for serial in (2, 3):
        zonefan.da().push_ok(name, da_zone(name, serial))
    zonefan.da().push_ok("beside.example", da_zone("beside.example"))
    wait_for(lambda: all("beside.example" in centre.db.all_rows() for centre in asked.dcs), LIMIT, "what comes later is written")
    assert versions() == [1, 1, 1]
    browser.open(zonefan, f"/?zone={name}")
    assert [badge.text for badge in browser.all("#zone tbody td[data-of=State] .badge")] == ["frozen"] * 3, "nobody dropped it"
    assert [button.text for button in browser.all("#zone .buttons button")] == ["Try now", "Thaw"], "a replay would not bring it there"
    browser.press("#zone", "Thaw")
    assert browser.text("#notice") == f"{name} is now thawed."
    assert zonefan.zone(name)["frozen"] is None and zonefan.status()["frozen"] == 0
    wait_for(lambda: versions() == [3, 3, 3], LIMIT, lambda: f"the newest is everywhere: {versions()}")
    for centre in asked.dcs:
        assert_rows_are(centre.db.all_rows()[name], da_zone(name, 3), name, centre.name)
    asked.wait(name, every("answered", dc2="unanswered"))
    told = [(event["kind"], event["actor"]) for event in zonefan.listing("/api/v1/events", "events", 1000)
            if event["zone"] == name and event["kind"] in ("frozen", "thawed")]
    assert told == [("thawed", zonefan.user), ("frozen", zonefan.user)]


def test_it_comes_back(asked, browse):
    """The name server that was silent: an open page tells so without a touch."""
    browser = browse()
    browser.open(asked.zonefan)
    assert "is silent" in browser.text("#verdict")
    asked.silent.start()
    browser.wait(lambda: facts(browser, "dc2")[asked.address("dc2", 1)][0].startswith("answers ") and
                 "Not answered" not in facts(browser, "dc2"), "its card")
    browser.wait(lambda: browser.text("#verdict h1") == "Name servers of dc3 still answer what was deleted", "and the verdict")
    for name in LATE:
        asked.wait(name, every("answered"))
    browser.open(asked.zonefan, f"/?zone={LATE[0]}")
    assert "Written to 3 of 3 data centres, answered so by 3." in browser.text("#zone")
    assert sorted(receipts(browser)["dc2"][1]) == sorted(f"{asked.address('dc2', number)} serial 2" for number in (0, 1))
