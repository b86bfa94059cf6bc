"""Diagnosis: the known mistakes, alone or two together, that explain somebody's wrong numbers.

``diagnose`` takes a few printed numbers, ``recognise`` whole arrays. Both make the step with every
mistake of the catalogue and keep those whose numbers agree. The mistakes are made in
``impl_numpy``, but a first step counts as correct only if it agrees with the exact one.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case, InputError, load_case
from shared.sources import sources
from threeways.exact.bounds import bounds
from threeways.exact.oracle import Exact, exact_step
from threeways.exact.rounding import FEW
from threeways.mistakes import MISTAKES, pair
from threeways.mistakes.branches import MOST as MOST_BRANCHES
from threeways.mistakes.branches import branches, merged
from threeways.mistakes.candidates import Candidates
from threeways.mistakes.given import beside
from threeways.mistakes.late_steps import LateStep
from threeways.mistakes.matches import Diagnosis, Match, match
from threeways.mistakes.observations import FLOAT32S_DIGITS, Printed, Recorded, printed
from threeways.mistakes.search import search
from threeways.mistakes.steps import FEW_STEPS, Numbers, numbers_of, numbers_of_run, scaled
from threeways.progress import OnProgress

__all__ = ["Diagnosis", "Match", "diagnose", "recognise"]

# See ``convention`` in :func:`diagnose`.
FindConvention = Callable[[Sequence[Printed], Numbers], "tuple[str, bool] | None"]

# The largest step number that may be asked about, and that which pairs are tried for.
MOST_STEPS = 1_000_000
MOST_STEPS_OF_PAIRS = 30


def diagnose(
    case: Case | str,
    values: Mapping[str, str | float],
    steps: int = 1,
    on_progress: OnProgress | None = None,
    convention: FindConvention | None = None,
) -> Diagnosis:
    """The known mistakes, alone or in pairs, that make these numbers of a case.

    The numbers of the first step are correct if they agree with the exact step; those of a later
    step, if they agree with ``impl_numpy``, which also makes the mistakes.

    Args:
        case: a case, its name, or the path of a TOML file with one.
        values: each number by its quantity and index, as ``{"dW[1][0,1]": "0.0826"}``, with as many
            digits as are known; they may be rounded or cut off: 0.08 is 0.075 to 0.09.
        steps: the step that the numbers belong to, counted from 1. Of a step after the 30th, pairs
            are not tried.
        on_progress: called with the number of candidates tried so far and their total; first for
            single mistakes, then, if none of them fits, for pairs.
        convention: called with wrong numbers and the right step; returns the convention that
            makes them, in a line, and whether it explains them, so that no mistake has to; or None.

    Raises:
        InputError: no values, a value that is not a number, or a quantity or index that this step
            does not have.
    """
    loaded = load_case(case) if isinstance(case, str) else case
    if not isinstance(loaded, Case):
        raise InputError(f"{loaded.name}: a chain of functions, known mistakes are of networks")
    if not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
        raise InputError(f"steps: should be a whole number from 1 to {MOST_STEPS:,}, not {steps}")
    loaded = loaded.prepared()
    make: Callable[[type[FeedForward]], Numbers]
    make = functools.partial(numbers_of, case=loaded, steps=steps)
    if steps > MOST_STEPS_OF_PAIRS:
        make = LateStep(loaded, steps)
    if steps == 1:
        right = exact_step(loaded).values
        allowed = bounds(loaded, right)
    else:
        right = make(FeedForward)
        allowed = {name: np.zeros(array.shape) for name, array in right.items()}
    observed = printed(loaded, values, right, allowed)
    correct = match(observed, (), right)
    told = convention(observed, right) if convention and not correct.fits else None
    if told and told[1]:
        found = Diagnosis((), (), tuple(observed), correct)
        return _beside(found, told, loaded, observed, right, steps)
    in_float32 = []
    if loaded.dtype == "float64" and any(each.n_digits > FLOAT32S_DIGITS for each in observed):
        in_float32 = [each.in_float32() for each in observed]
    found = search(
        observed,
        right,
        Candidates(make, on_progress),
        sources(loaded.network, loaded.training) if steps == 1 else None,
        on_progress,
        in_float32,
        with_pairs=steps <= MOST_STEPS_OF_PAIRS,
    )
    return _beside(found, told, loaded, observed, right, steps)


def _beside(
    found: Diagnosis,
    told: tuple[str, bool] | None,
    case: Case,
    observed: Sequence[Printed],
    right: Numbers,
    steps: int,
) -> Diagnosis:
    """A diagnosis with each number beside the right one, and with what convention is told."""
    line, is_convention = told or (None, False)
    return dataclasses.replace(
        found,
        given=tuple(beside(case, observed, right, steps)),
        convention=line,
        is_convention=is_convention,
    )


def recognise(
    case: Case,
    quantities: Mapping[str, Array],
    exact: Exact | None = None,
    before: Sequence[Case] = (),
    *,
    input_errors: Mapping[str, Array | float] | None = None,
    output_errors: Mapping[str, Array | float] | None = None,
    goes_on: bool = False,
) -> Diagnosis:
    """The known mistakes, alone or in pairs, that make all of these wrong arrays.

    The arrays are compared with the exact step, and with the steps that each mistake makes in
    ``impl_numpy``. Where nothing fits all of them, each branch that departs by itself is explained
    alone. Without matches, they are too close to the exact step to tell, or nothing fits.

    Args:
        case: whose first step the arrays belong to, in their dtype.
        quantities: any quantities of the step, by name.
        exact: the exact step, if the caller has computed it.
        before: the earlier steps of the same run, which were right, for mistakes that keep
            something from one step to the next; the last two are enough.
        input_errors, output_errors: how far the inputs of the step, and the recorded numbers, may
            be off, as in :func:`threeways.exact.judge.judge`.
        goes_on: whether a step starts from wherever the one before ended, which is not known but
            for what is right; ``before`` are then all steps before.
    """
    exact = exact or exact_step(case)
    allowed = bounds(case, exact.values, input_errors=input_errors, scale=exact.scale)
    observed = _recorded(quantities, exact, allowed, case.dtype, output_errors or {})
    correct = match(observed, (), exact.values)
    if correct.fits:  # wrong, but too close to the exact step to tell mistakes apart
        return Diagnosis((), (), tuple(observed), correct)
    direct = sources(case.network, case.training)
    earlier = before if goes_on else before[-FEW_STEPS:]
    candidates = _candidates_of((*earlier, case), exact.scale, goes_on)

    def explain(part: Sequence[Recorded], with_pairs: bool = True) -> Diagnosis:
        arrays = {each.quantity: quantities[each.quantity] for each in part}
        float32 = _float32_match(case, arrays, exact)
        return search(
            part, exact.values, candidates, direct, otherwise=float32, with_pairs=with_pairs
        )

    found = explain(observed)
    parts = branches(observed, exact.values, direct)
    if not found.matches and 1 < len(parts) <= MOST_BRANCHES:
        each_alone = {first: explain(part, len(parts) <= FEW) for first, part in parts.items()}
        if any(each.matches for each in each_alone.values()):
            return dataclasses.replace(found, branches=merged(each_alone))
    return found


def recognise_again(
    case: Case,
    quantities: Mapping[str, Array],
    exact: Exact | None,
    before: Sequence[Case],
    found: Iterable[tuple[str, ...]],
    *,
    input_errors: Mapping[str, Array | float] | None = None,
    goes_on: bool = False,
) -> Diagnosis:
    """Those mistakes that make these wrong arrays, too, of some that were found in other cases.

    Args:
        case, quantities, exact, before, input_errors, goes_on: as in :func:`recognise`.
        found: the names of one mistake or two each.
    """
    exact = exact or exact_step(case)
    allowed = bounds(case, exact.values, input_errors=input_errors, scale=exact.scale)
    observed = _recorded(quantities, exact, allowed, case.dtype, {})
    earlier = before if goes_on else before[-FEW_STEPS:]
    matches = []
    for names in found:
        kind = MISTAKES[names[0]] if len(names) == 1 else pair(*names)
        numbers = numbers_of_run(scaled(kind, exact.scale), (*earlier, case), goes_on)
        matches.append(match(observed, names, numbers))
    fitting = tuple(each for each in matches if each.fits)
    return Diagnosis(fitting, (), tuple(observed), match(observed, (), exact.values))


@functools.lru_cache(maxsize=1)
def _candidates_of(run: tuple[Case, ...], scale: float, goes_on: bool) -> Candidates:
    """The candidates for the last step of a run, with the loss so many times the case's.

    Cached, because files of records often hold many steps of one case.
    """
    return Candidates(lambda kind: numbers_of_run(scaled(kind, scale), run, goes_on))


def _recorded(
    quantities: Mapping[str, Array],
    exact: Exact,
    allowed: Mapping[str, Array],
    dtype: str,
    errors: Mapping[str, Array | float],
) -> list[Recorded]:
    eps = float(np.finfo(dtype).eps)
    recorded = []
    for name, values in quantities.items():
        size = float(np.abs(exact.values[name]).max())
        rounding = float(allowed[name].max()) / size if size else 0.0
        # Twice, since both the recorded numbers and the candidate's are rounded.
        rounding = 2 * max(rounding, FEW * eps)
        recorded.append(Recorded(name, values.astype(float), rounding, size, errors.get(name, 0.0)))
    return recorded


# How far nine digits of a float32 number may be from it, relatively.
FLOAT32_WRITTEN = 5e-9


def _from_float32(values: Array) -> Array:
    """How far each number is from the nearest float32 number."""
    with np.errstate(over="ignore"):
        return np.abs(values - values.astype("float32"))


def _float32_match(case: Case, quantities: Mapping[str, Array], exact: Exact) -> Match | None:
    """A match of ``float32-inside`` if the arrays are exact to float32's rounding but no better.

    Where most are better, the others have to be float32 numbers.
    """
    eps = float(np.finfo("float32").eps)
    if case.dtype == "float32":
        return None
    try:
        allowed = bounds(case.with_dtype("float32"), exact.values, scale=exact.scale)
    except InputError:  # too large for float32
        return None
    worst = 0.0
    better = []  # of each array that float32 would change, whether it is exact beyond float32
    worse_are_float32 = True
    for name, values in quantities.items():
        size = float(np.abs(exact.values[name]).max())
        # The inputs of the step have been rounded as well.
        off = exact.distance(name, values)
        if not (off <= 2 * allowed[name] + eps * size).all():
            return None
        worst = max(worst, float(off.max()) / size if size else 0.0)
        if _from_float32(exact.values[name]).max() > eps / 16 * size:
            better.append(float(off.max()) <= eps / 16 * size)
            worse_are_float32 &= better[-1] or bool(
                (_from_float32(values) <= FLOAT32_WRITTEN * np.abs(values)).all()
            )
    if worst < eps / 64 or (2 * sum(better) > len(better) and not worse_are_float32):
        return None
    return Match(("float32-inside",), len(quantities), len(quantities), -math.log10(worst), {})
