# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes over the masters: asking for them, and what came of them; faults of a master's list."""
import concurrent.futures
import json

from .master import LOGIN_PAGE
from .wait import wait_for


def conf(*masters, **more):
    """The first pass comes long after the test: each one is asked for."""
    return {"reconciliation": {"enabled": True, "initial_delay_minutes": 10000, "orphan_grace_minutes": 0,
                               "directadmin_servers": [master.conf() for master in masters], **more}}


def reconcile(zonefan, *options, code=None):
    """What the status shows after one pass."""
    done = zonefan.ctl("--json", "reconcile", *options, check=code)
    return json.loads(done.stdout)


def fill(zonefan, master, names):
    for name in names:
        master.put(name)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: master.push(zonefan, name), names))


def events(zonefan, kind):
    return [event for event in zonefan.listing("/api/v1/events", "events", 1000) if event["kind"] == kind]


def orphans(zonefan):
    return {orphan["zone"]: orphan for orphan in zonefan.listing("/api/v1/orphans", "orphans")}


def of(run, master):
    return next(entry for entry in run["masters"] if entry["identity"] == master.identity)


def vanish(master, names):
    for name in names:
        del master.zones[name]


def wait_gone(zonefan, names):
    wait_for(lambda: not set(names) & set(zonefan.zones()), 30, lambda: f"{names} are gone")


# ---- faults of a Master ----

def replace_list(make):
    """A fault: the list is what make(master, page, ipp, query) gives: (status, body, type)."""
    def fault(master, handler, path, query):
        if path != "CMD_DNS_ADMIN":
            return False
        answer = make(master, int(query["page"]), int(query["ipp"]))
        if answer is None:
            return False
        handler.send(*answer)
        return True
    return fault


def json_answer(body):
    return 200, body, "application/json"


login_page = replace_list(lambda *_: (200, LOGIN_PAGE, "text/html"))
