"""Training steps of a case in each implementation, every number of them compared.

Each with the exact step, and pairwise: two that are each within their bound of it may be twice that
apart.
"""

from __future__ import annotations

import functools
import importlib.metadata
import itertools
import math
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from shared import Array, Case, ChainRuleCase, Training, Weights
from threeways.exact.bounds import bounds
from threeways.exact.judge import Difference, Worst, from_exact, worst_of
from threeways.exact.oracle import Exact, exact_step
from threeways.implementations import TimedSteps, timed_steps

SCHEMA = "threeways/compare/v1"


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
    """One case in one dtype.

    Args:
        case, dtype: which.
        pairs: every two implementations.
        exact: each implementation's worst element, as ``a``, with the exact one, as ``b``.
        seconds_per_step: what the first step of each took.
        steps: how many steps were compared.
    """

    case: str
    dtype: str
    pairs: tuple[Pair, ...]
    exact: dict[str, Worst]
    seconds_per_step: dict[str, float]
    steps: int = 1

    @property
    def ok(self) -> bool:
        """Whether rounding explains every difference."""
        right = all(worst.ratio <= 1 for worst in self.exact.values())
        return right and all(pair.ok for pair in self.pairs)


def compare(case: Case | ChainRuleCase, dtype: str, packages: Mapping[str, ModuleType]) -> Result:
    """The result of making a case's steps in each implementation and exactly.

    Args:
        case: which.
        dtype: in which arithmetic.
        packages: the implementations by name.
    """
    (result,) = compare_all([(case, dtype)], partial(timed_steps, packages=packages))
    return result


def compare_all(
    steps: Iterable[tuple[Case | ChainRuleCase, str]],
    make: Callable[[Sequence[Case | ChainRuleCase]], Iterable[TimedSteps]],
) -> Iterator[Result]:
    """The same of many cases, each in a dtype; ``make`` gives the implementations' steps of them.

    The exact steps are made first, so that ``make`` may have begun elsewhere.
    """
    runs = [list(exact_steps(case, dtype)) for case, dtype in steps]
    made = iter(make([case for run in runs for case, _ in run]))
    for run in runs:
        first, *later = [compared(case, exact, next(made)) for case, exact in run]
        yield functools.reduce(worse_of, later, first)


def exact_steps(
    case: Case | ChainRuleCase, dtype: str
) -> Iterator[tuple[Case | ChainRuleCase, Exact]]:
    """The steps that a case is compared by, each a case of its own, with the exact numbers.

    They are its first step and, where an optimizer keeps something or its rate changes, steps from
    later in a run, which begin with the parameters and the slots that the first one leaves: at the
    first step the slots say nothing yet, and every schedule starts with η.
    """
    case = case.with_dtype(dtype)
    if isinstance(case, ChainRuleCase):
        yield case, exact_step(case)
        return
    case = case.alone()
    exact = exact_step(case)
    yield case, exact
    for steps_before in later_moments(case.training):
        later = after_first_step(case, exact, steps_before)
        yield later, exact_step(later)


def later_moments(training: Training) -> list[int]:
    """The numbers of steps to have gone before, for those steps to differ from the first."""
    moments = {1} if training.slots else set()
    if T := training.decay_steps:  # within T steps, and beyond
        moments |= {max(1, T // 2), T + (T + 1) // 2}
    return sorted(moments)


def after_first_step(case: Case, exact: Exact, steps_before: int) -> Case:
    """A case that begins with what the exact first step leaves, rounded to its dtype."""
    layers = range(len(case.parameters))

    def rounded(name: str) -> tuple[Array, ...]:
        return tuple(case.network.array(exact.values[f"{name}[{l}]"]) for l in layers)

    return replace(
        case,
        parameters=tuple(map(Weights, rounded("W_next"), rounded("b_next"))),
        steps_before=steps_before,
        slots={
            f"{slot}_{of}": rounded(f"{slot}_{of}") for slot in case.training.slots for of in "Wb"
        },
    )


def compared(case: Case | ChainRuleCase, exact: Exact, steps: TimedSteps) -> Result:
    """A step of each implementation held to the exact one, and to each other's."""
    quantities = {name: numbers for name, (numbers, _) in steps.items()}
    allowed = bounds(case, exact.values)
    number = case.steps_before + 1 if isinstance(case, Case) else 1
    return Result(
        case=case.name,
        dtype=case.dtype,
        pairs=tuple(
            Pair(
                a,
                b,
                replace(
                    worst_difference(quantities[a], quantities[b], allowed, case.dtype),
                    step=number,
                ),
            )
            for a, b in itertools.combinations(quantities, 2)
        ),
        exact={
            name: replace(worst_of(from_exact(numbers, exact, allowed), case.dtype), step=number)
            for name, numbers in quantities.items()
        },
        seconds_per_step={name: seconds for name, (_, seconds) in steps.items()},
    )


def worse_of(a: Result, b: Result) -> Result:
    """The first of two results of a case, each comparison at the worse of the two."""

    def worse(first: Worst, second: Worst) -> Worst:
        return second if second.ratio > first.ratio else first

    pairs = zip(a.pairs, b.pairs, strict=True)
    return replace(
        a,
        pairs=tuple(replace(pair, worst=worse(pair.worst, other.worst)) for pair, other in pairs),
        exact={name: worse(worst, b.exact[name]) for name, worst in a.exact.items()},
        steps=a.steps + b.steps,
    )


def worst_difference(
    a: dict[str, Array], b: dict[str, Array], allowed: dict[str, Array], dtype: str
) -> Worst:
    """Of all the elements of all the quantities, the one furthest from agreement.

    Args:
        a, b: the quantities of two steps.
        allowed: how far each element of either may be from the exact one.
        dtype: that both should have; with another dtype or shape they do not agree at all, nor
            where one of them is not a finite number.
    """
    differences = {}
    for name in a:
        if a[name].shape != b[name].shape or {a[name].dtype.name, b[name].dtype.name} != {dtype}:
            return Worst(name, (), math.nan, math.nan, math.inf, 1.0)
        with np.errstate(all="ignore"):  # of what is not finite
            distance = np.abs(a[name].astype(float) - b[name].astype(float))
            differences[name] = Difference(a[name], b[name], distance, 2 * allowed[name])
    return worst_of(differences, dtype)


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
                "exact": [
                    {"implementation": name, "ok": worst.ratio <= 1, "worst": _json(asdict(worst))}
                    for name, worst in result.exact.items()
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
