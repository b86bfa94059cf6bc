"""Networks as Keras ``Sequential`` models, on the TensorFlow backend."""

from shared.frameworks import importing_frameworks

with importing_frameworks():
    import keras

    from impl_keras.feedforward import FeedForward
    from impl_keras.perceptron import Perceptron

if keras.config.backend() != "tensorflow":
    raise ImportError(
        f"impl_keras needs Keras's TensorFlow backend, not {keras.config.backend()!r}; "
        "set KERAS_BACKEND=tensorflow before Keras is imported"
    )

__all__ = ["FeedForward", "Perceptron"]
