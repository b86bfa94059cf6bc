"""Diagnosis: the known mistakes, alone or two together, that explain somebody's wrong numbers.

``diagnose`` takes a few printed numbers, ``recognise`` whole arrays. Both make the step with every
mistake of the catalogue and keep those whose numbers agree. The mistakes are made in
``impl_numpy``, but a first step counts as correct only if it agrees with the exact one.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case, InputError, load_case
from shared.quantities import element, sources
from threeways.exact.bounds import bounds
from threeways.exact.oracle import Exact, exact_step
from threeways.exact.rounding import FEW
from threeways.mistakes import MISTAKES, pair
from threeways.mistakes.observations import Observation, Printed, Recorded, elements_of
from threeways.mistakes.possible_pairs import possible_pairs
from threeways.mistakes.steps import Numbers, numbers_of, numbers_of_run
from threeways.progress import OnProgress

# Number of runners-up in a diagnosis.
RUNNERS_UP = 3

# The largest step number that may be asked about.
MOST_STEPS = 1_000_000

Make = Callable[[type[FeedForward]], Numbers]
T = TypeVar("T")


@dataclass(frozen=True)
class Match:
    """How well one candidate's numbers fit the observed ones.

    Args:
        mistakes: names of the candidate's mistakes; empty for the correct step.
        agreed: how many of the observed numbers agree with the candidate's.
        observed: how many numbers were observed.
        digits: significant digits that agree, in the number that agrees least.
        numbers: every quantity of the candidate's last step.
    """

    mistakes: tuple[str, ...]
    agreed: int
    observed: int
    digits: float
    numbers: Numbers

    @property
    def fits(self) -> bool:
        """Whether every observed number agrees."""
        return self.agreed == self.observed


@dataclass(frozen=True)
class Diagnosis:
    """The candidates that explain the observed numbers, and those that come close.

    Args:
        matches: the candidates that fit every number, the closest first; only the correct step
            if that fits.
        runners_up: the best of the other candidates.
    """

    matches: tuple[Match, ...]
    runners_up: tuple[Match, ...]

    @property
    def verdict(self) -> str:
        """``"correct"``, ``"known"``, ``"not unique"`` or ``"none known"``."""
        if not self.matches:
            return "none known"
        if not self.matches[0].mistakes:
            return "correct"
        return "known" if len(self.matches) == 1 else "not unique"

    @property
    def telling(self) -> tuple[str, bool] | None:
        """The number that tells most of the matches apart, and whether it tells all of them apart.

        None if no number of the step does.
        """
        best, most = None, 1
        for name in self.matches[0].numbers if self.matches else ():
            values = np.array([match.numbers[name].ravel() for match in self.matches], float)
            with np.errstate(all="ignore"):
                values = np.sort(np.nan_to_num(values), axis=0)
                apart = np.diff(values, axis=0) > 1e-3 * np.abs(values).max(axis=0)
            distinct = 1 + apart.sum(axis=0)
            if distinct.max() > most:
                most = int(distinct.max())
                shape = self.matches[0].numbers[name].shape
                index = np.unravel_index(int(distinct.argmax()), shape)
                best = element(name, tuple(map(int, index)))
        return None if best is None else (best, most == len(self.matches))


def diagnose(
    case: Case | str,
    values: Mapping[str, str | float],
    steps: int = 1,
    on_progress: OnProgress | None = None,
) -> Diagnosis:
    """The known mistakes, alone or in pairs, that make these numbers of a case.

    The numbers of the first step are correct if they agree with the exact step; those of a later
    step, if they agree with ``impl_numpy``, which also makes the mistakes.

    Args:
        case: a case, its name, or the path of a TOML file with one.
        values: each number by its quantity and index, as ``{"dW[1][0,1]": "0.0826"}``, with as many
            digits as are known; they may be rounded or cut off: 0.08 is 0.075 to 0.09.
        steps: the step that the numbers belong to, counted from 1.
        on_progress: called with the number of candidates tried so far and their total; first for
            single mistakes, then, if none of them fits, for pairs.

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
    elements = elements_of(loaded, values)

    def make(kind: type[FeedForward]) -> Numbers:
        return numbers_of(kind, loaded, steps)

    if steps == 1:
        right = exact_step(loaded).values
        allowed = bounds(loaded, right)
    else:
        right = make(FeedForward)
        allowed = {name: np.zeros(array.shape) for name, array in right.items()}
    eps = float(np.finfo(loaded.dtype).eps)
    observed = [
        Printed(name, index, text, max(FEW * eps * abs(float(text)), float(allowed[name][index])))
        for name, index, text in elements
    ]
    correct = _match(observed, (), right)
    if correct.fits:
        return Diagnosis((correct,), ())
    direct = sources(loaded.network, loaded.training.slots) if steps == 1 else None
    effective = _effective(make, on_progress)
    return _diagnose(observed, correct, effective, make, direct, on_progress)


def recognise(
    case: Case,
    quantities: Mapping[str, Array],
    exact: Exact | None = None,
    before: Sequence[Case] = (),
) -> Diagnosis:
    """The known mistakes, alone or in pairs, that make all of these wrong arrays.

    The arrays are compared with the exact step, and with the steps that each mistake makes in
    ``impl_numpy``. Without matches, they are too close to the exact step to tell, or nothing fits.

    Args:
        case: whose first step the arrays belong to, in their dtype.
        quantities: any quantities of the step, by name.
        exact: the exact step, if the caller has computed it.
        before: the earlier steps of the same run, for mistakes that show only later.
    """
    exact = exact or exact_step(case)
    observed = _recorded(quantities, exact, bounds(case, exact.values), case.dtype)
    correct = _match(observed, (), exact.values)
    if correct.fits:  # wrong, but too close to the exact step to tell mistakes apart
        return Diagnosis((), ())
    run = (*before, case)
    float32 = _float32_match(case, quantities, exact) if case.dtype == "float64" else None
    make = functools.partial(numbers_of_run, run=run)
    direct = None if before else sources(case.network, case.training.slots)
    return _diagnose(observed, correct, _effective_in(run), make, direct, otherwise=float32)


def _recorded(
    quantities: Mapping[str, Array], exact: Exact, allowed: Mapping[str, Array], dtype: str
) -> list[Recorded]:
    eps = float(np.finfo(dtype).eps)
    recorded = []
    for name, values in quantities.items():
        size = float(np.abs(exact.values[name]).max())
        rounding = float(allowed[name].max()) / size if size else 0.0
        # Twice, since both the recorded numbers and the candidate's are rounded.
        recorded.append(Recorded(name, values.astype(float), 2 * max(rounding, FEW * eps), size))
    return recorded


def _float32_match(case: Case, quantities: Mapping[str, Array], exact: Exact) -> Match | None:
    """A match of ``float32-inside`` if the arrays are exact to float32's rounding but no better."""
    eps = float(np.finfo("float32").eps)
    try:
        allowed = bounds(case.with_dtype("float32"), exact.values)
    except InputError:  # too large for float32
        return None
    worst = 0.0
    for name, values in quantities.items():
        size = float(np.abs(exact.values[name]).max())
        # The inputs of the step have been rounded as well.
        off = exact.distance(name, values)
        if not (off <= 2 * allowed[name] + eps * size).all():
            return None
        worst = max(worst, float(off.max()) / size if size else 0.0)
    if worst < eps / 64:
        return None
    return Match(("float32-inside",), len(quantities), len(quantities), -math.log10(worst), {})


def _match(observed: Sequence[Observation], names: tuple[str, ...], numbers: Numbers) -> Match:
    with np.errstate(all="ignore"):  # a mistake's numbers need not be finite
        compared = [each.compare(numbers) for each in observed]
    return Match(
        mistakes=names,
        agreed=sum(agrees for agrees, _ in compared),
        observed=len(observed),
        digits=min(digits for _, digits in compared),
        numbers=numbers,
    )


def _diagnose(
    observed: Sequence[Observation],
    correct: Match,
    effective: Mapping[str, Numbers],
    make: Make,
    direct: Mapping[str, set[str]] | None,
    on_progress: OnProgress | None = None,
    otherwise: Match | None = None,
) -> Diagnosis:
    """The single mistakes that fit; or else ``otherwise``, if given; or else the pairs that fit.

    Args:
        observed: the numbers to explain.
        correct: how well the correct step fits them.
        effective: the numbers of each mistake that changes any.
        make: makes the numbers of two mistakes together.
        direct: the quantities in the order of the step, each with those that it is directly
            computed from; None where the numbers are of a later step, whose start is wrong already.
        on_progress: called with the number of candidates tried, and of all.
        otherwise: what fits if no single mistake does.
    """
    alone = [_match(observed, (name,), numbers) for name, numbers in effective.items()]
    # Rounded, so that rounding errors do not decide between equals: the correct step goes first.
    ranked = sorted((correct, *alone), key=lambda match: (-match.agreed, -round(match.digits, 6)))
    fitting = [match for match in ranked if match.fits] or ([otherwise] if otherwise else [])
    if not fitting:
        pairs = list(itertools.combinations(effective, 2))
        if direct:
            pairs = possible_pairs(
                pairs, observed, correct.numbers, effective, make(FeedForward), direct
            )
        together = (
            _match(observed, names, make(pair(*names))) for names in _counted(pairs, on_progress)
        )
        fitting = sorted((each for each in together if each.fits), key=lambda each: -each.digits)
    others = [match for match in ranked if not match.fits]
    return Diagnosis(tuple(fitting), tuple(others[:RUNNERS_UP]))


def _effective(make: Make, on_progress: OnProgress | None = None) -> dict[str, Numbers]:
    """The numbers of each mistake that changes at least one bit of them, by the mistake's name.

    A mistake that changes nothing by itself is taken to change nothing in a pair either.
    """
    right = make(FeedForward)
    made = ((name, make(MISTAKES[name])) for name in _counted(list(MISTAKES), on_progress))
    return {name: numbers for name, numbers in made if not _same(numbers, right)}


@functools.lru_cache(maxsize=1)
def _effective_in(run: tuple[Case, ...]) -> dict[str, Numbers]:
    """The numbers of each effective mistake in the last step of a run.

    Cached, because files of records often hold many steps of one case.
    """
    return _effective(functools.partial(numbers_of_run, run=run))


def _counted(candidates: Sequence[T], on_progress: OnProgress | None) -> Iterator[T]:
    """The candidates one by one; progress is reported after each."""
    for i, candidate in enumerate(candidates, start=1):
        yield candidate
        if on_progress:
            on_progress(i, len(candidates))


def _same(a: Mapping[str, Array], b: Mapping[str, Array]) -> bool:
    return all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)
