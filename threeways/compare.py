"""One training step of a case in each implementation, every number of it compared pairwise."""

from __future__ import annotations

import importlib.metadata
import itertools
import math
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

import numpy as np

from shared import Array, Case, ChainRuleCase
from threeways.bounds import bounds
from threeways.implementations import timed_step

SCHEMA = "threeways/compare/v1"


@dataclass(frozen=True)
class Worst:
    """The element where a pair comes nearest to its bound, or goes furthest beyond it.

    Args:
        quantity, index: which element.
        a, b: its value in each of the two.
        difference_eps: |a - b| in units of the dtype's eps at the array's scale.
        bound_eps: how large that may be.
    """

    quantity: str
    index: tuple[int, ...]
    a: float
    b: float
    difference_eps: float
    bound_eps: float

    @property
    def ratio(self) -> float:
        """The difference as a share of its bound; up to 1 it is rounding."""
        return self.difference_eps / self.bound_eps


@dataclass(frozen=True)
class Pair:
    """Two implementations of one case in one dtype."""

    a: str
    b: str
    worst: Worst

    @property
    def ok(self) -> bool:
        """Whether they differ by no more than rounding explains."""
        return self.worst.ratio <= 1


@dataclass(frozen=True)
class Result:
    """All pairs of one case in one dtype, and the seconds that a step of each took."""

    case: str
    dtype: str
    pairs: tuple[Pair, ...]
    seconds_per_step: dict[str, float]

    @property
    def ok(self) -> bool:
        """Whether every pair is."""
        return all(pair.ok for pair in self.pairs)


def compare(case: Case | ChainRuleCase, dtype: str, packages: dict[str, ModuleType]) -> Result:
    """Make a case's first step in each implementation and compare the steps pairwise.

    Args:
        case: which.
        dtype: in which arithmetic.
        packages: the implementations by name.
    """
    case = case.with_dtype(dtype)
    steps = {name: timed_step(package, case) for name, package in packages.items()}
    quantities = {name: numbers for name, (numbers, _) in steps.items()}
    allowed = bounds(case, next(iter(quantities.values())))
    return Result(
        case=case.name,
        dtype=dtype,
        pairs=tuple(
            Pair(a, b, worst_difference(quantities[a], quantities[b], allowed, dtype))
            for a, b in itertools.combinations(quantities, 2)
        ),
        seconds_per_step={name: seconds for name, (_, seconds) in steps.items()},
    )


def worst_difference(
    a: dict[str, Array], b: dict[str, Array], allowed: dict[str, Array], dtype: str
) -> Worst:
    """Of all the elements of all the quantities, the one furthest from agreement.

    Args:
        a, b: the quantities of two steps.
        allowed: how far apart each element may be.
        dtype: that both should have; with another dtype or shape they do not agree at all, nor
            where one of them is not a finite number.
    """
    with np.errstate(all="ignore"):  # of what is not finite
        largest = [_largest(name, a[name], b[name], allowed[name], dtype) for name in allowed]
    return max(largest, key=lambda worst: worst.ratio)


def _largest(name: str, a: Array, b: Array, allowed: Array, dtype: str) -> Worst:
    if a.shape != b.shape or {a.dtype.name, b.dtype.name} != {dtype}:
        return Worst(name, (), math.nan, math.nan, math.inf, 1.0)
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    difference = np.abs(first - second)
    ratio = difference / allowed
    if not (np.isfinite(ratio).all() and np.isfinite(allowed).all()):
        finite = np.isfinite(ratio) & np.isfinite(allowed)
        difference, allowed = np.where(finite, difference, np.inf), np.where(finite, allowed, 1.0)
        ratio = difference / allowed
    index = np.unravel_index(ratio.argmax(), ratio.shape)
    scale = max(np.abs(first).max(), np.abs(second).max())
    unit = float(np.finfo(dtype).eps) * (float(scale) if 0 < scale < np.inf else 1.0)
    return Worst(
        quantity=name,
        index=tuple(int(i) for i in index),
        a=float(a[index]),
        b=float(b[index]),
        difference_eps=float(difference[index]) / unit,
        bound_eps=float(allowed[index]) / unit,
    )


def report(results: Sequence[Result]) -> dict[str, Any]:
    """The results as ``compare --json`` writes them; what is not a finite number becomes null."""
    return {
        "schema": SCHEMA,
        "ok": all(result.ok for result in results),
        "versions": versions(),
        "results": [
            {
                "case": result.case,
                "dtype": result.dtype,
                "ok": result.ok,
                "pairs": [
                    {"a": pair.a, "b": pair.b, "ok": pair.ok, "worst": _json(asdict(pair.worst))}
                    for pair in result.pairs
                ],
                "seconds_per_step": result.seconds_per_step,
            }
            for result in results
        ],
    }


def versions() -> dict[str, str]:
    """Of Python and of what the implementations stand on, where it is installed."""
    found = {"python": platform.python_version()}
    for package in ("numpy", "tensorflow", "keras"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _json(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }
