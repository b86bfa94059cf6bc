"""``python -m benchmarks.mutations``: which changes of the NumPy formulas ``compare`` notices.

Each constant, operator, comparison, function call and statement of the files below is changed, one
at a time, and the changed package makes all steps that ``compare`` makes. A change is caught where
one of them raises or is further from the exact step than its bound. What is not caught has to be
equivalent: on the list below, with the reason.
"""

from __future__ import annotations

import ast
import copy
import importlib.abc
import importlib.util
import multiprocessing
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.progress import track

import impl_numpy
from shared import DTYPES, Array, Case, ChainRuleCase, case_names, load_case
from threeways.compare import exact_steps
from threeways.exact.bounds import bounds
from threeways.exact.judge import from_exact
from threeways.exact.oracle import Exact
from threeways.implementations import timed_steps

FOLDER = Path(impl_numpy.__file__).parent
FILES = (
    "activations",
    "losses",
    "optimizers",
    "update_rules",
    "regularisation",
    "perceptron",
    "feedforward",
)

OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
# Functions by others of the same arguments.
FUNCTIONS = {
    "exp": "expm1",
    "expm1": "exp",
    "log": "log1p",
    "log1p": "log",
    "maximum": "minimum",
    "minimum": "maximum",
    "max": "min",
    "min": "max",
    "sum": "mean",
    "mean": "sum",
    "sqrt": "square",
    "cos": "sin",
    "zeros_like": "ones_like",
    "sign": "abs",
    "tanh": "sin",
}


# Changes that leave every number as it is, or as exact: where, and what stands there then.
SAME_AT_0 = "both sides of the kink have the same value at 0"
NOT_TAKEN = "np.where takes the other side there; z is cut off so that nothing overflows and warns"
AS_EXACT = (
    "log_sum_exp shifts by the maximum itself; this shift keeps exponents short, and these do"
)
ONE_LAYER = "a perceptron has one layer, which is the first and the last"
EQUIVALENT = {
    ("activations.leaky_relu", "z >= 0"): SAME_AT_0,
    ("activations.elu", "z >= 0"): SAME_AT_0,
    ("activations.elu", "expm1(z)"): NOT_TAKEN,
    ("activations.elu", "np.minimum(z, 1)"): NOT_TAKEN,
    ("activations.elu_backward", "exp(z)"): NOT_TAKEN,
    ("activations.elu_backward", "np.minimum(z, 1)"): NOT_TAKEN,
    ("activations.selu_backward", "exp(z)"): NOT_TAKEN,
    ("activations.selu_backward", "np.minimum(z, 1)"): NOT_TAKEN,
    ("losses.softmax_binary_crossentropy", "z + z.max(axis=1, keepdims=True)"): AS_EXACT,
    ("losses.softmax_binary_crossentropy", "z - z.min(axis=1, keepdims=True)"): AS_EXACT,
    ("losses.softmax_binary_crossentropy_backward", "z - z.min(axis=1, keepdims=True)"): AS_EXACT,
    ("losses.softmax_binary_crossentropy", "[..., -1]"): "that axis is 1 long",
    ("optimizers.apply", "strict=False"): "there are as many gradients as variables",
    ("optimizers.__init__", "training.clip or ('', -0.0)"): "without a clip its size is not used",
    ("optimizers.learning_rate", "and training.decay_rate"): "no case has a power that overflows",
    ("optimizers.learning_rate", "training.decay_steps or 2"): "without steps nothing decays",
    ("update_rules.global_clipnorm", "norm >= most"): "a gradient of just that norm is scaled by 1",
    ("perceptron.input_gradient", "dz[-1]"): ONE_LAYER,
    ("perceptron.input_gradient", "self.W[-1]"): ONE_LAYER,
}


@dataclass(frozen=True)
class Mutant:
    """A file of impl_numpy with one change.

    Args:
        file: its name, without ``.py``.
        function: in which the change is.
        before, after: the statement that it is in.
        source: of the changed file.
    """

    file: str
    function: str
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.file}.{self.function}: {self.before}  →  {self.after}"

    @property
    def equivalent(self) -> str:
        """Why no step can tell it from the formula; "" if one should."""
        place = f"{self.file}.{self.function}"
        why = (
            why
            for (where, there), why in EQUIVALENT.items()
            if place == where and there in self.after and there not in self.before
        )
        return next(why, "")


def mutants(file: str) -> Iterator[Mutant]:
    """The changed versions of a file, one change each."""
    tree = ast.parse((FOLDER / f"{file}.py").read_text(encoding="utf-8"))
    bodies = [("constants", [each for each in tree.body if _is_constant(each)])]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    bodies += [(function.name, function.body) for function in functions]
    for name, body in bodies:
        for statement in _statements(body):
            for part in _computing_parts(statement):
                for changed in _changes(part):
                    if ast.unparse(changed) == ast.unparse(part):
                        continue
                    copies: dict[int, Any] = {}
                    whole = copy.deepcopy(tree, copies)
                    line = copies[id(statement)]
                    whole = _Replace(copies[id(part)], changed).visit(whole)
                    after = changed if part is statement else line
                    source = ast.unparse(ast.fix_missing_locations(whole))
                    yield Mutant(file, name, _line(statement), _line(after), source)


def _is_constant(statement: ast.stmt) -> bool:
    """Whether a statement gives a number its name, ``SELU_SCALE = 1.05…``."""
    return isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)


def _line(node: ast.AST) -> str:
    """A statement's own line, without those within it."""
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).partition("\n")[0]


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, those within others after them; without docstrings."""
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if isinstance(statement, ast.FunctionDef):
            continue
        yield statement
        for inner in ("body", "orelse"):
            yield from _statements(getattr(statement, inner, []))
        for case in getattr(statement, "cases", []):
            yield from _statements(case.body)


def _computing_parts(statement: ast.stmt) -> Iterator[ast.AST]:
    """The parts of a statement that compute, itself included, without statements within it."""
    parts: list[ast.AST] = [statement]
    while parts:
        part = parts.pop(0)
        yield part
        parts += [
            child
            for child in ast.iter_child_nodes(part)
            if not isinstance(child, ast.stmt | ast.match_case | ast.expr_context)
        ]


def _changes(part: ast.AST) -> Iterator[ast.AST]:
    match part:
        case ast.Constant(value=bool()):
            yield ast.Constant(not part.value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value=float(value)):
            yield from (ast.Constant(value * 1.001), ast.Constant(-value))
        case ast.BinOp(left, op, right):
            yield from (ast.BinOp(left, each(), right) for each in OPERATORS[type(op)])
        case ast.AugAssign(target, op, value):
            yield from (ast.AugAssign(target, each(), value) for each in OPERATORS[type(op)])
            yield ast.Pass()
        case ast.Compare(left, [op], right):
            yield from (ast.Compare(left, [each()], right) for each in OPERATORS[type(op)])
        case ast.UnaryOp(ast.USub(), operand):
            yield operand
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Call(ast.Attribute(value, str(name)) as function, arguments, keywords):
            if name in FUNCTIONS:
                other = ast.Attribute(value, FUNCTIONS[name], function.ctx)
                yield ast.Call(other, arguments, keywords)
            if arguments:
                yield arguments[0]
        case ast.Expr(ast.Call()):
            yield ast.Pass()


class _Replace(ast.NodeTransformer):
    """Puts another node in the place of one."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


class _Source(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds one module in a text, as its file would hold it."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def get_source(self, fullname: str) -> str:
        return self.source


@contextmanager
def changed_package(mutant: Mutant) -> Iterator[ModuleType]:
    """impl_numpy with the change, beside the one that everything else goes on using."""
    own = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_numpy(name)}
    finder = _Source(f"impl_numpy.{mutant.file}", mutant.source)
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module("impl_numpy")
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_numpy(name)]:
            del sys.modules[name]
        sys.modules.update(own)


def _is_numpy(name: str) -> bool:
    return name.partition(".")[0] == "impl_numpy"


@cache
def steps() -> list[tuple[Case | ChainRuleCase, Exact, dict[str, Array]]]:
    """Every step that ``compare`` makes, with its exact numbers and their bounds."""
    found: list[tuple[Case | ChainRuleCase, Exact, dict[str, Array]]] = []
    for name in case_names():
        for dtype in DTYPES:
            for case, exact in exact_steps(load_case(name), dtype):
                if isinstance(case, Case):
                    found.append((case, exact, bounds(case, exact.values)))
    return found


def caught(mutant: Mutant) -> str:
    """The first step that a changed package gets wrong or raises in; "" if there is none."""
    with changed_package(mutant) as package, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case, exact, allowed in steps():
            try:
                (made,) = timed_steps([case], {"numpy": package})
            except Exception as error:
                return f"{case.name}: {type(error).__name__}"
            numbers, _ = made["numpy"]
            for quantity, difference in from_exact(numbers, exact, allowed).items():
                if numbers[quantity].dtype != case.dtype or not (difference.shares <= 1).all():
                    return f"{case.name} {case.dtype}: {quantity}"
    return ""


def main() -> int:
    """Count what is caught, and list what is not."""
    every = [mutant for file in FILES for mutant in mutants(file)]
    if step := caught(Mutant("losses", "", "", "", (FOLDER / "losses.py").read_text())):
        print(f"without any change: {step}")
        return 1
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        found = list(track(pool.imap(caught, every, chunksize=8), "changes", total=len(every)))
    uncaught = [mutant for mutant, step in zip(every, found, strict=True) if not step]
    missed = [mutant for mutant in uncaught if not mutant.equivalent]
    n_equivalent = len(uncaught) - len(missed)
    print(f"{len(every)} changes: {len(every) - len(uncaught)} caught, {n_equivalent} equivalent")
    for mutant in uncaught:
        print(f"{mutant}\n    {mutant.equivalent or 'MISSED'}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
