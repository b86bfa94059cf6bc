"""How a wrong array relates to the right one, in words that a student can act on."""

from __future__ import annotations

import math

import numpy as np

from shared import Array, Case
from threeways.exact.judge import Difference


def relation(wrong: Difference, case: Case) -> str | None:
    """How an array relates to the right one, in a few words; None where nothing simple fits.

    Args:
        wrong: the array and the right one.
        case: whose step it is, for the numbers that a factor may be.
    """
    a, b = wrong.a.astype(float), wrong.b
    if not np.isfinite(a).all() or a.size == 0 or not b.any():
        return None
    size = float(np.abs(b).max())
    allowed = np.maximum(wrong.allowed, float(wrong.allowed.max()))

    def equal(one: Array, other: Array, scale: float = 1.0) -> bool:
        return bool((np.abs(one - other) <= scale * allowed).all())

    if not a.any():
        return "all zeros"
    if equal(a, np.zeros_like(a)):
        return "all zeros, but for rounding"
    if equal(a, -b):
        return "its sign is flipped"
    if (factor := common_factor(a, b, allowed)) is not None:
        return times(factor, case, 4 * float(allowed.max()) / size, a.size == 1)
    if a.ndim == 2 and a.shape[0] == a.shape[1] > 1 and equal(a, b.T):
        return "it is the transpose of what it should be"
    if a.ndim == 2 and len(a) > 1:
        same = (np.abs(a - b) <= allowed).all(axis=1)
        zero = ~a.any(axis=1) & b.any(axis=1)
        if (same | zero).all() and zero.any():
            rows = np.flatnonzero(zero).tolist()
            if same.sum() == 1:
                return f"only row {np.flatnonzero(same)[0]} is there, the others are zero"
            many = len(rows) > 1
            return f"row{'s' * many} {_rows(rows)} {'are' if many else 'is'} missing (zero)"
        order = [_row_like(row, b, allowed) for row in a]
        if None not in order and len({*order}) == len(a):
            return "its rows are in another order"
        if a.shape[1] > 1:
            order = [_row_like(row, b.T, allowed.T) for row in a.T]
            if None not in order and len({*order}) == len(a.T):
                return "its columns are in another order"
    off = a - b
    if (
        a.size > 2
        and equal(off, off.flat[0] * np.ones_like(off), 2)
        and abs(off.flat[0]) < 1e3 * size
    ):
        return f"right up to a constant: {off.flat[0]:+.6g} everywhere"
    return None


def relation_of_update(wrong: Difference, start: Array, case: Case) -> str | None:
    """How far a parameter is moved, beside how far it should be; None where nothing simple fits.

    Args:
        wrong: the parameter after the update, and the right one.
        start: it before the update.
        case: whose step it is.
    """
    a, b = wrong.a.astype(float) - start, wrong.b - start
    if not np.isfinite(a).all() or a.size == 0 or not b.any():
        return None
    largest = float(wrong.allowed.max())
    allowed = np.maximum(wrong.allowed, largest)
    if (np.abs(a) <= allowed).all():
        return "it is not updated"
    factor = common_factor(a, b, allowed)
    if factor is None:
        return None
    if math.isclose(factor, -1, rel_tol=1e-3):
        return "its update has its sign flipped"
    words = times(factor, case, 4 * largest / float(np.abs(b).max()), a.size == 1)
    training = case.training
    if words and training.optimizer == "sgd" and training.schedule == "constant" and factor > 0:
        words += f", as with a learning rate of {factor * training.learning_rate:.6g}"
    return words and f"its update is {words}"


def penalty(wrong: Difference, quantity: str, case: Case) -> str | None:
    """What a gradient is too much by, if that is a multiple of its weights, in a few words."""
    name, _, number = quantity.rstrip("]").partition("[")
    if name != "dW":
        return None
    W = case.parameters[int(number)].W
    if W.size == 1 or W.shape != wrong.a.shape or not W.any() or not np.isfinite(wrong.a).all():
        return None
    factor = common_factor(wrong.a - wrong.b, W, wrong.allowed + wrong.allowed.max())
    if factor is None:
        return None
    return f"right but for {factor:+.6g} {quantity[1:]}, as of a penalty or weight decay"


def common_factor(a: Array, b: Array, allowed: Array) -> float | None:
    """The factor c with a = c b within rounding, taken at the largest number of b; or None."""
    at = np.unravel_index(np.abs(b).argmax(), b.shape)
    factor = float(a[at] / b[at])
    if not factor or not math.isfinite(factor):
        return None
    fits = (np.abs(a - factor * b) <= 2 * max(abs(factor), 1) * allowed).all()
    return factor if fits else None


def times(factor: float, case: Case, error: float, is_scalar: bool) -> str | None:
    """A factor in words, with what it may be: ``32 times too large (N = 32)``.

    Args:
        factor: the factor.
        case: whose step it is.
        error: how far the factor may be off, as a share of it.
        is_scalar: whether it is that of a single number, which is always some factor of another:
            then only one with a name, or a whole one, is worth saying.
    """
    large = max(abs(factor), 1 / abs(factor))
    whole = round(large)
    named = names_of(abs(factor), case, error)
    if not named and not (1 < whole <= 1000 and math.isclose(large, whole, rel_tol=error)):
        return None if is_scalar else f"{factor:.6g} times what it should be"
    text = f"{large:.6g} times too {'large' if abs(factor) > 1 else 'small'}"
    text += f" ({', '.join(named)})" if named else ""
    return text if factor > 0 else f"{text}, and its sign is flipped"


def names_of(factor: float, case: Case, error: float) -> list[str]:
    """What a factor of a gradient or a loss may be in a case, each with its value."""
    N, D = len(case.first_batch()[0]), case.network.widths
    K, eta = D[-1], case.training.learning_rate
    counts = {f"N = {N}": N, f"K = {K}": K, f"N K = {N * K}": N * K if N > 1 < K else 1}
    widths = {f"D[{l}] = {width}": width for l, width in enumerate(D[:-1])}

    def is_(number: float) -> bool:
        return math.isclose(factor, number, rel_tol=error)

    def are(numbers: dict[str, int]) -> list[str]:
        return [name for name, n in numbers.items() if n > 1 and (is_(n) or is_(1 / n))]

    found = are(counts) + (["½"] if is_(2) or is_(0.5) else [])
    if is_(eta):
        found.append(f"η = {eta:g}")
    elif is_(1 / eta):
        found.append(f"1/η, η = {eta:g}")
    ratios = {f"N/D[{l}] = {N}/{width}": N / width for l, width in enumerate(D) if width > 1}
    return found or are(widths) or [name for name, ratio in ratios.items() if N > 1 and is_(ratio)]


def _row_like(row: Array, rows: Array, allowed: Array) -> int | None:
    """The first of some rows that equals this one."""
    (equal,) = np.nonzero((np.abs(rows - row) <= allowed.max()).all(axis=1))
    return int(equal[0]) if len(equal) else None


def _rows(rows: list[int]) -> str:
    shown = ", ".join(map(str, rows[:4]))
    return shown if len(rows) <= 4 else f"{shown} and {len(rows) - 4} more"
