"""Which quantities of a step are given; ``dW`` names dW[l] of all layers l."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from shared import OPTIMIZERS, Case, InputError, shapes
from shared.errors import unknown

SLOTS = sorted({slot for rule in OPTIMIZERS.values() for slot in rule.slots})
NAMES = (
    *("z", "a", "loss", "dz", "dW", "db", "dx", "W_next", "b_next"),
    *(f"{slot}_{of}" for slot in SLOTS for of in "Wb"),
)


def names_of(case: Case) -> dict[str, set[str]]:
    """The quantities of a case's first step, by their name without a layer, in any order."""
    named: dict[str, set[str]] = {}
    for quantity in shapes(case.network, 1, case.training.slots):
        named.setdefault(quantity.partition("[")[0], set()).add(quantity)
    return named


def check_required(required: Collection[str], cases: Iterable[Case] = ()) -> None:
    """Raise :class:`InputError` for names that are none of :data:`NAMES`.

    Args:
        required: the names.
        cases: unless there are none, each name has to be a quantity of any of them.
    """
    problems = []
    for name in required:
        if (bare := name.partition("[")[0]) != name and bare in NAMES:
            problems.append(f"require: {name!r}: expected a name without a layer, {bare!r}")
        elif name not in NAMES:
            problems.append(f"require: {unknown(name, 'a quantity', NAMES)}")
    if problems:
        raise InputError(*problems)
    if every := [names_of(case) for case in cases]:
        for name in required:
            if not any(name in named for named in every):
                problems.append(f"require: {name} is in none of these steps")
    if problems:
        raise InputError(*problems)


def missing(case: Case, given: Collection[str], required: Collection[str]) -> list[str]:
    """One line that names required quantities that a case's step has, but are not given, if any."""
    named = names_of(case)
    lacking = [each for name in required for each in sorted(named.get(name, set()) - {*given})]
    return [f"required, but not given: {', '.join(lacking)}"] if lacking else []


def summary(steps: Iterable[tuple[Case, Collection[str]]]) -> str:
    """What is given of several steps: ``loss, dW (complete in 2 of 3)``, or ``every quantity``.

    Args:
        steps: each as the case whose first step it is, and the quantities that are given.
    """
    total, partly, complete = Counter[str](), Counter[str](), Counter[str]()
    for case, given in steps:
        named = names_of(case)
        total.update(named.keys())
        partly.update(name for name, each in named.items() if not each.isdisjoint(given))
        complete.update(name for name, each in named.items() if each.issubset(given))
    if complete == total:
        return "every quantity"
    return ", ".join(
        name + f" (complete in {complete[name]} of {total[name]})" * (complete[name] < total[name])
        for name in NAMES
        if partly[name]
    )


def given_in(steps: Sequence[tuple[Case, Collection[str]]]) -> str:
    """``; given: loss, dW``: the quantities of these steps; "" if there are no steps."""
    return f"; given: {summary(steps)}" if steps else ""
