"""Draws the record of a run: memory, descriptors, latency, restarts and what was done to it, over the same time."""

import math
import pathlib

WIDTH, LEFT, RIGHT, TOP = 690, 112, 12, 34
HEIGHT, GAP = 104, 30  # of a panel, and of what is between two
LANE = 14  # of each kind of thing that is done to the process

COLOURS = {
    "": {
        "text": "#1d1d1f", "note": "#6e6e73", "grid": "#d2d2d7", "first": "#0b63c4", "second": "#a85300", "mark": "#86868b",
    },
    "~dark": {
        "text": "#f5f5f7", "note": "#a1a1a6", "grid": "#424245", "first": "#5fa8ff", "second": "#ffb25c", "mark": "#86868b",
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
            [("second", "99 of 100 below", line_of(rows, "p99")), ("first", "half below", line_of(rows, "p50"))],
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
        f"{watch.rows[-1]['seconds'] / 60:.0f} min: {total['answered']} requests answered, {total['refused']} refused by a "
        f"limit, {len(watch.lost)} lost"
    )


def faults(watch):
    """When each kind of thing was done, in the order in which they were done first."""
    kinds = {}
    for begin, end, name in watch.faults:
        if name != "quiet":
            kinds.setdefault("restart" if name.startswith("restart") else name, []).append((begin, end))
    return kinds


class Drawing:
    """The picture of a run, for a light page or a dark one."""

    def __init__(self, watch, mode):
        self.watch, self.colours = watch, COLOURS[mode]
        self.end = max(watch.rows[-1]["seconds"], 1)
        self.panels, self.kinds = panels(watch), faults(watch)
        self.bottom = TOP + len(self.panels) * (HEIGHT + GAP) + len(self.kinds) * LANE
        self.out = []

    def across(self, seconds):
        return LEFT + min(seconds / self.end, 1) * (WIDTH - LEFT - RIGHT)

    def text(self, kind, x, y, what):
        self.out.append(f'  <text class="{kind}" x="{x:.1f}" y="{y:.1f}">{what}</text>')

    def path(self, kind, what):
        self.out.append(f'  <path class="{kind}" d="{what}"/>')

    def head(self):
        height = self.bottom + 46
        colours = self.colours
        self.out += [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            'role="img">',
            f"  <title>{title(self.watch)}</title>",
            "  <style>",
            f'    text {{ font: 13px -apple-system, "Helvetica Neue", "DejaVu Sans", sans-serif; fill: {colours["note"]} }}',
            f"    .title {{ fill: {colours['text']} }}",
            "    .right { text-anchor: end }",
            "    .middle { text-anchor: middle }",
            "    path { fill: none; stroke-width: 1.5; stroke-linejoin: round }",
            f"    .grid {{ stroke: {colours['grid']}; stroke-width: 1 }}",
            f"    .first {{ stroke: {colours['first']} }}",
            f"    .second {{ stroke: {colours['second']} }}",
            f"    .said-first {{ fill: {colours['first']} }}",
            f"    .said-second {{ fill: {colours['second']} }}",
            f"    .fault {{ stroke: {colours['mark']}; stroke-width: {LANE - 5}; stroke-linejoin: miter }}",
            "  </style>",
            "",
        ]

    def panel(self, panel, base):
        self.text("title", LEFT, base - HEIGHT - 8, panel.title)
        place = WIDTH - RIGHT
        for colour, name, _ in panel.lines:
            if name:
                self.text(f"right said-{colour}", place, base - HEIGHT - 8, name)
                place -= 7 * len(name) + 16
        for tick in panel.ticks:
            height = base - panel.height(tick)
            self.path("grid", f"M{LEFT} {height:.1f}H{WIDTH - RIGHT}")
            self.text("right", LEFT - 8, height + 4, label(tick))
        for colour, _, line in panel.lines:
            for part in line:
                points = " ".join(f"{self.across(x):.1f} {base - panel.height(y):.1f}" for x, y in part)
                # A process of a single second is a dot.
                self.path(colour, f"M{points}{'h0.5' if len(part) == 1 else ''}")

    def lanes(self, top):
        for index, (kind, times) in enumerate(self.kinds.items()):
            y = top + index * LANE
            self.text("right", LEFT - 8, y + 4, kind)
            self.path("grid", f"M{LEFT} {y}H{WIDTH - RIGHT}")
            marks = (
                f"M{self.across(begin):.1f} {y}h{max(0.6, self.across(end) - self.across(begin)):.1f}" for begin, end in times
            )
            self.path("fault", "".join(marks))

    def svg(self):
        self.head()
        for index, panel in enumerate(self.panels):
            self.panel(panel, TOP + index * (HEIGHT + GAP) + HEIGHT)
        self.lanes(TOP + len(self.panels) * (HEIGHT + GAP) - GAP // 2 + 4)
        for minutes in steps(self.end / 60):
            if minutes * 60 <= self.end:
                self.text("middle", self.across(minutes * 60), self.bottom + 8, f"{minutes:g}")
        self.text("middle", (LEFT + WIDTH - RIGHT) / 2, self.bottom + 30, "minutes")
        return "\n".join([*self.out, "</svg>", ""])


def draw(watch, base):
    """Writes BASE.svg for a light page, and BASE~dark.svg for a dark one."""
    for mode in COLOURS:
        pathlib.Path(f"{base}{mode}.svg").write_text(Drawing(watch, mode).svg(), encoding="utf-8")
