"""Mistakes in learning-rate schedules and in the update rules of optimizers.

Each replaces a learning rate or a rule of ``impl_numpy/update_rules.py``. A schedule that counts
epochs instead of steps needs no mistake of its own: within an epoch it is ``ScheduleIgnored``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from impl_numpy.optimizers import Optimizer, learning_rate
from shared import Array, Network, Parameters, Training
from threeways.mistakes.base import Mistake, product

# Schedules.


class ScheduleIgnored(Mistake):
    title = "learning rate not decayed"
    did = "Every step uses the learning rate of the first one."
    why = "Steps that should become smaller stay large and overshoot the minimum."
    fix = "At every step, compute η from the number of steps made, not of epochs."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, training.learning_rate, t)


class StepsCountedFromOne(Mistake):
    title = "learning rate decayed one step early"
    did = "t starts at 1: the first step uses the learning rate of the second."
    why = "t is the number of steps made before, which is 0 for the first step."
    fix = "Start t at 0, or decay after the update."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, learning_rate(training, t + 1), t)


class DecayedLate(Mistake):
    title = "learning rate decayed one step late"
    did = "Each step uses the learning rate of the one before; the first two have the same."
    why = "t is the number of steps made before: 1 for the second step, not 0."
    fix = "Count a step as soon as it is made."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, learning_rate(training, max(t - 1, 0)), t)


class DecayCompounded(Mistake):
    title = "learning rate decayed from its last value"
    did = "η ← η / (1 + rt/T), or η ← η r^(t/T), at every step: η is overwritten."
    why = "t counts all steps, so the decay of earlier steps is applied again."
    fix = "Keep the initial η, and compute every step's η from it."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(network, parameters)
        self.rates: list[float] = []

    def rate(self, training: Training, eta: float, t: int) -> float:
        first = training.learning_rate
        while len(self.rates) <= t:
            decay = learning_rate(training, len(self.rates)) / first
            self.rates.append((self.rates or [first])[-1] * decay)
        return super().rate(training, self.rates[t], t)


class DecayPerEpoch(Mistake):
    title = "learning rate decayed per epoch"
    did = "t is the number of epochs made before, though a step is made for each batch."
    why = "The learning rate stays the same for a whole epoch, and falls too slowly."
    fix = "At every step, compute η from the number of steps made."

    def rate(self, training: Training, eta: float, t: int) -> float:
        if self.steps_per_epoch:
            eta = learning_rate(training, t // self.steps_per_epoch)
        return super().rate(training, eta, t)


class DecayCompoundedPerEpoch(Mistake):
    title = "learning rate decayed per epoch, from its last value"
    did = "After each epoch, η ← η / (1 + r · epoch), or the like: η is overwritten."
    why = "The epoch's number counts all epochs, so the decay of earlier ones is applied again."
    fix = "Keep the initial η, and compute every step's η from it."

    def rate(self, training: Training, eta: float, t: int) -> float:
        if self.steps_per_epoch:
            first = training.learning_rate
            epochs = range(1, t // self.steps_per_epoch + 1)
            eta = first * math.prod(learning_rate(training, epoch) / first for epoch in epochs)
        return super().rate(training, eta, t)


class DecayGeometric(Mistake):
    title = "learning rate divided by 1 + r at every step"
    did = "η ← η / (1 + r) after each step, so η / (1 + r)^t, though η / (1 + rt) is meant."
    why = "The decay is exponential: the learning rate falls much faster, to next to nothing."
    fix = "Keep the initial η, and divide it by 1 + rt/T."

    def rate(self, training: Training, eta: float, t: int) -> float:
        if training.schedule == "inverse_time":
            share = learning_rate(training, 1) / training.learning_rate
            eta = training.learning_rate * share**t
        return super().rate(training, eta, t)


class DecayedTwice(Mistake):
    title = "learning rate decayed twice"
    did = "The optimizer is given a schedule, and the training loop decays η as well."
    why = "The decay is squared: a half becomes a quarter."
    fix = "Decay in one place only."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, eta, t) * (eta / training.learning_rate)


class DecayStepsForgotten(Mistake):
    title = "decay_steps forgotten in the learning rate's decay"
    did = "η r^t, or η / (1 + rt), without dividing t by decay_steps."
    why = "The learning rate falls T times as fast as it should, where T is decay_steps."
    fix = "Divide t by decay_steps, and for a decay in jumps round down."

    def optimizer_for(self, training: Training) -> Optimizer:
        if training.decay_rate is not None:
            training = dataclasses.replace(training, decay_steps=1)
        return super().optimizer_for(training)


class DecaySmooth(Mistake):
    title = "learning rate decayed smoothly, not in jumps"
    did = "η r^(t/T), though η r^⌊t/T⌋ is meant."
    why = "The learning rate should stay the same for T steps, but falls at each of them."
    fix = "Use t // T, or staircase=True."

    def optimizer_for(self, training: Training) -> Optimizer:
        if training.schedule == "step":
            training = dataclasses.replace(training, schedule="exponential")
        return super().optimizer_for(training)


class DecayInJumps(Mistake):
    title = "learning rate decayed in jumps, not smoothly"
    did = "t // T, as with staircase=True, though t / T is meant."
    why = "The learning rate stays the same for T steps, but should fall a little at each."
    fix = "Use t / T."

    def rate(self, training: Training, eta: float, t: int) -> float:
        if training.schedule in ("exponential", "inverse_time"):
            T = training.decay_steps or 1
            eta = learning_rate(training, t // T * T)
        return super().rate(training, eta, t)


class HalfMissingInCosine(Mistake):
    title = "½ missing in the cosine decay"
    did = "η (1 + cos πt/T)."
    why = "1 + cos 0 = 2: training starts with twice the learning rate that was set."
    fix = "η · ½ (1 + cos πt/T)."

    def rate(self, training: Training, eta: float, t: int) -> float:
        eta = super().rate(training, eta, t)
        return 2 * eta if training.schedule == "cosine" else eta


class CosineRises(Mistake):
    title = "cosine decay not stopped at its end"
    did = "η · ½ (1 + cos πt/T), even for t > T."
    why = "After T steps the learning rate should stay at 0, but the cosine rises again."
    fix = "Use min(t, T) instead of t."

    def rate(self, training: Training, eta: float, t: int) -> float:
        if training.schedule == "cosine" and t > (training.decay_steps or 0):
            turns = math.pi * t / (training.decay_steps or 1)
            eta = training.learning_rate * (1 + math.cos(turns)) / 2
        return super().rate(training, eta, t)


# Momentum.


class SlotsReset(Mistake):
    title = "optimizer created anew at every step"
    did = "The optimizer is created inside the training loop, so its state always starts from zero."
    why = "Momentum and sums of squares remember nothing of earlier steps."
    fix = "Create the optimizer once, before the loop."

    made = 0

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        return training.masks(self.network, self.made, n_rows)

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        self.made += 1
        self.optimizer = None
        super().update(dW, db, training)


class MomentumSubtracted(Mistake):
    title = "momentum with its sign flipped"
    did = "v ← -μv - ηg: the last step is taken back, not continued."
    why = "Momentum should keep the direction of recent steps; this works against it."
    fix = "v ← μv - ηg."

    def momentum(
        self, eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float
    ) -> None:
        super().momentum(eta, t, g, w, v, momentum=-momentum)


class MomentumAveraged(Mistake):
    title = "mean instead of sum in the momentum"
    did = "v ← μv - (1 - μ)ηg, an average of recent steps, as in Adam's m."
    why = "Momentum adds up the steps: for μ = 0.9, these are ten times too small."
    fix = "v ← μv - ηg, or a learning rate 1 / (1 - μ) times as large."

    def momentum(
        self, eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float
    ) -> None:
        super().momentum(eta, t, (1 - momentum) * g, w, v, momentum=momentum)

    def nesterov(
        self, eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float
    ) -> None:
        super().nesterov(eta, t, (1 - momentum) * g, w, v, momentum=momentum)


class MomentumForNesterov(Mistake):
    title = "plain momentum instead of Nesterov's"
    did = "w ← w + v, though w ← w + μv - ηg is meant."
    why = "Nesterov's step looks ahead to where v leads; this one follows v alone."
    fix = "w ← w + μv - ηg, with the new v."

    def nesterov(
        self, eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float
    ) -> None:
        super().momentum(eta, t, g, w, v, momentum=momentum)


class NesterovForMomentum(Mistake):
    title = "Nesterov's momentum instead of plain momentum"
    did = "w ← w + μv - ηg, though w ← w + v is meant."
    why = "That goes further along v: even the first step is 1 + μ times as long."
    fix = "w ← w + v, or nesterov=False."

    def momentum(
        self, eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float
    ) -> None:
        super().nesterov(eta, t, g, w, v, momentum=momentum)


class RateOutsideMomentum(Mistake):
    title = "learning rate outside the momentum"
    did = "v ← μv + g, w ← w - ηv, as in PyTorch; Keras has v ← μv - ηg, w ← w + v."
    why = "While η is constant, only v differs; once η decays, so do the weights."
    fix = "Multiply g by η before it goes into v."

    def momentum(
        self, eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float
    ) -> None:
        v *= momentum
        v += g
        w -= eta * v


# Sums and means of squares.


class AccumulatorFromZero(Mistake):
    title = "AdaGrad's sum started from 0"
    did = "s = 0 before the first step, as in PyTorch, where Keras has s = 0.1."
    why = "The first step is then η for every weight, however small its gradient is."
    fix = "Start s at the given initial_accumulator."

    def optimizer_for(self, training: Training) -> Optimizer:
        if training.optimizer == "adagrad":
            training = dataclasses.replace(training, initial_accumulator=0.0)
        return super().optimizer_for(training)


class GradientNotSquared(Mistake):
    title = "|g| instead of g² in the optimizer's state"
    did = "s ← s + |g| in AdaGrad, or a mean of |g| in RMSprop and Adam; then the root of s."
    why = "s should be a mean square, whose root is of the size of g; the root of |g| is not."
    fix = "Use g²."

    def squared(self, g: Array) -> tuple[Array, ...]:
        return (np.abs(g),)


class RootForgotten(Mistake):
    title = "root forgotten in the optimizer's step"
    did = "w ← w - ηg / (s + ε), without the root of s."
    why = "g / √s is about 1, however small the gradients are; g / s grows as they shrink."
    fix = "Divide by √s."

    def root(self, s: Array, epsilon: float, epsilon_placement: str) -> Array:
        return s + epsilon

    def adams_root(self, s: Array, epsilon: float) -> Array:
        return s + epsilon


class EpsilonOutsideRoot(Mistake):
    title = "ε outside the root"
    did = "w ← w - ηg / (√s + ε) in AdaGrad or RMSprop."
    why = "Papers and libraries differ; Keras has √(s + ε), which matters where s is small."
    fix = "w ← w - ηg / √(s + ε), or another ε if the other form is meant."

    def root(self, s: Array, epsilon: float, epsilon_placement: str) -> Array:
        return super().root(s, epsilon, "outside_root")


class NeverForgets(Mistake):
    title = "RMSprop without forgetting"
    did = "s ← s + g², AdaGrad's sum, though s ← ρs + (1 - ρ)g² is meant."
    why = "The sum only grows, so the steps become ever smaller."
    fix = "s ← ρs + (1 - ρ)g²."

    def rmsprop(
        self, eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, **of_root: Any
    ) -> None:
        super().adagrad(eta, t, g, w, s, **of_root)


class NewShareForgotten(Mistake):
    title = "1 - ρ forgotten in the optimizer's averages"
    did = "s ← ρs + g² in RMSprop, or m ← β₁m + g and s ← β₂s + g² in Adam."
    why = "s should be an average; this is 1 / (1 - ρ) times as large."
    fix = "s ← ρs + (1 - ρ)g², and in Adam the same with β₁ and β₂."

    def average(self, mean: Array, share: float, *factors: Array) -> None:
        mean *= share
        mean += product(*factors)


class OldShareForNew(Mistake):
    title = "ρ and 1 - ρ swapped"
    did = "s ← (1 - ρ)s + ρg² in RMSprop, or the same with β₁ and β₂ in Adam."
    why = "The average is then almost the last step alone, and remembers next to nothing."
    fix = "ρ, usually 0.9, is the share of the old s, and 1 - ρ that of g²."

    def average(self, mean: Array, share: float, *factors: Array) -> None:
        super().average(mean, 1 - share, *factors)


# Adam.


class AdamUncorrected(Mistake):
    title = "Adam without its bias correction"
    did = "w ← w - η m / (√s + ε)."
    why = "m and s start at 0 and are too small at first, s by more: the first steps are too large."
    fix = "Multiply η by √(1 - β₂ᵗ⁺¹) / (1 - β₁ᵗ⁺¹), t counted from 0."

    def correction(self, t: int, beta_1: float, beta_2: float) -> float:
        return 1.0


class CorrectionWithoutPower(Mistake):
    title = "Adam's bias correction without its power"
    did = "η √(1 - β₂) / (1 - β₁) at every step, where β₁ and β₂ are to the power of t + 1."
    why = "The correction of the first step is never taken back, and the steps grow ever too large."
    fix = "η √(1 - β₂ᵗ⁺¹) / (1 - β₁ᵗ⁺¹), t counted from 0."

    def correction(self, t: int, beta_1: float, beta_2: float) -> float:
        return super().correction(0, beta_1, beta_2)


class FirstMomentUncorrected(Mistake):
    title = "Adam's m not corrected"
    did = "w ← w - η √(1 - β₂ᵗ⁺¹) m / (√s + ε): only s is corrected."
    why = "m starts at 0 and is too small at first: for β₁ = 0.9, a tenth of what it should be."
    fix = "Divide m by 1 - β₁ᵗ⁺¹ as well, t counted from 0."

    def correction(self, t: int, beta_1: float, beta_2: float) -> float:
        return super().correction(t, 0.0, beta_2)


class SecondMomentUncorrected(Mistake):
    title = "Adam's s not corrected"
    did = "w ← w - η / (1 - β₁ᵗ⁺¹) · m / (√s + ε): only m is corrected."
    why = "s starts at 0 and is too small at first: for β₂ = 0.999, the step is 32 times too long."
    fix = "Divide s by 1 - β₂ᵗ⁺¹ as well, t counted from 0."

    def correction(self, t: int, beta_1: float, beta_2: float) -> float:
        return super().correction(t, beta_1, 0.0)


class CorrectionAhead(Mistake):
    title = "Adam's bias correction one step ahead"
    did = "t is counted up twice, or before the first step as well: β₁ᵗ⁺² and β₂ᵗ⁺²."
    why = "The first step is corrected as the second should be, and so on."
    fix = "The powers are 1 in the first step: t + 1, t counted from 0."

    def correction(self, t: int, beta_1: float, beta_2: float) -> float:
        return super().correction(t + 1, beta_1, beta_2)


class CorrectionPerEpoch(Mistake):
    title = "Adam's bias correction counted in epochs"
    did = "t is the number of the epoch, though a step is made for each batch."
    why = "m and s move on with every step, and their correction should keep up with them."
    fix = "Count the steps, not the epochs."

    def correction(self, t: int, beta_1: float, beta_2: float) -> float:
        return super().correction(t // (self.steps_per_epoch or 1), beta_1, beta_2)


class CorrectionKept(Mistake):
    title = "Adam's corrected m and s stored"
    did = "m ← m / (1 - β₁ᵗ⁺¹) and s ← s / (1 - β₂ᵗ⁺¹) overwrite the averages."
    why = "The next step takes them for uncorrected and corrects them again."
    fix = "Give the corrected ones names of their own, m̂ and ŝ, and discard them after the step."

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **hyper: Any
    ) -> None:
        super().adam(eta, t, g, w, m, s, **hyper)
        m /= 1 - hyper["beta_1"] ** (t + 1)
        s /= 1 - hyper["beta_2"] ** (t + 1)


class EpsilonCorrected(Mistake):
    title = "Adam's ε added after the correction"
    did = "w ← w - η m̂ / (√ŝ + ε), with m and s corrected first, as in Adam's paper."
    why = "Keras adds ε to the root of the uncorrected s, where it counts for more in early steps."
    fix = "Correct η, not m and s; or divide ε by √(1 - β₂ᵗ⁺¹), which comes to the same."

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **hyper: Any
    ) -> None:
        super().adam(eta, t, g, w, m, s, **{**hyper, "epsilon_placement": "corrected_root"})


class EpsilonInsideRoot(Mistake):
    title = "ε inside Adam's root"
    did = "w ← w - ηc m / √(s + ε), with ε where RMSprop has it."
    why = "√ε is much larger than ε: the root of 1e-7 is 3e-4, which matters for small gradients."
    fix = "Divide by √s + ε."

    def adams_root(self, s: Array, epsilon: float) -> Array:
        return np.sqrt(s + epsilon)


class BetasSwapped(Mistake):
    title = "Adam's β₁ and β₂ swapped"
    did = "m ← β₂m + (1 - β₂)g and s ← β₁s + (1 - β₁)g²."
    why = "The direction then changes far too slowly, and the size of the steps too fast."
    fix = "β₁, usually 0.9, belongs to m, and β₂, usually 0.999, to s."

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **hyper: Any
    ) -> None:
        swapped = {"beta_1": hyper["beta_2"], "beta_2": hyper["beta_1"]}
        super().adam(eta, t, g, w, m, s, **{**hyper, **swapped})
