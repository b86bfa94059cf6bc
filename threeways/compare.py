"""The comparison of training steps: every number of them, in every implementation of a case.

Each implementation is compared with the exact step, and every two with each other. Two that are
each within their bound of the exact step may differ by twice the bound.
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
    """The comparison of two implementations on one case in one dtype.

    Args:
        a, b: their names.
        worst: the element that comes nearest to its bound, or exceeds it most.
    """

    a: str
    b: str
    worst: Worst

    @property
    def ok(self) -> bool:
        """Whether rounding explains their differences."""
        return self.worst.ratio <= 1


@dataclass(frozen=True)
class Result:
    """All comparisons of one case in one dtype.

    Args:
        case, dtype: the name of the case, and the dtype.
        pairs: the comparison of every two implementations.
        exact: each implementation's worst element, by its name; ``a`` is its value and ``b`` the
            exact one.
        seconds_per_step: the time of the first step, in seconds, by implementation.
        steps: the number of steps that were compared.
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
    """The comparisons of a case's steps, made here and now.

    Args:
        case: the case.
        dtype: the dtype to make the steps in.
        packages: the packages of the implementations, by name.
    """
    (result,) = compare_all([(case, dtype)], partial(timed_steps, packages=packages))
    return result


def compare_all(
    steps: Iterable[tuple[Case | ChainRuleCase, str]],
    make: Callable[[Sequence[Case | ChainRuleCase]], Iterable[TimedSteps]],
) -> Iterator[Result]:
    """The comparisons of many cases, in their order.

    The exact steps are made first, so that ``make`` may have begun in other processes.

    Args:
        steps: each case with the dtype to make its steps in.
        make: takes cases and returns the implementations' first step of each.
    """
    runs = [list(exact_steps(case, dtype)) for case, dtype in steps]
    made = iter(make([case for run in runs for case, _ in run]))
    for run in runs:
        first, *later = [compared(case, exact, next(made)) for case, exact in run]
        yield functools.reduce(worse_of, later, first)


def exact_steps(
    case: Case | ChainRuleCase, dtype: str
) -> Iterator[tuple[Case | ChainRuleCase, Exact]]:
    """The steps to compare, each as the first step of a case of its own, with its exact numbers.

    They are the first step and, where an optimizer keeps slots or the rate follows a schedule,
    later steps of a run: at the first, all slots have their initial value and every schedule gives
    η. A later step starts with the parameters and slots that the first one leaves.
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
        left = [array for arrays in (*later.parameters, *later.slots.values()) for array in arrays]
        if all(np.isfinite(array).all() for array in left):  # or the first step is the last one
            yield later, exact_step(later)


def later_moments(training: Training) -> list[int]:
    """For each later step to compare, the number of steps before it."""
    moments = {1} if training.slots else set()
    if T := training.decay_steps:  # one of the first T steps, and one beyond
        moments |= {max(1, T // 2), T + (T + 1) // 2}
    return sorted(moments)


def after_first_step(case: Case, exact: Exact, steps_before: int) -> Case:
    """The case that starts with what its exact first step leaves, rounded to its dtype.

    Args:
        case: the case.
        exact: its exact first step.
        steps_before: the number of steps made before, by which the optimizer counts.
    """
    layers = range(len(case.parameters))
    values = dict(exact.values)
    for l in case.network.without_bias:
        values[f"b_next[{l}]"] = case.parameters[l].b
        for slot, kept in zip(case.training.slots, case.start_of_slots(l, "b"), strict=True):
            values[f"{slot}_b[{l}]"] = kept

    def rounded(name: str) -> tuple[Array, ...]:
        with np.errstate(over="ignore"):
            return tuple(case.network.array(values[f"{name}[{l}]"]) for l in layers)

    return replace(
        case,
        parameters=tuple(map(Weights, rounded("W_next"), rounded("b_next"))),
        steps_before=steps_before,
        slots={
            f"{slot}_{of}": rounded(f"{slot}_{of}") for slot in case.training.slots for of in "Wb"
        },
    )


def compared(case: Case | ChainRuleCase, exact: Exact, steps: TimedSteps) -> Result:
    """The comparisons of one step: each implementation with the exact step, and every two."""
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
    """The result of all steps of two results of a case: the worse of every two comparisons."""

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
    """The element in which two steps come nearest to the bound, or exceed it most.

    An array of another dtype or shape, or a number that is not finite, exceeds any bound.

    Args:
        a, b: the arrays of the two steps, by quantity.
        allowed: the error bound of each element, by quantity: the largest distance of either step
            from the exact one.
        dtype: the dtype that both should have.
    """
    differences = {}
    for name in a:
        if a[name].shape != b[name].shape or {a[name].dtype.name, b[name].dtype.name} != {dtype}:
            return Worst(name, (), math.nan, math.nan, math.inf, 1.0)
        with np.errstate(all="ignore"):  # where a number is not finite
            distance = np.abs(a[name].astype(float) - b[name].astype(float))
            differences[name] = Difference(a[name], b[name], distance, 2 * allowed[name])
    return worst_of(differences, dtype)


def report(results: Sequence[Result]) -> dict[str, Any]:
    """The results as ``compare --json`` writes them, where a number that is not finite is null."""
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
    """The versions of Python and of those frameworks that are installed."""
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
