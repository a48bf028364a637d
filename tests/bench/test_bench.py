# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench works: what its frame says about figures, and one part from end to end, tiny. No rate is asserted here."""
import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from frame import plot, report  # noqa: E402
from frame.result import Chart, Figure, Result, cdf, percentile  # noqa: E402


@pytest.mark.parametrize("values, bar, at_least, met", [
    ([1, 9, 3], 3, True, True), ([1, 9, 2.9], 3, True, False), ([1, 9, 3], 3, False, True), ([1, 9, 3.1], 3, False, False),
    ([1, 9, 3], None, True, None)])
def test_the_median_is_judged(values, bar, at_least, met):
    assert Figure("rate", "", values, bar, at_least).met is met


def test_a_figure_without_values_is_none():
    with pytest.raises(AssertionError):
        Figure("rate", "zones/s", [])


def test_percentiles_and_shares():
    assert [percentile(range(1, 101), share) for share in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([7], 50) == 7
    assert cdf([3, 1, 2]) == [(1, 1 / 3), (2, 2 / 3), (3, 1)]
    assert len(cdf(range(10000))) <= 202 and cdf(range(10000))[-1] == (9999, 1)


@pytest.mark.parametrize("value, text", [
    (0, "0"), (0.5916, "0.592"), (12.34, "12.3"), (999.9, "1000"), (1234.5, "1,234"), (0.00001234, "1.23e-05")])
def test_numbers_are_short(value, text):
    assert report.number(value) == text


def found(*figures):
    return {**Result("ack", "how fast", figures).as_dict(), "command": "tests/bench/run ack", "at": "2026-03-04 05:06 UTC",
            "commit": "0123abc", "machine": {"processors": "2 × some"}}


def test_what_is_missed_is_shown(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    result = found(Figure("good", "", [2, 1, 3], bar=2), Figure("bad", "ms", [5], bar=4, at_least=False),
                   Figure("beside", "ms", [5]), Figure("us: processor time of dc1", "µs/zone", [7]),
                   Figure("us: processor time of client", "µs/zone", [8]))
    report.save(result, tmp_path, [])
    report.keep(result, tmp_path, tmp_path / "kept")
    report.update_readme(readme, tmp_path / "kept", ["bulk", "ack"])
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{report.BEGIN}\n`tests/bench/run ack`: how fast (2026-03-04, 0123abc)\n")
    assert "| processor time, us | dc1 7, client 8 µs/zone | | |\n" in text
    assert "| good | **2** | 1 – 3 | ≥ 2: met |\n" in text and "| bad | **5** ms |  | ≤ 4: NOT MET |\n" in text
    assert "old" not in text and "beside" not in text and text.endswith(f"{report.END}\nafter\n")


def test_a_part_that_has_nothing_for_the_table_is_left_out():
    assert "| median |" not in report.table({"ack": found(Figure("beside", "ms", [5]))}, ["ack"])


@pytest.mark.parametrize("kind, points", [
    ("bars", [("it's one", 2, 1, 3), ("two", 4, 3, 5)]), ("lines", [(1, 2), (3, 4)]), ("cdf", [(1, 0.5), (2, 1)])])
def test_charts_are_drawn(tmp_path, kind, points):
    path = str(tmp_path / "it's.svg")
    plot.draw(Chart("rate", "its 'title'", "x", "zones/s", {"one 'side'": points, "other": points}, kind), path)
    with open(path, encoding="utf-8") as svg:
        assert "<svg" in svg.read()


def test_a_part_runs(tmp_path):
    done = subprocess.run([os.path.join(HERE, "run"), "bulk", "--quick", "--output", str(tmp_path)], text=True,
                          capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(tmp_path / "bulk.json", encoding="utf-8") as text:
        figures = json.load(text)["figures"]
    rates = [figure for figure in figures if figure["unit"] == "zones/s"]
    assert len(rates) == 8 and all(figure["min"] > 0 for figure in rates)
    assert os.path.exists(tmp_path / "bulk-rate.svg")
    assert "2 databases: zonefan / loader" in done.stdout
    assert sorted(os.listdir(tmp_path)) == ["bulk-rate.svg", "bulk.json"], "something was left behind"
