"""Traps: points where a framework is known to differ from others, from itself or the formula."""

from __future__ import annotations

import dataclasses
import importlib
from types import ModuleType

import numpy as np
import pytest

from shared import (
    Case,
    Dataset,
    InputError,
    Layer,
    Network,
    Parameters,
    Training,
    Weights,
    load_case,
)
from threeways.exact.judge import judge

NAMES = ("numpy", "tf", "keras")
SLOPE_AT_0 = {
    "linear": 1.0,
    "step": 0.0,
    "sign": 0.0,
    "sigmoid": 0.25,
    "tanh": 1.0,
    "scaled_tanh": 1.7159 * 2 / 3,
    "relu": 0.0,
    "leaky_relu": 0.3,
    "elu": 0.3,
    "selu": 1.0507009873554805,
}


def scalar_chain(activation: str, loss: str = "mean_squared_error") -> tuple[Network, Parameters]:
    """One unit, then a linear one, all weights 1."""
    alpha = 0.3 if activation in ("leaky_relu", "elu") else None
    layers = (Layer(units=1, activation=activation, alpha=alpha), Layer(units=1))
    network = Network(n_features=1, layers=layers, loss=loss)
    one = Weights(np.ones((1, 1)), np.zeros(1))
    return network, (one, one)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("activation", SLOPE_AT_0)
def test_slope_at_the_kink(activation: str, name: str, packages: dict[str, ModuleType]) -> None:
    net = packages[name].FeedForward(*scalar_chain(activation))
    trace = net.backward([[0.0]], [[5.0]])
    assert float(trace.dz[0][0, 0] / trace.dz[1][0, 0]) == pytest.approx(SLOPE_AT_0[activation])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("loss", "delta", "a", "y", "slopes"),
    [
        ("mean_absolute_error", None, [1.5, 2.0, 2.5], [2.0, 2.0, 2.0], [-1, 0, 1]),
        ("huber", 0.5, [1.0, 1.5, 2.0, 2.5, 4.0], [2.0] * 5, [-0.5, -0.5, 0, 0.5, 0.5]),
        ("hinge", None, [0.5, 1.0, 1.5], [1.0] * 3, [-1, 0, 0]),
        ("hinge", None, [-0.5, -1.0, -1.5], [-1.0] * 3, [1, 0, 0]),
    ],
)
def test_slope_of_a_loss_at_its_kink(
    loss: str,
    delta: float | None,
    a: list[float],
    y: list[float],
    slopes: list[float],
    name: str,
    dtype: str,
    packages: dict[str, ModuleType],
) -> None:
    K = len(a)
    network = Network(n_features=K, layers=(Layer(units=K),), loss=loss, delta=delta, dtype=dtype)
    net = packages[name].FeedForward(network, (Weights(np.eye(K), np.zeros(K)),))
    trace = net.backward([a], [y])
    assert trace.dz[0][0] * K == pytest.approx(slopes, rel=1e-6)
    assert float(trace.loss) == pytest.approx(
        {
            "mean_absolute_error": np.mean(np.abs(np.subtract(a, y))),
            "huber": (0.375 + 0.125 + 0 + 0.125 + 0.875) / 5,
            "hinge": 0.5 / 3,
        }[loss]
    )


@pytest.mark.parametrize("name", NAMES)
def test_hinges_targets_are_not_recoded(name: str, packages: dict[str, ModuleType]) -> None:
    """Keras takes a batch of 0 and 1 alone for -1 and 1; here it is refused."""
    network = Network(n_features=1, layers=(Layer(units=1),), loss="hinge")
    net = packages[name].FeedForward(network, (Weights(np.ones((1, 1)), np.zeros(1)),))
    with pytest.raises(InputError, match=r"y\[1\]: \[0.0\] is not of -1 and 1 alone, as hinge"):
        net.backward([[1.0], [2.0]], [[1.0], [0.0]])


@pytest.mark.parametrize(("name", "slope"), [("numpy", 1.0507 * 1.6733), ("tf", 1.0507)])
def test_selus_side_of_the_kink(name: str, slope: float, packages: dict[str, ModuleType]) -> None:
    """TensorFlow goes by a, and e^z - 1 rounds to 0 just below 0; both sides may pass."""
    net = packages[name].FeedForward(*scalar_chain("selu"))
    trace = net.backward([[-1e-17]], [[5.0]])
    assert float(trace.dz[0][0, 0] / trace.dz[1][0, 0]) == pytest.approx(slope, abs=1e-3)
    mazur = load_case("mazur")
    assert isinstance(mazur, Case)
    case = dataclasses.replace(
        mazur,
        network=net.network,
        parameters=net.parameters,
        dataset=Dataset("", np.array([[-1e-17]]), np.array([[5.0]])),
    )
    assert judge(case, trace.quantities()).ok


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("activation", "at_0"), [("step", 0.0), ("sign", -1.0)])
def test_a_unit_fires_only_above_its_threshold(
    activation: str, at_0: float, name: str, packages: dict[str, ModuleType]
) -> None:
    assert packages[name].FeedForward(*scalar_chain(activation)).predict([[0.0]]) == at_0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("activation", "loss", "z", "y", "expected"),
    [
        ("sigmoid", "binary_crossentropy", [1000.0, -1000.0], [0.0, 1.0], 1000.0),
        ("sigmoid", "binary_crossentropy", [26.68, 26.68], [0.0, 0.0], 26.68),
        ("softmax", "categorical_crossentropy", [1000.0, -1000.0], [0.0, 1.0], 2000.0),
        ("softmax", "softmax_binary_crossentropy", [500.0, -500.0], [0.0, 1.0], 1000.0),
        ("softmax", "softmax_binary_crossentropy", [500.0, -500.0], [1.0, 0.0], 0.0),
    ],
)
def test_crossentropy_where_probabilities_saturate(
    activation: str,
    loss: str,
    z: list[float],
    y: list[float],
    expected: float,
    name: str,
    dtype: str,
    packages: dict[str, ModuleType],
) -> None:
    network = Network(
        n_features=2, layers=(Layer(units=2, activation=activation),), loss=loss, dtype=dtype
    )
    net = packages[name].FeedForward(network, (Weights(np.eye(2), np.zeros(2)),))
    trace = net.backward([z], [y])
    assert float(trace.loss) == pytest.approx(expected, rel=1e-6, abs=1e-30)
    assert np.isfinite(trace.dz[0]).all()
    assert (trace.a[1] >= 0).all()
    assert (trace.a[1] <= 1).all()


@pytest.mark.parametrize("name", NAMES)
def test_float64_is_float64_throughout(name: str, packages: dict[str, ModuleType]) -> None:
    """A learning rate of 0.1 stored in float32 would change a step by a share of 1.5e-8."""
    network, parameters = scalar_chain("leaky_relu")
    net = packages[name].FeedForward(network, parameters)
    trace = net.step([[-1.0]], [[0.0]], Training(learning_rate=0.1))
    assert float(trace.z[1][0, 0]) == -0.3
    assert float(trace.loss) == pytest.approx(0.09, rel=1e-15)
    assert float(trace.W_next[1][0, 0]) == pytest.approx(1 - 0.1 * 2 * 0.3 * 0.3, rel=1e-15)


def test_keras_global_state_is_left_alone(packages: dict[str, ModuleType]) -> None:
    import keras

    def state() -> tuple[str, str]:
        return keras.config.floatx(), keras.config.dtype_policy().name

    before = state()
    case = load_case("kth-6-feedforward")
    assert isinstance(case, Case)
    net = packages["keras"].FeedForward(case.network, case.parameters)
    net.step(*case.first_batch(), case.training)
    net.fit(case.dataset, Training(learning_rate=0.1))
    assert state() == before == ("float32", "float32")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["FeedForward", "Perceptron"])
def test_flat_targets_are_refused(kind: str, name: str, packages: dict[str, ModuleType]) -> None:
    """(N,) against (N, 1) would broadcast to (N, N)."""
    case = load_case("uio-1-or")
    assert isinstance(case, Case)
    net = getattr(packages[name], kind)(case.network, case.parameters)
    x, y = case.first_batch()
    with pytest.raises(InputError, match=r"y: expected shape \(N, 1\), got \(1,\); use y.reshape"):
        net.backward(x, y[:, 0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["FeedForward", "Perceptron"])
def test_what_comes_out_stays_as_it_was(
    kind: str, name: str, packages: dict[str, ModuleType]
) -> None:
    """Later updates change neither an earlier trace nor parameters read before, nor the inputs."""
    case = load_case("kth-2-perceptron")
    assert isinstance(case, Case)
    start = [weights.W.copy() for weights in case.parameters]
    net = getattr(packages[name], kind)(case.network, case.parameters)
    x, y = case.first_batch()
    first = net.step(x, y, case.training)
    read = net.parameters
    kept = {name: values.copy() for name, values in first.quantities().items()}
    x[:], y[:] = 5, 1
    assert (first.x != 5).all()
    assert (first.y != 1).any()
    second = net.step(*case.first_batch(), case.training)
    assert (second.W_next[0] != first.W_next[0]).all()
    for quantity, values in first.quantities().items():
        assert (values == kept[quantity]).all(), quantity
    assert (first.W_next[0] == read[0].W).all()
    assert (start[0] == case.parameters[0].W).all()


@pytest.mark.parametrize(
    "name",
    ["kth-6-feedforward", "mazur", "diabetes", "epita-3-step", "lums-4-and", "epita-8-leaky-relu"],
)
def test_fit_three_ways(name: str, packages: dict[str, ModuleType]) -> None:
    """The same batches in the same order, including an incomplete last one and fixed biases."""
    case = load_case(name)
    assert isinstance(case, Case)
    training = dataclasses.replace(case.training, epochs=3)
    ends = {}
    for package in packages.values():
        kind = package.Perceptron if case.network.is_perceptron else package.FeedForward
        net = kind(case.network, case.parameters)
        epochs: list[int] = []
        history = net.fit(
            case.dataset, training, lambda at, epochs=epochs: epochs.append(len(at.history.loss))
        )
        assert epochs == list(range(1, len(history.loss) + 1))
        ends[package] = (history.loss, net.parameters)
    (loss, parameters), *others = ends.values()
    for other_loss, other_parameters in others:
        assert other_loss == pytest.approx(loss, rel=1e-12)
        for weights, other in zip(parameters, other_parameters, strict=True):
            assert pytest.approx(weights.W, rel=1e-11, abs=1e-14) == other.W
            assert other.b == pytest.approx(weights.b, rel=1e-11, abs=1e-14)


def test_tensorflow_fits_in_a_compiled_graph(packages: dict[str, ModuleType]) -> None:
    """Python code runs while the graph is traced, not at every step."""
    case = load_case("kth-6-feedforward")
    assert isinstance(case, Case)
    calls = 0

    class Counting(packages["tf"].FeedForward):  # type: ignore[misc]
        def loss(self, *args: object) -> object:
            nonlocal calls
            calls += 1
            return super().loss(*args)

    Counting(case.network, case.parameters).fit(
        case.dataset, dataclasses.replace(case.training, epochs=20)
    )
    assert 0 < calls < 5  # 20 epochs of 5 batches


def test_an_optimizers_numbers_pass_through_float32(packages: dict[str, ModuleType]) -> None:
    import keras

    assert float(keras.ops.cast(0.9, "float64")) != 0.9
    assert float(keras.ops.cast(np.float64(0.9), "float64")) == 0.9


def test_a_penalty_of_keras_passes_through_float32(packages: dict[str, ModuleType]) -> None:
    import keras

    W = keras.ops.ones((1, 1), "float64")
    assert float(keras.regularizers.L2(0.01)(W)) != 0.01
    regularisation = importlib.import_module("impl_keras.regularisation")
    assert float(regularisation.penalty(W, 0.0, 0.01)) == 0.01


def test_keras_leaves_out_the_penalty_of_a_frozen_layer() -> None:
    import keras

    dense = keras.layers.Dense(1, kernel_regularizer="l2", trainable=False)
    model = keras.Sequential([keras.Input((1,)), dense])
    assert model.losses == []
