"""What judges does not lean on what it judges: a changed formula of impl_numpy is caught."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import impl_numpy
from benchmarks.mutations import FILES, Mutant, caught, mutants

# ``python -m benchmarks.mutations`` tries every change, the tests one in so many.
ONE_IN = 11


def changed(file: str, old: str, new: str) -> Mutant:
    source = (Path(impl_numpy.__file__).parent / f"{file}.py").read_text(encoding="utf-8")
    assert old in source
    return Mutant(file, "", old, new, source.replace(old, new))


@pytest.mark.parametrize("file", FILES)
def test_changes_are_caught(file: str) -> None:
    chosen = [mutant for mutant in mutants(file) if not mutant.equivalent][::ONE_IN]
    assert chosen
    assert [str(mutant) for mutant in chosen if not caught(mutant)] == []


def test_a_wrong_constant_does_not_widen_its_own_bound() -> None:
    assert "a[1]" in caught(changed("activations", "1.7159 * np.tanh(", "1.7 * np.tanh("))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("update_rules", "    v *= momentum\n", ""),
        ("update_rules", "beta_2 ** (t + 1)", "beta_2 ** 1"),
        ("optimizers", "t // steps if training.has_stairs else t / steps", "t / steps"),
        ("optimizers", "self.t += 1", "self.t += 0"),
    ],
    ids=["momentum-lost", "correction-without-its-power", "steps-not-whole", "steps-not-counted"],
)
def test_what_shows_only_in_later_steps_is_caught(file: str, old: str, new: str) -> None:
    assert caught(changed(file, old, new))


def test_what_changes_nothing_is_not_caught() -> None:
    nothing = changed("activations", "1.7159 * np.tanh(", "(1.7159) * np.tanh(")
    assert caught(nothing) == ""
    assert nothing.equivalent == ""
    at_0 = dataclasses.replace(nothing, function="elu", before="z > 0", after="z >= 0")
    assert at_0.equivalent
