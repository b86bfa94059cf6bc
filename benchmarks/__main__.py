"""``python -m benchmarks``: every claim of speed, as a ratio to a baseline of the same run."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.startup import (
    Ratio,
    compare_against_imports,
    diagnose_against_imports,
    exact_step_against_imports,
    help_against_click,
)
from threeways.bench.limits import TIME_LIMITS, TimeLimit
from threeways.bench.ratios import ratios
from threeways.bench.workloads import Size

IMPORTS = "import tensorflow, keras"

ROWS: list[tuple[str, str, float, Callable[[], Ratio]]] = [
    ("threeways --help", "import click", 3, help_against_click),
    ("threeways compare, with the exact step", IMPORTS, 2.5, compare_against_imports),
    ("threeways diagnose, 2-2-2, a number of no mistake", IMPORTS, 0.5, diagnose_against_imports),
    ("the exact step, 784-128-10, 128 rows", IMPORTS, 1, exact_step_against_imports),
]
LARGE = Size((784, 1024, 1024, 10), 512, 3)
STEPS = [*TIME_LIMITS, TimeLimit("numpy", "bare products", LARGE, 1.35, cores=1)]


def show(
    what: str,
    baseline: str,
    seconds: float,
    baseline_seconds: float,
    ratio: float,
    most: float,
    remark: str = "",
) -> None:
    """Print a row."""
    times = f"{1e3 * seconds:9.3f} ms{1e3 * baseline_seconds:9.3f} ms"
    print(f"{what:56}{baseline:30}{times}{ratio:8.3f}{most:9.3f} {remark}".rstrip(), flush=True)


print(f"{'':56}{'baseline':30}{'time':>12}{'baseline':>12}{'ratio':>8}{'at most':>9}")
for what, baseline, most, measure in ROWS:
    show(what, baseline, *measure(), most)
found, left_out = ratios(STEPS, lambda done, total: None)
for each in found:
    limit = each.limit
    what = f"{limit.name}'s step, {limit.network}"
    remark = "disturbed" if each.is_disturbed else ""
    times = each.seconds, each.baseline_seconds
    show(what, limit.baseline, *times, each.ratio, limit.most, remark)
for line in left_out:
    print(line)
