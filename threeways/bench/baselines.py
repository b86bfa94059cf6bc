"""The same training as users of other libraries write it, for ours to be measured by.

A peer starts where a case starts and makes the same updates on the same batches; only keras.fit and
scikit-learn draw the order of the rows themselves. Its library need not be installed.
"""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from shared import Case, Layer, Parameters, Training, Weights
from shared.quiet import silent_stderr

# Called after each epoch.
AfterEpoch = Callable[..., object]

# What is in a case that most peers take; what else there is, none does.
SMOOTH: tuple[str, ...] = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu")
LOSSES: tuple[str, ...] = (
    "mean_squared_error",
    "half_squared_error",
    "binary_crossentropy",
    "categorical_crossentropy",
)
LAYER = ("units", "activation", "alpha")
NUMBERS = ("learning_rate", "momentum", "beta_1", "beta_2", "epsilon")
TRAINING = (*NUMBERS, "optimizer", "epochs", "batch_size", "seed")


class LeftOut(Exception):  # noqa: N818
    """Why there is no such peer, a line."""


class Peer(ABC):
    """A case's training in another library.

    Raises:
        LeftOut: the library is not installed, or this is not made for such a case.
    """

    name: ClassVar[str]
    activations = SMOOTH
    losses = LOSSES
    optimizers: tuple[str, ...] = ("sgd", "momentum", "nesterov", "adam")

    def __init__(self, case: Case) -> None:
        network = case.network
        self.case = case
        self.training = case.training
        self.layers = network.layers[:-1] if network.loss_from_logits else network.layers
        if too_much := next(self.too_much(), None):
            raise LeftOut(f"{self.name} is not measured with {too_much}: left out")
        self.x = network.array(case.dataset.x)
        self.y = network.array(case.dataset.y)
        self.batch_size = case.training.batch_size or len(self.x)
        self.build()

    def too_much(self) -> Iterator[str]:
        """What the case has that this is not made for."""
        network, training = self.case.network, self.training
        if network.loss not in self.losses:
            yield f"the loss {network.loss}"
        if training.optimizer not in self.optimizers:
            yield f"the optimizer {training.optimizer}"
        for layer in self.layers:
            if layer.activation not in self.activations:
                yield f"the activation {layer.activation}"
        for layer in network.layers:
            yield from changed(layer, LAYER)
        yield from changed(training, TRAINING)

    @abstractmethod
    def build(self) -> None:
        """Make the network, with the case's parameters."""

    @abstractmethod
    def fit(self, after_epoch: AfterEpoch) -> list[float]:
        """Train for all epochs from where it stands; gives each one's mean loss."""

    @property
    @abstractmethod
    def parameters(self) -> Parameters:
        """W and b as they are now."""


class KerasFit(Peer):
    """``keras.fit`` of a compiled ``Sequential``, with nothing done to make it quick."""

    name = "keras.fit"

    def build(self) -> None:
        self.default_dtype = library("impl_keras.dtypes").default_dtype
        self.keras = keras = library("keras")
        losses = {"half_squared_error": lambda y, a: keras.ops.sum((a - y) ** 2, axis=1) / 2}
        loss = self.case.network.loss
        with self.default_dtype(self.case.dtype):
            self.model = keras.Sequential([keras.Input((self.case.network.n_features,))])
            for layer in self.case.network.layers:
                self.model.add(keras.layers.Dense(layer.units, function(keras.activations, layer)))
            self.model.compile(optimizer=self.optimizer(), loss=losses.get(loss, loss))
        self.model.set_weights([array for weights in self.case.parameters for array in weights])

    def optimizer(self) -> Any:
        rate, optimizers = self.training.learning_rate, self.keras.optimizers
        if self.training.optimizer == "adam":
            return optimizers.Adam(rate, **self.training.hyperparameters)
        nesterov = self.training.optimizer == "nesterov"
        return optimizers.SGD(rate, nesterov=nesterov, **self.training.hyperparameters)

    def fit(self, after_epoch: AfterEpoch) -> list[float]:
        with self.default_dtype(self.case.dtype):
            run = self.model.fit(
                self.x,
                self.y,
                batch_size=self.batch_size,
                epochs=self.training.epochs,
                shuffle=self.training.seed is not None,
                verbose=0,
                callbacks=[self.keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)],
            )
        return run.history["loss"]

    @property
    def parameters(self) -> Parameters:
        return tuple(Weights(*layer.get_weights()) for layer in self.model.layers)


class Jax(Peer):
    """An epoch as one ``jax.jit`` of a ``lax.scan`` over its batches, each gathered by its rows."""

    name = "JAX"
    optimizers = ("sgd",)

    def build(self) -> None:
        jax = library("jax")
        jax.config.update("jax_enable_x64", self.case.dtype == "float64")
        jnp = jax.numpy
        losses: dict[str, Callable[..., Any]] = {
            "mean_squared_error": lambda y, a: jnp.mean((a - y) ** 2),
            "half_squared_error": lambda y, a: jnp.sum((a - y) ** 2) / (2 * len(y)),
            "binary_crossentropy": lambda y, z: jnp.mean(jnp.logaddexp(0, z) - y * z),
            "categorical_crossentropy": lambda y, z: -jnp.sum(y * jax.nn.log_softmax(z)) / len(y),
        }
        loss_function = losses[self.case.network.loss]
        functions = [function(jax.nn, layer) for layer in self.layers]
        rate, size = self.training.learning_rate, self.batch_size

        def loss(parameters: Any, x: Any, y: Any) -> Any:
            a = x
            for (W, b), g in itertools.zip_longest(parameters, functions):
                z = a @ W + b
                a = g(z) if g else z
            return loss_function(y, a)

        def epoch(parameters: Any, x: Any, y: Any, order: Any) -> Any:
            def step(parameters: Any, rows: Any) -> Any:
                value, gradients = jax.value_and_grad(loss)(parameters, x[rows], y[rows])
                moved = jax.tree.map(lambda w, dw: w - rate * dw, parameters, gradients)
                return moved, value * len(rows)

            whole = len(order) // size * size
            parameters, totals = jax.lax.scan(step, parameters, order[:whole].reshape(-1, size))
            total = jnp.sum(totals)
            if whole < len(order):
                parameters, rest = step(parameters, order[whole:])
                total += rest
            return parameters, total / len(order)

        self.epoch = jax.jit(epoch)
        self.state = jax.tree.map(jnp.asarray, [tuple(pair) for pair in self.case.parameters])
        self.x, self.y = jnp.asarray(self.x), jnp.asarray(self.y)

    def fit(self, after_epoch: AfterEpoch) -> list[float]:
        losses = []
        for epoch in range(self.training.epochs):
            order = self.training.order(epoch, len(self.x))
            self.state, loss = self.epoch(self.state, self.x, self.y, order)
            losses.append(float(loss))
            after_epoch()
        return losses

    @property
    def parameters(self) -> Parameters:
        return tuple(Weights(np.asarray(W), np.asarray(b)) for W, b in self.state)


class PyTorch(Peer):
    """The usual loop: ``zero_grad``, forward, ``backward``, ``step``, with batches by index."""

    name = "PyTorch"

    def build(self) -> None:
        self.torch = torch = library("torch")
        modules = {
            "linear": torch.nn.Identity,
            "sigmoid": torch.nn.Sigmoid,
            "tanh": torch.nn.Tanh,
            "relu": torch.nn.ReLU,
            "leaky_relu": torch.nn.LeakyReLU,
            "elu": torch.nn.ELU,
            "selu": torch.nn.SELU,
        }
        losses = {
            "mean_squared_error": torch.nn.MSELoss(),
            "half_squared_error": lambda a, y: ((a - y) ** 2).sum() / (2 * len(y)),
            "binary_crossentropy": torch.nn.BCEWithLogitsLoss(),
            "categorical_crossentropy": torch.nn.CrossEntropyLoss(),
        }
        self.loss = losses[self.case.network.loss]
        self.x, self.y = torch.from_numpy(self.x), torch.from_numpy(self.y)
        self.dense = []
        parts = []
        for layer, (W, b) in itertools.zip_longest(self.layers, self.case.parameters):
            dense = torch.nn.Linear(*W.shape, dtype=self.x.dtype)
            dense.load_state_dict({"weight": torch.tensor(W.T), "bias": torch.tensor(b)})
            self.dense.append(dense)
            parts.append(dense)
            if layer:
                parts.append(modules[layer.activation](*layer.arguments.values()))
        self.model = torch.nn.Sequential(*parts)
        self.optimizer = self.make_optimizer()

    def make_optimizer(self) -> Any:
        training, parameters = self.training, self.model.parameters()
        if training.optimizer == "adam":
            beta_1, beta_2, epsilon = training.hyperparameters.values()
            return self.torch.optim.Adam(
                parameters, training.learning_rate, (beta_1, beta_2), epsilon
            )
        nesterov = training.optimizer == "nesterov"
        return self.torch.optim.SGD(
            parameters, training.learning_rate, nesterov=nesterov, **training.hyperparameters
        )

    def fit(self, after_epoch: AfterEpoch) -> list[float]:
        losses = []
        for epoch in range(self.training.epochs):
            order = self.torch.from_numpy(self.training.order(epoch, len(self.x)))
            total = 0.0
            for rows in order.split(self.batch_size):
                self.optimizer.zero_grad()
                loss = self.loss(self.model(self.x[rows]), self.y[rows])
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(rows)
            losses.append(total / len(self.x))
            after_epoch()
        return losses

    @property
    def parameters(self) -> Parameters:
        return tuple(
            Weights(dense.weight.detach().numpy().T, dense.bias.detach().numpy())
            for dense in self.dense
        )


class ScikitLearn(Peer):
    """``MLPClassifier``, an epoch at a time."""

    name = "scikit-learn"
    activations = ("linear", "sigmoid", "tanh", "relu")
    losses = ("binary_crossentropy", "categorical_crossentropy")
    optimizers = ("sgd",)

    def too_much(self) -> Iterator[str]:
        yield from super().too_much()
        if len({layer.activation for layer in self.layers}) > 1:
            yield "several activations"
        loss, n_outputs = self.case.network.loss, self.case.network.widths[-1]
        if n_outputs == 2 or (n_outputs > 2 and loss == "binary_crossentropy"):
            yield f"{n_outputs} outputs and {loss}"
        if not np.isin(self.case.dataset.y, (0, 1)).all():
            yield "targets that are no classes"

    def build(self) -> None:
        names = {"linear": "identity", "sigmoid": "logistic"}
        kind = self.layers[0].activation if self.layers else "linear"
        n_outputs = self.y.shape[1]
        self.classes = self.y.argmax(axis=1) if n_outputs > 1 else self.y[:, 0].astype(int)
        self.model = library("sklearn.neural_network").MLPClassifier(
            [layer.units for layer in self.layers],
            activation=names.get(kind, kind),
            solver="sgd",
            momentum=0,
            alpha=0,
            batch_size=min(self.batch_size, len(self.x)),
            learning_rate_init=self.training.learning_rate,
            shuffle=self.training.seed is not None,
            random_state=0,
        )
        # It has no weights before its first epoch.
        self.model.partial_fit(self.x, self.classes, classes=np.arange(max(n_outputs, 2)))
        for l, (W, b) in enumerate(self.case.parameters):
            self.model.coefs_[l][:] = W
            self.model.intercepts_[l][:] = b

    def fit(self, after_epoch: AfterEpoch) -> list[float]:
        losses = []
        for _ in range(self.training.epochs):
            try:
                self.model.partial_fit(self.x, self.classes)
            except ValueError as error:  # it does not go on when weights are not finite
                raise LeftOut(f"{self.name}: left out; {error}") from None
            losses.append(self.model.loss_)
            after_epoch()
        return losses

    @property
    def parameters(self) -> Parameters:
        return tuple(
            Weights(W.copy(), b.copy())
            for W, b in zip(self.model.coefs_, self.model.intercepts_, strict=True)
        )


class Products(Peer):
    """Nothing but a step's matrix products: a @ W, a.T @ dz and, but for the first layer, dz @ W.T.

    No step in NumPy can be quicker.
    """

    name = "bare products"

    def too_much(self) -> Iterator[str]:
        yield from ()

    def build(self) -> None:
        size, widths = self.batch_size, self.case.network.widths
        self.W = [W for W, _ in self.case.parameters]
        self.a = [np.ones((size, width), self.x.dtype) for width in widths[:-1]]
        self.dz = [np.ones((size, width), self.x.dtype) for width in widths[1:]]

    def fit(self, after_epoch: AfterEpoch) -> list[float]:
        for _ in range(self.training.epochs):
            for _ in range(0, len(self.x), self.batch_size):
                for l, (W, a, dz) in enumerate(zip(self.W, self.a, self.dz, strict=True)):
                    a @ W
                    a.T @ dz
                    if l:
                        dz @ W.T
            after_epoch()
        return []

    @property
    def parameters(self) -> Parameters:
        return self.case.parameters


PEERS: dict[str, type[Peer]] = {
    peer.name: peer for peer in (KerasFit, Jax, PyTorch, ScikitLearn, Products)
}


def library(name: str) -> Any:
    """A module of a library.

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


def function(functions: Any, layer: Layer) -> Callable[[Any], Any]:
    """A layer's activation out of a library's, with its α where it has one."""
    if layer.activation == "linear":
        return lambda z: z
    g = getattr(functions, layer.activation)
    return (lambda z: g(z, *layer.arguments.values())) if layer.arguments else g


def changed(given: Layer | Training, besides: tuple[str, ...]) -> list[str]:
    """Which fields of a layer or a training, besides some, are not as they are unless given."""
    fields: Any = dataclasses.fields(given)
    return [
        field.name
        for field in fields
        if field.name not in besides and getattr(given, field.name) != field.default
    ]
