"""A feedforward network as a Keras ``Sequential`` model, compiled and fitted.

Each layer is a Dense layer, z[l] = a[l] @ W[l] + b[l], and an Activation, a[l+1] = g(z[l]), with a
Dropout behind it where it has one. Where the loss takes the output's z, the model ends there and
the last activation stands behind it.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from impl_keras import regularisation
from impl_keras.activations import ACTIVATIONS
from impl_keras.losses import LOSSES
from impl_keras.optimizers import Optimizer
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
            self.dropout = {l: Dropout(layer, l) for l, layer in network.dropping.items()}
            layers: list[keras.layers.Layer] = []
            for l, part in enumerate(zip(self.dense, self.activations, strict=True), start=1):
                layers += [*part, self.dropout[l]] if l in self.dropout else part
            self.model = Sequential(layers[:-1] if network.loss_from_logits else layers)
        self.optimizer: Optimizer | None = None

    @property
    def parameters(self) -> Parameters:
        """A copy of W and b as they are now."""
        return tuple(Weights(*dense.get_weights()) for dense in self.dense)

    def load(self, parameters: Parameters) -> None:
        """Take these for W and b."""
        for dense, (W, b) in zip(self.dense, parameters, strict=True):
            dense.set_weights([W, b])

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
        return float(self.loss(tf.constant(y), self.output(*self.propagate(tf.constant(x)))))

    def backward(self, x: Any, y: Any, masks: dict[int, Array] | None = None) -> Trace:
        """The loss and its derivatives for a batch x (N, D[0]), y (N, D[L]); updates nothing.

        With ``masks`` of the units that it keeps, there is dropout.
        """
        x = check_inputs(self.network, x)
        y = check_targets(self.network, y, len(x))
        inputs = tf.constant(x)
        W = [dense.kernel.value for dense in self.dense]
        b = [dense.bias.value for dense in self.dense]
        with tf.GradientTape() as tape:
            tape.watch([inputs, b])
            z, a = self.propagate(inputs, masks)
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
        optimizer = self.optimizer_for(training)
        trace = self.backward(x, y, training.masks(self.network, optimizer.steps, len(x)))
        self.update(trace.dW, trace.db, optimizer)
        W_next, b_next = zip(*self.parameters, strict=True)
        return dataclasses.replace(trace, W_next=W_next, b_next=b_next, slots=optimizer.slots)

    def fit(
        self,
        dataset: Dataset,
        training: Training,
        on_epoch: OnEpoch | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> History:
        """Train on all of a data set's batches, epoch after epoch; or go on from a checkpoint."""
        return fit_run(self.model, Run(self, dataset, training, on_epoch, checkpoint))

    def save(self, path: Path) -> None:
        """Write the network as it is now to a ``.keras`` file, see :func:`plain_model`."""
        plain_model(self.network, self.parameters).save(path)

    def propagate(
        self, x: tf.Tensor, masks: dict[int, Array] | None = None
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The forward pass, with or without dropout: z[0..L-1] and a[0..L]."""
        self.model.take(masks or {})
        z, a, given = [], [x], x
        for l, (dense, activation) in enumerate(zip(self.dense, self.activations, strict=True), 1):
            z.append(dense(given))
            a.append(activation(z[-1]))
            given = self.dropout[l](a[-1]) if l in self.dropout else a[-1]
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
        """The optimizer's step on W and b; what is frozen gets none."""
        pairs = [
            (gradient, variable)
            for dense, *gradients in zip(self.dense, dW, db, strict=True)
            for gradient, variable in zip(gradients, (dense.kernel, dense.bias), strict=True)
            if variable.trainable
        ]
        if pairs:
            optimizer.keras.apply(*map(list, zip(*pairs, strict=True)))

    def optimizer_for(self, training: Training) -> Optimizer:
        """The compiled model's; what it keeps lasts as long as the training run is the same."""
        if self.optimizer is None or self.optimizer.training != training:
            kernels = [dense.kernel for dense in self.dense]
            with default_dtype(self.network.dtype):
                self.optimizer = Optimizer(training, kernels + [dense.bias for dense in self.dense])
                self.model.compile(optimizer=self.optimizer.keras, loss=LOSSES[self.network.loss])
        return self.optimizer


class Sequential(keras.Sequential):
    """Keras's, but each batch comes with the masks of its dropout, and finite losses are counted.

    Args:
        layers: as for ``keras.Sequential``.
    """

    def __init__(self, layers: Sequence[keras.layers.Layer]) -> None:
        super().__init__(layers)
        self.n_finite = keras.Variable(0, dtype="int32", trainable=False)

    def take(self, masks: dict[int, Any]) -> None:
        """Use these masks of a[l], by l, from now on."""
        for layer in self.layers:
            if isinstance(layer, Dropout):
                layer.kept = masks.get(layer.l)

    def train_step(self, data: Any) -> Any:
        """Keras's own step on a batch x and y."""
        x, y, *masks = data
        self.take(masks[0] if masks else {})
        logs = super().train_step((x, y))
        self.take({})
        self.n_finite.assign_add(keras.ops.cast(keras.ops.isfinite(logs["loss"]), "int32"))
        return logs


class Dropout(keras.layers.Layer):
    """Dropout by the mask that it was given last; nothing without one.

    Args:
        layer: whose units it drops.
        l: of the a[l] that they are.
    """

    def __init__(self, layer: Layer, l: int) -> None:
        super().__init__()
        self.layer, self.l = layer, l
        self.kept: Any = None

    def call(self, a: Any) -> Any:
        """What is left of a."""
        if self.kept is None:
            return a
        drop = regularisation.alpha_dropout if self.layer.alpha_dropout else regularisation.dropout
        return drop(a, self.kept, self.layer.dropout_rate)


class EndEpoch(keras.callbacks.Callback):
    """Takes down each epoch in a run, and ends the training when the run says so."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.n_finite.assign(0)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        loss = float(logs["loss"])
        self.run.end_epoch(loss, None if math.isfinite(loss) else int(self.model.n_finite.numpy()))
        self.model.stop_training = self.run.is_over


def dense_layer(layer: Layer, weights: Weights) -> keras.layers.Dense:
    """A Dense layer without activation that starts from ``weights``."""
    dense = keras.layers.Dense(
        layer.units,
        kernel_initializer=lambda shape, dtype: weights.W,
        bias_initializer=lambda shape, dtype: weights.b,
        kernel_regularizer=partial(regularisation.penalty, l1=layer.l1, l2=layer.l2)
        if layer.is_penalised
        else None,
        trainable=layer.trainable,
    )
    dense.build((None, len(weights.W)))
    dense.bias.trainable = layer.trainable and not layer.fixed_bias
    return dense


def plain_model(network: Network, parameters: Parameters) -> keras.Sequential:
    """The network of Keras's own layers, from x (N, D[0]) to a[L] (N, D[L]); not compiled.

    Saved, it is opened by ``keras.models.load_model`` alone, but for step, sign and scaled tanh:
    Keras lacks them, and needs ``import impl_keras`` first. In float64, Keras rounds leaky ReLU's
    slope to float32, and in ``model.predict(x)``, unlike ``model(x)``, also x.
    """
    with default_dtype(network.dtype):
        model = keras.Sequential([keras.Input((network.n_features,))])
        for layer, weights in zip(network.layers, parameters, strict=True):
            penalty = keras.regularizers.L1L2(layer.l1, layer.l2) if layer.is_penalised else None
            dense = keras.layers.Dense(
                layer.units, kernel_regularizer=penalty, trainable=layer.trainable
            )
            model.add(dense)
            model.add(activation_layer(layer))
            dense.set_weights(weights)
            if layer.dropout_rate:
                kind = "AlphaDropout" if layer.alpha_dropout else "Dropout"
                model.add(getattr(keras.layers, kind)(layer.dropout_rate))
        return model


def activation_layer(layer: Layer) -> keras.layers.Layer:
    """Keras's own layer for an activation, if it has one."""
    match layer.activation:
        case "leaky_relu":
            return keras.layers.LeakyReLU(negative_slope=layer.arguments["alpha"])
        case "elu":
            return keras.layers.ELU(layer.arguments["alpha"])
        case "step" | "sign" | "scaled_tanh" as name:
            return keras.layers.Activation(ACTIVATIONS[name])
        case name:
            return keras.layers.Activation(name)


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


def fit_run(model: Sequential, run: Run) -> History:
    """Keras's own ``fit`` on the batches, in the order, that all implementations see."""
    if not run.is_over:
        training, made = run.training, len(run.history.loss)
        if model.steps_per_execution != run.steps_of_epoch:
            model.steps_per_execution = run.steps_of_epoch
            model.train_function = None

        def chunks() -> Iterator[Any]:
            for epoch in range(made, training.epochs):
                for x, y, masks in run.masked_chunks(epoch):
                    yield x.copy(), y, masks  # TensorFlow takes arrays as they are, and looks later

        def batches(*piece: Any) -> tf.data.Dataset:
            whole = tf.data.Dataset.from_tensor_slices(piece)
            return whole.batch(training.batch_size or len(run.x))

        like_first = tf.nest.map_structure(
            lambda part: tf.TensorSpec((None, part.shape[1]), part.dtype), next(chunks())
        )
        data = tf.data.Dataset.from_generator(chunks, output_signature=like_first)
        with default_dtype(run.x.dtype.name), warnings.catch_warnings():
            # Below a threshold unit there is no gradient, as it should be.
            warnings.filterwarnings("ignore", message="Gradients do not exist")
            model.fit(
                data.flat_map(batches),
                steps_per_epoch=run.steps_of_epoch,
                initial_epoch=made,
                epochs=training.epochs,
                shuffle=False,
                verbose=0,
                callbacks=[EndEpoch(run)],
            )
    run.finish()
    return run.history


def _numpy(tensors: Sequence[tf.Tensor]) -> tuple[Array, ...]:
    return tuple(tensor.numpy() for tensor in tensors)
