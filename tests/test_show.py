"""``threeways show``, and the lectures' own names of a step's numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from shared import Case, InputError, case_names, load_case
from shared.own_names import own_names, resolve
from shared.quantities import parse_element
from threeways.cli import main
from threeways.mistakes.diagnosis import diagnose
from threeways.report.steps import explain_step, parts
from threeways.training.step import at_step, numbers_of_step


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def table(case: str, *wanted: str, step: int = 1, digits: int = 9, width: int = 80) -> list[str]:
    """The lines that ``threeways show`` prints."""
    loaded = load_case(case)
    names = loaded.names if isinstance(loaded, Case) else {}
    shown = parts(numbers_of_step(at_step(loaded, step)), wanted, names)
    return list(explain_step(loaded, step, shown, names, digits, width, bool(wanted)))


@pytest.mark.parametrize("case", case_names())
def test_every_case_fits_a_terminal(case: str) -> None:
    for line in table(case, step=2)[2:]:
        assert cell_len(line) <= 80, line


# What LUMS-10 prints, by its names.
PRINTED = {
    "net_h1": "0.3775",
    "out_h2": "0.596884378",
    "net_o1": "1.105905967",
    "out_o2": "0.772928465",
    "E_total": "0.298371109",
    "w5+": "0.35891648",
    "w6+": "0.408666186",
    "w7+": "0.511301270",
    "w8+": "0.561370121",
    "dE_total/dw1": "0.000438568",
    "w2+": "0.19956143",
    "w3+": "0.24975114",
}


@pytest.mark.parametrize("name", PRINTED)
def test_the_figures_of_a_lecture_by_its_names(name: str) -> None:
    printed = PRINTED[name]
    shown = Decimal(table("mazur", name, digits=12)[-1].rpartition(f"{name} = ")[2])
    unit = Decimal(10) ** -len(printed.partition(".")[2])
    assert abs(shown - Decimal(printed)) < unit


@pytest.mark.parametrize(
    ("case", "wanted", "lines"),
    [
        ("mazur", ["w5+"], ["W_next[1][0,0]  ()  w5+ = 0.35891648"]),
        ("mazur", ["a[0]"], ["x  (1, 2)  x1 = 0.05  x2 = 0.1"]),
        ("mazur", ["b1"], ["b[0] = b1  (2,)  0.35  0.35"]),
        ("uio-9-building", ["dL/dw1(2)"], ["dW[1][0,0]  ()  dL/dw1(2) = 0.0532044116"]),
        ("csumb-4-weighted-sum", ["y", "dz/dw2"], ["z[0][0,0]   ()  y = 6.5"]),
        ("uio-10-delta", ["delta(3)[0,1]"], ["dz[2][0,1]  ()  0.0473904587"]),
        ("csumb-2-chain", ["dz/dx"], ["dz/dx  ()  16"]),
    ],
)
def test_some_quantities(case: str, wanted: Sequence[str], lines: list[str]) -> None:
    assert table(case, *wanted)[3 : 3 + len(lines)] == lines


def test_a_quantity_without_a_layer_is_that_of_every_layer() -> None:
    assert [line.split()[0] for line in table("kth-6-feedforward", "db")[3:]] == ["db[1]", "db[0]"]


def test_a_named_array_is_whole_and_others_are_abridged() -> None:
    assert any("…" in line for line in table("digits"))
    assert "--quantity 'dW[1]' shows one whole" in table("digits")[-1]
    whole = table("digits", "db[0]")
    numbers = " ".join(whole[3:]).split()[2:]
    assert len(numbers) == 32
    assert "…" not in "".join(whole)


@pytest.mark.parametrize("case", ["mazur", "moons-momentum", "wine-alpha-dropout", "csumb-2-chain"])
def test_a_later_step_starts_where_the_one_before_ended(case: str) -> None:
    second, third = (numbers_of_step(at_step(load_case(case), step)) for step in (2, 3))
    ends = {name.replace("_next", ""): array for name, array in second.items() if "_next" in name}
    for name, array in ends.items():
        np.testing.assert_allclose(third[name], array, rtol=1e-14)


def test_the_learning_rate_and_the_dropout_masks_are_those_of_the_step() -> None:
    loaded = load_case("digits-dropout")
    assert isinstance(loaded, Case)
    first, second = (numbers_of_step(at_step(loaded, step)) for step in (1, 2))
    assert (first["mask[1]"] != second["mask[1]"]).any()


def test_json_has_all_digits_and_all_names() -> None:
    result = call("show", "mazur", "--json")
    shown = json.loads(result.stdout)
    assert shown["schema"] == "threeways/show/v1"
    assert shown["numbers"]["a[1]"] == [[0.5932699921071872, 0.596884378259767]]
    assert shown["names"]["dE_total/dw5"] == "dW[1][0,0]"
    assert list(shown["numbers"])[:3] == ["x", "y", "W[0]"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quantity", "dw_1"], "'dw_1' is not a quantity of this step; did you mean 'dW[1]'?"),
        (["--quantity", "dW[1][2,0]"], "dW[1][2,0]: outside of dW[1], whose shape is (2, 2)"),
        (["--steps", "0"], "steps: should be a whole number from 1 to 1,000,000, not 0"),
    ],
)
def test_what_a_step_does_not_have(arguments: list[str], message: str) -> None:
    result = call("show", "mazur", *arguments)
    assert (result.exit_code, result.stderr) == (2, f"Error: {message}\n")


def test_a_training_that_has_diverged(tmp_path: Path) -> None:
    path = tmp_path / "steep.toml"
    text = Path("shared/cases/kth-8-linear.toml").read_text()
    path.write_text(text.replace("learning_rate = ", "learning_rate = 1e9 # "))
    assert "diverged before step 1,000" in call("show", path, "--steps", "1000").stderr


# --- The lectures' own names


@pytest.mark.parametrize("case", case_names())
def test_every_name_stands_for_numbers_of_the_step(case: str) -> None:
    loaded = load_case(case)
    if isinstance(loaded, Case) and loaded.names:
        numbers = numbers_of_step(loaded.alone())
        for name, text in loaded.names.items():
            quantity, index = parse_element(text)
            assert numbers[quantity][index or ...].size, name
            assert resolve(name, loaded.names) == text


NETWORK = load_case("mazur").network  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"w9": "W[2][0,0]"}, "w9: 'W[2]' is not a quantity of this step"),
        ({"w9": "W[1][2,0]"}, "w9: 'W[1][2,0]': the index does not fit the shape (2, 2)"),
        ({"w 9": "W[1][0,0]"}, "'w 9': a name has no spaces, brackets or ="),
        ({"loss": "a[2][0,0]"}, "loss: is a name that every step has"),
        ({"a": "z[0]"}, "a: is a name that every step has"),
    ],
)
def test_wrong_names(names: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        own_names(names, NETWORK, n_rows=1)
    assert str(caught.value).startswith(message)


def test_a_case_file_has_all_its_wrong_names_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = Path("shared/cases/mazur.toml").read_text()
    path.write_text(text.replace('"W[1][0,0]"', '"W[7][0,0]"').replace('"b[1]"', '"c"'))
    with pytest.raises(InputError) as caught:
        load_case(path)
    assert [line.partition("names: ")[2][:3] for line in str(caught.value).splitlines()] == [
        "w5:",
        "b2:",
    ]


@pytest.mark.parametrize("name", ["w5+", "W_next[1][0,0]"])
def test_a_diagnosis_takes_the_names(name: str) -> None:
    assert diagnose("mazur", {name: "0.35891648"}).verdict == "correct"


def test_a_diagnosis_tells_a_number_from_that_after_the_update() -> None:
    with pytest.raises(InputError, match=r"w5: is W\[1\]\[0,0\], which .* did you mean 'w5\+'"):
        diagnose("mazur", {"w5": "0.35891648"})
