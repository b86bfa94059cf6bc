"""Test vectors and recorded steps: what is written is right, and what is wrong is found."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import threeways.conformance.records
import threeways.conformance.vectors
from impl_numpy import FeedForward
from shared import DTYPES, Array, Case, InputError, Weights, load_case
from tests.problems import regularised
from threeways.conformance.record_reader import read_records
from threeways.conformance.record_tables import json_schema
from threeways.conformance.records import StepResult, check_records
from threeways.conformance.vectors import write_vectors
from threeways.exact.oracle import rounded_step
from threeways.mistakes import MISTAKES, diagnosis, steps

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
NAMES = ("mazur", "kth-8-softmax", "regularised")
FILES = [f"{name}-{dtype}" for name, dtype in itertools.product(NAMES, DTYPES)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vectors of a few cases."""
    folder = tmp_path_factory.mktemp("vectors")
    write_vectors(folder, [*map(network_case, NAMES), load_case("csumb-1-square")])
    return folder


@pytest.fixture
def mazur(folder: Path) -> Any:
    """The vectors of the 2-2-2 example in float64, to change."""
    return json.loads((folder / "mazur-float64.json").read_text())


@pytest.fixture
def no_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge only: the search for mistakes takes long where there is none to be found."""
    monkeypatch.setattr(threeways.conformance.records, "recognise", lambda *_, **__: None)


@pytest.fixture
def made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each mistake make a step once, not again for every test of a file that starts there."""
    numbers_of_run = steps.numbers_of_run
    made: dict[Any, Any] = {}

    def once(
        kind: type[FeedForward], run: Sequence[Case], goes_on: bool = False
    ) -> dict[str, Array]:
        key = (kind, *map(id, run))
        if key not in made:
            made[key] = numbers_of_run(kind, run, goes_on), run  # while it is kept, so are its ids
        return made[key][0]

    monkeypatch.setattr(diagnosis, "numbers_of_run", once)


def network_case(name: str, dtype: str = "float64") -> Case:
    case = regularised() if name == "regularised" else load_case(name)
    assert isinstance(case, Case)
    return case.with_dtype(dtype)


def checked(content: Any, folder: Path) -> list[StepResult]:
    path = folder / "steps.json"
    path.write_text(json.dumps(content))
    return list(check_records(read_records(path)))


def assert_same(found: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array, name, strict=True)


# Vectors.


def test_a_file_for_each_network_and_dtype(folder: Path) -> None:
    assert {path.stem for path in folder.iterdir()} == {*FILES, "schema"}


@pytest.mark.parametrize("file", FILES)
def test_files_are_of_the_schema(file: str, folder: Path) -> None:
    vectors = json.loads((folder / f"{file}.json").read_text())
    jsonschema.validate(vectors, json.loads((folder / "schema.json").read_text()))
    (group,) = vectors["groups"]
    assert vectors["notes"].keys() == {flag for test in group["tests"] for flag in test["flags"]}
    assert len(group["tests"]) == vectors["numberOfTests"] > 10


@pytest.mark.parametrize("left_out", [None, "decimal", "hex"])
@pytest.mark.parametrize("file", FILES)
def test_reading_gives_what_was_rounded(
    file: str, left_out: str | None, folder: Path, tmp_path: Path
) -> None:
    name, _, dtype = file.rpartition("-")
    case = network_case(name, dtype)
    vectors = json.loads((folder / f"{file}.json").read_text())
    for array in vectors["groups"][0]["tests"][0]["quantities"].values():
        array.pop(left_out, None)
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps(vectors))
    (group,) = read_records(path)
    step = group.steps[0]
    assert_same(step.quantities, rounded_step(case))
    for found, weights in zip(step.case.parameters, case.parameters, strict=True):
        assert_same(found._asdict(), weights._asdict())
    for read, rows in zip(step.case.first_batch(), case.first_batch(), strict=True):
        np.testing.assert_array_equal(read, rows.astype(dtype))
    assert step.case.network == case.network
    for l, mask in case.masks().items():
        np.testing.assert_array_equal(step.case.masks()[l], mask)


@pytest.mark.usefixtures("made_once")
@pytest.mark.parametrize("file", FILES)
def test_vectors_are_judged_as_they_say(file: str, folder: Path) -> None:
    results = list(check_records(read_records(folder / f"{file}.json")))
    assert [result.step.number for result in results if not result.ok] == []
    assert results[0].diagnosis is None
    for result in results[1:]:
        assert result.diagnosis
        if result.diagnosis.correct.fits:  # too near the right numbers to tell what made them
            continue
        found = {name for match in result.diagnosis.matches for name in match.mistakes}
        # One in a single layer is not named where any other makes these numbers too.
        assert found
        assert {name for name in result.step.flags if not MISTAKES[name].variant_of} <= found


def test_writing_again_changes_nothing(folder: Path, tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []
    paths = write_vectors(
        tmp_path / "a" / "b", [load_case("mazur")], lambda *counts: progress.append(counts)
    )
    assert paths == [tmp_path / "a" / "b" / f"mazur-{dtype}.json" for dtype in DTYPES]
    assert progress == [(1, 2), (2, 2)]
    for path in (*paths, tmp_path / "a" / "b" / "schema.json"):
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_an_unwritable_folder_is_found_out_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        threeways.conformance.vectors, "exact_step", lambda _: pytest.fail("worked in vain")
    )
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: is a file, not a folder"):
        write_vectors(tmp_path / "file", [load_case("mazur")])


@pytest.mark.usefixtures("no_diagnosis")
@pytest.mark.parametrize("quantity", rounded_step(network_case("mazur")))
def test_a_number_beyond_its_bound_is_found(quantity: str, mazur: Any, tmp_path: Path) -> None:
    move(mazur, quantity, 0.25)
    assert checked(mazur, tmp_path)[0].ok
    move(mazur, quantity, 2)
    wrong, *others = checked(mazur, tmp_path)
    assert not wrong.ok
    assert [worst.quantity for worst in wrong.judgement.departures] == [quantity]
    assert all(other.ok for other in others)


def move(vectors: Any, quantity: str, bounds: float) -> None:
    """Move the last of the valid numbers of a quantity by so many of its bounds."""
    array = vectors["groups"][0]["tests"][0]["quantities"][quantity]
    array.pop("hex", None)
    decimals = np.array(array["decimal"])
    # A bias that is fixed has no bound but that of the smallest number.
    bound = max(np.array(array["bound"]).flat[-1], np.spacing(np.abs(decimals.flat[-1])))
    decimals.flat[-1] += bounds * bound
    array["decimal"] = decimals.tolist()


@pytest.mark.usefixtures("no_diagnosis")
def test_an_invalid_test_of_valid_numbers_is_found(mazur: Any, tmp_path: Path) -> None:
    make_valid(mazur)
    results = checked(mazur, tmp_path)
    assert [result.step.number for result in results if not result.ok] == [2]


def make_valid(vectors: Any) -> None:
    """Give the first invalid test the numbers of the valid one."""
    valid, invalid, *_ = vectors["groups"][0]["tests"]
    numbers = copy.deepcopy(valid["quantities"])
    invalid["quantities"] = {name: numbers[name] for name in invalid["quantities"]}


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_a_consumer_in_javascript(folder: Path, mazur: Any, tmp_path: Path) -> None:
    def consume(folder: Path) -> tuple[int, str, str]:
        command = ["node", str(EXAMPLES / "vectors.mjs"), str(folder)]
        run = subprocess.run(command, capture_output=True, text=True)
        return run.returncode, run.stdout, run.stderr

    tests = {file: count_tests(folder / f"{file}.json") for file in FILES}
    float64 = sum(number for file, number in tests.items() if file.endswith("64"))
    skipped = sum(tests.values()) - float64
    expected = f"{float64} passed, 0 failed, {skipped} skipped\n"
    assert consume(folder) == (0, expected, "")

    file = tmp_path / "mazur-float64.json"
    make_valid(mazur)
    move(mazur, "W_next[1]", 2)
    file.write_text(json.dumps(mazur))
    code, printed, errors = consume(tmp_path)
    assert (code, printed) == (1, f"{mazur['numberOfTests'] - 2} passed, 2 failed, 0 skipped\n")
    assert errors.startswith(
        "mazur-float64.json, test 1: correctly rounded\nmazur-float64.json, tes"
    )


def count_tests(path: Path) -> int:
    number = json.loads(path.read_text())["numberOfTests"]
    assert isinstance(number, int)
    return number


# Recorded steps.


def recorded(
    kind: type[FeedForward] = FeedForward,
    steps: int = 3,
    dtype: str = "float64",
    optimizer: str = "sgd",
    name: str = "uio-3-4-4-1",
    use_bias: bool = True,
) -> Any:
    """A run as somebody would record it, each step with what it starts from."""
    case = network_case(name, dtype)
    if not use_bias:
        unbiased = tuple(
            dataclasses.replace(layer, use_bias=False) for layer in case.network.layers
        )
        network = dataclasses.replace(case.network, layers=unbiased)
        parameters = tuple(Weights(W, 0 * b) for W, b in case.parameters)
        case = dataclasses.replace(case, network=network, parameters=parameters)
    training = dataclasses.replace(case.training, optimizer=optimizer)
    x, y = (values.astype(dtype) for values in case.first_batch())
    net = kind(case.network, case.parameters)
    tests = []
    for t in range(steps):
        masks = training.masks(case.network, t, len(x))
        start = [{"W": W.tolist(), "b": b.tolist()} for W, b in net.parameters]
        quantities = net.step(x, y, training).quantities()
        listed = {quantity: array.tolist() for quantity, array in quantities.items()}
        tests.append({"parameters": start, "quantities": listed})
        if masks:
            tests[-1]["masks"] = {f"a[{l}]": mask.tolist() for l, mask in masks.items()}
    layers = [
        {name: value for name, value in dataclasses.asdict(layer).items() if value is not None}
        for layer in case.network.layers
    ]
    group = {
        "network": {
            "n_features": x.shape[1],
            "layers": layers,
            "loss": case.network.loss,
            "dtype": dtype,
        },
        "chained": True,
        "learning_rate": case.training.learning_rate,
        "x": x.tolist(),
        "y": y.tolist(),
        "tests": tests,
    }
    if optimizer != "sgd":
        rate = group.pop("learning_rate")
        group["training"] = {"learning_rate": rate, "optimizer": optimizer}
        group["training"] |= training.hyperparameters
    return {"schema": "threeways/vectors/v1", "groups": [group]}


def test_a_mistake_that_shows_in_the_second_step_is_named(tmp_path: Path) -> None:
    first, second, third = checked(recorded(MISTAKES["gradients-not-reset"]), tmp_path)
    assert first.ok
    assert second.diagnosis
    assert [match.mistakes for match in second.diagnosis.matches] == [("gradients-not-reset",)]
    assert not third.ok
    assert third.diagnosis is None


@pytest.mark.usefixtures("no_diagnosis")
def test_a_run_goes_on_with_what_its_optimizer_keeps(tmp_path: Path) -> None:
    run = recorded(optimizer="adam")
    assert all(result.ok for result in checked(run, tmp_path))
    quantities = run["groups"][0]["tests"][1]["quantities"]
    quantities["momentum_W[0]"][0][0] *= 1.001
    _, second, third = checked(run, tmp_path)
    (departure,) = second.judgement.departures
    assert (departure.quantity, departure.index) == ("momentum_W[0]", (0, 0))
    assert not third.ok  # it goes on from what was recorded
    del quantities["velocity_b[1]"]
    with pytest.raises(InputError, match=r"no velocity_b\[1\] in the step before"):
        checked(run, tmp_path)


@pytest.mark.usefixtures("no_diagnosis")
def test_a_run_with_dropout(tmp_path: Path) -> None:
    content = recorded(name="regularised")
    (group,) = content["groups"]
    # What the training says of rows is of others than the batch.
    of_rows = {"batch_size": 2, "seed": 4, "validation": 0.5}
    group["training"] = of_rows | {"learning_rate": group.pop("learning_rate")}
    jsonschema.validate(content, json_schema())
    assert [result.ok for result in checked(content, tmp_path)] == [True] * 3
    row = group["tests"][1]["masks"]["a[2]"][3]
    row[:] = [not kept for kept in row]
    _, wrong, _ = checked(content, tmp_path)
    assert [worst.quantity for worst in wrong.judgement.departures] == ["z[2]"]


def test_a_mistake_in_a_run_with_dropout_is_named(tmp_path: Path) -> None:
    run = recorded(MISTAKES["gradients-not-reset"], 2, name="regularised")
    first, second = checked(run, tmp_path)
    assert first.ok
    assert second.diagnosis
    assert [match.mistakes for match in second.diagnosis.matches] == [("gradients-not-reset",)]


KEPT = {"a[1]": [[1] * 4] * 5, "a[2]": [[1] * 5] * 5, "a[3]": [[1] * 4] * 5}
WRONG_MASKS: dict[str, tuple[Any, list[str]]] = {
    "none": (None, [": 'masks' is missing, here and in its group"]),
    "missing": (
        {name: KEPT[name] for name in ("a[1]", "a[3]")},
        [".masks: 'a[2]' is missing, which has dropout"],
    ),
    "shape": (
        KEPT | {"a[3]": [[1] * 5] * 4},
        [".masks.a[3]: expected shape (5, 4), got (4, 5)"],
    ),
    "no-dropout": (KEPT | {"a[0]": [[1]]}, [".masks: 'a[0]' has no dropout"]),
    "share": (
        KEPT | {"a[1]": [[1, 1, 0.8, 1]] * 5},
        [f".masks.a[1][{i}][2]: should be 1 or 0, not 0.8" for i in range(5)],
    ),
    "ragged": (KEPT | {"a[1]": [[1, 0], [1]]}, [".masks.a[1]: rows of different lengths"]),
}


@pytest.mark.parametrize(("masks", "problems"), WRONG_MASKS.values(), ids=WRONG_MASKS)
def test_wrong_masks(masks: Any, problems: list[str], tmp_path: Path) -> None:
    content = recorded(name="regularised", steps=1)
    content["groups"][0]["tests"][0]["masks"] = masks
    with pytest.raises(InputError) as error:
        checked(content, tmp_path)
    at = f"{tmp_path / 'steps.json'}: {TEST}"
    assert list(error.value.problems) == [at + problem for problem in problems]


def test_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mazur: 2 cases have this name"):
        write_vectors(tmp_path, [load_case("mazur"), load_case("mazur")])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("given", ["each", "first", "group"])
def test_a_run_goes_on_from_step_to_step(given: str, dtype: str, tmp_path: Path) -> None:
    content = recorded(dtype=dtype)
    (group,) = content["groups"]
    if given == "group":
        group["parameters"] = group["tests"][0].pop("parameters")
    if given != "each":
        for test in group["tests"][1:]:
            del test["parameters"]
    jsonschema.validate(content, json_schema())
    results = checked(content, tmp_path)
    assert [result.step.number for result in results] == [1, 2, 3]
    assert all(result.ok and result.chain_break is None for result in results)


def test_where_a_run_breaks(tmp_path: Path) -> None:
    content = recorded()
    (group,) = content["groups"]
    start, second, _ = group["tests"]
    group["tests"][2] = start  # a step that is right, but not the third of this run
    *others, broken = checked(content, tmp_path)
    assert all(result.ok for result in others)
    assert broken.judgement.ok
    assert not broken.ok
    begun, ended = start["parameters"][0]["W"], second["quantities"]["W_next[0]"]
    assert broken.chain_break == (
        "step 3 does not begin with what step 2 ended with: "
        f"W[0][0,0] is {begun[0][0]} after {ended[0][0]}"
    )
    group["chained"] = False
    assert all(result.ok for result in checked(content, tmp_path))


def test_of_a_run_the_first_departure_is_diagnosed(tmp_path: Path) -> None:
    content = recorded(kind=MISTAKES["step-uphill"])
    results = checked(content, tmp_path)
    assert [result.ok for result in results] == [False] * 3
    assert results[0].diagnosis
    assert [match.mistakes for match in results[0].diagnosis.matches] == [("step-uphill",)]
    assert results[1].diagnosis is results[2].diagnosis is None


def test_any_of_a_steps_numbers_will_do(tmp_path: Path) -> None:
    content = recorded(steps=1)
    (test,) = content["groups"][0]["tests"]
    for name, array in test["quantities"].items():
        test["quantities"] = {name: array}
        (result,) = checked(content, tmp_path)
        assert result.ok, name
        assert result.judgement.worst.keys() == {name}


@pytest.mark.usefixtures("no_diagnosis")
@pytest.mark.parametrize("number", [None, float("nan"), float("inf")])
def test_what_is_not_finite_is_never_right(number: float | None, tmp_path: Path) -> None:
    content = recorded(steps=1)
    content["groups"][0]["tests"][0]["quantities"]["loss"] = number
    (result,) = checked(content, tmp_path)
    assert [worst.quantity for worst in result.judgement.departures] == ["loss"]


RECORDERS = {"pytorch": "torch", "keras": "tensorflow"}


@pytest.mark.parametrize("name", RECORDERS)
def test_the_recorders(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(RECORDERS[name]) is None:
        pytest.skip(f"{RECORDERS[name]} is not installed")
    script = EXAMPLES / f"record_{name}.py"
    subprocess.run([sys.executable, script], cwd=tmp_path, check=True, capture_output=True)
    (group,) = read_records(tmp_path / "steps.json")
    assert group.chained
    assert len(group.steps[0].quantities) == len(rounded_step(group.steps[0].case))
    assert [result.ok for result in check_records([group])] == [True] * 3


# Files that are wrong.

GOOD = """{
 "schema": "threeways/vectors/v1",
 "notes": {},
 "groups": [
  {
   "network": {"n_features": 2, "layers": [{"units": 1}], "loss": "half_squared_error",
               "dtype": "float32"},
   "learning_rate": 0.5,
   "parameters": [{"W": [[1], [2]], "b": [0]}],
   "x": [[1, 2]], "y": [[4]],
   "tests": [
    {"tcId": 1, "quantities": {"z[0]": [[5]], "loss": {"decimal": 0.5, "hex": "0x1p-1"}}},
    {"tcId": 2, "result": "invalid", "quantities": {"loss": 1}}
   ]
  }
 ]
}"""

TEST = "groups[0].tests[0]"
LOSS = f"{TEST}.quantities.loss"
LAYER = "groups[0].network.layers[0]"

# What to replace in GOOD, with what, and the lines that are then said.
WRONG: dict[str, tuple[str, str, list[str]]] = {
    "syntax": ('"x": ', '"x" ', ["not JSON: Expecting ':' delimiter (at line 10, column 8)"]),
    "list": (GOOD, "[1]", ["should be a table, not [1]"]),
    "depth": (GOOD, "[" * 100_000, ["not JSON: nested too deeply"]),
    "digits": ("0.5", "5" * 5000, ["not JSON: a number of thousands of digits"]),
    "schema": (
        "v1",
        "v2",
        ["schema: should be 'threeways/vectors/v1', not 'threeways/vectors/v2'"],
    ),
    "no-schema": ('"schema": "threeways/vectors/v1",', "", ["'schema' is missing"]),
    "count": (
        '"notes": {}',
        '"numberOfTests": 3',
        ["numberOfTests: should be 2, not 3"],
    ),
    "tc-id": ('"tcId": 2', '"tcId": 1', ["tcId: 1 is that of 2 tests"]),
    "note": (
        '"notes": {}',
        '"notes": {"up": {"title": "", "did": "", "why": "", "fxi": ""}}',
        ["notes.up: 'fix' is missing", "notes.up: 'fxi' is not a key here; did you mean 'fix'?"],
    ),
    "key": (
        '"learning_rate"',
        '"learningrate"',
        ["groups[0]: 'learningrate' is not a key here; did you mean 'learning_rate'?"],
    ),
    "test-key": (
        '"result"',
        '"results"',
        ["groups[0].tests[1]: 'results' is not a key here; did you mean 'result'?"],
    ),
    "augmentation-key": (
        '"learning_rate": 0.5',
        '"training": {"learning_rate": 0.5, "augmentation": {"shfit": 1}}',
        [
            "groups[0].training.augmentation: 'shfit' is not a key here; did you mean 'shift'?",
        ],
    ),
    "result": (
        '"invalid"',
        '"wrong"',
        ["groups[0].tests[1].result: should be 'valid' or 'invalid', not 'wrong'"],
    ),
    "layer-key": (
        '"units": 1',
        '"units": 1, "unit": 1',
        [f"{LAYER}: 'unit' is not a key here; did you mean 'units'?"],
    ),
    "activation": (
        '"units": 1',
        '"units": 1, "activation": "relo"',
        [f"{LAYER}.activation: 'relo' is not an activation; did you mean 'relu'?"],
    ),
    "no-groups": (GOOD[GOOD.index('"groups"') :], '"groups": []}', ["groups: should not be empty"]),
    "no-tests": (
        GOOD[GOOD.index('"tests"') :],
        '"tests": []}]}',
        ["groups[0].tests: should not be empty"],
    ),
    "no-quantities": ('{"loss": 1}', "{}", ["groups[0].tests[1].quantities: should not be empty"]),
    "no-start": (
        '"y": [[4]],',
        "",
        [f"groups[0].tests[{t}]: 'y' is missing, here and in its group" for t in (0, 1)],
    ),
    "rate": ("0.5", "-0.5", ["groups[0].learning_rate: should be greater than 0, not -0.5"]),
    "text-rate": ("0.5", '"a"', ["groups[0].learning_rate: should be a valid number, not 'a'"]),
    "nan": ("[[1, 2]]", "[[NaN, 2]]", ["groups[0].x[0][0]: should be a finite number, not nan"]),
    "infinity": (
        "[[1], [2]]",
        "[[1], [-Infinity]]",
        ["groups[0].parameters[0].W[1][0]: should be a finite number, not -inf"],
    ),
    "ragged": ("[[1, 2]]", "[[1, 2], [3]]", ["groups[0].x: rows of different lengths"]),
    "huge": ("[[1, 2]]", "[[1, 1e39]]", ["groups[0].x[0,1]: 1e+39 is too large for float32"]),
    "x-shape": ("[[1, 2]]", "[[1]]", ["groups[0].x: expected shape (N, 2), got (1, 1)"]),
    "W-shape": (
        "[[1], [2]]",
        "[[1, 2]]",
        ["groups[0].parameters[0].W: expected shape (2, 1), got (1, 2)"],
    ),
    "own-start": (
        '"tcId": 2',
        '"tcId": 2, "y": [[4], [5]]',
        ["groups[0].tests[1].y: 2 rows for the 1 rows of x"],
    ),
    "targets": (
        '{"units": 1}], "loss": "half_squared_error"',
        '{"units": 1, "activation": "sigmoid"}], "loss": "binary_crossentropy"',
        ["groups[0].y[0]: [4.0] is not in [0, 1], as binary cross-entropy needs"],
    ),
    "masks": (
        '"y": [[4]]',
        '"y": [[4]], "masks": {"a[1]": [[1]]}',
        ["groups[0].masks: 'a[1]' has no dropout"],
    ),
    "quantity": (
        '"z[0]"',
        '"z0"',
        [f"{TEST}.quantities: 'z0' is not a quantity of this step; did you mean 'z[0]'?"],
    ),
    "shape": ("[[5]]", "[5]", [f"{TEST}.quantities.z[0]: expected shape (1, 1), got (1,)"]),
    "ragged-quantity": (
        "[[5]]",
        "[[5], [5, 6]]",
        [f"{TEST}.quantities.z[0]: rows of different lengths"],
    ),
    "text": ("[[5]]", '[["5"]]', [f"{TEST}.quantities.z[0]: '5' is not a number"]),
    "true": ("[[5]]", "[[true]]", [f"{TEST}.quantities.z[0]: True is not a number"]),
    "huge-quantity": (
        "[[5]]",
        "[[-1e39]]",
        [f"{TEST}.quantities.z[0][0,0]: -1e+39 is too large for float32"],
    ),
    "hex": ('"0x1p-1"', '"1.5"', [f"{LOSS}: '1.5' is not a hex float such as '0x1.8p-1'"]),
    "huge-hex": ('"0x1p-1"', '"0x1p1024"', [f"{LOSS}: '0x1p1024' is too large for float64"]),
    "two-values": ('"0x1p-1"', '"0x1p-2"', [f"{LOSS}: decimal 0.5 is not hex 0.25"]),
    "two-shapes": ('"0x1p-1"', '["0x1p-1"]', [f"{LOSS}: decimal and hex differ in shape"]),
    "form": ('"hex"', '"hxe"', [f"{LOSS}: 'hxe' is not a key here; did you mean 'hex'?"]),
    "bound-alone": (
        '"decimal": 0.5, "hex": "0x1p-1"',
        '"bound": 1',
        [f"{LOSS}: needs decimal, or hex, or both"],
    ),
    "bound-negative": (
        '"hex": "0x1p-1"',
        '"bound": -1',
        [f"{LOSS}: bound: should be numbers of 0 or more"],
    ),
    "key-twice": (
        '"notes": {}',
        '"notes": {}, "notes": {}',
        ["'notes' is given 2 times in the same table"],
    ),
    "chain": (
        '"learning_rate"',
        '"chained": true, "learning_rate"',
        ["groups[0].tests[1]: no parameters, and no W_next[0] in the step before"],
    ),
    "chain-nan": (
        '"y": [[4]],\n   "tests": [\n    {"tcId": 1, "quantities": {',
        '"y": [[4]], "chained": true, "tests": ['
        '{"tcId": 1, "quantities": {"W_next[0]": [[1], [null]], "b_next[0]": [0], ',
        ["groups[0].tests[1]: begins with the W_next[0] of the step before, which is not finite"],
    ),
    "all": (
        '[[1, 2]], "y": [[4]],\n   "tests": [\n    {"tcId": 1, "quantities": {"z[0]": [[5]]',
        '[[1]], "y": [[4]], "tests": [{"tcId": 2, "quantities": {"z[0]": [5], "los": 0',
        [
            "tcId: 2 is that of 2 tests",
            f"{TEST}.quantities.z[0]: expected shape (1, 1), got (1,)",
            f"{TEST}.quantities: 'los' is not a quantity of this step; did you mean 'loss'?",
            "groups[0].x: expected shape (N, 2), got (1, 1)",
        ],
    ),
}


@pytest.mark.parametrize(("old", "new", "problems"), WRONG.values(), ids=WRONG)
def test_a_wrong_file(old: str, new: str, problems: list[str], tmp_path: Path) -> None:
    assert old in GOOD
    path = tmp_path / "steps.json"
    path.write_text(GOOD)
    assert all(result.ok for result in check_records(read_records(path)))
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        read_records(path)
    assert list(error.value.problems) == [f"{path}: {problem}" for problem in problems]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.json: No such file or directory"):
        read_records(tmp_path / "none.json")
    with pytest.raises(InputError, match=r": Is a directory"):
        read_records(tmp_path)
    (tmp_path / "bytes.json").write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"bytes.json: not UTF-8 text \(byte 0\)"):
        read_records(tmp_path / "bytes.json")
