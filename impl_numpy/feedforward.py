"""A feedforward network with backpropagation written out by hand.

Forward, layer by layer:   z[l] = a[l] @ W[l] + b[l],   a[l+1] = g(z[l]),   a[0] = x
Backward, from the last:   dz[L-1] from the loss, then  dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l])
For each layer:            dW[l] = a[l].T @ dz[l],      db[l] = Σ rows dz[l]
(Rumelhart, Hinton and Williams 1986; UIO-10)

In training a layer may be given less of a[l], by dropout, and its W[l] may add to the loss.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from impl_numpy import losses, regularisation
from impl_numpy.activations import ACTIVATIONS, BACKWARD
from impl_numpy.optimizers import Optimizer
from shared import (
    Array,
    Checkpoint,
    Dataset,
    History,
    Layer,
    Network,
    OnEpoch,
    Parameters,
    Run,
    Trace,
    Training,
    Weights,
    check_inputs,
    check_parameters,
    check_targets,
)

__all__ = ["FeedForward"]

# How many bytes of outputs wait for their loss.
LOSSES_AT_ONCE = 2**17


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
        layers = list(enumerate(network.layers))
        self.frozen = [l for l, layer in layers if not layer.trainable]
        self.fixed = [l for l, layer in layers if layer.fixed_bias or not layer.trainable]
        self.penalised = [l for l, layer in layers if layer.is_penalised]
        self.masks: dict[int, Array] = {}  # of the units that dropout keeps, while training
        self.dW = [np.empty_like(W) for W in self.W]  # kept: allocating them takes long
        self.optimizer: Optimizer | None = None

    @property
    def parameters(self) -> Parameters:
        """A copy of W and b as they are now."""
        return tuple(Weights(W.copy(), b.copy()) for W, b in zip(self.W, self.b, strict=True))

    def load(self, parameters: Parameters) -> None:
        """Take these for W and b."""
        for W, b, given in zip(self.W, self.b, parameters, strict=True):
            W[...], b[...] = given

    def predict(self, x: Any) -> Array:
        """The output a[L] (N, D[L]) for inputs x (N, D[0])."""
        return self.forward(x).a[-1]

    def forward(self, x: Any) -> Trace:
        """z and a of every layer for inputs x (N, D[0])."""
        z, a = self.propagate(check_inputs(self.network, x))
        return Trace(z=tuple(z), a=tuple(a))

    def evaluate(self, x: Any, y: Any) -> float:
        """The loss of inputs x (N, D[0]) and targets y (N, D[L]), as a network in use has it."""
        x = check_inputs(self.network, x)
        y = check_targets(self.network, y, len(x))
        return float(self.loss(y, self.output(*self.propagate(x))) + self.penalty())

    def backward(self, x: Any, y: Any, masks: dict[int, Array] | None = None) -> Trace:
        """The loss and its derivatives for a batch x (N, D[0]), y (N, D[L]); updates nothing.

        With ``masks`` of the units that it keeps, there is dropout.
        """
        x = check_inputs(self.network, x)
        y = check_targets(self.network, y, len(x))
        z, a = self.propagate(x, masks)
        dz, dW, db = self.backpropagate(y, z, a)
        return Trace(
            z=tuple(z),
            a=tuple(a),
            y=y,
            loss=self.loss(y, self.output(z, a)) + self.penalty(),
            dz=tuple(dz),
            dW=tuple(gradient.copy() for gradient in dW),
            db=tuple(db),
            dx=self.input_gradient(dz),
        )

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        """One update of gradient descent on a batch, with every number that went into it."""
        trace = self.backward(x, y, self.masks_of_step(training, len(x)))
        self.update([dW.copy() for dW in trace.dW], [db.copy() for db in trace.db], training)
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
        """Train on all of a data set's batches, epoch after epoch; or go on from a checkpoint."""
        run = Run(self, dataset, training, on_epoch, checkpoint)
        for epoch in run.epochs():
            losses = Losses(self)
            for x, y in run.batches(epoch):
                losses.add(y, *self.descend(x, y, training))
            run.end_steps(losses.of_steps())
        return run.history

    def descend(self, x: Array, y: Array, training: Training) -> tuple[Array, Array | float]:
        """One update on a batch that has been checked; gives what the loss is made of."""
        z, a = self.propagate(x, self.masks_of_step(training, len(x)))
        _, dW, db = self.backpropagate(y, z, a)
        penalty = self.penalty()
        self.update(dW, db, training)
        return self.output(z, a), penalty

    def propagate(
        self, x: Array, masks: dict[int, Array] | None = None
    ) -> tuple[list[Array], list[Array]]:
        """The forward pass, with or without dropout: z[0..L-1] and a[0..L]."""
        self.masks = masks or {}
        z, a = [], [x]
        for l in range(len(self.W)):
            z.append(self.net_input(l, self.drop(l, a[l])))
            a.append(self.activation(l, z[l]))
        return z, a

    def drop(self, l: int, a: Array) -> Array:
        """What layer l is given of a[l]: in training what dropout leaves of it, else all."""
        if l not in self.masks:
            return a
        layer = self.network.layers[l - 1]
        drop = regularisation.alpha_dropout if layer.alpha_dropout else regularisation.dropout
        return drop(a, self.masks[l], layer.dropout_rate)

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
        dW = [self.weight_gradient(l, self.drop(l, a[l]), dz[l]) for l in range(len(dz))]
        for l in self.penalised:
            dW[l] += self.penalty_gradient(l)
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
        return self.activation_backward(l, self.drop_backward(l + 1, da), z, a)

    def drop_backward(self, l: int, da: Array) -> Array:
        """The derivative with respect to a[l], from that to what dropout left of it."""
        if l not in self.masks:
            return da
        layer = self.network.layers[l - 1]
        if layer.alpha_dropout:
            return regularisation.alpha_dropout_backward(da, self.masks[l], layer.alpha_dropout)
        return regularisation.dropout_backward(da, self.masks[l], layer.dropout)

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        """dz = da · g'(z)."""
        return self.g_backward[l](da, z, a)

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        """dW[l] = a[l].T @ dz[l], (D[l], D[l+1])."""
        return np.dot(a.T, dz, out=self.dW[l])

    def penalty(self) -> Array | float:
        """What the weights add to the loss."""
        layers = [(self.W[l], self.network.layers[l]) for l in self.penalised]
        return sum(regularisation.penalty(W, layer.l1, layer.l2) for W, layer in layers)

    def penalty_gradient(self, l: int) -> Array:
        """What W[l] adds to dW[l], (D[l], D[l+1])."""
        layer = self.network.layers[l]
        return regularisation.penalty_gradient(self.W[l], layer.l1, layer.l2)

    def bias_gradient(self, dz: Array) -> Array:
        """db[l] = Σ rows dz[l], (D[l+1],)."""
        return np.add.reduce(dz)

    def input_gradient(self, dz: list[Array]) -> Array:
        """dx = dz[0] @ W[0].T, (N, D[0])."""
        return dz[0] @ self.W[0].T

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        """The optimizer's step on W and b; what is frozen gets none. The gradients are used up."""
        for l in self.frozen:
            dW[l][:] = 0
        for l in self.fixed:
            db[l][:] = 0
        self.optimizer_for(training).apply([*dW, *db])

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        """Which units dropout keeps in the step that is next, of ``n_rows`` rows."""
        return training.masks(self.network, self.optimizer_for(training).steps, n_rows)

    def optimizer_for(self, training: Training) -> Optimizer:
        """The optimizer of a training run; what it keeps lasts as long as the run is the same."""
        known = self.optimizer
        if known is None or (known.training is not training and known.training != training):
            known = self.optimizer = Optimizer(training, [*self.W, *self.b])
        return known


class Losses:
    """The losses of steps, worked out for many at once, which takes a fraction of the time.

    Args:
        net: that makes the steps.
    """

    def __init__(self, net: FeedForward) -> None:
        self.net = net
        self.known: list[float] = []
        self.steps: list[tuple[Array, Array, Array | float]] = []
        self.n_bytes = 0

    def add(self, y: Array, output: Array, penalty: Array | float) -> None:
        """Take down a step: its targets, and what its loss is made of."""
        self.steps.append((y, output, penalty))
        self.n_bytes += output.nbytes
        if self.n_bytes >= LOSSES_AT_ONCE:
            self.work_out()

    def work_out(self) -> None:
        """The steps' mean loss, for each of them; or each one's own, if not all are finite."""
        y, outputs, penalties = zip(*self.steps, strict=True)
        mean = self.net.loss(np.concatenate(y), np.concatenate(outputs))
        mean += np.average(penalties, weights=[len(rows) for rows in y])
        if np.isfinite(mean):
            self.known += [float(mean)] * len(y)
        else:
            self.known += [float(self.net.loss(*step) + more) for *step, more in self.steps]
        self.steps, self.n_bytes = [], 0

    def of_steps(self) -> list[float]:
        """Of all steps in order."""
        if self.steps:
            self.work_out()
        return self.known


def bind(functions: dict[str, Callable[..., Array]], layer: Layer) -> Callable[..., Array]:
    """A layer's own function out of a table, with its α where it has one."""
    function = functions[layer.activation]
    return partial(function, **layer.arguments) if layer.arguments else function
