"""The cost of commands and of the exact step, as a ratio to importing the frameworks."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from threeways.bench.timing import median_ratio
from threeways.bench.workloads import Size
from threeways.exact.oracle import exact_step


class Ratio(NamedTuple):
    """How many times as long as its baseline something takes: medians, in seconds."""

    seconds: float
    baseline_seconds: float
    ratio: float


def ratio(thing: Callable[[], object], baseline: Callable[[], object], repetitions: int) -> Ratio:
    """The ratio of two things that take turns, after a round that is not counted."""
    rounds: list[tuple[float, float]] = [
        (seconds_of(thing), seconds_of(baseline)) for _ in range(repetitions + 1)
    ]
    ours, theirs = zip(*rounds[1:], strict=True)
    return Ratio(statistics.median(ours), statistics.median(theirs), median_ratio(ours, theirs))


def seconds_of(thing: Callable[[], object]) -> float:
    """The seconds that something takes once."""
    start = time.perf_counter()
    thing()
    return time.perf_counter() - start


def process(*arguments: str) -> Callable[[], object]:
    """A run of Python as a process of its own, its output thrown away."""
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def help_against_click(repetitions: int = 15) -> Ratio:
    """``threeways --help`` to importing click."""
    return ratio(process("-m", "threeways", "--help"), process("-c", "import click"), repetitions)


def against_imports(thing: Callable[[], object], repetitions: int = 5) -> Ratio:
    """Anything to importing TensorFlow and Keras."""
    return ratio(thing, process("-c", "import tensorflow, keras"), repetitions)


def compare_against_imports() -> Ratio:
    """``threeways compare``, all of it."""
    return against_imports(process("-m", "threeways", "compare"))


def diagnose_against_imports() -> Ratio:
    """``threeways diagnose`` with numbers that no mistake and no pair of two makes."""
    values = ("--value", "W_next[1][0,0]=0.358", "--value", "loss=0.77")
    return against_imports(process("-m", "threeways", "diagnose", "mazur", *values))


def exact_step_against_imports() -> Ratio:
    """A step in ball arithmetic."""
    case = Size((784, 128, 10), 128, 1).case()
    return against_imports(lambda: exact_step(case))
