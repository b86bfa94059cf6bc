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
from shared.trace import shapes
from threeways.bounds import FEW, bounds
from threeways.contract import unknown_quantity
from threeways.mistakes import MISTAKES, pair
from threeways.oracle import Exact, exact_step

# How many runners-up a diagnosis names.
RUNNERS_UP = 3

T = TypeVar("T")
OnCandidate = Callable[[int, int], None]


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
    def telling(self) -> str | None:
        """A quantity in which the matches differ, and which would tell them apart."""
        for name in self.matches[0].numbers if self.matches else ():
            for one, other in itertools.pairwise(match.numbers[name] for match in self.matches):
                if not np.allclose(one, other, rtol=1e-3, atol=0, equal_nan=True):
                    return name
        return None


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
        off = abs(float(numbers[self.quantity][self.index]) - value)
        # What a double cannot hold any better is no difference.
        if off < max(place, 2.0**-50 * abs(value)):
            return True, _digits(place, 10 * abs(value))
        return False, _digits(off, abs(value))


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
            return same, math.inf if same else 0.0
        off = float(np.abs(self.values - candidate).max())
        size = float(np.abs(candidate).max())
        return off <= self.rounding * size, _digits(off, size)


def diagnose(
    case: Case | str,
    values: Mapping[str, str | float],
    steps: int = 1,
    on_candidate: OnCandidate | None = None,
) -> Diagnosis:
    """Which known mistakes, alone or in pairs, make these numbers of a case.

    Args:
        case: a case, its name, or the path of a TOML file with one.
        values: each number by its quantity and index, as ``{"dW[1][0,1]": "0.0826"}``, with as many
            digits as are known: 0.08 is anything from 0.07 to 0.09.
        steps: the step whose numbers they are, counted from 1.
        on_candidate: called with how many candidates have been tried, and of how many: first the
            mistakes alone, then, if none of them fits, pairs.

    Raises:
        InputError: no number, one that does not parse, or a quantity or index that is not there.
    """
    loaded = load_case(case) if isinstance(case, str) else case
    if not isinstance(loaded, Case):
        raise InputError(f"{loaded.name}: a chain of functions, known mistakes are of networks")
    if steps < 1:
        raise InputError(f"steps: should be 1 or more, not {steps}")
    return _diagnose(loaded, _printed(loaded, values), steps, on_candidate)


def recognise(case: Case, quantities: Mapping[str, Array], exact: Exact | None = None) -> Diagnosis:
    """Which known mistakes, alone or in pairs, make all of these arrays of a first step.

    Args:
        case: whose step it is, in the dtype of the arrays.
        quantities: any of the step's, by name.
        exact: the exact step, if it is there already.
    """
    exact = exact or exact_step(case)
    allowed = bounds(case, exact.values)
    eps = float(np.finfo(case.dtype).eps)
    seen = []
    for name, values in quantities.items():
        size = float(np.abs(exact.values[name]).max())
        rounding = float(allowed[name].max()) / size if size else 0.0
        # Both the numbers and the candidate's have been rounded.
        seen.append(Recorded(name, values.astype(float), 2 * max(rounding, FEW * eps)))
    return _diagnose(case, seen, 1, None)


def _diagnose(
    case: Case, seen: Sequence[Seen], steps: int, on_candidate: OnCandidate | None
) -> Diagnosis:
    def match(names: tuple[str, ...], kind: type[FeedForward]) -> Match:
        numbers = numbers_of(kind, case, steps)
        found = [each.digits(numbers) for each in seen]
        return Match(
            mistakes=names,
            agreed=sum(same for same, _ in found),
            seen=len(seen),
            digits=min(digits for _, digits in found),
            numbers=numbers,
        )

    def counted(candidates: Sequence[T]) -> Iterator[T]:
        for i, candidate in enumerate(candidates, start=1):
            yield candidate
            if on_candidate:
                on_candidate(i, len(candidates))

    correct = match((), FeedForward)
    if correct.fits:
        return Diagnosis((correct,), ())
    alone = [match((name,), MISTAKES[name]) for name in counted(list(MISTAKES))]
    ranked = sorted((correct, *alone), key=lambda found: (-found.agreed, -found.digits))
    fitting = [found for found in ranked if found.fits]
    if not fitting:
        # What makes no difference here alone makes none to another either.
        felt = [found.mistakes[0] for found in alone if not _same(found.numbers, correct.numbers)]
        pairs = list(itertools.combinations(felt, 2))
        together = [match(names, pair(*names)) for names in counted(pairs)]
        fitting = [found for found in together if found.fits]
        fitting.sort(key=lambda found: -found.digits)
    others = [found for found in ranked if not found.fits]
    return Diagnosis(tuple(fitting), tuple(others[:RUNNERS_UP]))


def _same(a: Mapping[str, Array], b: Mapping[str, Array]) -> bool:
    return all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)


def numbers_of(kind: type[FeedForward], case: Case, steps: int = 1) -> dict[str, Array]:
    """Every quantity of the last of some steps of a case, as one kind of network makes them."""
    net = kind(case.network, case.parameters)
    x, y = (case.network.array(values) for values in (case.dataset.x, case.dataset.y))
    with np.errstate(all="ignore"):  # a mistake may well end in infinity
        *before, last = itertools.islice(batches(case), steps)
        for rows in before:
            net.descend(x[rows], y[rows], case.training)
        return net.step(x[last], y[last], case.training).quantities()


def batches(case: Case) -> Iterator[Array]:
    """The row numbers of each batch of a case's training, without end."""
    for epoch in itertools.count():
        yield from case.training.batches(epoch, len(case.dataset))


def _printed(case: Case, values: Mapping[str, str | float]) -> list[Printed]:
    if not values:
        raise InputError("no value given, such as dW[1][0,1]=0.0826")
    rows = len(case.first_batch()[0])
    known = shapes(case.network, rows)
    findings = Findings(f"{case.name}: ")
    printed = []
    for name, value in values.items():
        with findings:
            quantity, index = _element(name, known)
            text = value.strip() if isinstance(value, str) else repr(value)
            if not _NUMBER.fullmatch(text):
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
        raise InputError(unknown_quantity(quantity if "[" in quantity else name, known))
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
        return math.inf
    return max(0.0, math.log10(size / off)) if size else 0.0
