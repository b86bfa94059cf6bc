"""``python -m benchmarks``: every claim of speed, as a ratio to a peer measured in the same run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.numpy_step import against_products, against_scikit_learn
from benchmarks.startup import (
    compare_against_imports,
    diagnose_against_imports,
    exact_step_against_imports,
    help_against_click,
)
from benchmarks.timing import Ratio

IMPORTS = "import tensorflow, keras"

ROWS: list[tuple[str, str, float, Callable[[], Ratio]]] = [
    *(
        (
            f"NumPy's step, {'-'.join(map(str, widths))}, {rows} rows, {where}",
            "bare matrix products",
            1.3,
            partial(against_products, widths, rows, inner, cores),
        )
        for widths, rows, inner in (((784, 128, 10), 128, 50), ((784, 1024, 1024, 10), 512, 3))
        for where, cores in (("one core", 1), ("all cores", None))
    ),
    (
        "NumPy's step, 64-32-10, 32 rows",
        "scikit-learn's MLPClassifier",
        0.25,
        against_scikit_learn,
    ),
    ("threeways --help", "import click", 3, help_against_click),
    ("threeways compare, with the exact step", IMPORTS, 2.5, compare_against_imports),
    ("threeways diagnose, 2-2-2, a number of no mistake", IMPORTS, 0.5, diagnose_against_imports),
    ("the exact step, 784-128-10, 128 rows", IMPORTS, 1, exact_step_against_imports),
]

print(f"{'':52}{'peer':30}{'time':>12}{'peer':>12}{'ratio':>8}{'at most':>9}")
for what, peer, most, measure in ROWS:
    found = measure()
    times = "".join(f"{1e3 * seconds:9.3f} ms" for seconds in found[:2])
    print(f"{what:52}{peer:30}{times}{found.ratio:8.2f}{most:9.2f}", flush=True)
