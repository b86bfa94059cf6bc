"""``python -m benchmarks``: every claim of speed, as a ratio to a peer measured in the same run."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.startup import (
    Ratio,
    compare_against_imports,
    diagnose_against_imports,
    exact_step_against_imports,
    help_against_click,
)
from threeways.bench.limits import LIMITS, Limit, ratios
from threeways.bench.timing import Size
from threeways.implementations import PACKAGES, load

IMPORTS = "import tensorflow, keras"

ROWS: list[tuple[str, str, float, Callable[[], Ratio]]] = [
    ("threeways --help", "import click", 3, help_against_click),
    ("threeways compare, with the exact step", IMPORTS, 2.5, compare_against_imports),
    ("threeways diagnose, 2-2-2, a number of no mistake", IMPORTS, 0.5, diagnose_against_imports),
    ("the exact step, 784-128-10, 128 rows", IMPORTS, 1, exact_step_against_imports),
]
LARGE = Size((784, 1024, 1024, 10), 512, 3)
STEPS = [*LIMITS, *(Limit("numpy", "bare products", LARGE, 1.3, cores) for cores in (None, 1))]


def show(
    what: str, peer: str, seconds: float, peer_seconds: float, ratio: float, most: float
) -> None:
    """Print a row."""
    times = f"{1e3 * seconds:9.3f} ms{1e3 * peer_seconds:9.3f} ms"
    print(f"{what:52}{peer:30}{times}{ratio:8.3f}{most:9.3f}", flush=True)


print(f"{'':52}{'peer':30}{'time':>12}{'peer':>12}{'ratio':>8}{'at most':>9}")
for what, peer, most, measure in ROWS:
    show(what, peer, *measure(), most)
found, left_out = ratios(STEPS, load(PACKAGES), lambda done, total: None)
for each in found:
    limit = each.limit
    what = f"{limit.name}'s step, {limit.network}"
    show(what, limit.peer, each.seconds, each.peer_seconds, each.ratio, limit.most)
for line in left_out:
    print(line)
