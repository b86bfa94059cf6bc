"""The rules by which a gradient changes a variable: names → Keras's own optimizers.

Keras has no option for what other libraries do; for that there are subclasses of its optimizers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras

__all__ = ["RULES"]


class Momentum(keras.optimizers.SGD):
    """Keras's SGD that keeps v even where μ is 0; Keras then has none."""

    def build(self, variables: Any) -> None:
        super().build(variables)
        if not self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(gradient, variable, learning_rate)
        if not self.momentum:
            v = self.momentums[self._get_variable_index(variable)]
            self.assign(v, -keras.ops.cast(learning_rate, variable.dtype) * gradient)


class PyTorchMomentum(Momentum):
    """Keras's SGD with PyTorch's momentum, v ← μv + (1 - d)g, w ← w - ηv, and its Nesterov's."""

    def __init__(self, *args: Any, dampening: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dampening = dampening

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        eta, momentum, dampening = (
            keras.ops.cast(number, variable.dtype)
            for number in (learning_rate, self.momentum, self.dampening)
        )
        v = self.momentums[self._get_variable_index(variable)]
        new = keras.ops.where(self.iterations == 0, gradient, (1 - dampening) * gradient)
        self.assign(v, momentum * v + new)
        self.assign_sub(variable, eta * (momentum * v + gradient if self.nesterov else v))


class AdagradOutsideRoot(keras.optimizers.Adagrad):
    """Keras's Adagrad with √s + ε in place of √(s + ε)."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        s = self._accumulators[self._get_variable_index(variable)]
        self.assign_add(s, gradient * gradient)
        step = keras.ops.cast(learning_rate, variable.dtype) * gradient
        self.assign_sub(variable, step / (keras.ops.sqrt(s) + self.epsilon))


class RMSpropOutsideRoot(keras.optimizers.RMSprop):
    """Keras's RMSprop with √s + ε in place of √(s + ε)."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        s = self._velocities[self._get_variable_index(variable)]
        eta, rho = (keras.ops.cast(number, variable.dtype) for number in (learning_rate, self.rho))
        self.assign(s, rho * s + (1 - rho) * gradient * gradient)
        self.assign_sub(variable, eta * gradient / (keras.ops.sqrt(s) + self.epsilon))


class AdamCorrectedRoot(keras.optimizers.Adam):
    """Keras's Adam with √ŝ + ε in place of √s + ε."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        m, s = self._momentums[index], self._velocities[index]
        eta, beta_1, beta_2, t = (
            keras.ops.cast(number, variable.dtype)
            for number in (learning_rate, self.beta_1, self.beta_2, self.iterations + 1)
        )
        self.assign(m, beta_1 * m + (1 - beta_1) * gradient)
        self.assign(s, beta_2 * s + (1 - beta_2) * gradient * gradient)
        m_hat, s_hat = m / (1 - beta_1**t), s / (1 - beta_2**t)
        self.assign_sub(variable, eta * m_hat / (keras.ops.sqrt(s_hat) + self.epsilon))


RULES: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "sgd": keras.optimizers.SGD,
    "momentum": Momentum,
    "nesterov": partial(Momentum, nesterov=True),
    "pytorch_momentum": PyTorchMomentum,
    "pytorch_nesterov": partial(PyTorchMomentum, nesterov=True),
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
}
# In place of Keras's own, with ε elsewhere.
PLACED: dict[tuple[str, str], Callable[..., keras.optimizers.Optimizer]] = {
    ("adagrad", "outside_root"): AdagradOutsideRoot,
    ("rmsprop", "outside_root"): RMSpropOutsideRoot,
    ("adam", "corrected_root"): AdamCorrectedRoot,
    ("adamw", "corrected_root"): AdamCorrectedRoot,
}
