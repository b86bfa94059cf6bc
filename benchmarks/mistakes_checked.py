"""``python -m benchmarks.mistakes_checked``: the known mistakes that checking a class brings out.

Each mistake is somebody's class, which is asked for the first steps of the project's networks and
of those that are made of their kinds, as ``threeways check`` and ``assert_step_parity`` do without
a case. One network that brings it out is enough.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

import numpy as np
from rich.progress import track

from impl_numpy import FeedForward
from shared import Case
from threeways.conformance.contract import Maker
from threeways.conformance.results import result_of_run
from threeways.conformance.run import Run
from threeways.mistakes import MISTAKES
from threeways.testing import cases


def caught_in(kind: type[FeedForward], tried: Iterable[Case]) -> tuple[str, int] | None:
    """The first case, and the step of it, that brings out the mistake of a class; None if none."""
    for case in tried:
        if numbers(kind, case) == right_numbers(case):
            continue  # bit for bit
        with np.errstate(all="ignore"):
            maker = Maker(kind, kind.__name__)
            result = result_of_run(case, maker.kind, maker.step, diagnose=lambda *_, **__: None)
        if not result.ok:
            return case.name, result.step
    return None


def is_of_whole_trainings(kind: type[FeedForward], tried: Iterable[Case]) -> bool:
    """Whether a mistake shows only in a whole training.

    That draws dropout masks, which a class that is checked is given, and counts epochs, of which it
    knows nothing.
    """
    return any(
        numbers(kind, case, whole=True) != numbers(FeedForward, case, whole=True)
        for case in tried
        if case.network.dropping or case.training.optimizer != "sgd"
    )


def numbers(kind: type[FeedForward], case: Case, whole: bool = False) -> list[bytes]:
    """The bytes of every quantity of the first steps of a case, as a kind of network makes them.

    Args:
        kind: the network.
        case: the case.
        whole: whether of a training with two steps an epoch; otherwise its masks are given.
    """
    run = Run(case, "step")
    net = kind(case.network, case.parameters)
    if whole:
        net.steps_per_epoch = 2  # type: ignore[attr-defined]
    step = run.first()
    made = []
    with np.errstate(all="ignore"):
        for _ in range(run.n_steps):
            training = run.training if whole else step.training
            trace = net.step(*step.first_batch(), training)
            made += [array.tobytes() for array in trace.quantities().values()]
            step = run.step(step.steps_before + 1)
    return made


@functools.cache
def right_numbers(case: Case) -> list[bytes]:
    """The bytes of every quantity of the first steps of a case, as they should be."""
    return numbers(FeedForward, case)


def main() -> None:
    """Print where each mistake is caught, and how many are."""
    tried: Sequence[Case] = cases()
    print(f"{len(tried)} networks")
    caught = {name: caught_in(kind, tried) for name, kind in track(MISTAKES.items(), "mistakes")}
    impossible = [
        name for name in caught if not caught[name] and is_of_whole_trainings(MISTAKES[name], tried)
    ]
    for name, where in caught.items():
        if name in impossible:
            print(f"{name:40} is of whole trainings, not of a class")
        else:
            print(f"{name:40}", f"{where[0]}, step {where[1]}" if where else "NOT CAUGHT")
    count = sum(where is not None for where in caught.values())
    print(f"{count} of {len(caught) - len(impossible)} mistakes that a class can make are caught")


if __name__ == "__main__":
    main()
