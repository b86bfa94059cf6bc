"""What a command costs from the shell, against importing what it stands on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.timing import Ratio, ratio


def process(*arguments: str) -> Callable[[], object]:
    """A run of Python as a process of its own, its output thrown away."""
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def help_against_click(repetitions: int = 15) -> Ratio:
    """``threeways --help`` to importing click."""
    return ratio(process("-m", "threeways", "--help"), process("-c", "import click"), repetitions)


def compare_against_imports(repetitions: int = 5) -> Ratio:
    """``threeways compare``, all of it, to importing TensorFlow and Keras."""
    return ratio(
        process("-m", "threeways", "compare"),
        process("-c", "import tensorflow, keras"),
        repetitions,
    )
