"""The base of all baselines: a case's training in another library, if that can do the same."""

from __future__ import annotations

import dataclasses
import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from shared import Case, Layer, Parameters, Training
from shared.quiet import silent_stderr

# Called after each epoch.
AfterEpoch = Callable[..., object]

# What most baselines can do.
ACTIVATIONS = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu")
LOSSES = (
    "mean_squared_error",
    "half_squared_error",
    "binary_crossentropy",
    "categorical_crossentropy",
)
# The fields that they take into account; they ignore the others, which must have their defaults.
LAYER_FIELDS = ("units", "activation", "alpha")
TRAINING_FIELDS = (
    *("learning_rate", "optimizer", "momentum", "beta_1", "beta_2", "epsilon"),
    *("epochs", "batch_size", "seed"),
)


class LeftOut(Exception):  # noqa: N818
    """The reason, in one line, why an implementation or a baseline is not measured."""


class Baseline(ABC):
    """A case's training in another library.

    Raises:
        LeftOut: the library is not installed, or cannot do the same.
    """

    name: ClassVar[str]
    activations: tuple[str, ...] = ACTIVATIONS
    losses: tuple[str, ...] = LOSSES
    optimizers: tuple[str, ...] = ("sgd", "momentum", "nesterov", "adam")

    def __init__(self, case: Case) -> None:
        network = case.network
        self.case = case
        self.training = case.training
        self.layers = network.layers[:-1] if network.loss_from_logits else network.layers
        if reason := next(self.unsupported(), None):
            raise LeftOut(f"{self.name} is not measured with {reason}: left out")
        self.x = network.array(case.dataset.x)
        self.y = network.array(case.dataset.y)
        self.batch_size = case.training.batch_size or len(self.x)
        with silent_stderr():  # a framework's first network looks for devices and says so
            self.build()

    def unsupported(self) -> Iterator[str]:
        """Everything in the case that this baseline cannot do."""
        network, training = self.case.network, self.training
        if network.loss not in self.losses:
            yield f"the loss {network.loss}"
        if training.optimizer not in self.optimizers:
            yield f"the optimizer {training.optimizer}"
        for layer in self.layers:
            if layer.activation not in self.activations:
                yield f"the activation {layer.activation}"
        for layer in network.layers:
            yield from changed_fields(layer, LAYER_FIELDS)
        yield from changed_fields(training, TRAINING_FIELDS)

    @abstractmethod
    def build(self) -> None:
        """Make the network, with the case's parameters."""

    @abstractmethod
    def fit(self, after_epoch: AfterEpoch) -> list[float]:
        """The mean loss of each epoch, in training from the present parameters."""

    @property
    @abstractmethod
    def parameters(self) -> Parameters:
        """W and b as they are now."""


def import_library(name: str) -> Any:
    """A module of another library.

    Raises:
        LeftOut: it is not installed.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        with silent_stderr():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        raise LeftOut(f"{missing} is not installed: left out; pip install {missing}") from None


def activation(functions: Any, layer: Layer) -> Callable[[Any], Any]:
    """A layer's activation from a library's module of functions, with its α where it has one."""
    if layer.activation == "linear":
        return lambda z: z
    g = getattr(functions, layer.activation)
    return (lambda z: g(z, *layer.arguments.values())) if layer.arguments else g


def changed_fields(given: Layer | Training, ignore: tuple[str, ...]) -> list[str]:
    """The fields of a layer or a training that do not have their defaults."""
    fields: Any = dataclasses.fields(given)
    return [
        field.name
        for field in fields
        if field.name not in ignore and getattr(given, field.name) != field.default
    ]
