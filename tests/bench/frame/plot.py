# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts as SVG, drawn by gnuplot (package gnuplot-nox)."""
import subprocess

COLOURS = ("#1b6ca8", "#d1762b", "#4a9c5d", "#8c5aa8", "#a83b3b", "#6b6b6b")


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def _block(number, points):
    """An inline data block: one point per line, words in quotes."""
    lines = [" ".join(f'"{field}"' if isinstance(field, str) else repr(float(field)) for field in point)
             for point in points]
    return f"$data{number} << END_OF_DATA\n" + "\n".join(lines) + "\nEND_OF_DATA"


def _plots(chart):
    """What stands behind gnuplot's "plot"."""
    for number, label in enumerate(chart.series):
        colour = f"lc rgb '{COLOURS[number % len(COLOURS)]}' title {quoted(label)}"
        if chart.kind == "bars":
            yield f"$data{number} using 2:3:4:xtic(1) {colour}"
        elif chart.kind == "lines":
            yield f"$data{number} using 1:2 with linespoints pt 7 ps 0.6 lw 2 {colour}"
        else:
            yield f"$data{number} using 1:2 with steps lw 2 {colour}"


def script(chart, path):
    out = [_block(number, points) for number, points in enumerate(chart.series.values())]
    out += [
        "set terminal svg size 800,440 enhanced font 'sans-serif,13' background '#ffffff'",
        f"set output {quoted(path)}", "set encoding utf8", "set termoption noenhanced",
        f"set title {quoted(chart.title)}",
        f"set xlabel {quoted(chart.x_label)}", f"set ylabel {quoted(chart.y_label)}",
        "set grid ytics lt 1 lw 0.5 lc rgb '#cccccc'", "set border 3", "set tics nomirror",
        "set key outside bottom center vertical maxrows 3 Left reverse samplen 2",
    ]
    if not chart.log_y:
        out.append("set yrange [0:*]")
    if chart.kind == "cdf":
        out.append("set yrange [0:1]")
    if chart.kind == "bars":
        out += ["set style data histograms", "set style histogram errorbars gap 1.5",
                "set errorbars lw 1.2 lc rgb '#333333'",
                "set style fill solid 0.9 noborder", "set boxwidth 0.9",
                f"set xrange [-0.6:{len(next(iter(chart.series.values()))) - 0.4}]"]
    if chart.log_x:
        out.append("set logscale x")
    if chart.log_y:
        out.append("set logscale y")
    out.append("plot " + ", \\\n  ".join(_plots(chart)))
    return "\n".join(out) + "\n"


def draw(chart, path):
    done = subprocess.run(["gnuplot", "-"], input=script(chart, path), text=True, capture_output=True, check=False)
    if done.returncode != 0 or done.stderr.strip():
        raise RuntimeError(f"gnuplot, {chart.name}: {done.stderr}")
