"""What the README and docs/lecture-code.md show is what happens."""

from __future__ import annotations

import doctest
import html
import re
import runpy
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import shared.datasets
import shared.errors
import shared.quantities
from impl_numpy import FeedForward
from shared import Layer, Network, Training, Weights
from threeways.cli import main
from threeways.mistakes import MISTAKES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LECTURE_CODE = (ROOT / "docs" / "lecture-code.md").read_text(encoding="utf-8")


def blocks(language: str, page: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python", README + LECTURE_CODE))
def test_python(
    code: str, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    if re.search(r"^(import keras|from impl_(tf_lowlevel|keras))", code, re.MULTILINE):
        request.getfixturevalue("packages")
    exec(code, {})
    printed = re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == printed


@pytest.mark.usefixtures("packages")
def test_readme_case(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    (case,) = blocks("toml", README)
    path.write_text(case, encoding="utf-8")
    result = CliRunner().invoke(main, ["compare", str(path)])
    assert result.exit_code == 0, result.output


def test_readme_diagnosis() -> None:
    ((command, printed),) = re.findall(
        r"```\n\$ threeways (diagnose .*?)\n(.*?)```", README, re.DOTALL
    )
    assert CliRunner().invoke(main, shlex.split(command)).output == printed
    assert f"There are {len(MISTAKES)} known mistakes" in README


def test_conventions_of_optimizers_give_these_weights() -> None:
    page = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]*\| [^|]*\| (`.+) \| ([\d.]+) \|$", page, re.MULTILINE)
    assert len(rows) == 17
    for cell, printed in rows:
        settings = tomllib.loads("\n".join(re.findall(r"`([^`]+)`", cell)))
        layer = Layer(units=1, l2=settings.pop("l2", 0.0))
        network = Network(n_features=1, layers=(layer,), loss="mean_squared_error")
        net = FeedForward(network, (Weights(np.array([[2.0]]), np.array([0.0])),))
        for _ in range(3):
            step = net.step([[1.5]], [[1.0]], Training(learning_rate=0.01, **settings))
        assert f"{step.W_next[0][0, 0]:.7f}" == printed, cell


def texts(svg: str) -> str:
    """The text of a picture, without the numbers and elements that depend on the machine."""
    lines: dict[str, str] = {}
    for y, text in re.findall(r'<text [^>]*\by="([\d.]+)"[^>]*>(.*?)</text>', svg, re.DOTALL):
        lines[y] = lines.get(y, "") + " " + html.unescape(text).replace("\N{NO-BREAK SPACE}", " ")
    joined = "\n".join(" ".join(line.split()) for line in lines.values())
    joined = re.sub(r"\b(\w+\[\d\]\S*|loss|dx\[\S*)", "QUANTITY", joined)
    joined = re.sub(r"(?<=in )(mazur|diabetes)(?= \()", "CASE", joined)
    return re.sub(r"\b\d[\d.,e+-]*( [µm]s\b|\b)", "NUMBER", joined)


@pytest.mark.usefixtures("packages")
def test_the_picture_is_what_its_command_prints() -> None:
    """``python docs/picture.py`` draws it anew."""
    draw = runpy.run_path(str(ROOT / "docs" / "picture.py"))["draw"]
    picture = texts((ROOT / "docs" / "compare.svg").read_text(encoding="utf-8"))
    assert picture == texts(draw())
    assert "\nnumpy keras QUANTITY NUMBER NUMBER ok\n" in picture


@pytest.mark.parametrize("module", [shared.datasets, shared.errors, shared.quantities])
def test_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]
