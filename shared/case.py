"""Cases: a network, its starting parameters, data, training and the figures of its lecture."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from annotated_types import Gt, Le

from shared.arrays import Array, check_inputs
from shared.chain_rule import ChainRule
from shared.datasets import Dataset
from shared.errors import Findings, InputError, checked
from shared.fields import FiniteFloat, PositiveFloat
from shared.network import Network
from shared.parameters import Parameters, check_parameters
from shared.trace import Slots
from shared.training import StepTraining, Training

Accuracy = Annotated[FiniteFloat, Gt(0), Le(1)]


@dataclass(frozen=True)
class Figure:
    """A number as a lecture prints it.

    Args:
        lecture: the lecture's system, such as ``"KTH-11"``.
        quantity: the quantity of the step, such as ``"dW[1]"``.
        index: the index of the element, ``()`` for a scalar.
        printed: the digits as printed: 0.35891 is less precise than 0.358910.
    """

    lecture: str
    quantity: str
    index: tuple[int, ...]
    printed: str


@checked
class Goal:
    """The results that training has to reach, in every implementation.

    Args:
        loss: the highest loss allowed, of the last epoch or, with early stopping, of the best one.
        accuracy: the lowest accuracy allowed on the training rows, in (0, 1].
        test_accuracy: the lowest accuracy allowed on the test rows, in (0, 1].

    Raises:
        InputError: a number is out of its range, or none is given.
    """

    loss: PositiveFloat | None = None
    accuracy: Accuracy | None = None
    test_accuracy: Accuracy | None = None

    def __post_init__(self) -> None:
        if not (self.loss or self.accuracy or self.test_accuracy):
            raise ValueError("loss, accuracy or test_accuracy: give at least one")


@dataclass(frozen=True, eq=False)
class Transfer:
    """First layers to be copied from another network, once it is trained (EPITA-10).

    Args:
        source: the case that trains the other network.
        layers: how many of its first layers are copied.
    """

    source: Case
    layers: int


@dataclass(frozen=True, eq=False)
class Case:
    """A network with everything that a training run of it needs.

    Args:
        network: the network.
        parameters: the starting parameters, W[l] (D[l], D[l+1]) and b[l] (D[l+1],) of each layer.
        dataset: the data, x (N, D[0]) and y (N, D[L]), before any of them are held back.
        training: how the network is trained; its decay_epochs become decay_steps.
        name: the name of the file, without ``.toml``.
        title: what the case shows, in a line.
        lectures: the lectures' systems that it is, such as ``("KTH-11", "LUMS-10")``.
        figures: the numbers that these lectures print.
        test: rows that training never sees.
        goal: the results that training has to reach.
        transfer: layers of another network that replace the first layers before training.
        steps_before: the number of steps made before, for the schedule and Adam.
        slots: the optimizer's slots after these, as in :class:`Trace`; initial ones if empty.
        names: the lecture's own names, each with the element or array of the step that it stands
            for, as ``{"w5": "W[1][0,0]"}``; see :mod:`shared.own_names`.
    """

    network: Network
    parameters: Parameters
    dataset: Dataset
    training: Training
    name: str = ""
    title: str = ""
    lectures: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    test: Dataset | None = None
    goal: Goal | None = None
    transfer: Transfer | None = None
    steps_before: int = 0
    slots: Slots = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "training", self.training.in_steps(len(self.dataset)))

    @property
    def dtype(self) -> str:
        """The dtype of the network, ``"float32"`` or ``"float64"``."""
        return self.network.dtype

    def with_dtype(self, dtype: str) -> Case:
        """The same case in another dtype, its parameters rounded to it.

        Raises:
            InputError: a number is too large for that dtype.
        """
        network = dataclasses.replace(self.network, dtype=dtype)
        findings = Findings(f"{self.name}: ")
        with findings:
            parameters = check_parameters(network, self.parameters)
        with findings:
            check_inputs(network, self.dataset.x)
        findings.raise_any()
        transfer = self.transfer
        if transfer:
            source = transfer.source.with_dtype(dtype)
            transfer = dataclasses.replace(transfer, source=source)
        return dataclasses.replace(self, network=network, parameters=parameters, transfer=transfer)

    def start_of_slots(self, l: int, letter: str) -> list[Array]:
        """The optimizer's slots of W[l] or b[l] before the first step, an array of that shape each.

        Args:
            l: the layer.
            letter: ``"W"`` or ``"b"``.
        """
        start = self.training.initial_slots
        shape_of = getattr(self.parameters[l], letter)
        return [
            self.slots[f"{slot}_{letter}"][l] if self.slots else np.full_like(shape_of, start)
            for slot in self.training.slots
        ]

    def prepared(self) -> Case:
        """The case with the rows that it trains on: augmented, and without those held back."""
        dataset, _ = self.training.prepare(self.dataset)
        training = dataclasses.replace(
            self.training, validation=None, patience=None, augmentation=None
        )
        return dataclasses.replace(self, dataset=dataset, training=training)

    def first_batch(self) -> tuple[Array, Array]:
        """x (n, D[0]) and y (n, D[L]) of the first batch of the first epoch."""
        dataset, _ = self.training.prepare(self.dataset)
        rows = next(self.training.batches(0, len(dataset)))
        return dataset.x[rows], dataset.y[rows]

    def alone(self) -> Case:
        """The case of the first step alone: its data are one batch, and its masks are given."""
        x, y = self.first_batch()
        masks = self.training.masks(self.network, self.steps_before, len(x))
        return dataclasses.replace(
            self,
            dataset=Dataset(self.dataset.name, x, y),
            training=StepTraining.of(self.training, masks),
            test=None,
            transfer=None,
        )

    def masks(self) -> dict[int, Array]:
        """The dropout masks of the first step: for each a[l] with dropout, (n, D[l]) of bool."""
        n_rows = len(self.first_batch()[0])
        return self.training.masks(self.network, self.steps_before, n_rows)


@dataclass(frozen=True)
class ChainRuleCase:
    """A chain of functions and a gradient step on its inputs; fields as in :class:`Case`."""

    name: str
    title: str
    lectures: tuple[str, ...]
    figures: tuple[Figure, ...]
    chain_rule: ChainRule
    dtype: str = "float64"

    def with_dtype(self, dtype: str) -> ChainRuleCase:
        """The same case in another dtype.

        Raises:
            InputError: an input is too large for that dtype.
        """
        largest = float(np.finfo(dtype).max)
        too_large = {name: x for name, x in self.chain_rule.inputs.items() if abs(x) > largest}
        if too_large:
            problems = (
                f"inputs.{name}: {x} is too large for {dtype}" for name, x in too_large.items()
            )
            raise InputError(*problems).within(f"{self.name}: ")
        return dataclasses.replace(self, dtype=dtype)
