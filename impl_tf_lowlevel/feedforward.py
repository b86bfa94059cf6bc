"""A feedforward network on TensorFlow's variables; the gradient tape goes backwards.

Forward, layer by layer:   z[l] = a[l] @ W[l] + b[l],   a[l+1] = g(z[l]),   a[0] = x
Backward:                  the tape records the forward pass and differentiates the loss

In training a layer may be given less of a[l], by dropout, and its W[l] may add to the loss.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import tensorflow as tf

from impl_tf_lowlevel import activations, losses, regularisation
from impl_tf_lowlevel.optimizers import Optimizer
from shared import (
    Array,
    Checkpoint,
    Dataset,
    History,
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
from shared.quiet import silent_stderr

__all__ = ["FeedForward"]

# XLA takes a second to compile an epoch, and saves a tenth of a millisecond a step.
STEPS_WORTH_XLA = 10_000

# How many bytes of rows a graph is given at once: to start it takes as long as twenty small steps.
CHUNK_BYTES = 2**23

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
        self.compiled: dict[tuple[Optimizer, int], Any] = {}

    @property
    def parameters(self) -> Parameters:
        """A copy of W and b as they are now."""
        return tuple(
            Weights(W.numpy().copy(), b.numpy().copy()) for W, b in zip(self.W, self.b, strict=True)
        )

    def load(self, parameters: Parameters) -> None:
        """Take these for W and b."""
        for W, b, given in zip(self.W, self.b, parameters, strict=True):
            W.assign(given.W)
            b.assign(given.b)

    def predict(self, x: Any) -> Array:
        """The output a[L] (N, D[L]) for inputs x (N, D[0])."""
        return self.forward(x).a[-1]

    def forward(self, x: Any) -> Trace:
        """z and a of every layer for inputs x (N, D[0])."""
        z, a = self.propagate(tf.constant(check_inputs(self.network, x)))
        return Trace(z=_numpy(z), a=_numpy(a))

    def evaluate(self, x: Any, y: Any) -> float:
        """The loss of inputs x (N, D[0]) and targets y (N, D[L]), as a network in use has it."""
        x = check_inputs(self.network, x)
        y = check_targets(self.network, y, len(x))
        output = self.output(*self.propagate(tf.constant(x)))
        return float(self.loss(tf.constant(y), output) + self.penalty())

    def backward(self, x: Any, y: Any, masks: dict[int, Array] | None = None) -> Trace:
        """The loss and its derivatives for a batch x (N, D[0]), y (N, D[L]); updates nothing.

        With ``masks`` of the units that it keeps, there is dropout.
        """
        x = check_inputs(self.network, x)
        y = check_targets(self.network, y, len(x))
        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            z, a = self.propagate(inputs, masks)
            loss = self.loss(tf.constant(y), self.output(z, a)) + self.penalty()
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
        optimizer = self.optimizer_for(training)
        trace = self.backward(x, y, training.masks(self.network, optimizer.steps, len(x)))
        dW, db = tf.nest.map_structure(tf.constant, (trace.dW, trace.db))
        self.update(dW, db, optimizer)
        W_next, b_next = zip(*self.parameters, strict=True)
        return dataclasses.replace(trace, W_next=W_next, b_next=b_next, slots=optimizer.slots)

    def fit(
        self,
        dataset: Dataset,
        training: Training,
        on_epoch: OnEpoch | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> History:
        """Train on all of a data set's batches, epoch after epoch; or go on from a checkpoint.

        Batches are pieced together, to an epoch or some MiB, and each piece is a run of a graph.
        """
        run = Run(self, dataset, training, on_epoch, checkpoint)
        descend = self.compiled_descent(training, len(run.x))
        for epoch in run.epochs():
            losses = []
            for x, y, masks in run.masked_chunks(epoch, CHUNK_BYTES):
                is_new = descend.experimental_get_tracing_count() == 0
                with silent_stderr() if is_new else nullcontext():  # XLA reports what it finds
                    losses.append(descend(tf.constant(x), tf.constant(y), masks).numpy())
            run.end_steps(np.concatenate(losses))
        return run.history

    def compiled_descent(self, training: Training, n_rows: int) -> Any:
        """A graph that makes a step on each batch of its rows; kept, once it is compiled.

        It takes x, y and the masks of dropout, and gives the loss of each step.
        """
        optimizer, size = self.optimizer_for(training), training.batch_size or n_rows
        if (optimizer, size) in self.compiled:
            return self.compiled[optimizer, size]
        n_steps = training.epochs * len(training.sizes(n_rows))

        @tf.function(jit_compile=n_steps >= STEPS_WORTH_XLA)
        def descend(*rows: Any) -> tf.Tensor:
            n_whole, rest = divmod(len(rows[0]), size)
            losses = tf.TensorArray(rows[0].dtype, n_whole + (rest > 0))
            if n_whole:
                batches = tf.nest.map_structure(
                    lambda each: tf.reshape(each[: n_whole * size], (n_whole, size, each.shape[1])),
                    rows,
                )
                for i in tf.range(n_whole):
                    batch = tf.nest.map_structure(lambda each, i=i: each[i], batches)
                    losses = losses.write(i, step(*batch))
            if rest:
                last = tf.nest.map_structure(lambda each: each[-rest:], rows)
                losses = losses.write(n_whole, step(*last))
            return losses.stack()

        def step(x: tf.Tensor, y: tf.Tensor, masks: dict[int, tf.Tensor]) -> tf.Tensor:
            with tf.GradientTape() as tape:
                loss = self.loss(y, self.output(*self.propagate(x, masks))) + self.penalty()
            dW, db = tape.gradient(loss, [self.W, self.b], **ZERO)
            self.update(dW, db, optimizer)
            return loss

        self.compiled = {(optimizer, size): descend}
        return descend

    def propagate(
        self, x: tf.Tensor, masks: dict[int, Any] | None = None
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The forward pass, with or without dropout: z[0..L-1] and a[0..L]."""
        z, a = [], [x]
        for l in range(len(self.W)):
            z.append(self.net_input(l, self.drop(l, a[l], masks or {})))
            a.append(self.activation(l, z[l]))
        return z, a

    def drop(self, l: int, a: tf.Tensor, masks: dict[int, Any]) -> tf.Tensor:
        """What layer l is given of a[l]: in training what dropout leaves of it, else all."""
        if l not in masks:
            return a
        layer = self.network.layers[l - 1]
        drop = regularisation.alpha_dropout if layer.alpha_dropout else regularisation.dropout
        return drop(a, masks[l], layer.dropout_rate)

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

    def penalty(self) -> tf.Tensor:
        """What the weights add to the loss."""
        penalties = [
            regularisation.penalty(W, layer.l1, layer.l2)
            for W, layer in zip(self.W, self.network.layers, strict=True)
            if layer.is_penalised
        ]
        return sum(penalties, tf.zeros((), self.network.dtype))

    def update(
        self, dW: Sequence[tf.Tensor], db: Sequence[tf.Tensor], optimizer: Optimizer
    ) -> None:
        """The optimizer's step on W and b; what is frozen gets none."""
        gradients = []
        for l, layer in enumerate(self.network.layers):
            gradients.append(dW[l] if layer.trainable else tf.zeros_like(dW[l]))
        for l, layer in enumerate(self.network.layers):
            free = layer.trainable and not layer.fixed_bias
            gradients.append(db[l] if free else tf.zeros_like(db[l]))
        optimizer.apply(gradients)

    def optimizer_for(self, training: Training) -> Optimizer:
        """The optimizer of a training run; what it keeps lasts as long as the run is the same."""
        if self.optimizer is None or self.optimizer.training != training:
            self.optimizer = Optimizer(training, [*self.W, *self.b])
        return self.optimizer


def _numpy(tensors: Sequence[tf.Tensor]) -> tuple[Array, ...]:
    return tuple(tensor.numpy() for tensor in tensors)
