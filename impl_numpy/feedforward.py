"""A feedforward network with backpropagation written out by hand.

Forward, layer by layer:   z[l] = a[l] @ W[l] + b[l],   a[l+1] = g(z[l]),   a[0] = x
Backward, from the last:   dz[L-1] from the loss, then  dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l])
For each layer:            dW[l] = a[l].T @ dz[l],      db[l] = Σ rows dz[l]
(Rumelhart, Hinton and Williams 1986; UIO-10)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from impl_numpy import losses
from impl_numpy.activations import ACTIVATIONS, BACKWARD
from impl_numpy.optimizers import Optimizer
from shared import (
    Array,
    Dataset,
    History,
    Layer,
    Network,
    OnEpoch,
    Parameters,
    Trace,
    Training,
    Weights,
    check_inputs,
    check_parameters,
    check_targets,
)

__all__ = ["FeedForward"]


class FeedForward:
    """A network of any depth.

    Args:
        network: its layers and its loss.
        parameters: where it starts; W[l] (D[l], D[l+1]) and b[l] (D[l+1],) for each layer.

    Raises:
        InputError: the parameters do not fit the network.
    """

    def __init__(self, network: Network, parameters: Parameters) -> None:
        self.network = network
        start = check_parameters(network, parameters)
        self.W = [W for W, _ in start]
        self.b = [b for _, b in start]
        self.g = [bind(ACTIVATIONS, layer) for layer in network.layers]
        self.g_backward = [bind(BACKWARD, layer) for layer in network.layers]
        self.fixed = [l for l, layer in enumerate(network.layers) if layer.fixed_bias]
        self.dW = [np.empty_like(W) for W in self.W]  # kept: allocating them takes long
        self.optimizer: Optimizer | None = None

    @property
    def parameters(self) -> Parameters:
        """A copy of W and b as they are now."""
        return tuple(Weights(W.copy(), b.copy()) for W, b in zip(self.W, self.b, strict=True))

    def predict(self, x: Any) -> Array:
        """The output a[L] (N, D[L]) for inputs x (N, D[0])."""
        return self.forward(x).a[-1]

    def forward(self, x: Any) -> Trace:
        """z and a of every layer for inputs x (N, D[0])."""
        z, a = self.propagate(check_inputs(self.network, x))
        return Trace(z=tuple(z), a=tuple(a))

    def backward(self, x: Any, y: Any) -> Trace:
        """The loss and its derivatives for a batch x (N, D[0]), y (N, D[L]); updates nothing."""
        x = check_inputs(self.network, x)
        y = check_targets(self.network, y, len(x))
        z, a = self.propagate(x)
        dz, dW, db = self.backpropagate(y, z, a)
        return Trace(
            z=tuple(z),
            a=tuple(a),
            y=y,
            loss=self.loss(y, self.output(z, a)),
            dz=tuple(dz),
            dW=tuple(gradient.copy() for gradient in dW),
            db=tuple(db),
            dx=self.input_gradient(dz),
        )

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        """One update of gradient descent on a batch, with every number that went into it."""
        trace = self.backward(x, y)
        self.update([dW.copy() for dW in trace.dW], [db.copy() for db in trace.db], training)
        W_next, b_next = zip(*self.parameters, strict=True)
        slots = self.optimizer_for(training).slots
        return dataclasses.replace(trace, W_next=W_next, b_next=b_next, slots=slots)

    def fit(self, dataset: Dataset, training: Training, on_epoch: OnEpoch | None = None) -> History:
        """Train on all of a data set's batches, epoch after epoch."""
        x = check_inputs(self.network, dataset.x)
        y = check_targets(self.network, dataset.y, len(x))
        history = History()
        for epoch in range(training.epochs):
            batches = list(training.batches(epoch, len(x)))
            outputs = [
                self.descend(x.take(rows, axis=0), y.take(rows, axis=0), training)
                for rows in batches
            ]
            visited = y[np.concatenate(batches)]
            history.loss.append(float(self.loss(visited, np.concatenate(outputs))))
            if on_epoch:
                on_epoch(epoch + 1, history.loss[-1])
        return history

    def descend(self, x: Array, y: Array, training: Training) -> Array:
        """One update on a batch that has been checked; gives the output that the loss takes."""
        z, a = self.propagate(x)
        _, dW, db = self.backpropagate(y, z, a)
        self.update(dW, db, training)
        return self.output(z, a)

    def propagate(self, x: Array) -> tuple[list[Array], list[Array]]:
        """The forward pass: z[0..L-1] and a[0..L]."""
        z, a = [], [x]
        for l in range(len(self.W)):
            z.append(self.net_input(l, a[l]))
            a.append(self.activation(l, z[l]))
        return z, a

    def net_input(self, l: int, a: Array) -> Array:
        """z[l] = a[l] @ W[l] + b[l]."""
        z = np.dot(a, self.W[l])  # (N, D[l+1])
        z += self.b[l]
        return z

    def activation(self, l: int, z: Array) -> Array:
        """a[l+1] = g(z[l])."""
        return self.g[l](z)

    def output(self, z: list[Array], a: list[Array]) -> Array:
        """What the loss takes, z[L-1] or a[L] (N, D[L])."""
        return z[-1] if self.network.loss_from_logits else a[-1]

    def loss(self, y: Array, output: Array) -> Array:
        """The loss, a scalar, of targets and what it takes."""
        return losses.LOSSES[self.network.loss](y, output)

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        """The backward pass: dz, dW and db of every layer."""
        dz = [self.output_delta(y, z[-1], a[-1])]
        for l in reversed(range(len(self.W) - 1)):
            dz.insert(0, self.hidden_delta(l, dz[0], z[l], a[l + 1]))
        dW = [self.weight_gradient(l, a[l], dz[l]) for l in range(len(dz))]
        db = [self.bias_gradient(dz[l]) for l in range(len(dz))]
        return dz, dW, db

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        """dz[L-1] (N, D[L]), straight from the loss of logits, or through the activation."""
        derivative = losses.BACKWARD[self.network.loss]
        if self.network.loss_from_logits:
            return derivative(y, z, a)
        return self.activation_backward(len(self.W) - 1, derivative(y, z, a), z, a)

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        """dz[l] (N, D[l+1]) from dz[l+1]: a unit answers for every unit that it feeds."""
        da = np.dot(dz_next, self.W[l + 1].T)  # (N, D[l+1])
        return self.activation_backward(l, da, z, a)

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        """dz = da · g'(z)."""
        return self.g_backward[l](da, z, a)

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        """dW[l] = a[l].T @ dz[l], (D[l], D[l+1])."""
        return np.dot(a.T, dz, out=self.dW[l])

    def bias_gradient(self, dz: Array) -> Array:
        """db[l] = Σ rows dz[l], (D[l+1],)."""
        return np.add.reduce(dz)

    def input_gradient(self, dz: list[Array]) -> Array:
        """dx = dz[0] @ W[0].T, (N, D[0])."""
        return dz[0] @ self.W[0].T

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        """The optimizer's step on W and b; a fixed bias gets none. The gradients are used up."""
        for l in self.fixed:
            db[l][:] = 0
        self.optimizer_for(training).apply([*dW, *db])

    def optimizer_for(self, training: Training) -> Optimizer:
        """The optimizer of a training run; what it keeps lasts as long as the run is the same."""
        known = self.optimizer
        if known is None or (known.training is not training and known.training != training):
            known = self.optimizer = Optimizer(training, [*self.W, *self.b])
        return known


def bind(functions: dict[str, Callable[..., Array]], layer: Layer) -> Callable[..., Array]:
    """A layer's own function out of a table, with its α where it has one."""
    function = functions[layer.activation]
    return partial(function, **layer.arguments) if layer.arguments else function
