"""Which known mistakes, alone or two together, make the numbers that somebody got."""

from __future__ import annotations

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
from shared.quantities import shapes, unknown_quantity
from threeways.exact.bounds import FEW, bounds
from threeways.exact.oracle import Exact, exact_step
from threeways.mistakes import MISTAKES, pair
from threeways.progress import OnProgress

# How many runners-up a diagnosis names.
RUNNERS_UP = 3

# The most significant digits that are worth counting, and the most steps worth taking.
DOUBLES_DIGITS = 16
MOST_STEPS = 1_000_000

T = TypeVar("T")


@dataclass(frozen=True)
class Match:
    """How well the numbers of one candidate fit those that somebody got.

    Args:
        mistakes: the names of the candidate's mistakes; none is the correct step.
        agreed, seen: how many of the numbers are the candidate's, and how many there are.
        digits: how many significant digits agree, in the one that agrees least.
        numbers: the candidate's, all of its last step.
    """

    mistakes: tuple[str, ...]
    agreed: int
    seen: int
    digits: float
    numbers: dict[str, Array]

    @property
    def fits(self) -> bool:
        """Whether all of them are."""
        return self.agreed == self.seen


@dataclass(frozen=True)
class Diagnosis:
    """What is known of where numbers come from.

    Args:
        matches: the candidates that make all of them, the closest first; the correct step alone
            where it does.
        runners_up: the best of the others.
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
        """The number that tells most of the matches apart, and whether it does all; if any does."""
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
                best = f"{name}[{','.join(map(str, index))}]" if shape else name
        return None if best is None else (best, most == len(self.matches))


class Seen(Protocol):
    """Numbers that somebody got."""

    def digits(self, numbers: Mapping[str, Array]) -> tuple[bool, float]:
        """Whether a candidate's are the same, and in how many significant digits."""


@dataclass(frozen=True)
class Printed:
    """One number, with the digits it was printed with; they may be rounded or cut off."""

    quantity: str
    index: tuple[int, ...]
    text: str

    def digits(self, numbers: Mapping[str, Array]) -> tuple[bool, float]:
        value, place = float(self.text), _last_place(self.text)
        number = float(numbers[self.quantity][self.index])
        if number == value:
            return True, float(DOUBLES_DIGITS) if value == 0 else _digits(place, 10 * abs(value))
        # By up to a half if it was rounded, or a whole unit further from 0 if it was cut off; and
        # by what a double cannot hold any better.
        off = number - value
        further = 1 if value and (off > 0) == (value > 0) else 0.5
        held = 2.0**-50 * abs(value)
        if abs(off) <= max(further * place * (1 - 1e-9), held):
            return True, _digits(max(place, held), 10 * abs(value))
        return False, _digits(off, value)


@dataclass(frozen=True)
class Recorded:
    """A whole array, with the relative rounding error that a correct computation may have."""

    quantity: str
    values: Array
    rounding: float

    def digits(self, numbers: Mapping[str, Array]) -> tuple[bool, float]:
        candidate = numbers[self.quantity].astype(float)
        if not np.isfinite(self.values).all() or not np.isfinite(candidate).all():
            same = np.array_equal(self.values, candidate, equal_nan=True)
            return same, DOUBLES_DIGITS * float(same)
        off = float(np.abs(self.values - candidate).max())
        size = float(np.abs(candidate).max())
        return off <= self.rounding * size, _digits(off, size)


def diagnose(
    case: Case | str,
    values: Mapping[str, str | float],
    steps: int = 1,
    on_progress: OnProgress | None = None,
) -> Diagnosis:
    """Which known mistakes, alone or in pairs, make these numbers of a case.

    Args:
        case: a case, its name, or the path of a TOML file with one.
        values: each number by its quantity and index, as ``{"dW[1][0,1]": "0.0826"}``, with as many
            digits as are known; they may be rounded or cut off: 0.08 is 0.075 to 0.09.
        steps: the step whose numbers they are, counted from 1.
        on_progress: called with how many candidates have been tried, and of how many: first the
            mistakes alone, then, if none of them fits, pairs.

    Raises:
        InputError: no number, one that does not parse, or a quantity or index that is not there.
    """
    loaded = load_case(case) if isinstance(case, str) else case
    if not isinstance(loaded, Case):
        raise InputError(f"{loaded.name}: a chain of functions, known mistakes are of networks")
    if not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
        raise InputError(f"steps: should be a whole number from 1 to {MOST_STEPS:,}, not {steps}")
    loaded = loaded.prepared()
    seen = _printed(loaded, values)
    correct = _match(seen, (), numbers_of(FeedForward, loaded, steps))
    if correct.fits:
        return Diagnosis((correct,), ())
    return _diagnose(seen, correct, lambda kind: numbers_of(kind, loaded, steps), on_progress)


def recognise(
    case: Case,
    quantities: Mapping[str, Array],
    exact: Exact | None = None,
    before: Sequence[Case] = (),
) -> Diagnosis:
    """Which known mistakes, alone or in pairs, make all of these arrays, which depart.

    Args:
        case: whose first step it is, in the dtype of the arrays.
        quantities: any of the step's, by name.
        exact: the exact step, if it is there already.
        before: the steps of the same run that went before, for mistakes that show only later.
    """
    exact = exact or exact_step(case)
    seen = _recorded(quantities, exact, bounds(case, exact.values), case.dtype)
    right = numbers_of_run(FeedForward, [case])
    correct = _match(seen, (), right)
    if correct.fits:  # departed, but by less than would tell one mistake from another
        return Diagnosis((), ())
    run = [*before, case]
    float32 = _right_to_float32(case, quantities, exact) if case.dtype == "float64" else None
    return _diagnose(seen, correct, lambda kind: numbers_of_run(kind, run), None, float32)


def _recorded(
    quantities: Mapping[str, Array], exact: Exact, allowed: Mapping[str, Array], dtype: str
) -> list[Recorded]:
    eps = float(np.finfo(dtype).eps)
    seen = []
    for name, values in quantities.items():
        size = float(np.abs(exact.values[name]).max())
        rounding = float(allowed[name].max()) / size if size else 0.0
        # Both the numbers and the candidate's have been rounded.
        seen.append(Recorded(name, values.astype(float), 2 * max(rounding, FEW * eps)))
    return seen


def _right_to_float32(case: Case, quantities: Mapping[str, Array], exact: Exact) -> Match | None:
    """The float32 mistake, where numbers are as far from the exact ones as float32's may be."""
    eps = float(np.finfo("float32").eps)
    try:
        allowed = bounds(case.with_dtype("float32"), exact.values)
    except InputError:  # too large for float32
        return None
    worst = 0.0
    for name, values in quantities.items():
        size = float(np.abs(exact.values[name]).max())
        # What goes into the step has been rounded as well.
        off = exact.distance(name, values)
        if not (off <= 2 * allowed[name] + eps * size).all():
            return None
        worst = max(worst, float(off.max()) / size if size else 0.0)
    if worst < eps / 64:
        return None
    return Match(("float32-inside",), len(quantities), len(quantities), -math.log10(worst), {})


def _match(seen: Sequence[Seen], names: tuple[str, ...], numbers: dict[str, Array]) -> Match:
    found = [each.digits(numbers) for each in seen]
    return Match(
        mistakes=names,
        agreed=sum(same for same, _ in found),
        seen=len(seen),
        digits=min(digits for _, digits in found),
        numbers=numbers,
    )


def _diagnose(
    seen: Sequence[Seen],
    correct: Match,
    make: Callable[[type[FeedForward]], dict[str, Array]],
    on_progress: OnProgress | None,
    otherwise: Match | None = None,
) -> Diagnosis:
    """Try the mistakes alone; then what there is ``otherwise``; then pairs."""

    def counted(candidates: Sequence[T]) -> Iterator[T]:
        for i, candidate in enumerate(candidates, start=1):
            yield candidate
            if on_progress:
                on_progress(i, len(candidates))

    alone = [_match(seen, (name,), make(MISTAKES[name])) for name in counted(list(MISTAKES))]
    # What makes no difference here alone makes none to another either.
    felt = [found for found in alone if not _same(found.numbers, correct.numbers)]
    ranked = sorted((correct, *felt), key=lambda found: (-found.agreed, -found.digits))
    fitting = [found for found in ranked if found.fits] or ([otherwise] if otherwise else [])
    if not fitting:
        pairs = list(itertools.combinations((found.mistakes[0] for found in felt), 2))
        together = (_match(seen, names, make(pair(*names))) for names in counted(pairs))
        fitting = sorted((each for each in together if each.fits), key=lambda each: -each.digits)
    others = [found for found in ranked if not found.fits]
    return Diagnosis(tuple(fitting), tuple(others[:RUNNERS_UP]))


def _same(a: Mapping[str, Array], b: Mapping[str, Array]) -> bool:
    return all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)


def numbers_of(kind: type[FeedForward], case: Case, steps: int = 1) -> dict[str, Array]:
    """Every quantity of the last of some steps of a case, as one kind of network makes them."""
    net = kind(case.network, case.parameters)
    given = batches(case)
    with np.errstate(all="ignore"):  # a mistake may well end in infinity
        for x, y in itertools.islice(given, steps - 1):
            net.descend(x, y, case.training)
        return net.step(*next(given), case.training).quantities()


def numbers_of_run(kind: type[FeedForward], run: Sequence[Case]) -> dict[str, Array]:
    """Every quantity of the last step of a run, each step of which is a case's first."""
    first = run[0]
    net = kind(first.network, first.parameters)
    optimizer = net.optimizer_for(first.training)
    optimizer.restore(first.steps_before, first.slots or optimizer.slots)
    with np.errstate(all="ignore"):
        for case in run:
            trace = net.step(*case.first_batch(), case.training)
    return trace.quantities()


def batches(case: Case) -> Iterator[tuple[Array, Array]]:
    """x and y of each batch of a case's training, without end."""
    dataset, _ = case.training.prepare(case.dataset)
    x, y = (case.network.array(values) for values in (dataset.x, dataset.y))
    for epoch in itertools.count():
        for rows in case.training.batches(epoch, len(dataset)):
            yield x[rows], y[rows]


def _printed(case: Case, values: Mapping[str, str | float]) -> list[Printed]:
    if not values:
        raise InputError("no value given, such as dW[1][0,1]=0.0826")
    rows = len(case.first_batch()[0])
    known = shapes(case.network, rows, case.training.slots)
    findings = Findings(f"{case.name}: ")
    printed = []
    for name, value in values.items():
        with findings:
            quantity, index = _element(str(name).strip(), known)
            text = repr(float(value)) if isinstance(value, int | float | np.number) else str(value)
            text = text.strip()
            if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
                raise InputError(f"{name}: {text!r} is not a number")
            printed.append(Printed(quantity, index, text))
    findings.raise_any()
    return printed


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def _element(name: str, known: Mapping[str, tuple[int, ...]]) -> tuple[str, tuple[int, ...]]:
    """``"dW[1][0,1]"`` as ``("dW[1]", (0, 1))``; the index may be left out where there is one."""
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
    """What a unit in the last printed digit of a number is worth."""
    mantissa, _, exponent = text.lower().partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def _digits(off: float, size: float) -> float:
    """In how many significant digits two numbers agree that are ``off`` apart."""
    if off == 0:
        return float(DOUBLES_DIGITS)
    exact = math.log10(abs(size / off)) if size and math.isfinite(off) else 0.0
    return min(max(exact, 0.0), float(DOUBLES_DIGITS))
