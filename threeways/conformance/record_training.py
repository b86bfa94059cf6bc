"""The training of a recorded step: what its test says, or else its group."""

from __future__ import annotations

import dataclasses
from typing import Any

from shared import OPTIMIZERS, InputError, Training
from threeways.conformance.record_tables import GroupTable, TestTable

# What a step needs that records no update.
NO_UPDATE = Training(learning_rate=1.0)


def training_of(group: GroupTable, group_at: str, test: TestTable, at: str) -> Training | None:
    """The training of a test; None if neither the test nor its group gives any.

    Args:
        group, group_at: the group, and its path in the file, for messages.
        test, at: the test, and its path.

    Raises:
        InputError: a hyperparameter is missing or wrong, or the learning rate is given twice, and
            not the same.
    """
    training, learning_rate = group.training, group.learning_rate
    if training:
        _check_same_rate(training, learning_rate, group_at)
    elif learning_rate is not None:
        training = Training(learning_rate=learning_rate)
    if test.training is not None:
        whole = "optimizer" in test.training or training is None
        given: dict[str, Any] = {} if whole else _given(training)
        if training:
            given.setdefault("learning_rate", training.learning_rate)
        try:
            training = Training(**given | test.training)
        except InputError as error:
            raise error.within(f"{at}.training: ") from None
    if test.training is None and group.training is None and test.learning_rate is not None:
        training = Training(learning_rate=test.learning_rate)
    if training:
        _check_same_rate(training, test.learning_rate, at)
        _check_complete(training, group_at if test.training is None else at)
    return training


def _given(training: Training | None) -> dict[str, Any]:
    """The fields of a training that are not left out."""
    fields = dataclasses.fields(Training)
    values = {field.name: getattr(training, field.name) for field in fields}
    return {name: value for name, value in values.items() if value is not None}


def _check_same_rate(training: Training, learning_rate: float | None, at: str) -> None:
    """Raise :class:`InputError` for a learning rate beside a training that has another."""
    if learning_rate not in (None, training.learning_rate):
        other = training.learning_rate
        raise InputError(f"{at}.learning_rate: {learning_rate} is not that of training, {other}")


def _check_complete(training: Training, at: str) -> None:
    """Raise :class:`InputError` for hyperparameters that are left out."""
    lacking = [
        f"{at}.training: {name!r} is missing; {training.optimizer!r} has no default in a record"
        for name in OPTIMIZERS[training.optimizer].hyperparameters
        if getattr(training, name) is None
    ]
    if lacking:
        raise InputError(*lacking)
