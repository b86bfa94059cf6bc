"""JAX as its users write it: a compiled loop over the batches of an epoch."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from shared import Parameters, Weights
from threeways.bench.baselines.base import AfterEpoch, Baseline, activation, import_library


class Jax(Baseline):
    """An epoch as one ``jax.jit`` of a ``lax.scan`` over its batches, each gathered by its rows."""

    name = "JAX"
    optimizers = ("sgd",)

    def build(self) -> None:
        jax = import_library("jax")
        jax.config.update("jax_enable_x64", self.case.dtype == "float64")
        jnp = jax.numpy
        losses: dict[str, Callable[..., Any]] = {
            "mean_squared_error": lambda y, a: jnp.mean((a - y) ** 2),
            "half_squared_error": lambda y, a: jnp.sum((a - y) ** 2) / (2 * len(y)),
            "binary_crossentropy": lambda y, z: jnp.mean(jnp.logaddexp(0, z) - y * z),
            "categorical_crossentropy": lambda y, z: -jnp.sum(y * jax.nn.log_softmax(z)) / len(y),
        }
        loss_function = losses[self.case.network.loss]
        functions = [activation(jax.nn, layer) for layer in self.layers]
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
