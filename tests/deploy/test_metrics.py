# SPDX-License-Identifier: GPL-3.0-or-later
"""V4, V6: what /metrics says is clean and true; each alert fires when it should."""
import os
import re

import pytest
import yaml
from prometheus import promtool
from zf.zones import da_zone, named

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


# ---- the rules ----

@pytest.fixture
def rules(root):
    return os.path.join(root, "deploy", "prometheus")


def alerts(rules):
    with open(os.path.join(rules, "zonefan.rules.yml"), encoding="utf-8") as source:
        return yaml.safe_load(source)


def test_promtool_finds_nothing_in_the_rules(rules):
    verdict = promtool("check", "rules", os.path.join(rules, "zonefan.rules.yml"))
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert f"{len(alerts(rules)['groups'][0]['rules'])} rules found" in verdict.stdout


def test_each_alert_fires_when_it_should(rules):
    verdict = promtool("test", "rules", os.path.join(rules, "zonefan.test.yml"))
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


def test_no_alert_is_untested(rules, tmp_path):
    """Without any one of them the tests of the rules fail."""
    with open(os.path.join(rules, "zonefan.test.yml"), encoding="utf-8") as source:
        (tmp_path / "zonefan.test.yml").write_text(source.read())
    whole = alerts(rules)
    kept = whole["groups"][0]["rules"]
    untested = []
    for rule in kept:
        whole["groups"][0]["rules"] = [other for other in kept if other is not rule]
        (tmp_path / "zonefan.rules.yml").write_text(yaml.safe_dump(whole))
        if promtool("test", "rules", str(tmp_path / "zonefan.test.yml")).returncode == 0:
            untested.append(rule["alert"])
    assert not untested


# ---- what is served ----

def scrape(zonefan):
    answer = zonefan.da().get("/metrics")
    assert answer.status == 200 and answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.body.decode()


def value(text, sample):
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.M)
    assert found, f"{sample} is not in\n{text}"
    return float(found.group(1))


def test_promtool_finds_nothing_in_the_metrics(install, dcs):
    zonefan = install(dcs)
    for name in named("metric", 3):
        zonefan.da().push_ok(name, da_zone(name))
    zonefan.wait_converged()
    text = scrape(zonefan)
    verdict = promtool("check", "metrics", stdin=text)
    assert verdict.returncode == 0 and not verdict.stdout and not verdict.stderr, verdict.stdout + verdict.stderr
    assert value(text, 'zonefan_pushes_total{result="accepted"}') == 3
    for name in zonefan.backends:
        assert value(text, f'zonefan_backend_deliveries_total{{backend="{name}",result="ok"}}') == 3
        assert value(text, f'zonefan_backend_push_to_commit_seconds_count{{backend="{name}"}}') == 3
        assert value(text, f'zonefan_backend_state{{backend="{name}",state="up"}}') == 1
    assert not [line for line in text.splitlines() if "metric0" in line]  # no label with as many values as zones


def test_five_minutes_of_a_paused_database_are_five_minutes_of_lag(install, dcs, tmp_path):
    clock = tmp_path / "clock"

    def move(seconds):
        (tmp_path / "next").write_text(f"+{seconds}s\n")
        os.replace(tmp_path / "next", clock)

    def lag(name):
        return value(scrape(zonefan), f'zonefan_backend_oldest_undelivered_seconds{{backend="{name}"}}')

    move(0)
    zonefan = install(dcs[:2], start=False)
    zonefan.start(env={"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1"})
    zonefan.wait_lane("dc2", "up")
    zonefan.wait_lane("dc1", "up")
    dcs[1].db.freeze()
    zonefan.da().push_ok("late.example", da_zone("late.example"))
    zonefan.wait_converged("dc1")
    assert lag("dc1") == 0 and lag("dc2") < 60
    move(300)
    assert 300 <= lag("dc2") < 360
    assert lag("dc1") == 0
    dcs[1].db.resume()
    zonefan.wait_converged("dc2")
    assert lag("dc2") == 0
    text = scrape(zonefan)
    bucket = 'zonefan_backend_push_to_commit_seconds_bucket{backend="dc2",le="%s"}'
    assert (value(text, bucket % "300"), value(text, bucket % "600")) == (0, 1)
