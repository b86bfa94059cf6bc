"""What people bring, and what they have to be told: printed numbers, networks, recorded steps.

The right values were found without this project: by central differences in 60 digits, in PyTorch,
or in plain loops.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impl_numpy import FeedForward
from shared import Case, InputError, Training, Weights, load_case
from tests.field import networks
from threeways.conformance.record_reader import read_records
from threeways.conformance.records import StepResult, check_records
from threeways.mistakes.diagnosis import diagnose
from threeways.testing import assert_step_parity

FIELD = Path(__file__).with_name("field")


def case_of(name: str) -> Case:
    """The project's case of that name, or the one in this folder."""
    path = FIELD / f"{name}.toml"
    case = load_case(path if path.is_file() else name)
    assert isinstance(case, Case)
    return case


# Case, step, the numbers that somebody got, the verdict, and a mistake or two that make them.
PRINTED: list[tuple[str, int, dict[str, str], str, set[str]]] = [
    ("tanh-tanh", 1, {"dW[1][0,0]": "-40.21530288726289"}, "known", {"net-input-in-derivative"}),
    ("tanh-tanh", 1, {"dW[1][0,0]": "-40.2153"}, "known", {"net-input-in-derivative"}),
    (
        "xor-without-bias",
        1,
        {"dW[1][0,0]": "0.57177", "dW[1][1,0]": "0.48036"},
        "not unique",
        {"output-derivative-forgotten-in-gradients"},
    ),
    (
        "xor-without-bias",
        4,
        {"W_next[1][0,0]": "0.74717"},
        "known",
        {"output-derivative-forgotten-in-gradients"},
    ),
    ("mazur", 1, {"W_next[1][0,0]": "0.354"}, "possible", set()),
    (
        "nll-without-logsoftmax",
        1,
        {"dW[0][0,0]": "0.", "dW[0][0,3]": "-1.", "dW[0][1,3]": "-2."},
        "possible",
        {"net-input-as-log-probability"},
    ),
    (
        "softmax-twice",
        1,
        {"loss": "0.8555771", "dW[0][0,0]": "0.0760712"},
        "known",
        {"probabilities-as-logits"},
    ),
    ("bce-clipped", 1, {"loss": "5.1110797"}, "not unique", {"epsilon-in-log-1e-7"}),
    ("decay-per-epoch", 12, {"W_next[0][0,0]": ".412689"}, "known", {"decay-per-epoch"}),
    ("decay-per-epoch", 12, {"W_next[0][0,0]": ".381482"}, "known", {"decay-compounded-per-epoch"}),
    ("decay-per-epoch", 12, {"W_next[0][0,0]": ".396406"}, "known", {"decayed-late"}),
    ("decay-per-epoch", 12, {"W_next[0][0,0]": ".40993"}, "correct", set()),
    (
        "hand-slip",
        1,
        {"z[1][0,0]": "0.428", "z[1][0,1]": "0.185", "a[2][0,0]": "0.561", "loss": "0.579"},
        "none known",
        set(),
    ),
    ("adamw", 1, {"W_next[0][0,0]": "1.9880000"}, "correct", set()),
    ("adamw", 3, {"W_next[0][0,0]": "1.9640450"}, "correct", set()),
    ("adamw", 1, {"W_next[0][0,0]": "1.79"}, "possible", {"weight-decay-without-rate"}),
    ("adamw", 3, {"W_next[0][0,0]": "1.4311962"}, "known", {"weight-decay-without-rate"}),
    ("clipnorm", 1, {"W_next[1][0,0]": "2.0414859"}, "correct", set()),
    ("clipnorm", 1, {"W_next[1][0,0]": "2.0985800"}, "known", {"clipped-to-each-norm"}),
    ("huber", 1, {"loss": "1.375"}, "correct", set()),
    ("huber", 1, {"loss": ".875"}, "possible", {"negative-errors-left-out-in-loss"}),
]


@pytest.mark.parametrize(("name", "step", "numbers", "verdict", "mistakes"), PRINTED)
def test_printed_numbers_are_told_what_they_are(
    name: str, step: int, numbers: dict[str, str], verdict: str, mistakes: set[str]
) -> None:
    found = diagnose(case_of(name), numbers, step)
    assert found.verdict == verdict
    if mistakes:
        assert mistakes in [{*each.mistakes} for each in found.matches]


# Network, case, what it has to be told; nothing if it is right.
CHECKED: list[tuple[Any, str, list[str]]] = [
    (networks.relu_softmax, "digits", []),
    (networks.biases_forgotten, "digits", ["[bias-forgotten]"]),
    (networks.AdamWithoutPower, "adam-no-power-t", ["step 2", "[correction-without-power]"]),
    (networks.bias_summed_over_units, "digits", ["[bias-summed-over-all]"]),
    (
        networks.error_passed_down_summed,
        "five-rows",
        ["[error-passed-down]", "[weight-gradient-not-averaged]"],
    ),
    (networks.summed_squares, "tanh-linear", ["6 times this case's", 'scale="sum"']),
    (networks.epsilon_in_log, "digits", ["[epsilon-in-log]"]),
    (networks.epsilon_in_log_all_given, "digits", ["[epsilon-in-log]"]),
    (networks.sign_inside_loss, "tiny-weights", ["[sign-inside-loss]"]),
    (networks.sign_inside_loss, "tiny", ["[sign-inside-loss]"]),
    (networks.mean_twice, "mean-twice", ["[mean-taken-again-below]"]),
    (networks.one_wrong_shape, "digits", ["db[0]: expected shape (32,), got (1, 32)", "@layout"]),
    (
        networks.derivative_forgotten_in_one_gradient,
        "xor-without-bias",
        ["[output-derivative-forgotten-in-gradients]"],
    ),
]


@pytest.mark.parametrize(("network", "name", "told"), CHECKED)
def test_networks_are_told_what_they_do(network: Any, name: str, told: list[str]) -> None:
    case = case_of(name)
    if not told:
        assert_step_parity(network, case)
        return
    with pytest.raises(AssertionError) as failure:
        assert_step_parity(network, case)
    for words in told:
        assert words in str(failure.value)


# The same of networks in PyTorch.
CHECKED_IN_PYTORCH: list[tuple[str, str, list[str]]] = [
    ("softmax_twice", "softmax-twice", ["[probabilities-as-logits]"]),
    ("nll_of_logits", "nll-without-logsoftmax", ["[net-input-as-log-probability]"]),
    ("NeverReset", "uio-9-buildings", ["step 2", "[gradients-not-reset]"]),
]


@pytest.mark.parametrize(("attribute", "name", "told"), CHECKED_IN_PYTORCH)
def test_networks_in_pytorch_are_told_what_they_do(
    attribute: str, name: str, told: list[str]
) -> None:
    pytest.importorskip("torch")
    from tests.field import torch_networks

    test_networks_are_told_what_they_do(getattr(torch_networks, attribute), name, told)


def recorded(n_steps: int = 1, **training: Any) -> dict[str, Any]:
    """The group of a file that records steps of mazur, all of them right."""
    case = case_of("mazur")
    net = FeedForward(case.network, case.parameters)
    tests = []
    for _ in range(n_steps):
        start = [{"W": W.tolist(), "b": b.tolist()} for W, b in net.parameters]
        trace = net.step(*case.first_batch(), Training(**{"learning_rate": 0.5} | training))
        numbers = {name: each.tolist() for name, each in trace.quantities().items()}
        tests.append({"parameters": start, "quantities": numbers})
    layer = {"units": 2, "activation": "sigmoid", "fixed_bias": True}
    x, y = case.first_batch()
    return {
        "network": {"n_features": 2, "layers": [layer] * 2, "loss": "half_squared_error"},
        "chained": n_steps > 1,
        "x": x.tolist(),
        "y": y.tolist(),
        "tests": tests,
        **({"training": {"learning_rate": 0.5} | training} if training else {"learning_rate": 0.5}),
    }


def results(folder: Path, group: dict[str, Any]) -> list[StepResult]:
    path = folder / "steps.json"
    path.write_text(json.dumps({"schema": "threeways/vectors/v1", "groups": [group]}))
    return list(check_records(read_records(path)))


def to_nine_digits(numbers: Any) -> Any:
    if isinstance(numbers, list):
        return [to_nine_digits(each) for each in numbers]
    return float(f"{numbers:.9g}")


def rounded(dtype: str) -> dict[str, Any]:
    group = recorded()
    quantities = group["tests"][0]["quantities"]
    group["network"]["dtype"] = dtype
    quantities |= {name: to_nine_digits(each) for name, each in quantities.items()}
    return group


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nine_digits_are_judged_at_nine_digits(tmp_path: Path, dtype: str) -> None:
    group = rounded(dtype)
    (right,) = results(tmp_path, group)
    assert right.ok
    group["tests"][0]["quantities"]["loss"] = 0.298372109
    (wrong,) = results(tmp_path, group)
    assert [each.quantity for each in wrong.judgement.departures] == ["loss"]


def test_a_bound_that_is_given_is_honoured(tmp_path: Path) -> None:
    group = rounded("float32")
    group["tests"][0]["quantities"]["loss"] = {"decimal": 0.2984, "bound": 0.001}
    assert results(tmp_path, group)[0].ok
    group["tests"][0]["quantities"]["loss"]["bound"] = 0.00001
    assert not results(tmp_path, group)[0].ok


def test_a_rate_that_would_be_ignored_is_refused(tmp_path: Path) -> None:
    group = recorded()
    group["training"] = {"learning_rate": 0.25}
    with pytest.raises(InputError, match="learning_rate"):
        results(tmp_path, group)


def by_hand(n_steps: int, decay: float = 0) -> dict[str, Any]:
    """Steps of mazur by PyTorch's Adam, or by AdamW where weights decay, in plain loops."""
    eta, beta_1, beta_2, epsilon = 0.01, 0.9, 0.999, 1e-8
    hyperparameters = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
    group = recorded(n_steps, learning_rate=eta, optimizer="adam", **hyperparameters)
    case = case_of("mazur")
    w = [weights.W.copy() for weights in case.parameters]
    b = [weights.b for weights in case.parameters]
    m, v = [0 * each for each in w], [0 * each for each in w]
    for t, test in enumerate(group["tests"], start=1):
        net = FeedForward(case.network, tuple(map(Weights, w, b)))
        trace = net.backward(*case.first_batch())
        numbers = {name: each.tolist() for name, each in trace.quantities().items()}
        test["parameters"] = [{"W": W.tolist(), "b": each.tolist()} for W, each in net.parameters]
        for l, g in enumerate(trace.dW):
            m[l] = beta_1 * m[l] + (1 - beta_1) * g
            v[l] = beta_2 * v[l] + (1 - beta_2) * g * g
            right_m, right_v = m[l] / (1 - beta_1**t), v[l] / (1 - beta_2**t)
            w[l] = w[l] - eta * decay * w[l] - eta * right_m / (np.sqrt(right_v) + epsilon)
            numbers |= {f"W_next[{l}]": w[l].tolist(), f"momentum_W[{l}]": m[l].tolist()}
            numbers |= {f"velocity_W[{l}]": v[l].tolist()}
        test["quantities"] = numbers
    return group


def test_pytorchs_adam_is_a_convention_and_can_be_said(tmp_path: Path) -> None:
    group = by_hand(3)
    found = results(tmp_path, group)
    assert all(each.convention and "epsilon_placement" in each.convention for each in found)
    group["training"]["epsilon_placement"] = "corrected_root"
    assert all(each.ok for each in results(tmp_path, group))


def transposed(group: dict[str, Any]) -> None:
    for weights in group["tests"][0]["parameters"]:
        weights["W"] = np.transpose(weights["W"]).tolist()


def after_the_step(group: dict[str, Any]) -> None:
    (test,) = group["tests"]
    for l, weights in enumerate(test["parameters"]):
        weights["W"] = test["quantities"][f"W_next[{l}]"]


def after_the_reset(group: dict[str, Any]) -> None:
    quantities = group["tests"][0]["quantities"]
    for name in [each for each in quantities if each[:2] in ("dW", "db")]:
        quantities[name] = (0 * np.array(quantities[name])).tolist()


def stale(group: dict[str, Any]) -> None:
    first, second = (test["quantities"] for test in group["tests"])
    second["loss"] = first["loss"]


def other_sign(group: dict[str, Any]) -> None:
    for test in group["tests"]:
        quantities = test["quantities"]
        for name in [each for each in quantities if each.startswith("momentum")]:
            quantities[name] = (-1 * np.array(quantities[name])).tolist()


RECORDED: dict[str, tuple[dict[str, Any], Any]] = {
    "weights-taken-transposed": (recorded(), transposed),
    "parameters-recorded-after-step": (recorded(), after_the_step),
    "gradients-recorded-after-reset": (recorded(), after_the_reset),
    "loss-of-step-before": (recorded(2), stale),
    "momentum-recorded-negative": (
        recorded(2, learning_rate=0.01, optimizer="momentum", momentum=0.9),
        other_sign,
    ),
    "weight-decay-of-adamw": (by_hand(1, decay=0.01), lambda group: None),
}


@pytest.mark.parametrize("mistake", RECORDED)
def test_what_recorders_get_wrong_is_named(tmp_path: Path, mistake: str) -> None:
    group, spoil = RECORDED[mistake]
    spoil(group)
    (found, *_) = [each.diagnosis for each in results(tmp_path, group) if not each.ok]
    assert found is not None
    assert mistake in found.matches[0].mistakes
