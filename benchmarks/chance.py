"""``python -m benchmarks.chance``: how often random numbers are taken for a known mistake.

The numbers are drawn within 50 % of the right one and printed with a few digits. Whoever has made
none of the catalogue's mistakes should hardly ever be told of one.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator

import numpy as np

from shared import Case, load_case
from shared.quantities import parse_element
from shared.sources import sources
from threeways.exact.bounds import bounds
from threeways.exact.oracle import exact_step
from threeways.mistakes.candidates import Candidates
from threeways.mistakes.matches import match
from threeways.mistakes.observations import printed
from threeways.mistakes.search import search
from threeways.mistakes.steps import Numbers, numbers_of

# The elements in whose place numbers are drawn.
ELEMENTS = {
    "mazur": ("dW[1][0,0]", "W_next[1][0,0]", "loss"),
    "uio-10-delta": ("dW[0][0,0]", "db[0][0]", "loss"),
    "uio-9-buildings": ("dW[0][0,0]", "W_next[1][0,0]"),
}
DIGITS = (3, 4, 5, 6)


class Remembered(Candidates):
    """Candidates that make each step only once."""

    together = functools.cache(Candidates.together)


class Draws:
    """Random numbers in place of elements of a case's first step.

    Args:
        name: the name of the case.
    """

    def __init__(self, name: str) -> None:
        case = load_case(name)
        assert isinstance(case, Case)
        self.case = case.prepared()
        self.right = exact_step(self.case).values
        self.allowed = bounds(self.case, self.right)
        self.candidates = Remembered(self.make)

    def make(self, kind: type) -> Numbers:
        """The step that a kind of network makes."""
        return numbers_of(kind, self.case)

    def verdicts(self, element: str, digits: int, n_draws: int, seed: int = 1) -> Counter[str]:
        """How often each verdict is given on numbers of so many digits."""
        quantity, index = parse_element(element)
        centre = float(self.right[quantity][index])
        direct = sources(self.case.network, self.case.training)
        given: Counter[str] = Counter()
        for draw in np.random.default_rng(seed).uniform(0.5, 1.5, n_draws) * centre:
            values = {element: f"{draw:.{digits - 1}e}"}
            observed = printed(self.case, values, self.right, self.allowed)
            if match(observed, (), self.right).fits:
                given["correct"] += 1
            else:
                given[search(observed, self.right, self.candidates, direct).verdict] += 1
        return given


def rates(n_draws: int) -> Iterator[tuple[int, Counter[str]]]:
    """How often each verdict is given, by the digits that are printed."""
    draws = {name: Draws(name) for name in ELEMENTS}
    for digits in DIGITS:
        given: Counter[str] = Counter()
        for name, elements in ELEMENTS.items():
            for element in elements:
                given += draws[name].verdicts(element, digits, n_draws)
        yield digits, given


if __name__ == "__main__":
    print("digits   known  possible  none known  correct")
    for digits, given in rates(400):
        known = given["known"] + given["not unique"]
        shares = [each / given.total() for each in (known, given["possible"])]
        rest = [given[each] / given.total() for each in ("none known", "correct")]
        print(f"{digits:6} {shares[0]:7.2%} {shares[1]:9.2%} {rest[0]:11.2%} {rest[1]:8.2%}")
