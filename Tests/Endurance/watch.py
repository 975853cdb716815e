"""Looks at the process each second, and writes down what it sees."""

import collections
import csv
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import load

COLUMNS = (
    "seconds", "life", "pss", "rss", "descriptors", "threads", "restarts", "given_up", "reloads", "bodies", "requests",
    "visitors", "answered", "refused", "retried", "late", "lost", "p50", "p99", "longest", "fault",
)  # fmt: skip


def memory(process):
    """Proportional and resident memory, in MiB."""
    sizes = {}
    for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("Pss", "Rss"):
            sizes[name] = int(rest.split()[0]) / 1024
    return sizes["Pss"], sizes["Rss"]


def descriptors(process):
    """What each descriptor of the process is, without the numbers that tell one from another."""
    kinds = collections.Counter()
    for number in os.listdir(f"/proc/{process}/fd"):
        try:
            kinds[os.readlink(f"/proc/{process}/fd/{number}").split(":[")[0]] += 1
        except FileNotFoundError:
            pass  # closed meanwhile
    return kinds


def threads(process):
    return len(os.listdir(f"/proc/{process}/task"))


def told(port):
    """What the process tells of its tree."""
    connection = load.Connection(port)
    try:
        status, body, _ = connection.get("/soak", close=True)
    finally:
        connection.close()
    if status != 200:
        raise load.Lost(f"/soak was answered with {status}")
    report = json.loads(body)
    return {**report["counts"], "visitors": report["visitors"]}


class Party:
    """A process of clients, and what it tells."""

    def __init__(self, program, settings, take):
        self.take = take
        self.paused = threading.Semaphore(0)
        self.process = subprocess.Popen(
            [sys.executable, str(pathlib.Path(__file__).with_name(program)), json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.is_going = False

    def read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            if said.pop("paused", False):
                self.paused.release()
            else:
                self.take(said)

    def go(self):
        if not self.is_going:
            self.tell("go")
        self.is_going = True

    def pause(self):
        """Tells the clients to stop; the next call waits until they have."""
        if self.is_going:
            self.tell("pause")

    def wait_paused(self):
        if self.is_going and not self.paused.acquire(timeout=180):
            raise RuntimeError("the clients do not stop")
        self.is_going = False

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


class Watch:
    """The record of a run: a row each second, and sums."""

    def __init__(self, path, port):
        self.began = time.monotonic()
        self.port = port
        self.rows = []
        self.fault = ""
        self.faults = []  # begin, end, name
        self.life = None
        self.lock = threading.Lock()
        self.second = self.fresh()
        self.totals = collections.Counter()
        self.retried, self.lost, self.latencies = [], [], []
        self.outcomes, self.trouble = collections.Counter(), []
        self.told = {}
        self.file = open(path, "w", newline="", encoding="utf-8")
        self.csv = csv.DictWriter(self.file, COLUMNS, lineterminator="\n")
        self.csv.writeheader()
        self.over, self.asked_enough = threading.Event(), threading.Event()
        self.sampler = threading.Thread(target=self.sample, daemon=True)
        self.asker = threading.Thread(target=self.ask, daemon=True)
        self.sampler.start()
        self.asker.start()

    @property
    def now(self):
        return time.monotonic() - self.began

    @staticmethod
    def fresh():
        return {"answered": 0, "refused": 0, "late": 0, "retried": [], "lost": [], "latencies": []}

    def take_load(self, said):
        with self.lock:
            for name, value in said.items():
                self.second[name] += value

    def take_hostile(self, said):
        with self.lock:
            self.outcomes.update(said["outcomes"])
            self.trouble += said["trouble"]

    def ask(self):
        """A request as any other: it is lost, or it is answered."""
        while not self.asked_enough.wait(1):
            try:
                self.told = told(self.port)
            except Exception as error:  # noqa: BLE001
                with self.lock:
                    self.second["lost"].append([time.monotonic(), f"/soak: {error!r}"])

    def sample(self):
        while not self.over.wait(1 - self.now % 1):
            self.row()

    def row(self):
        with self.lock:
            second, self.second = self.second, self.fresh()
            life = self.life
        for name in ("answered", "refused", "late"):
            self.totals[name] += second[name]
        self.retried += second["retried"]
        self.lost += second["lost"]
        latencies = sorted(second["latencies"])
        row = {"seconds": round(self.now, 1), "fault": self.fault}
        row |= {name: second[name] for name in ("answered", "refused", "late")}
        row |= {name: len(second[name]) for name in ("retried", "lost")}
        if latencies:
            row["p50"] = latencies[len(latencies) // 2]
            row["p99"] = latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)]
            row["longest"] = latencies[-1]
            self.latencies.append((row["p50"], row["p99"], row["longest"]))
        try:
            if life:
                pss, rss = memory(life.process)
                row |= {
                    "life": life.number, "pss": round(pss, 2), "rss": round(rss, 2),
                    "descriptors": descriptors(life.process).total(), "threads": threads(life.process),
                }  # fmt: skip
        except (OSError, KeyError):
            pass  # it has just ended
        told = self.told
        row |= {
            name: told[key]
            for name, key in (
                ("restarts", "restarts"), ("given_up", "givenUp"), ("reloads", "reloads"), ("bodies", "bodies"),
                ("requests", "requests"), ("visitors", "visitors"),
            )
            if key in told
        }  # fmt: skip
        self.rows.append(row)
        self.csv.writerow(row)
        self.file.flush()

    def during(self, name, seconds, action):
        """Does something under a name that the record shows."""
        self.fault = name
        begin = self.now
        try:
            action(seconds)
        finally:
            self.fault = ""
            self.faults.append((begin, self.now, name))

    def ask_no_more(self):
        """To be called while there still is somebody to answer."""
        self.asked_enough.set()
        self.asker.join()

    def close(self):
        self.over.set()
        self.sampler.join()
        self.row()
        self.file.close()
