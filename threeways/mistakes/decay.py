"""Mistakes in weight decay that is no part of the gradient, as AdamW has it."""

from __future__ import annotations

from collections.abc import Sequence

from impl_numpy import update_rules
from shared import Array, Training
from threeways.mistakes.base import Mistake


class WeightDecayForgotten(Mistake):
    title = "weight decay forgotten"
    did = "The step is made without w ← w - ηλw."
    why = "The weights grow as if no decay had been set."
    fix = "w ← w - ηλw before each step."

    def decay(self, eta: float, w: Array, *, weight_decay: float) -> None:
        super().decay(eta, w, weight_decay=0.0)


class WeightDecayWithoutRate(Mistake):
    title = "weight decay without the learning rate"
    did = "w ← w - λw before each step."
    why = "η scales the decay as it does the step: for η = 0.01 this is 100 times too much."
    fix = "w ← w - ηλw."

    def decay(self, eta: float, w: Array, *, weight_decay: float) -> None:
        super().decay(1.0, w, weight_decay=weight_decay)


class WeightDecayOfWeightsAlone(Mistake):
    title = "biases left out of weight decay"
    did = "Only W ← W - ηλW; b is not decayed."
    why = "Keras's and PyTorch's optimizers decay every variable that they are given, b as well."
    fix = "b ← b - ηλb as well, or leave the biases out in both (exclude_from_weight_decay)."

    def decay(self, eta: float, w: Array, *, weight_decay: float) -> None:
        super().decay(eta, w, weight_decay=weight_decay if w.ndim > 1 else 0.0)


class WeightDecayInGradient(Mistake):
    title = "weight decay inside the gradient"
    did = "g ← g + λw, which then goes through the optimizer's averages, as Adam with L2 has it."
    why = "Where gradients are large their root divides the decay, too; AdamW keeps the two apart."
    fix = "w ← w - ηλw as a step of its own, before the optimizer's."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        dW, db = (
            [g + training.decay * w for g, w in zip(gradients, variables, strict=True)]
            for gradients, variables in ((dW, self.W), (db, self.b))
        )
        super().update(dW, db, training)

    def decay(self, eta: float, w: Array, *, weight_decay: float) -> None:
        super().decay(eta, w, weight_decay=0.0)


class WeightDecayAfterStep(Mistake):
    title = "weight decay after the step"
    did = "w ← w - ηλw with the w that the optimizer's step has left."
    why = "The step itself is decayed as well; a difference of ηλ times the step."
    fix = "w ← w - ηλw first, with the weights of the forward pass, then the optimizer's step."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        eta = self.next_rate(training)
        super().update(dW, db, training)
        for variables, kept in ((self.W, self.frozen), (self.b, self.fixed)):
            for l, w in enumerate(variables):
                if training.decay and l not in kept:
                    update_rules.decay(eta, w, weight_decay=training.decay)

    def decay(self, eta: float, w: Array, *, weight_decay: float) -> None:
        super().decay(eta, w, weight_decay=0.0)


class WeightDecayOfAdamw(Mistake):
    title = "weight decay of {value} by AdamW, though Adam is meant"
    did = "The optimizer is AdamW, whose weight_decay is {value} unless given: w ← w - ηλw."
    why = "Every weight is pulled towards 0 at each step, which no loss asks for."
    fix = "Use Adam, or weight_decay=0."
    values = (0.01, 0.004)

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        if training.optimizer == "adam" and not training.decay:
            eta = self.next_rate(training)
            for variables, kept in ((self.W, self.frozen), (self.b, self.fixed)):
                for l, w in enumerate(variables):
                    if l not in kept:
                        update_rules.decay(eta, w, weight_decay=self.value)
        super().update(dW, db, training)
