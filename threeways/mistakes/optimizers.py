"""Mistakes in schedules and optimizers: each a rate or a rule for that of impl_numpy/optimizers.py.

A schedule that counts epochs for steps is ScheduleIgnored within an epoch, and no step knows when
one ends.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from impl_numpy.optimizers import Optimizer, learning_rate
from shared import Array, Network, Parameters, Training
from threeways.mistakes.base import Mistake

# Schedules.


class ScheduleIgnored(Mistake):
    title = "learning rate not decayed"
    did = "Every step is made with the learning rate that the first one had."
    why = "Steps that should become smaller stay as large as they were, and pass over the minimum."
    fix = "Compute η from the number of steps made, not of epochs, at every step."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, training.learning_rate, t)


class StepsCountedFromOne(Mistake):
    title = "learning rate decayed a step early"
    did = "t is counted from 1: the first step is made with the learning rate of the second."
    why = "t is how many steps have been made before, and before the first there is none."
    fix = "Count from 0, or decay after the update."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, learning_rate(training, t + 1), t)


class DecayCompounded(Mistake):
    title = "learning rate decayed from the last one"
    did = "η ← η / (1 + rt/T), or η ← η r^(t/T), in every step: η is overwritten."
    why = "t counts all steps, so what the first of them have decayed is decayed again."
    fix = "Keep the first η, and compute each step's from it."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(network, parameters)
        self.rates: list[float] = []

    def rate(self, training: Training, eta: float, t: int) -> float:
        first = training.learning_rate
        while len(self.rates) <= t:
            decay = learning_rate(training, len(self.rates)) / first
            self.rates.append((self.rates or [first])[-1] * decay)
        return super().rate(training, self.rates[t], t)


class DecayedTwice(Mistake):
    title = "learning rate decayed twice"
    did = "A schedule is given to the optimizer, and the training loop decays η as well."
    why = "The decay is squared: a half becomes a quarter."
    fix = "Decay in one place only."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, eta, t) * (eta / training.learning_rate)


class DecayStepsForgotten(Mistake):
    title = "learning rate decayed in every step"
    did = "η r^t, or η / (1 + rt), without dividing t by the steps that a decay takes."
    why = "The learning rate falls T times as fast as it should, T being decay_steps."
    fix = "Divide t by decay_steps, and for a decay in jumps round down."

    def optimizer_for(self, training: Training) -> Optimizer:
        if training.decay_rate is not None:
            training = dataclasses.replace(training, decay_steps=1)
        return super().optimizer_for(training)


class DecaySmooth(Mistake):
    title = "learning rate decayed smoothly, not in jumps"
    did = "η r^(t/T), where η r^⌊t/T⌋ is meant."
    why = "The learning rate is to stay the same for T steps, and here it falls in each."
    fix = "t // T, or staircase=True."

    def optimizer_for(self, training: Training) -> Optimizer:
        if training.schedule == "step":
            training = dataclasses.replace(training, schedule="exponential")
        return super().optimizer_for(training)


class DecayInJumps(Mistake):
    title = "learning rate decayed in jumps, not smoothly"
    did = "t // T where t / T is meant, as with staircase=True."
    why = "The learning rate stays the same for T steps, and is to fall a little in each."
    fix = "t / T."

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
    did = "η · ½ (1 + cos πt/T) for t > T as well."
    why = "After T steps the learning rate is 0 and stays there; the cosine comes up again."
    fix = "Put min(t, T) in place of t."

    def rate(self, training: Training, eta: float, t: int) -> float:
        if training.schedule == "cosine" and t > (training.decay_steps or 0):
            turns = math.pi * t / (training.decay_steps or 1)
            eta = training.learning_rate * (1 + math.cos(turns)) / 2
        return super().rate(training, eta, t)


# Momentum.


class SlotsReset(Mistake):
    title = "optimizer made anew at every step"
    did = "The optimizer is created inside the training loop, so what it keeps starts from zero."
    why = "Momentum, and the sums of squares, remember nothing of the steps before."
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
    did = "v ← -μv - ηg: the step before is taken back, not carried on."
    why = "Momentum is to keep the direction of the last steps; this works against it."
    fix = "v ← μv - ηg."

    def momentum(
        self, eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float
    ) -> None:
        super().momentum(eta, t, g, w, v, momentum=-momentum)


class MomentumAveraged(Mistake):
    title = "mean for sum in the momentum"
    did = "v ← μv - (1 - μ)ηg, an average of the last steps, as in Adam's m."
    why = "Momentum adds the steps up: for μ = 0.9 these are ten times too small."
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
    title = "plain momentum for Nesterov's"
    did = "w ← w + v, where w ← w + μv - ηg is meant."
    why = "Nesterov's step looks ahead to where v leads; this one follows v alone."
    fix = "w ← w + μv - ηg, with the new v."

    def nesterov(
        self, eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float
    ) -> None:
        super().momentum(eta, t, g, w, v, momentum=momentum)


class NesterovForMomentum(Mistake):
    title = "Nesterov's momentum for the plain one"
    did = "w ← w + μv - ηg, where w ← w + v is meant."
    why = "That is a step further along v: even the first one is 1 + μ times as long."
    fix = "w ← w + v, or nesterov=False."

    def momentum(
        self, eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float
    ) -> None:
        super().nesterov(eta, t, g, w, v, momentum=momentum)


class RateOutsideMomentum(Mistake):
    title = "learning rate outside the momentum"
    did = "v ← μv + g, w ← w - ηv, PyTorch's form, where Keras has v ← μv - ηg, w ← w + v."
    why = "The weights are the same as long as η is, but what is kept is not, nor once η decays."
    fix = "Multiply g by η before it goes into v."

    def momentum(
        self, eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float
    ) -> None:
        v *= momentum
        v += g
        w -= eta * v


# Sums and means of squares.


def keep(kept: Array, new: Array, share: float) -> None:
    """kept ← share · kept + (1 - share) · new."""
    kept *= share
    kept += (1 - share) * new


def correction(t: int, beta_1: float, beta_2: float, epsilon: float) -> float:
    """What Adam multiplies η by."""
    return float((1 - beta_2 ** (t + 1)) ** 0.5 / (1 - beta_1 ** (t + 1)))


class AccumulatorFromZero(Mistake):
    title = "AdaGrad's sum started from 0"
    did = "s = 0 before the first step, as in PyTorch, where Keras has s = 0.1."
    why = "The first step is then η for every weight, however small its gradient is."
    fix = "Start s from the initial accumulator that is given."

    def optimizer_for(self, training: Training) -> Optimizer:
        if training.optimizer == "adagrad":
            training = dataclasses.replace(training, initial_accumulator=0.0)
        return super().optimizer_for(training)


class GradientNotSquared(Mistake):
    title = "|g| for g² in what the optimizer keeps"
    did = "s ← s + |g|, and its kin, and then the root of s."
    why = "s is to be a mean square, whose root has g's own size; the root of |g| has not."
    fix = "Add g² to s."

    def adagrad(self, eta: float, t: int, g: Array, w: Array, s: Array, *, epsilon: float) -> None:
        s += np.abs(g)
        w -= eta * g / np.sqrt(s + epsilon)

    def rmsprop(
        self, eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
    ) -> None:
        keep(s, np.abs(g), rho)
        w -= eta * g / np.sqrt(s + epsilon)

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
    ) -> None:
        keep(m, g, numbers["beta_1"])
        keep(s, np.abs(g), numbers["beta_2"])
        w -= eta * correction(t, **numbers) * m / (np.sqrt(s) + numbers["epsilon"])


class RootForgotten(Mistake):
    title = "root forgotten in the optimizer's step"
    did = "w ← w - ηg / (s + ε), without the root of s."
    why = "Where gradients are small, g / s is as much too large as g / √s would have been right."
    fix = "Divide by √s."

    def adagrad(self, eta: float, t: int, g: Array, w: Array, s: Array, *, epsilon: float) -> None:
        s += g * g
        w -= eta * g / (s + epsilon)

    def rmsprop(
        self, eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
    ) -> None:
        keep(s, g * g, rho)
        w -= eta * g / (s + epsilon)

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
    ) -> None:
        keep(m, g, numbers["beta_1"])
        keep(s, g * g, numbers["beta_2"])
        w -= eta * correction(t, **numbers) * m / (s + numbers["epsilon"])


class EpsilonOutsideRoot(Mistake):
    title = "ε outside the root"
    did = "w ← w - ηg / (√s + ε) in AdaGrad or RMSprop."
    why = "Papers and libraries differ; Keras has ε inside, √(s + ε), which tells where s is small."
    fix = "w ← w - ηg / √(s + ε), or another ε if the other form is meant."

    def adagrad(self, eta: float, t: int, g: Array, w: Array, s: Array, *, epsilon: float) -> None:
        s += g * g
        w -= eta * g / (np.sqrt(s) + epsilon)

    def rmsprop(
        self, eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
    ) -> None:
        keep(s, g * g, rho)
        w -= eta * g / (np.sqrt(s) + epsilon)


class NeverForgets(Mistake):
    title = "RMSprop without forgetting"
    did = "s ← s + g², AdaGrad's sum, where s ← ρs + (1 - ρ)g² is meant."
    why = "The sum only grows, so that the steps become ever smaller."
    fix = "s ← ρs + (1 - ρ)g²."

    def rmsprop(
        self, eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
    ) -> None:
        super().adagrad(eta, t, g, w, s, epsilon=epsilon)


class NewShareForgotten(Mistake):
    title = "1 - ρ forgotten in what the optimizer keeps"
    did = "s ← ρs + g² in RMSprop, or m ← β₁m + g and s ← β₂s + g² in Adam."
    why = "s is to be a mean; this is one 1 / (1 - ρ) times as large."
    fix = "s ← ρs + (1 - ρ)g², and in Adam the same with β₁ and β₂."

    def rmsprop(
        self, eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
    ) -> None:
        keep(s, g * g / (1 - rho), rho)
        w -= eta * g / np.sqrt(s + epsilon)

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
    ) -> None:
        keep(m, g / (1 - numbers["beta_1"]), numbers["beta_1"])
        keep(s, g * g / (1 - numbers["beta_2"]), numbers["beta_2"])
        w -= eta * correction(t, **numbers) * m / (np.sqrt(s) + numbers["epsilon"])


class OldShareForNew(Mistake):
    title = "ρ and 1 - ρ exchanged"
    did = "s ← (1 - ρ)s + ρg² in RMSprop, or the same with β₁ and β₂ in Adam."
    why = "What is kept is then nearly the last step's alone, and remembers next to nothing."
    fix = "ρ, mostly 0.9, is the share of the old s, and 1 - ρ that of g²."

    def rmsprop(
        self, eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
    ) -> None:
        super().rmsprop(eta, t, g, w, s, rho=1 - rho, epsilon=epsilon)

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
    ) -> None:
        keep(m, g, 1 - numbers["beta_1"])
        keep(s, g * g, 1 - numbers["beta_2"])
        w -= eta * correction(t, **numbers) * m / (np.sqrt(s) + numbers["epsilon"])


# Adam.


class AdamUncorrected(Mistake):
    title = "Adam without its bias correction"
    did = "w ← w - η m / (√s + ε)."
    why = "m and s start at 0 and are too small at first, s by more: the first steps are too large."
    fix = "Multiply η by √(1 - β₂ᵗ⁺¹) / (1 - β₁ᵗ⁺¹), t counted from 0."

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
    ) -> None:
        super().adam(eta / correction(t, **numbers), t, g, w, m, s, **numbers)


class CorrectionKept(Mistake):
    title = "Adam's corrected m and s kept"
    did = "m ← m / (1 - β₁ᵗ⁺¹) and s ← s / (1 - β₂ᵗ⁺¹), which overwrite what is kept."
    why = "The next step takes them for uncorrected and corrects them again."
    fix = "Give the corrected ones names of their own, m̂ and ŝ, and forget them after the step."

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
    ) -> None:
        super().adam(eta, t, g, w, m, s, **numbers)
        m /= 1 - numbers["beta_1"] ** (t + 1)
        s /= 1 - numbers["beta_2"] ** (t + 1)


class EpsilonCorrected(Mistake):
    title = "Adam's ε in the other place"
    did = "w ← w - η m̂ / (√ŝ + ε), with m and s corrected first, as in Adam's paper."
    why = "Keras adds ε to the root of the uncorrected s, where it counts for more in early steps."
    fix = "Correct η, not m and s; or divide ε by √(1 - β₂ᵗ⁺¹) to get the paper's."

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
    ) -> None:
        uncorrected = numbers["epsilon"] * (1 - numbers["beta_2"] ** (t + 1)) ** 0.5
        super().adam(eta, t, g, w, m, s, **{**numbers, "epsilon": uncorrected})


class EpsilonInsideRoot(Mistake):
    title = "ε inside Adam's root"
    did = "w ← w - ηc m / √(s + ε), with RMSprop's place for ε."
    why = "√ε is much larger than ε: 1e-7 has the root 3e-4, which small gradients feel."
    fix = "√s + ε."

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
    ) -> None:
        keep(m, g, numbers["beta_1"])
        keep(s, g * g, numbers["beta_2"])
        w -= eta * correction(t, **numbers) * m / np.sqrt(s + numbers["epsilon"])


class BetasSwapped(Mistake):
    title = "Adam's β₁ and β₂ swapped"
    did = "m ← β₂m + (1 - β₂)g and s ← β₁s + (1 - β₁)g²."
    why = "The direction then changes far too slowly, and the size of the steps too fast."
    fix = "β₁, mostly 0.9, belongs to m, and β₂, mostly 0.999, to s."

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
    ) -> None:
        swapped = {"beta_1": numbers["beta_2"], "beta_2": numbers["beta_1"]}
        super().adam(eta, t, g, w, m, s, **{**numbers, **swapped})
