# SPDX-License-Identifier: GPL-3.0-or-later
"""A login's password that is replaced while zonefand runs (SEC S4); certificates and databases: test_reload.py."""
import os
import signal

import pytest
from zf.da import DA
from zf.wait import wait_for
from zf.zones import da_zone


@pytest.mark.row("SEC S4", fault="a password file is replaced, and SIGHUP sent", injected="another password in the file of app.users[0], three times",
                 required="the new one works without a restart, the old one no more; no push fails; no password is told")
def test_a_new_password_counts_after_a_reload(install, dcs, happened):
    zonefan = install(dcs[:1], start=False)
    path = os.path.join(zonefan.directory, "da1")

    def put(password):
        zonefan.secrets.append(password)
        with open(path + ".new", "w", encoding="ascii") as out:
            out.write(password + "\n")
        os.chmod(path + ".new", 0o600)
        os.replace(path + ".new", path)
        return DA(zonefan.port, "da1", password)
    old = put("canary-rotation-0")
    zonefan.configure({"app": {"watch_secrets": False, "users": [{"name": "da1", "password_file": path,
                                                                  "identities": ["da1.host.example"]}]}})
    zonefan.start()
    old.push_ok("turn.example", da_zone("turn.example"))
    for number in range(1, 4):
        new = put(f"canary-rotation-{number}")
        old.push_ok("turn.example", da_zone("turn.example", 2 * number))  # it counts until it is told
        zonefan.process.send_signal(signal.SIGHUP)
        wait_for(lambda new=new: new.login_test().error == "0", 30, zonefan.log_tail, interval=0.3)
        assert old.login_test().status == 401
        new.push_ok("turn.example", da_zone("turn.example", 2 * number + 1))
        old = new
    happened("3 reloads, 0 of 7 pushes failed", times=3, acknowledged=7)


@pytest.mark.row("SEC S4", fault="a master's password is replaced without a moment at which none fits",
                 injected="a second login with the same identity, by reload; the master changes over; the first one goes, by reload",
                 required="while both are there, both push and delete for that master; then the new one alone; no push fails")
def test_two_logins_of_one_master_overlap(install, dcs, happened):
    def user(name):
        return {"name": name, "password": f"canary-overlap-{name}", "identities": ["da1.host.example"]}
    zonefan = install(dcs[:1], start=False, config={"app": {"users": [user("da1")]}})
    zonefan.secrets += [user(name)["password"] for name in ("da1", "da1-2026")]
    zonefan.start()
    old, new = (DA(zonefan.port, name, user(name)["password"]) for name in ("da1", "da1-2026"))
    old.push_ok("turn.example", da_zone("turn.example"))
    old.push_ok("gone.example", da_zone("gone.example"))
    assert new.login_test().status == 401
    zonefan.configure({"app": {"users": [user("da1"), user("da1-2026")]}})
    zonefan.ctl("reload", check=0)
    for serial, login in enumerate((new, old, new), 2):
        login.push_ok("turn.example", da_zone("turn.example", serial))
    new.delete_ok("gone.example")  # of the same owner: it is the master's, whatever its login is called
    zonefan.configure({"app": {"users": [user("da1-2026")]}})
    zonefan.ctl("reload", check=0)
    assert old.login_test().status == 401
    new.push_ok("turn.example", da_zone("turn.example", 5))
    zonefan.wait_converged()
    assert set(zonefan.zones()) == {"turn.example"} and zonefan.zone("turn.example")["serial"] == 5
    happened("2 reloads, 0 of 6 pushes failed", times=2, acknowledged=6)
