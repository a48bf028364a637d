# SPDX-License-Identifier: GPL-3.0-or-later
"""
Issue: "Every test vector of directadmin-protocol.md section 10 passes over raw sockets, with and without
Content-Type, HTTP/1.0 and 1.1." (product table W2, W3, W13, fault H.)
"""
import itertools
import socket
import urllib.parse

import pytest
from zf.rows import assert_rows_are
from zf.wait import wait_for
from zf.zones import da_zone

FORM = "application/x-www-form-urlencoded"
VARIANTS = list(itertools.product(("1.0", "1.1"), (None, FORM, "text/plain; charset=utf-8", "multipart/form-data")))


def shape(fault):
    """What a panel really sends."""
    return pytest.mark.row("H09", fault=fault, injected="HTTP/1.0 and 1.1, without and with three kinds of Content-Type",
                           required="100 % of the shapes are accepted")


def odd(fault, injected):
    return pytest.mark.row("H07", fault=fault, injected=injected, required="error=1 with the reason, the old version stays")


@pytest.fixture(params=VARIANTS, ids=lambda v: f"{v[0]}-{(v[1] or 'untyped').split(';')[0].replace('/', '_')}")
def da(shared, request):
    version, content_type = request.param
    master = shared.zonefan.da(version=version, content_type=content_type)
    # zones of its own, so that the variants do not meet
    master.tag = "v" + version.replace(".", "") + str(VARIANTS.index(request.param))
    return master


def expect_gone(shared, zone):
    wait_for(lambda: all(centre.db.zone_id(zone) is None for centre in shared.dcs), 30, f"{zone} is gone everywhere")


def expect_rows(shared, zone, text):
    def there():
        for centre in shared.dcs:
            try:
                assert_rows_are(centre.db.rows(zone), text, zone, centre.name)
            except AssertionError as error:
                there.problem = str(error)
                return False
        return True
    there.problem = ""
    wait_for(there, 30, lambda: there.problem)


@shape("login test")
def test_login(da):
    answer = da.login_test()
    assert (answer.status, answer.error) == (200, "0") and answer.text
    assert answer.fields["details"] == "none"


@shape("login test by POST")
def test_login_by_post(da):
    assert da.request("POST", "/CMD_API_LOGIN_TEST", b"").error == "0"


@shape("exists at every key press, whatever was typed")
@pytest.mark.parametrize("name", ["x", "a", "add.h", "t.whs.in", "a..b", "-", "*.x", "a b".replace(" ", "%20"), "%00",
                                  "%2e%2e%2fetc", "caf%C3%A9.example", "x" * 300, "", "'%3B--"])
def test_exists_is_no_error_for_an_odd_name(da, name):
    """3.2: names come at every key press; none of them is an error."""
    answer = da.exists(name)
    assert answer.status == 200 and answer.fields["error"] == "0" and answer.fields["exists"] == "0", answer


@shape("exists for a zone that is held, in other spellings")
def test_exists_for_a_zone_held(da, shared):
    zone = f"{da.tag}held.example"
    da.push_ok(zone, da_zone(zone))
    for name in (zone, f"{zone.upper()}.", zone.replace(".", "%2E")):
        answer = da.exists(name)
        assert answer.fields["error"] == "0" and answer.fields["exists"] == "1" and "details" in answer.fields, answer


@shape("exists with check_for_parent_domain")
def test_exists_for_a_parent(da, shared):
    zone = f"{da.tag}shop.example"
    da.push_ok(zone, da_zone(zone))
    answer = da.exists(f"a.b.{zone}", parent=True)
    assert answer.fields == {"error": "0", "exists": "3", "hostname": "da1.host.example", "username": "fred"}
    assert da.exists(f"a.b.{zone}").fields["exists"] == "0"
    # the zone itself is told as itself, a stranger whose name merely ends alike is none of its children
    assert da.exists(zone, parent=True).fields["exists"] == "1"
    assert da.exists(f"x{zone}", parent=True).fields["exists"] == "0"


@shape("exists by POST")
@pytest.mark.parametrize("how", ["query", "form"])
def test_exists_by_post(da, how):
    zone = f"{da.tag}post{how}.example"
    da.push_ok(zone, da_zone(zone))
    parameters = f"action=exists&domain={zone}"
    if how == "query":
        answer = da.request("POST", f"/CMD_API_DNS_ADMIN?{parameters}", b"")
    else:
        answer = da.request("POST", "/CMD_API_DNS_ADMIN", parameters)
    assert answer.fields["exists"] == "1", answer


@shape("push without username")
def test_push_without_username(da, shared):
    zone = f"{da.tag}admin.example"
    da.push_ok(zone, da_zone(zone), username=None)
    assert shared.zonefan.zone(zone)["username"] == ""
    assert shared.zonefan.zone(zone)["hostname"] == "da1.host.example"


@shape("push whose body looks like a form")
def test_push_body_is_verbatim(da, shared):
    """The body holds &, + and %; whatever the Content-Type says, none of it is decoded."""
    zone = f"{da.tag}verbatim.example"
    text = da_zone(zone, 1, extra=f'{zone}.\t60\tIN\tTXT\t"a=b&c=%41+%zz&action=delete&select0={zone}"')
    da.push_ok(zone, text)
    expect_rows(shared, zone, text)
    rows = shared.dcs[0].db.rows(zone)
    assert f'"a=b&c=%41+%zz&action=delete&select0={zone}"' in [row.data for row in rows]


@shape("push with named_reload=yes")
def test_push_with_named_reload(da, shared):
    zone = f"{da.tag}acme.example"
    text = da_zone(zone, 1, extra='_acme-challenge\t5\tIN\tTXT\t"token"')
    da.push_ok(zone, text, named_reload=True)
    expect_rows(shared, zone, text)


@shape("push as a form")
def test_push_as_a_form(da, shared):
    """As the predecessor took it: a form whose own fields carry action=rawsave and zone_file."""
    zone = f"{da.tag}formpush.example"
    text = da_zone(zone)
    body = urllib.parse.urlencode({"action": "rawsave", "domain": zone, "hostname": da.hostname, "username": "fred",
                                   "zone_file": text})
    answer = da.request("POST", "/CMD_API_DNS_ADMIN", body)
    assert answer.error == "0", answer
    expect_rows(shared, zone, text)


@odd("a rawsave form without a zone", "a hook of the panel posts one")
def test_push_as_a_form_without_zone(da, shared):
    """4.1: a hook posts a rawsave form without any zone: error=1."""
    zone = f"{da.tag}nozone.example"
    answer = da.request("POST", "/CMD_API_DNS_ADMIN", f"action=rawsave&domain={zone}&hostname={da.hostname}")
    assert (answer.status, answer.error) == (200, "1") and answer.text
    assert da.exists(zone).fields["exists"] == "0"


@shape("delete by POST without action in the query, select0 and select1")
def test_delete_of_two(da, shared):
    """Fault H: DA's real delete, select0 and select1, is carried out."""
    zones = [f"{da.tag}del{i}.example" for i in range(2)]
    for zone in zones:
        da.push_ok(zone, da_zone(zone))
    shared.zonefan.wait_converged()
    da.delete_ok(*zones)
    for zone in zones:
        assert da.exists(zone).fields["exists"] == "0"
        expect_gone(shared, zone)


@shape("delete with a gap in selectN, and by query")
def test_delete_over_a_gap_and_by_query(da, shared):
    zones = [f"{da.tag}gap{i}.example" for i in range(3)]
    for zone in zones:
        da.push_ok(zone, da_zone(zone))
    body = f"action=delete&hostname={da.hostname}&select0={zones[0]}&select7={zones[1]}"
    assert da.request("POST", "/CMD_API_DNS_ADMIN", body).error == "0"
    query = f"/CMD_API_DNS_ADMIN?action=delete&hostname={da.hostname}&domain={zones[2]}"
    assert da.request("POST", query, b"").error == "0"
    for zone in zones:
        assert da.exists(zone).fields["exists"] == "0", zone
        expect_gone(shared, zone)


def test_delete_from_a_foreign_master(da, shared):
    zone = f"{da.tag}foreign.example"
    text = da_zone(zone)
    da.push_ok(zone, text)
    da.delete_ok(zone, hostname="da2.host.example")
    assert da.exists(zone).fields["exists"] == "1"
    expect_rows(shared, zone, text)


def test_push_after_delete_with_the_same_serial(da, shared):
    zone = f"{da.tag}again.example"
    da.push_ok(zone, da_zone(zone, 7, address="192.0.2.1"))
    shared.zonefan.wait_converged()
    da.delete_ok(zone)
    again = da_zone(zone, 7, address="192.0.2.2")
    da.push_ok(zone, again)
    expect_rows(shared, zone, again)


@shape("push with a lower serial")
def test_lower_serial_is_taken(da, shared):
    """4.2: never reject a push for an old or equal serial."""
    zone = f"{da.tag}serial.example"
    da.push_ok(zone, da_zone(zone, 9))
    lower = da_zone(zone, 3)
    da.push_ok(zone, lower)
    expect_rows(shared, zone, lower)


@odd("an empty POST", "no action, no body")
def test_empty_post(da, shared):
    before = sorted(shared.zonefan.zones())
    answer = da.request("POST", "/CMD_API_DNS_ADMIN", b"")
    assert (answer.status, answer.error) == (200, "1") and answer.text
    assert sorted(shared.zonefan.zones()) == before


@odd("actions that are not ours", "create, dnssec, select, ttl, nonsense")
@pytest.mark.parametrize("action", ["create", "dnssec", "select", "ttl", "nonsense"])
def test_other_actions(da, action):
    answer = da.request("POST", f"/CMD_API_DNS_ADMIN?action={action}&domain=other.example", b"")
    assert (answer.status, answer.error) == (200, "1") and answer.text


@shape("push with parameters of later panels")
def test_unknown_parameters_are_ignored(da, shared):
    zone = f"{da.tag}unknown.example"
    text = da_zone(zone)
    answer = da.request("POST", f"/CMD_API_DNS_ADMIN?json=yes&action=rawsave&cluster=yes&domain={zone}&later=1&hostname=h",
                        text)
    assert answer.error == "0", answer
    expect_rows(shared, zone, text)


def test_unknown_command(da):
    assert da.request("GET", "/CMD_NO_SUCH_THING").status == 404


@pytest.mark.row("H08", fault="a wrong password", injected="login and push", required="401, nothing stored")
def test_wrong_password(shared):
    da = shared.zonefan.da()
    da.auth = da.auth[:-4] + "AAA="
    answer = da.login_test()
    assert answer.status == 401 and answer.error == "1"
    assert answer.headers["www-authenticate"].startswith("Basic ")
    zone = "wrongpassword.example"
    assert da.push(zone, da_zone(zone)).status == 401
    assert shared.zonefan.da().exists(zone).fields["exists"] == "0"


@pytest.mark.row("H08", fault="300 wrong passwords in a row", injected="from the address of a master",
                 required="401 or 429; the right one is taken")
def test_many_wrong_passwords_never_touch_the_right_one(shared):
    """decisions.md 14: correct credentials are never refused because others failed from the same address."""
    bad = shared.zonefan.da()
    bad.auth = "Basic AAAA"
    statuses = {bad.login_test().status for _ in range(300)}
    assert statuses <= {401, 429} and 401 in statuses
    assert shared.zonefan.da().login_test().error == "0"


@odd("domains that are no names", "11 of them: slashes, NUL, quotes, 300 bytes, beyond ASCII")
@pytest.mark.parametrize("domain", ["a/b.example", "..", "a..example", "%0a.example", "a%00b.example", "x" * 64 + ".example",
                                    ".".join(["abcdefgh"] * 30), "a'b.example", "a b.example".replace(" ", "%20"), "",
                                    "caf%C3%A9.example"])
def test_strict_names(shared, domain):
    """W13: refused, and nothing of it is stored."""
    before = sorted(shared.zonefan.zones())
    answer = shared.zonefan.da().push(domain, da_zone("strict.example"))
    assert (answer.status, answer.error) == (200, "1") and answer.text, answer
    assert sorted(shared.zonefan.zones()) == before


def test_names_are_normalised(shared):
    text = da_zone("upper.example")
    shared.zonefan.da().push_ok("UPPER.Example.", text)
    expect_rows(shared, "upper.example", text)
    for zone in ("2.0.192.in-addr.arpa", "_dmarc.under.example", "xn--caf-dma.example"):
        text = da_zone(zone)
        shared.zonefan.da().push_ok(zone, text)
        expect_rows(shared, zone, text)


def bad_zones():
    def zone(tail):
        return da_zone("bad.example") + tail + "\n"
    line = zone("").count("\n")  # the last one, where the tail stands
    return {
        "syntax": (zone("www 60 IN A 999.1.1.1"), f"line {line}:"),
        "garbage": (zone("this is no record at all ((("), "line "),
        "include": (zone("$INCLUDE /etc/passwd"), f"line {line}:"),
        "generate": (zone("$GENERATE 1-9 h$ A 192.0.2.$"), f"line {line}:"),
        "out of zone": (zone("www.other.example. 60 IN A 192.0.2.1"), f"line {line}:"),
        "second SOA": (zone("@ 60 IN SOA a. b. 1 2 3 4 5"), f"line {line}:"),
        "CNAME beside": (zone("host0 60 IN CNAME other"), "line "),
        "no SOA": ("$TTL 60\n@ IN NS ns1.example.\n", ""),
        "empty": ("", ""),
        "blank": ("\n\n\n", ""),
        "html": ("<html><body>Login</body></html>", "line "),
        "class": (zone("www 60 CH A 192.0.2.1"), f"line {line}:"),
    }


@odd("zones with a fault in a line", "12 kinds: syntax, foreign names, a second SOA, HTML instead of a zone")
@pytest.mark.parametrize("kind", list(bad_zones()))
def test_broken_zone(shared, kind):
    """W3: error=1 with the line, the old version stays in service, the refused text is listed."""
    text, where = bad_zones()[kind]
    good = da_zone("bad.example", 5)
    da = shared.zonefan.da()
    da.push_ok("bad.example", good)
    answer = da.push("bad.example", text)
    assert (answer.status, answer.error) == (200, "1")
    assert answer.text.startswith(where) and answer.text, answer
    listed = [entry for entry in shared.zonefan.api("/api/v1/rejected")["rejected"] if entry["zone"] == "bad.example"]
    assert len(listed) == 1 and listed[0]["error"] and listed[0]["source"], listed
    expect_rows(shared, "bad.example", good)
    # a good push makes the refused one old news
    da.push_ok("bad.example", da_zone("bad.example", 6))
    assert not [e for e in shared.zonefan.api("/api/v1/rejected")["rejected"] if e["zone"] == "bad.example"]


@pytest.mark.row("H10", fault="several requests on one connection", injected="HTTP/1.1 three times, HTTP/1.0 once",
                 required="served in turn; the HTTP/1.0 connection is closed")
def test_keep_alive_only_when_asked(shared):
    """1.1: one request per connection for HTTP/1.0; an HTTP/1.1 client may send several."""
    da = shared.zonefan.da(version="1.1")
    with socket.create_connection(da.address, timeout=10) as sock:
        for _ in range(3):
            sock.sendall(da.build("GET", "/CMD_API_LOGIN_TEST"))
            assert da.read(sock).error == "0"
    old = shared.zonefan.da()
    with socket.create_connection(old.address, timeout=10) as sock:
        sock.sendall(old.build("GET", "/CMD_API_LOGIN_TEST"))
        assert old.read(sock).error == "0"
        sock.settimeout(10)
        assert sock.recv(1) == b"", "an HTTP/1.0 connection stays open"


@shape("CR LF CR LF behind the counted body")
def test_extra_newline_after_the_body(shared):
    """1.1: DA's PHP client appends CR LF CR LF behind the counted body."""
    da = shared.zonefan.da()
    zone = "extra.example"
    raw = da.build("POST", f"/CMD_API_DNS_ADMIN?action=rawsave&domain={zone}&hostname=h", da_zone(zone).encode())
    assert da.exchange(raw + b"\r\n\r\n").error == "0"
    expect_rows(shared, zone, da_zone(zone))


@pytest.mark.row("H10", fault="Expect: 100-continue", injected="with a chunked push", required="100, then the push is taken")
def test_expect_continue_and_chunks(shared):
    da = shared.zonefan.da(version="1.1")
    zone, text = "chunked.example", da_zone("chunked.example").encode()
    target = f"/CMD_API_DNS_ADMIN?action=rawsave&domain={zone}&hostname=h"
    head = (f"POST {target} HTTP/1.1\r\nAuthorization: {da.auth}\r\nHost: h\r\n"
            "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n").encode()
    with socket.create_connection(da.address, timeout=10) as sock:
        sock.sendall(head)
        assert sock.recv(100).startswith(b"HTTP/1.1 100")
        for i in range(0, len(text), 100):
            part = text[i:i + 100]
            sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        sock.sendall(b"0\r\n\r\n")
        assert da.read(sock).error == "0"
    expect_rows(shared, zone, text)


@shape("a request in pieces of seven bytes")
def test_slow_arrival_in_pieces(shared):
    """A request may come byte by byte; it is one request all the same."""
    da = shared.zonefan.da()
    zone, text = "pieces.example", da_zone("pieces.example")
    raw = da.build("POST", f"/CMD_API_DNS_ADMIN?action=rawsave&domain={zone}&hostname=h", text.encode())
    with socket.create_connection(da.address, timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(0, len(raw), 7):
            sock.sendall(raw[i:i + 7])
        assert da.read(sock).error == "0"
    expect_rows(shared, zone, text)


def test_probes_are_open(shared):
    da = shared.zonefan.da()
    da.auth = "none"
    assert da.get("/healthz").status == 200
    assert da.get("/readyz").status == 200
    for path in ("/status", "/api/v1/zones", "/api/v1/rejected"):
        assert da.get(path).status in (401, 429), path  # 429: the test before guessed a lot
