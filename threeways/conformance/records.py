"""Recorded training steps, judged one by one and as a run."""

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
class RecordedStep:
    """A recorded step, or any of its quantities.

    Args:
        number: its ``tcId``, or else its place in the group, from 1.
        comment, flags: as in the file.
        valid: True if it is meant to be right, False if it is meant to depart.
        case: a case with this step as its first.
        quantities: the arrays that were recorded, in the network's dtype.
    """

    number: int
    comment: str
    flags: tuple[str, ...]
    valid: bool
    case: Case
    quantities: dict[str, Array]


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedGroup:
    """Recorded steps of one network.

    Args:
        name: the name of its case, or else its title, or its place in the file, ``"groups[0]"``.
        title: a line about it.
        network: the network.
        chained: True if each step goes on from the one before.
        steps: at least one.
    """

    name: str
    title: str
    network: Network
    chained: bool
    steps: tuple[RecordedStep, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class StepResult:
    """The result of one recorded step.

    Args:
        group, step: the step, and the group that it is in.
        judgement: of each recorded quantity.
        diagnosis: which mistakes make these quantities; None if they do not depart, or if an
            earlier step of the same run departs.
        chain_break: one line that says where the step does not begin with what the one before
            ended with; None if it does.
    """

    group: RecordedGroup
    step: RecordedStep
    judgement: Judgement
    diagnosis: Diagnosis | None
    chain_break: str | None

    @property
    def ok(self) -> bool:
        """True if the step is as valid as it is meant to be, and goes on from the one before."""
        return self.judgement.ok is self.step.valid and self.chain_break is None


def check_records(groups: list[RecordedGroup]) -> Iterator[StepResult]:
    """The result of each step of each group, in their order."""
    for group in groups:
        before: RecordedStep | None = None
        run: list[Case] = []
        departed = False
        for step in group.steps:
            if before is None or step.case is not before.case:
                exact = exact_step(step.case)
            judgement = judge(step.case, step.quantities, exact)
            diagnosis = None
            if not judgement.ok and not (group.chained and departed):
                diagnosis = recognise(step.case, step.quantities, exact, run)
            yield StepResult(
                group=group,
                step=step,
                judgement=judgement,
                diagnosis=diagnosis,
                chain_break=_chain_break(before, step) if group.chained and before else None,
            )
            before = step
            run += [step.case] if group.chained else []
            departed = departed or not judgement.ok


def _chain_break(before: RecordedStep, step: RecordedStep) -> str | None:
    """One line about the first parameter that is not as the step before left it, or None."""
    for l, weights in enumerate(step.case.parameters):
        for letter, start in weights._asdict().items():
            end = before.quantities.get(f"{letter}_next[{l}]")
            if end is not None and (start != end).any():
                index = tuple(np.argwhere(start != end)[0].tolist())
                return (
                    f"step {step.number} does not begin with what step {before.number} ended with: "
                    f"{element(f'{letter}[{l}]', index)} is {start[index]} after {end[index]}"
                )
    return None
