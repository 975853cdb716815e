"""The figures as one table."""

import statistics

from workloads import BYTES, MICROSECONDS, RATE, Ahead, Flat, Most, MostOf

COLUMNS = ("inline", "enqueued", "kit", "lifecycle", "otp")


def shown(value, unit):
    """A figure as a person reads it."""
    if unit in (BYTES, RATE):
        return f"{value:,.0f}"
    return f"{value:.2f}" if unit == MICROSECONDS else f"{value:.1f}"


class Table:
    """What was measured: for each row and contender the values of the rounds."""

    def __init__(self, otp):
        self.otp = otp
        self.values = {}
        self.met = self.missed = 0

    def add(self, workload, contender, metric, value):
        """One more round."""
        self.values.setdefault((workload.name, workload.count, metric), {}).setdefault(contender, []).append(value)

    def cell(self, workload, row, contender):
        """The median, and from where to where it went."""
        if contender == "inline" and "send(2)" in workload.contenders:
            # No task of any kind: the kernel's own time.
            contender = "send(2)"
        if contender not in workload.contenders:
            return ""
        if contender == "otp" and not self.otp:
            return "no erl"
        found = self.values.get((workload.name, workload.count, row.metric), {}).get(contender)
        if not found:
            return "not run"
        if row.unit == RATE:
            found = [1e6 / value for value in found]
        middle, least, most = statistics.median(found), min(found), max(found)
        text = f"{shown(middle, row.unit)} ({shown(least, row.unit)}–{shown(most, row.unit)})"
        return f"{text} by send(2)" if contender == "send(2)" else text

    def verdict(self, workload, row, wanted):
        """A wanted figure, what there is instead, and whether it is met; nothing where it can't be told."""
        rows = self.values.get((workload.name, workload.count, row.metric), {})
        kit = rows.get("kit")
        match wanted:
            case Most():
                others = None
            case Flat():
                others = self.values.get(wanted.row, {}).get("kit")
            case MostOf() | Ahead():
                others = rows.get(wanted.contender)
        if kit is None or (others is None and not isinstance(wanted, Most)):
            return None
        if others is None:
            found = statistics.median(kit)
            text = shown(found, row.unit)
        else:
            if isinstance(wanted, Ahead):
                kit, others = others, kit
            found = statistics.median(mine / theirs for mine, theirs in zip(kit, others))
            text = f"{found:.2f}"
        is_met = found >= wanted.limit if isinstance(wanted, Ahead) else found <= wanted.limit
        self.met += is_met
        self.missed += not is_met
        return f"{wanted}: {text} {'met' if is_met else '**missed**'}"

    def lines(self, workloads, is_wanted):
        """The table, in Markdown."""
        heads = {
            "inline": "bare, inline",
            "enqueued": "bare, enqueued",
            "kit": "the kit",
            "lifecycle": "swift-service-lifecycle",
            "otp": f"OTP {self.otp}" if self.otp else "OTP",
        }
        yield "| | unit | " + " | ".join(heads[column] for column in COLUMNS) + " | wanted of the kit |"
        yield "|---" * (len(COLUMNS) + 3) + "|"
        for workload in workloads:
            for row in filter(is_wanted, workload.rows):
                cells = [self.cell(workload, row, column) for column in COLUMNS]
                verdicts = filter(None, (self.verdict(workload, row, wanted) for wanted in row.wanted))
                yield f"| {row.title} | {row.unit} | " + " | ".join(cells) + f" | {'; '.join(verdicts)} |"
