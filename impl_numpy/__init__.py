"""Networks in NumPy alone, with every derivative written out by hand."""

from impl_numpy.feedforward import FeedForward
from impl_numpy.perceptron import Perceptron

__all__ = ["FeedForward", "Perceptron"]
