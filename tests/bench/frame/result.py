# SPDX-License-Identifier: GPL-3.0-or-later
"""What a part found: figures with their bars, charts, and how it was found. No measuring here, no output."""
import statistics


class Figure:
    """One quantity. It is judged by the median of its values; min and max stand beside."""

    def __init__(self, name, unit, values, bar=None, at_least=True, note="", main=False):
        """
        values: one per pair or round (a single number is a list of one).
        bar: what the median must reach (at_least) or must not exceed; None: nothing is asserted.
        main: shown in the table of the top README; a figure with a bar is always shown there.
        """
        self.name = name
        self.unit = unit
        self.values = list(values) if isinstance(values, (list, tuple)) else [values]
        assert self.values, f"{name} has no values"
        self.bar = bar
        self.at_least = at_least
        self.note = note
        self.main = main or bar is not None

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def met(self):
        """None if there is no bar."""
        if self.bar is None:
            return None
        return self.median >= self.bar if self.at_least else self.median <= self.bar

    def as_dict(self):
        return {"name": self.name, "unit": self.unit, "median": self.median, "min": min(self.values),
                "max": max(self.values), "values": self.values, "bar": self.bar, "at_least": self.at_least,
                "met": self.met, "note": self.note, "main": self.main}


class Chart:
    """
    kind "bars": series {label: [(category, median, min, max), ...]}, the same categories in each;
    "lines": {label: [(x, y), ...]}; "cdf": {label: [(x, share), ...]}, share from 0 to 1.
    """

    def __init__(self, name, title, x_label, y_label, series, kind="bars", log_x=False, log_y=False):
        assert kind in ("bars", "lines", "cdf"), kind
        self.name = name
        self.title = title
        self.x_label = x_label
        self.y_label = y_label
        self.series = series
        self.kind = kind
        self.log_x = log_x
        self.log_y = log_y

    def as_dict(self):
        return {"name": self.name, "title": self.title, "x_label": self.x_label, "y_label": self.y_label,
                "kind": self.kind, "series": self.series}


class Result:
    def __init__(self, part, title, figures, settings=None, notes=(), charts=(), raw=None):
        """
        settings: {name: value} of what was measured; notes: sentences; raw: anything JSON holds, kept in build/bench
        only.
        """
        self.part = part
        self.title = title
        self.figures = list(figures)
        self.settings = dict(settings or {})
        self.notes = list(notes)
        self.charts = list(charts)
        self.raw = raw or {}

    @property
    def missed(self):
        return [figure for figure in self.figures if figure.met is False]

    def as_dict(self):
        return {"part": self.part, "title": self.title, "figures": [figure.as_dict() for figure in self.figures],
                "settings": self.settings, "notes": self.notes, "charts": [chart.as_dict() for chart in self.charts],
                "raw": self.raw}


def bar_of(category, values):
    """A point of a "bars" chart."""
    return category, statistics.median(values), min(values), max(values)


def percentile(values, share):
    """The smallest value that at least this share (of 100) of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def cdf(values, points=200):
    """[(x, share)] of a "cdf" chart, thinned out to about that many points."""
    ordered = sorted(values)
    step = max(1, len(ordered) // points)
    picked = list(range(0, len(ordered) - 1, step)) + [len(ordered) - 1]
    return [(ordered[i], (i + 1) / len(ordered)) for i in picked]
