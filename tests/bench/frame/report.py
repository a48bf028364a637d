# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found, for people and for programs: text, Markdown between two marks, JSON, charts."""
import glob
import json
import os
import shutil

from frame import plot

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
DIGITS = 3


def number(value):
    """Three digits that mean something, thousands as they are."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    text = f"{value:.{DIGITS}g}"
    return f"{float(text):g}" if "e" in text else text


def judged(figure):
    """figure: as Figure.as_dict()"""
    if figure["bar"] is None:
        return ""
    sign = "≥" if figure["at_least"] else "≤"
    return f"{sign} {number(figure['bar'])}: {'met' if figure['met'] else 'NOT MET'}"


def spread(figure):
    if len(figure["values"]) == 1:
        return ""
    return f"{number(figure['min'])} – {number(figure['max'])}"


def settings_line(settings):
    return ", ".join(f"{name}={value}" for name, value in settings.items())


# ---- text ----

def text(found):
    """The report of one part on the terminal. found: a result as saved."""
    out = ["", f"{found['part']}: {found['title']}", f"  {found['command']}   ({found['at']})",
           f"  {settings_line(found['machine'])}"]
    if found["settings"]:
        out.append(f"  {settings_line(found['settings'])}")
    width = max(len(figure["name"]) for figure in found["figures"])
    for figure in found["figures"]:
        value = f"{number(figure['median'])} {figure['unit']}".strip()
        between = f"({spread(figure)})" if spread(figure) else ""
        note = f"  {figure['note']}" if figure["note"] else ""
        out.append(f"  {figure['name']:<{width}}  {value:>16}  {between:<20}  {judged(figure)}{note}".rstrip())
    out += [f"  {note}" for note in found["notes"]]
    return "\n".join(out)


# ---- files ----

def save(found, directory, charts):
    """<part>.json and <part>-<chart>.svg; older charts of the part go."""
    for old in glob.glob(os.path.join(directory, f"{found['part']}-*.svg")):
        os.remove(old)
    with open(os.path.join(directory, f"{found['part']}.json"), "w", encoding="utf-8") as out:
        json.dump(found, out, indent=1, ensure_ascii=False)
        out.write("\n")
    for chart in charts:
        plot.draw(chart, os.path.join(directory, f"{found['part']}-{chart.name}.svg"))


def keep(found, directory, kept):
    """Copies a part's files to where the repository keeps them, without what only helps to look closer."""
    os.makedirs(kept, exist_ok=True)
    for old in glob.glob(os.path.join(kept, f"{found['part']}-*.svg")):
        os.remove(old)
    for chart in glob.glob(os.path.join(directory, f"{found['part']}-*.svg")):
        shutil.copy(chart, kept)
    slim = {key: value for key, value in found.items() if key not in ("raw", "charts")}
    with open(os.path.join(kept, f"{found['part']}.json"), "w", encoding="utf-8") as out:
        json.dump(slim, out, indent=1, ensure_ascii=False)
        out.write("\n")


# ---- the table of README.md ----

def rows(found):
    """One line for each main figure."""
    for figure in found["figures"]:
        if figure["main"]:
            value = f"**{number(figure['median'])}** {figure['unit']}".strip()
            yield f"| {figure['name']} | {value} | {spread(figure)} | {judged(figure)} |"


def cost_rows(found):
    """Processor time, one line for each side: figures named "SIDE: processor time of WHO"."""
    sides = {}
    for figure in found["figures"]:
        side, mark, who = figure["name"].partition(": processor time of ")
        if mark and not figure["main"]:
            sides.setdefault((side, figure["unit"]), []).append(f"{who} {number(figure['median'])}")
    for (side, unit), costs in sides.items():
        yield f"| processor time, {side} | {', '.join(costs)} {unit} | | |"


def load_kept(kept):
    """{part: result}"""
    parts = {}
    for path in glob.glob(os.path.join(kept, "*.json")):
        with open(path, encoding="utf-8") as text_of:
            found = json.load(text_of)
        parts[found["part"]] = found
    return parts


def table(parts, order):
    """Markdown of all parts, in the order of their names given."""
    out, machines = [], []
    for found in (parts[name] for name in order if name in parts):
        if not any(figure["main"] for figure in found["figures"]):
            continue
        out += [f"`{found['command']}`: {found['title']} ({found['at'].split()[0]}, {found['commit']})", ""]
        out += ["| | median | from – to | bar |", "| --- | --- | --- | --- |", *rows(found), *cost_rows(found), ""]
        machine = settings_line(found["machine"])
        if machine not in machines:
            machines.append(machine)
    out.append(f"Measured on: {'; '.join(machines)}. Clients, zonefand and all databases share that machine. Settings, "
               "all figures and charts: tests/bench/results/.")
    return "\n".join(out)


def update_readme(path, kept, order):
    with open(path, encoding="utf-8") as old:
        whole = old.read()
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no {BEGIN} ... {END}")
    with open(path, "w", encoding="utf-8") as new:
        new.write(f"{before}{BEGIN}\n{table(load_kept(kept), order)}\n{END}{after}")
