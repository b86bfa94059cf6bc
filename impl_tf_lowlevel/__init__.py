"""Networks in low-level TensorFlow: variables, a gradient tape, explicit updates."""

from shared.frameworks import importing_frameworks

with importing_frameworks():
    from impl_tf_lowlevel.feedforward import FeedForward
    from impl_tf_lowlevel.perceptron import Perceptron

__all__ = ["FeedForward", "Perceptron"]
