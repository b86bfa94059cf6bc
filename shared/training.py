"""The hyperparameters of a training run, and the rows, batches and masks that follow from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
from annotated_types import Gt

from shared.arrays import Array
from shared.augmentation import Augmentation, augment
from shared.datasets import Dataset
from shared.errors import InputError, checked, unknown
from shared.fields import (
    Flag,
    NaturalInt,
    NotNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Share,
    Text,
    one_of,
)
from shared.network import Network
from shared.optimizers import CLIPS, OPTIMIZERS, SCHEDULES, STAIRCASES

# The hyperparameters of all optimizers, each once, and of all schedules.
_OWN = tuple({name: None for rule in OPTIMIZERS.values() for name in rule.hyperparameters})
# The hyperparameter that any optimizer may have; it is no argument of an update rule.
_OF_ANY = "weight_decay"
_DECAY = ("decay_rate", "decay_steps", "decay_epochs", "staircase")
# The fields of a run of many steps, which say nothing about a step.
_OF_RUN = ("epochs", "batch_size", "seed", "validation", "patience", "augmentation")
# Part of the seed of dropout masks, so that they do not depend on the order of the rows.
_DROPOUT = 1


@checked
class Training:
    """Gradient descent, a batch at a time.

    Args:
        learning_rate: η, or its initial value where a schedule changes it.
        optimizer: one of ``OPTIMIZERS``; "sgd", w ← w − η ∂loss/∂w, unless given.
        momentum, dampening, initial_accumulator, rho, beta_1, beta_2, epsilon: the optimizer's
            hyperparameters; its defaults unless given.
        epsilon_placement: where ε is added: "inside_root", √(s + ε), "outside_root", √s + ε, or
            for Adam "corrected_root", √ŝ + ε; where Keras adds it unless given.
        weight_decay: λ of the weight decay, w ← w − ηλw before each step, of weights and biases
            alike, as in Keras and in PyTorch's AdamW (Loshchilov & Hutter 2019); 0 unless given,
            0.004 for "adamw". It is no part of the loss or of its gradients, as ``l2`` is.
        clipvalue, clipnorm, global_clipnorm: c, to which the update clips what it takes for the
            gradients, penalties included; at most one of the three. ``clipvalue`` limits each
            number g to ±c; ``clipnorm`` scales the gradient of each W and of each b to g·c/‖g‖
            where its Euclidean norm ‖g‖ exceeds c; ``global_clipnorm`` does so with all of them as
            one vector, without what is frozen (Pascanu et al. 2013). dW and db in a trace are
            before clipping.
        schedule: one of ``SCHEDULES``, by which η depends on t, the number of steps made before:
            "step" is η·decay_rate^⌊t/decay_steps⌋, "exponential" η·decay_rate^(t/decay_steps),
            "inverse_time" η / (1 + decay_rate·t/decay_steps), and "cosine" η·½(1 + cos πt/T) until
            T = decay_steps, then 0.
        decay_rate, decay_steps: the schedule's hyperparameters.
        decay_epochs: decay_steps in epochs: 1 is as many steps as an epoch has.
        staircase: whether "exponential" or "inverse_time" has ⌊t/decay_steps⌋ for t/decay_steps, so
            that η changes only after every decay_steps; false unless given.
        epochs: passes over the data.
        batch_size: rows in a batch (the last of an epoch may have fewer); all rows unless given.
        seed: the seed of the order of the rows, drawn anew each epoch (their own order unless
            given), of dropout, and of the choice of rows for validation (0 unless given).
        validation: the share of the rows that is held back to validate each epoch, in (0, 1).
        patience: the number of epochs without a lower validation loss after which training stops
            early, with the parameters of the best epoch (EPITA-11).
        augmentation: alterations of the images that it trains on (EPITA-9).

    Raises:
        InputError: an unknown optimizer or schedule, a hyperparameter that it does not have or
            lacks, or a number out of its range.
    """

    learning_rate: PositiveFloat
    optimizer: Annotated[Text, one_of("an optimizer", OPTIMIZERS)] = "sgd"
    momentum: Share | None = None
    dampening: Share | None = None
    initial_accumulator: NotNegativeFloat | None = None
    rho: Share | None = None
    beta_1: Share | None = None
    beta_2: Share | None = None
    epsilon: PositiveFloat | None = None
    epsilon_placement: Text | None = None
    weight_decay: NotNegativeFloat | None = None
    clipvalue: PositiveFloat | None = None
    clipnorm: PositiveFloat | None = None
    global_clipnorm: PositiveFloat | None = None
    schedule: Annotated[Text, one_of("a schedule", SCHEDULES)] = "constant"
    decay_rate: PositiveFloat | None = None
    decay_steps: PositiveInt | None = None
    decay_epochs: PositiveInt | None = None
    staircase: Flag | None = None
    epochs: PositiveInt = 1
    batch_size: PositiveInt | None = None
    seed: NaturalInt | None = None
    validation: Annotated[Share, Gt(0)] | None = None
    patience: PositiveInt | None = None
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        given = [name for name in (*_OWN, *_DECAY) if getattr(self, name) is not None]
        for kind, names, has in (
            (self.optimizer, _OWN, OPTIMIZERS[self.optimizer].hyperparameters),
            (self.schedule, _DECAY, self._options_of_schedule),
        ):
            for name in names:
                if name in given and name not in has and name != _OF_ANY:
                    raise ValueError(f"{name}: {kind!r} has none")
        places = OPTIMIZERS[self.optimizer].epsilon_placements
        if self.epsilon_placement is not None and self.epsilon_placement not in places:
            hint = f"{self.optimizer!r} has none"
            if places:
                kind = f"a placement of {self.optimizer}'s ε"
                hint = unknown(self.epsilon_placement, kind, places)
            raise ValueError(f"epsilon_placement: {hint}")
        clips = [name for name in CLIPS if getattr(self, name) is not None]
        if len(clips) > 1:
            raise ValueError(f"{' and '.join(clips)}: give one of them")
        if self.decay_steps and self.decay_epochs:
            raise ValueError("decay_steps and decay_epochs: give one of them")
        for name in SCHEDULES[self.schedule]:
            if name not in given and not (name == "decay_steps" and self.decay_epochs):
                raise ValueError(f"{name}: is missing, {self.schedule!r} needs it")
        if self.patience and not self.validation:
            raise ValueError("patience: early stopping needs validation, a share of the rows")

    @cached_property
    def hyperparameters(self) -> dict[str, float]:
        """The optimizer's hyperparameters by name, each as given or else its default."""
        return {
            name: default if getattr(self, name) is None else getattr(self, name)
            for name, default in OPTIMIZERS[self.optimizer].hyperparameters.items()
        }

    @property
    def of_step(self) -> dict[str, Any]:
        """The fields that a step depends on, by name: those that are given, and all defaults."""
        names = [field.name for field in dataclasses.fields(Training) if field.name not in _OF_RUN]
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        return given | self.hyperparameters | self._placement

    @property
    def decay(self) -> float:
        """λ of the weight decay; 0 without any."""
        return self.hyperparameters.get(_OF_ANY, self.weight_decay or 0.0)

    @property
    def clip(self) -> tuple[str, float] | None:
        """The way in which gradients are clipped, one of ``CLIPS``, and its c; None if none is."""
        given = [(name, getattr(self, name)) for name in CLIPS if getattr(self, name) is not None]
        return given[0] if given else None

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the optimizer's slots, the numbers it keeps for each weight and bias."""
        return OPTIMIZERS[self.optimizer].slots

    @property
    def initial_slots(self) -> float:
        """The initial value of every slot."""
        name = OPTIMIZERS[self.optimizer].initial_slots
        return self.hyperparameters[name] if name else 0.0

    @cached_property
    def rule_arguments(self) -> dict[str, Any]:
        """The hyperparameters that the optimizer's rule takes, and where it adds ε."""
        others = OPTIMIZERS[self.optimizer].initial_slots, _OF_ANY
        own = {name: value for name, value in self.hyperparameters.items() if name not in others}
        return own | self._placement

    @property
    def _options_of_schedule(self) -> tuple[str, ...]:
        names = SCHEDULES[self.schedule]
        names += ("decay_epochs",) if "decay_steps" in names else ()
        return names + (("staircase",) if self.schedule in STAIRCASES else ())

    @property
    def has_stairs(self) -> bool:
        """Whether the schedule changes η only after every decay_steps."""
        return self.schedule == "step" or bool(self.staircase)

    def in_steps(self, n_rows: int) -> Self:
        """The same training with its decay_epochs as decay_steps.

        Args:
            n_rows: the number of all rows, before any are held back or augmented.
        """
        if self.decay_epochs is None:
            return self
        steps = self.decay_epochs * self.steps_per_epoch(n_rows)
        return dataclasses.replace(self, decay_epochs=None, decay_steps=steps)

    @property
    def _placement(self) -> dict[str, str]:
        places = OPTIMIZERS[self.optimizer].epsilon_placements
        return {"epsilon_placement": self.epsilon_placement or places[0]} if places else {}

    def prepare(self, dataset: Dataset) -> tuple[Dataset, Dataset | None]:
        """The rows to train on, with their augmented copies, and those to validate on, if any.

        Raises:
            InputError: one of the two has no rows, or rows to augment are not images.
        """
        rows, held_back = dataset, None
        if self.validation:
            rows, held_back = dataset.split(self.validation, self.seed or 0)
        return (augment(rows, self.augmentation) if self.augmentation else rows), held_back

    def order(self, epoch: int, n_rows: int) -> np.ndarray[Any, Any]:
        """The order in which an epoch visits the rows: a permutation (n_rows,) of 0 .. n_rows-1."""
        if self.seed is None:
            return np.arange(n_rows)
        return np.random.default_rng([self.seed, epoch]).permutation(n_rows)

    def batches(self, epoch: int, n_rows: int) -> Iterator[np.ndarray[Any, Any]]:
        """The row numbers (n,) of each batch of an epoch."""
        order = self.order(epoch, n_rows)
        size = self.batch_size or n_rows
        for start in range(0, n_rows, size):
            yield order[start : start + size]

    def sizes(self, n_rows: int) -> list[int]:
        """The number of rows in each batch of an epoch."""
        size = self.batch_size or n_rows
        return [min(size, n_rows - start) for start in range(0, n_rows, size)]

    def steps_per_epoch(self, n_rows: int) -> int:
        """The number of steps in an epoch, for ``n_rows`` before any of them are held back."""
        n_rows -= round(self.validation * n_rows) if self.validation else 0
        n_rows *= 1 + self.augmentation.copies if self.augmentation else 1
        return len(self.sizes(n_rows))

    def masks(self, network: Network, t: int, n_rows: int) -> dict[int, Array]:
        """The dropout masks of step t: for each a[l] with dropout, (n_rows, D[l]) of bool.

        True marks a unit that is kept. All implementations take these, so that they drop the same.
        """
        if not network.dropping:
            return {}
        random = np.random.default_rng([self.seed or 0, t, _DROPOUT])
        return {
            l: random.random((n_rows, layer.units)) >= layer.dropout_rate
            for l, layer in network.dropping.items()
        }

    def masks_of_steps(self, network: Network, t: int, sizes: list[int]) -> dict[int, Array]:
        """The dropout masks of steps t, t + 1, … in one array (Σ sizes, D[l]) for each a[l].

        Args:
            network: the network.
            t: the first of the steps.
            sizes: the number of rows in each step's batch, at least one step.
        """
        steps = [self.masks(network, t + i, size) for i, size in enumerate(sizes)]
        return {l: np.concatenate([masks[l] for masks in steps]) for l in steps[0]}


@checked
class StepTraining(Training):
    """The training of a single step: its batch is all the rows there are, its masks are given.

    Args:
        given_masks: the dropout masks, as :meth:`masks` returns them.
    """

    given_masks: Any = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_in_steps(self)

    @classmethod
    def of(cls, training: Training, masks: dict[int, Array]) -> StepTraining:
        """The training of one step out of a longer training, with the masks of that step."""
        whole = {
            field.name: getattr(training, field.name) for field in dataclasses.fields(Training)
        }
        of_rows = ("batch_size", "seed", "validation", "patience", "augmentation")
        return cls(**whole | dict.fromkeys(of_rows), given_masks=masks)

    def masks(self, network: Network, t: int, n_rows: int) -> dict[int, Array]:
        return dict(self.given_masks)


def check_in_steps(training: Training) -> None:
    """Refuse decay_epochs where nobody knows how many steps an epoch has.

    Raises:
        InputError: it has decay_epochs.
    """
    if training.decay_epochs:
        raise InputError("decay_epochs: a single step needs decay_steps instead")
