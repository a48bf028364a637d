# SPDX-License-Identifier: GPL-3.0-or-later
"""V5: every query of the dashboard finds something in a Prometheus that reads a real zonefand; no alert names what is not served."""
import json
import os
import re

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from prometheus import Prometheus, promtool
from zf.master import NameServer
from zf.peer import Predecessor
from zf.wait import free_port, wait_for
from zf.zones import da_zone


def expressions(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def filled_in(expression, instance=".*", backend=".*"):
    """As Grafana does, for "All" or what is picked, with a rate over a few scrapes."""
    for variable, text in (("$instance", instance), ("$backend", backend), ("$__rate_interval", "10s")):
        expression = expression.replace(variable, text)
    assert "$" not in expression, expression
    return expression


def escaped(value):
    """What is picked of a list of several stands in a regular expression, within a string."""
    return re.escape(value).replace("\\", "\\\\")


@pytest.fixture
def dashboard(root):
    with open(os.path.join(root, "deploy", "grafana", "zonefan.json"), encoding="utf-8") as source:
        return json.load(source)


def test_panels_stand_beside_each_other(dashboard):
    taken = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for cell in [(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]:
            assert cell not in taken, f"{panel['title']} lies on {taken[cell]}"
            taken[cell] = panel["title"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def names_in(text):
    return set(re.findall(r"\bzonefan_[a-z_]+", text))


@pytest.fixture
def rules(root):
    return os.path.join(root, "deploy", "prometheus", "zonefan.rules.yml")


class Reader(NameServer):
    """A name server that answers what stands in the database now."""

    def __init__(self, db):
        self.db = db
        super().__init__(None)

    def reply(self, wire, tcp):
        query = dns.message.from_wire(wire)
        asked = query.question[0]
        answer = dns.message.make_response(query)
        zones = {dns.name.from_text(name): rows for name, rows in self.db.all_rows().items()}
        origin = max((name for name in zones if asked.name.is_subdomain(name)), key=len, default=None)
        if origin is None:
            answer.set_rcode(dns.rcode.REFUSED)
            return answer.to_wire()
        answer.flags |= dns.flags.AA
        found = [row for row in zones[origin] if row.type == dns.rdatatype.to_text(asked.rdtype)
                 and dns.name.from_text(row.hostname, origin) == asked.name]
        if found:
            answer.answer.append(dns.rrset.from_text(asked.name, found[0].ttl, "IN", found[0].type, *(row.data for row in found)))
        return answer.to_wire()


@pytest.fixture
def watched(install, dcs, masters, certificates, rules, tmp_path):
    """A zonefan with all that can be watched (a master, a peer, name servers, a certificate), and the Prometheus that reads it."""
    master, peer = masters(), Predecessor()
    readers = [Reader(centre.db) for centre in dcs[:2]]
    master.put("mastered.example")
    zonefan = install(dcs[:2], config={
        "app": {"ssl_cert": os.path.join(certificates, "good.pem"), "ssl_key": os.path.join(certificates, "good.key"),
                "listeners": [{"address": "127.0.0.1", "port": free_port(), "ssl": True}]},
        "verify": {"canary": "canary.example"},
        "dns": {"backends": {centre.name: {"verify": {"dns": [f"127.0.0.1:{reader.port}"]}}
                             for centre, reader in zip(dcs, readers)}},
        "peer_sync": {"enabled": True, "auth_password": peer.password, "peers": [{"url": peer.url}]},
        "reconciliation": {"enabled": True, "directadmin_servers": [
            {"hostname": "127.0.0.1", "port": master.port, "username": master.user, "password": master.password, "ssl": False,
             "identity": master.identity, "dns_port": master.dns_port}]}})
    prometheus = Prometheus(tmp_path, zonefan, rules)
    yield zonefan, prometheus
    prometheus.close()
    peer.close()
    for reader in readers:
        reader.close()


def test_every_query_of_the_dashboard_finds_something(watched, dashboard, rules):
    zonefan, prometheus = watched
    pushed = iter(range(1, 1000))

    def push_some():
        zonefan.da().push_ok("watched.example", da_zone("watched.example", 2026030400 + next(pushed)))
        return prometheus.query('rate(zonefan_pushes_total{result="accepted"}[10s]) > 0') if prometheus.is_ready() else None
    wait_for(push_some, 60, "pushes are seen in Prometheus", interval=0.3)
    zonefan.ctl("heal", check=0)
    push_some()
    prometheus.wait_value("zonefan_backend_canary_answered_timestamp_seconds", lambda at: at > 0)
    prometheus.wait_value('zonefan_backend_healing_passes_total{result="done"}', lambda count: count >= 1)
    one = {"instance": escaped(f"127.0.0.1:{zonefan.port}"), "backend": "dc1"}
    empty = [f"{title}: {expression}" for title, expression in expressions(dashboard)
             if not prometheus.query(filled_in(expression)) or not prometheus.query(filled_in(expression, **one))]
    assert not empty, "\n".join(empty)
    assert not prometheus.query('ALERTS{alertstate="firing"}')
    metrics = zonefan.da().get("/metrics").body.decode()
    with open(rules, encoding="utf-8") as source:
        unknown = names_in(source.read()) - names_in(metrics)
    assert not unknown, f"alerts name metrics that are not served: {unknown}"
    # Here every family is there: of masters, peers, name servers, the canary, a certificate.
    verdict = promtool("check", "metrics", stdin=metrics)
    assert verdict.returncode == 0 and not verdict.stdout and not verdict.stderr, verdict.stdout + verdict.stderr


def lists(dashboard):
    """{variable: (selector, label)} of those that are filled by a query, in their order."""
    found = {}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] != "query":
            continue
        query = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert query, f"{variable['name']}: {variable['query']}"
        found[variable["name"]] = query.groups()
    return found


def test_every_list_to_pick_from_is_filled(watched, dashboard):
    """What is picked in one counts for those after it."""
    zonefan, prometheus = watched
    prometheus.wait_value("count(zonefan_backend_state)", lambda count: count > 0)
    wanted = {"instance": [f"127.0.0.1:{zonefan.port}"], "backend": ["dc1", "dc2"]}
    asked = lists(dashboard)
    assert set(asked) == set(wanted), "a list is not tried here"
    picked = [{}, {"instance": escaped(wanted["instance"][0])}, {"instance": "elsewhere:1"}]
    for choice in picked:
        for name, (selector, label) in asked.items():
            values = prometheus.label_values(filled_in(selector, **choice), label)
            depends = "$instance" in selector
            assert sorted(values) == ([] if depends and choice == picked[-1] else wanted[name]), (name, choice, values)
    assert "$instance" in asked["backend"][0], "back ends of another zonefan would be offered"
