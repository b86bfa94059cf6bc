"""``python -m benchmarks.mistakes_caught``: the known mistakes that the bound catches, and where.

Each mistake makes the first two steps of each network in both dtypes, and both are held to the
exact step. If its numbers are bit for bit the right ones, there is nothing to catch.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
from rich.progress import track

from impl_numpy import FeedForward
from shared import (
    DTYPES,
    Array,
    Case,
    Dataset,
    Parameters,
    Slots,
    StepTraining,
    Weights,
    case_names,
    load_case,
)
from threeways.exact.bounds import bounds
from threeways.exact.judge import from_exact
from threeways.exact.oracle import exact_step
from threeways.mistakes import MISTAKES, Mistake
from threeways.mistakes.steps import batches

# Mistakes that change no more than rounding may.
WITHIN_ROUNDING = {
    ("means-multiplied", "kinks"): "all rows are alike there, so the mean of any is that of all",
    ("penalty-on-biases-in-loss", "breast-cancer-l2"): "after one step biases are near 0, as begun",
    ("loss-recorded-after-step", "csumb-5-logistic"): "a step moves the loss less than float32 can",
    ("loss-of-step-before", "csumb-5-logistic"): "a step moves the loss less than float32 can",
}
# The least ε, in the dtype's eps, that always shows; a smaller one does beside small probabilities.
LEAST = 250


class Reference:
    """A step to hold others to: the exact numbers, and how far from them rounding may lead.

    Args:
        case: whose first step it is.
    """

    def __init__(self, case: Case) -> None:
        self.exact = exact_step(case)
        self.allowed = bounds(case, self.exact.values)

    def explains(self, quantities: Mapping[str, Array]) -> bool:
        """Whether rounding explains how far the numbers of a step are from the exact ones."""
        differences = from_exact(quantities, self.exact, self.allowed).values()
        return all((difference.shares() <= 1).all() for difference in differences)


def two_steps(kind: type[FeedForward], case: Case) -> Iterator[tuple[Case, dict[str, Array]]]:
    """The first two steps of a case by one kind of network, each as the first step of a case."""
    net = kind(case.network, case.parameters)
    slots: Slots = {}
    for t, (x, y) in enumerate(itertools.islice(batches(case), 2)):
        step = dataclasses.replace(
            case,
            parameters=recorded(net),
            dataset=Dataset("", x, y),
            training=StepTraining.of(case.training, case.training.masks(case.network, t, len(x))),
            steps_before=t,
            slots=slots,
        )
        with np.errstate(all="ignore"):
            trace = net.step(x, y, step.training)
        slots = trace.slots
        yield step, trace.quantities()


def recorded(net: FeedForward) -> Parameters:
    """The network's parameters as a record has them: b is 0 in a layer without biases."""
    layers = zip(net.parameters, net.network.layers, strict=True)
    return tuple(Weights(W, b * layer.use_bias) for (W, b), layer in layers)


def verdicts(case: Case) -> Iterator[tuple[str, str]]:
    """Each mistake's name with ``"caught"``, ``"missed"`` or why there is nothing to catch."""
    case = case.prepared()  # once, not for every mistake: to augment images takes long
    (start, right), (_, right_later) = two_steps(FeedForward, case)
    reference = Reference(start)
    for name, kind in MISTAKES.items():
        (_, numbers), (second, later) = two_steps(kind, case)
        changed = not same(numbers, right)
        if not changed and same(later, right_later):
            yield name, "no bit changed"
        elif (changed and not reference.explains(numbers)) or not Reference(second).explains(later):
            yield name, "caught"
        else:
            explained = is_tiny(kind, case.dtype) or (name, case.name) in WITHIN_ROUNDING
            yield name, "within rounding" if explained else "missed"


def is_tiny(kind: type[Mistake], dtype: str) -> bool:
    """Whether a mistake's own ε may be lost in rounding."""
    return bool(kind.values) and kind.value < LEAST * float(np.finfo(dtype).eps)


def same(a: dict[str, Array], b: dict[str, Array]) -> bool:
    """Whether two steps are bit for bit the same."""
    return all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)


def networks() -> list[Case]:
    """Every network among the cases, in both dtypes."""
    loaded = [load_case(name) for name in case_names()]
    return [case.with_dtype(dtype) for case in loaded if isinstance(case, Case) for dtype in DTYPES]


def main() -> None:
    """Count the mistakes caught, and list what cannot be."""
    cases = networks()
    found = {case: dict(verdicts(case)) for case in track(cases, "networks")}
    counts = Counter(verdict for each in found.values() for verdict in each.values())
    print(f"{len(MISTAKES)} mistakes on {len(cases)} networks: {counts.total()} pairs")
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()))
    for case, each in found.items():
        for name, verdict in each.items():
            if verdict == "missed":
                print("missed:", name, "on", case.name, case.dtype)
    for name in MISTAKES:
        hidden = sum(each[name] == "no bit changed" for each in found.values())
        print(f"{name}: no bit changed on {hidden} of {len(cases)}")


if __name__ == "__main__":
    main()
