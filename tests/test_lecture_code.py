"""docs/lecture-code.md says what the code says; tests/test_docs.py runs its examples."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from threeways.mistakes import MISTAKES

ROOT = Path(__file__).parent.parent
PACKAGES = ("impl_numpy", "impl_tf_lowlevel", "impl_keras")
PAGE = (ROOT / "docs" / "lecture-code.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[`(\w+)\.(\w+)`\]\(\.\./(\w+)/(\w+)\.py\)$")


def table_rows(header: str) -> list[list[str]]:
    """The cells of every row below this header, in all tables that have it."""
    tables = re.findall(rf"^{re.escape(header)}\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [row.strip("|").split("|") for table in tables for row in table.splitlines()]


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def code_of(module: Path, name: str) -> str:
    """The code of a module's function or table, as :func:`normal` has it."""
    statements: list[ast.stmt] = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            statements += node.body[1:] if ast.get_docstring(node) else node.body
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name:
            statements.append(node)
    return normal("\n".join(map(ast.unparse, statements)))


def normal(code: str) -> str:
    """Code without its white space and with one kind of quotation marks."""
    return "".join(code.split()).replace("'", '"')


def test_quoted_code_stands_where_the_page_says() -> None:
    rows = table_rows("| lecture | NumPy | low-level TensorFlow | Keras |")
    n_quoted = 0
    for _, *cells in rows:
        for package, cell in zip(PACKAGES, cells, strict=True):
            link = LINK.search(cell.strip())
            if link is None:
                assert not names_in(cell), cell  # words alone, "as above"
                continue
            module, name, linked_package, linked_module = link.groups()
            assert (linked_package, linked_module) == (package, module), cell
            code = code_of(ROOT / package / f"{module}.py", name)
            for quoted in names_in(cell[: link.start()]):
                assert normal(quoted) in code, f"{package}/{module}.py {name}: {quoted}"
                n_quoted += 1
    assert n_quoted > 100  # the tables were found


def test_names_of_the_page_are_those_of_the_code() -> None:
    packages = (*PACKAGES, "shared")
    modules = [path for package in packages for path in (ROOT / package).glob("*.py")]
    words = set(re.findall(r"\w+", " ".join(path.read_text(encoding="utf-8") for path in modules)))
    for _, ours, _ in table_rows("| lecture | here | |"):
        names = re.findall(r"\w+", " ".join(names_in(ours)))
        assert names
        assert words.issuperset(names), ours


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\((\.\./[^)]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link


def test_mistakes_of_the_page_are_in_the_catalogue() -> None:
    named = re.findall(r"\[([a-z-]+)\]\.", PAGE)
    assert named
    assert set(MISTAKES).issuperset(named)
