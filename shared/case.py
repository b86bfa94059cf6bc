"""What a case is: a network, where it starts, its data, its training, what its lecture prints."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from annotated_types import Gt, Le

from shared.arrays import Array, check_inputs
from shared.chain_rule import ChainRule
from shared.datasets import Dataset
from shared.errors import Findings, checked
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
        lecture: where, as ``"KTH-11"``.
        quantity: which of the trace's, as ``"dW[1]"``.
        index: of the element, ``()`` for a scalar.
        printed: its decimals as printed; 0.35891 is not 0.358910.
    """

    lecture: str
    quantity: str
    index: tuple[int, ...]
    printed: str


@checked
class Goal:
    """What training has to reach, in every implementation.

    Args:
        loss: of the last epoch, or of the best one with early stopping, at most.
        accuracy: on the rows trained on, at least.
        test_accuracy: on the rows kept for the test, at least.

    Raises:
        InputError: a number out of its range, or none.
    """

    loss: PositiveFloat | None = None
    accuracy: Accuracy | None = None
    test_accuracy: Accuracy | None = None

    def __post_init__(self) -> None:
        if not (self.loss or self.accuracy or self.test_accuracy):
            raise ValueError("loss, accuracy or test_accuracy: give at least one")


@dataclass(frozen=True, eq=False)
class Transfer:
    """Layers that another network has learned (EPITA-10).

    Args:
        source: the case that trains it.
        layers: how many of its first layers are copied.
    """

    source: Case
    layers: int


@dataclass(frozen=True, eq=False)
class Case:
    """A network with all that a run of it needs.

    Args:
        network: the network.
        parameters: where training starts.
        dataset: the data.
        training: how it is trained.
        name: the file's, without its ending.
        title: what it shows, in a line.
        lectures: which of the lectures' systems it is, as ``("KTH-11", "LUMS-10")``.
        figures: what these print.
        test: rows that training never sees.
        goal: what training has to reach.
        transfer: what takes the place of the first layers' parameters before training.
        steps_before: how many steps of training go before, for the schedule and Adam.
        slots: what the optimizer keeps of them, as in :class:`Trace`; as it starts unless given.
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

    @property
    def dtype(self) -> str:
        """The network's."""
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
        """What the optimizer keeps for W[l] or b[l], ``"W"`` or ``"b"``, before the first step."""
        start = self.training.initial_slots
        shape_of = getattr(self.parameters[l], letter)
        return [
            self.slots[f"{slot}_{letter}"][l] if self.slots else np.full_like(shape_of, start)
            for slot in self.training.slots
        ]

    def prepared(self) -> Case:
        """The same training on its rows as they come out of their preparation."""
        dataset, _ = self.training.prepare(self.dataset)
        training = dataclasses.replace(
            self.training, validation=None, patience=None, augmentation=None
        )
        return dataclasses.replace(self, dataset=dataset, training=training)

    def first_batch(self) -> tuple[Array, Array]:
        """x and y of the first batch of the first epoch."""
        dataset, _ = self.training.prepare(self.dataset)
        rows = next(self.training.batches(0, len(dataset)))
        return dataset.x[rows], dataset.y[rows]

    def alone(self) -> Case:
        """A case of the same first step, with no other rows than its batch."""
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
        """Which units dropout keeps in the first step: for each a[l] that has any, (N, D[l])."""
        n_rows = len(self.first_batch()[0])
        return self.training.masks(self.network, self.steps_before, n_rows)


@dataclass(frozen=True)
class ChainRuleCase:
    """A chain of functions with the step made on its inputs; otherwise as :class:`Case`."""

    name: str
    title: str
    lectures: tuple[str, ...]
    figures: tuple[Figure, ...]
    chain_rule: ChainRule
    dtype: str = "float64"

    def with_dtype(self, dtype: str) -> ChainRuleCase:
        """The same case in another dtype."""
        return dataclasses.replace(self, dtype=dtype)
