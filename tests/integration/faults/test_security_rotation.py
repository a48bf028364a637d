# SPDX-License-Identifier: GPL-3.0-or-later
"""A password that is replaced while zonefand runs (SEC S4); certificates and databases: test_reload.py."""
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
