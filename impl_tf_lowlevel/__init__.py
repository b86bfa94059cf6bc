"""Networks in low-level TensorFlow: variables, a gradient tape, explicit updates."""

from impl_tf_lowlevel.feedforward import FeedForward
from impl_tf_lowlevel.perceptron import Perceptron

__all__ = ["FeedForward", "Perceptron"]
