"""Diagnosis: the known mistakes, alone or two together, that explain somebody's wrong numbers.

``diagnose`` takes a few printed numbers, ``recognise`` whole arrays. Both make the step with every
mistake of the catalogue and keep those whose numbers agree. The mistakes are made in
``impl_numpy``, but a first step counts as correct only if it agrees with the exact one.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case, InputError, load_case
from shared.errors import Findings
from shared.quantities import ancestors, element, shapes, sources, unknown_quantity
from threeways.exact.bounds import bounds
from threeways.exact.oracle import Exact, exact_step
from threeways.exact.rounding import FEW
from threeways.mistakes import MISTAKES, pair
from threeways.progress import OnProgress

# Number of runners-up in a diagnosis.
RUNNERS_UP = 3

# Significant digits of a double, and the largest step number that may be asked about.
DOUBLES_DIGITS = 16
MOST_STEPS = 1_000_000

Numbers = dict[str, Array]
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


class Observation(Protocol):
    """A number or an array that somebody got."""

    @property
    def quantity(self) -> str:
        """The name of the array that it is, or belongs to."""

    def compare(self, numbers: Mapping[str, Array]) -> tuple[bool, float]:
        """Whether a candidate's numbers agree with it, and to how many significant digits."""


@dataclass(frozen=True)
class Printed:
    """One number with its printed digits, which may be rounded or cut off.

    Args:
        quantity, index: the element of the step, as ``"dW[1]"`` and ``(0, 1)``.
        text: its printed digits.
        rounding: absolute rounding error that a correct computation may have.
    """

    quantity: str
    index: tuple[int, ...]
    text: str
    rounding: float

    def compare(self, numbers: Mapping[str, Array]) -> tuple[bool, float]:
        value, place = float(self.text), _last_place(self.text)
        number = float(numbers[self.quantity][self.index])
        if number == value:
            return True, float(DOUBLES_DIGITS) if value == 0 else _digits(place, 10 * abs(value))
        # A rounded number is off by at most half a unit of its last digit, one that was cut off by
        # less than a whole unit, and then the printed one is nearer to 0.
        off = number - value
        unit = 1 if value and (off > 0) == (value > 0) else 0.5
        if abs(off) <= max(unit * place * (1 - 1e-9), self.rounding):
            return True, _digits(max(place, abs(off)), 10 * abs(value))
        return False, _digits(off, value)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A whole array.

    Args:
        quantity: which, as ``"dW[1]"``.
        values: the array, in float64.
        rounding: rounding error that a correct computation may have, as a share of the array's
            largest number.
        size: the largest number of the exact array; rounding errors do not become smaller where a
            mistake makes its numbers cancel.
    """

    quantity: str
    values: Array
    rounding: float
    size: float

    def compare(self, numbers: Mapping[str, Array]) -> tuple[bool, float]:
        candidate = numbers[self.quantity]
        off = float(np.abs(self.values - candidate).max())
        if not math.isfinite(off):  # something in either array is not
            same = np.array_equal(self.values, candidate, equal_nan=True)
            return same, DOUBLES_DIGITS * float(same)
        size = max(float(np.abs(candidate).max()), self.size)
        return off <= self.rounding * size, _digits(off, size)


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
    elements = _elements(loaded, values)

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
            pairs = _possible(
                pairs, observed, correct.numbers, effective, make(FeedForward), direct
            )
        together = (
            _match(observed, names, make(pair(*names))) for names in _counted(pairs, on_progress)
        )
        fitting = sorted((each for each in together if each.fits), key=lambda each: -each.digits)
    others = [match for match in ranked if not match.fits]
    return Diagnosis(tuple(fitting), tuple(others[:RUNNERS_UP]))


def _possible(
    pairs: Sequence[tuple[str, str]],
    observed: Sequence[Observation],
    exact: Numbers,
    effective: Mapping[str, Numbers],
    right: Numbers,
    direct: Mapping[str, set[str]],
) -> list[tuple[str, str]]:
    """The pairs that need to be tried, of a first step.

    What a mistake does to right numbers it does in a pair, too, unless the other one changes the
    same number or one that it is computed from. So a pair cannot have been made if one of the two
    is the first to make a number wrong that was observed to be right; nor if a number is wrong that
    was computed from right ones, and neither of the two is the first to change it.
    """
    with np.errstate(all="ignore"):
        agrees = {each: each.compare(exact)[0] for each in observed}
        fits = {
            name: {each for each in observed if each.compare(numbers)[0]}
            for name, numbers in effective.items()
        }
    # Of a printed number, the others in its array may be wrong.
    is_right = {each.quantity for each in observed if agrees[each] and isinstance(each, Recorded)}
    departures = {
        each.quantity for each in observed if not agrees[each] and direct[each.quantity] <= is_right
    }
    changed = {
        name: {each for each in right if not np.array_equal(numbers[each], right[each])}
        for name, numbers in effective.items()
    }

    @functools.cache
    def earlier(quantity: str) -> set[str]:
        return ancestors([quantity], direct)

    first = {
        name: {each.quantity for each in observed if each.quantity in quantities}
        - {each.quantity for each in observed if quantities & earlier(each.quantity)}
        for name, quantities in changed.items()
    }
    belied = {
        name: {each.quantity for each in observed if agrees[each] and each not in fits[name]}
        & first[name]
        for name in effective
    }

    def spoils(one: str, other: str) -> bool:
        return any(not changed[other] & {each, *earlier(each)} for each in belied[one])

    def leaves(one: str, other: str) -> bool:
        return any(
            each not in first[one] | first[other]
            and not (changed[one] & earlier(each) and changed[other] & earlier(each))
            for each in departures
        )

    return [
        (one, other)
        for one, other in pairs
        if not (spoils(one, other) or spoils(other, one) or leaves(one, other))
    ]


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


def numbers_of(kind: type[FeedForward], case: Case, steps: int = 1) -> Numbers:
    """Every quantity of step number ``steps`` of a case, as this kind of network makes it."""
    net = kind(case.network, case.parameters)
    given = batches(case)
    with np.errstate(all="ignore"):  # a mistake may overflow
        for x, y in itertools.islice(given, steps - 1):
            net.descend(x, y, case.training)
        return net.step(*next(given), case.training).quantities()


def numbers_of_run(kind: type[FeedForward], run: Sequence[Case]) -> Numbers:
    """Every quantity of a run's last step, as this kind of network makes it.

    Args:
        kind: the network, right or with a mistake.
        run: one case for each step; the network starts from the first one's parameters.
    """
    first = run[0]
    net = kind(first.network, first.parameters)
    optimizer = net.optimizer_for(first.training)
    optimizer.restore(first.steps_before, first.slots or optimizer.slots)
    with np.errstate(all="ignore"):
        for case in run:
            trace = net.step(*case.first_batch(), case.training)
    return trace.quantities()


def batches(case: Case) -> Iterator[tuple[Array, Array]]:
    """The batches (x, y) of a case's training, epoch after epoch, without end."""
    dataset, _ = case.training.prepare(case.dataset)
    x, y = (case.network.array(values) for values in (dataset.x, dataset.y))
    for epoch in itertools.count():
        for rows in case.training.batches(epoch, len(dataset)):
            yield x[rows], y[rows]


def _elements(
    case: Case, values: Mapping[str, str | float]
) -> list[tuple[str, tuple[int, ...], str]]:
    """Quantity, index and printed digits of each value.

    Raises:
        InputError: as for :func:`diagnose`, all problems at once.
    """
    if not values:
        raise InputError("no value given, such as dW[1][0,1]=0.0826")
    rows = len(case.first_batch()[0])
    known = shapes(case.network, rows, case.training.slots)
    findings = Findings(f"{case.name}: ")
    elements = []
    for name, value in values.items():
        with findings:
            quantity, index = _element(str(name).strip(), known)
            text = repr(float(value)) if isinstance(value, int | float | np.number) else str(value)
            text = text.strip()
            if not _NUMBER.fullmatch(text) or math.inf in (abs(float(text)), _last_place(text)):
                raise InputError(f"{name}: {text!r} is not a number")
            elements.append((quantity, index, text))
    findings.raise_any()
    return elements


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,9})?")


def _element(name: str, known: Mapping[str, tuple[int, ...]]) -> tuple[str, tuple[int, ...]]:
    """Quantity and index of an element: ``"dW[1][0,1]"`` gives ``("dW[1]", (0, 1))``.

    The index may be left out if the quantity has only one element.
    """
    for quantity, shape in known.items():
        if name == quantity and math.prod(shape) == 1:
            return quantity, (0,) * len(shape)
        if name == quantity:
            example = ",".join("0" for _ in shape)
            raise InputError(f"{name}: has shape {shape}; which number, as {name}[{example}]?")
    quantity, _, rest = name.rpartition("[")
    if quantity not in known:
        has_layer = "[" in quantity or not rest.removesuffix("]").isdigit()
        raise InputError(unknown_quantity(quantity if quantity and has_layer else name, known))
    shape = known[quantity]
    try:
        index = tuple(int(part) for part in rest.removesuffix("]").split(","))
    except ValueError:
        raise InputError(f"{name}: [{rest} is not an index") from None
    inside = all(0 <= i < n for i, n in zip(index, shape, strict=False))
    if len(index) != len(shape) or not inside:
        raise InputError(f"{name}: outside of {quantity}, whose shape is {shape}")
    return quantity, index


def _last_place(text: str) -> float:
    """Value of one unit in the last printed digit of a number: 0.01 for ``"3.14"``.

    A zero's is at most 1, whatever its exponent.
    """
    mantissa, _, exponent = text.lower().partition("e")
    power = int(exponent or 0)
    if not mantissa.strip("+-.0"):
        power = min(power, 0)
    return float(f"1e{power - len(mantissa.partition('.')[2])}")


def _digits(off: float, size: float) -> float:
    """Significant digits to which two numbers of this size agree that are ``off`` apart."""
    if off == 0:
        return float(DOUBLES_DIGITS)
    exact = math.log10(abs(size / off)) if size and math.isfinite(off) else 0.0
    return min(max(exact, 0.0), float(DOUBLES_DIGITS))
