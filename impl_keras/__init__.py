"""Networks as Keras ``Sequential`` models, on the TensorFlow backend."""

from impl_keras.feedforward import FeedForward
from impl_keras.perceptron import Perceptron

__all__ = ["FeedForward", "Perceptron"]
