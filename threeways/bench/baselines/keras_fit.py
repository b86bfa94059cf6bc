"""Keras as its users write it: ``compile`` and ``fit``."""

from __future__ import annotations

from typing import Any

from shared import Parameters, Weights
from threeways.bench.baselines.base import AfterEpoch, Baseline, activation, import_library


class KerasFit(Baseline):
    """``keras.fit`` of a compiled ``Sequential``, with nothing done to make it quick."""

    name = "keras.fit"

    def build(self) -> None:
        self.default_dtype = import_library("impl_keras.dtypes").default_dtype
        self.keras = keras = import_library("keras")
        losses = {"half_squared_error": lambda y, a: keras.ops.sum((a - y) ** 2, axis=1) / 2}
        loss = self.case.network.loss
        with self.default_dtype(self.case.dtype):
            self.model = keras.Sequential([keras.Input((self.case.network.n_features,))])
            for layer in self.case.network.layers:
                self.model.add(
                    keras.layers.Dense(layer.units, activation(keras.activations, layer))
                )
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
