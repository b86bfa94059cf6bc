"""A feedforward network as a Keras ``Sequential`` model, compiled and fitted.

Forward:     Dense is z[l] = a[l] @ W[l] + b[l], Activation is a[l+1] = g(z[l]), layer after layer
Backward:    ``fit`` differentiates the compiled loss; here a tape shows what it finds
Update:      the optimizer's own ``apply``, with the gradients and their variables (model.py)

docs/lecture-code.md sets the listings of the KTH lecture beside this code.
"""

from __future__ import annotations

from functools import partial

import keras
import tensorflow as tf

from impl_keras.batches import EndEpoch, batches
from impl_keras.layers import Dropout, Sequential, activation_layer, dense_layer
from impl_keras.losses import LOSSES
from impl_keras.model import Model
from shared import Derivatives, Masks, Parameters, Run

__all__ = ["FeedForward"]


class FeedForward(Model):
    """A feedforward network of any depth."""

    def build(self, start: Parameters) -> None:
        # Not Dense(units, activation="sigmoid"): a linear Dense and an Activation show z, too.
        layers = self.network.layers
        self.dense = [dense_layer(*each) for each in zip(layers, start, strict=True)]
        self.activations = [activation_layer(layer) for layer in layers]
        self.dropout = {l: Dropout(layer, l) for l, layer in self.network.dropping.items()}
        self.model = Sequential()
        for l, (dense, activation) in enumerate(zip(self.dense, self.activations, strict=True), 1):
            self.model.add(dense)
            self.model.add(activation)
            if l in self.dropout:
                self.model.add(self.dropout[l])
        # The cross-entropies take logits, because Keras clips bare probabilities at 1e-7: for them
        # the model ends with z, and the last Activation stands outside it.
        if self.network.loss_from_logits:
            self.model.pop()

    def compile(self, optimizer: keras.optimizers.Optimizer | None = None) -> None:
        # No metrics=["accuracy"]: it would judge logits. shared.accuracy takes outputs.
        loss = partial(LOSSES[self.network.loss], **self.network.loss_arguments)
        self.model.compile(optimizer=optimizer, loss=loss)

    def fit_epochs(self, run: Run) -> None:
        # All three implementations see the same batches, in the same order: no shuffle here.
        self.model.fit(
            batches(run),
            epochs=run.training.epochs,
            initial_epoch=len(run.history.loss),
            steps_per_epoch=run.steps_of_epoch,
            shuffle=False,
            verbose=0,
            callbacks=[EndEpoch(run)],
        )

    def propagate(
        self, x: tf.Tensor, masks: Masks | None = None
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The forward pass: z[0..L-1] and a[0..L]."""
        self.model.set_masks(masks or {})
        z, a, given = [], [x], x
        for l, (dense, activation) in enumerate(zip(self.dense, self.activations, strict=True), 1):
            z.append(dense(given))
            a.append(activation(z[-1]))
            given = self.dropout[l](a[-1]) if l in self.dropout else a[-1]
        return z, a

    def backpropagate(self, x: tf.Tensor, y: tf.Tensor, masks: Masks | None = None) -> Derivatives:
        """The forward pass on a tape, the compiled loss, and the tape's derivatives of it."""
        W = [dense.kernel.value for dense in self.dense]
        b = [bias.value for bias in self.biases]
        with tf.GradientTape() as tape:
            tape.watch([x, b])
            z, a = self.propagate(x, masks)
            loss = self.loss(y, self.output(z, a))
        # What the loss does not depend on has the derivative 0, not None.
        dz, dW, db, dx = tape.gradient(loss, [z, W, b, x], unconnected_gradients="zero")
        return Derivatives(z, a, loss, dz, dW, db, dx)
