"""Recorded training steps: what they are, and judging them, one by one and as a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shared import Array, Case, Network
from shared.quantities import element
from threeways.exact.judge import Judgement, judge
from threeways.exact.oracle import exact_step
from threeways.mistakes.diagnosis import Diagnosis, recognise


@dataclass(frozen=True, eq=False, kw_only=True)
class Step:
    """One recorded step, or part of one.

    Args:
        number: its ``tcId``, or else its place in the group, from 1.
        comment, flags: what the file says of it.
        valid: whether it is meant to be right; else it is meant to depart.
        case: the network, where the step starts, its batch and its learning rate.
        quantities: what was recorded of it, in the network's dtype.
    """

    number: int
    comment: str
    flags: tuple[str, ...]
    valid: bool
    case: Case
    quantities: dict[str, Array]


@dataclass(frozen=True, eq=False, kw_only=True)
class Group:
    """Steps of one network.

    Args:
        name: the case's; or else its title, or its place in the file, as ``"groups[0]"``.
        title: what it shows, in a line.
        network: the network.
        chained: whether each step goes on from the one before.
        steps: at least one.
    """

    name: str
    title: str
    network: Network
    chained: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Verdict:
    """What was found of one recorded step.

    Args:
        group, step: which.
        judgement: each recorded quantity beside its exact value.
        diagnosis: which mistakes make these quantities; None where they do not depart, or a step
            of the same run has departed before.
        chain: how the step fails to go on from the one before, if it does.
    """

    group: Group
    step: Step
    judgement: Judgement
    diagnosis: Diagnosis | None
    chain: str | None

    @property
    def ok(self) -> bool:
        """Whether the step is right, or wrong where it is meant to be, and goes on as it should."""
        return self.judgement.ok is self.step.valid and self.chain is None


def check_records(groups: list[Group]) -> Iterator[Verdict]:
    """Judge each step of each group, and whether chained ones go on from one another."""
    for group in groups:
        before: Step | None = None
        run: list[Case] = []
        departed = False
        for step in group.steps:
            if before is None or step.case is not before.case:
                exact = exact_step(step.case)
            judgement = judge(step.case, step.quantities, exact)
            diagnosis = None
            if not judgement.ok and not (group.chained and departed):
                diagnosis = recognise(step.case, step.quantities, exact, run)
            yield Verdict(
                group=group,
                step=step,
                judgement=judgement,
                diagnosis=diagnosis,
                chain=_break(before, step) if group.chained and before else None,
            )
            before = step
            run += [step.case] if group.chained else []
            departed = departed or not judgement.ok


def _break(before: Step, step: Step) -> str | None:
    """Where a step does not begin with what the one before ended with."""
    for l, weights in enumerate(step.case.parameters):
        for letter, begun in weights._asdict().items():
            ended = before.quantities.get(f"{letter}_next[{l}]")
            if ended is not None and (begun != ended).any():
                index = tuple(np.argwhere(begun != ended)[0].tolist())
                return (
                    f"step {step.number} does not begin with what step {before.number} ended with: "
                    f"{element(f'{letter}[{l}]', index)} is {begun[index]} after {ended[index]}"
                )
    return None
