"""Conventions are not mistakes: a step that is right by another definition is told which."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from impl_numpy import FeedForward
from shared import (
    Array,
    Case,
    InputError,
    Layer,
    Network,
    Training,
    Weights,
    initialise,
    load_case,
)
from tests.problems import Problem
from threeways.cli import main
from threeways.conformance.contract import Maker
from threeways.conformance.conventions import check_scale, convention, factors
from threeways.conformance.results import CaseResult, result_of, result_of_run
from threeways.exact.oracle import exact_step
from threeways.mistakes import MISTAKES
from threeways.mistakes.steps import numbers_of
from threeways.testing import assert_step_parity

Answer = dict[str, Array]
HALF = Problem("tanh", "sigmoid-half", (3, 2, 5), 4, "float64").case()
MEAN = Problem("tanh", "linear-mse", (3, 2, 3), 5, "float64").case()
ENTROPY = Problem("relu", "softmax-cce", (3, 2, 3), 4, "float64").case()
SQUARE = Problem("tanh", "sigmoid-half", (3, 3, 3), 4, "float64").case()


def scaled(factor: float) -> Callable[..., Answer]:
    """A network whose loss is so many times the case's."""

    class Scaled(FeedForward):
        def loss(self, *arguments: Any) -> Any:
            return factor * super().loss(*arguments)

        def output_delta(self, *arguments: Any) -> Any:
            return factor * super().output_delta(*arguments)

    return lambda network, parameters, x, y, rate: (
        Scaled(network, parameters)
        .step(x, y, dataclasses.replace(HALF.training, learning_rate=rate))
        .quantities()
    )


def only(step: Callable[..., Answer], *names: str) -> Callable[..., Answer]:
    """The same network, which gives only these quantities."""

    def some(network: Any, parameters: Any, x: Array, y: Array, learning_rate: float) -> Answer:
        every = step(network, parameters, x, y, learning_rate)
        return {name: each for name, each in every.items() if name.partition("[")[0] in names}

    return some


def result(implementation: Any, case: Case, **options: Any) -> CaseResult:
    maker = Maker(implementation, "step")
    return result_of_run(case, maker.kind, maker.step, **options)


SUM = "a sum over the rows, not their mean"
SCALES: list[tuple[Case, int | Fraction, str, str]] = [
    (HALF, 4, f"N = 4: {SUM}", '"sum"'),
    (HALF, 8, f"N = 4: {SUM}, and without a ½, or with a 2", '"sum"'),
    (HALF, Fraction(1, 5), "1/K, K = 5: a mean over the outputs, not their sum", "1/5"),
    (
        MEAN,
        Fraction(15, 2),
        f"N = 5: {SUM}, and with a ½, and K = 3: a sum over the outputs",
        '"sum"',
    ),
    (MEAN, Fraction(1, 2), "with a ½", "1/2"),
    (MEAN, 3, "K = 3: a sum over the outputs, not their mean", "3"),
    (ENTROPY, 4, f"N = 4: {SUM}", '"sum"'),
    (ENTROPY, Fraction(1, 4), "1/N, N = 4: divided by the number of rows twice", "1/4"),
]


@pytest.mark.parametrize(("case", "factor", "why", "accepting"), SCALES)
def test_a_common_factor(case: Case, factor: Fraction, why: str, accepting: str) -> None:
    network = scaled(float(factor))
    found = result(network, case)
    assert not found.ok
    assert found.diagnosis is None
    assert found.convention
    assert found.convention.startswith(
        f"your loss and gradients are {factor} times this case's ({why}"
    )
    assert found.convention.endswith(f"); all else agrees: scale={accepting} accepts it")
    assert_step_parity(network, case, scale=accepting.strip('"'))
    assert_step_parity(network, case.with_dtype("float32"), scale=accepting.strip('"'))


@pytest.mark.parametrize("given", ["loss", "dW", "db", "dx", "W_next", "b_next"])
def test_a_common_factor_of_some_quantities(given: str) -> None:
    network = only(scaled(4), given)
    found = result(network, HALF)
    assert found.convention
    whose = "loss is" if given == "loss" else "gradients are"
    assert found.convention.startswith(f"your {whose} 4 times this case's (N = 4: ")
    assert_step_parity(network, HALF, scale="sum")


def test_a_scale_forgives_no_mistake() -> None:
    """Nor does one that is not what it was said to be."""

    class Mistake(FeedForward):
        def output_delta(self, *arguments: Any) -> Any:
            return 4 * super().output_delta(*arguments)

    for scale in (1.0, "sum", 4):
        found = result(Mistake, HALF, scale=scale)
        assert not found.ok
        assert found.convention is None
    right = result(FeedForward, HALF, scale="sum")
    assert right.convention is None
    assert not right.ok


def test_a_mistake_is_recognised_in_a_scaled_step() -> None:
    class Summed(FeedForward):
        def loss(self, *arguments: Any) -> Any:
            return 4 * super().loss(*arguments)

        def output_delta(self, y: Array, z: Array, a: Array) -> Any:
            return a - y

    found = result(Summed, HALF, scale="sum")
    assert found.diagnosis
    names = [match.mistakes for match in found.diagnosis.matches]
    assert names == [("output-derivative-forgotten",)]


def test_of_one_row_and_one_output_no_factor_is_told() -> None:
    case = Problem("tanh", "sigmoid-half", (3, 1), 1, "float64").case()
    assert set(factors(case)) == {2, Fraction(1, 2)}
    assert_step_parity(FeedForward, case, scale="sum")


@pytest.mark.parametrize(
    ("scale", "number"), [("sum", "sum"), (2, 2.0), ("1/2", 0.5), (Fraction(3, 2), 1.5)]
)
def test_scales(scale: Any, number: Any) -> None:
    assert check_scale(scale) == number


@pytest.mark.parametrize("scale", ["mean", 0, -1, "1/0", np.nan, np.inf, None, "", "1e999"])
def test_wrong_scales(scale: Any) -> None:
    with pytest.raises(InputError, match="scale: expected 'sum' or a number above 0, not "):
        assert_step_parity(FeedForward, HALF, scale=scale)


def turned(quantities: Answer) -> Answer:
    return {
        name: each.T.copy() if name.startswith(("dW", "W_next")) else each
        for name, each in quantities.items()
    }


def test_transposed_weights_of_square_layers_are_a_layout() -> None:
    def given_so(network: Any, parameters: Any, x: Array, y: Array, rate: float) -> Answer:
        return turned(scaled(1)(network, parameters, x, y, rate))

    def taken_so(network: Any, parameters: Any, x: Array, y: Array, rate: float) -> Answer:
        return scaled(1)(network, [(W.T, b) for W, b in parameters], x, y, rate)

    def both(network: Any, parameters: Any, x: Array, y: Array, rate: float) -> Answer:
        return turned(taken_so(network, parameters, x, y, rate))

    for step in (given_so, only(given_so, "dW"), both, taken_so, only(taken_so, "dW", "loss")):
        found = result(step, SQUARE)
        assert found.convention
        assert '(out, in), which is a layout: declare @layout(W="out, in")' in found.convention
        assert not found.ok


def test_one_transposed_gradient_is_a_mistake() -> None:
    def one(network: Any, parameters: Any, x: Array, y: Array, rate: float) -> Answer:
        every = scaled(1)(network, parameters, x, y, rate)
        return every | {"dW[1]": every["dW[1]"].T}

    def without_update(*inputs: Any) -> Answer:
        return {name: each for name, each in one(*inputs).items() if "_next" not in name}

    for step in (one, without_update):
        assert result(step, SQUARE).convention is None


def fixed() -> Case:
    case = load_case("mazur")
    assert isinstance(case, Case)
    assert all(layer.fixed_bias for layer in case.network.layers)
    return case


def test_biases_that_a_case_keeps() -> None:
    case = fixed()
    layers = tuple(dataclasses.replace(layer, fixed_bias=False) for layer in case.network.layers)
    free = dataclasses.replace(case.network, layers=layers)

    class Free(FeedForward):
        def __init__(self, network: Any, parameters: Any) -> None:
            super().__init__(free, parameters)

    def zero(network: Any, parameters: Any, x: Array, y: Array, rate: float) -> Answer:
        every = scaled(1)(network, parameters, x, y, rate)
        return every | {"db[0]": np.zeros(2), "db[1]": np.zeros(2)}

    class Silent(Free):
        """Only the second step shows that its biases have moved."""

        def step(self, *inputs: Any) -> Any:
            every = super().step(*inputs).quantities()
            return {name: every[name] for name in ("a[2]", "loss")}

    keeps = "this case keeps its biases (fixed_bias), yours are updated; all else agrees"
    zeros = "your db is 0 where this case keeps its biases (fixed_bias); leave it out; all"
    for step, line in ((Free, keeps), (Silent, keeps), (zero, zeros)):
        found = result(step, case)
        assert found.convention
        assert found.convention.startswith(line)
        assert not found.ok
        assert found.diagnosis is None


def test_biases_that_a_case_does_not_have() -> None:
    layers = tuple(dataclasses.replace(layer, use_bias=False) for layer in HALF.network.layers)
    network = dataclasses.replace(HALF.network, layers=layers)
    parameters = tuple(Weights(W, np.zeros_like(b)) for W, b in HALF.parameters)
    case = dataclasses.replace(HALF, network=network, parameters=parameters)

    class Free(FeedForward):
        def __init__(self, network: Any, parameters: Any) -> None:
            super().__init__(HALF.network, parameters)

        def step(self, *inputs: Any) -> Any:
            every = super().step(*inputs).quantities()
            return {name: every[name] for name in ("loss", "dW[0]")}

    found = result(Free, case)
    assert found.convention
    assert found.convention.startswith("this case has no biases (use_bias = false), yours are upda")
    assert found.step == 2


def test_a_gradient_is_derived_from_the_new_weights() -> None:
    """So that a mistake in it is found where it is, and not in the update."""

    class Mistake(FeedForward):
        def output_delta(self, y: Array, z: Array, a: Array) -> Any:
            return (a - y) / len(y)

    def step(network: Any, parameters: Any, x: Array, y: Array, rate: float) -> Answer:
        return Mistake(network, parameters).step(x, y, HALF.training).quantities()

    found = result(only(step, "W_next"), HALF)
    assert found.judgement
    assert [worst.quantity for worst in found.judgement.departures] == ["dW[1]", "dW[0]"]
    assert set(found.derived) == {"dW[0]", "dW[1]"}
    assert found.diagnosis
    assert found.diagnosis.matches[0].mistakes == ("output-derivative-forgotten",)
    with pytest.raises(AssertionError) as error:
        assert_step_parity(only(step, "W_next", "b_next"), HALF)
    first = str(error.value).splitlines()[0]
    assert ", derived from your " in first
    assert first.partition(", derived from your ")[2].startswith(
        ("W_next[1], is ", "b_next[1], is ")
    )


def test_nothing_is_derived_where_it_cannot_be() -> None:
    momentum = dataclasses.replace(HALF.training, optimizer="momentum")
    for case in (dataclasses.replace(HALF, training=momentum), fixed()):
        wrong = {"b_next[0]": case.parameters[0].b + 1}
        assert result_of(case, wrong).derived == ()
    given = {"W_next[0]": np.zeros((3, 2)), "dW[0]": np.zeros((3, 2))}
    assert result_of(HALF, given).derived == ()


def test_the_command_accepts_a_scale(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "summed.py").write_text("""
import numpy as np
def step(network, parameters, x, y, learning_rate):
    a = x
    for W, b in parameters:
        a = 1 / (1 + np.exp(-(a @ W + b)))
    return {"loss": ((a - y) ** 2).sum()}
""")
    run = CliRunner().invoke
    plain = run(main, ["check", "summed.py:step", "uio-9-buildings"])
    assert plain.exit_code == 1
    assert "your loss is 10 times this case's (N = 5: a sum over the rows" in plain.output
    assert " wrong by nothing but a convention\n" in plain.output
    summed = run(main, ["check", "summed.py:step", "uio-9-buildings", "--scale", "sum"])
    assert summed.exit_code == 0, summed.output
    wrong = run(main, ["check", "summed.py:step", "uio-9-buildings", "--scale", "none"])
    assert wrong.exit_code == 2
    assert "scale: expected 'sum' or a number above 0, not 'none'" in wrong.output


def net_of(training: Training) -> Any:
    """A class that trains by another optimizer than it is told to."""

    class Other(FeedForward):
        def step(self, x: Array, y: Array, _: Training) -> Any:
            return super().step(x, y, training)

    return Other


def trained(**fields: Any) -> Training:
    return Training(learning_rate=0.1, **fields)


PYTORCHS_ADAM = (
    "this is PyTorch's and the paper's Adam, ε beside the corrected root √v̂; this case has "
)
OPTIMIZERS_OF_OTHERS: dict[str, tuple[Training, Training, str]] = {
    "adam": (
        trained(optimizer="adam"),
        trained(optimizer="adam", epsilon_placement="corrected_root"),
        PYTORCHS_ADAM
        + "Keras's Adam, ε beside the root: set epsilon_placement = \"corrected_root\"; all else",
    ),
    "adam-with-its-own-epsilon": (
        trained(optimizer="adam"),
        trained(optimizer="adam", epsilon_placement="corrected_root", epsilon=1e-8),
        PYTORCHS_ADAM + "Keras's Adam, ε beside the root: set "
        'epsilon_placement = "corrected_root", epsilon = 1e-08; all else agrees',
    ),
    "keras": (
        trained(optimizer="adam", epsilon_placement="corrected_root"),
        trained(optimizer="adam"),
        "this is Keras's Adam, ε beside the root; this case has PyTorch's and the paper's Adam",
    ),
    "adamw": (
        trained(optimizer="adamw", weight_decay=0.1),
        trained(
            optimizer="adamw", weight_decay=0.1, epsilon_placement="corrected_root", epsilon=1e-8
        ),
        "this is PyTorch's AdamW, ε beside the corrected root √v̂; this case has Keras's AdamW",
    ),
    "rmsprop": (
        trained(optimizer="rmsprop", rho=0.9),
        trained(optimizer="rmsprop", rho=0.9, epsilon_placement="outside_root", epsilon=1e-8),
        "this is PyTorch's RMSprop, ε beside the root; this case has Keras's RMSprop, ε inside",
    ),
    "adagrad": (
        trained(optimizer="adagrad"),
        trained(
            optimizer="adagrad",
            epsilon_placement="outside_root",
            epsilon=1e-10,
            initial_accumulator=0.0,
        ),
        "this is PyTorch's Adagrad, ε beside the root; this case has Keras's Adagrad, ε inside",
    ),
    "adam-with-another-epsilon": (
        trained(optimizer="adam"),
        trained(optimizer="adam", epsilon=1e-8),
        "this is Keras's Adam, ε beside the root, with another ε: set epsilon = 1e-08; all else",
    ),
    "rmsprop-of-lectures": (
        trained(optimizer="rmsprop"),
        trained(optimizer="rmsprop", epsilon_placement="outside_root", epsilon=1e-8),
        "this is PyTorch's RMSprop, ε beside the root; this case has Keras's RMSprop, ε inside",
    ),
    "adagrad-of-lectures": (
        trained(optimizer="adagrad"),
        trained(
            optimizer="adagrad",
            epsilon_placement="outside_root",
            epsilon=1e-8,
            initial_accumulator=0.0,
        ),
        "this is PyTorch's Adagrad, ε beside the root; this case has Keras's Adagrad, ε inside",
    ),
    "dampening": (
        trained(optimizer="momentum", momentum=0.5),
        Training(learning_rate=0.05, optimizer="momentum", momentum=0.5),
        "this is momentum with dampening, v ← μv + (1 - μ)g and w ← w - ηv, whose steps are (1 - ",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("its", "theirs", "line"), OPTIMIZERS_OF_OTHERS.values(), ids=OPTIMIZERS_OF_OTHERS
)
def test_optimizers_of_other_frameworks(its: Training, theirs: Training, line: str) -> None:
    case = dataclasses.replace(HALF, training=its)

    class Given(net_of(theirs)):  # type: ignore[misc]
        def step(self, *inputs: Any) -> Any:
            every = super().step(*inputs).quantities()
            return {name: every[name] for name in ("loss", "dW[0]", "W_next[0]", "W_next[1]")}

    for network in (Given, net_of(theirs)) if its.optimizer != "momentum" else (Given,):
        found = result(network, case)
        assert found.convention
        assert found.convention.startswith(line)
        assert not found.ok
        assert found.diagnosis is None


def test_a_buffer_of_gradients() -> None:
    its = trained(optimizer="momentum")
    case = dataclasses.replace(HALF, training=its)

    class Buffer(FeedForward):
        def step(self, *inputs: Any) -> Any:
            every = super().step(*inputs).quantities()
            return {
                name: each / -0.1 if name.startswith("momentum_") else each
                for name, each in every.items()
            }

    found = result(Buffer, case)
    assert found.convention
    assert found.convention.startswith("this is PyTorch's momentum, v ← μv + g and w ← w - ηv")


def test_an_optimizer_that_is_wrong_is_no_convention() -> None:
    case = dataclasses.replace(HALF, training=trained(optimizer="adam"))
    wrong = net_of(trained(optimizer="adam", beta_1=0.8, epsilon_placement="corrected_root"))
    assert result(wrong, case).convention is None


PAGE = (Path(__file__).parent.parent / "docs" / "conventions.md").read_text(encoding="utf-8")


def numbers_of_table(first: str) -> dict[str, float]:
    """The last column of a table of the page by its first; ``first`` is the head of that."""
    table = PAGE.partition(f"| {first} |")[2].partition("\n\n")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    return {cells[0].strip(): float(cells[-1]) for cells in rows}


def test_the_page_has_the_losses() -> None:
    """Of three outputs in four rows that are off by √2, in each of its definitions."""
    N, K = 4, 3
    of = {}
    for output in ("linear-mse", "sigmoid-half"):
        network = Problem("tanh", output, (1, K), N, "float64").case().network
        net = FeedForward(network, initialise(network, "zeros", 0))
        x = np.zeros((N, 1))
        of[network.loss] = float(np.asarray(net.backward(x, net.predict(x) + np.sqrt(2)).loss))
    assert list(numbers_of_table("definition").values()) == pytest.approx(
        [
            of["mean_squared_error"],
            of["half_squared_error"],
            of["mean_squared_error"] * K,
            of["half_squared_error"] * N,
            of["half_squared_error"] * 2 * N,
        ]
    )


def test_the_page_has_the_optimizers() -> None:
    adam = {"epsilon_placement": "corrected_root", "epsilon": 1e-8}
    beside = {"epsilon_placement": "outside_root"}
    trainings = [
        trained(),
        trained(optimizer="momentum"),
        trained(optimizer="momentum"),
        Training(learning_rate=0.01, optimizer="momentum"),
        trained(optimizer="nesterov"),
        trained(optimizer="adagrad"),
        trained(optimizer="adagrad", **beside, epsilon=1e-10, initial_accumulator=0.0),
        trained(optimizer="rmsprop"),
        trained(optimizer="rmsprop", **beside, epsilon=1e-8, rho=0.99),
        trained(optimizer="adam"),
        trained(optimizer="adam", **adam),
        trained(optimizer="adamw"),
        trained(optimizer="adamw", **adam, weight_decay=0.01),
    ]
    network = Network(n_features=1, layers=(Layer(units=1),), loss="output")
    x, y = np.array([[0.001]]), np.zeros((1, 1))
    given = numbers_of_table("optimizer")
    assert len(given) == len(trainings)
    for training, number in zip(trainings, given.values(), strict=True):
        net = FeedForward(network, (Weights(np.ones((1, 1)), np.zeros(1)),))
        net.step(x, y, training)
        after = float(net.step(x, y, training).W_next[0][0, 0])
        assert after == pytest.approx(number, rel=1e-9)


def test_the_page_has_a_step_that_is_right() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {})


def test_pytorchs_clipping_adds_to_the_norm() -> None:
    case = dataclasses.replace(HALF, training=trained(global_clipnorm=0.001))
    given = numbers_of(MISTAKES["norm-plus-epsilon"], case)
    line = convention(case, [given], exact_step(case))
    assert line
    assert line.startswith("this is PyTorch's clip_grad_norm_, which adds 1e-6 to the norm; all")
