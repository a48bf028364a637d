# SPDX-License-Identifier: GPL-3.0-or-later
"""
C2, reliability.md 4.6, fault A: whatever is odd about a master's list, its connection or its sessions, ignorance is never
read as "delete".
"""
import json
import socket
import threading
import time

import pytest
from zf.master import LOGIN_PAGE, make_certificate, trusting
from zf.matrix import rows
from zf.reconcile import conf, events, fill, json_answer, login_page, of, orphans, reconcile, replace_list, vanish
from zf.wait import free_port, wait_for
from zf.zones import da_zone, named


def on_page(number, answer):
    return replace_list(lambda master, page, ipp: answer(master, page, ipp) if page == number else None)


def changed_info(**more):
    """Page 2 tells other numbers."""
    def make(master, page, ipp):
        out = json.loads(master.page(page, ipp))
        out["info"].update(more)
        return json_answer(json.dumps(out))
    return on_page(2, make)


def short_page(master, page, ipp):
    out = json.loads(master.page(page, ipp))
    for key in ("2", "3"):
        del out[key]
    return json_answer(json.dumps(out))


def without(key):
    def make(master, page, ipp):
        out = json.loads(master.page(page, ipp))
        del out[key]
        return json_answer(json.dumps(out))
    return make


def doubled(master, page, ipp):
    return json_answer(master.page(page, ipp).replace('"info"', '"0": {"domain": "other.example"}, "info"'))


def cut_connection(master, handler, path, query):
    """Half of what was promised."""
    if path != "CMD_DNS_ADMIN":
        return False
    body = master.page(int(query["page"]), int(query["ipp"])).encode()
    handler.send_response_only(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[:len(body) // 2])
    handler.close_connection = True
    return True


FEW = 30  # zones on each of the first pages; there are three

ODD = {
    "500 on page 2": on_page(2, lambda *_: (500, "trouble", "text/plain")),
    "403 on page 2": on_page(2, lambda *_: (403, "no", "text/plain")),
    "page 2 is missing": on_page(2, lambda *_: (404, "not found", "text/plain")),
    "page 2 is empty": on_page(2, lambda *_: json_answer("")),
    "page 2 is {}": on_page(2, lambda *_: json_answer("{}")),
    "page 2 is a login page": on_page(2, lambda *_: (200, LOGIN_PAGE, "text/html")),
    "page 1 again": on_page(2, lambda master, page, ipp: json_answer(master.page(1, ipp))),
    "page 1 again as page 2": on_page(2, lambda master, page, ipp: json_answer(
        master.page(1, ipp).replace('"current_page": "1"', '"current_page": "2"'))),
    "page 2 is short": on_page(2, short_page),
    "another number of pages": changed_info(total_pages="2"),
    "another number of rows": changed_info(rows="60"),
    "no info": replace_list(without("info")),
    "fewer rows than told": replace_list(lambda master, page, ipp: json_answer(
        master.page(page, ipp).replace('"rows": "90"', '"rows": "100"'))),
    "a row is missing": replace_list(without("4")),
    "a row without its domain": replace_list(lambda master, page, ipp: json_answer(
        master.page(page, ipp).replace('"domain"', '"name"', 1))),
    "duplicate keys": replace_list(doubled),
    "an error": replace_list(lambda *_: json_answer('{"error": "1", "info": {"total_pages": "1"}}')),
    "an empty list": replace_list(lambda *_: json_answer('{"info": {"total_pages": "1", "rows": "0"}}')),
    "{}": replace_list(lambda *_: json_answer("{}")),
    "[]": replace_list(lambda *_: json_answer("[]")),
    "an empty body": replace_list(lambda *_: json_answer("")),
    "the legacy form": replace_list(lambda *_: (200, "list[]=a.example&list[]=b.example", "text/plain")),
    "the legacy form of nothing": replace_list(lambda *_: (200, "list[]=", "text/plain")),
    "a login page": login_page,
    "a login page that says it is JSON": replace_list(lambda *_: (200, LOGIN_PAGE, "application/json")),
    "the list as an image": replace_list(lambda master, page, ipp: (200, master.page(page, ipp), "image/png")),
    "a redirect": replace_list(lambda *_: (302, "", "text/html", [("Location", "/login")])),
    "401": replace_list(lambda *_: (401, "no", "text/html")),
    "half of the body": cut_connection,
    "every zone is another master's": replace_list(lambda master, page, ipp: json_answer(
        master.page(page, ipp).replace('"yes", "local_mail"', '"no", "local_mail"'))),
}


ROWS = {
    "R02": ["500 on page 2", "403 on page 2", "page 2 is missing", "page 2 is a login page", "a login page",
            "a login page that says it is JSON", "the list as an image", "a redirect", "401"],
    "R03": ["page 2 is empty", "page 2 is {}", "no info", "a row is missing", "a row without its domain", "duplicate keys", "an error",
            "an empty list", "{}", "[]", "an empty body", "the legacy form", "the legacy form of nothing", "half of the body"],
    "R04": ["page 1 again", "page 1 again as page 2", "page 2 is short", "another number of pages", "another number of rows",
            "fewer rows than told", "every zone is another master's"],
}
assert sorted(sum(ROWS.values(), [])) == sorted(ODD), "a fault without a row"
UNTOUCHED = "unknown, and why is told once; 0 deletes, nothing counted as missing"


@pytest.fixture
def three_pages(install, dcs, masters):
    """A master with three pages of zones, and one that is already missing in two passes: the next list may delete it."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master, ipp=FEW, orphan_passes=2))
    names = named("odd", 3 * FEW)
    fill(zonefan, master, names)
    reconcile(zonefan, code=0)
    return zonefan, master, names


@rows("R04", ROWS["R04"], injected="a list of three pages, each oddity in three passes", required=UNTOUCHED)
@rows("R03", ROWS["R03"], injected="a list of three pages, each oddity in three passes", required=UNTOUCHED)
@rows("R02", ROWS["R02"], injected="a list of three pages, each oddity in three passes", required=UNTOUCHED)
def test_whatever_is_odd_deletes_nothing(three_pages):
    zonefan, master, names = three_pages
    known = 0
    for what, fault in ODD.items():
        for _ in range(3):
            master.faults = [fault]
            run = reconcile(zonefan, code=1)
            entry = of(run, master)
            assert entry["state"] == "unknown" and entry["error"], what
            assert (entry["missing"], entry["deleting"], entry["held"]) == (0, 0, 0), what
        assert orphans(zonefan) == {}, what
        assert len(zonefan.zones()) == len(names), what
        known += 1
        assert len(events(zonefan, "master_unknown")) == known, f"{what}: told once for each change"
        master.faults = []
        assert of(reconcile(zonefan, code=0), master)["state"] == "ok", what
    assert events(zonefan, "orphan") == [] and events(zonefan, "orphan_deleted") == []


@pytest.mark.row("R03", fault="the body is cut at every 100th byte",
                 injected="page 2 ends there, well framed by HTTP",
                 required="the master is unknown and told why; 0 deletes, no owner changes")
def test_a_list_cut_at_every_hundredth_byte(three_pages):
    """R03, on page 2, well framed by HTTP."""
    zonefan, master, names = three_pages
    size = len(master.page(2, FEW))
    for cut in range(1, size, 100):
        master.faults = [on_page(2, lambda master, page, ipp, cut=cut: json_answer(master.page(page, ipp)[:cut]))]
        assert of(reconcile(zonefan, code=1), master)["state"] == "unknown", cut
    assert size > 2000 and len(zonefan.zones()) == len(names) and orphans(zonefan) == {}


@pytest.mark.row("U2", fault="the predecessor takes the pages before an error as the whole list",
                 injected="404 on page 2, and a zone missing, in ten passes",
                 required="0 deletes")
def test_page_two_missing_deletes_nothing_ever(three_pages):
    """The predecessor takes the pages so far as the whole list."""
    zonefan, master, names = three_pages
    master.faults = [ODD["page 2 is missing"]]
    vanish(master, names[:1])
    for _ in range(10):
        reconcile(zonefan, code=1)
    assert set(zonefan.zones()) == set(names) and orphans(zonefan) == {}


@pytest.mark.row("U1", fault="the predecessor queues all zones of an unreachable master for deletion",
                 injected="one of two masters away in four ways", required="0 deletes; what the other one lacks waits, too")
@rows("R01", ["connection refused", "connection reset", "no such host", "TLS expected, none spoken"],
      injected="one of two masters, three passes each", required=UNTOUCHED)
def test_a_master_that_does_not_answer(install, dcs, masters):
    """R01: refused, reset, nothing said, no such host; and what the others lack waits meanwhile: it may stand there."""
    well, away = masters(), masters("da2.host.example")
    server = {"da2": away.conf()}
    zonefan = install(dcs[:1], config=conf(well, away))
    names = named("well", 12)
    fill(zonefan, well, names)
    fill(zonefan, away, named("away", 12))
    reconcile(zonefan, code=0)
    vanish(well, names[:1])
    dead = free_port()
    reset = socket.create_server(("127.0.0.1", 0))

    def reset_all():
        while True:
            try:
                conn, _ = reset.accept()
            except OSError:
                return
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            conn.close()
    threading.Thread(target=reset_all, daemon=True).start()
    for change in ({"port": dead}, {"port": reset.getsockname()[1]}, {"hostname": "no.such.host.invalid"},
                   {"ssl": True}):
        zonefan.stop()
        settings = conf(well, away)
        settings["reconciliation"]["directadmin_servers"][1] = {**server["da2"], **change}
        zonefan.configure(settings)
        zonefan.start()
        for _ in range(3):
            run = reconcile(zonefan, code=1)
        assert of(run, away)["state"] == "unknown" and of(run, away)["error"], change
        assert (of(run, well)["state"], of(run, well)["missing"], of(run, well)["deleting"]) == ("ok", 1, 0)
    reset.close()
    assert len(zonefan.zones()) == 24 and set(orphans(zonefan)) == set(names[:1])


@pytest.mark.row("R01", fault="a self-signed certificate",
                 injected="HTTPS while certificates are checked",
                 required="unknown; the password is not sent")
def test_tls(install, dcs, masters, scratch):
    """Self-signed: unknown while certificates are checked, taken if they are not."""
    master = masters(certificate=make_certificate(scratch))
    zonefan = install(dcs[:1], config=conf(master))
    fill(zonefan, master, named("tls", 3))
    run = reconcile(zonefan, code=1)
    assert of(run, master)["state"] == "unknown" and "certificate" in of(run, master)["error"]
    assert master.requests == [], "somebody saw the password without proof of who it is"
    zonefan.stop()
    zonefan.configure({"reconciliation": {"verify_ssl": False}})
    zonefan.start()
    assert of(reconcile(zonefan, code=0), master)["zones"] == 3


@pytest.mark.row("R01", fault="a good certificate of another host",
                 injected="an authority that is trusted",
                 required="unknown; the password is not sent; 0 deletes")
def test_a_certificate_of_another_host(install, dcs, masters, scratch):
    """Of an authority that is trusted, but not for this host: unknown, nothing is touched, nobody's zone is deleted."""
    authority = make_certificate(scratch, "DNS:authority.example")
    well = masters(certificate=make_certificate(scratch, authority=authority))
    other = masters("da2.host.example", certificate=make_certificate(scratch, "DNS:other.example", authority=authority))
    zonefan = install(dcs[:1], config=conf(well, other), start=False)
    zonefan.start(wrap=trusting(authority))
    names = named("well", 12) + named("other", 12)
    fill(zonefan, well, names[:12])
    fill(zonefan, other, names[12:])
    vanish(well, names[:1])
    vanish(other, names[12:13])
    other.put("more.example")
    for _ in range(3):
        run = reconcile(zonefan, code=1)
    assert (of(run, well)["state"], of(run, well)["zones"]) == ("ok", 11), "the authority is trusted"
    assert of(run, other)["state"] == "unknown" and "matches target host name" in of(run, other)["error"]
    assert run["last_run"]["status"] == "unknown" and run["last_run"]["da_servers_unreachable"] == 1
    told = events(zonefan, "master_unknown")
    assert len(told) == 1 and other.identity in told[0]["detail"] and "matches target host name" in told[0]["detail"]
    assert other.requests == [], "somebody saw the password who is not the host that it is for"
    assert (of(run, well)["missing"], of(run, well)["deleting"], set(orphans(zonefan))) == (1, 0, set(names[:1]))
    assert set(zonefan.zones()) == set(names)
    # That alone was in the way.
    zonefan.stop()
    zonefan.configure({"reconciliation": {"verify_ssl": False}})
    zonefan.start()
    run = reconcile(zonefan, code=2)
    assert (of(run, other)["state"], of(run, other)["missing"], of(run, other)["pulled"]) == ("ok", 1, 1)


@pytest.mark.row("R09", fault="the list comes byte by byte",
                 injected="one byte each 0.2 s",
                 required="given up after 60 s; pushes and a stop do not wait for it; 0 deletes")
def test_a_slow_master(install, dcs, masters):
    """R09: a byte now and then. A stop does not wait for it."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    fill(zonefan, master, named("slow", 3))
    reached = threading.Event()
    over = threading.Event()

    def drip(master, handler, path, query):
        handler.send_response_only(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        reached.set()
        while not over.wait(0.2):
            handler.wfile.write(b" ")
        return True
    master.faults = [drip]
    zonefan.ctl("reconcile", "--no-wait", check=0)
    assert reached.wait(20)
    status = zonefan.status()["reconciler"]
    assert zonefan.da().get("/readyz").status == 200 and status["enabled"] and status["alive"]
    zonefan.da(hostname=master.identity).push_ok("slow0000.example", da_zone("slow0000.example", 5))
    # It is given up after a minute, whatever still comes.
    wait_for(lambda: zonefan.status()["reconciler"]["masters"][0]["state"] == "unknown", 200, "the slow list is given up")
    assert len(zonefan.zones()) == 3
    reached.clear()
    zonefan.ctl("reconcile", "--no-wait", check=0)
    assert reached.wait(20)
    begun = time.monotonic()
    zonefan.stop()
    assert time.monotonic() - begun < 15, "a master that hangs holds up the stop"
    over.set()


@pytest.mark.row("R09", fault="a list without end",
                 injected="200 MiB without a length",
                 required="cut off at 16 MiB a page; 0 deletes")
def test_a_list_that_never_ends(install, dcs, masters):
    """R09: more bytes than any list has."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    fill(zonefan, master, named("huge", 3))

    def endless(master, handler, path, query):
        handler.send_response_only(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b" " * (1 << 20))
        handler.close_connection = True
        return True
    master.faults = [endless]
    run = reconcile(zonefan, code=1)
    assert of(run, master)["state"] == "unknown" and "bytes" in of(run, master)["error"]
    assert len(zonefan.zones()) == 3


@pytest.mark.row("R09", fault="wrong case, trailing dots, IDN, quotes, blanks, wildcards",
                 injected="names in the list",
                 required="case and dots are no difference; what is no name is counted; 0 deletes")
def test_names_in_every_spelling(install, dcs, masters):
    """R09: case and final dots are no difference; what is no name of a zone is counted, and IDN in letters spares xn--."""
    master = masters()
    zonefan = install(dcs[:1], config=conf(master))
    names = named("name", 12)
    fill(zonefan, master, [*names, "xn--bcher-kva.example"])

    def spell(master, page, ipp):
        rows = [{"domain": name.upper() + ".", "local_data": "YES"} for name in names]
        rows += [{"domain": odd} for odd in ("b\u00fccher.example", "a'b.example", "x y.example", "", "a..b", "*.w.example")]
        return json_answer(master.page(page, ipp, rows))
    master.faults = [replace_list(spell)]
    for _ in range(3):
        run = reconcile(zonefan, code=0)
    assert (of(run, master)["state"], of(run, master)["zones"], of(run, master)["ignored_names"]) == ("ok", 12, 6)
    assert len(zonefan.zones()) == 13 and orphans(zonefan) == {}


# ---- sessions ----

@pytest.mark.row("R02", fault="sessions die, in the middle of a list too",
                 injected="a master that redirects Basic to a login page",
                 required="renewed once; else unknown; 0 deletes")
def test_evolution(install, dcs, masters):
    """Basic is redirected: a session by CMD_LOGIN, its cookie without Basic, renewed once when it dies."""
    master = masters(style="evolution")
    zonefan = install(dcs[:1], config=conf(master, ipp=4))
    names = named("evo", 12)
    fill(zonefan, master, names)
    reconcile(zonefan, code=0)
    assert master.logins == 1
    with_cookie = [basic for path, _, basic, cookie in master.requests if "session=" in cookie]
    assert len(with_cookie) == 3 and not any(with_cookie), "the password went along with the cookie"
    reconcile(zonefan, code=0)
    assert master.logins == 1, "the session is kept"
    master.sessions.clear()
    reconcile(zonefan, code=0)
    assert master.logins == 2
    # It dies in the middle of a list, and then again at once: that is enough.
    seen = []

    def die(master, handler, path, query):
        if path == "CMD_DNS_ADMIN" and query["page"] == "2":
            seen.append(query)
            master.sessions.clear()
        return False
    master.faults = [die]
    run = reconcile(zonefan, code=1)
    assert of(run, master)["state"] == "unknown" and master.logins <= 4 and len(seen) <= 3
    master.faults = []
    reconcile(zonefan, code=0)
    assert set(zonefan.zones()) == set(names)


@pytest.mark.row("R02", fault="404, a login page, 303 and 307 instead of 401",
                 injected="to Basic",
                 required="a session is tried; the list comes")
def test_a_session_where_basic_finds_nothing(install, dcs, masters):
    """Some panels answer 404, or 200 with the login page, to a login key."""
    for status, body in ((404, "not found"), (200, LOGIN_PAGE), (303, ""), (307, "")):
        master = masters(style="evolution")
        master.turn_away = lambda handler, basic, status=status, body=body: handler.send(status, body)
        zonefan = install(dcs[:1], config=conf(master))
        fill(zonefan, master, named("key", 3))
        assert of(reconcile(zonefan, code=0), master)["zones"] == 3 and master.logins == 1
        zonefan.stop()


@pytest.mark.row("R02", fault="our password is wrong there",
                 injected="both styles of panel",
                 required="the master is unknown and told why; 0 deletes, no owner changes")
def test_a_wrong_password(install, dcs, masters):
    for style in ("classic", "evolution"):
        master = masters(style=style)
        zonefan = install(dcs[:1], config=conf(master))
        fill(zonefan, master, named("pass", 3))
        master.password = "another"
        for _ in range(2):
            run = reconcile(zonefan, code=1)
        assert of(run, master)["state"] == "unknown" and "login" in of(run, master)["error"]
        assert len(zonefan.zones()) == 3
        zonefan.stop()


@pytest.mark.row("R02", fault="the list is redirected to another host",
                 injected="301, 302, 303, 307, 308 and a cookie",
                 required="nobody follows; the other host is never asked; 0 deletes")
def test_no_credentials_for_another_host(install, dcs, masters):
    """A redirect to another host is followed by nobody."""
    master, other = masters(), masters("other.host.example")
    zonefan = install(dcs[:1], config=conf(master))
    fill(zonefan, master, named("redirect", 3))
    for status in (301, 302, 303, 307, 308):
        def away(master, handler, path, query, status=status):
            handler.send(status, "", headers=[("Location", f"http://127.0.0.1:{other.port}/{path}"),
                                              ("Set-Cookie", "session=0123; Domain=127.0.0.1")])
            return True
        master.faults = [away]
        assert of(reconcile(zonefan, code=1), master)["state"] == "unknown"
    assert other.requests == []
    assert len(zonefan.zones()) == 3
