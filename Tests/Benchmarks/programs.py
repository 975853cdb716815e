"""The programs that are measured: where they are, how they are built, and what they say."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SAMPLES = ROOT / "Samples"
PATIENCE = 900
PATIENCE_TO_BUILD = 3600

# A column's contender: its program, and what stands before the workload's name there.
CONTENDERS = {
    "inline": ("bare", "inline-"),
    "enqueued": ("bare", "enqueued-"),
    "send(2)": ("bare", ""),
    "kit": ("scale", ""),
    "lifecycle": ("lifecycle", ""),
    "otp": ("otp/contender", ""),
}


class Failed(Exception):
    """Something did not work, and what it said."""


def said(command, patience=PATIENCE, **options):
    """What a program writes to its output; Failed where it did not end well."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=patience, **options
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(map(str, command))}: still runs after {patience} s") from None
    except FileNotFoundError:
        raise Failed(f"there is no {command[0]}") from None
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(product, package=HERE):
    """Builds a program for release, with Swift's libraries in it."""
    print(f"building {product}", file=sys.stderr, flush=True)
    said(
        [
            *("swift", "build", "--configuration", "release", "--static-swift-stdlib"),
            *("--package-path", package, "--product", product),
        ],
        PATIENCE_TO_BUILD,
    )
    return package / ".build" / "release" / product


def program(contender):
    """The path of what a contender runs."""
    name, _ = CONTENDERS[contender]
    return HERE / name if contender == "otp" else HERE / ".build" / "release" / name


def figures(command, **options):
    """What a program measured: a dictionary from names to numbers."""
    lines = [line.split() for line in said(command, **options).splitlines()]
    found = {name: float(value) for name, value in lines}
    if not found:
        raise Failed(f"{' '.join(map(str, command))}: measured nothing")
    return found


def measure(contender, workload, count):
    """What a contender measured of a workload."""
    _, prefix = CONTENDERS[contender]
    return figures([program(contender), f"{prefix}{workload}", str(count)])


def swift_version():
    """Such as 6.3.1."""
    return re.search(r"Swift version (\d+(?:\.\d+)+)", said(["swift", "--version"]))[1]


def otp_release():
    """Such as 25; nothing where there is no Erlang."""
    if not (shutil.which("erl") and shutil.which("escript")):
        return None
    return said(["erl", "-noshell", "-eval", "io:put_chars(erlang:system_info(otp_release)), halt()."])


def machine():
    """What the figures were measured on."""
    model = "a processor"
    with open("/proc/cpuinfo") as text:
        if found := re.search(r"model name\s*: (.*)", text.read()):
            model = found[1]
    processors = len(os.sched_getaffinity(0))
    return f"{processors} × {model}, Linux {os.uname().release}, Swift {swift_version()}"
