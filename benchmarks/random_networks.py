"""Random networks: of every activation, loss and optimizer, and of extreme sizes."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np

from impl_numpy import FeedForward
from shared import (
    ACTIVATIONS,
    CLIPS,
    DTYPES,
    LOSSES,
    OPTIMIZERS,
    Array,
    Case,
    Dataset,
    Layer,
    Network,
    Training,
    Weights,
)

LARGEST = 64  # width, and number of rows


def random_case(seed: int) -> Case:
    """A network of 1 to 4 layers with a batch, both of up to ``LARGEST`` a side.

    The sizes of inputs, of weights and of biases are drawn from 1e-3 to 1e3 each, so that many
    units are saturated and many dead. One network in eight has weights all alike, one in eight has
    rows all alike, and one in eight has small whole numbers, which make sums of exactly 0. One in
    four has dropout, one in four penalties, one in four frozen layers, and one in four layers
    without biases, some of its layers each.
    """
    random = np.random.default_rng(seed)
    loss = str(random.choice(list(LOSSES)))
    output = str(random.choice(LOSSES[loss].fits))
    depth = int(random.integers(1, 5))
    widths = [int(width) for width in random.integers(1, LARGEST + 1, size=depth + 1)]
    hidden = random.choice(list(ACTIVATIONS), size=depth - 1)
    activations = [*map(str, hidden), output]
    for l, activation in enumerate(activations):
        if activation == "softmax":
            widths[l + 1] = max(2, widths[l + 1])
    of_each = zip(widths[1:], activations, strict=True)
    layers = [_layer(random, units, activation) for units, activation in of_each]
    if random.integers(4) == 0:
        layers[:-1] = [_with_dropout(random, layer) for layer in layers[:-1]]
    if random.integers(4) == 0:
        layers = [_with_penalty(random, layer) for layer in layers]
    if random.integers(4) == 0:
        layers = [dataclasses.replace(each, trainable=random.random() < 0.5) for each in layers]
    if random.integers(4) == 0:
        layers = [dataclasses.replace(each, use_bias=random.random() < 0.5) for each in layers]
    network = Network(
        n_features=widths[0],
        layers=tuple(layers),
        loss=loss,
        delta=None if LOSSES[loss].delta is None else float(10 ** random.uniform(-2, 2)),
        dtype=DTYPES[seed % 2],
    )
    rows = int(random.integers(1, LARGEST + 1))
    kind = int(random.integers(8))
    size_x, size_W, size_b = 10 ** random.uniform(-3, 3, size=3)

    def draw(size: float, *shape: int) -> Array:
        if kind == 0:
            return np.full(shape, size)
        if kind == 1:
            return random.integers(-2, 3, shape).astype(float)
        return random.normal(0, size, shape)

    x = random.normal(0, size_x, (rows, widths[0]))
    if kind == 1:
        x = random.integers(-2, 3, x.shape).astype(float)
    if kind == 2:
        x[:] = x[0]
    case = Case(
        name=f"random-{seed}",
        network=network,
        parameters=tuple(
            Weights(
                network.array(draw(size_W, fan_in, fan_out)),
                network.array(draw(size_b, fan_out) * layer.use_bias),
            )
            for layer, (fan_in, fan_out) in zip(layers, itertools.pairwise(widths), strict=True)
        ),
        dataset=Dataset("random", x, _targets(random, loss, rows, widths[-1])),
        training=_training(random),
    )
    return _with_clip(random, case) if random.integers(4) == 0 else case


def _training(random: np.random.Generator) -> Training:
    """Any optimizer, with ε anywhere, one in four with a weight decay of 1e-4 to 1."""
    training = Training(
        learning_rate=float(10 ** random.uniform(-3, 1)),
        optimizer=str(random.choice(list(OPTIMIZERS))),
    )
    options: dict[str, Any] = {}
    if places := OPTIMIZERS[training.optimizer].epsilon_placements:
        options["epsilon_placement"] = str(random.choice(places))
    if random.integers(4) == 0:
        options["weight_decay"] = float(10 ** random.uniform(-4, 0))
    return dataclasses.replace(training, **options)


def _with_clip(random: np.random.Generator, case: Case) -> Case:
    """The case with one way of clipping, to as much as its gradients have or up to 10 times off.

    It stays as it is where the squares of the gradients are too large for its dtype.
    """
    clip = str(random.choice(CLIPS))
    net = FeedForward(dataclasses.replace(case.network, dtype="float64"), case.parameters)
    with np.errstate(all="ignore"):
        trace = net.backward(case.dataset.x, case.dataset.y, case.masks())
        sizes = [float(np.linalg.norm(part)) for part in (*trace.dW, *trace.db)]
    if clip == "clipvalue":
        sizes = [float(np.abs(trace.dW[0]).max())]
    largest = np.sqrt(float(np.finfo(case.dtype).max))
    most = np.linalg.norm(sizes) * random.choice([1, 10 ** random.uniform(-1, 1)])
    if not 0 < most < largest:
        return case
    option: dict[str, Any] = {clip: float(most)}
    return dataclasses.replace(case, training=dataclasses.replace(case.training, **option))


def _layer(random: np.random.Generator, units: int, activation: str) -> Layer:
    if activation in ("leaky_relu", "elu"):
        alpha = float(random.uniform(0.01, 2))
        return Layer(units=units, activation=activation, alpha=alpha)
    return Layer(units=units, activation=activation)


def _with_dropout(random: np.random.Generator, layer: Layer) -> Layer:
    """The layer with a share of its units dropped: any share, or one of the usual ones, or none."""
    rate = float(random.choice([0, 0.25, 0.5, random.uniform(0, 1)]))
    if layer.activation == "selu" and random.random() < 0.8:
        return dataclasses.replace(layer, alpha_dropout=rate)
    return dataclasses.replace(layer, dropout=rate)


def _with_penalty(random: np.random.Generator, layer: Layer) -> Layer:
    """The layer with l1 and l2 of sizes 1e-4 to 10, or without one of them, or both."""
    l1, l2 = 10 ** random.uniform(-4, 1, size=2) * random.integers(2, size=2)
    return dataclasses.replace(layer, l1=float(l1), l2=float(l2))


def _targets(random: np.random.Generator, loss: str, rows: int, width: int) -> Array:
    match loss:
        case "categorical_crossentropy":
            if random.random() < 0.5:
                return np.eye(width)[random.integers(width, size=rows)]
            return random.dirichlet(np.full(width, 10 ** random.uniform(-1, 1)), rows)
        case "bipolar_perceptron" | "hinge":
            return random.choice([-1.0, 1.0], (rows, width))
        case "perceptron" | "binary_crossentropy" | "softmax_binary_crossentropy":
            return random.integers(2, size=(rows, width)).astype(float)
        case _:
            return random.normal(0, 1, (rows, width))
