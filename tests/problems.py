"""Networks to hold the implementations to, each with a readable name."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from shared import Case, Dataset, Layer, Network, Training, initialise

# An activation of the output layer with a loss that fits it.
OUTPUTS = {
    "linear-mse": ("linear", "mean_squared_error"),
    "softmax-mse": ("softmax", "mean_squared_error"),
    "sigmoid-half": ("sigmoid", "half_squared_error"),
    "sigmoid-bce": ("sigmoid", "binary_crossentropy"),
    "softmax-cce": ("softmax", "categorical_crossentropy"),
    "softmax-soft": ("softmax", "categorical_crossentropy"),
    "softmax-bce": ("softmax", "softmax_binary_crossentropy"),
    "step-rule": ("step", "perceptron"),
    "sign-rule": ("sign", "bipolar_perceptron"),
    "tanh-output": ("tanh", "output"),
    "linear-mae": ("linear", "mean_absolute_error"),
    "linear-huber": ("linear", "huber"),
    "tanh-hinge": ("tanh", "hinge"),
}


@dataclass(frozen=True)
class Problem:
    """A network by its hidden activation, its output, its widths and its batch."""

    hidden: str
    output: str
    widths: tuple[int, ...]
    rows: int
    dtype: str
    seed: int = 0

    def __str__(self) -> str:
        shape = "x".join(map(str, self.widths))
        return f"{self.hidden}-{self.output}-{shape}-N{self.rows}-{self.dtype}"

    def case(self) -> Case:
        """Random weights, biases and data, of ordinary sizes."""
        random = np.random.default_rng(self.seed)
        *hidden, n_outputs = self.widths[1:]
        activation, loss = OUTPUTS[self.output]
        layers = [Layer(units=units, activation=self.hidden) for units in hidden]
        layers.append(Layer(units=n_outputs, activation=activation))
        network = Network(
            n_features=self.widths[0], layers=tuple(layers), loss=loss, dtype=self.dtype
        )
        parameters = tuple(
            type(weights)(weights.W, network.array(random.normal(0, 0.5, weights.b.shape)))
            for weights in initialise(network, "glorot_normal", self.seed)
        )
        classes = random.integers(n_outputs, size=self.rows)
        y = np.eye(n_outputs)[classes]
        if self.output == "softmax-soft":
            y = random.dirichlet(np.ones(n_outputs), self.rows)
        return Case(
            name=str(self),
            network=network,
            parameters=parameters,
            dataset=Dataset(
                "random",
                random.normal(0, 1, (self.rows, self.widths[0])),
                2 * y - 1 if loss in ("bipolar_perceptron", "hinge") else y,
            ),
            training=Training(learning_rate=0.1),
        )


def regularised(dtype: str = "float64") -> Case:
    """Dropout of both kinds, penalties and a frozen layer, and rows held back from training."""
    case = Problem("selu", "softmax-cce", (3, 4, 5, 4, 3), 12, dtype).case()
    layers = (
        Layer(units=4, activation="selu", alpha_dropout=0.2, l1=0.01),
        Layer(units=5, activation="tanh", dropout=0.4, l2=0.02, trainable=False),
        Layer(units=4, activation="relu", dropout=0.5, l1=0.02, l2=0.01),
        Layer(units=3, activation="softmax", l2=0.03),
    )
    case.parameters[0].W[0, 0] = 0  # where |w| has its kink
    return dataclasses.replace(
        case,
        name="regularised",
        network=dataclasses.replace(case.network, layers=layers),
        training=Training(learning_rate=0.1, batch_size=5, seed=1, validation=0.25),
    )
