"""A feedforward network as a Keras ``Sequential`` model, compiled and fitted.

Each layer is a Dense layer, z[l] = a[l] @ W[l] + b[l], and an Activation, a[l+1] = g(z[l]). Where
the loss takes the output's z, the model ends there and the last activation stands behind it.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from impl_keras.activations import ACTIVATIONS
from impl_keras.losses import LOSSES
from impl_keras.optimizers import Optimizer
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
        with default_dtype(network.dtype):
            self.dense = [
                dense_layer(layer, weights)
                for layer, weights in zip(network.layers, start, strict=True)
            ]
            self.activations = [
                keras.layers.Activation(partial(ACTIVATIONS[layer.activation], **layer.arguments))
                for layer in network.layers
            ]
            layers = [
                part for pair in zip(self.dense, self.activations, strict=True) for part in pair
            ]
            self.model = keras.Sequential(layers[:-1] if network.loss_from_logits else layers)
        self.optimizer: Optimizer | None = None

    @property
    def parameters(self) -> Parameters:
        """A copy of W and b as they are now."""
        return tuple(Weights(*dense.get_weights()) for dense in self.dense)

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
        W = [dense.kernel.value for dense in self.dense]
        b = [dense.bias.value for dense in self.dense]
        with tf.GradientTape() as tape:
            tape.watch([inputs, b])
            z, a = self.propagate(inputs)
            loss = self.loss(tf.constant(y), self.output(z, a))
        dz, dW, db, dx = tape.gradient(loss, [z, W, b, inputs], unconnected_gradients="zero")
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
        optimizer = self.compile(training)
        trace = self.backward(x, y)
        self.update(trace.dW, trace.db, optimizer)
        W_next, b_next = zip(*self.parameters, strict=True)
        return dataclasses.replace(trace, W_next=W_next, b_next=b_next, slots=optimizer.slots)

    def fit(self, dataset: Dataset, training: Training, on_epoch: OnEpoch | None = None) -> History:
        """Train on all of a data set's batches, epoch after epoch."""
        x = check_inputs(self.network, dataset.x)
        y = check_targets(self.network, dataset.y, len(x))
        self.compile(training)
        return fit_batches(self.model, x, y, training, on_epoch)

    def propagate(self, x: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The forward pass: z[0..L-1] and a[0..L]."""
        z, a = [], [x]
        for dense, activation in zip(self.dense, self.activations, strict=True):
            z.append(dense(a[-1]))
            a.append(activation(z[-1]))
        return z, a

    def output(self, z: list[tf.Tensor], a: list[tf.Tensor]) -> tf.Tensor:
        """What the loss takes, z[L-1] or a[L] (N, D[L])."""
        return z[-1] if self.network.loss_from_logits else a[-1]

    def loss(self, y: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        """The compiled model's loss, a scalar, of targets and what it takes."""
        if not self.model.compiled:
            self.model.compile(loss=LOSSES[self.network.loss])
        with default_dtype(self.network.dtype):
            return self.model.compute_loss(y=y, y_pred=output)

    def update(self, dW: Sequence[Any], db: Sequence[Any], optimizer: Optimizer) -> None:
        """The optimizer's step on W and b; a bias that is fixed gets none."""
        free = [l for l, layer in enumerate(self.network.layers) if not layer.fixed_bias]
        optimizer.keras.apply(
            [*dW, *(db[l] for l in free)],
            [dense.kernel for dense in self.dense] + [self.dense[l].bias for l in free],
        )

    def compile(self, training: Training) -> Optimizer:
        """Compile the model for a training run; what its optimizer keeps lasts as long as that."""
        if self.optimizer is None or self.optimizer.training != training:
            kernels = [dense.kernel for dense in self.dense]
            with default_dtype(self.network.dtype):
                self.optimizer = Optimizer(training, kernels + [dense.bias for dense in self.dense])
                self.model.compile(optimizer=self.optimizer.keras, loss=LOSSES[self.network.loss])
        return self.optimizer


def dense_layer(layer: Layer, weights: Weights) -> keras.layers.Dense:
    """A Dense layer without activation that starts from ``weights``."""
    dense = keras.layers.Dense(
        layer.units,
        kernel_initializer=lambda shape, dtype: weights.W,
        bias_initializer=lambda shape, dtype: weights.b,
    )
    dense.build((None, len(weights.W)))
    dense.bias.trainable = not layer.fixed_bias
    return dense


@contextmanager
def default_dtype(dtype: str) -> Iterator[None]:
    """What Keras makes meanwhile is of ``dtype``: layers, losses, metrics, an optimizer's rate.

    Their default is float32, even around float64 layers: a rate of 0.1 would be 0.10000000149 and
    a loss would have float32's error. Setting floatx alone does not move the layers' own default.
    """
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def fit_batches(
    model: keras.Model, x: Array, y: Array, training: Training, on_epoch: OnEpoch | None
) -> History:
    """Keras's own ``fit`` on the batches, in the order, that all implementations see."""
    n_rows = len(x)

    def batches() -> Iterator[tuple[Array, Array]]:
        for epoch in range(training.epochs):
            for rows in training.batches(epoch, n_rows):
                yield x[rows], y[rows]

    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: on_epoch and on_epoch(epoch + 1, logs["loss"])
    )
    with default_dtype(x.dtype.name), warnings.catch_warnings():
        # Below a threshold unit there is no gradient, as it should be.
        warnings.filterwarnings("ignore", message="Gradients do not exist")
        run = model.fit(
            batches(),
            steps_per_epoch=math.ceil(n_rows / (training.batch_size or n_rows)),
            epochs=training.epochs,
            shuffle=False,
            verbose=0,
            callbacks=[report],
        )
    return History(loss=run.history["loss"])


def _numpy(tensors: Sequence[tf.Tensor]) -> tuple[Array, ...]:
    return tuple(tensor.numpy() for tensor in tensors)
