"""What is done, how often, by whom, and what is wanted of it."""

import dataclasses

MICROSECONDS, BYTES, RATE, MILLISECONDS, MEGABYTES = "µs", "bytes", "per second", "ms", "MB"


@dataclasses.dataclass(frozen=True)
class Most:
    """At most a number."""

    limit: float

    def __str__(self):
        return f"≤ {self.limit:,}"


@dataclasses.dataclass(frozen=True)
class MostOf:
    """At most so many times what another contender needed in the same round."""

    contender: str
    limit: float

    def __str__(self):
        return f"≤ {self.limit} × {self.contender}"


@dataclasses.dataclass(frozen=True)
class Ahead:
    """Another contender needed so many times as much in the same round."""

    contender: str
    limit: float = 1.5

    def __str__(self):
        return f"{self.limit} × ahead of {self.contender}"


@dataclasses.dataclass(frozen=True)
class Flat:
    """At most so many times what the kit itself needed in a smaller row of the same round."""

    row: tuple
    limit: float
    which: str

    def __str__(self):
        return f"≤ {self.limit} × {self.which}"


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure of a workload."""

    metric: str
    title: str
    unit: str = MICROSECONDS
    wanted: tuple = ()


@dataclasses.dataclass(frozen=True)
class Workload:
    """What contenders are told to do, each up to a count of its own."""

    name: str
    count: int
    contenders: dict
    rows: tuple


EVERYBODY = {"inline": 10**6, "enqueued": 10**6, "kit": 10**6, "otp": 10**6}
# Each of its stops takes the longer the more services there are: a million would take hours.
WITH_LIFECYCLE = {**EVERYBODY, "lifecycle": 10**5}


def children(name, count, contenders, smallest):
    """Start, stop and memory of so many children."""
    ahead = (Ahead("otp"),)
    if "lifecycle" in contenders and count <= contenders["lifecycle"]:
        ahead += (Ahead("lifecycle"),)
    is_static = name == "static"

    def flat(metric):
        return (Flat((name, smallest, metric), 1.5, f"that of {smallest:,}"),) if count >= 10**6 else ()

    bare = (MostOf("inline", 1.5),) if is_static else ()
    title = f"{name} {count:,}"
    rows = [
        Row("start", f"{title}: start", wanted=(*bare, Ahead("otp"), *flat("start"))),
        Row("stop", f"{title}: stop{', in order' if is_static else ''}", wanted=(*bare, *ahead, *flat("stop"))),
    ]
    # Fewer fit into what a process, above all Erlang's, has in memory anyway.
    if count >= 10**4:
        rows.append(Row("memory", f"{title}: memory", BYTES, (Most(2000), *ahead, *flat("memory"))))
    return Workload(name, count, contenders, tuple(rows))


def restarts(largest, otp):
    """From a failure until the child runs again, each decade of restarts of one run by itself."""
    rows, done, end = [], 0, 1_000
    while end <= largest:
        wanted = [Most(2.5)]
        if end <= otp:
            wanted.append(Ahead("otp"))
        # From 1,000 on: those before are over in 2 ms, of which the threads of the pool make what they like.
        if done > 1_000:
            wanted.append(Flat(("restart", largest, "to-10000"), 1.25, "those up to 10,000"))
        title = f"restart of one of 1,000, numbers {done + 1:,} to {end:,}"
        rows.append(Row(f"to-{end}", title, wanted=tuple(wanted)))
        done, end = end, end * 10
    return Workload("restart", largest, {**EVERYBODY, "otp": otp}, tuple(rows))


def together(name, count, wanted):
    """A thousand children that are started again because the first of them has failed."""
    row = Row("restart", f"{name.replace('-', '_')} over 1,000: each child", wanted=wanted)
    return Workload(name, count, EVERYBODY, (row,))


def nested(count):
    """A chain of ten supervisors."""
    rows = [Row(step, f"nested 10 deep: {step} of each level", wanted=(Ahead("otp"),)) for step in ("start", "stop")]
    return Workload("nested", count, {"kit": count, "otp": count}, tuple(rows))


def managing(callers, count):
    """Calls to a supervisor of a thousand children."""
    callers_said = "a caller" if callers == 1 else f"{callers} callers"
    rows = [
        Row(metric, f"{call} beside 1,000 children, {callers_said}", RATE, (Ahead("otp"),))
        for metric, call in [("start", "startChild"), ("terminate", "terminateChild"), ("count", "countChildren")]
    ]
    return Workload(f"manage-{callers}", count, {"kit": count, "otp": count}, tuple(rows))


def events(readers, count):
    """Restarts that are read of."""
    row = Row("restart", f"restart with {readers} reader{'' if readers == 1 else 's'} of events")
    return Workload(f"events-{readers}", count, {"kit": count}, (row,))


def notify(count):
    """Messages to the manager."""
    rows = [
        Row("ready", "READY=1 through a socket", RATE),
        Row("status", "STATUS= through a socket", RATE),
        Row("watchdog", "WATCHDOG=1 through a socket", RATE),
    ]
    return Workload("notify", count, {"send(2)": count, "kit": count}, tuple(rows))


# The sample hello, started as a manager does it (hello.py).
HELLO = Workload(
    "hello",
    1,
    {"kit": 1},
    (
        Row("ready", "hello: exec to READY=1", MILLISECONDS, (Most(20),)),
        Row("answer", "hello: exec to the first answer", MILLISECONDS, (Most(25),)),
        Row("memory", "hello: proportional memory when idle", MEGABYTES, (Most(12),)),
    ),
)


def full():
    """All that there is."""
    sizes = (1_000, 10_000, 100_000, 1_000_000)
    return [
        *(children("static", count, WITH_LIFECYCLE, 10_000) for count in sizes),
        *(children("dynamic", count, EVERYBODY, 10_000) for count in sizes[1:]),
        # Its window is a list that each restart goes through: more of them take minutes.
        restarts(10**6, otp=10**4),
        together("one-for-all", 100, (Most(3), Ahead("otp"))),
        together("rest-for-one", 100, (Ahead("otp"),)),
        nested(1_000),
        managing(1, 10_000),
        managing(8, 10_000),
        events(0, 100_000),
        events(1, 100_000),
        notify(100_000),
        HELLO,
    ]


def quick():
    """The same, of sizes that take no time: whether everything works."""
    return [
        *(children("static", count, WITH_LIFECYCLE, 10_000) for count in (1_000, 10_000)),
        children("dynamic", 10_000, EVERYBODY, 10_000),
        restarts(10**4, otp=10**3),
        together("one-for-all", 10, (Most(3), Ahead("otp"))),
        together("rest-for-one", 10, (Ahead("otp"),)),
        nested(100),
        managing(1, 1_000),
        managing(8, 1_000),
        events(0, 10_000),
        events(1, 10_000),
        notify(8_000),
        HELLO,
    ]
