"""Cases made to bring mistakes to light: small networks of the same kind as a given case.

Most lectures start from b = 0, and many take one row or one output: there a bias may be forgotten,
a matrix transposed or a mean left out, and nothing shows. In these cases no bias is 0, widths
differ, rows are unlike each other, and inputs have both signs. In one the batch has as many rows as
a layer has units, in one it is a single row, and in one all layers are equally wide, so that a
wrong transpose fits in shape.

Somebody's code may be written for what a case that they name happens to have: so many rows and
outputs, no biases, its learning rate. Cases that are made of it keep that.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

import numpy as np

from shared import LOSSES, Array, Case, Dataset, Layer, Network, Training, Weights
from shared.optimizers import CLIPS
from threeways.conformance.contract import CHANGES_OF_SGD
from threeways.conformance.supports import has_biases, has_no_bias

# D[0], and the widths of hidden layers, from the start again where there are more.
WIDTHS = (3, 5, 4, 6, 7)
SQUARE = 3
# The number of outputs, unless there is one.
OUTPUTS = 4
# So many rows are no width of a small network.
LARGE = 12
# The loss that goes with an activation of the output without saying.
USUAL = {
    "linear": "mean_squared_error",
    "sigmoid": "binary_crossentropy",
    "softmax": "categorical_crossentropy",
    "step": "perceptron",
    "sign": "bipolar_perceptron",
}


def with_biases(case: Case) -> Case | None:
    """The case with a bias of no unit 0; None if there is nothing to change.

    A bias that is fixed at 0 stays: so a network without biases is written.
    """
    random = np.random.default_rng(crc32(case.name.encode()))
    parameters = tuple(
        Weights(W, b if has_no_bias(b, layer) else np.where(b == 0, _biases(random, b.shape), b))
        for (W, b), layer in zip(case.parameters, case.network.layers, strict=True)
    )
    if all((new.b == old.b).all() for new, old in zip(parameters, case.parameters, strict=True)):
        return None
    typed = tuple(Weights(W, case.network.array(b)) for W, b in parameters)
    return dataclasses.replace(case, name=f"{case.name}, no bias 0", parameters=typed)


def variants(case: Case) -> list[Case]:
    """A few small cases of the same kind: its layers, loss, and training, other widths and rows."""
    n_outputs = 1 if case.network.widths[-1] == 1 else OUTPUTS
    widths, square = _differing_widths(case, n_outputs), _square(case, n_outputs)
    n_rows = widths[1] if len(widths) > 2 else WIDTHS[1]
    shapes = [(widths, n_rows), (widths, 1), (square, square[0])]
    return [made(case, *shape, i + 1) for i, shape in enumerate(shapes)]


def variants_that_keep(case: Case) -> list[Case]:
    """As :func:`variants`, with as many outputs and rows as the case has."""
    n_rows, n_outputs = case.first_batch()[1].shape
    widths, square = _differing_widths(case, n_outputs), _square(case, n_outputs)
    # Where a matrix with the rows of the batch fits in place of its transpose.
    fitting = (n_rows, *widths[1:]) if 1 < n_rows < LARGE and n_rows != widths[1] else widths
    shapes = dict.fromkeys((widths, fitting, square))
    others = [shape for shape in shapes if shape != case.network.widths]
    return [made(case, shape, n_rows, i + 1) for i, shape in enumerate(others)]


def for_everything(cases: Sequence[Case]) -> list[Case]:
    """The variants of one case of each kind among these, and of kinds that no lecture has.

    They are what somebody who says nothing about their network is asked for. Where dropout and
    penalties meet frozen layers, mistakes show that do not elsewhere.
    """
    layers = (
        Layer(units=4, activation="tanh", dropout=0.3, l1=0.01, l2=0.05),
        Layer(units=4, activation="sigmoid", l1=0.02, l2=0.04),
        Layer(units=4, activation="sigmoid", trainable=False, dropout=0.3, l1=0.05, l2=0.1),
        Layer(units=4, activation="tanh", trainable=False),
        Layer(units=4, activation="softmax", l2=0.02),
    )
    dtype = cases[0].dtype
    combined = [
        blank(4, layers, "categorical_crossentropy", optimizer, dtype)
        for optimizer in ("sgd", "adam")
    ]
    plain = (Layer(units=4, activation="tanh"), Layer(units=4))
    huber = blank(4, plain, "huber", "sgd", dtype)
    clips: list[dict[str, Any]] = [{name: 0.02} for name in CLIPS]
    changed = [
        dataclasses.replace(huber, network=dataclasses.replace(huber.network, delta=0.7)),
        *(
            dataclasses.replace(huber, training=dataclasses.replace(huber.training, **clip))
            for clip in clips
        ),
    ]
    return of_each_kind([*cases, *combined, *changed])


def blank(
    n_features: int, layers: tuple[Layer, ...], loss: str, optimizer: str, dtype: str
) -> Case:
    """A case of a kind, to make others of; all its numbers are 0."""
    network = Network(n_features=n_features, layers=layers, loss=loss, dtype=dtype)
    D = network.widths
    return Case(
        network=network,
        parameters=tuple(
            Weights(np.zeros(shape), np.zeros(shape[1])) for shape in itertools.pairwise(D)
        ),
        dataset=Dataset("", np.zeros((2, D[0])), np.zeros((2, D[-1]))),
        training=Training(learning_rate=0.1, optimizer=optimizer),
    )


def of_each_kind(cases: Iterable[Case]) -> list[Case]:
    """The variants of one case of each kind among these."""
    kinds: dict[object, Case] = {}
    for case in cases:
        kinds.setdefault(_kind(case), case)
    return [made for case in kinds.values() for made in variants(case)]


def made(case: Case, widths: Sequence[int], n_rows: int, decay_steps: int = 1) -> Case:
    """A case of the same kind with these widths D[0..L] and two batches of so many rows."""
    layers = tuple(
        dataclasses.replace(layer, units=units)
        for layer, units in zip(case.network.layers, widths[1:], strict=True)
    )
    network = dataclasses.replace(case.network, n_features=widths[0], layers=layers)
    given = case.training
    training = dataclasses.replace(
        given,
        seed=None,
        validation=None,
        patience=None,
        augmentation=None,
        batch_size=n_rows,
        decay_steps=decay_steps if given.decay_steps or given.decay_epochs else None,
        decay_epochs=None,
    )
    name = f"{described(case)}, {'-'.join(map(str, widths))}, N = {n_rows}"
    random = np.random.default_rng(crc32(name.encode()))
    parameters = []
    for (D_in, D_out), layer, (_, b) in zip(
        itertools.pairwise(widths), layers, case.parameters, strict=True
    ):
        W = random.normal(0, 1.5 / np.sqrt(D_in), (D_in, D_out)).round(2)
        biases = np.zeros(D_out) if has_no_bias(b, layer) else _biases(random, D_out)
        parameters.append(Weights(network.array(W), network.array(biases)))
    x = random.normal(0, 1.2, (2 * n_rows, widths[0])).round(2)
    y = _targets(random, network.loss, layers[-1].activation, 2 * n_rows, widths[-1])
    return Case(
        name=name,
        network=network,
        parameters=tuple(parameters),
        dataset=Dataset("made", x, y),
        training=training,
    )


def described(case: Case) -> str:
    """The kind of a case in a few words: ``tanh-softmax, mean_squared_error, adam, dropout``."""
    layers, training = case.network.layers, case.training
    words = ["-".join(layer.activation for layer in layers)]
    if case.network.loss != USUAL.get(layers[-1].activation):
        words.append(case.network.loss)
    words += [training.optimizer] * (training.optimizer != "sgd")
    changed = [name for name in CHANGES_OF_SGD if getattr(training, name, None)]
    words += [name.replace("_", " ") for name in changed]
    words += [f"{training.schedule} decay"] * (training.schedule != "constant")
    for word, has in {
        "L1": lambda layer: layer.l1 and layer.is_penalised,
        "L2": lambda layer: layer.l2 and layer.is_penalised,
        "dropout": lambda layer: layer.dropout,
        "alpha dropout": lambda layer: layer.alpha_dropout,
        "frozen": lambda layer: not layer.trainable,
    }.items():
        words += [word] * any(map(has, layers))
    if not has_biases(case):
        words.append("no biases")
    elif any(layer.fixed_bias for layer in layers):
        words.append("fixed biases")
    elif case.network.without_bias:
        words.append("biases in some layers")
    return ", ".join(words)


def _kind(case: Case) -> object:
    """What two cases of one kind have in common."""
    network, training = case.network, case.training
    layers = [
        (
            layer.activation,
            layer.alpha,
            layer.trainable,
            layer.use_bias,
            layer.fixed_bias,
            has_no_bias(b, layer),
            layer.is_penalised and (layer.l1 > 0, layer.l2 > 0),
            layer.dropout > 0,
            layer.alpha_dropout > 0,
        )
        for layer, (_, b) in zip(network.layers, case.parameters, strict=True)
    ]
    changes = [getattr(training, name, None) for name in CHANGES_OF_SGD]
    rule = (training.optimizer, *training.hyperparameters.items(), *changes, training.schedule)
    return (*layers, network.loss, network.delta, network.widths[-1] == 1, rule, case.dtype)


def _differing_widths(case: Case, n_outputs: int) -> tuple[int, ...]:
    """D[0..L], no two beside each other alike, and none as in the case, but for the outputs."""
    widths: list[int] = []
    for own in case.network.widths[:-1]:
        others = {own, n_outputs, *widths[-1:]}
        start = len(widths) % len(WIDTHS)
        widths.append(next(D for D in (*WIDTHS[start:], *WIDTHS) if D not in others))
    return (*widths, n_outputs)


def _square(case: Case, n_outputs: int) -> tuple[int, ...]:
    """D[0..L], all as wide as the output is, if that is possible."""
    side = n_outputs if 2 <= n_outputs <= WIDTHS[-1] else SQUARE
    return (*[side] * len(case.network.layers), n_outputs)


def _biases(random: np.random.Generator, shape: int | tuple[int, ...]) -> Array:
    """Numbers of both signs, none near 0."""
    return random.choice([-1.0, 1.0], shape) * random.uniform(0.1, 0.9, shape).round(2)


def _targets(
    random: np.random.Generator, loss: str, activation: str, n_rows: int, n_outputs: int
) -> Array:
    """Targets (n_rows, n_outputs) that suit a loss and the activation of the output."""
    classes = random.permutation(np.arange(n_rows) % max(n_outputs, 2))
    if n_outputs == 1:
        labels = classes[:, np.newaxis].astype(float)
    elif activation == "softmax":
        labels = np.eye(n_outputs)[classes]
    else:
        labels = random.integers(0, 2, (n_rows, n_outputs)).astype(float)
    numbers = random.uniform(-1.5, 1.5, (n_rows, n_outputs)).round(2)
    shares = np.abs(numbers) / 2
    suiting = {"softmax": [], "sigmoid": [shares]}.get(activation, [numbers])
    targets = LOSSES[loss].targets
    if targets is None:
        return (*suiting, labels)[0]
    return next(y for y in (labels, 2 * labels - 1) if targets.allowed(y).all())
