"""``threeways cases``: what it says of each case, and its filters."""

from __future__ import annotations

import io

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from shared import Case, case_names, load_case
from threeways.cli import main
from threeways.report.listings import print_cases


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["cases", *arguments])


def names(*arguments: str) -> set[str]:
    """The names of the cases that are listed."""
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()[1:]
    return {line.split()[0] for line in lines if not line.startswith(" ")}


def test_a_wide_terminal_has_a_row_for_a_case_and_a_narrow_one_two() -> None:
    case = load_case("kth-8-softmax")
    network, training = "2-4tanh-3softmax", ["categorical_crossentropy", "sgd", "150"]
    for width, n_lines in ((160, 2), (80, 3)):
        text = io.StringIO()
        print_cases([case], Console(file=text, width=width))
        lines = text.getvalue().splitlines()
        assert len(lines) == n_lines
        assert all(each in lines[-1] for each in ("KTH-8", network, *training))
        assert "Output units: softmax, with categorical cross-entropy" in lines[1]


CASES = [load_case(name) for name in case_names()]


@pytest.mark.parametrize(
    ("arguments", "is_wanted"),
    [
        (["--lecture", "KTH"], lambda case: any(each[:4] == "KTH-" for each in case.lectures)),
        (["--lecture", "kth-1"], lambda case: "KTH-1" in case.lectures),
        (
            ["--activation", "elu", "--activation", "selu"],
            lambda case: (
                isinstance(case, Case)
                and any(layer.activation in ("elu", "selu") for layer in case.network.layers)
            ),
        ),
        (
            ["--loss", "half_squared_error", "--lecture", "UIO", "--lecture", "LUMS-10"],
            lambda case: (
                isinstance(case, Case)
                and case.network.loss == "half_squared_error"
                and any(each == "LUMS-10" or each[:3] == "UIO" for each in case.lectures)
            ),
        ),
    ],
    ids=lambda arguments: "-".join(arguments) if isinstance(arguments, list) else "",
)
def test_filters(arguments: list[str], is_wanted: object) -> None:
    assert callable(is_wanted)
    wanted = {case.name for case in CASES if is_wanted(case)}
    assert 0 < len(wanted) < len(CASES)
    assert names(*arguments) == wanted


def test_nothing_has_all_of_it() -> None:
    assert call("--loss", "output", "--activation", "elu").output == "no case has all of this\n"


def test_unknown_names_are_told_at_once() -> None:
    result = call("--activation", "tahn", "--loss", "mean_square_error", "--lecture", "KHT-1")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: --activation: 'tahn' is not an activation; did you mean 'tanh'?",
        "Error: --loss: 'mean_square_error' is not a loss; did you mean 'mean_squared_error'?",
        "Error: --lecture: 'KHT-1' is not a lecture; did you mean 'KTH-1'?",
    ]
