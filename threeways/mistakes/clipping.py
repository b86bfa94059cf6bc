"""Mistakes in clipping gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared import Array, Training
from threeways.mistakes.base import Mistake


class ClippingForgotten(Mistake):
    title = "gradients not clipped"
    did = "The step is made with the gradients as they are, however large."
    why = "One batch with a huge gradient can undo what many steps have learned."
    fix = "Clip the gradients after the backward pass, before the update."

    def clipvalue(self, gradients: Sequence[Array], *, most: float) -> None:
        return None

    def clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        return None

    def global_clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        return None


class WeightsClipped(Mistake):
    title = "weights clipped instead of gradients"
    did = "The gradients are left as they are, and after the update W and b are clipped."
    why = "That limits what the network can represent, and not how far a step may go."
    fix = "Clip dW and db, before the update."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        super().update(dW, db, training)
        if training.clip:
            kind, most = training.clip
            variables = [self.W[l] for l in range(len(self.W)) if l not in self.frozen]
            variables += [self.b[l] for l in range(len(self.b)) if l not in self.fixed]
            getattr(super(), kind)(variables, most=most)

    def clipvalue(self, gradients: Sequence[Array], *, most: float) -> None:
        return None

    def clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        return None

    def global_clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        return None


class ClippedToEachNorm(Mistake):
    title = "gradients clipped to a norm each, not all together"
    did = "Every dW and db has a norm of at most c by itself: clipnorm for global_clipnorm."
    why = "Each is scaled differently, so the step no longer has the direction of the gradient."
    fix = "Take the norm of all gradients as one vector, and scale all of them by the same factor."

    def global_clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        super().clipnorm(gradients, most=most)


class ClippedToNormOfAll(Mistake):
    title = "gradients clipped to a norm all together, not each"
    did = "All gradients as one vector have a norm of at most c: global_clipnorm for clipnorm."
    why = "Every gradient is scaled down if one of them is large, also those that are small enough."
    fix = "Take the norm of each gradient by itself."

    def clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        super().global_clipnorm(gradients, most=most)


class ClippedByValue(Mistake):
    title = "gradients clipped by value, not to a norm"
    did = "Each number is cut off at -c and c: np.clip, or clip_grad_value_, where a norm is meant."
    why = "The step loses its direction, and may still be as long as c √n for n numbers."
    fix = "g ← g · min(1, c / ‖g‖)."

    def clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        super().clipvalue(gradients, most=most)

    def global_clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        super().clipvalue(gradients, most=most)


class ClippedToNorm(Mistake):
    title = "gradients clipped to a norm, not by value"
    did = "Each gradient has a norm of at most c: clipnorm, where clipvalue is meant."
    why = "Large gradients of many numbers become far smaller than they should be."
    fix = "np.clip(g, -c, c)."

    def clipvalue(self, gradients: Sequence[Array], *, most: float) -> None:
        super().clipnorm(gradients, most=most)


class ScaledToNorm(Mistake):
    title = "gradients scaled to a norm even where they are smaller"
    did = "g ← g · c / ‖g‖, without min(1, …)."
    why = "Small gradients are made larger, so that steps near a minimum do not become shorter."
    fix = "g ← g · min(1, c / ‖g‖)."

    def clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        for g in gradients:
            ScaledToNorm.global_clipnorm(self, [g], most=most)

    def global_clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        norm = np.sqrt(sum(np.vdot(g, g) for g in gradients)) or 1
        if norm > most:
            super().global_clipnorm(gradients, most=most)
            return
        for g in gradients:
            g *= most / norm


class NormPlusEpsilon(Mistake):
    title = "{value} added to the norm in clipping"
    did = "g ← g · min(1, c / (‖g‖ + {value})), as PyTorch's clip_grad_norm_ does."
    why = "A norm that is clipped is larger than c, so nothing is to be kept from 0."
    fix = "g ← g · min(1, c / ‖g‖), or say that PyTorch's form is meant."
    values = (1e-6, 1e-7, 1e-8)

    def clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        for g in gradients:
            self.shorten([g], most)

    def global_clipnorm(self, gradients: Sequence[Array], *, most: float) -> None:
        self.shorten(gradients, most)

    def shorten(self, gradients: Sequence[Array], most: float) -> None:
        """Scale gradients, taken as one vector, to the norm ``most``, or nearly so."""
        norm = float(np.sqrt(sum(np.vdot(g, g) for g in gradients)))
        if norm > most:
            for g in gradients:
                g *= most / (norm + self.value)


class ClippedFromAboveAlone(Mistake):
    title = "gradients clipped from above alone"
    did = "np.minimum(g, c), so that large negative numbers stay."
    why = "A gradient is as dangerous below -c as it is above c."
    fix = "np.clip(g, -c, c)."

    def clipvalue(self, gradients: Sequence[Array], *, most: float) -> None:
        for g in gradients:
            np.minimum(g, most, out=g)
