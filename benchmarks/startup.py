"""What commands and the exact step cost, against importing what they stand on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from threeways.bench.timing import Contest, Size
from threeways.exact.oracle import exact_step


class Ratio(NamedTuple):
    """How much longer one thing takes than its peer: medians, in seconds."""

    seconds: float
    peer_seconds: float
    ratio: float


def ratio(thing: Callable[[], object], peer: Callable[[], object], repetitions: int) -> Ratio:
    """Let two things take turns, after a round that is not counted."""
    rounds: dict[str, list[float]] = {"thing": [], "peer": []}
    for _ in range(repetitions + 1):
        for name, run in (("thing", thing), ("peer", peer)):
            start = time.perf_counter()
            run()
            rounds[name].append(time.perf_counter() - start)
    held = Contest({name: times[1:] for name, times in rounds.items()}, [])
    return Ratio(held.seconds("thing"), held.seconds("peer"), held.ratio("thing", "peer"))


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
