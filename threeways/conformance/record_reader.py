"""Reading a JSON file of recorded steps: from its tables to cases and arrays that can be judged."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shared import (
    Array,
    Case,
    Dataset,
    InputError,
    Parameters,
    Slots,
    StepTraining,
    Training,
    Weights,
    check_inputs,
    check_parameters,
    check_targets,
    shapes,
)
from shared.errors import Findings, printable, unknown
from shared.reading import parse_json, read_text
from threeways.conformance.record_tables import (
    FileTable,
    GroupTable,
    StartTable,
    TestTable,
    parse,
)
from threeways.conformance.records import RecordedGroup, RecordedStep


def read_records(path: Path) -> list[RecordedGroup]:
    """The groups of steps in a JSON file.

    Raises:
        InputError: the file is missing, cannot be read, or is wrong; every problem in it.
    """
    try:
        return _groups(parse(parse_json(read_text(path))))
    except InputError as error:
        raise error.within(f"{path}: ") from None


def _groups(file: FileTable) -> list[RecordedGroup]:
    findings = Findings()
    tests = [test for group in file.groups for test in group.tests]
    with findings:
        if file.numberOfTests not in (None, len(tests)):
            raise InputError(f"numberOfTests: should be {len(tests)}, not {file.numberOfTests}")
    for tcId, times in Counter(test.tcId for test in tests if test.tcId).items():
        with findings:
            if times > 1:
                raise InputError(f"tcId: {tcId} is that of {times} tests")
    groups = []
    for g, group in enumerate(file.groups):
        with findings:
            groups.append(_group(group, f"groups[{g}]"))
    findings.raise_any()
    return groups


def _group(table: GroupTable, at: str) -> RecordedGroup:
    findings = Findings()
    common: Case | None = None  # of the tests that start from what the group gives
    steps = []
    for t in range(len(table.tests)):
        test = _TestReader(table, at, t)
        quantities: dict[str, Array] = {}
        with findings:
            quantities = test.quantities()
        with findings:
            case = common if common and not test.has_own_case else test.case()
            common = common if test.has_own_case else case
            steps.append(test.step(case, quantities))
    findings.raise_any()
    return RecordedGroup(
        name=steps[0].case.name,
        title=table.title,
        network=table.network,
        chained=table.chained,
        steps=tuple(steps),
    )


@dataclass(frozen=True)
class _TestReader:
    """Makes a case and arrays of a group's t-th test.

    Args:
        group, group_at: the group, and its path in the file, for messages.
        t: counted from 0.
    """

    group: GroupTable
    group_at: str
    t: int

    @property
    def test(self) -> TestTable:
        """The test's own table."""
        return self.group.tests[self.t]

    @property
    def at(self) -> str:
        """The test's path in the file."""
        return f"{self.group_at}.tests[{self.t}]"

    @property
    def goes_on(self) -> bool:
        """True if it starts from the parameters that the test before ended with."""
        return self.group.chained and self.t > 0 and self.test.parameters is None

    @property
    def has_own_case(self) -> bool:
        """True if its case is not the one that the group's start makes."""
        names = StartTable.__dataclass_fields__
        later = self.group.training is not None and self.steps_before > 0
        return later or self.goes_on or any(getattr(self.test, name) is not None for name in names)

    @property
    def steps_before(self) -> int:
        """The number of steps of its run that come before it."""
        return self.t if self.group.chained else 0

    @property
    def training(self) -> Training:
        """The group's training, or plain gradient descent."""
        if self.group.training is not None:
            return self.group.training
        _, learning_rate = self.given("learning_rate")
        return Training(learning_rate=learning_rate)

    def slots(self) -> Slots:
        """The optimizer's slot variables as the test before ended with them."""
        names = self.training.slots
        if not self.steps_before or not names:
            return {}
        end = self.end_of_test_before()
        layers = range(len(self.group.network.layers))
        slots = [f"{slot}_{letter}" for slot in names for letter in "Wb"]
        for slot, l in itertools.product(names, self.group.network.without_bias):
            b = np.zeros(self.group.network.widths[l + 1])
            end[f"{slot}_b[{l}]"] = np.full_like(b, self.training.initial_slots)
        for name in (f"{slot}[{l}]" for slot in slots for l in layers):
            if name not in end:
                raise InputError(f"{self.at}: goes on, and no {name} in the step before")
        return {slot: tuple(end[f"{slot}[{l}]"] for l in layers) for slot in slots}

    def end_of_test_before(self) -> dict[str, Array]:
        """The quantities that are recorded for the test before."""
        return _TestReader(self.group, self.group_at, self.t - 1).quantities()

    def given(self, name: str) -> tuple[str, Any]:
        """The path and the value of a part of its start: its own or, without one, its group's."""
        for at, table in ((self.at, self.test), (self.group_at, self.group)):
            if getattr(table, name) is not None:
                return at, getattr(table, name)
        raise InputError(f"{self.at}: {name!r} is missing, here and in its group")

    def step(self, case: Case, quantities: dict[str, Array]) -> RecordedStep:
        """The recorded step."""
        return RecordedStep(
            number=self.test.tcId or self.t + 1,
            comment=printable(self.test.comment),
            flags=self.test.flags,
            valid=self.test.result == "valid",
            case=case,
            quantities=quantities,
        )

    def case(self) -> Case:
        """A case with this step as its first."""
        findings = Findings()
        network = self.group.network
        with findings:
            parameters = self.parameters()
        with findings:
            training = self.training
        with findings:
            slots = self.slots()
        with findings:
            at, x = self.given("x")
            with _within(at):
                x = check_inputs(network, x)
            at, y = self.given("y")
            with _within(at):
                y = check_targets(network, y, len(x))
        with findings:
            masks = self.masks()
        findings.raise_any()
        name = self.group.case or self.group.title or self.group_at
        return Case(
            name=name,
            title=self.group.title,
            network=network,
            parameters=parameters,
            dataset=Dataset(name, x, y),
            training=StepTraining.of(training, masks),
            steps_before=self.steps_before,
            slots=slots,
        )

    def masks(self) -> dict[int, Array]:
        """The dropout mask of each a[l] that has dropout, (N, D[l]) of booleans, by l."""
        layers = self.group.network.dropping.items()
        dropping = {f"a[{l}]": (l, layer.units) for l, layer in layers}
        if not dropping and self.test.masks is self.group.masks is None:
            return {}
        at, given = self.given("masks")
        _, x = self.given("x")
        findings = Findings(f"{at}.masks")
        masks = {}
        for name, (l, units) in dropping.items():
            with findings:
                if name not in given:
                    raise InputError(f": {name!r} is missing, which has dropout")
                masks[l] = np.array(given[name])
                if masks[l].shape != (len(x), units):
                    expected = f"expected shape {(len(x), units)}, got {masks[l].shape}"
                    raise InputError(f".{name}: {expected}")
        for name in given:
            with findings:
                if name not in dropping:
                    raise InputError(f": {name!r} has no dropout")
        findings.raise_any()
        return masks

    def parameters(self) -> Parameters:
        """The parameters that it starts from."""
        network = self.group.network
        if not self.goes_on:
            at, layers = self.given("parameters")
            with _within(at):
                return check_parameters(network, [(layer.W, layer.b) for layer in layers])
        end = self.end_of_test_before()
        names = [(f"W_next[{l}]", f"b_next[{l}]") for l in range(len(network.layers))]
        for l in network.without_bias:
            end[f"b_next[{l}]"] = network.array(np.zeros(network.widths[l + 1]))
        for name in itertools.chain.from_iterable(names):
            if name not in end:
                raise InputError(f"{self.at}: no parameters, and no {name} in the step before")
            if not np.isfinite(end[name]).all():
                raise InputError(
                    f"{self.at}: begins with the {name} of the step before, which is not finite"
                )
        return tuple(Weights(end[W], end[b]) for W, b in names)

    def quantities(self) -> dict[str, Array]:
        """The recorded arrays, in the network's dtype."""
        _, x = self.given("x")
        known = shapes(self.group.network, len(x), self.training.slots)
        findings = Findings()
        arrays = {}
        for name, written in self.test.quantities.items():
            with findings:
                if name not in known:
                    hint = unknown(name, "a quantity of this step", known)
                    raise InputError(f"{self.at}.quantities: {hint}")
                at = f"{self.at}.quantities.{name}"
                arrays[name] = written.array(known[name], self.group.network.dtype, at)
        findings.raise_any()
        return arrays


@contextmanager
def _within(path: str) -> Iterator[None]:
    """Prefix the problems of an :class:`InputError` with a path in the file."""
    try:
        yield
    except InputError as error:
        raise error.within(f"{path}.") from None
