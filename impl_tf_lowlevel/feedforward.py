"""A feedforward network on TensorFlow's variables; the gradient tape goes backwards.

Forward, layer by layer:   z[l] = a[l] @ W[l] + b[l],   a[l+1] = g(z[l]),   a[0] = x
Backward:                  the tape records the forward pass and differentiates the loss
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from impl_tf_lowlevel import activations, losses
from impl_tf_lowlevel.optimizers import Optimizer
from shared import (
    Array,
    Dataset,
    History,
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

# What the loss does not depend on has the derivative 0, not None.
ZERO = {"unconnected_gradients": "zero"}


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
        self.W = [tf.Variable(W) for W, _ in start]
        self.b = [tf.Variable(b) for _, b in start]
        self.optimizer: Optimizer | None = None

    @property
    def parameters(self) -> Parameters:
        """A copy of W and b as they are now."""
        return tuple(
            Weights(W.numpy().copy(), b.numpy().copy()) for W, b in zip(self.W, self.b, strict=True)
        )

    def predict(self, x: Any) -> Array:
        """The output a[L] (N, D[L]) for inputs x (N, D[0])."""
        return self.forward(x).a[-1]

    def forward(self, x: Any) -> Trace:
        """z and a of every layer for inputs x (N, D[0])."""
        z, a = self.propagate(tf.constant(check_inputs(self.network, x)))
        return Trace(z=_numpy(z), a=_numpy(a))

    def backward(self, x: Any, y: Any) -> Trace:
        """The loss and its derivatives for a batch x (N, D[0]), y (N, D[L]); updates nothing."""
        x = check_inputs(self.network, x)
        y = check_targets(self.network, y, len(x))
        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            z, a = self.propagate(inputs)
            loss = self.loss(tf.constant(y), self.output(z, a))
        dz, dW, db, dx = tape.gradient(loss, [z, self.W, self.b, inputs], **ZERO)
        return Trace(
            z=_numpy(z),
            a=_numpy(a),
            y=y,
            loss=loss.numpy(),
            dz=_numpy(dz),
            dW=_numpy(dW),
            db=_numpy(db),
            dx=dx.numpy(),
        )

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        """One update of gradient descent on a batch, with every number that went into it."""
        trace = self.backward(x, y)
        dW, db = tf.nest.map_structure(tf.constant, (trace.dW, trace.db))
        optimizer = self.optimizer_for(training)
        self.update(dW, db, optimizer)
        W_next, b_next = zip(*self.parameters, strict=True)
        return dataclasses.replace(trace, W_next=W_next, b_next=b_next, slots=optimizer.slots)

    def fit(self, dataset: Dataset, training: Training, on_epoch: OnEpoch | None = None) -> History:
        """Train on all of a data set's batches; each epoch is a run of one compiled graph."""
        x = check_inputs(self.network, dataset.x)
        y = check_targets(self.network, dataset.y, len(x))
        run_epoch = self.compile_epoch(tf.constant(x), tf.constant(y), training)
        history = History()
        for epoch in range(training.epochs):
            order = tf.constant(training.order(epoch, len(x)))
            history.loss.append(float(run_epoch(order)))
            if on_epoch:
                on_epoch(epoch + 1, history.loss[-1])
        return history

    def compile_epoch(
        self, x: tf.Tensor, y: tf.Tensor, training: Training
    ) -> Callable[[tf.Tensor], tf.Tensor]:
        """A graph that takes the order of the rows, makes an epoch's updates, gives its loss."""
        n_rows = len(x)
        size = training.batch_size or n_rows
        optimizer = self.optimizer_for(training)

        @tf.function
        def run_epoch(order: tf.Tensor) -> tf.Tensor:
            total = tf.zeros((), x.dtype)
            for start in tf.range(0, n_rows, size):
                rows = order[start : start + size]
                targets = tf.gather(y, rows)
                with tf.GradientTape() as tape:
                    loss = self.loss(targets, self.output(*self.propagate(tf.gather(x, rows))))
                dW, db = tape.gradient(loss, [self.W, self.b], **ZERO)
                self.update(dW, db, optimizer)
                total += loss * tf.cast(len(rows), x.dtype)
            return total / n_rows

        return run_epoch.get_concrete_function(tf.TensorSpec([n_rows], tf.int64))

    def propagate(self, x: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The forward pass: z[0..L-1] and a[0..L]."""
        z, a = [], [x]
        for l in range(len(self.W)):
            z.append(self.net_input(l, a[l]))
            a.append(self.activation(l, z[l]))
        return z, a

    def net_input(self, l: int, a: tf.Tensor) -> tf.Tensor:
        """z[l] = a[l] @ W[l] + b[l]."""
        return a @ self.W[l] + self.b[l]  # (N, D[l+1])

    def activation(self, l: int, z: tf.Tensor) -> tf.Tensor:
        """a[l+1] = g(z[l])."""
        layer = self.network.layers[l]
        return activations.ACTIVATIONS[layer.activation](z, **layer.arguments)

    def output(self, z: list[tf.Tensor], a: list[tf.Tensor]) -> tf.Tensor:
        """What the loss takes, z[L-1] or a[L] (N, D[L])."""
        return z[-1] if self.network.loss_from_logits else a[-1]

    def loss(self, y: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        """The loss, a scalar, of targets and what it takes."""
        return losses.LOSSES[self.network.loss](y, output)

    def update(
        self, dW: Sequence[tf.Tensor], db: Sequence[tf.Tensor], optimizer: Optimizer
    ) -> None:
        """The optimizer's step on W and b; a bias that is fixed gets none."""
        layers = zip(self.network.layers, db, strict=True)
        free = [tf.zeros_like(each) if layer.fixed_bias else each for layer, each in layers]
        optimizer.apply([*dW, *free])

    def optimizer_for(self, training: Training) -> Optimizer:
        """The optimizer of a training run; what it keeps lasts as long as the run is the same."""
        if self.optimizer is None or self.optimizer.training != training:
            self.optimizer = Optimizer(training, [*self.W, *self.b])
        return self.optimizer


def _numpy(tensors: Sequence[tf.Tensor]) -> tuple[Array, ...]:
    return tuple(tensor.numpy() for tensor in tensors)
