"""What a diagnosis answers: the candidates that fit the numbers, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shared.quantities import element
from threeways.mistakes.chance import UNLIKELY
from threeways.mistakes.given import Given
from threeways.mistakes.observations import Observation
from threeways.mistakes.steps import Numbers


@dataclass(frozen=True)
class Match:
    """How well one candidate's numbers fit the observed ones.

    Args:
        mistakes: names of the candidate's mistakes; empty for the correct step.
        agreed: how many of the observed numbers agree with the candidate's.
        observed: how many numbers were observed.
        digits: significant digits that agree, in the number that agrees least.
        numbers: every quantity of the candidate's last step.
    """

    mistakes: tuple[str, ...]
    agreed: int
    observed: int
    digits: float
    numbers: Numbers

    @property
    def fits(self) -> bool:
        """Whether every observed number agrees, and a mistake's to a digit at least."""
        return self.agreed == self.observed and (not self.mistakes or self.digits >= 1)


def match(observed: Sequence[Observation], names: tuple[str, ...], numbers: Numbers) -> Match:
    """How well the numbers of the mistakes of these names fit the observed ones."""
    compared = [each.compare(numbers) for each in observed]
    return Match(
        mistakes=names,
        agreed=sum(agrees for agrees, _ in compared),
        observed=len(observed),
        digits=min(digits for _, digits in compared),
        numbers=numbers,
    )


@dataclass(frozen=True)
class Diagnosis:
    """The candidates that explain the observed numbers, and those that come close.

    Args:
        matches: the candidates that fit every number, the closest first; only the correct step
            if that fits.
        runners_up: the best of the other single mistakes, if they come closer than the correct
            step does.
        observed: the numbers to explain.
        correct: how well the correct step fits them.
        chance: the probability that random numbers in place of the wrong ones would match one of
            the candidates that were tried.
        of_float32: True if the matches agree to float32's digits, and not to all that were given.
        with_pairs: False if pairs were not to be tried.
        given: the printed numbers in the order of the step, beside the right ones; empty for
            whole arrays.
        branches: where nothing fits all, what fits each part of it that departs by itself, if
            anything fits one.
        convention: the convention that makes the numbers, in a line; None if none was found.
        is_convention: whether it explains them, and no mistake has to.
    """

    matches: tuple[Match, ...]
    runners_up: tuple[Match, ...]
    observed: tuple[Observation, ...]
    correct: Match
    chance: float = 0.0
    of_float32: bool = False
    with_pairs: bool = True
    given: tuple[Given, ...] = ()
    branches: tuple[Branch, ...] = ()
    convention: str | None = None
    is_convention: bool = False

    @property
    def verdict(self) -> str:
        """What there is to say, in a word or two.

        ``"correct"``, ``"convention"``, ``"known"``, ``"not unique"``, ``"possible"``,
        ``"partly known"``, where there are branches, or ``"none known"``.

        A match, unique or not, is no more than possible where chance may well have made it.
        """
        if self.is_convention:
            return "convention"
        if not self.matches:
            return "partly known" if self.branches else "none known"
        if not self.matches[0].mistakes:
            return "correct"
        if self.chance >= UNLIKELY:
            return "possible"
        return "known" if len(self.matches) == 1 else "not unique"

    @property
    def telling(self) -> tuple[str, bool] | None:
        """The number that tells most of the matches apart, and whether it tells all of them apart.

        None if no number of the step does.
        """
        best, most = None, 1
        for name in self.matches[0].numbers if self.matches else ():
            values = np.array([match.numbers[name].ravel() for match in self.matches], float)
            with np.errstate(all="ignore"):
                values = np.sort(np.nan_to_num(values), axis=0)
                apart = np.diff(values, axis=0) > 1e-3 * np.abs(values).max(axis=0)
            distinct = 1 + apart.sum(axis=0)
            if distinct.max() > most:
                most = int(distinct.max())
                shape = self.matches[0].numbers[name].shape
                index = np.unravel_index(int(distinct.argmax()), shape)
                best = element(name, tuple(map(int, index)))
        return None if best is None else (best, most == len(self.matches))

    def of(self, matches: Sequence[Match]) -> Diagnosis:
        """The same diagnosis with some of its matches alone."""
        return replace(self, matches=tuple(matches))


@dataclass(frozen=True)
class Branch:
    """A part of a step that departs by itself.

    Args:
        firsts: the quantities that depart first.
        diagnosis: of these, and of what follows from them alone.
    """

    firsts: tuple[str, ...]
    diagnosis: Diagnosis
