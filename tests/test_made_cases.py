"""Which cases an implementation is checked on, those made for it, and that no mistake passes."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.mistakes_checked import caught_in, is_of_whole_trainings
from impl_numpy import FeedForward
from shared import OPTIMIZERS, Case, InputError, check_targets, load_case
from tests.problems import regularised
from threeways.cli import main
from threeways.conformance.contract import declared_by
from threeways.conformance.layouts import in_layout
from threeways.conformance.made_cases import variants, variants_that_keep, with_biases
from threeways.conformance.plan import cases_for_named, cases_that_fit, settled
from threeways.conformance.results import CaseResult
from threeways.conformance.supports import ANYTHING, Supports, declaration, supports
from threeways.mistakes import MISTAKES
from threeways.testing import assert_step_parity, cases, cases_for, layout


def network(name: str) -> Case:
    case = load_case(name)
    assert isinstance(case, Case)
    return case


def test_every_mistake_of_a_class_is_caught_with_no_case_named() -> None:
    """All cases are a benchmark, ``python -m benchmarks.mistakes_checked``; most are small here."""
    # Those with most in them first.
    tried = [case for case in reversed(cases()) if case.network.widths[0] < 20]
    left = {name: kind for name, kind in MISTAKES.items() if not caught_in(kind, tried)}
    missed = [name for name, kind in left.items() if not is_of_whole_trainings(kind, tried)]
    assert missed == []


@pytest.mark.parametrize("name", ["digits", "mazur", "iris-adagrad", "lums-4-and", "kth-1-ltu"])
def test_made_cases(name: str) -> None:
    case = network(name)
    for made in variants(case) + variants_that_keep(case):
        layers = zip(made.network.layers, case.network.layers, strict=True)
        assert all(mine.activation == own.activation for mine, own in layers)
        assert (made.network.loss, made.training.optimizer) == (
            case.network.loss,
            case.training.optimizer,
        )
        assert all((b != 0).all() for _, b in made.parameters)
        assert (made.dataset.x < 0).any()
        assert (made.dataset.x > 0).any()
        check_targets(made.network, made.dataset.y, len(made.dataset))
        again = next(
            each for each in variants(case) + variants_that_keep(case) if each.name == made.name
        )
        np.testing.assert_array_equal(made.dataset.x, again.dataset.x)
        assert_step_parity(FeedForward, made)
    widths = variants(case)[0].network.widths
    assert all(after != D for D, after in itertools.pairwise(widths))
    assert [len(each.first_batch()[0]) for each in variants(case)][1] == 1
    for made in variants_that_keep(case):
        assert made.first_batch()[1].shape == case.first_batch()[1].shape


def test_biases_of_a_named_case() -> None:
    biased = with_biases(network("digits"))
    assert biased
    assert all((b != 0).all() for _, b in biased.parameters)
    assert with_biases(network("mazur")) is None
    no_biases = network("csumb-6-eight-weights")  # fixed at 0
    assert with_biases(no_biases) is None
    assert not any(b.any() for made in variants(no_biases) for _, b in made.parameters)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Supports(2, ("relu", "softmax")), {"digits", "digits-low", "digits-high-fine-tuned"}),
        (Supports(losses=("perceptron",)), {"kth-1-ltu", "kth-5-xor-step"}),
        (Supports(5), {"epita-3-activations"}),
    ],
)
def test_cases_that_fit(wanted: Supports, expected: set[str]) -> None:
    own = [case for case in cases() if not case.dataset.name.startswith("made")]
    found = cases_that_fit(own, wanted, "function")
    assert {case.name for case in found} >= expected
    assert all(wanted.fits(case) for case in found)
    assert len({case.name for case in found} - {case.name for case in own}) >= 3


@pytest.mark.parametrize(
    "wanted",
    [
        Supports(7),
        Supports(2, ("sigmoid", "softmax"), (4, 5, 3)),
        Supports(3, ("elu", "elu", "linear")),
        *(Supports(2, ("tanh", "linear"), optimizers=(name,)) for name in OPTIMIZERS),
    ],
    ids=str,
)
def test_where_nothing_fits_cases_are_made(wanted: Supports) -> None:
    found = cases_that_fit([network("iris")], wanted, "step")
    assert found
    assert all(wanted.fits(case) for case in found)
    for case in found:
        assert_step_parity(FeedForward, case)


def test_what_a_declaration_leaves_out_is_not_asked_for() -> None:
    @supports(layers=("relu", "sigmoid"), loss="binary_crossentropy")
    def step(network: Any, parameters: Any, x: Any, y: Any, learning_rate: float) -> Any: ...

    names = [case.name for case in cases_for(step)]
    assert "breast-cancer" in names
    assert not {"breast-cancer-l1", "breast-cancer-l2", "circles-nesterov"} & {*names}


DECLARATIONS: list[tuple[Any, str]] = [
    ({"layers": "relu-softmx"}, "supports: layers: 'softmx' is not an activation; did you mean"),
    ({"layers": 0}, "supports: layers: a network has at least one layer, not 0"),
    ({"layers": "4-5"}, "supports: layers: '4-5': expected each layer's activation"),
    ({"layers": "0relu"}, "supports: layers: a layer has at least one unit"),
    ({"layers": 2.5}, "supports: layers: expected a number of layers, or the activation of each"),
    ({"loss": "crossentropy"}, "supports: loss: 'crossentropy' is not a loss; did you mean"),
    ({"optimizers": ["adm"]}, "supports: optimizers: 'adm' is not an optimizer; did you mean"),
    (
        {"layers": "relu", "loss": "categorical_crossentropy"},
        "supports: loss: 'categorical_crossentropy' does not fit an output layer of 'relu' units",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), DECLARATIONS)
def test_wrong_declarations(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        supports(**arguments)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("text", ["relu-softmax", "4-5relu-3softmax", "relu-1sigmoid"])
def test_declarations_in_words(text: str) -> None:
    assert str(declaration(text, None, None)) == text


def test_names_that_people_type() -> None:
    assert declaration("tanh-linear", "MSE", None).losses == ("mean_squared_error",)
    of_either = declaration("relu-softmax", "cross_entropy", None)
    assert of_either.losses == ("categorical_crossentropy",)


def test_a_declaration_used_bare_and_one_of_a_method() -> None:
    for given in (print, "relu-softmax"):
        with pytest.raises(InputError, match=r'expected @supports\(layers="relu-softmax"\)'):
            supports(given)

    class Net:
        @supports(layers=3)
        @layout(W="out, in")
        def backward(self, x: Any, y: Any) -> Any: ...

    assert declared_by(Net) == Supports(3)
    assert in_layout(Net, "backward", "Net") is not Net


def test_only_networks_without_biases() -> None:
    declared = Supports(2, ("sigmoid", "sigmoid"), losses=("half_squared_error",), biases=False)
    assert str(declared) == "sigmoid-sigmoid, half_squared_error, without biases"
    made = cases_that_fit([network("uio-9-buildings")], declared, "function")
    assert len(made) > 2
    assert not any(layer.use_bias for case in made for layer in case.network.layers)
    with_biases = dataclasses.replace(declared, biases=True)
    assert [with_biases.fits(case) for case in (made[0], network("uio-9-buildings"))] == [0, 1]

    @supports(layers="sigmoid-sigmoid", loss="half_squared_error", biases=False)
    def step(network: Any, parameters: Any, x: Any, y: Any, learning_rate: float) -> Any:
        W = [each.W + 0 for each in parameters]
        a_1 = 1 / (1 + np.exp(-x @ W[0]))
        a_2 = 1 / (1 + np.exp(-a_1 @ W[1]))
        delta = (a_2 - y) * a_2 * (1 - a_2) / len(x)
        hidden = delta @ W[1].T * a_1 * (1 - a_1)
        W[1] -= learning_rate * a_1.T @ delta
        W[0] -= learning_rate * x.T @ hidden
        return {"W_next": W}

    assert cases_for(step) != []
    for case in cases_for(step):
        assert_step_parity(step, case)
    with pytest.raises(InputError, match="supports: biases: expected True or False, not 'no'"):
        supports(biases="no")  # type: ignore[arg-type]


def test_code_for_the_widths_of_its_case_alone() -> None:
    (group,) = cases_for_named([network("iris")], ANYTHING)
    own = sum(case.network.widths == group[0].network.widths for case in group)
    assert 1 < own < len(group)
    fine = CaseResult("iris", "float64", judgement=RIGHT)
    wrong = CaseResult("made", "float64", ("dW[0]: expected shape (3, 5), got (2, 2)",))
    results = [fine] * own + [wrong] * (len(group) - own)
    found = list(settled(results, [group]))
    assert [each.is_tried for each in found] == [True] * own + [False] * (len(group) - own)
    results[-1] = fine
    assert list(settled(results, [group])) == results  # of some other widths it is


class _Right:
    ok = True


RIGHT: Any = _Right()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--network", "relu-softmx"], "--network: 'softmx' is not an activation"),
        (["mazur", "--loss", "output"], "--loss: chooses cases, and 'mazur' is named"),
        (["--steps", "1"], "1 is not in the range"),
    ],
)
def test_wrong_options(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["check", "net:step", *arguments])
    assert result.exit_code == 2
    assert message in result.output


def test_penalties_and_dropout_stay_of_a_named_case() -> None:
    for made in variants_that_keep(regularised()):
        for mine, own in zip(made.network.layers, regularised().network.layers, strict=True):
            assert dataclasses.replace(mine, units=2) == dataclasses.replace(own, units=2)
