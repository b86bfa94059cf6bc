"""The shape of the house: three mirror images, and imports that point downward."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parent.parent
IMPLEMENTATIONS = ("impl_numpy", "impl_tf_lowlevel", "impl_keras")
MIRRORED = {
    "__init__.py",
    "activations.py",
    "chain_rule.py",
    "feedforward.py",
    "losses.py",
    "model.py",
    "optimizers.py",
    "perceptron.py",
    "regularisation.py",
    "update_rules.py",
}
CONTRACT = ("parameters", "load", "predict", "evaluate", "forward", "backward", "step", "fit")
OPTIMIZER = ("slots", "steps", "restore")


def files(package: str) -> set[str]:
    return {path.name for path in (ROOT / package).glob("*.py")}


def public(module: ModuleType) -> dict[str, str]:
    """The signature of every public name, and of the methods of a class."""
    signatures = {}
    for name in module.__all__:
        thing = getattr(module, name)
        if isinstance(thing, dict):
            signatures[name] = ", ".join(thing)
        else:
            signatures[name] = str(inspect.signature(thing))
        if inspect.isclass(thing):
            for method in OPTIMIZER if name == "Optimizer" else CONTRACT:
                member = inspect.getattr_static(thing, method)
                function: Any = member.fget if isinstance(member, property) else member
                signatures[f"{name}.{method}"] = str(inspect.signature(function))
    return signatures


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("other", IMPLEMENTATIONS[1:])
def test_implementations_mirror_each_other(other: str) -> None:
    assert files(other) & files("impl_numpy") == MIRRORED
    for file in MIRRORED:
        name = "" if file == "__init__.py" else f".{file.removesuffix('.py')}"
        mine = importlib.import_module(f"impl_numpy{name}")
        theirs = importlib.import_module(f"{other}{name}")
        assert theirs.__all__ == mine.__all__, file
        assert public(theirs) == public(mine), file


def test_imports_point_downward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0


@pytest.mark.parametrize(
    "code",
    [
        "import shared; [shared.load_case(name) for name in shared.case_names()]",
        "import impl_numpy, impl_numpy.chain_rule",
        "from threeways.cli import main; main(['--help'], standalone_mode=False)",
        "from threeways.cli import main; main(['compare', 'mazur', '--implementations', 'numpy'])",
        "from threeways.cli import main; main(['train', 'uio-1-or', '--implementations', 'numpy'])",
        "from threeways.cli import main; main(['cases'])",
    ],
)
def test_frameworks_load_only_when_used(code: str) -> None:
    """As on a Python that has neither: importing one would fail."""
    absent = "import sys; sys.modules.update(tensorflow=None, keras=None)\n"
    run = subprocess.run([sys.executable, "-c", absent + code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_help_does_not_load_numpy() -> None:
    code = (
        "import sys\nfrom threeways.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "assert not {'numpy', 'pydantic', 'rich'} & sys.modules.keys()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_every_package_is_typed() -> None:
    for package in ("threeways", "shared", *IMPLEMENTATIONS):
        assert (ROOT / package / "py.typed").is_file()


def test_a_package_index_shows_no_links_into_the_repository() -> None:
    """What the wheel's description replaces, and that no other link is left in it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    hook = project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for each in hook["substitutions"]:
        text = re.sub(each["pattern"], each["replacement"], text)
    assert re.findall(r"\]\((?!https?://)", text) == []
    assert "`threeways/mistakes`, counting" in text


def test_citation_has_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {project['version']}\n" in citation
