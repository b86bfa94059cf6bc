"""Every mistake of the catalogue is one: it shows somewhere, as no other does, and only there."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable

import numpy as np
import pytest

from impl_numpy import FeedForward
from shared import (
    ACTIVATIONS,
    DTYPES,
    SLOTS,
    Array,
    Case,
    Dataset,
    Training,
    Weights,
    case_names,
    load_case,
    shapes,
)
from tests.problems import OUTPUTS, Problem
from threeways.mistakes import MISTAKES, Mistake, pair

STEPS = 2  # gradients that are not reset show in the second


def problem(hidden: str, output: str, widths: tuple[int, ...], rows: int) -> Case:
    return Problem(hidden, output, widths, rows, "float64").case()


def saturated(case: Case) -> Case:
    """With weights so large that probabilities come within 1e-7 of 0 and 1."""
    parameters = tuple(Weights(30 * W, 30 * b) for W, b in case.parameters)
    return dataclasses.replace(case, name=f"saturated-{case.name}", parameters=parameters)


def at_the_kink(case: Case) -> Case:
    """With a row of zeros and no biases, so that this row's z are exactly 0."""
    x = case.dataset.x.copy()
    x[0] = 0
    return dataclasses.replace(
        case,
        name=f"kink-{case.name}",
        parameters=tuple(Weights(W, np.zeros_like(b)) for W, b in case.parameters),
        dataset=Dataset("kink", x, case.dataset.y),
    )


@functools.cache
def cases() -> tuple[Case, ...]:
    loaded = [case for case in map(load_case, case_names()) if isinstance(case, Case)]
    return (
        *(case.with_dtype(dtype) for case in loaded for dtype in DTYPES),
        *(problem(hidden, "softmax-mse", (3, 3, 3, 3), 3) for hidden in ACTIVATIONS),
        *(problem("tanh", output, (4, 5, 3), 7) for output in OUTPUTS),
        *(saturated(problem("-", output, (4, 3), 7)) for output in ("sigmoid-bce", "softmax-cce")),
        *(at_the_kink(problem(hidden, "linear-mse", (3, 4, 2), 5)) for hidden in ("relu", "step")),
    )


def steps(kind: type[FeedForward], case: Case, count: int = STEPS) -> list[dict[str, Array]]:
    """The quantities of some steps on a case's first batch, which nothing may write to."""
    net = kind(case.network, case.parameters)
    x, y = (np.array(values, case.dtype) for values in case.first_batch())
    x.flags.writeable = y.flags.writeable = False
    with np.errstate(all="ignore"):
        return [net.step(x, y, case.training).quantities() for _ in range(count)]


@functools.cache
def all_steps(name: str) -> tuple[list[dict[str, Array]], ...]:
    """The steps of every case with a mistake, or without one where it has no name."""
    kind = MISTAKES[name] if name else FeedForward
    return tuple(steps(kind, case) for case in cases())


def bits(made: Iterable[dict[str, Array]]) -> bytes:
    """All numbers of some steps; adding 0 makes of -0 a 0."""
    return b"".join((array + 0).tobytes() for numbers in made for array in numbers.values())


def test_catalogue() -> None:
    assert len(MISTAKES) >= 45
    assert len({mistake.title for mistake in MISTAKES.values()}) == len(MISTAKES)
    for name, mistake in MISTAKES.items():
        assert mistake.__bases__ == (Mistake,)
        assert mistake.name == name
        for text in (mistake.title, mistake.did, mistake.why, mistake.fix):
            assert text, name
            assert text == " ".join(text.split()), name


def test_names_are_the_classes() -> None:
    assert MISTAKES["float32-inside"].__name__ == "Float32Inside"
    assert MISTAKES["divided-by-n-later"].__name__ == "DividedByNLater"


@pytest.mark.parametrize("name", MISTAKES)
def test_steps_have_their_shapes_and_dtypes(name: str) -> None:
    for case, made in zip(cases(), all_steps(name), strict=True):
        slots = SLOTS[case.training.optimizer]
        expected = shapes(case.network, len(case.first_batch()[0]), slots)
        for numbers in made:
            assert {quantity: array.shape for quantity, array in numbers.items()} == expected
            assert {array.dtype.name for array in numbers.values()} == {case.dtype}, case.name


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_shows(name: str) -> None:
    assert any(
        bits(wrong) != bits(right)
        for wrong, right in zip(all_steps(name), all_steps(""), strict=True)
    )


def test_no_two_mistakes_are_the_same() -> None:
    made: dict[bytes, str] = {}
    for name in MISTAKES:
        other = made.setdefault(b"".join(map(bits, all_steps(name))), name)
        assert other == name


@pytest.mark.parametrize("name", MISTAKES)
def test_fit_makes_the_same_mistake_as_step(name: str) -> None:
    training = Training(learning_rate=0.1, epochs=2, batch_size=3)
    for output in ("sigmoid-half", "softmax-bce"):
        case = problem("tanh", output, (3, 3, 3), 6)
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
    """The two halves of a mistake fit each other: db is the central difference of the loss."""
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
    differences = [(loss(k, 1e-6) - loss(k, -1e-6)) / 2e-6 for k in range(widths[-1])]
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


def test_every_pair_makes_a_step() -> None:
    case = problem("sigmoid", "softmax-bce", (3, 3, 3), 3)
    for first, second in itertools.combinations(MISTAKES, 2):
        (numbers,) = steps(pair(first, second), case, 1)
        assert all(np.isfinite(array).all() for array in numbers.values()), (first, second)
    assert "both" not in MISTAKES
