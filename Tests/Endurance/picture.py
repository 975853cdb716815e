"""Draws the record of a run: memory, descriptors, latency and restarts, one below the other over the same time."""

import math
import pathlib

WIDTH, LEFT, RIGHT, TOP = 690, 70, 12, 34
HEIGHT, GAP = 104, 30  # of a panel, and of what is between two

COLOURS = {
    "": {
        "text": "#1d1d1f", "note": "#6e6e73", "grid": "#d2d2d7", "first": "#0b63c4", "second": "#a85300", "mark": "#86868b",
        "band": "#86868b",
    },
    "~dark": {
        "text": "#f5f5f7", "note": "#a1a1a6", "grid": "#424245", "first": "#5fa8ff", "second": "#ffb25c", "mark": "#86868b",
        "band": "#a1a1a6",
    },
}  # fmt: skip

MOST_POINTS = 600


def thinned(points):
    """The points of a line, of which the least and the greatest of each stretch are left where there are too many."""
    stretch = math.ceil(len(points) / (MOST_POINTS / 2))
    if stretch <= 2:
        return points
    kept = []
    for start in range(0, len(points), stretch):
        part = points[start : start + stretch]
        kept += sorted({min(part, key=lambda point: point[1]), max(part, key=lambda point: point[1])})
    return kept


def steps(top):
    """Round numbers from 0 up to somewhat above the top."""
    raw = max(top, 1e-9) / 3
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
    return [step * number for number in range(math.ceil(top / step) + 1)]


def decades(low, high):
    """Powers of ten around what there is."""
    first, last = math.floor(math.log10(max(low, 0.01))), math.ceil(math.log10(max(high, 0.1)))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


class Panel:
    """One row of the picture: a title, a scale, and lines."""

    def __init__(self, title, lines, scale=steps, is_log=False):
        self.title, self.lines = title, lines
        values = [value for _, _, line in lines for part in line for _, value in part]
        values = values or [1]
        self.is_log = is_log
        self.ticks = decades(min(values), max(values)) if is_log else scale(max(values))

    def height(self, value):
        low, high = self.ticks[0], self.ticks[-1]
        if self.is_log:
            value, low, high = (math.log10(max(each, self.ticks[0])) for each in (value, low, high))
        return (value - low) / (high - low) * HEIGHT


def line_of(rows, column):
    """A line for each process: between two of them there is nothing."""
    parts, last = [], None
    for row in rows:
        if column not in row or "life" not in row:
            continue
        if row["life"] != last:
            parts.append([])
            last = row["life"]
        parts[-1].append((row["seconds"], row[column]))
    return [thinned(part) for part in parts]


def panels(watch):
    rows = watch.rows
    restarts, sofar, before = [], 0, None
    for row in rows:
        if "restarts" in row and "life" in row:
            now = row["restarts"]
            sofar += now - before if before is not None and now >= before else now
            before = now
            restarts.append((row["seconds"], sofar))
    return [
        Panel("memory, MiB (proportional)", [("first", "", line_of(rows, "pss"))]),
        Panel("descriptors", [("first", "", line_of(rows, "descriptors"))]),
        Panel(
            "latency, ms",
            [("second", "99 of 100", line_of(rows, "p99")), ("first", "every other one", line_of(rows, "p50"))],
            is_log=True,
        ),
        Panel("children restarted", [("first", "", [thinned(restarts)])]),
    ]


def label(value):
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    return f"{value / 1e3:g} k" if value >= 10_000 else f"{value:g}"


def title(watch):
    total = watch.totals
    return (
        f"{watch.rows[-1]['seconds'] / 60:.0f} minutes: {total['answered']} requests answered, {total['refused']} refused by a "
        f"limit, {len(watch.lost)} lost"
    )


def svg(watch, mode):
    colours = COLOURS[mode]
    end = max(watch.rows[-1]["seconds"], 1)
    across = lambda seconds: LEFT + seconds / end * (WIDTH - LEFT - RIGHT)  # noqa: E731
    rows = panels(watch)
    bottom = TOP + len(rows) * (HEIGHT + GAP)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 52}" width="{WIDTH}" '
        f'height="{bottom + 52}" role="img">',
        f"  <title>{title(watch)}</title>",
        "  <style>",
        f'    text {{ font: 13px -apple-system, "Helvetica Neue", "DejaVu Sans", sans-serif; fill: {colours["note"]} }}',
        f"    .title {{ fill: {colours['text']} }}",
        "    .right { text-anchor: end }",
        "    .middle { text-anchor: middle }",
        f"    .grid {{ stroke: {colours['grid']}; stroke-width: 1 }}",
        "    path { fill: none; stroke-width: 1.5; stroke-linejoin: round }",
        f"    .first {{ stroke: {colours['first']} }}",
        f"    .second {{ stroke: {colours['second']} }}",
        f"    .said-first {{ fill: {colours['first']} }}",
        f"    .said-second {{ fill: {colours['second']} }}",
        f"    .fault {{ fill: {colours['band']}; fill-opacity: 0.16 }}",
        f"    .restart {{ stroke: {colours['mark']}; stroke-width: 1; stroke-opacity: 0.5 }}",
        "  </style>",
        "",
    ]
    for begin, finish, name in watch.faults:
        if name == "quiet":
            continue
        if name.startswith("restart"):
            out.append(f'  <path class="restart" d="M{across(begin):.1f} {TOP}V{bottom - GAP}"/>')
        else:
            width = max(0.4, across(finish) - across(begin))
            out.append(
                f'  <rect class="fault" x="{across(begin):.1f}" y="{TOP}" width="{width:.1f}" '
                f'height="{bottom - GAP - TOP}"/>'
            )
    for index, panel in enumerate(rows):
        base = TOP + index * (HEIGHT + GAP) + HEIGHT
        out.append(f'  <text class="title" x="{LEFT}" y="{base - HEIGHT - 8}">{panel.title}</text>')
        place = WIDTH - RIGHT
        for colour, name, _ in panel.lines:
            if name:
                out.append(
                    f'  <text class="right said-{colour}" x="{place}" y="{base - HEIGHT - 8}">{name}</text>'
                )
                place -= 8 * len(name) + 16
        for tick in panel.ticks:
            height = base - panel.height(tick)
            out.append(f'  <path class="grid" d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}"/>')
            out.append(f'  <text class="right" x="{LEFT - 8}" y="{height + 4:.1f}">{label(tick)}</text>')
        for colour, _, line in panel.lines:
            for part in line:
                points = " ".join(f"{across(x):.1f} {base - panel.height(y):.1f}" for x, y in part)
                # A process of a single second is a dot.
                out.append(f'  <path class="{colour}" d="M{points}{"h0.5" if len(part) == 1 else ""}"/>')
    for minutes in steps(end / 60):
        if minutes * 60 <= end:
            out.append(
                f'  <text class="middle" x="{across(minutes * 60):.1f}" y="{bottom - GAP + 18}">{minutes:g}</text>'
            )
    out.append(f'  <text class="middle" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{bottom - GAP + 38}">minutes</text>')
    base = bottom + 26
    out.append(f'  <rect class="fault" x="{LEFT}" y="{base - 11}" width="14" height="14"/>')
    out.append(f'  <text x="{LEFT + 20}" y="{base}">something is done to it</text>')
    out.append(f'  <path class="restart" d="M{LEFT + 207} {base - 12}V{base + 4}"/>')
    out.append(f'  <text x="{LEFT + 216}" y="{base}">the process is restarted</text>')
    return "\n".join([*out, "</svg>", ""])


def draw(watch, base):
    """Writes BASE.svg for a light page, and BASE~dark.svg for a dark one."""
    for mode in COLOURS:
        pathlib.Path(f"{base}{mode}.svg").write_text(svg(watch, mode), encoding="utf-8")
