"""From the table of a recorded step to a case and arrays that can be judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

import numpy as np

from shared import (
    LOSSES,
    Array,
    Case,
    Dataset,
    InputError,
    Network,
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
from shared.losses import SUM_ERROR
from threeways.conformance.record_digits import Writing
from threeways.conformance.record_quantities import RecordedArray, read_quantities
from threeways.conformance.record_tables import GroupTable, StartTable
from threeways.conformance.record_training import NO_UPDATE, training_of
from threeways.conformance.records import RecordedStep
from threeways.exact.bounds import bounds
from threeways.exact.oracle import exact_step

T = TypeVar("T")

# What is computed without targets, and without an update.
FORWARD = ("z", "a")
GRADIENTS = (*FORWARD, "loss", "dz", "dW", "db", "dx")


class Once(Generic[T]):
    """A property that is computed once, like functools' cached one, and fails once as well.

    A test asks the one before, which asks the one before: where all are wrong, nobody asks twice.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.key = f"once {compute.__name__}"

    def __get__(self, instance: Any, owner: type) -> T:
        known = instance.__dict__
        if self.key not in known:
            try:
                known[self.key] = self.compute(instance)
            except InputError as error:
                known[self.key] = error
        if isinstance(known[self.key], InputError):
            raise known[self.key]
        value: T = known[self.key]
        return value


class StepReader:
    """Makes a recorded step of a group's t-th test.

    Args:
        group, group_at: the group, and its path in the file, for messages.
        network: the group's, in the dtype to judge in.
        writing: how the group's numbers are written.
        t: counted from 0.
        before: the test before it, if the tests of the group are one run.
        common: the first test that starts from what the group gives, if that comes before.
    """

    def __init__(
        self,
        group: GroupTable,
        group_at: str,
        network: Network,
        writing: Writing,
        t: int,
        before: StepReader | None,
        common: StepReader | None,
    ) -> None:
        self.group, self.group_at = group, group_at
        self.network, self.writing = network, writing
        self.t, self.before, self.common = t, before, common
        self.test, self.at = group.tests[t], f"{group_at}.tests[{t}]"
        self.steps_before: int = before.steps_before + 1 if before else group.steps_before or 0
        if self.test.steps_before is not None:
            self.steps_before = self.test.steps_before

    def step(self) -> RecordedStep:
        """The recorded step.

        Raises:
            InputError: everything that is wrong with the test.
        """
        findings = Findings()
        with findings:
            recorded = self.recorded
            with findings:
                self.check_needs()
        with findings:
            case = self.case
        with findings:
            start_errors = self.start_errors
        findings.raise_any()
        return RecordedStep(
            number=self.test.tcId or self.t + 1,
            comment=printable(self.test.comment),
            flags=self.test.flags,
            valid=self.test.result == "valid",
            case=case,
            recorded=recorded,
            start_errors=start_errors,
        )

    @property
    def goes_on(self) -> bool:
        """True if it starts from the parameters that the test before ended with."""
        return self.before is not None and self.test.parameters is None

    @property
    def has_own_case(self) -> bool:
        """True if its case is not the one that the group's start makes."""
        names = (*StartTable.__dataclass_fields__, "training")
        return self.goes_on or any(getattr(self.test, name) is not None for name in names)

    def given(self, name: str) -> tuple[str, Any]:
        """The path and the value of a part of its start: its own or, without one, its group's."""
        for at, table in ((self.at, self.test), (self.group_at, self.group)):
            if getattr(table, name) is not None:
                return at, getattr(table, name)
        raise InputError(f"{self.at}: {name!r} is missing, here and in its group")

    @Once
    def training(self) -> Training | None:
        """Its training, if it or its group gives any."""
        return training_of(self.group, self.group_at, self.test, self.at)

    @Once
    def recorded(self) -> dict[str, RecordedArray]:
        """The recorded quantities."""
        _, x = self.given("x")
        known = shapes(self.network, len(x), self.training.slots if self.training else ())
        return read_quantities(self.test.quantities, known, self.writing, f"{self.at}.quantities")

    def check_needs(self) -> None:
        """Raise :class:`InputError` without targets or learning rate if they have been used."""
        findings = Findings()
        stems = {name.partition("[")[0] for name in self.recorded}
        with findings:
            if stems.difference(FORWARD):
                self.given("y")
        with findings:
            if stems.difference(GRADIENTS) and self.training is None:
                self.given("learning_rate")
        findings.raise_any()

    @Once
    def case(self) -> Case:
        """A case with this step as its first."""
        if self.common and not self.has_own_case:
            return self.common.case
        findings = Findings()
        with findings:
            parameters = self.parameters
        with findings:
            training = self.training or NO_UPDATE
        with findings:
            slots = self.slots
        with findings:
            x, y = self.batch()
        with findings:
            masks = self.masks()
        findings.raise_any()
        name = self.group.case or self.group.title or self.group_at
        return Case(
            name=name,
            title=self.group.title,
            network=self.network,
            parameters=parameters,
            dataset=Dataset(name, x, y),
            training=StepTraining.of(training, masks),
            steps_before=self.steps_before,
            slots=slots,
        )

    def batch(self) -> tuple[Array, Array]:
        """x and y; where no y is given, any that the loss takes."""
        at, x = self.given("x")
        with _within(at):
            x = check_inputs(self.network, x)
        if self.test.y is self.group.y is None:
            return x, any_targets(self.network, len(x))
        at, y = self.given("y")
        with _within(at):
            return x, check_targets(self.network, self.of_sum_1(y), len(x))

    def of_sum_1(self, y: Sequence[Sequence[float]]) -> Sequence[Sequence[float]]:
        """y; its rows divided by their sums where only rounding keeps these from being 1."""
        if LOSSES[self.network.loss].targets is not LOSSES["categorical_crossentropy"].targets:
            return y
        rows = []
        for row in y:
            off = self.writing.errors_of_start(np.array(row)).sum()
            is_rounded = SUM_ERROR < abs(math.fsum(row) - 1) <= off
            rows.append([each / math.fsum(row) for each in row] if is_rounded else row)
        return rows

    def masks(self) -> dict[int, Array]:
        """The dropout mask of each a[l] that has dropout, (N, D[l]) of booleans, by l."""
        layers = self.network.dropping.items()
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

    # The parameters and slots that it starts from.

    @Once
    def parameters(self) -> Parameters:
        """The parameters that it starts from."""
        if not self.goes_on:
            at, layers = self.given("parameters")
            with _within(at):
                return check_parameters(self.network, [(layer.W, layer.b) for layer in layers])
        layers = range(len(self.network.layers))
        return tuple(
            Weights(*(self.ended(f"{of}_next[{l}]", of, l) for of in "Wb")) for l in layers
        )

    def letters(self) -> list[tuple[str, int]]:
        """``("W", l)`` and ``("b", l)`` of each layer l."""
        return [(letter, l) for l in range(len(self.network.layers)) for letter in "Wb"]

    def ended(self, quantity: str, letter: str, l: int) -> Array:
        """What the test before ended with: a parameter or a slot of W[l] or b[l].

        A fixed one may be left out, and a slot, which then is what the exact step makes of it.

        Raises:
            InputError: it is not recorded as a whole, or not finite.
        """
        assert self.before
        found = self.before.recorded.get(quantity)
        if found is None and is_fixed(self.network, letter, l):
            return self.before.started(quantity, letter, l)
        is_slot = "_next" not in quantity
        goes_on = "goes on, and no" if is_slot else "no parameters, and no"
        if found is None and is_slot:
            return self.before.made[quantity][0]
        if found is None:
            raise InputError(f"{self.at}: {goes_on} {quantity} in the step before")
        if found.known is not None:
            raise InputError(f"{self.at}: {goes_on} whole {quantity} in the step before")
        if not np.isfinite(found.values).all():
            raise InputError(
                f"{self.at}: begins with the {quantity} of the step before, which is not finite"
            )
        return found.values

    def started(self, quantity: str, letter: str, l: int) -> Array:
        """What it starts with in place of the parameter or slot that it ends with."""
        if quantity == f"{letter}_next[{l}]":
            started: Array = getattr(self.parameters[l], letter)
            return started
        kept = self.slots.get(quantity.removesuffix(f"[{l}]"))
        return kept[l] if kept else self.initial_slot(letter, l)

    def initial_slot(self, letter: str, l: int) -> Array:
        """What the optimizer keeps for W[l] or b[l] before the first step."""
        assert self.training
        D = self.network.widths
        shape = (D[l], D[l + 1]) if letter == "W" else (D[l + 1],)
        return np.full(shape, self.training.initial_slots, self.network.dtype)

    @Once
    def slots(self) -> Slots:
        """The optimizer's slots that it starts from; none for initial ones."""
        names = self.training.slots if self.training else ()
        at, written = self.given_slots()
        if written is not None:
            return self.written_slots(f"{at}.slots", written, names)
        if not self.steps_before or not names:
            return {}
        if self.before is None:
            raise InputError(f"{self.at}: has {self.steps_before} steps before, and no slots")
        layers = range(len(self.network.layers))
        findings = Findings()
        slots: Slots = {}
        for name in (f"{slot}_{letter}" for slot in names for letter in "Wb"):
            with findings:
                slots[name] = tuple(self.ended(f"{name}[{l}]", name[-1], l) for l in layers)
        findings.raise_any()
        return slots

    @Once
    def made(self) -> dict[str, tuple[Array, Array]]:
        """Each slot that is not recorded, as the exact step leaves it, and how wrong it may be."""
        names = self.training.slots if self.training else ()
        slots = [f"{name}_{letter}[{l}]" for name in names for letter, l in self.letters()]
        lacking = [name for name in slots if name not in self.recorded]
        if not lacking:
            return {}
        exact = exact_step(self.case)
        allowed = bounds(self.case, exact.values, input_errors=self.start_errors)
        eps = np.finfo(self.network.dtype).eps
        return {
            name: (
                exact.values[name].astype(self.network.dtype),
                allowed[name] + eps * np.abs(exact.values[name]),
            )
            for name in lacking
            if name in exact.values
        }

    def given_slots(self) -> tuple[str, dict[str, Any] | None]:
        """The path and the table of the slots that it says it starts from, if it does."""
        if self.test.slots is not None:
            return self.at, self.test.slots
        return self.group_at, None if self.before else self.group.slots

    def written_slots(self, at: str, written: dict[str, Any], names: tuple[str, ...]) -> Slots:
        """The slots in a table; those of fixed parameters may be left out.

        Args:
            at: the path of the table.
            written: their arrays, by names such as ``momentum_W[0]``.
            names: the optimizer's slots.
        """
        findings = Findings()
        with findings:
            if not self.before and self.test.steps_before is self.group.steps_before is None:
                raise InputError(f"{at}: need steps_before, the number of steps made before")
        of = {
            f"{slot}_{letter}[{l}]": (letter, l) for slot in names for letter, l in self.letters()
        }
        shape_of = shapes(self.network, 1, names)
        for name in written:
            with findings:
                if not of:
                    raise InputError(f"{at}: the optimizer has no slots")
                if name in of and name not in shape_of:
                    raise InputError(f"{at}.{name}: the layer has no biases; leave it out")
                if name not in of:
                    known = shape_of.keys() & of.keys()
                    raise InputError(f"{at}: {unknown(name, 'a slot', sorted(known))}")
        arrays = {}
        for name, (letter, l) in of.items():
            with findings:
                if name in written and name in shape_of:
                    path = f"{at}.{name}"
                    arrays[name] = written[name].array(shape_of[name], self.network.dtype, path)
                    if not np.isfinite(arrays[name]).all():
                        raise InputError(f"{path}: is not finite")
                elif is_fixed(self.network, letter, l):
                    arrays[name] = self.initial_slot(letter, l)
                else:
                    raise InputError(f"{at}: {name!r} is missing")
        findings.raise_any()
        layers = range(len(self.network.layers))
        stems = [f"{slot}_{letter}" for slot in names for letter in "Wb"]
        return {stem: tuple(arrays[f"{stem}[{l}]"] for l in layers) for stem in stems}

    # What rounding to digits has done to what it starts from.

    @Once
    def start_errors(self) -> dict[str, Array]:
        """How wrong each array that it starts from may be, where it may be wrong at all."""
        written: dict[str, Any] = {}
        for name in ("x", "y"):
            own = getattr(self.test, name)
            written[name] = getattr(self.group, name) if own is None else own
        if not self.goes_on:
            _, tables = self.given("parameters")
            for l, table in enumerate(tables):
                written |= {f"W[{l}]": table.W, f"b[{l}]": table.b}
        _, slots = self.given_slots()
        if slots is not None:
            written |= {name: slot.decimal for name, slot in slots.items()}
        of = self.writing.errors_of_start
        errors = {name: of(np.array(each)) for name, each in written.items() if each is not None}
        if self.before:
            errors = self.before.end_errors() | errors
        return {name: each for name, each in errors.items() if each.any()}

    def end_errors(self) -> dict[str, Array]:
        """How wrong each parameter and slot that it ends with may be, by the name of the start."""
        errors = {name: each for name, each in self.start_errors.items() if name not in ("x", "y")}
        errors |= {name: error for name, (_, error) in self.made.items()}
        for name, array in self.recorded.items():
            errors[name.replace("_next", "")] = array.start_errors
        return errors


def is_fixed(network: Network, letter: str, l: int) -> bool:
    """Whether updates leave W[l] or b[l] as it is."""
    return not network.layers[l].learns(letter)


def any_targets(network: Network, n_rows: int) -> Array:
    """Targets (N, D[L]) that the network's loss takes."""
    zeros = np.zeros((n_rows, network.widths[-1]))
    one_hot = np.eye(1, network.widths[-1])[np.zeros(n_rows, int)]
    for targets in (zeros, one_hot, zeros - 1):
        with suppress(InputError):
            return check_targets(network, targets, n_rows)
    raise AssertionError(network.loss)


@contextmanager
def _within(path: str) -> Iterator[None]:
    """Prefix the problems of an :class:`InputError` with a path in the file."""
    try:
        yield
    except InputError as error:
        raise error.within(f"{path}.") from None
