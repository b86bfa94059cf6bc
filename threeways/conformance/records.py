"""Recorded training steps, judged one by one and as a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from shared import Array, Case, Network
from shared.quantities import element
from threeways.conformance.conventions import convention
from threeways.conformance.record_digits import Writing
from threeways.conformance.record_quantities import RecordedArray
from threeways.exact.bounds import bounds
from threeways.exact.judge import Judgement, judge
from threeways.exact.oracle import Exact, exact_step
from threeways.mistakes.diagnosis import Diagnosis, recognise


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedStep:
    """A recorded step, or any of its quantities.

    Args:
        number: its ``tcId``, or else its place in the group, from 1.
        comment, flags: as in the file.
        valid: True if it is meant to be right, False if it is meant to depart.
        case: a case with this step as its first.
        recorded: what was recorded of each quantity.
        start_errors: how wrong rounding to digits has made what it starts from, by the names
            ``"x"``, ``"y"``, ``"W[l]"``, ``"b[l]"`` and those of slots; exact where not named.
    """

    number: int
    comment: str
    flags: tuple[str, ...]
    valid: bool
    case: Case
    recorded: dict[str, RecordedArray]
    start_errors: dict[str, Array]

    @cached_property
    def quantities(self) -> dict[str, Array]:
        """The arrays that were recorded, in the network's dtype."""
        return {name: each.values for name, each in self.recorded.items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedGroup:
    """Recorded steps of one network.

    Args:
        name: the name of its case, or else its title, or its place in the file, ``"groups[0]"``.
        title: a line about it.
        network: the network, in the dtype that the steps are judged in.
        said_dtype: the dtype that the file says.
        writing: how its numbers are written.
        chained: True if each step goes on from the one before.
        steps: at least one.
    """

    name: str
    title: str
    network: Network
    said_dtype: str
    writing: Writing
    chained: bool
    steps: tuple[RecordedStep, ...]

    @cached_property
    def repeated(self) -> list[str]:
        """What is the same in all steps of a run, three at least, and as a rule should not be.

        It may be loss, W[l] and b[l], which a step starts from, W_next[l] and b_next[l].
        """
        if not self.chained or len(self.steps) < 3:
            return []
        found = ["loss"] if self._is_repeated("loss") else []
        first, *others = (step.case.parameters for step in self.steps)
        for l, layer in enumerate(self.network.layers):
            for letter in filter(layer.learns, "Wb"):
                start = getattr(first[l], letter)
                if all(np.array_equal(start, getattr(each[l], letter)) for each in others):
                    found.append(f"{letter}[{l}]")
                if self._is_repeated(f"{letter}_next[{l}]"):
                    found.append(f"{letter}_next[{l}]")
        return found

    def _is_repeated(self, quantity: str) -> bool:
        first, *others = (step.quantities.get(quantity) for step in self.steps)
        return first is not None and all(
            each is not None and np.array_equal(first, each) for each in others
        )


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
        convention: one line about the convention by which these quantities are right; None if
            there is none, or they are right by the case's.
    """

    group: RecordedGroup
    step: RecordedStep
    judgement: Judgement
    diagnosis: Diagnosis | None
    chain_break: str | None
    convention: str | None = None

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
            quantities = _completed(step, exact)
            errors = _errors(step, exact)
            judgement = judge(
                step.case,
                quantities,
                exact,
                input_errors=step.start_errors,
                output_errors=errors,
            )
            diagnosis = told = None
            whole = all(each.known is None for each in step.recorded.values())
            if not judgement.ok and step.valid and whole:
                told = convention(
                    step.case,
                    [quantities],
                    exact,
                    input_errors=step.start_errors,
                    output_errors=errors,
                )
            if not judgement.ok and not told and not (group.chained and departed):
                diagnosis = recognise(
                    step.case,
                    quantities,
                    exact,
                    run,
                    input_errors=step.start_errors,
                    output_errors=errors | _anything_where_unknown(step),
                )
            yield StepResult(
                group=group,
                step=step,
                judgement=judgement,
                diagnosis=diagnosis,
                chain_break=_chain_break(before, step) if group.chained and before else None,
                convention=told,
            )
            before = step
            run += [step.case] if group.chained else []
            departed = departed or not judgement.ok


def _completed(step: RecordedStep, exact: Exact) -> dict[str, Array]:
    """The recorded arrays, with the exact numbers where none is recorded."""
    return {
        name: each.values
        if each.known is None
        else np.where(each.known, each.values, exact.values[name])
        for name, each in step.recorded.items()
    }


def _errors(step: RecordedStep, exact: Exact) -> dict[str, Array]:
    """How far each recorded number may be from the exact one, beside what rounding explains."""
    errors = {name: each.errors for name, each in step.recorded.items() if each.errors.any()}
    if bounded := [name for name, each in step.recorded.items() if each.bound.any()]:
        explained = bounds(step.case, exact.values)
        for name in bounded:
            more = np.maximum(step.recorded[name].bound - explained[name], 0)
            errors[name] = errors.get(name, 0) + more
    return errors


def _anything_where_unknown(step: RecordedStep) -> dict[str, Array]:
    """Errors with which a number that is not recorded may be any."""
    return {
        name: np.where(each.known, each.errors, np.inf)
        for name, each in step.recorded.items()
        if each.known is not None
    }


def _chain_break(before: RecordedStep, step: RecordedStep) -> str | None:
    """One line about the first parameter that is not as the step before left it, or None."""
    for l, weights in enumerate(step.case.parameters):
        for letter, start in weights._asdict().items():
            end = before.recorded.get(f"{letter}_next[{l}]")
            if end is None:
                continue
            apart = np.abs(start - end.values) > end.start_errors
            if end.known is not None:
                apart &= end.known
            if apart.any():
                index = tuple(np.argwhere(apart)[0].tolist())
                return (
                    f"step {step.number} does not begin with what step {before.number} ended with: "
                    f"{element(f'{letter}[{l}]', index)} is {start[index]} after "
                    f"{end.values[index]}"
                )
    return None
