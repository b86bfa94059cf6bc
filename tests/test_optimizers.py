"""Optimizers and schedules: the first step is exact, later ones agree in all implementations."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import impl_numpy
from impl_numpy.optimizers import learning_rate
from shared import (
    CLIPS,
    DTYPES,
    OPTIMIZERS,
    SCHEDULES,
    Array,
    Case,
    Dataset,
    InputError,
    Layer,
    Network,
    Training,
    Weights,
    load_case,
)
from shared.training import StepTraining
from threeways.compare import compare
from threeways.exact.judge import judge
from threeways.implementations import model

OTHER_NUMBERS: dict[str, dict[str, Any]] = {
    "sgd": {},
    "momentum": {"momentum": 0.5},
    "nesterov": {"momentum": 0.99},
    "pytorch_momentum": {"momentum": 0.5, "dampening": 0.3},
    "pytorch_nesterov": {"momentum": 0.99},
    "adagrad": {"initial_accumulator": 0.0, "epsilon": 0.01},
    "rmsprop": {"rho": 0.3, "epsilon": 1e-3},
    "adam": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    "adamw": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3, "weight_decay": 0.5},
}
PLACES = [(name, place) for name, rule in OPTIMIZERS.items() for place in rule.epsilon_placements]
DECAYS: dict[str, dict[str, Any]] = {
    "constant": {},
    "step": {"decay_rate": 0.5, "decay_steps": 3},
    "exponential": {"decay_rate": 0.5, "decay_steps": 3},
    "inverse_time": {"decay_rate": 2.0, "decay_steps": 3},
    "cosine": {"decay_steps": 5},
}


def case_with(name: str, training: Training) -> Case:
    case = load_case(name)
    assert isinstance(case, Case)
    return dataclasses.replace(case, training=training)


def test_nothing_is_left_out() -> None:
    assert OTHER_NUMBERS.keys() == OPTIMIZERS.keys()
    assert DECAYS.keys() == SCHEDULES.keys()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["mazur", "iris", "kth-2-perceptron"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_first_step_is_the_exact_one(
    optimizer: str, name: str, dtype: str, packages: dict[str, ModuleType]
) -> None:
    for numbers in ({}, OTHER_NUMBERS[optimizer], {"weight_decay": 0.3}):
        training = Training(learning_rate=0.1, optimizer=optimizer, **numbers)
        result = compare(case_with(name, training), dtype, packages)
        assert result.ok, result.exact


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("optimizer", "place"), PLACES)
def test_steps_with_epsilon_elsewhere_are_exact(
    optimizer: str, place: str, dtype: str, packages: dict[str, ModuleType]
) -> None:
    for name, epsilon in (("mazur", 0.3), ("iris", 1e-8)):
        training = Training(
            learning_rate=0.1, optimizer=optimizer, epsilon=epsilon, epsilon_placement=place
        )
        result = compare(case_with(name, training), dtype, packages)
        assert result.ok, result.exact


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_later_steps_are_the_same_three_ways(
    optimizer: str, schedule: str, packages: dict[str, ModuleType]
) -> None:
    training = Training(
        learning_rate=0.1, optimizer=optimizer, schedule=schedule, **DECAYS[schedule]
    )
    case = case_with("lums-6-logistic", training)
    x, y = case.first_batch()
    nets = {name: model(package, case) for name, package in packages.items()}
    for _ in range(8):
        steps = {name: net.step(x, y, training).quantities() for name, net in nets.items()}
        for name in ("tf", "keras"):
            for quantity, array in steps["numpy"].items():
                np.testing.assert_allclose(steps[name][quantity], array, 1e-12, 1e-15, quantity)


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_fit_is_one_step_after_the_other(
    optimizer: str, name: str, packages: dict[str, ModuleType]
) -> None:
    training = Training(
        learning_rate=0.05, optimizer=optimizer, epochs=2, batch_size=40, seed=1,
        schedule="exponential", **DECAYS["exponential"],
    )  # fmt: skip
    case = case_with("iris", training)
    fitted, stepped = (model(packages[name], case) for _ in range(2))
    fitted.fit(case.dataset, training)
    for epoch in range(2):
        for rows in training.batches(epoch, len(case.dataset)):
            stepped.step(case.dataset.x[rows], case.dataset.y[rows], training)
    for one, other in zip(fitted.parameters, stepped.parameters, strict=True):
        np.testing.assert_allclose(one.W, other.W, 1e-10, 1e-12)
        np.testing.assert_allclose(one.b, other.b, 1e-10, 1e-12)


def test_another_training_starts_its_optimizer_anew(packages: dict[str, ModuleType]) -> None:
    for package in packages.values():
        training = Training(learning_rate=1e-6, optimizer="adam")
        case = case_with("mazur", training)
        net = model(package, case)
        x, y = case.first_batch()
        first = net.step(x, y, training).slots["velocity_W"][0]
        net.step(x, y, training)
        again = net.step(x, y, dataclasses.replace(training, beta_2=0.99)).slots["velocity_W"][0]
        assert again == pytest.approx(10 * first, rel=1e-3)


# One weight, whose gradient is 2(wx - y)x.
LINE = Case(
    network=Network(
        n_features=1, layers=(Layer(units=1, fixed_bias=True),), loss="mean_squared_error"
    ),
    parameters=(Weights(np.array([[2.0]]), np.array([0.0])),),
    dataset=Dataset("line", np.array([[1.5]]), np.array([[1.0]])),
    training=Training(learning_rate=0.01),
)


def weights_of_steps(package: ModuleType, case: Case, training: Training, n: int) -> list[float]:
    """W[0][0,0] after each of n steps on the first batch."""
    net = model(package, case)
    steps = [net.step(*case.first_batch(), training) for _ in range(n)]
    return [float(step.W_next[0][0, 0]) for step in steps]


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
@pytest.mark.parametrize(
    ("numbers", "first", "third"),
    [  # as torch.optim.AdamW with betas (0.9, 0.999), eps 1e-7 has them, to 7 digits
        ({"optimizer": "adamw", "weight_decay": 0.1}, 1.9880000, 1.9640450),
        ({"optimizer": "adam", "weight_decay": 0.1}, 1.9880000, 1.9640450),
        ({"optimizer": "adamw"}, 1.9899200, 1.9697688),
        ({"optimizer": "adamw", "weight_decay": 0.0}, 1.9900000, 1.9700075),
        ({"weight_decay": 0.1}, 1.9380000, 1.8224248),
    ],
)
def test_weight_decay(
    numbers: dict[str, Any], first: float, third: float, name: str, packages: dict[str, ModuleType]
) -> None:
    training = Training(learning_rate=0.01, **numbers)
    weights = weights_of_steps(packages[name], LINE, training, 3)
    assert weights[::2] == pytest.approx([first, third], abs=1e-7)


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
@pytest.mark.parametrize(
    ("optimizer", "place", "third"),
    [  # after three steps; PyTorch's, with the same numbers, where it has ε there
        ("adagrad", "inside_root", 1.9773445),
        ("adagrad", "outside_root", 1.9786592),
        ("rmsprop", "inside_root", 1.9300892),
        ("rmsprop", "outside_root", 1.9396487),
        ("adam", "outside_root", 1.9898011),
        ("adam", "corrected_root", 1.9723214),
        ("adamw", "outside_root", 1.9895617),
        ("adamw", "corrected_root", 1.9720827),
    ],
)
def test_epsilon_placement(
    optimizer: str, place: str, third: float, name: str, packages: dict[str, ModuleType]
) -> None:
    training = Training(
        learning_rate=0.01, optimizer=optimizer, epsilon=0.5, epsilon_placement=place
    )
    weights = weights_of_steps(packages[name], LINE, training, 3)
    assert weights[2] == pytest.approx(third, abs=1e-7)


def test_epsilon_is_where_keras_adds_it_unless_told_otherwise() -> None:
    places = {name: Training(learning_rate=1, optimizer=name).rule_arguments for name in OPTIMIZERS}
    assert {name: each.get("epsilon_placement") for name, each in places.items()} == {
        "sgd": None, "momentum": None, "nesterov": None, "pytorch_momentum": None,
        "pytorch_nesterov": None, "adagrad": "inside_root", "rmsprop": "inside_root",
        "adam": "outside_root", "adamw": "outside_root",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
def test_weight_decay_of_biases_and_not_of_what_is_frozen(
    name: str, packages: dict[str, ModuleType]
) -> None:
    """At the minimum, where all gradients are 0, so that nothing but the decay moves anything."""
    layers = (Layer(units=1), Layer(units=1, fixed_bias=True), Layer(units=1, trainable=False))
    network = Network(n_features=1, layers=layers, loss="half_squared_error")
    parameters = tuple(
        Weights(np.array([[w]]), np.array([b])) for w, b in [(2, 4), (6, 8), (10, 12)]
    )
    x = np.array([[1.0]])
    package = packages[name]
    y = package.FeedForward(network, parameters).predict(x)
    training = Training(learning_rate=0.5, weight_decay=0.5, optimizer="nesterov")
    step = package.FeedForward(network, parameters).step(x, y, training)
    after = [(float(W[0, 0]), float(b[0])) for W, b in zip(step.W_next, step.b_next, strict=True)]
    assert after == [(1.5, 3.0), (4.5, 8.0), (10.0, 12.0)]


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
@pytest.mark.parametrize(
    ("numbers", "weights"),
    [  # as torch.optim.SGD has them; Keras's own momentum has the same weights while η is constant
        ({"optimizer": "pytorch_momentum"}, [1.94, 1.8287, 1.6762385]),
        ({"optimizer": "pytorch_momentum", "dampening": 0.5}, [1.94, 1.85735, 1.756174625]),
        ({"optimizer": "pytorch_nesterov"}, [1.886, 1.733147, 1.5537782315]),
        ({"optimizer": "momentum"}, [1.94, 1.8287, 1.6762385]),
        ({"optimizer": "nesterov"}, [1.886, 1.733147, 1.5537782315]),
        ({"optimizer": "momentum", "momentum": 0.0}, [1.94, 1.8827, 1.8279785]),
        ({"optimizer": "pytorch_momentum", "momentum": 0.0}, [1.94, 1.8827, 1.8279785]),
    ],
    ids=str,
)  # fmt: skip
def test_momentum(
    numbers: dict[str, Any], weights: list[float], name: str, packages: dict[str, ModuleType]
) -> None:
    training = Training(learning_rate=0.01, **numbers)
    net = model(packages[name], LINE)
    steps = [net.step(*LINE.first_batch(), training) for _ in range(3)]
    assert [step.W_next[0][0, 0] for step in steps] == pytest.approx(weights, abs=1e-12)
    kept = steps[0].slots["momentum_W"][0][0, 0]
    assert kept == pytest.approx(6.0 if "pytorch" in training.optimizer else -0.06)


# Its gradients have norms of 2.7 to 3.8, and of 6.5 together.
LARGE = Case(
    network=Network(
        n_features=2,
        layers=(Layer(units=2, activation="tanh"), Layer(units=1)),
        loss="half_squared_error",
    ),
    parameters=(
        Weights(np.array([[1.0, -0.5], [0.5, 1.5]]), np.array([0.1, -0.1])),
        Weights(np.array([[2.0], [-1.0]]), np.array([0.3])),
    ),
    dataset=Dataset("large", np.array([[1.0, 0.5]]), np.array([[5.0]])),
    training=Training(learning_rate=0.1),
)


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
@pytest.mark.parametrize(
    ("clip", "first"),
    [
        ({}, 2.2710246),
        ({"clipvalue": 1.0}, 2.1),
        ({"clipnorm": 1.0}, 2.0985800),
        ({"global_clipnorm": 1.0}, 2.0414859),  # as torch.nn.utils.clip_grad_norm_ but for its 1e-6
    ],
    ids=str,
)
def test_clipping(
    clip: dict[str, Any], first: float, name: str, packages: dict[str, ModuleType]
) -> None:
    net, training = model(packages[name], LARGE), Training(learning_rate=0.1, **clip)
    right = net.backward(*LARGE.first_batch())
    step = net.step(*LARGE.first_batch(), training)
    assert step.W_next[1][0, 0] == pytest.approx(first, abs=1e-7)
    for before, recorded in zip(right.dW + right.db, step.dW + step.db, strict=True):
        assert np.array_equal(before, recorded)  # they are the loss's derivatives


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", ["mazur", "breast-cancer-l2", "digits-high-frozen"])
def test_clipped_steps_are_exact(
    case: str, dtype: str, clip: str, packages: dict[str, ModuleType]
) -> None:
    """Some gradients are clipped and some are not, and some are at the limit, where the kink is."""
    plain = Training(learning_rate=0.1, optimizer="momentum")
    net = model(packages["numpy"], case_with(case, plain))
    trace = net.backward(*case_with(case, plain).first_batch())
    norms = [float(np.linalg.norm(each)) for each in trace.dW + trace.db]
    for most in (min(norms) / 3, norms[-1], float(np.linalg.norm(norms)), 2 * sum(norms)):
        option: dict[str, Any] = {clip: most}
        training = dataclasses.replace(plain, **option)
        result = compare(case_with(case, training), dtype, packages)
        assert result.ok, (most, result.exact)


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
def test_what_is_frozen_has_no_part_in_the_global_norm(
    name: str, packages: dict[str, ModuleType]
) -> None:
    layers = (Layer(units=1, trainable=False), Layer(units=1, fixed_bias=True))
    network = Network(n_features=1, layers=layers, loss="half_squared_error")
    parameters = tuple(Weights(np.array([[w]]), np.array([0.0])) for w in (2.0, 1.0))
    net = packages[name].FeedForward(network, parameters)
    step = net.step([[1.0]], [[1.0]], Training(learning_rate=1.0, global_clipnorm=0.5))
    assert step.dW[1][0, 0] == 2.0
    assert step.W_next[1][0, 0] == 0.5


def test_a_wrong_gradient_is_what_makes_globally_clipped_weights_wrong() -> None:
    case = dataclasses.replace(LARGE, training=Training(learning_rate=0.1, global_clipnorm=1.0))

    class Wrong(impl_numpy.FeedForward):
        def bias_gradient(self, dz: Array) -> Array:
            return 2 * super().bias_gradient(dz)

    step = Wrong(case.network, case.parameters).step(*case.first_batch(), case.training)
    departures = judge(case, step.quantities()).departures
    assert [each.quantity for each in departures] == ["db[1]", "db[0]"]


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("constant", [0.8, 0.8, 0.8, 0.8, 0.8]),
        ("step", [0.8, 0.8, 0.8, 0.4, 0.4]),
        ("exponential", [0.8, 0.6349604, 0.5039684, 0.4, 0.3174802]),
        ("inverse_time", [0.8, 0.8 / (1 + 2 / 3), 0.8 / (1 + 4 / 3), 0.8 / 3, 0.8 / (1 + 8 / 3)]),
    ],
)  # fmt: skip
def test_schedule(schedule: str, rates: list[float]) -> None:
    training = Training(learning_rate=0.8, schedule=schedule, **DECAYS[schedule])
    assert [learning_rate(training, t) for t in range(5)] == pytest.approx(rates)


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
@pytest.mark.parametrize(
    ("schedule", "staircase", "rates"),
    [
        ("inverse_time", True, [0.8, 0.8, 0.8, 0.4, 0.4]),
        ("inverse_time", False, [0.8, 0.6, 0.48, 0.4, 0.8 * 3 / 7]),
        ("exponential", True, [0.8, 0.8, 0.8, 0.8, 0.8]),
    ],
)
def test_staircase(
    schedule: str,
    staircase: bool,
    rates: list[float],
    name: str,
    packages: dict[str, ModuleType],
) -> None:
    """The rate of each step is what a weight with the gradient 2 loses, divided by 2."""
    training = Training(
        learning_rate=0.8, schedule=schedule, decay_rate=1.0, decay_steps=3, staircase=staircase
    )
    case = dataclasses.replace(
        LINE,
        network=dataclasses.replace(LINE.network, loss="output"),
        dataset=Dataset("one", np.array([[2.0]]), np.array([[0.0]])),
        training=training,
    )
    weights = [2.0, *weights_of_steps(packages[name], case, training, 5)]
    assert -np.diff(weights) / 2 == pytest.approx(rates)


# Four rows, one in a step.
FOUR = dataclasses.replace(
    LINE,
    network=dataclasses.replace(LINE.network, layers=(Layer(units=1),)),
    parameters=(Weights(np.array([[0.3]]), np.array([0.1])),),
    dataset=Dataset(
        "four",
        np.array([[1.0], [2.0], [-1.0], [0.5]]),
        np.array([[0.5], [1.0], [0.0], [2.0]]),
    ),
    training=Training(learning_rate=0.1),
)


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
@pytest.mark.parametrize(
    ("decay", "weight"),
    [
        ({"decay_steps": 1}, 0.4099344),
        ({"decay_steps": 4, "staircase": True}, 0.4126894),
        ({"decay_epochs": 1, "staircase": True}, 0.4126894),
    ],
    ids=str,
)
def test_decay_by_the_epoch(
    decay: dict[str, Any], weight: float, name: str, packages: dict[str, ModuleType]
) -> None:
    training = Training(
        learning_rate=0.2, schedule="inverse_time", decay_rate=0.5, batch_size=1, epochs=3, **decay
    )
    net = model(packages[name], FOUR)
    net.fit(FOUR.dataset, training)
    assert net.parameters[0].W[0, 0] == pytest.approx(weight, abs=1e-7)


def test_a_case_counts_in_steps_what_its_training_gives_in_epochs() -> None:
    training = Training(
        learning_rate=0.2, schedule="cosine", decay_epochs=3, batch_size=2, validation=0.25
    )
    case = dataclasses.replace(FOUR, training=training)
    assert (case.training.decay_epochs, case.training.decay_steps) == (None, 6)
    assert training.in_steps(100).decay_steps == 3 * 38
    for alone in (
        lambda: model(impl_numpy, FOUR).step(*FOUR.first_batch(), training),
        lambda: StepTraining.of(training, {}),
    ):
        with pytest.raises(
            InputError, match="decay_epochs: a single step needs decay_steps instead"
        ):
            alone()


def test_cosine_ends_at_zero() -> None:
    training = Training(learning_rate=0.8, schedule="cosine", decay_steps=4)
    rates = [learning_rate(training, t) for t in (0, 2, 4, 100)]
    assert rates == pytest.approx([0.8, 0.4, 0, 0])


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        ({"optimizer": "adm"}, "optimizer: 'adm' is not an optimizer; did you mean 'adam'?"),
        ({"optimizer": "adam", "momentum": 0.9}, "momentum: 'adam' has none"),
        ({"momentum": 0.9}, "momentum: 'sgd' has none"),
        ({"optimizer": "momentum", "momentum": 1.0}, "momentum: should be less than 1, not 1.0"),
        ({"optimizer": "adam", "beta_2": -0.1}, "beta_2: should be greater than or equal to 0"),
        ({"optimizer": "rmsprop", "epsilon": 0.0}, "epsilon: should be greater than 0"),
        ({"schedule": "cos"}, "schedule: 'cos' is not a schedule; did you mean 'cosine'?"),
        ({"schedule": "step", "decay_rate": 0.5}, "decay_steps: is missing, 'step' needs it"),
        ({"schedule": "cosine", "decay_steps": 0}, "decay_steps: should be greater than 0, not 0"),
        ({"decay_rate": 0.5}, "decay_rate: 'constant' has none"),
        ({"epsilon_placement": "inside_root"}, "epsilon_placement: 'sgd' has none"),
        (
            {"optimizer": "adam", "epsilon_placement": "inside_root"},
            "epsilon_placement: 'inside_root' is not a placement of adam's ε; did you mean "
            "'outside_root'?",
        ),
        (
            {"optimizer": "rmsprop", "epsilon_placement": 1},
            "epsilon_placement: should be a valid string, not 1",
        ),
        ({"optimizer": "momentum", "dampening": 0.1}, "dampening: 'momentum' has none"),
        ({"optimizer": "pytorch_nesterov", "dampening": 0.1}, "dampening: 'pytorch_nesterov' has"),
        ({"clipnorm": 0.0}, "clipnorm: should be greater than 0, not 0.0"),
        (
            {"clipvalue": 1.0, "global_clipnorm": 1.0},
            "clipvalue and global_clipnorm: give one of them",
        ),
        (
            {"schedule": "cosine", "decay_steps": 2, "decay_epochs": 1},
            "decay_steps and decay_epochs: give one of them",
        ),
        ({"decay_epochs": 1}, "decay_epochs: 'constant' has none"),
        ({"schedule": "cosine", "decay_steps": 2, "staircase": True}, "staircase: 'cosine' has no"),
        ({"weight_decay": -0.1}, "weight_decay: should be greater than or equal to 0, not -0.1"),
    ],
)
def test_numbers_that_are_wrong(numbers: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as error:
        Training(learning_rate=0.1, **numbers)
    assert line in str(error.value)
