# SPDX-License-Identifier: GPL-3.0-or-later
"""
Rows of security that concern features of a later issue (rotation without a restart): what happens today is safe and said, never
silently something else.
"""
import os
import signal

import pytest
from zf.da import DA
from zf.zones import da_zone


@pytest.mark.row("SEC S4", fault="a password file is replaced, and SIGHUP sent (rotation without a restart is a later feature)",
                 injected="another password in the file of app.users[0], SIGHUP, then a restart",
                 required="the old one works until the restart and no push fails; afterwards the new one alone")
def test_a_new_password_counts_from_the_next_start(install, dcs, happened):
    zonefan = install(dcs[:1], start=False)
    path = os.path.join(zonefan.directory, "da1")

    def put(password):
        zonefan.secrets.append(password)
        with open(path + ".new", "w", encoding="ascii") as out:
            out.write(password + "\n")
        os.chmod(path + ".new", 0o600)
        os.replace(path + ".new", path)
        return DA(zonefan.port, "da1", password)
    old = put("canary-rotation-old")
    zonefan.configure({"app": {"users": [{"name": "da1", "password_file": path, "identities": ["da1.host.example"]}]}})
    zonefan.start()
    old.push_ok("turn.example", da_zone("turn.example"))
    new = put("canary-rotation-new")
    for number in range(3):
        zonefan.process.send_signal(signal.SIGHUP)
        old.push_ok("turn.example", da_zone("turn.example", 2 + number))
        assert new.login_test().status == 401
    zonefan.restart()
    new.push_ok("turn.example", da_zone("turn.example", 9))
    assert old.login_test().status == 401
    happened("3 SIGHUPs, 0 of 5 pushes failed; rotation itself: later issue", acknowledged=5)
