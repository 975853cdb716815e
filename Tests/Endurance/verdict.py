"""What a run must have been like."""

import re
import statistics

# What no process may have said.
ALARMS = re.compile(
    r"WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer|runtime error:|Fatal error|Thread \d+.* crashed"
    r"|SWIFT TASK CONTINUATION MISUSE|cutting \d+ connections"
)

# How much more memory there may be at the end of a life than at its beginning: a factor, and MiB. Under load what the
# allocator keeps for later is in it, which comes and goes. What the allocator and the pools take until they have all they
# want takes some minutes, and hides a slow leak in a short life.
AT_REST = 1.1, 3.0
UNDER_LOAD = 1.15, 4.0
SHORT = 600  # seconds of a life
IN_A_SHORT_LIFE = 1.2, 8.0


# How many children the tree has that run a body of the program's own, and always: those that come and go aside.
LASTING = 16


def requests(watch, manager, idle_limit):
    """Every request was answered, or refused by a limit."""
    for when, what in watch.lost:
        yield f"lost at {when - watch.began:.1f} s: {what}"
    yield from watch.trouble
    for when, listener, idle in watch.retried:
        # The narrow listener is restarted all the time. The others close a connection that is kept when they
        # drain, and when nothing was asked on it for too long.
        is_draining = any(
            life.asked and life.asked <= when <= (life.ended or when) + 10 for life in manager.lives
        )
        if listener != "narrow" and not is_draining and idle < idle_limit:
            yield (
                f"a connection to {listener} that was kept was closed at {when - watch.began:.1f} s, {idle:.2f} s after "
                "its last answer, and nothing drained"
            )
    if watch.totals["answered"] == 0 or watch.totals["refused"] == 0:
        yield f"{watch.totals['answered']} requests were answered, and {watch.totals['refused']} refused: none is too few"


def lives(manager):
    """Each process told what it should, in order, and when it should."""
    for life in manager.lives:
        if life.asked is None:
            continue  # it never came to its end
        name = f"process {life.number}"
        steps = [
            step
            for message in life.messages
            for step in ("READY", "RELOADING", "STOPPING")
            if message[step] == "1"
        ]
        if steps[0] != "READY" or (life.is_heard and steps[-1:] != ["STOPPING"]) or steps.count("STOPPING") > 1:
            yield f"{name} said {', '.join(steps[:3])} … {', '.join(steps[-3:])}"
        if life.is_heard:
            text = [message["STATUS"] for message in life.messages if message["STATUS"]]
            if text[-2:] != ["draining", "drained"]:
                yield f"{name} said last: {text[-3:]}"
        yield from signs_of_life(life, manager, name)


def signs_of_life(life, manager, name):
    """The manager was given its sign of life in time, whenever it listened."""
    ready = next(message.time for message in life.messages if message["READY"])
    times = [ready, *(message.time for message in life.messages if message["WATCHDOG"] == "1"), life.asked]
    for before, after in zip(times, times[1:]):
        heard = [
            (begin, end) for begin, end in manager.deafness if begin < after and (end is None or end > before)
        ]
        if after <= life.asked and after - before > manager.watchdog and not heard:
            yield f"{name} gave no sign of life for {after - before:.1f} s"


def memory(long_lives, watch):
    """No more is needed at the end of a life than at its beginning, nor from life to life."""
    medians = []
    for life in long_lives:
        room = IN_A_SHORT_LIFE if life.ended - life.began < SHORT else UNDER_LOAD
        rows = [row for row in watch.rows if row.get("life") == life.number and row["fault"] != "at rest"]
        sizes = [row["pss"] for row in rows if "pss" in row]
        sizes = sizes[len(sizes) // 5 :]
        quarter = max(1, len(sizes) // 4)
        first, last = statistics.median(sizes[:quarter]), statistics.median(sizes[-quarter:])
        medians.append(last)
        if is_more(first, last, room):
            yield f"process {life.number} grew from {first:.1f} to {last:.1f} MiB"
        if is_more(life.calm[0].memory, life.calm[-1].memory, AT_REST):
            yield (
                f"process {life.number}, at rest, grew from {life.calm[0].memory:.1f} to "
                f"{life.calm[-1].memory:.1f} MiB"
            )
    if is_more(medians[0], medians[-1], room):
        yield f"the last process needs {medians[-1]:.1f} MiB, and the first needed {medians[0]:.1f} MiB"


def is_more(before, after, room):
    factor, addition = room
    return after > before * factor + addition


def leftovers(long_lives):
    """At rest there are as many descriptors, and bodies of children, as there were."""
    for life in long_lives:
        before, after = life.calm[0], life.calm[-1]
        if more := after.descriptors - before.descriptors:
            yield f"process {life.number} has more descriptors open at the end: {dict(more)}"
        if after.requests > 1:
            yield f"process {life.number} answers {after.requests} requests while nobody asks"
        if after.bodies > after.visitors + LASTING + 8:
            yield (
                f"process {life.number} has {after.bodies} bodies running, where {after.visitors} are visitors' and "
                f"{LASTING} are those of the tree"
            )


def effects(text, watch, manager):
    """What was done to the process did reach it."""
    for words, what in (("(errno 24)", "a lack of descriptors"), ("(errno 12)", "a lack of memory")):
        if words not in text:
            yield f"nothing shows {what} in the log"
    if not any(life.scarcity.failures for life in manager.lives):
        yield "no system call failed"
    told = [row for row in watch.rows if row.get("restarts")]
    if not told or not any(row["given_up"] for row in told) or not any(row["reloads"] for row in told):
        yield "no child was restarted, none given up, or nothing reloaded"


def alarms(text):
    """No process said what none may."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if ALARMS.search(line):
            yield "a process said: " + "\n      ".join(lines[number : number + 30])
            return
