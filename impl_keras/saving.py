"""The network as a model of Keras's own layers, which can be saved and opened anywhere."""

from __future__ import annotations

import keras

from impl_keras.activations import ACTIVATIONS
from impl_keras.dtypes import default_dtype
from shared import Layer, Network, Parameters

__all__ = ["plain_model"]


def plain_model(network: Network, parameters: Parameters) -> keras.Sequential:
    """The network of Keras's own layers, from x (N, D[0]) to a[L] (N, D[L]); not compiled.

    Once saved, ``keras.models.load_model`` opens it. Only step, sign and scaled tanh, which Keras
    lacks, need ``import impl_keras`` first. In float64, Keras rounds the slope of leaky ReLU to
    float32, and ``model.predict(x)``, unlike ``model(x)``, also x.
    """
    with default_dtype(network.dtype):
        model = keras.Sequential([keras.Input((network.n_features,))])
        for layer, weights in zip(network.layers, parameters, strict=True):
            penalty = keras.regularizers.L1L2(layer.l1, layer.l2) if layer.is_penalised else None
            dense = keras.layers.Dense(
                layer.units,
                use_bias=layer.use_bias,
                kernel_regularizer=penalty,
                trainable=layer.trainable,
            )
            model.add(dense)
            model.add(_activation(layer))
            dense.set_weights(weights if layer.use_bias else [weights.W])
            if layer.dropout_rate:
                kind = "AlphaDropout" if layer.alpha_dropout else "Dropout"
                model.add(getattr(keras.layers, kind)(layer.dropout_rate))
        return model


def _activation(layer: Layer) -> keras.layers.Layer:
    """Keras's own layer for an activation where it has one, else its Activation with ours."""
    match layer.activation:
        case "leaky_relu":
            return keras.layers.LeakyReLU(negative_slope=layer.arguments["alpha"])
        case "elu":
            return keras.layers.ELU(layer.arguments["alpha"])
        case "step" | "sign" | "scaled_tanh" as name:
            return keras.layers.Activation(ACTIVATIONS[name])
        case name:
            return keras.layers.Activation(name)
