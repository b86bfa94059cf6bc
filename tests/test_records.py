"""Recorded steps as people have them: rounded, in part, from the middle of a run, line by line."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest

import threeways.conformance.records
from impl_numpy import FeedForward
from shared import InputError
from tests.test_cli import call
from tests.test_vectors import recorded
from threeways.conformance.record_digits import Digits
from threeways.conformance.record_reader import read_records
from threeways.conformance.record_tables import json_schema
from threeways.conformance.records import StepResult, check_records
from threeways.mistakes import MISTAKES, diagnosis
from threeways.mistakes.steps import scaled
from threeways.report.records import explain_records


@pytest.fixture(autouse=True)
def no_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge only, unless a test asks to be ``diagnosed``."""
    monkeypatch.setattr(threeways.conformance.records, "recognise", lambda *_, **__: None)


@pytest.fixture
def diagnosed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threeways.conformance.records, "recognise", diagnosis.recognise)


def checked(content: Any, folder: Path) -> list[StepResult]:
    path = folder / "steps.json"
    path.write_text(json.dumps(content))
    jsonschema.validate(content, json_schema())
    return list(check_records(read_records(path)))


def problems_of(content: Any, folder: Path) -> list[str]:
    with pytest.raises(InputError) as error:
        checked(content, folder)
    return [problem.partition(".json: ")[2] for problem in error.value.problems]


def each_number(value: Any, change: Callable[[float], float]) -> Any:
    """A JSON value with each of its floats changed."""
    match value:
        case dict():
            return {key: each_number(item, change) for key, item in value.items()}
        case list():
            return [each_number(item, change) for item in value]
        case float():
            return change(value)
    return value


def significant(digits: int) -> Callable[[float], float]:
    return lambda number: float(f"{number:.{digits - 1}e}")


def decimals(digits: int) -> Callable[[float], float]:
    return lambda number: round(number, digits)


# Numbers as they are written.

WRITTEN: dict[str, tuple[Callable[[float], float], Digits | None]] = {
    **{f"{n} digits": (significant(n), Digits(n)) for n in (3, 4, 6, 9, 12, 15)},
    **{f"{n} decimals": (decimals(n), Digits(n, decimals=True)) for n in (3, 4, 6, 8)},
    "in full": (lambda number: number, None),
}


@pytest.mark.parametrize(("write", "digits"), WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("given", ["each", "first"])
def test_a_rounded_run_is_right(
    write: Callable[[float], float], digits: Digits | None, given: str, tmp_path: Path
) -> None:
    content = recorded()
    (group,) = content["groups"]
    group["tests"] = each_number(group["tests"], write)
    if given == "first":
        for test in group["tests"][1:]:
            del test["parameters"]
    results = checked(content, tmp_path)
    assert [result.ok for result in results] == [True] * 3
    assert results[0].group.writing.digits == digits


@pytest.mark.parametrize("number", ["loss", "z[0]", "dW[1]", "db[0]", "dx", "W_next[0]"])
@pytest.mark.parametrize("digits", [4, 9])
def test_one_digit_that_is_wrong_is_found(digits: int, number: str, tmp_path: Path) -> None:
    content = recorded(steps=1)
    (test,) = content["groups"][0]["tests"]
    test["quantities"] = each_number(test["quantities"], significant(digits))
    wrong = np.array(test["quantities"][number])
    first = (0,) * wrong.ndim
    place = 10.0 ** (np.floor(np.log10(abs(wrong[first]))) - digits + 1)
    wrong[first] += 2 * place
    test["quantities"][number] = each_number(wrong.tolist(), significant(digits))
    (result,) = checked(content, tmp_path)
    (departure,) = result.judgement.departures
    assert (departure.quantity, departure.index) == (number, first)


def test_a_double_program_is_none_of_float32_because_the_file_says_so(tmp_path: Path) -> None:
    content = recorded(steps=1)
    (group,) = content["groups"]
    group["network"]["dtype"] = "float32"
    (test,) = group["tests"]
    test["quantities"] = each_number(test["quantities"], significant(9))
    (result,) = checked(content, tmp_path)
    assert result.ok
    assert (result.group.said_dtype, result.group.network.dtype) == ("float32", "float64")
    test["quantities"]["loss"] *= 1 + 3e-6  # float32 would explain it
    (result,) = checked(content, tmp_path)
    assert [worst.quantity for worst in result.judgement.departures] == ["loss"]


@pytest.mark.parametrize("write", [significant(9), significant(12), decimals(12)])
def test_nine_digits_of_float32_are_exact(write: Callable[[float], float], tmp_path: Path) -> None:
    content = recorded(dtype="float32")
    (group,) = content["groups"]
    group["tests"] = each_number(group["tests"], write)
    results = checked(content, tmp_path)
    assert all(result.ok for result in results)
    assert {result.group.writing.dtype for result in results} == {"float32"}


def test_short_numbers_are_no_proof_of_rounding(tmp_path: Path) -> None:
    content = recorded(steps=1)
    (group,) = content["groups"]
    quantities = group["tests"][0]["quantities"]
    for given in ({"loss": round(quantities["loss"], 3)}, quantities | {"loss": 0.35}):
        group["tests"][0]["quantities"] = given
        (result,) = checked(content, tmp_path)
        assert result.group.writing.digits is None
        assert not result.ok


@pytest.mark.parametrize("place", ["file", "group"])
def test_a_file_says_its_digits(place: str, tmp_path: Path) -> None:
    content = recorded(steps=1)
    (group,) = content["groups"]
    loss = group["tests"][0]["quantities"]["loss"]
    group["tests"][0]["quantities"] = {"loss": significant(3)(loss)}
    (content if place == "file" else group)["digits"] = 3
    assert checked(content, tmp_path)[0].ok
    group["tests"][0]["quantities"]["loss"] += 0.002
    assert not checked(content, tmp_path)[0].ok


# What made the numbers that are wrong.


def named(result: StepResult) -> set[tuple[str, ...]]:
    assert result.diagnosis
    return {match.mistakes for match in result.diagnosis.matches}


@pytest.mark.usefixtures("diagnosed")
@pytest.mark.parametrize("write", [significant(4), significant(9), decimals(6)])
def test_a_mistake_is_named_by_rounded_numbers(
    write: Callable[[float], float], tmp_path: Path
) -> None:
    content = recorded(MISTAKES["gradients-not-reset"], steps=2)
    content["groups"][0]["tests"] = each_number(content["groups"][0]["tests"], write)
    first, second = checked(content, tmp_path)
    assert first.ok
    assert named(second) == {("gradients-not-reset",)}


@pytest.mark.usefixtures("diagnosed")
def test_a_mistake_is_named_by_elements(tmp_path: Path) -> None:
    content = recorded(MISTAKES["step-uphill"], steps=1)
    (test,) = content["groups"][0]["tests"]
    dW, after = test["quantities"]["dW[1]"], test["quantities"]["W_next[1]"]
    test["quantities"] = {"dW[1][0,0]": dW[0][0], "W_next[1][0,0]": after[0][0]}
    (result,) = checked(content, tmp_path)
    assert ("step-uphill",) in named(result)


@pytest.mark.usefixtures("diagnosed")
@pytest.mark.parametrize("said", ["float32", "float64"])
def test_the_papers_adam_in_nine_digits(said: str, tmp_path: Path) -> None:
    content = recorded(MISTAKES["epsilon-corrected"], steps=1, optimizer="adam")
    (group,) = content["groups"]
    group["tests"] = each_number(group["tests"], significant(9))
    group["network"]["dtype"] = said
    (result,) = checked(content, tmp_path)
    assert not result.ok
    assert result.convention
    assert "set epsilon_placement" in result.convention
    group["training"]["epsilon_placement"] = "corrected_root"
    assert checked(content, tmp_path)[0].ok


@pytest.mark.usefixtures("diagnosed")
@pytest.mark.parametrize(
    ("change", "mistakes"),
    [
        (lambda loss: loss * (1 + 3e-6), set()),
        (lambda loss: float(np.float32(loss)), {("float32-inside",)}),
    ],
    ids=["wrong", "float32"],
)
def test_one_number_as_wrong_as_float32(
    change: Callable[[float], float], mistakes: set[tuple[str, ...]], tmp_path: Path
) -> None:
    content = recorded(steps=1, name="mazur")
    (test,) = content["groups"][0]["tests"]
    test["quantities"]["loss"] = change(test["quantities"]["loss"])
    test["quantities"] = each_number(test["quantities"], significant(9))
    (result,) = checked(content, tmp_path)
    assert named(result) == mistakes


@pytest.mark.usefixtures("diagnosed")
def test_what_is_too_near_to_be_named_is_not_said_to_be_tried(tmp_path: Path) -> None:
    content = recorded(steps=1, name="mazur")
    quantities = content["groups"][0]["tests"][0]["quantities"]
    bound = checked(content, tmp_path)[0].judgement.worst["z[0]"].bound_eps
    quantities["z[0]"][0][1] *= 1 + 1.5 * bound * np.finfo(float).eps
    (result,) = checked(content, tmp_path)
    assert not result.ok
    assert list(explain_records([result]))[2].endswith(": none was tried")


# Bounds.


def test_a_bound_is_honoured(tmp_path: Path) -> None:
    content = recorded(steps=1)
    quantities = content["groups"][0]["tests"][0]["quantities"]
    off = quantities["loss"] + 0.001
    for bound, ok in ((None, False), (0.0011, True), (0.0009, False)):
        quantities["loss"] = {"decimal": off} | ({"bound": bound} if bound else {})
        assert checked(content, tmp_path)[0].ok is ok


# Training.


def test_a_learning_rate_beside_a_training(tmp_path: Path) -> None:
    content = recorded(steps=2)
    (group,) = content["groups"]
    eta = group["learning_rate"]
    group["training"] = {"learning_rate": eta}
    group["tests"][1]["learning_rate"] = eta
    assert all(result.ok for result in checked(content, tmp_path))
    group["tests"][1]["learning_rate"] = 2 * eta
    assert problems_of(content, tmp_path) == [
        f"groups[0].tests[1].learning_rate: {2 * eta} is not that of training, {eta}"
    ]
    group["learning_rate"] = 3 * eta
    assert f"groups[0].learning_rate: {3 * eta} is not that of training, {eta}" in problems_of(
        content, tmp_path
    )


def test_a_rate_that_is_changed_by_hand(tmp_path: Path) -> None:
    content = recorded(steps=3, optimizer="adam")
    (group,) = content["groups"]
    first = recorded(steps=1, optimizer="adam")["groups"][0]
    assert all(result.ok for result in checked(content, tmp_path))
    group["tests"][2]["training"] = {"learning_rate": 2 * first["training"]["learning_rate"]}
    *before, last = checked(content, tmp_path)
    assert all(result.ok for result in before)
    assert {worst.quantity[:6] for worst in last.judgement.departures} == {"W_next", "b_next"}


MISSING = {
    "momentum": ["momentum"],
    "nesterov": ["momentum"],
    "adagrad": ["initial_accumulator", "epsilon"],
    "rmsprop": ["rho", "epsilon"],
    "adam": ["beta_1", "beta_2", "epsilon"],
}


@pytest.mark.parametrize(("optimizer", "numbers"), MISSING.items(), ids=MISSING)
def test_a_missing_hyperparameter_is_said(
    optimizer: str, numbers: list[str], tmp_path: Path
) -> None:
    content = recorded(steps=1, optimizer=optimizer)
    training = content["groups"][0]["training"]
    assert checked(content, tmp_path)[0].ok
    for name in numbers:
        del training[name]
    assert problems_of(content, tmp_path) == [
        f"groups[0].training: {name!r} is missing; {optimizer!r} has no default in a record"
        for name in numbers
    ]


def test_a_wrong_training_of_a_test(tmp_path: Path) -> None:
    content = recorded(steps=1)
    test = content["groups"][0]["tests"][0]
    test["training"] = {"optimizer": "momentum", "momentun": 0.9}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, json_schema())
    path = tmp_path / "steps.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"tests\[0\].training: 'momentun' is not a key here"):
        read_records(path)


def from_the_middle(optimizer: str, name: str = "uio-3-4-4-1") -> tuple[Any, Any]:
    """A file whose run begins with its third step, and its group."""
    content = recorded(steps=4, optimizer=optimizer, name=name)
    (group,) = content["groups"]
    _, second, *rest = group["tests"]
    kept = [name for name in second["quantities"] if name.startswith(("momentum", "velocity"))]
    group |= {"steps_before": 2, "tests": rest}
    group["slots"] = {name: second["quantities"][name] for name in kept}
    return content, group


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_a_run_from_the_middle(optimizer: str, tmp_path: Path) -> None:
    content, group = from_the_middle(optimizer)
    assert all(result.ok for result in checked(content, tmp_path))
    group["slots"]["momentum_W[0]"][0][0] *= 1.001
    assert not checked(content, tmp_path)[0].ok


def test_wrong_slots(tmp_path: Path) -> None:
    content, group = from_the_middle("adam")
    right = copy.deepcopy(group["slots"])
    del group["slots"]["velocity_b[1]"]
    group["slots"] |= {"momentum_W[0]": [1.0], "speed_W[0]": [1.0]}
    speed, *others = problems_of(content, tmp_path)
    assert speed.startswith("groups[0].slots: 'speed_W[0]' is not a slot; ")
    assert others == [
        "groups[0].slots.momentum_W[0]: expected shape (4, 4), got (1,)",
        "groups[0].slots: 'velocity_b[1]' is missing",
    ]
    del group["slots"]
    assert problems_of(content, tmp_path) == [
        "groups[0].tests[0]: has 2 steps before, and no slots"
    ]
    group["slots"] = right
    del group["steps_before"]
    assert problems_of(content, tmp_path) == [
        "groups[0].slots: need steps_before, the number of steps made before"
    ]


# What is not there.


def test_elements(tmp_path: Path) -> None:
    content = recorded(steps=1)
    (test,) = content["groups"][0]["tests"]
    dW = test["quantities"]["dW[1]"]
    test["quantities"] = {"dW[1][0,0]": dW[0][0], "dW[1][2, 0]": dW[2][0]}
    (result,) = checked(content, tmp_path)
    assert result.ok
    test["quantities"]["dW[1][2, 0]"] *= 1.01
    (result,) = checked(content, tmp_path)
    (departure,) = result.judgement.departures
    assert (departure.quantity, departure.index) == ("dW[1]", (2, 0))


def test_wrong_elements(tmp_path: Path) -> None:
    content = recorded(steps=1)
    (test,) = content["groups"][0]["tests"]
    test["quantities"] |= {"dW[1][9,0]": 0.5, "dW[1][0,0]": 0.5, "dW[7][0,0]": 0.5, "loss[0]": 0.5}
    at = "groups[0].tests[0].quantities: "
    shape = tuple(np.shape(test["quantities"]["dW[1]"]))
    found = problems_of(content, tmp_path)
    assert found[:2] == [
        f"{at}dW[1][9,0] is outside of dW[1], whose shape is {shape}",
        f"{at}dW[1][0,0] is given twice",
    ]
    assert found[2].startswith(f"{at}'dW[7][0,0]' is not a quantity of this step")
    assert found[3].startswith(f"{at}'loss[0]' is not a quantity of this step")


def test_a_run_does_not_go_on_from_elements(tmp_path: Path) -> None:
    content = recorded(steps=2)
    first, second = content["groups"][0]["tests"]
    first["quantities"]["b_next[0][0]"] = first["quantities"].pop("b_next[0]")[0]
    assert all(result.ok for result in checked(content, tmp_path))
    del second["parameters"]
    assert problems_of(content, tmp_path) == [
        "groups[0].tests[1]: no parameters, and no whole b_next[0] in the step before"
    ]


@pytest.mark.parametrize(
    ("quantities", "needed"),
    [
        (["z[0]", "a[2]"], []),
        (["z[0]", "loss"], ["y"]),
        (["dW[0]", "dx"], ["y"]),
        (["a[1]", "W_next[1]"], ["y", "learning_rate"]),
    ],
)
@pytest.mark.parametrize("name", ["uio-3-4-4-1", "kth-8-softmax"])
def test_what_is_not_needed_may_be_left_out(
    quantities: list[str], needed: list[str], name: str, tmp_path: Path
) -> None:
    content = recorded(steps=1, name=name)
    (group,) = content["groups"]
    (test,) = group["tests"]
    test["quantities"] = {each: test["quantities"][each] for each in quantities}
    for each in {"y", "learning_rate"} - {*needed}:
        del group[each]
    assert checked(content, tmp_path)[0].ok
    for each in needed:
        del group[each]
    missing = [f"groups[0].tests[0]: {each!r} is missing, here and in its group" for each in needed]
    if needed:
        assert problems_of(content, tmp_path) == missing


def test_slots_of_what_is_fixed_may_be_left_out(tmp_path: Path) -> None:
    content = recorded(optimizer="adam", name="mazur")  # its biases are fixed
    (group,) = content["groups"]
    for test in group["tests"]:
        for name in [name for name in test["quantities"] if "_b[" in name or "b_next" in name]:
            del test["quantities"][name]
    for test in group["tests"][1:]:
        del test["parameters"]
    assert all(result.ok for result in checked(content, tmp_path))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_layers_without_biases(optimizer: str, tmp_path: Path) -> None:
    content = recorded(optimizer=optimizer, use_bias=False)
    (group,) = content["groups"]
    assert "db[0]" not in group["tests"][0]["quantities"]
    for test in group["tests"]:
        for table in test["parameters"]:
            del table["b"]
    assert all(result.ok for result in checked(content, tmp_path))
    for test in group["tests"][1:]:
        del test["parameters"]
    assert all(result.ok for result in checked(content, tmp_path))
    if optimizer == "adam":
        _, second, third = group["tests"]
        slots = {name: array for name, array in second["quantities"].items() if "_W[" in name}
        group |= {"tests": [third], "slots": slots, "steps_before": 2}
        group["parameters"] = [{"W": second["quantities"][f"W_next[{l}]"]} for l in (0, 1)]
        assert checked(content, tmp_path)[0].ok
    group["network"]["layers"][1]["use_bias"] = True
    first = group["tests"][0]
    first.setdefault("parameters", group.get("parameters"))
    assert "groups[0].tests[0].parameters[1]: 'b' is missing" in problems_of(content, tmp_path)


# JSON Lines.


def as_lines(content: Any) -> list[str]:
    """A file of one group as JSON Lines."""
    (group,) = content["groups"]
    header = {"schema": content["schema"]} | {k: v for k, v in group.items() if k != "tests"}
    return [json.dumps(line) for line in (header, *group["tests"])]


@pytest.mark.parametrize("name", ["steps.jsonl", "-"])
def test_json_lines(name: str, tmp_path: Path) -> None:
    lines = as_lines(recorded())
    path = tmp_path / "steps.jsonl"
    path.write_text("\n".join(lines))
    with path.open() as file:
        result = subprocess.run(
            [sys.executable, "-m", "threeways", "check", name],
            cwd=tmp_path,
            stdin=file,
            capture_output=True,
            text=True,
        )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("3 of 3 steps as they should be")


def lines_problems(lines: list[str], folder: Path) -> list[str]:
    path = folder / "steps.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError) as error:
        read_records(path)
    return [problem.partition(".jsonl: ")[2] for problem in error.value.problems]


def test_groups_in_json_lines(tmp_path: Path) -> None:
    lines = as_lines(recorded(steps=2))
    header, *more = as_lines(recorded(steps=1, name="mazur"))
    second = {key: value for key, value in json.loads(header).items() if key != "schema"}
    path = tmp_path / "steps.jsonl"
    path.write_text("\n".join([*lines, "", json.dumps(second), *more, ""]))
    assert [len(group.steps) for group in read_records(path)] == [2, 1]


def test_wrong_json_lines_are_named_by_their_line(tmp_path: Path) -> None:
    header, first, second, _ = as_lines(recorded())
    wrong = [header.replace('"x"', '"X"'), first, second.replace('"loss"', '"los"'), second[:40]]
    assert lines_problems(wrong, tmp_path)[0].startswith("line 4: not JSON: ")
    assert lines_problems([header, first, "[1]"], tmp_path) == [
        "line 3: should be a table, not [1]"
    ]
    assert lines_problems(wrong[:3], tmp_path) == [
        "line 1: 'X' is not a key here; did you mean 'x'?"
    ]
    assert lines_problems([header, first, second.replace('"loss"', '"los"')], tmp_path) == [
        "line 3: quantities: 'los' is not a quantity of this step; did you mean 'loss'?"
    ]
    assert lines_problems([header], tmp_path) == ["line 1: tests: should not be empty"]
    whole = json.loads(header) | {"tests": [json.loads(first)]}
    assert lines_problems([json.dumps(whole), second], tmp_path) == [
        "line 1: tests: each has a line of its own"
    ]


# Long runs.


def test_a_long_run_is_read_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    content = recorded(steps=2, name="mazur")
    (group,) = content["groups"]
    first, test = group["tests"]
    del test["parameters"]
    test["quantities"] = {
        name: array for name, array in test["quantities"].items() if "b_next" not in name
    }
    group["tests"] = [first, *[test] * 1500]
    path = tmp_path / "steps.json"
    path.write_text(json.dumps(content))
    assert len(read_records(path)[0].steps) == 1501
    test["masks"] = {"a[1]": [[1, 1]]}
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="and 1,480 more problems"):
        read_records(path)


def test_a_long_run_that_is_wrong_is_told_in_short(tmp_path: Path) -> None:
    content = recorded(steps=1)
    (group,) = content["groups"]
    test = group["tests"][0]
    test["quantities"]["loss"] += 1
    group["tests"] = [test] * 25
    lines = list(explain_records(checked(content, tmp_path)))
    assert sum("loss is" in line for line in lines) == 10
    assert lines[-2:-1] == ["groups[0]: and 15 more of its steps"]
    assert lines[-1].startswith("0 of 25 steps")
    group["chained"] = False
    lines = list(explain_records(checked(content, tmp_path)))
    assert sum("loss is" in line for line in lines) == 25


# What programs are answered.


def test_answers_for_programs(tmp_path: Path) -> None:
    content = recorded(steps=3)
    quantities = content["groups"][0]["tests"][1]["quantities"]
    quantities["loss"] = None
    quantities["db[0]"][1] *= 2
    (tmp_path / "steps.json").write_text(json.dumps(content))
    arguments = ["check", tmp_path / "steps.json", "--junit", tmp_path / "junit.xml"]
    result = call(*arguments, "--json", "-")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["schema"], report["ok"]) == ("threeways/check/v1", False)
    assert [(each["step"], each["ok"]) for each in report["results"]] == [
        (1, True),
        (2, False),
        (3, True),
    ]
    loss, db = report["results"][1]["departures"]
    assert (loss["quantity"], loss["index"], loss["found"]) == ("loss", [], None)
    assert (db["quantity"], db["index"]) == ("db[0]", [1])
    assert report["results"][1]["lines"] == result.stderr.splitlines()[:-1]
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    failures = [case.findtext("failure") for case in suite]
    assert failures == [None, "\n".join(report["results"][1]["lines"]), None]


def test_of_code_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("def step(*_): return {'loss': [1.0, 2.0]}")
    result = call("check", "mine.py:step", "mazur", "--json", "out.json", "--junit", "out.xml")
    assert result.exit_code == 1, result.output
    entry, *others = json.loads((tmp_path / "out.json").read_text())["results"]
    assert (entry["name"], entry["ok"], len(entry["lines"])) == ("mazur", False, 1)
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()[0]
    assert len(suite.findall("testcase")) == 1 + len(others)


def test_reports_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "steps.json"
    path.write_text(json.dumps(recorded(steps=1)))
    result = call("check", path, "--json", "no/where.json", "--junit", "no/where.xml")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 2
    assert call("check", path, "--json", "-", "--junit", "-").exit_code == 2


def test_the_file_in_the_docs(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "records.md").read_text(encoding="utf-8")
    content = json.loads(page.split("```json\n")[1].split("```")[0])
    assert [result.ok for result in checked(content, tmp_path)] == [True]


# What recorders do.


@pytest.mark.parametrize("optimizer", ["momentum", "adam", "adagrad"])
@pytest.mark.parametrize("digits", [6, None])
def test_slots_of_a_run_may_be_left_out(optimizer: str, digits: int | None, tmp_path: Path) -> None:
    """A training loop logs the loss and the weights."""

    def logged(kind: Any = FeedForward) -> list[StepResult]:
        content = recorded(kind, optimizer=optimizer)
        (group,) = content["groups"]
        for t, test in enumerate(group["tests"]):
            test["quantities"] = {
                name: each
                for name, each in test["quantities"].items()
                if name == "loss" or "_next" in name
            }
            if t:
                del test["parameters"]
        if digits:
            group["tests"] = each_number(group["tests"], significant(digits))
        return checked(content, tmp_path)

    assert [result.ok for result in logged()] == [True] * 3
    assert not all(result.ok for result in logged(MISTAKES["slots-reset"])) or optimizer == "sgd"


def test_shares_that_are_rounded_are_shares(tmp_path: Path) -> None:
    content = recorded(steps=1, name="smoothed-labels")
    (group,) = content["groups"]
    group["y"] = [[1 / 3, 1 / 3, 1 / 3]] * len(group["x"])
    group = each_number(group, significant(3))
    content["groups"] = [group | {"digits": 3}]
    group["tests"][0]["quantities"] = {"z[0]": group["tests"][0]["quantities"]["z[0]"], "loss": 1.5}
    checked(content, tmp_path)
    content["groups"] = [group | {"digits": 4}]  # then 0.333 is not 1/3
    assert "is not one-hot, or shares" in problems_of(content, tmp_path)[0]


@pytest.mark.usefixtures("diagnosed")
@pytest.mark.parametrize("what", ["loss", "W_next[0]", "parameters"])
def test_what_is_the_same_in_all_steps_is_said(what: str, tmp_path: Path) -> None:
    """References to arrays that go on to change, or the loss of an epoch."""
    content = recorded(name="mazur")
    tests = content["groups"][0]["tests"]
    for test in tests:
        if what == "parameters":
            test["parameters"] = tests[-1]["parameters"]
        else:
            test["quantities"][what] = tests[-1]["quantities"][what]
            test["parameters"] = tests[0]["parameters"] if test is tests[0] else None
    content = json.loads(json.dumps(content).replace('"parameters": null, ', ""))
    lines = list(explain_records(checked(content, tmp_path)))
    (said,) = (line for line in lines if "the same in all 3 steps" in line)
    assert said.startswith(f"  the same in all 3 steps: {what.replace('parameters', 'W[0], W[1]')}")


def test_each_momentum_of_pytorch_is_told_in_every_step(tmp_path: Path) -> None:
    content = recorded(optimizer="pytorch_momentum")
    training = content["groups"][0]["training"]
    training["optimizer"] = "momentum"
    del training["dampening"]
    for result in checked(content, tmp_path):
        assert result.convention
        assert result.convention.startswith("this is PyTorch's momentum")
    training |= {"optimizer": "pytorch_momentum", "dampening": 0.1}
    first, *others = checked(content, tmp_path)
    assert first.ok  # which goes without
    for result in others:
        assert result.convention == (
            "this is momentum with dampening = 0; this case has 0.1; all else agrees"
        )


def test_a_transposed_array_is_said_to_be_one(tmp_path: Path) -> None:
    content = recorded(steps=1)
    (test,) = content["groups"][0]["tests"]
    test["quantities"]["dW[1]"] = np.transpose(test["quantities"]["dW[1]"]).tolist()
    (problem,) = problems_of(content, tmp_path)
    assert problem.endswith("; it is transposed, (out, in) as in PyTorch: record its .T")


def test_a_slot_of_a_layer_without_biases_is_none(tmp_path: Path) -> None:
    content = recorded(steps=1, name="without-biases", optimizer="momentum")
    (group,) = content["groups"]
    group["tests"][0] |= {"steps_before": 2, "slots": {"momentum_b[0]": [0, 0, 0]}}
    assert "the layer has no biases; leave it out" in problems_of(content, tmp_path)[0]


@pytest.mark.usefixtures("diagnosed")
def test_conventions_in_json(tmp_path: Path) -> None:
    content = recorded(scaled(FeedForward, 2), steps=1)
    path = tmp_path / "steps.json"
    path.write_text(json.dumps(content))
    result = call("check", str(path), "--json", "-")
    (entry,) = json.loads(result.stdout)["results"]
    assert entry["convention"] in entry["lines"][0]
    assert "2 times this case's" in entry["convention"]
