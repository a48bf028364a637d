# SPDX-License-Identifier: GPL-3.0-or-later
"""
Several DA masters with credentials of their own, beside the single pair (product table S5): da1's password can neither push
nor delete in the name of da2, a read-only login changes nothing, a peer's pushes nothing.
"""
import json
import subprocess

import pytest
from zf.certificates import trusting
from zf.da import DA
from zf.daemon import BIN
from zf.rows import assert_rows_are
from zf.zones import da_zone

DA1, DA2 = "da1.host.example", "da2.host.example"
USERS = [
    {"name": "da1", "password": "canary-one", "identities": [DA1]},
    {"name": "da2", "password": "canary-two", "identities": [DA2, "da2-new.host.example"]},
    {"name": "ops", "password": "canary-three", "role": "operator"},
    {"name": "eye", "password": "canary-four", "role": "read-only"},
]


@pytest.fixture
def zonefan(install, dcs):
    made = install(dcs, config={"app": {"users": USERS}, "peer_sync": {
        "enabled": True, "auth_username": "peers", "auth_password": "canary-five"}}, start=False)
    made.secrets += [user["password"] for user in USERS] + ["canary-five"]
    return made.start()


def login(zonefan, name, hostname=None):
    passwords = {user["name"]: user["password"] for user in USERS} | {"peers": "canary-five"}
    return DA(zonefan.port, name, passwords[name], hostname=hostname or "")


def events(zonefan, kind):
    return [event for event in zonefan.api("/api/v1/events?limit=1000")["events"] if event["kind"] == kind]


def push(da, zone, hostname, text=None):
    return da.push(zone, text or da_zone(zone), hostname=hostname)


@pytest.mark.row("SEC S5", fault="da1's password pushes and deletes in the name of da2",
                 injected="logins of two masters, hostnames of the other",
                 required="refused with the reason and an event; da2 untouched")
def test_a_master_speaks_for_itself_alone(zonefan, dcs):
    da1, da2 = login(zonefan, "da1"), login(zonefan, "da2")
    assert push(da1, "one.example", DA1).error == "0"
    assert push(da2, "two.example", "DA2-NEW.host.example.").error == "0", "host names are compared as host names"
    refused = push(da1, "evil.example", DA2)
    assert refused.error == "1" and "da1" in refused.text and DA2 in refused.text
    assert push(da1, "two.example", DA2, da_zone("two.example", serial=9)).error == "1"
    assert da1.delete("two.example", hostname="da2-new.host.example").error == "1"
    zonefan.wait_converged()
    assert set(zonefan.zones()) == {"one.example", "two.example"}
    for centre in dcs:
        assert_rows_are(centre.db.rows("two.example"), da_zone("two.example"), "two.example", centre.name)
    told = events(zonefan, "identity_refused")
    assert len(told) == 3 and all("da1" in event["detail"] for event in told)


def test_the_owner_still_counts(zonefan, dcs):
    """A late delete from the old master is its own to send, and refused all the same."""
    assert push(login(zonefan, "da1"), "moved.example", DA1).error == "0"
    assert push(login(zonefan, "da2"), "moved.example", DA2).error == "0"
    assert login(zonefan, "da1").delete("moved.example", hostname=DA1).error == "0"
    zonefan.wait_converged()
    assert "moved.example" in zonefan.zones() and dcs[0].db.zone_id("moved.example") is not None
    assert events(zonefan, "delete_refused") and events(zonefan, "takeover")


def test_without_hostname(zonefan):
    """One identity is meant; of several, none can be told."""
    assert push(login(zonefan, "da1"), "plain.example", None).error == "0"
    assert zonefan.api("/api/v1/zones/plain.example")["hostname"] == DA1
    refused = push(login(zonefan, "da2"), "plain2.example", None)
    assert refused.error == "1" and "hostname is missing" in refused.text
    assert login(zonefan, "da2").delete("plain.example", hostname=None).error == "1"
    assert set(zonefan.zones()) == {"plain.example"}


@pytest.mark.parametrize("name,looks,changes,pushes", [
    ("da1", 403, 403, 200), ("ops", 200, 200, 403), ("eye", 200, 403, 403), ("peers", 403, 403, 403)])
@pytest.mark.row("SEC S5", fault="a login does what its role may not",
                 injected="each role at every kind of path",
                 required="403, nothing changed")
def test_roles(zonefan, name, looks, changes, pushes):
    da = login(zonefan, name)
    for path in ("/status", "/api/v1/zones", "/api/v1/events", "/api/v1/rejected", "/api/v1/heal"):
        assert da.get(path).status == looks, path
    for path in ("/api/v1/retry", "/api/v1/heal", "/api/v1/backends/dc1/pause", "/api/v1/backends/dc1/resume"):
        assert da.request("POST", path, b"").status == changes, path
    assert push(da, "role.example", DA1).status == pushes
    assert da.get("/CMD_API_LOGIN_TEST").status == pushes
    assert ("role.example" in zonefan.zones()) == (pushes == 200)
    assert da.get("/readyz").status == 200


def test_the_single_pair_and_the_socket_may_all(zonefan):
    assert push(zonefan.da(), "any.example", "whoever.example").error == "0"
    assert zonefan.ctl("pause", "dc1", check=0) is not None
    assert zonefan.ctl("resume", "dc1", check=0) is not None


def test_zonefanctl_with_a_login(zonefan, tmp_path):
    """The same rights by --url."""
    secret = tmp_path / "password"
    secret.write_text("canary-four\n")
    base = [f"{BIN}/zonefanctl", "--json", "--url", f"http://127.0.0.1:{zonefan.port}", "--user", "eye",
            "--password-file", str(secret)]
    looked = subprocess.run([*base, "zones"], capture_output=True, text=True, timeout=60)
    assert looked.returncode == 0 and "zones" in json.loads(looked.stdout)
    changed = subprocess.run([*base, "pause", "dc1"], capture_output=True, text=True, timeout=60)
    assert changed.returncode == 1 and "may not" in changed.stderr


def test_zonefanctl_over_tls(install, dcs, certificates, tmp_path):
    """--url https://..., with --ca: only to whom that authority knows by that name."""
    zonefan = install(dcs[:1], start=False, config={"app": {
        "ssl_enable": True, "ssl_cert": f"{certificates}/good.pem",
        "ssl_key": f"{certificates}/good.key"}})
    zonefan.tls = trusting(certificates)
    zonefan.start()
    (tmp_path / "password").write_text(zonefan.password + "\n")

    def ctl(host, authority):
        return subprocess.run([f"{BIN}/zonefanctl", "--url", f"https://{host}:{zonefan.port}", "--user", zonefan.user,
                               "--password-file", str(tmp_path / "password"),
                               *(["--ca", f"{certificates}/{authority}.pem"] if authority else []), "zones"],
                              capture_output=True, text=True, timeout=60)
    assert ctl("localhost", "ca").returncode == 0
    for host, authority in (("localhost", "other"), ("localhost", None), ("127.0.0.1", "ca")):
        refused = ctl(host, authority)
        assert refused.returncode == 1 and "zonefand does not answer" in refused.stderr and "SSL" in refused.stderr, refused
