"""Somebody's own implementation: what it may be, and all that may be wrong with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from click.testing import CliRunner

from impl_numpy import FeedForward
from shared import DTYPES, Case, InputError, Trace, Training, Weights, load_case
from shared.quantities import shapes
from tests.problems import Problem, regularised
from threeways.cli import main
from threeways.conformance.answers import quantities_of
from threeways.conformance.check import check_implementation
from threeways.conformance.contract import WHY_LEFT_OUT, Maker, checked_step, stepper
from threeways.conformance.coverage import summary
from threeways.conformance.hints import look_at
from threeways.conformance.results import CaseResult, common_mistakes, result_of, result_of_run
from threeways.report.checks import explain_checks
from threeways.testing import assert_step_parity

# Weights and batch of this one are not square.
CASE = Problem("tanh", "linear-mse", (3, 2, 1), 4, "float64").case()

STUDENT = """
import numpy as np
from impl_numpy import FeedForward
from shared import Training

def step(network, parameters, x, y, learning_rate):
    net = FeedForward(network, parameters)
    return net.step(x, y, Training(learning_rate=learning_rate)).quantities()

def some(network, parameters, x, y, learning_rate):
    every = step(network, parameters, x, y, learning_rate)
    return {"dW[0]": every["dW[0]"].view(np.ma.MaskedArray), "loss": float(every["loss"])}

class Backward:
    def __init__(self, network, parameters):
        self.net = FeedForward(network, parameters)

    def backward(self, x, y):
        return self.net.backward(x, y)

class Forward:
    def __init__(self, network, parameters):
        self.net = FeedForward(network, parameters)

    def forward(self, x):
        return self.net.forward(x).quantities()

class Same(FeedForward):
    pass

class Summed(FeedForward):
    def output_delta(self, y, z, a):
        return super().output_delta(y, z, a) * len(y)

class NotANumber(FeedForward):
    def activation_backward(self, l, da, z, a):
        dz = super().activation_backward(l, da, z, a)
        dz[0, 1] = np.nan
        return dz
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(STUDENT)
    return tmp_path


def mazur() -> Case:
    case = load_case("mazur")
    assert isinstance(case, Case)
    return case


def shuffled() -> Case:
    """A case whose first batch is neither all of its rows nor the first of them."""
    training = dataclasses.replace(CASE.training, batch_size=3, seed=2)
    case = dataclasses.replace(CASE, training=training)
    assert not np.array_equal(case.first_batch()[0], case.dataset.x[:3])
    return case


EVERY = set(shapes(CASE.network, 1))


@pytest.mark.parametrize(
    ("target", "quantities"),
    [
        ("net:step", EVERY),
        ("net:some", {"dW[0]", "loss"}),
        ("net.py:Backward", {name for name in EVERY if "next" not in name}),
        ("net:Forward", {"z[0]", "a[1]", "z[1]", "a[2]"}),
        ("impl_numpy:FeedForward", EVERY),
    ],
)
def test_right_ones(target: str, quantities: set[str]) -> None:
    cases = [shuffled().with_dtype(dtype) for dtype in DTYPES]
    for case, result in zip(cases, check_implementation(target, cases), strict=True):
        assert result.ok, result
        assert (result.case, result.dtype) == (case.name, case.dtype)
        assert (result.printed, result.diagnosis) == (None, None)
        assert result.judgement is not None
        assert set(result.judgement.worst) == quantities


def test_a_step_gets_dropout_masks_and_an_optimizer() -> None:
    """And of the first batch as it is, with its masks, when rows have been held back."""
    adam = dataclasses.replace(regularised().training, optimizer="adam")
    augmented = load_case("digits-augmented")
    assert isinstance(augmented, Case)
    few_rows = dataclasses.replace(augmented.training, batch_size=4)
    augmented = dataclasses.replace(augmented, training=few_rows)
    cases = [regularised(), dataclasses.replace(regularised(), training=adam), augmented]
    assert [result.ok for result in check_implementation("net:Same", cases)] == [True] * 3


@pytest.mark.parametrize(
    ("target", "given"),
    [
        ("net:step", "every quantity"),
        ("net:Backward", "z, a, loss, dz, dW, db, dx"),
        ("net:Forward", "z, a"),
    ],
)
def test_others_are_not_asked_for_dropout(target: str, given: str) -> None:
    cases = [regularised(), CASE]
    results = list(check_implementation(target, cases))
    assert [result.left_out for result in results] == [True, False]
    lines = list(explain_checks(results, cases))
    assert lines[1:] == [f"\n1 of 1 right; given: {given}", f"1 left out: {WHY_LEFT_OUT}"]


# What code that is right in the first case, and wrong in the second, may do to seem right in both.
FORGED = """
import gc, json, os, signal, socket, struct, sys
from collections.abc import Mapping
import numpy as np
from impl_numpy import FeedForward
from shared import Training
import threeways.conformance.contract as contract
import threeways.sandbox.worker as worker

def answer(network, parameters, x, y, learning_rate, wrong):
    step = FeedForward(network, parameters).step(x, y, Training(learning_rate=learning_rate))
    return step.quantities() if len(x) == 4 else wrong()

class Hollow(dict):
    def items(self):
        return iter(())

def packed(arrays, problems, kind=""):
    header = json.dumps({"kind": "", "arrays": [], "problems": []}).encode()
    return struct.pack(">I", len(header)) + header

def reply():
    for each in gc.get_objects():
        if isinstance(each, socket.socket):
            each.sendall(packed({}, []))
    os.kill(os.getpid(), signal.SIGSTOP)

def patch(module, name, value):
    setattr(module, name, value)
    return {"loss": np.float64(99)}
"""
FORGERIES = {
    "empty": "{}",
    "hollow": "Hollow(loss=np.float64(99))",
    "proxy": "type('Empty', (Mapping,), dict.fromkeys(['__getitem__', '__iter__', '__len__'],"
    " lambda *_: iter(())))()",
    "replies": "reply()",
    "packs": "patch(worker, 'packed', packed)",
    "steps": "patch(contract, 'can_step', lambda *_: False) and {}",
    "quantities": "patch(contract, 'quantities_of', lambda *_: ({}, []))",
    "kind": "patch(contract, 'kind_of', lambda *_: 'forward')",
}


@pytest.mark.parametrize("wrong", FORGERIES.values(), ids=FORGERIES)
def test_what_gives_nothing_is_not_right(wrong: str, folder: Path) -> None:
    text = f"{FORGED}\ndef step(*inputs):\n    return answer(*inputs, lambda: {wrong})\n"
    (folder / "forged.py").write_text(text)
    right, forged = check_implementation("forged:step", [CASE, shuffled()], time_limit=60)
    assert right.ok
    assert not forged.ok
    assert not forged.left_out
    lines = list(explain_checks([right, forged], [CASE, shuffled()]))
    assert any(line.startswith("\n1 of 2 right") for line in lines)


def test_kinds_are_known(folder: Path) -> None:
    (folder / "forged.py").write_text(
        f"{FORGED}\ndef step(*inputs): pass\ncontract.kind_of = lambda *_: 'nothing'"
    )
    with pytest.raises(InputError, match="its answer is garbled"):
        next(check_implementation("forged:step", [CASE]))


ONE_LAYER = Problem("linear", "linear-mse", (3, 1), 4, "float64").case()


@pytest.mark.parametrize(
    ("given", "summarised"),
    [
        ([{"loss"}, {"loss"}], "loss"),
        ([{"loss", "db[0]", "dW[0]", "dW[1]"}, {"loss", "dW[0]"}], "loss, dW, db (in 0 of 2)"),
        ([{"dW[0]", "dW[1]"}, {"loss"}], "loss (in 1 of 2), dW (in 1 of 2)"),
        ([set(shapes(case.network, 1)) for case in (CASE, ONE_LAYER)], "every quantity"),
    ],
)
def test_summary_of_what_is_given(given: list[set[str]], summarised: str) -> None:
    expected = summarised.replace("(in", "(complete in")
    assert summary(zip((CASE, ONE_LAYER), given, strict=True)) == expected


def test_what_is_required_has_to_be_given() -> None:
    cases = [CASE, shuffled()]
    results = list(check_implementation("net:some", cases, require=["loss", "dW"]))
    assert [result.problems for result in results] == [("required, but not given: dW[1]",)] * 2
    assert all(result.judgement and not result.ok for result in results)
    every = check_implementation("net:step", cases, require=("dW", "dx", "b_next"))
    assert all(result.ok for result in every)


@pytest.mark.parametrize(
    ("required", "message"),
    [
        ("dw", "require: 'dw' is not a quantity; did you mean 'dW'?"),
        ("dW[1]", "require: 'dW[1]': expected a name without a layer, 'dW'"),
        ("", "require: '' is not a quantity; there are "),
        ("momentum_W", "require: momentum_W is in none of these steps"),
    ],
)
def test_what_cannot_be_required(required: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        next(check_implementation("net:step", [CASE], require=["loss", required]))
    (problem,) = error.value.problems
    assert problem.startswith(message)


@pytest.mark.parametrize(
    ("target", "required", "code", "line"),
    [
        ("net:some", "loss", 0, "2 of 2 right; given: loss, dW (complete in 0 of 2)"),
        ("net:some", "loss, db", 1, "mazur float64: required, but not given: db[0], db[1]"),
        ("net:some", "dB", 2, "Error: require: 'dB' is not a quantity; did you mean 'db'?"),
        ("steps.json", "db", 2, "Error: --require: is for MODULE:NAME and FILE.py:NAME"),
    ],
)
def test_require_on_the_command_line(target: str, required: str, code: int, line: str) -> None:
    cases = ["mazur"] if ":" in target else []
    result = CliRunner().invoke(main, ["check", target, *cases, "--require", required])
    assert result.exit_code == code
    assert line in result.output.splitlines()


def test_nothing_left_to_check() -> None:
    with pytest.raises(InputError, match="nothing left to check; only a class's step"):
        list(check_implementation("net:step", [regularised()]))


def test_a_function_is_not_asked_for_other_optimizers() -> None:
    training = Training(learning_rate=0.1, optimizer="momentum")
    cases = [dataclasses.replace(CASE, training=training), CASE]
    for target, left_out in (("net:step", True), ("net:Backward", False)):
        first, second = check_implementation(target, cases)
        assert (first.left_out, second.left_out) == (left_out, False)
        assert first.ok
        assert second.ok


def test_a_wrong_one_departs_first_where_its_mistake_is() -> None:
    one_row = dataclasses.replace(CASE.training, batch_size=1)
    cases = [CASE, shuffled(), dataclasses.replace(CASE, training=one_row)]
    *wrong, same = check_implementation("net:Summed", cases)
    for result in wrong:
        assert not result.ok
        assert result.judgement is not None
        assert [worst.quantity for worst in result.judgement.departures] == ["dz[1]"]
        assert result.problems == ()
    assert ("mean-forgotten",) in common_mistakes(wrong)
    assert same.ok  # of one row, the sum is the mean


def test_what_is_not_finite_is_said() -> None:
    (result,) = check_implementation("net:NotANumber", [mazur()])
    assert not result.problems
    assert result.judgement
    (first,) = result.judgement.departures
    assert (first.quantity, first.index) == ("dz[1]", (0, 1))
    assert np.isnan(first.a)
    assert result.judgement is not None
    assert [worst.quantity for worst in result.judgement.departures] == ["dz[1]"]


STEP = FeedForward(CASE.network, CASE.parameters).step(*CASE.first_batch(), CASE.training)
RIGHT: dict[Any, Any] = STEP.quantities()
HALF = CASE.with_dtype("float32")
W = RIGHT["dW[0]"]  # (3, 2)

# What is given for a quantity, and what is then said.
FORMS: dict[str, tuple[Any, Any, str]] = {
    "shape": ("dW[0]", W.ravel(), "dW[0]: expected shape (3, 2), got (6,)"),
    "transposed": (
        "dW[0]",
        W.T,
        "dW[0]: expected shape (3, 2), got (2, 3), is it transposed?",
    ),
    "both": (
        "db[0]",
        np.zeros((2, 1), np.float32),
        "db[0]: expected float64, got float32; expected shape (2,), got (2, 1)",
    ),
    "none": ("dW[0]", None, "dW[0]: None, expected real numbers"),
    "string": ("dW[0]", "0.5", "dW[0]: a str, expected real numbers"),
    "float": ("dW[0]", 0.5, "dW[0]: expected shape (3, 2), got ()"),
    "float16": ("dW[0]", W.astype(np.float16), "dW[0]: expected float64, got float16"),
    "float32": ("dW[0]", W.astype(np.float32), "dW[0]: expected float64, got float32"),
    "complex": ("dW[0]", W.astype(complex), "dW[0]: expected float64, got complex128"),
    "objects": ("dW[0]", W.astype(object), "dW[0]: expected float64, got object"),
    "loss-array": ("loss", np.ones(1), "loss: expected shape (), got (1,)"),
    "loss-float32": ("loss", np.float32(1), "loss: expected float64, got float32"),
    "flat-name": ("dW0", W, "'dW0' is not a quantity of this step; did you mean 'dW[0]'?"),
    "other-name": ("DW_1", W, "'DW_1' is not a quantity of this step; did you mean 'dW[1]'?"),
    "tuple-name": (
        ("b_next", 1),
        W,
        "\"('b_next', 1)\" is not a quantity of this step; did you mean 'b_next[1]'?",
    ),
    "late-layer": ("dz[2]", W, "'dz[2]' is not a quantity of this step; did you mean 'dz[1]'?"),
    "input": ("a[0]", W, "'a[0]' is an input, not a quantity of this step; leave it out"),
    "stranger": ("gradient", W, "'gradient' is not a quantity of this step; there are "),
}


@pytest.mark.parametrize(("name", "value", "message"), FORMS.values(), ids=FORMS)
def test_form(name: Any, value: Any, message: str) -> None:
    quantities, problems = quantities_of({**RIGHT, name: value}, CASE)
    assert len(problems) == 1
    assert problems[0].startswith(message)
    assert problems[0] == message or message.endswith("there are ")
    assert set(quantities) == RIGHT.keys() - {name}


async def awaited() -> None: ...


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "it returned None (is there a return?), expected {quantity: array} or a Trace"),
        ([W], "it returned a list, expected {quantity: array} or a Trace"),
        ((W for _ in "W"), "it returned a generator (yield in place of return?), expected"),
        (awaited(), "it returned a coroutine (async def in place of def?), expected"),
        ({}, "it returned an empty dict, expected quantities such as 'z[0]' and 'dW[0]'"),
        (Trace(z=(W, W), a=(W, W)), "its Trace is incomplete (IndexError: "),
    ],
    ids=["none", "list", "generator", "coroutine", "empty", "trace"],
)
def test_no_quantities(answer: object, message: str) -> None:
    quantities, (problem,) = quantities_of(answer, CASE)
    assert problem.startswith(message)
    assert quantities == {}


def test_all_of_an_answers_problems_at_once() -> None:
    answer = {"dW[0]": W.T, "dW[1]": [[1.0]], "db": W, "loss": 0.5}
    quantities, problems = quantities_of(answer, CASE)
    assert [problem.partition(":")[0] for problem in problems[1:]] == ["dW[0]", "dW[1]"]
    assert len(problems) == 3
    assert set(quantities) == {"loss"}
    # What has the right form is judged all the same.
    assert checked_step(lambda *_: answer, CASE) == (quantities, problems)


@pytest.mark.parametrize("loss", [0.1, np.float32(0.1), np.array(0.1, np.float32), 1e300])
def test_forms_of_a_loss(loss: Any) -> None:
    quantities, problems = quantities_of({"loss": loss}, HALF)
    assert problems == []
    assert (quantities["loss"].dtype, quantities["loss"].shape) == (np.float32, ())
    with np.errstate(over="ignore"):
        assert quantities["loss"] == np.float32(loss)


def test_other_forms_of_arrays_that_are_right() -> None:
    swapped = RIGHT["dx"].astype(">f8")
    quantities, problems = quantities_of({"dW[0]": W.view(np.ma.MaskedArray), "dx": swapped}, CASE)
    assert problems == []
    for name, array in quantities.items():
        assert type(array) is np.ndarray
        assert array.dtype == np.float64
        assert array.tobytes() == RIGHT[name].tobytes()


def overwrite(network: Any, parameters: Any, x: Any, y: Any, learning_rate: float) -> Any:
    step = FeedForward(network, parameters).step(x, y, CASE.training)
    x -= 1
    parameters[1].b[:] = np.nan
    return step


def test_writing_to_inputs_is_said_and_the_numbers_judged() -> None:
    x, b = CASE.dataset.x.copy(), CASE.parameters[1].b.copy()
    result = result_of(CASE, *checked_step(overwrite, CASE))
    assert result.problems == ("it writes to its inputs x, parameters[1].b",)
    assert result.judgement is not None
    assert result.judgement.ok
    assert not result.ok
    np.testing.assert_array_equal(CASE.dataset.x, x)
    np.testing.assert_array_equal(CASE.parameters[1].b, b)


@pytest.mark.parametrize("change", [0.1, None])
def test_another_start_is_asked_about(change: float | None) -> None:
    def step(network: Any, parameters: Any, x: Any, y: Any, learning_rate: float) -> Any:
        if change:
            return FeedForward(network, parameters).backward(x / 255, y)
        own = tuple(Weights(np.full_like(W, 0.3), b) for W, b in parameters)
        return FeedForward(network, own).backward(x, y)

    with pytest.raises(AssertionError, match="does it start from the parameters that it is given"):
        assert_step_parity(step, CASE)


def in_place(network: Any, parameters: Any, x: Any, y: Any, learning_rate: float) -> Any:
    step = FeedForward(network, parameters).backward(x, y)
    for (W, b), dW, db in zip(parameters, step.dW, step.db, strict=True):
        W -= learning_rate * dW
        b -= learning_rate * db
    return {"W_next": [W for W, _ in parameters], "b_next": [b for _, b in parameters]}


class InPlace:
    def __init__(self, network: Any, parameters: Any) -> None:
        self.network, self.parameters = network, parameters

    def step(self, x: Any, y: Any, training: Training) -> Any:
        rate = training.learning_rate
        return {"W_next": in_place(self.network, self.parameters, x, y, rate)["W_next"]}


@pytest.mark.parametrize("implementation", [in_place, InPlace])
def test_parameters_may_be_updated_in_place(implementation: Any) -> None:
    assert_step_parity(implementation, CASE, steps=3)


def test_an_update_in_place_that_is_not_returned_is_said() -> None:
    def step(*inputs: Any) -> Any:
        in_place(*inputs)
        return {"W_next": [W + 0 for W, _ in inputs[1]]}

    line = "it writes to its inputs parameters[0].b, parameters[1].b"
    assert checked_step(step, CASE)[1] == [line]


def test_what_was_given_is_not_changed_by_later_steps() -> None:
    maker = Maker(InPlace, "InPlace")
    first, _ = maker.step(CASE)
    kept = first["W_next[0]"].copy()
    maker.step(CASE, is_first=False)
    np.testing.assert_array_equal(first["W_next[0]"], kept)


def test_a_step_is_given_its_batch_in_the_dtype_of_the_case() -> None:
    given: list[Any] = []
    checked_step(lambda *inputs: given.extend(inputs), HALF)
    network, parameters, x, y, learning_rate = given
    assert network == HALF.network
    assert learning_rate == HALF.training.learning_rate
    for array in (x, y, *parameters[0], *parameters[1]):
        assert array.dtype == np.float32
    np.testing.assert_array_equal(x, HALF.dataset.x.astype(np.float32))


def two(x: Any, y: Any) -> None: ...


class Bare:
    def forward(self, x: Any) -> None: ...


class Empty:
    def __init__(self, network: Any, parameters: Any) -> None: ...


class Net(Empty):
    def step(self, x: Any) -> None: ...


SIGNATURES = {
    two: "takes 2 arguments (x, y), expected step(network, parameters, x, y, learning_rate)",
    Bare: "takes no arguments, expected Bare(network, parameters)",
    Net: "step takes 1 argument (x), expected step(x, y, training)",
    Empty: "has none of the methods step, backward, forward",
}


@pytest.mark.parametrize(("implementation", "message"), SIGNATURES.items())
def test_wrong_signature(implementation: Any, message: str) -> None:
    name = f"own:{implementation.__name__}"
    dot = "." if implementation is Net else " "
    with pytest.raises(InputError) as error:
        stepper(implementation, name)
    assert error.value.problems == (f"{name}{dot}{message}",)


def test_a_wrong_signature_is_found_before_any_step(folder: Path) -> None:
    (folder / "wrong.py").write_text("def step(x, y): print('called')")
    with pytest.raises(InputError, match=r"wrong:step takes 2 arguments \(x, y\), expected step"):
        next(check_implementation("wrong:step", [CASE]))


@pytest.mark.parametrize("time_limit", [0, -1, float("nan"), float("inf")])
def test_wrong_time_limit(time_limit: float) -> None:
    with pytest.raises(InputError, match="time_limit: expected"):
        next(check_implementation("net:step", [CASE], time_limit))


def test_what_is_printed_and_what_ends_the_child_is_said(folder: Path) -> None:
    """And the child loads nothing that it may do without, nor what lies in the current folder."""
    (folder / "inspect.py").write_text("1 / 0")
    (folder / "acts.py").write_text("""import os, sys
def step(network, parameters, x, y, learning_rate):
    absent = {"tensorflow", "keras", "flint", "threeways.exact.oracle", "impl_numpy"}
    found = absent & set(sys.modules)
    assert not found, found
    print("one")
    if learning_rate == 2: os._exit(3)
    if learning_rate == 3: raise RuntimeError("first\\nsecond")
    return {"z[0]": x @ parameters[0].W + parameters[0].b}
""")
    fine, fails, ends, again = check_implementation(
        "acts:step", [at_rate(k) for k in (1, 3, 2, 1)], time_limit=60
    )
    assert fine.ok
    assert fine.printed == "it printed 2 lines, the first: one"
    assert fails.problems == ("RuntimeError: first (line 8 of acts.py)",)
    assert (ends.problems, ends.judgement) == (("ended with exit code 3: os._exit?",), None)
    assert ends.printed == "it printed 1 line: one"
    assert again.ok  # in a new process
    assert not any(result.ok or result.left_out for result in (fails, ends))


def at_rate(learning_rate: float) -> Case:
    training = dataclasses.replace(CASE.training, learning_rate=learning_rate)
    return dataclasses.replace(CASE, training=training)


def explained(*mistakes: tuple[str, ...]) -> CaseResult:
    matches = tuple(SimpleNamespace(mistakes=names) for names in mistakes)
    return CaseResult("", "float64", diagnosis=cast(Any, SimpleNamespace(matches=matches)))


def test_common_mistakes() -> None:
    one, other, both = ("one",), ("other",), ("one", "other")
    assert common_mistakes([]) == ()
    assert common_mistakes([CaseResult("", "float64"), explained(one, both)]) == (one, both)
    assert common_mistakes([explained(one, other), explained(both, other, one)]) == (one, other)
    assert common_mistakes([explained(one), explained()]) == ()


@pytest.mark.parametrize("output", ["linear-mse", "softmax-cce"])
def test_look_at(output: str) -> None:
    case = Problem("relu", output, (3, 4, 2), 1, "float64").case()
    for quantity in shapes(case.network, 1):
        line = look_at(quantity, case)
        assert line.startswith(f"{quantity} = ")
        assert "{" not in line
    for quantity, activation in (("a[1]", "relu"), ("dz[1]", case.network.layers[1].activation)):
        assert activation in look_at(quantity, case)
    assert "fixed" not in look_at("b_next[0]", case)
    assert "fixed" in look_at("b_next[0]", mazur())
    adam = dataclasses.replace(case, training=Training(learning_rate=0.1, optimizer="adam"))
    for quantity in ("W_next[1]", "velocity_b[0]"):
        assert "adam" in look_at(quantity, adam)


def test_look_at_dropout_penalties_and_frozen_layers() -> None:
    case = regularised()
    for quantity in shapes(case.network, 1):
        line = look_at(quantity, case)
        assert line.startswith(f"{quantity} = ")
        assert "{" not in line
        frozen = quantity in ("W_next[1]", "b_next[1]")
        assert ("frozen; is it left" in line) == frozen
        penalised = quantity in ("dW[0]", "dW[2]", "dW[3]", "loss")
        assert ("l1" in line) == penalised
        dropped = quantity in ("z[1]", "z[2]", "z[3]", "dW[1]", "dW[2]", "dW[3]")
        assert ("taken after dropout" in line) == dropped
        assert ("units that dropout drops" in line) == (quantity in ("dz[0]", "dz[1]", "dz[2]"))


# What somebody's class or function does in its second step alone.
SECOND_STEPS = """
import time, os
import numpy as np
from impl_numpy import FeedForward
from threeways.mistakes import MISTAKES

class Loses:
    kept = ("loss",)
    def __init__(self, network, parameters):
        self.net = MISTAKES[self.mistake](network, parameters)
    def step(self, x, y, training):
        every = self.net.step(x, y, training).quantities()
        return {name: every[name] for name in every if name.startswith(self.kept)}

class GradientsKept(Loses):
    mistake = "gradients-not-reset"
class PowerForgotten(Loses):
    mistake, kept = "correction-without-power", ("W_next", "b_next")
class MomentumLost(Loses):
    mistake, kept = "slots-reset", ("W_next", "dW")
class LateDecay(Loses):
    mistake, kept = "decayed-late", ("W_next",)
class UpdateLost(Loses):
    mistake = "update-lost"

def forgets(network, parameters, x, y, learning_rate):
    (W, b), *_ = parameters
    return {"z[0]": x @ W}
"""


def trained(**training: Any) -> Case:
    return dataclasses.replace(CASE, training=Training(learning_rate=0.1, **training))


@pytest.mark.parametrize(
    ("name", "case", "step", "mistake"),
    [
        ("GradientsKept", trained(), 3, "gradients-not-reset"),
        ("PowerForgotten", trained(optimizer="adam"), 2, "correction-without-power"),
        ("MomentumLost", trained(optimizer="momentum"), 2, "slots-reset"),
        (
            "LateDecay",
            trained(schedule="step", decay_rate=0.5, decay_steps=1),
            2,
            "decayed-late",
        ),
        ("UpdateLost", trained(), 2, "update-lost"),
    ],
)
def test_what_is_wrong_in_a_later_step_alone(
    name: str, case: Case, step: int, mistake: str, folder: Path
) -> None:
    """The loss of the third step is the first to show gradients that piled up in the second."""
    (folder / "later.py").write_text(SECOND_STEPS)
    (result,) = check_implementation(f"later:{name}", [case], time_limit=60, steps=3)
    assert (result.ok, result.step) == (False, step)
    assert result.diagnosis
    assert mistake in {each for match in result.diagnosis.matches for each in match.mistakes}
    first = next(explain_checks([result], [case]))
    assert first.startswith(f"{case.name} float64: step {step}: ")


def test_a_function_starts_from_what_it_gave() -> None:
    given = []

    def step(network: Any, parameters: Any, x: Any, y: Any, learning_rate: float) -> Any:
        given.append(parameters)
        net = FeedForward(network, parameters)
        return net.step(x, y, Training(learning_rate=learning_rate)).quantities()

    maker = Maker(step, "step")
    assert result_of_run(shuffled(), maker.kind, maker.step, steps=3).ok
    first, second, _ = given
    net = FeedForward(CASE.network, first)
    net.step(*shuffled().first_batch(), CASE.training)
    for after, start in zip(net.parameters, second, strict=True):
        np.testing.assert_array_equal(after.W, start.W)


NOT_FOR_IT = """
import unittest, pytest
from impl_numpy import FeedForward
from shared import Training

class Abstract:
    def deltas(self):
        raise NotImplementedError

def step(network, parameters, x, y, learning_rate):
    if len(x) == 4: raise NotImplementedError("five rows only")
    if learning_rate == 2: pytest.skip("not at this rate")
    if learning_rate == 3: raise unittest.SkipTest("nor at that")
    if learning_rate == 4: Abstract().deltas()
    net = FeedForward(network, parameters)
    return net.step(x, y, Training(learning_rate=learning_rate)).quantities()
"""


def test_not_supported_is_neither_right_nor_wrong(folder: Path) -> None:
    (folder / "five.py").write_text(NOT_FOR_IT)
    five = Problem("tanh", "linear-mse", (3, 2, 1), 5, "float64").case()
    at = [dataclasses.replace(five, training=Training(learning_rate=k)) for k in (1, 2, 3, 4)]
    cases = [CASE, *at]
    results = list(check_implementation("five:step", cases, time_limit=60))
    assert [result.is_tried for result in results] == [False, True, False, False, False]
    assert results[1].ok
    total, count, *reasons = list(explain_checks(results, cases))[1:]
    assert total == "\n1 of 1 right; given: every quantity"
    assert count == "4 not supported:"
    assert "  1: NotImplementedError: five rows only (line 11 of five.py)" in reasons
    line = next(explain_checks(results[:1], cases[:1]))
    assert line == "\nnothing was checked: none of 1 networks is supported"


def test_a_case_that_hangs_or_crashes_is_its_own_result(folder: Path) -> None:
    (folder / "stops.py").write_text("""import os, signal, time
def step(network, parameters, x, y, learning_rate):
    if learning_rate == 2: time.sleep(600)
    if learning_rate == 3: os.kill(os.getpid(), signal.SIGSEGV)
    return {"z[0]": x @ parameters[0].W + parameters[0].b}
""")
    rates = (2, 1, 3, 1, 3, 3, 3, 1)
    results = list(check_implementation("stops:step", [at_rate(k) for k in rates], time_limit=9))
    assert [result.ok for result in results] == [rate == 1 for rate in rates[:-1]] + [False]
    assert results[0].problems == ("no answer within 9 s: an endless loop?",)
    assert results[2].problems == ("ended by signal 11 (segmentation fault)",)
    why = "not tried, because 3 cases in a row gave no answer"
    assert results[-1].problems == (why,)
