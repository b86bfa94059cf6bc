"""The rules by which a gradient changes a variable: names → Keras's own optimizers.

Keras has no option for what other libraries do; for that there are subclasses of its optimizers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import keras

__all__ = ["RULES"]

RULES: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "sgd": keras.optimizers.SGD,
    "momentum": keras.optimizers.SGD,
    "nesterov": partial(keras.optimizers.SGD, nesterov=True),
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
}


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
        self.assign(s, self.rho * s + (1 - self.rho) * gradient * gradient)
        step = keras.ops.cast(learning_rate, variable.dtype) * gradient
        self.assign_sub(variable, step / (keras.ops.sqrt(s) + self.epsilon))


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


# In place of Keras's own, with ε elsewhere.
PLACED: dict[tuple[str, str], Callable[..., keras.optimizers.Optimizer]] = {
    ("adagrad", "outside_root"): AdagradOutsideRoot,
    ("rmsprop", "outside_root"): RMSpropOutsideRoot,
    ("adam", "corrected_root"): AdamCorrectedRoot,
    ("adamw", "corrected_root"): AdamCorrectedRoot,
}
