"""How often the kit asks for memory, against the thresholds that are checked in, and what the optimizer must have done."""

import json
import math
import os
import re
import statistics

import programs

FILE = programs.HERE / "thresholds.json"
# What is done so often that what comes once does not show.
WORKLOADS = {
    "static": 10_000,
    "dynamic": 10_000,
    "restart": 10_000,
    "one-for-all": 20,
    "rest-for-one": 20,
    "nested": 100,
    "manage-1": 1_000,
    "manage-8": 8_000,
    "events-0": 10_000,
    "events-1": 10_000,
    "notify": 8_000,
}
# Now and then libdispatch has a second thread even there, and two messages are taken out of an inbox at once.
RUNS = 5
# A threshold is that much above its count, and too lax when it is that much above.
MARGIN, SLACK = 0.3, 0.75


def on_one_processor():
    """Has the process, forked already, see one processor: the pool has one thread then, and one order."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def is_inlined(program):
    """Whether each call of `Task.immediate` is.

    Inlined, a task is seen to prefer no executor. Otherwise it has an empty record of one, looked up at each await: no
    memory is asked for, but it takes 8 % of a start and 14 % of a restart.
    """
    symbols = programs.said(["nm", program])
    return re.search(r" [tT] \$sScTss\d+\w*9immediate", symbols) is None


def measured(program):
    """All counts, by workload and what was done: the medians of some runs."""
    runs = {}
    for _ in range(RUNS):
        for workload, times in WORKLOADS.items():
            found = programs.figures([program, workload, str(times)], preexec_fn=on_one_processor)
            for metric, count in found.items():
                runs.setdefault(f"{workload} {metric}", []).append(count)
    return {name: statistics.median(counts) for name, counts in runs.items()}


def threshold(count):
    """A little above a count: to a tenth."""
    return math.ceil(round((count + MARGIN) * 10, 6)) / 10


def check(update):
    """Compares the counts with the thresholds, or makes these from those; returns the exit status."""
    # The standard library asks for memory too, differently in each version.
    version = ".".join(programs.swift_version().split(".")[:2])
    program = programs.build("allocations")
    found = measured(program)
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    if update:
        known[version] = {name: threshold(count) for name, count in found.items()}
        FILE.write_text(json.dumps(known, indent=4) + "\n")
        print(f"wrote {len(found)} thresholds for Swift {version}; look at git diff {FILE.relative_to(programs.ROOT)}")
        return 0
    if version not in known:
        raise programs.Failed(f"there are no thresholds for Swift {version}: see --counts --update")
    limits = known[version]
    print("| allocations for each | count | threshold | |\n|---|---|---|---|")
    above, below = [], []
    for name, count in found.items():
        limit = limits.get(name)
        verdict = ""
        if limit is None or count > limit:
            above.append(name)
            verdict = "has no threshold" if limit is None else "ABOVE"
        elif count < limit - SLACK:
            below.append(name)
            verdict = "well below"
        print(f"| {name} | {count:.2f} | {'' if limit is None else limit} | {verdict} |")
    gone = sorted(limits.keys() - found.keys())
    if gone:
        print(f"\nNo longer measured: {', '.join(gone)}.")
    if below:
        print(f"\nWell below: {', '.join(below)}. Keep what was won: Tests/Benchmarks/run --counts --update")
    if above or gone:
        print(
            f"\nerror: {len(above)} of {len(found)} counts are above their thresholds. If the change is worth that, "
            "say so in its commit and have the thresholds follow: Tests/Benchmarks/run --counts --update"
        )
        return 1
    if not is_inlined(program):
        print("\nerror: Task.immediate is not inlined: see Sources/Supervision/Running/ChildContext+Life.swift")
        return 1
    print(f"\nNone of {len(found)} counts is above its threshold, and Task.immediate is inlined.")
    return 0
