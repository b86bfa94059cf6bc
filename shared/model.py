"""The base classes of the implementations' networks and optimizers; NumPy goes in and comes out."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import NoneType
from typing import Any

import numpy as np

from shared.arguments import check_type, kind_of
from shared.arrays import Array, check_inputs, check_masks, check_targets
from shared.datasets import Dataset
from shared.errors import InputError
from shared.network import Network
from shared.parameters import Parameters, check_parameters
from shared.run import Checkpoint, History, OnEpoch, Run
from shared.trace import Slots, Trace
from shared.training import Training, check_in_steps

# Dropout masks: for each a[l] with dropout, (N, D[l]) of bool, True for the units that are kept.
Masks = dict[int, Any]


class Model(ABC):
    """A network with its parameters.

    Args:
        network: its layers and its loss.
        parameters: the starting parameters; W[l] (D[l], D[l+1]) and b[l] (D[l+1],) of each layer.

    Raises:
        InputError: the parameters do not fit the network.
    """

    def __init__(self, network: Network, parameters: Parameters) -> None:
        check_type("network", network, Network)
        self.network = network
        self.optimizer: Any = None
        self.build(self.checked_parameters(parameters))

    @abstractmethod
    def build(self, start: Parameters) -> None:
        """Make W and b, starting from ``start``, a copy for this network alone."""

    @property
    @abstractmethod
    def parameters(self) -> Parameters:
        """A copy of the current W[l] (D[l], D[l+1]) and b[l] (D[l+1],) of each layer."""

    @abstractmethod
    def assign(self, parameters: Parameters) -> None:
        """Set W and b to these parameters, which are checked."""

    @abstractmethod
    def trace(self, x: Array, y: Array | None = None, masks: Masks | None = None) -> Trace:
        """z and a of every layer for x (N, D[0]); with y (N, D[L]) also loss and derivatives."""

    @abstractmethod
    def loss_of(self, x: Array, y: Array) -> float:
        """The loss of a batch, with penalties and without dropout."""

    @abstractmethod
    def make_optimizer(self, training: Training) -> Any:
        """A new optimizer of W and b."""

    @abstractmethod
    def update(self, dW: Sequence[Any], db: Sequence[Any], training: Training) -> None:
        """Update W and b by a step of the optimizer, except what is frozen; overwrites dW, db."""

    @abstractmethod
    def train(self, run: Run) -> None:
        """Make all epochs of a training run."""

    def checked_parameters(self, parameters: Parameters) -> Parameters:
        """A copy of the parameters in the network's dtype, which fit the network."""
        return check_parameters(self.network, parameters)

    def checked_batch(self, x: Any, y: Any) -> tuple[Array, Array]:
        """x (N, D[0]) and y (N, D[L]) in the network's dtype, which fit the network."""
        x = check_inputs(self.network, x)
        return x, check_targets(self.network, y, len(x))

    def load(self, parameters: Parameters) -> None:
        """Set W[l] (D[l], D[l+1]) and b[l] (D[l+1],) of each layer to copies of these parameters.

        Raises:
            InputError: the parameters do not fit the network.
        """
        self.assign(self.checked_parameters(parameters))

    def predict(self, x: Any) -> Array:
        """The output a[L] (N, D[L]) for inputs x (N, D[0])."""
        return self.forward(x).a[-1]

    def forward(self, x: Any) -> Trace:
        """z and a of every layer for inputs x (N, D[0])."""
        return self.traced(check_inputs(self.network, x))

    def evaluate(self, x: Any, y: Any) -> float:
        """The loss, penalties included, for x (N, D[0]) and y (N, D[L]); nothing is dropped."""
        return self.loss_of(*self.checked_batch(x, y))

    def backward(self, x: Any, y: Any, masks: Masks | None = None) -> Trace:
        """The loss and its derivatives for a batch x (N, D[0]), y (N, D[L]); updates nothing.

        There is dropout only if ``masks`` are given.
        """
        x, y = self.checked_batch(x, y)
        if masks is not None:
            masks = check_masks(self.network, masks, len(x))
        return self.traced(x, y, masks)

    def traced(self, x: Array, y: Array | None = None, masks: Masks | None = None) -> Trace:
        """:meth:`trace`, which also says which layers have no biases."""
        trace, without = self.trace(x, y, masks), self.network.without_bias
        return dataclasses.replace(trace, without_bias=without) if without else trace

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        """The trace of one update on a batch x (N, D[0]), y (N, D[L]): every number of it."""
        check_type("training", training, Training)
        check_in_steps(training)
        x, y = self.checked_batch(x, y)
        trace = self.traced(x, y, self.masks_of_step(training, len(x)))
        dW, db = ([gradient.copy() for gradient in part] for part in (trace.dW, trace.db))
        self.update(dW, db, training)
        W_next, b_next = zip(*self.parameters, strict=True)
        slots = self.optimizer_for(training).slots
        return dataclasses.replace(trace, W_next=W_next, b_next=b_next, slots=slots)

    def fit(
        self,
        dataset: Dataset,
        training: Training,
        on_epoch: OnEpoch | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> History:
        """The losses of training on a data set, epoch by epoch.

        The perceptron rule ends after the first epoch that leaves no errors (EPITA-1).

        Args:
            dataset: the data, before any of them are held back.
            training: how to train.
            on_epoch: called with a checkpoint after each epoch.
            checkpoint: the state to continue from; a new run unless given.

        Raises:
            InputError: the data do not fit the network, no rows are left to train on, or a
                framework has ended the run before its time, as its own settings may tell it to.
        """
        check_type("dataset", dataset, Dataset)
        check_type("training", training, Training)
        if on_epoch is not None and not callable(on_epoch):
            raise InputError(f"on_epoch: expected a function, got {kind_of(on_epoch)}")
        check_type("checkpoint", checkpoint, Checkpoint, NoneType)
        run = Run(self, dataset, training, on_epoch, checkpoint)
        self.train(run)
        if not run.is_over:
            made = len(run.history.loss)
            raise InputError(f"the training ended after {made} of {training.epochs} epochs")
        return run.history

    def masks_of_step(self, training: Training, n_rows: int) -> Masks:
        """The dropout masks of the next step, for a batch of ``n_rows`` rows."""
        return training.masks(self.network, self.optimizer_for(training).steps, n_rows)

    def optimizer_for(self, training: Training) -> Any:
        """The optimizer for ``training``, with its slots; a new one if the last was for another."""
        known = self.optimizer
        if known is None or (known.training is not training and known.training != training):
            known = self.optimizer = self.make_optimizer(training)
        return known


class Optimizer(ABC):
    """The optimizer of a training run, with its slots: what it keeps from one step to the next.

    Args:
        training: which optimizer, its hyperparameters, and the schedule of its learning rate.
        variables: what it updates, W of every layer, then b of every layer.
    """

    slot_variables: dict[str, list[Any]]

    def __init__(self, training: Training, variables: Sequence[Any]) -> None:
        self.training = training
        self.variables = variables

    @property
    @abstractmethod
    def steps(self) -> int:
        """The number of updates made so far."""

    @abstractmethod
    def restore(self, steps: int, slots: Slots) -> None:
        """Continue as after ``steps`` updates that left ``slots``."""

    @property
    def slots(self) -> Slots:
        """A copy of the slots, by names such as ``"momentum_W"``, an array for each layer."""
        L = len(self.variables) // 2
        named: Slots = {}
        for slot, arrays in self.slot_variables.items():
            copies = tuple(np.asarray(array).copy() for array in arrays)
            named |= {f"{slot}_W": copies[:L], f"{slot}_b": copies[L:]}
        return named

    def restored(self, slots: Slots) -> list[tuple[Any, Array]]:
        """Each array of each slot, with the values from a copy that it is to be set to.

        Raises:
            InputError: they are not the slots of this optimizer and these variables.
        """
        L = len(self.variables) // 2
        kinds = {"W": self.variables[:L], "b": self.variables[L:]}
        wanted = {
            f"{slot}_{letter}": [tuple(variable.shape) for variable in variables]
            for slot in self.slot_variables
            for letter, variables in kinds.items()
        }
        given = {name: [np.shape(array) for array in arrays] for name, arrays in slots.items()}
        if given != wanted:
            raise InputError(f"slots: not those of {self.training.optimizer!r} and this network")
        return [
            pair
            for slot, arrays in self.slot_variables.items()
            for pair in zip(arrays, slots[f"{slot}_W"] + slots[f"{slot}_b"], strict=True)
        ]
