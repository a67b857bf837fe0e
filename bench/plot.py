# SPDX-License-Identifier: MIT
"""Charts as SVG, written by hand; PNG beside them where a converter is installed."""

import math
import shutil
import subprocess
from html import escape

FONT = 'font-family="sans-serif"'
INK, PALE, OURS, PEER, MARK = "#222", "#ddd", "#1664a8", "#b9c4cf", "#c0392b"


def save(path, parts, width, height):
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}">\n<rect width="100%" height="100%" fill="white"/>\n')
    path.write_text(head + "\n".join(parts) + "\n</svg>\n")
    png = path.with_suffix(".png")
    for command in (["rsvg-convert", "-z", "1.5", "-o", str(png), str(path)], ["convert", str(path), str(png)]):
        if shutil.which(command[0]):
            if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                return


def text(x, y, words, size=12, anchor="start", colour=INK, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" {FONT} font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def nanoseconds(value):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} ns"


def bars(path, title, groups):
    """groups: (heading, [(rival, ns, is_ours)], limit or None), a group of horizontal bars on a logarithmic axis each."""
    values = [ns for _, rivals, limit in groups for _, ns, _ in rivals] + [g[2] for g in groups if g[2]]
    low, high = math.log10(min(values)) - 0.15, math.log10(max(values)) + 0.05
    left, right, line = 150, 90, 15
    width = 860

    def x(value):
        return left + (math.log10(value) - low) / (high - low) * (width - left - right)

    parts = [text(16, 26, title, 15, weight="bold"), text(width - 16, 26, "logarithmic; the line is the limit", 10, "end")]
    y = 44
    for heading, rivals, limit in groups:
        y += 18
        parts.append(text(16, y, heading, 12, weight="bold"))
        top = y + 5
        for rival, ns, is_ours in rivals:
            y += line
            parts.append(text(left - 6, y + 4, rival, 11, "end", weight="bold" if is_ours else "normal"))
            colour = OURS if is_ours else PEER
            parts.append(f'<rect x="{left}" y="{y - 6}" width="{max(1.0, x(ns) - left):.1f}" height="{line - 3}" fill="{colour}"/>')
            parts.append(text(x(ns) + 5, y + 4, nanoseconds(ns), 10))
        if limit:
            parts.append(f'<line x1="{x(limit):.1f}" y1="{top}" x2="{x(limit):.1f}" y2="{y + 8}" stroke="{MARK}" stroke-width="2"/>')
        y += 8
    save(path, parts, width, int(y + 20))


def curve(path, title, x_label, points):
    """points: (count, ns, low, high), in a plane with two logarithmic axes."""
    width, height, left, right, top, bottom = 560, 360, 70, 24, 44, 48
    xs = [math.log10(p[0]) for p in points]
    x_low, x_high = min(xs), max(max(xs), min(xs) + 1)
    y_low = math.floor(math.log10(min(p[2] for p in points)))
    y_high = max(math.ceil(math.log10(max(p[3] for p in points))), y_low + 1)

    def x(count):
        return left + (math.log10(count) - x_low) / (x_high - x_low) * (width - left - right)

    def y(ns):
        return height - bottom - (math.log10(max(ns, 1e-3)) - y_low) / (y_high - y_low) * (height - top - bottom)

    parts = [text(16, 26, title, 14, weight="bold"), text(width / 2, height - 10, x_label, 11, "middle")]
    for power in range(y_low, y_high + 1):
        parts.append(f'<line x1="{left}" y1="{y(10**power):.1f}" x2="{width - right}" y2="{y(10**power):.1f}" stroke="{PALE}"/>')
        parts.append(text(left - 6, y(10**power) + 4, nanoseconds(10**power), 10, "end"))
    for power in range(math.ceil(x_low), math.floor(x_high) + 1):
        parts.append(text(x(10**power), height - bottom + 16, f"{10**power:,}", 10, "middle"))
    for count, _, low, high in points:
        parts.append(f'<line x1="{x(count):.1f}" y1="{y(low):.1f}" x2="{x(count):.1f}" y2="{y(high):.1f}" stroke="{OURS}" stroke-opacity="0.4" stroke-width="3"/>')
    line = " ".join(f"{x(p[0]):.1f},{y(p[1]):.1f}" for p in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{OURS}" stroke-width="2"/>')
    parts += [f'<circle cx="{x(p[0]):.1f}" cy="{y(p[1]):.1f}" r="3" fill="{OURS}"/>' for p in points]
    save(path, parts, width, height)
