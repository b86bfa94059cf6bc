"""The catalogue: every mistake shows somewhere, as no other does, is caught there and named.

Networks in which a mistake cannot happen stay as they are. All mistakes on all cases, step by step
in both dtypes, are a benchmark: ``python -m benchmarks.mistakes_caught``.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from benchmarks.mistakes_caught import is_tiny, same, two_steps, verdicts
from impl_numpy import FeedForward
from shared import (
    ACTIVATIONS,
    CLIPS,
    DTYPES,
    Array,
    Case,
    Dataset,
    Slots,
    Training,
    Weights,
    load_case,
    shapes,
)
from tests.problems import OUTPUTS, Problem
from threeways.exact.judge import judge
from threeways.exact.oracle import exact_step
from threeways.mistakes import MISTAKES, Mistake, pair
from threeways.mistakes.base import Parts
from threeways.mistakes.diagnosis import diagnose, recognise
from threeways.mistakes.steps import numbers_of

DECAYS: dict[str, dict[str, Any]] = {
    "step": {"schedule": "step", "decay_rate": 0.5, "decay_steps": 2},
    "exponential": {"schedule": "exponential", "decay_rate": 0.5, "decay_steps": 2},
    "inverse_time": {"schedule": "inverse_time", "decay_rate": 2.0, "decay_steps": 2},
    "cosine": {"schedule": "cosine", "decay_steps": 1},
}


def problem(hidden: str, output: str, widths: tuple[int, ...], rows: int) -> Case:
    return Problem(hidden, output, widths, rows, "float64").case()


def saturated(case: Case) -> Case:
    """The case with weights so large that probabilities come within 1e-7 of 0 and 1."""
    parameters = tuple(Weights(30 * W, 30 * b) for W, b in case.parameters)
    return dataclasses.replace(case, name=f"saturated-{case.name}", parameters=parameters)


def at_the_kink(case: Case) -> Case:
    """The case with a row of zeros and no biases, so that this row's z are exactly 0."""
    x = case.dataset.x.copy()
    x[0] = 0
    return dataclasses.replace(
        case,
        name=f"kink-{case.name}",
        parameters=tuple(Weights(W, np.zeros_like(b)) for W, b in case.parameters),
        dataset=Dataset("kink", x, case.dataset.y),
    )


def built(name: str, case: Case, *changes: dict[str, Any], **training: Any) -> Case:
    """The case under another name, with changes to its layers, in order, and to its training."""
    layers = list(case.network.layers)
    for l, change in enumerate(changes):
        layers[l] = dataclasses.replace(layers[l], **change)
    return dataclasses.replace(
        case,
        name=name,
        network=dataclasses.replace(case.network, layers=tuple(layers)),
        training=dataclasses.replace(case.training, **training),
    )


def far_off(loss: str, changes: dict[str, Any] | None = None) -> Case:
    """A linear output with a loss, and errors of all sizes on both sides."""
    case = problem("tanh", "linear-mse", (3, 4, 2), 6)
    y = np.linspace(-3, 3, 12).reshape(6, 2)
    network = dataclasses.replace(case.network, loss=loss, **changes or {})
    x = case.dataset.x
    parameters = case.parameters
    if loss == "hinge":  # its targets are signs; so its outputs have to be large
        y, parameters = np.sign(y), tuple(Weights(3 * W, b) for W, b in parameters)
    return dataclasses.replace(
        case, name=loss, network=network, parameters=parameters, dataset=Dataset("far", x, y)
    )


def without_biases(name: str, case: Case) -> Case:
    """The case with no biases in its first layer."""
    (W, b), *others = case.parameters
    case = dataclasses.replace(case, parameters=(Weights(W, np.zeros_like(b)), *others))
    return built(name, case, {"use_bias": False})


@functools.cache
def structured() -> dict[str, Case]:
    """Networks with penalties, dropout and frozen layers, and with schedules and optimizers."""
    tanh = problem("tanh", "linear-mse", (4, 5, 5, 3), 7)
    small = problem("tanh", "linear-mse", (3, 4, 2), 5)
    penalties: list[dict[str, Any]] = [{"l1": 0.02, "l2": 0.05}, {}, {"l2": 0.1}]
    dropout = [{"dropout": 0.4}, {"dropout": 0.25}]
    alpha = [{"alpha_dropout": 0.3}, {"alpha_dropout": 0.2}]
    frozen: list[dict[str, Any]] = [
        {}, {"trainable": False, "l1": 0.05, "l2": 0.1, "dropout": 0.3}, {"trainable": False},
    ]  # fmt: skip
    cases = [
        built("penalties", problem("tanh", "softmax-cce", (4, 5, 5, 3), 7), *penalties),
        built("penalties-adam", tanh, *penalties, optimizer="adam"),
        built("dropout", problem("sigmoid", "linear-mse", (4, 6, 5, 3), 7), *dropout),
        built("alpha-dropout", problem("selu", "softmax-mse", (4, 6, 5, 3), 7), *alpha),
        built("frozen", problem("tanh", "sigmoid-bce", (4, 5, 4, 5, 4, 3), 7), *frozen),
        built("fixed-bias", tanh, {"fixed_bias": True}),
        without_biases("without-biases", small),
        built("step", small, optimizer="momentum", **DECAYS["step"]),
        built("exponential", small, optimizer="nesterov", **DECAYS["exponential"]),
        # With an ε large enough to matter in float32, wherever it is put.
        built("inverse_time", small, optimizer="adagrad", epsilon=1e-3, **DECAYS["inverse_time"]),
        built("cosine", small, optimizer="rmsprop", epsilon=1e-3, **DECAYS["cosine"]),
        *(built(clip, small, **{clip: 0.1}) for clip in CLIPS),
        built("not-clipped", small, clipnorm=10.0),
        built("adamw", small, optimizer="adamw", weight_decay=0.1, epsilon=1e-3),
        far_off("huber", {"delta": 0.6}),
        far_off("hinge"),
        far_off("mean_absolute_error"),
    ]
    return {case.name: case for case in cases}


def everything(**training: Any) -> Case:
    """A network of four equally wide layers that have everything a layer may have."""
    return built(
        "everything",
        problem("sigmoid", "softmax-bce", (3, 3, 3, 3, 3), 6),
        {"dropout": 0.3, "l1": 0.01, "l2": 0.05},
        {"activation": "selu", "alpha_dropout": 0.2, "l2": 0.1},
        {"trainable": False, "dropout": 0.4, "l2": 0.1},
        {"l2": 0.02, "fixed_bias": True},
        **training,
    )


@functools.cache
def networks() -> dict[str, Case]:
    """Small networks by name: every mistake shows in at least one, and no two alike in all."""
    lectures = [load_case(name) for name in ("uio-9-buildings", "kinks", "lums-4-and")]
    cases = [
        *structured().values(),
        *(problem(hidden, "softmax-mse", (3, 3, 3, 3), 3) for hidden in ACTIVATIONS),
        *(problem("tanh", output, (4, 5, 3), 7) for output in OUTPUTS),
        *(saturated(problem("-", output, (4, 3), 7)) for output in ("sigmoid-bce", "softmax-cce")),
        *(at_the_kink(problem(hidden, "linear-mse", (3, 4, 2), 5)) for hidden in ("relu", "step")),
        *(case for case in lectures if isinstance(case, Case)),
    ]
    return {case.name: case for case in cases}


# Enough of them to catch every mistake.
CATCHING = (
    *(name for name in structured() if name != "dropout"),
    "kinks",
    "uio-9-buildings",
    "lums-4-and",
    "relu-softmax-mse-3x3x3x3-N3-float64",
    "sigmoid-softmax-mse-3x3x3x3-N3-float64",
    "scaled_tanh-softmax-mse-3x3x3x3-N3-float64",
    "saturated---sigmoid-bce-4x3-N7-float64",
)
# Shown only in the third step, in these; or where an epoch has more than one step; or only by a
# program that draws its masks itself.
LATER = {
    "decay-compounded": "exponential",
    "decay-geometric": "inverse_time",
    "cosine-rises": "cosine",
}
PER_EPOCH = ("decay-per-epoch", "decay-compounded-per-epoch", "correction-per-epoch")
DRAWN = ("share-kept-for-dropped",)


def to_catch() -> set[str]:
    """The mistakes that show within the first two steps, in float64."""
    unseen = {*LATER, *PER_EPOCH, *DRAWN}
    return MISTAKES.keys() - unseen


def steps(kind: type[FeedForward], case: Case, count: int = 0) -> list[dict[str, Array]]:
    """The quantities of some steps on a case's first batch, in the case's dtype.

    The batch is read-only. By default there are enough steps for every mistake to show: gradients
    that are not reset do so in the second step, and a decay that is compounded in the third.
    """
    count = count or 2 + (case.training.schedule != "constant")
    net = kind(case.network, case.parameters)
    x, y = (np.array(values, case.dtype) for values in case.first_batch())
    x.flags.writeable = y.flags.writeable = False
    with np.errstate(all="ignore"):
        made = [net.step(x, y, case.training).quantities() for _ in range(count)]
    assert {array.dtype.name for numbers in made for array in numbers.values()} == {case.dtype}
    return made


def bits(made: Iterable[dict[str, Array]]) -> bytes:
    """All numbers of some steps as bytes; adding 0 turns -0 into 0."""
    return b"".join((array + 0).tobytes() for numbers in made for array in numbers.values())


def test_catalogue() -> None:
    assert len(MISTAKES) >= 45
    assert len({mistake.title for mistake in MISTAKES.values()}) == len(MISTAKES)
    for name, mistake in MISTAKES.items():
        assert issubclass(mistake, Mistake)
        assert mistake.name == name
        for text in (mistake.title, mistake.did, mistake.why, mistake.fix):
            assert text, name
            assert text == " ".join(text.split()), name


def test_names_are_the_classes() -> None:
    assert MISTAKES["float32-inside"].__name__ == "Float32Inside"
    assert MISTAKES["divided-by-n-later"].__name__ == "DividedByNLater"


@pytest.mark.parametrize("network", CATCHING[::4])
def test_steps_have_their_shapes(network: str) -> None:
    """And float32 stays float32."""
    case = networks()[network].with_dtype("float32")
    expected = shapes(case.network, len(case.first_batch()[0]), case.training.slots)
    for name, kind in MISTAKES.items():
        for numbers in steps(kind, case):
            assert {quantity: array.shape for quantity, array in numbers.items()} == expected, name


def test_every_mistake_shows_as_no_other_does() -> None:
    alike = [["", *(name for name in MISTAKES if name not in PER_EPOCH)]]  # "" is no mistake
    for network in CATCHING:
        case = networks()[network]
        parted: dict[tuple[int, bytes], list[str]] = {}
        for i, names in enumerate(alike):
            for name in names:
                kind = MISTAKES[name] if name else FeedForward
                parted.setdefault((i, bits(steps(kind, case))), []).append(name)
        alike = [names for names in parted.values() if len(names) > 1]
    assert not alike


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_mistake_is_caught(dtype: str) -> None:
    """On each network, every mistake that changes a bit of the first two steps is caught."""
    caught = set()
    for network in CATCHING:
        found = dict(verdicts(networks()[network].with_dtype(dtype)))
        assert not [name for name, verdict in found.items() if verdict == "missed"]
        caught |= {name for name, verdict in found.items() if verdict == "caught"}
    hidden = {name for name in MISTAKES if is_tiny(MISTAKES[name], dtype)}
    hidden |= {"float32-inside"} if dtype == "float32" else set()
    assert to_catch() - hidden <= caught <= to_catch()


def test_mistakes_are_named() -> None:
    """Every tenth of them."""
    unnamed = set(sorted(to_catch())[::10])
    for network in CATCHING:
        case = networks()[network]
        (start, right), (_, right_later) = two_steps(FeedForward, case)
        exact = exact_step(start)
        for name in sorted(unnamed):
            (_, numbers), (second, later) = two_steps(MISTAKES[name], case)
            if not same(numbers, right):
                diagnosis = recognise(start, numbers, exact)
            elif not same(later, right_later):
                diagnosis = recognise(second, later, before=[start])
            else:
                continue
            if (name,) in [match.mistakes for match in diagnosis.matches]:
                unnamed.remove(name)
    assert not unnamed


# All but recorders', and those that are others with another value or in one layer alone.
FITTED = [
    name
    for name, kind in MISTAKES.items()
    if kind.__bases__ == (Mistake,) and not kind.is_recorders
]


@pytest.mark.parametrize("name", FITTED)
def test_fit_makes_the_same_mistake_as_step(name: str) -> None:
    plain = Training(learning_rate=0.1, epochs=2, batch_size=3)
    decaying = dataclasses.replace(plain, optimizer="momentum", **DECAYS["exponential"])
    for case, training in (
        (problem("tanh", "sigmoid-half", (3, 3, 3), 6), plain),
        (everything(), decaying),
    ):
        fitted, stepped = (MISTAKES[name](case.network, case.parameters) for _ in range(2))
        fitted.fit(case.dataset, training)
        for rows in (rows for epoch in range(2) for rows in training.batches(epoch, 6)):
            stepped.step(case.dataset.x[rows], case.dataset.y[rows], training)
        for weights, expected in zip(fitted.parameters, stepped.parameters, strict=True):
            for array, expected_array in zip(weights, expected, strict=True):
                assert array == pytest.approx(expected_array, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "hidden", "output", "widths", "rows"),
    [
        ("mean-forgotten", "tanh", "softmax-cce", (4, 5, 3), 1),
        ("last-row-dropped", "tanh", "softmax-cce", (4, 5, 3), 1),
        ("means-multiplied", "tanh", "softmax-cce", (4, 5, 3), 1),
        ("softmax-over-batch", "softmax", "softmax-cce", (4, 5, 3), 1),
        ("sum-over-outputs", "tanh", "softmax-cce", (4, 5, 3), 7),
        ("half-missing", "tanh", "linear-mse", (4, 5, 3), 7),
        ("targets-broadcast", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("term-missing", "tanh", "softmax-cce", (4, 5, 3), 7),
        ("probabilities-clipped-in-loss", "tanh", "softmax-cce", (4, 5, 3), 7),
        ("probabilities-clipped", "tanh", "sigmoid-bce", (4, 5, 3), 7),
        ("output-derivative-forgotten", "tanh", "softmax-bce", (4, 5, 3), 7),
        ("diagonal-of-softmax", "tanh", "sigmoid-bce", (4, 5, 3), 7),
        ("hidden-derivative-forgotten", "-", "sigmoid-half", (4, 3), 7),
        ("hidden-derivative-forgotten", "linear", "sigmoid-half", (4, 5, 3), 7),
        ("derivative-at-activation", "linear", "linear-mse", (4, 5, 3), 7),
        ("weights-updated-first", "-", "sigmoid-half", (4, 3), 7),
        ("weights-not-transposed", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("weights-of-wrong-layer", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("weights-reshaped", "tanh", "sigmoid-half", (4, 5, 1), 7),
        ("one-path-only", "tanh", "sigmoid-half", (4, 5, 1), 7),
        ("product-of-paths", "tanh", "sigmoid-half", (4, 5, 1), 7),
        ("bias-summed-over-all", "tanh", "sigmoid-half", (4, 1, 1), 7),
        ("bias-summed-over-outputs", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("weight-gradient-transposed", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("first-activation-skipped", "-", "sigmoid-half", (4, 3), 7),
        ("first-layer-not-updated", "-", "sigmoid-half", (4, 3), 7),
        ("leaky-slope-forgotten", "relu", "sigmoid-half", (4, 5, 3), 7),
        ("elus-derivative-without-alpha", "elu", "sigmoid-half", (4, 5, 3), 7),
        ("fixed-bias-updated", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("tanh-for-sigmoid", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("sigmoid-for-tanh", "sigmoid", "tanh-output", (4, 5, 3), 7),
        ("relu-for-sigmoid", "-", "sigmoid-half", (4, 3), 7),
        ("weights-transposed-forward", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("first-bias-forgotten", "-", "sigmoid-half", (4, 3), 7),
        ("last-bias-forgotten", "-", "sigmoid-half", (4, 3), 7),
        ("one-path-per-unit", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("output-sigmoids-derivative-plus", "sigmoid", "sigmoid-bce", (4, 5, 3), 7),
        ("bias-summed-over-all-in-first-layer", "-", "sigmoid-half", (4, 3), 7),
        ("bias-summed-over-all-in-second-layer", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("hidden-derivative-forgotten-in-second-layer", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("epsilon-in-log", "tanh", "softmax-mse", (4, 5, 3), 7),
        ("epsilon-in-softmax", "tanh", "sigmoid-bce", (4, 5, 3), 7),
        ("output-activation-twice", "tanh", "linear-mse", (4, 5, 3), 7),
        ("hidden-activation-twice", "relu", "linear-mse", (4, 5, 3), 7),
        ("softmax-for-sigmoid", "tanh", "sigmoid-bce", (4, 5, 1), 7),
        ("bias-of-layer-below", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("next-delta-in-bias-gradient", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("input-in-weight-gradient", "tanh", "sigmoid-half", (4, 5, 3), 7),
        ("terms-swapped-in-loss", "tanh", "softmax-cce", (4, 5, 3), 7),
        ("negative-errors-left-out", "tanh", "linear-mae", (4, 5, 3), 7),
        ("delta-elsewhere", "tanh", "linear-huber", (4, 5, 3), 7),
        ("margin-forgotten", "tanh", "linear-mse", (4, 5, 3), 7),
        ("decay-per-epoch", "tanh", "linear-mse", (4, 5, 3), 7),
        ("output-sigmoids-derivative-plus", "tanh", "sigmoid-half", (4, 5, 3), 7),
    ],
)
def test_where_it_cannot_happen_nothing_changes(
    name: str, hidden: str, output: str, widths: tuple[int, ...], rows: int
) -> None:
    case = problem(hidden, output, widths, rows)
    assert bits(steps(MISTAKES[name], case)) == bits(steps(FeedForward, case))


def test_float32_is_right_inside_float32() -> None:
    case = problem("tanh", "softmax-cce", (4, 5, 3), 7).with_dtype("float32")
    assert bits(steps(MISTAKES["float32-inside"], case)) == bits(steps(FeedForward, case))


@pytest.mark.parametrize(
    ("names", "output", "widths"),
    [
        (("mean-forgotten", "mean-forgotten-in-loss"), "sigmoid-half", (4, 5, 3)),
        (("sum-over-outputs", "sum-over-outputs-in-loss"), "softmax-bce", (4, 5, 3)),
        (("mean-over-outputs", "mean-over-outputs-in-loss"), "softmax-cce", (4, 5, 3)),
        (("half-missing", "half-missing-in-loss"), "sigmoid-half", (4, 5, 3)),
        (("half-extra", "half-extra-in-loss"), "linear-mse", (4, 5, 3)),
        (("delta-sign-flipped", "minus-missing-in-loss"), "softmax-cce", (4, 5, 3)),
        (("targets-bipolar",), "sigmoid-bce", (4, 5, 3)),
        (("targets-binary",), "sign-rule", (4, 5, 3)),
        (("one-hot-shifted",), "softmax-bce", (4, 5, 3)),
        (("targets-broadcast",), "linear-mse", (4, 5, 1)),
        (("term-missing", "term-missing-in-loss"), "sigmoid-bce", (4, 5, 3)),
        (("term-missing", "term-missing-in-loss"), "softmax-bce", (4, 5, 3)),
        (("sign-inside", "sign-inside-loss"), "sigmoid-bce", (4, 5, 3)),
        (("sign-inside", "sign-inside-loss"), "softmax-bce", (4, 5, 3)),
        (("probabilities-as-logits",), "sigmoid-bce", (4, 5, 3)),
        (("epsilon-in-log-differentiated-1e-5",), "sigmoid-bce", (40, 3)),
        (("epsilon-in-log-differentiated-1e-5",), "softmax-cce", (40, 3)),
        (("targets-inverted",), "sigmoid-bce", (4, 5, 3)),
        (("delta-elsewhere-0.1",), "linear-huber", (4, 5, 3)),
        (("probabilities-as-logits",), "softmax-cce", (4, 5, 3)),
        (("net-input-as-log-probability",), "softmax-cce", (4, 5, 3)),
        (("probability-as-log-probability",), "softmax-cce", (4, 5, 3)),
        (("labels-swapped", "labels-swapped-in-loss"), "sigmoid-bce", (4, 5, 3)),
        (("labels-swapped", "labels-swapped-in-loss"), "softmax-cce", (4, 5, 3)),
        (("absolute-error", "absolute-error-in-loss"), "softmax-mse", (4, 5, 3)),
        (("absolute-error", "absolute-error-in-loss"), "sigmoid-half", (4, 5, 3)),
        (("probabilities-clipped", "probabilities-clipped-in-loss"), "sigmoid-bce", (40, 3)),
        (("probabilities-clipped", "probabilities-clipped-in-loss"), "softmax-cce", (40, 3)),
    ],
)
def test_a_wrong_loss_has_its_own_gradient(
    names: tuple[str, ...], output: str, widths: tuple[int, ...]
) -> None:
    """Its two halves fit each other: db is the central difference of the wrong loss."""
    case = problem("tanh", output, widths, 7)
    if widths[-1] == 1:
        y = np.linspace(-1, 1, 7)[:, np.newaxis]
        case = dataclasses.replace(case, dataset=Dataset("random", case.dataset.x, y))
    if len(widths) == 2:
        case = saturated(case)
    kind = pair(*names) if len(names) == 2 else MISTAKES[names[0]]
    x, y = case.first_batch()

    def loss(k: int, step: float) -> float:
        *below, (W, b) = case.parameters
        moved = b + step * np.eye(len(b))[k]
        net = kind(case.network, (*below, Weights(W, moved)))
        return float(np.asarray(net.backward(x, y).loss))

    right, wrong = (
        each(case.network, case.parameters).backward(x, y) for each in (FeedForward, kind)
    )
    differences = [(loss(k, 1e-4) - loss(k, -1e-4)) / 2e-4 for k in range(widths[-1])]
    assert wrong.db[-1] == pytest.approx(differences, rel=1e-6, abs=1e-8)
    assert wrong.dW[-1] != pytest.approx(right.dW[-1], rel=1e-3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_probabilities_are_clipped_as_they_are_written(dtype: str) -> None:
    """To the last bit: 1 - (1 - 1e-7) is not 1e-7 in floating point."""
    case = load_case("saturated")
    assert isinstance(case, Case)
    case = case.with_dtype(dtype)
    (right,) = steps(FeedForward, case, 1)
    y = np.array(case.dataset.y, dtype)
    a = np.clip(right["a[1]"], 1e-7, 1 - 1e-7)
    (numbers,) = steps(MISTAKES["probabilities-clipped-in-loss"], case, 1)
    assert numbers["loss"] == -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))
    (numbers,) = steps(pair("term-missing-in-loss", "probabilities-clipped-in-loss"), case, 1)
    assert numbers["loss"] == -np.mean(y * np.log(a))
    (numbers,) = steps(MISTAKES["probabilities-clipped"], case, 1)
    assert (numbers["dz[0]"] == 0).all()

    case = saturated(problem("-", "softmax-cce", (4, 3), 7)).with_dtype(dtype)
    (right,) = steps(FeedForward, case, 1)
    y = np.array(case.dataset.y, dtype)
    a = np.clip(right["a[1]"], 1e-7, 1 - 1e-7)
    (numbers,) = steps(MISTAKES["probabilities-clipped-in-loss"], case, 1)
    assert numbers["loss"] == -np.sum(y * np.log(a)) / 7


@pytest.mark.parametrize(
    ("name", "hidden", "other"),
    [
        ("tanh-for-sigmoid", "sigmoid", "tanh"),
        ("sigmoid-for-tanh", "tanh", "sigmoid"),
        ("relu-for-sigmoid", "sigmoid", "relu"),
    ],
)
def test_another_activation_is_another_network(name: str, hidden: str, other: str) -> None:
    """Forward and backward, in the hidden layers only, and with the other's mistakes."""
    for output in ("sigmoid-half", "tanh-output"):
        case, another = (problem(each, output, (4, 5, 5, 3), 7) for each in (hidden, other))
        another = dataclasses.replace(another, parameters=case.parameters)
        assert bits(steps(MISTAKES[name], case)) == bits(steps(FeedForward, another))
        both, alone = pair(name, "derivative-at-activation"), MISTAKES["derivative-at-activation"]
        assert bits(steps(both, case)) == bits(steps(alone, another))


def test_one_path_per_unit() -> None:
    case = problem("linear", "linear-mse", (4, 3, 3), 7)
    (numbers,) = steps(MISTAKES["one-path-per-unit"], case, 1)
    for i in range(3):
        assert (numbers["dz[0]"][:, i] == numbers["dz[1]"][:, i] * case.parameters[1].W[i, i]).all()


def test_weights_are_transposed_in_the_forward_pass_only() -> None:
    case = problem("linear", "linear-mse", (3, 3, 3), 7)
    (W, b), (V, c) = case.parameters
    x = case.dataset.x
    (numbers,) = steps(MISTAKES["weights-transposed-forward"], case, 1)
    assert numbers["a[2]"] == pytest.approx((x @ W.T + b) @ V.T + c)
    assert numbers["dz[0]"] == pytest.approx(numbers["dz[1]"] @ V.T)
    assert numbers["dx"] == pytest.approx(numbers["dz[0]"] @ W.T)
    assert numbers["W_next[0]"] == pytest.approx(W - 0.1 * numbers["dW[0]"])
    (numbers,) = steps(pair("weights-transposed-forward", "bias-forgotten"), case, 1)
    assert numbers["a[2]"] == pytest.approx(x @ W.T @ V.T)


def test_two_mistakes_may_cancel() -> None:
    case = problem("tanh", "softmax-cce", (4, 5, 3), 7)
    (right,) = steps(FeedForward, case, 1)
    (twice,) = steps(pair("delta-sign-flipped", "step-uphill"), case, 1)
    assert (twice["dz[0]"] == -right["dz[0]"]).all()
    assert (twice["W_next[0]"] == right["W_next[0]"]).all()
    (later,) = steps(pair("gradients-averaged-again", "mean-forgotten"), case, 1)
    assert later["dz[0]"] == pytest.approx(7 * right["dz[0]"])
    assert later["W_next[0]"] == pytest.approx(right["W_next[0]"])


def test_learning_rate_off_by_ten() -> None:
    case = problem("tanh", "softmax-cce", (4, 5, 3), 7)
    for name, rate in (("learning-rate-tenth", 0.01), ("learning-rate-tenfold", 1.0)):
        (numbers,) = steps(MISTAKES[name], case, 1)
        moved = case.parameters[0].W - numbers["W_next[0]"]
        assert moved == pytest.approx(rate * numbers["dW[0]"])


def test_output_sigmoids_derivative_plus() -> None:
    case = problem("sigmoid", "sigmoid-half", (4, 5, 3), 7)
    (numbers,) = steps(MISTAKES["output-sigmoids-derivative-plus"], case, 1)
    a, below = numbers["a[2]"], numbers["a[1]"]
    dz = (a - case.dataset.y) * a * (1 + a) / 7
    assert numbers["dz[1]"] == pytest.approx(dz)
    assert numbers["dz[0]"] == pytest.approx(dz @ case.parameters[1].W.T * below * (1 - below))


def test_each_bias_forgotten() -> None:
    case = problem("tanh", "linear-mse", (4, 5, 3), 7)
    (both,) = steps(pair("first-bias-forgotten", "last-bias-forgotten"), case, 1)
    (every,) = steps(MISTAKES["bias-forgotten"], case, 1)
    assert bits([both]) == bits([every])


def test_the_delta_that_a_lecture_prints() -> None:
    """EPITA-5: the wrong sign inside, and only the diagonal of the Jacobian."""
    case = load_case("epita-5-crossentropy")
    assert isinstance(case, Case)
    (numbers,) = steps(pair("sign-inside", "diagonal-of-softmax"), case, 1)
    o, y = numbers["a[3]"], case.dataset.y
    assert numbers["dz[2]"] == pytest.approx(-(y / o + (1 - y) / (1 - o)) * o * (1 - o) / 3)


@pytest.mark.parametrize("case", [everything(), problem("tanh", "softmax-mse", (3, 3, 3), 3)])
def test_pairs_make_a_step(case: Case) -> None:
    """Every fourth pair that overrides the same method, and a few of the others."""
    right = bits(steps(FeedForward, case, 1))
    effective = [name for name, kind in MISTAKES.items() if bits(steps(kind, case, 1)) != right]
    assert len(effective) > 50
    methods = {
        name: {key for key in vars(MISTAKES[name]) if callable(getattr(Parts, key, None))}
        for name in effective
    }
    pairs = list(itertools.combinations(effective, 2))
    meeting = [(first, second) for first, second in pairs if methods[first] & methods[second]]
    assert len(meeting) > 150
    for first, second in {*meeting[::4], *pairs[::80]}:
        (numbers,) = steps(pair(first, second), case, 1)
        assert all(np.isfinite(array).all() for array in numbers.values()), (first, second)
    assert "both" not in MISTAKES


@pytest.mark.parametrize(
    "names",
    [
        ("weights-updated-first", "product-of-paths"),
        ("gradient-for-weights", "weights-not-transposed"),
        ("net-input-in-derivative", "sigmoids-derivative-for-all"),
        ("derivative-at-activation", "relus-derivative-for-all"),
        ("weights-transposed-forward", "bias-subtracted"),
        ("bias-forgotten", "input-for-activation"),
        ("net-input-in-weight-gradient", "hidden-derivative-forgotten-in-gradients"),
        ("mean-forgotten", "output-derivative-forgotten-in-gradients"),
        ("bias-gradient-averaged", "bias-summed-over-all"),
        ("step-uphill", "bias-frozen"),
        ("bias-summed-over-all-in-first-layer", "bias-summed-over-outputs-in-last-layer"),
        ("bias-summed-over-all-in-first-layer", "bias-summed-over-all-in-last-layer"),
    ],
)
def test_pairs_compose(names: tuple[str, str]) -> None:
    """Two that take the same thing from elsewhere in different ways both act."""
    case = problem("sigmoid", "tanh-output", (3, 3, 3, 3), 3)
    kinds = FeedForward, MISTAKES[names[0]], MISTAKES[names[1]], pair(*names)
    assert len({bits(steps(kind, case, 1)) for kind in kinds}) == 4


def test_pairs_of_optimizers_parts_compose() -> None:
    case = structured()["penalties-adam"]
    names = (
        "gradient-not-squared", "root-forgotten", "new-share-forgotten",
        "adam-uncorrected", "betas-swapped", "weight-decay-of-adamw",
    )  # fmt: skip
    alone = {name: bits(steps(MISTAKES[name], case, 2)) for name in names}
    for first, second in itertools.combinations(names, 2):
        both = bits(steps(pair(first, second), case, 2))
        assert both not in (alone[first], alone[second]), (first, second)


def test_what_a_mistake_keeps_is_its_own() -> None:
    """No two of them use the same name for it, or for a helper, since a pair has both."""
    known = {*dir(Mistake), *Mistake.__annotations__}
    owners: dict[str, str] = {}
    for name, kind in MISTAKES.items():
        if kind.__bases__ == (Mistake,):
            for attribute in vars(kind).keys() - known:
                assert owners.setdefault(attribute, name) == name, attribute


def test_in_one_layer_alone() -> None:
    case = problem("tanh", "linear-mse", (4, 5, 6, 3), 7)
    (right,) = steps(FeedForward, case, 1)
    for l, place in enumerate(("first", "second", "last")):
        (numbers,) = steps(MISTAKES[f"bias-summed-over-all-in-{place}-layer"], case, 1)
        for k in range(3):
            total = np.full_like(right[f"db[{k}]"], right[f"db[{k}]"].sum())
            assert (numbers[f"db[{k}]"] == (total if k == l else right[f"db[{k}]"])).all()
    for name, kind in MISTAKES.items():
        if kind.variant_of:
            assert name.startswith(f"{kind.variant_of}-in-")
            assert kind.variant_of in MISTAKES


def test_epsilons() -> None:
    case = problem("tanh", "softmax-cce", (4, 5, 3), 7)
    (right,) = steps(FeedForward, case, 1)
    y, a = case.dataset.y, right["a[2]"]
    for name, epsilon in (("", 1e-8), ("-1e-5", 1e-5), ("-1e-10", 1e-10)):
        for kind in ("epsilon-in-log", "epsilon-in-log-differentiated"):
            (numbers,) = steps(MISTAKES[kind + name], case, 1)
            loss = -np.sum(y * np.log(a + epsilon)) / 7
            assert numbers["loss"] == pytest.approx(loss, rel=1e-15)
    assert MISTAKES["epsilon-in-log-1e-5"].title == "ε = 1e-5 inside the logarithm"


def test_decay_per_epoch() -> None:
    """Twelve steps of four rows, one in a batch: three epochs."""
    case = problem("-", "linear-mse", (1, 1), 4)
    training = Training(learning_rate=0.2, batch_size=1, **DECAYS["inverse_time"])
    case = dataclasses.replace(case, training=training)
    for name, shares in (("decay-per-epoch", 3), ("decay-compounded-per-epoch", 6)):
        (right, wrong) = (
            numbers_of(MISTAKES[each], case, 9) for each in (name, "schedule-ignored")
        )
        rate = float((right["W_next[0]"] - wrong["W_next[0]"])[0, 0])
        assert rate != 0
        before = numbers_of(MISTAKES[name], case, 8)["W_next[0]"]
        assert before - right["W_next[0]"] == pytest.approx(0.2 / shares * right["dW[0]"])
    adam = dataclasses.replace(
        case, training=Training(learning_rate=0.1, optimizer="adam", batch_size=2)
    )
    slow, exact = (
        numbers_of(kind, adam, 2)["W_next[0]"]
        for kind in (MISTAKES["correction-per-epoch"], FeedForward)
    )
    assert slow != pytest.approx(exact)


def test_adamw() -> None:
    """W = 2, x = 1.5, y = 1, λ = 0.1, η = 0.01."""
    case = problem("-", "linear-mse", (1, 1), 1)
    case = dataclasses.replace(
        built("adamw", case, {"fixed_bias": True}),
        parameters=(Weights(np.array([[2.0]]), np.zeros(1)),),
        dataset=Dataset("one", np.array([[1.5]]), np.array([[1.0]])),
        training=Training(learning_rate=0.01, optimizer="adamw", weight_decay=0.1),
    )
    for name, first, third in (
        ("weight-decay-without-rate", 1.79, 1.4311962),
        ("weight-decay-forgotten", 1.99, 1.9700075),
        ("weight-decay-in-gradient", 1.99, 1.9700074),
        ("weight-decay-after-step", 1.98801, 1.9640750),
    ):
        for step, expected in ((1, first), (3, third)):
            (W,) = numbers_of(MISTAKES[name], case, step)["W_next[0]"].ravel()
            assert float(W) == pytest.approx(expected, abs=6e-8)


def test_huber_without_the_absolute_value() -> None:
    """Errors of ½, 3 and -2, and δ = 1."""
    case = problem("-", "linear-huber", (1, 1), 3)
    case = dataclasses.replace(
        case,
        parameters=(Weights(np.array([[1.0]]), np.zeros(1)),),
        dataset=Dataset("three", np.array([[0.5], [3], [-2]]), np.zeros((3, 1))),
    )
    for name, loss in (
        ("negative-errors-left-out-in-loss", 0.875),
        ("negative-errors-squared-in-loss", 4.625 / 3),
        ("linear-part-signed-in-loss", 0.125 / 3),
        ("square-not-halved-in-loss", 4.25 / 3),
    ):
        assert steps(MISTAKES[name], case, 1)[0]["loss"] == pytest.approx(loss)


def test_parameters_recorded_after_the_step() -> None:
    """What is recorded belongs to the parameters from which a step leads to the given ones."""
    for case in (problem("tanh", "softmax-cce", (3, 4, 3), 5), structured()["step"]):
        (right,) = steps(FeedForward, case, 1)
        after = tuple(Weights(right[f"W_next[{l}]"], right[f"b_next[{l}]"])
                      for l in range(len(case.parameters)))  # fmt: skip
        there = dataclasses.replace(case, parameters=after)
        (numbers,) = steps(MISTAKES["parameters-recorded-after-step"], there, 1)
        for quantity, array in right.items():
            assert numbers[quantity] == pytest.approx(array, rel=1e-9, abs=1e-12), quantity
    recorders = [name for name, kind in MISTAKES.items() if kind.is_recorders]
    assert recorders == ["parameters-recorded-after-step"]


# Penalties, dropout, frozen layers, schedules and optimizers.

TRAINING = [
    name
    for name, kind in MISTAKES.items()
    if kind.__module__.endswith(
        (".regularisation", ".updates", ".optimizers", ".decay", ".clipping")
    )
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LATER)
def test_it_is_caught_and_named_in_the_third_step(name: str, dtype: str) -> None:
    case = structured()[LATER[name]].with_dtype(dtype)
    net = MISTAKES[name](case.network, case.parameters)
    x, y = case.first_batch()
    right, run = [], []
    slots: Slots = {}
    for t in range(3):
        run.append(
            dataclasses.replace(case, parameters=net.parameters, steps_before=t, slots=slots)
        )
        trace = net.step(x, y, case.training)
        slots = trace.slots
        right.append(judge(run[-1], trace.quantities()).ok)
    assert right == [True, True, False]
    found = recognise(run[-1], trace.quantities(), before=run[:-1])
    assert (name,) in [match.mistakes for match in found.matches]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mask_of_the_share_to_keep_is_caught(dtype: str) -> None:
    case = structured()["dropout"].with_dtype(dtype)
    (numbers,) = steps(MISTAKES["share-kept-for-dropped"], case, 1)
    assert judge(case, numbers).departures[0].quantity == "z[1]"
    masks = MISTAKES["share-kept-for-dropped"](case.network, case.parameters).masks_of_step(
        case.training, 1000
    )
    assert masks[1].mean() == pytest.approx(0.4, abs=0.03)
    assert masks[2].mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("name", "mistake"),
    [
        ("penalties", "l2-without-two"),
        ("penalties", "penalty-on-biases-in-loss"),
        ("penalties-adam", "decay-decoupled"),
        ("dropout", "dropout-not-scaled"),
        ("dropout", "new-mask-backward"),
        ("alpha-dropout", "alpha-dropout-to-alpha"),
        ("frozen", "frozen-bias-updated"),
        ("frozen", "gradient-stopped-at-frozen"),
        ("cosine", "half-missing-in-cosine"),
    ],
)
def test_it_is_recognised(name: str, mistake: str) -> None:
    case = structured()[name].alone()
    found = recognise(case, numbers_of(MISTAKES[mistake], case))
    assert [match.mistakes for match in found.matches] == [(mistake,)]


@pytest.mark.parametrize("name", TRAINING)
def test_a_plain_network_has_none_of_it(name: str) -> None:
    """Mistakes with penalties, dropout, frozen layers or optimizers change no other network."""
    kind = MISTAKES[name]
    plain = problem("tanh", "softmax-cce", (4, 5, 3), 7)
    plain = built("plain", plain, learning_rate=0.2)
    rates = ("learning-rate", "rate-divided", "rate-times", "update")
    everywhere = name.startswith(rates) or name in (
        "bias-frozen", "weights-frozen", "first-layer-not-updated", "last-layer-not-updated",
    )  # fmt: skip
    assert (bits(steps(kind, plain)) != bits(steps(FeedForward, plain))) == everywhere


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("penalties", ("penalty-on-biases", "penalty-on-biases-in-loss")),
        ("penalties", ("penalty-subtracted", "penalty-subtracted-in-loss")),
        ("penalties", ("penalty-twice", "penalty-twice-in-loss")),
        ("penalties", ("penalty-averaged", "penalty-averaged-in-loss")),
        ("penalties", ("mean-over-weights", "mean-over-weights-in-loss")),
        ("penalties", ("l2-without-two", "l2-halved-in-loss")),
        ("penalties", ("norm-for-square", "norm-for-square-in-loss")),
        ("penalties", ("l1-without-sign", "l1-without-absolute")),
        ("penalties", ("penalty-forgotten", "penalty-forgotten-in-loss")),
        ("penalties", ("every-layer-penalised",)),
        ("penalties", ("output-not-penalised",)),
        ("penalties", ("l1-and-l2-swapped",)),
        ("frozen", ("frozen-penalised", "frozen-penalised-in-loss")),
        ("dropout", ("dropout-off",)),
        ("dropout", ("share-kept-for-dropped",)),
        ("dropout", ("mask-inverted",)),
        ("dropout", ("one-mask-for-all-rows",)),
        ("dropout", ("dropout-not-scaled",)),
        ("dropout", ("dropout-scaled-down",)),
        ("dropout", ("divided-by-share-dropped",)),
        ("dropout", ("dropout-of-net-input",)),
        ("alpha-dropout", ("mask-inverted",)),
        ("alpha-dropout", ("plain-for-alpha-dropout",)),
        ("alpha-dropout", ("alpha-dropout-uncorrected",)),
        ("alpha-dropout", ("alpha-dropout-to-zero",)),
        ("alpha-dropout", ("alpha-dropout-to-alpha",)),
        ("frozen", ("frozen-not-dropped",)),
    ],
)
def test_it_goes_on_as_it_began(case: str, names: tuple[str, ...]) -> None:
    """A wrong penalty or dropout has its own gradient: dW and db are its central differences."""
    start = structured()[case]
    kind = pair(*names) if len(names) == 2 else MISTAKES[names[0]]
    right, wrong = (steps(each, start, 1)[0] for each in (FeedForward, kind))
    for l, weights in enumerate(start.parameters):
        for letter, array in weights._asdict().items():
            for index in list(np.ndindex(array.shape))[:6]:
                losses = []
                for step in (1e-6, -1e-6):
                    moved = array.copy()
                    moved[index] += step
                    parameters = list(start.parameters)
                    parameters[l] = weights._replace(**{letter: moved})
                    there = dataclasses.replace(start, parameters=tuple(parameters))
                    losses.append(float(steps(kind, there, 1)[0]["loss"]))
                difference = (losses[0] - losses[1]) / 2e-6
                assert wrong[f"d{letter}[{l}]"][index] == pytest.approx(difference, 1e-6, 1e-8)
    assert bits([wrong]) != bits([right])


@pytest.mark.parametrize(
    "name",
    [
        "dropout-forgotten-backward",
        "scale-forgotten-backward",
        "new-mask-backward",
        "dropped-in-derivative",
        "undropped-in-weight-gradient",
    ],
)
def test_backward_only(name: str) -> None:
    for case in (structured()["dropout"], structured()["alpha-dropout"]):
        (right,), (wrong,) = (steps(kind, case, 1) for kind in (FeedForward, MISTAKES[name]))
        for quantity in ("z[0]", "a[1]", "z[1]", "a[3]", "loss", "dz[2]", "db[2]"):
            assert (wrong[quantity] == right[quantity]).all()
        same = name == "dropped-in-derivative" and case.name == "alpha-dropout"  # SELU's is of z
        assert (bits([wrong]) == bits([right])) is same


def test_half_the_units() -> None:
    """For p = ½ the shares of kept and of dropped units are the same."""
    case = built("half", problem("tanh", "linear-mse", (4, 5, 3), 7), {"dropout": 0.5})
    for name in ("share-kept-for-dropped", "divided-by-share-dropped"):
        assert bits(steps(MISTAKES[name], case)) == bits(steps(FeedForward, case))


def test_dropout_before_an_activation_that_keeps_the_scale() -> None:
    case = built("relu", problem("relu", "linear-mse", (4, 5, 3), 7), {"dropout": 0.4})
    assert bits(steps(MISTAKES["dropout-of-net-input"], case)) == bits(steps(FeedForward, case))


def test_one_mask_for_all() -> None:
    case = structured()["dropout"]
    rows, every = (
        MISTAKES[name](case.network, case.parameters)
        for name in ("one-mask-for-all-rows", "one-mask-for-all-steps")
    )
    first = case.training.masks(case.network, 0, 7)
    for t in range(3):
        right = case.training.masks(case.network, t, 7)
        assert (rows.masks_of_step(case.training, 7)[1] == right[1][0]).all()
        assert (every.masks_of_step(case.training, 7)[2] == first[2]).all()
        for net in (rows, every):
            net.step(*case.first_batch(), case.training)
    assert (every.masks_of_step(case.training, 2)[2] == first[2][:2]).all()


def test_weight_decay() -> None:
    case = structured()["penalties"]
    W = case.parameters[0].W
    pull = 0.02 * np.sign(W) + 2 * 0.05 * W
    (right,) = steps(FeedForward, case, 1)
    for name, missing, decay in (
        ("decay-twice", 0, 0.1 * pull),
        ("decay-decoupled", pull, 0),
        ("decay-without-rate", pull, 0.9 * pull),
        ("penalty-forgotten", pull, -0.1 * pull),
    ):
        (numbers,) = steps(MISTAKES[name], case, 1)
        assert numbers["dW[0]"] == pytest.approx(right["dW[0]"] - missing)
        assert numbers["W_next[0]"] == pytest.approx(right["W_next[0]"] - decay)
    (right,) = steps(FeedForward, structured()["penalties-adam"], 1)
    (numbers,) = steps(MISTAKES["decay-decoupled"], structured()["penalties-adam"], 1)
    assert numbers["W_next[0]"] != pytest.approx(right["W_next[0]"], rel=1e-3)


@pytest.mark.parametrize(
    ("name", "moving"),
    [
        ("", "W0 b0 W3 b3 W4 b4"),
        ("frozen-updated", "W0 b0 W1 b1 W2 b2 W3 b3 W4 b4"),
        ("frozen-bias-updated", "W0 b0 b1 b2 W3 b3 W4 b4"),
        ("last-frozen-updated", "W0 b0 W2 b2 W3 b3 W4 b4"),
        ("one-layer-too-many-frozen", "W0 b0 W4 b4"),
        ("frozen-decayed", "W0 b0 W1 W3 b3 W4 b4"),
        ("gradient-stopped-at-frozen", "W3 b3 W4 b4"),
        ("frozen-gradients-zero", "W0 b0 W3 b3 W4 b4"),
    ],
)
def test_what_moves(name: str, moving: str) -> None:
    case = structured()["frozen"]
    (numbers,) = steps(MISTAKES[name] if name else FeedForward, case, 1)
    moved = [
        f"{letter}{l}"
        for l, weights in enumerate(case.parameters)
        for letter, array in weights._asdict().items()
        if (numbers[f"{letter}_next[{l}]"] != array).any()
    ]
    assert " ".join(moved) == moving


@pytest.mark.parametrize(
    ("name", "schedule", "rates"),
    [
        ("schedule-ignored", "exponential", [0.1, 0.1, 0.1]),
        ("steps-counted-from-one", "step", [0.1, 0.05, 0.05]),
        ("decay-compounded", "inverse_time", [0.1, 0.05, 0.05 / 3]),
        ("decay-geometric", "inverse_time", [0.1, 0.05, 0.025]),
        ("decayed-twice", "inverse_time", [0.1, 0.025, 0.1 / 9]),
        ("decay-steps-forgotten", "step", [0.1, 0.05, 0.025]),
        ("decay-smooth", "step", [0.1, 0.1 * 0.5**0.5, 0.05]),
        ("decay-in-jumps", "exponential", [0.1, 0.1, 0.05]),
        ("decay-in-jumps", "inverse_time", [0.1, 0.1, 0.1 / 3]),
        ("half-missing-in-cosine", "cosine", [0.2, 0, 0]),
        ("cosine-rises", "cosine", [0.1, 0, 0.1]),
        ("learning-rate-tenth", "step", [0.01, 0.01, 0.005]),
        ("learning-rate-forgotten", "step", [1, 1, 0.5]),
        ("learning-rate-elsewhere", "step", [0.01, 0.01, 0.005]),
        ("learning-rate-twice", "step", [0.01, 0.01, 0.005]),
    ],
)
def test_rates(name: str, schedule: str, rates: list[float]) -> None:
    case = problem("tanh", "linear-mse", (3, 4, 2), 5)
    training = Training(learning_rate=0.1, **DECAYS[schedule])
    net = MISTAKES[name](case.network, case.parameters)
    made = []
    for _ in range(3):
        before = net.W[0].copy()
        trace = net.step(*case.first_batch(), training)
        made.append(float(((before - trace.W_next[0]) / trace.dW[0])[0, 0]))
    assert made == pytest.approx(rates, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "optimizer", "first"),
    [
        ("momentum-averaged", "momentum", 0.1),
        ("nesterov-for-momentum", "momentum", 1.9),
        ("momentum-for-nesterov", "nesterov", 1 / 1.9),
        ("new-share-forgotten", "rmsprop", 0.1**0.5),
        ("old-share-for-new", "rmsprop", 1 / 3),
    ],
)
def test_first_steps_of_optimizers(name: str, optimizer: str, first: float) -> None:
    """``first`` is the length of the first step, as a share of the right one."""
    case = problem("tanh", "linear-mse", (3, 4, 2), 5)
    training = Training(learning_rate=0.1, optimizer=optimizer)
    case = dataclasses.replace(case, training=training)
    (right,), (wrong,) = (steps(kind, case, 1) for kind in (FeedForward, MISTAKES[name]))
    moves = [case.parameters[1].W - numbers["W_next[1]"] for numbers in (right, wrong)]
    assert moves[1] == pytest.approx(first * moves[0], rel=1e-3)


def test_adams_corrections() -> None:
    case = problem("tanh", "linear-mse", (3, 4, 2), 5)
    case = dataclasses.replace(case, training=Training(learning_rate=0.1, optimizer="adam"))
    right, wrong = (steps(kind, case, 2) for kind in (FeedForward, MISTAKES["correction-kept"]))
    assert (right[0]["W_next[0]"] == wrong[0]["W_next[0]"]).all()
    assert wrong[0]["momentum_W[0]"] == pytest.approx(right[0]["dW[0]"])
    assert wrong[0]["velocity_W[0]"] == pytest.approx(right[0]["dW[0]"] ** 2)
    assert wrong[1]["W_next[0]"] != pytest.approx(right[1]["W_next[0]"], rel=1e-3)


def test_the_derivative_may_be_forgotten_in_the_gradients_alone() -> None:
    case = problem("tanh", "sigmoid-half", (3, 4, 2), 5)
    (right,), (output,), (hidden,) = (
        steps(kind, case, 1)
        for kind in (
            FeedForward,
            MISTAKES["output-derivative-forgotten-in-gradients"],
            MISTAKES["hidden-derivative-forgotten-in-gradients"],
        )
    )
    da = (right["a[2]"] - case.dataset.y) / 5
    assert output["dW[1]"] == pytest.approx(right["a[1]"].T @ da)
    assert hidden["db[0]"] == pytest.approx((right["dz[1]"] @ case.parameters[1].W.T).sum(axis=0))
    for numbers in (output, hidden):
        assert (numbers["dz[0]"] == right["dz[0]"]).all()


def test_what_is_recorded_wrong_was_made_right() -> None:
    case = problem("tanh", "softmax-cce", (3, 3, 3), 5)
    right = steps(FeedForward, case, 2)
    after, before, turned, reset = (
        steps(MISTAKES[name], case, 2)
        for name in (
            "loss-recorded-after-step",
            "loss-of-step-before",
            "weights-recorded-transposed",
            "gradients-recorded-after-reset",
        )
    )
    assert after[0]["loss"] == pytest.approx(right[1]["loss"])
    assert before[1]["loss"] == right[0]["loss"]
    assert (right[0]["W_next[0]"] == turned[0]["W_next[0]"].T).all()
    assert not reset[0]["dW[0]"].any()
    assert (reset[1]["W_next[0]"] == right[1]["W_next[0]"]).all()


def test_from_a_few_digits() -> None:
    case = structured()["penalties"]
    numbers = numbers_of(MISTAKES["l2-without-two"], case)
    gradient, loss = f"{numbers['dW[2]'][0, 0]:.6f}", f"{float(numbers['loss']):.6f}"
    match, *others = diagnose(case, {"dW[2][0,0]": gradient, "loss": loss}).matches
    assert match.mistakes == ("l2-without-two",)
    assert not others
