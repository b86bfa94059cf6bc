"""Record training steps of a Keras network: ``python record_keras.py``, then
``threeways check steps.json``.
"""

import json

import keras
import tensorflow as tf
from keras import layers


def record(model, loss, x, y, optimizer):
    """One step's test in the form of threeways' test vectors; the step updates the model.

    The model is a ``Sequential`` of linear Dense layers, each followed by an Activation and, if
    need be, by Dropout.
    """
    dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]
    parameters = [weights(layer, "W", "b") for layer in dense]

    given = x  # what the next layer is given
    values = [x]  # x, then z and a of each layer
    masks = {}
    with tf.GradientTape() as tape:
        tape.watch(x)
        for layer in model.layers:
            if isinstance(layer, layers.Dropout):
                scale = layer(tf.ones_like(given), training=True)
                masks[f"a[{len(values) // 2}]"] = numbers(tf.cast(scale > 0, "int32"))
                given *= scale
            else:
                given = layer(given)
                values.append(given)
        value = loss(y, given)
    variables = model.trainable_variables
    dz, dx, gradients = tape.gradient(value, (values[1::2], x, variables))
    optimizer.apply(gradients, variables)
    gradient_of = dict(zip((each.path for each in variables), gradients, strict=True))

    quantities = {"loss": float(value), "dx": numbers(dx)}
    for l, layer in enumerate(dense):
        z, a = values[2 * l + 1], values[2 * l + 2]
        quantities |= {f"z[{l}]": numbers(z), f"a[{l + 1}]": numbers(a), f"dz[{l}]": numbers(dz[l])}
        if layer.trainable:
            quantities[f"dW[{l}]"] = numbers(gradient_of[layer.kernel.path])
            if layer.use_bias:
                quantities[f"db[{l}]"] = numbers(gradient_of[layer.bias.path])
        quantities |= weights(layer, f"W_next[{l}]", f"b_next[{l}]")
    return {"parameters": parameters, "masks": masks, "quantities": quantities}


def numbers(tensor):
    return tensor.numpy().tolist()


def weights(layer, W, b):
    found = {W: numbers(layer.kernel)}
    return found | {b: numbers(layer.bias)} if layer.use_bias else found


def main():
    keras.utils.set_random_seed(0)
    keras.config.set_floatx("float64")
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(3),
            layers.Activation("tanh"),
            layers.Dropout(0.4),
            layers.Dense(1),
            layers.Activation("sigmoid"),
        ]
    )
    loss = keras.losses.MeanSquaredError()
    optimizer = keras.optimizers.SGD(learning_rate=0.1)
    x = tf.constant([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float64")
    y = tf.constant([[0], [1], [1], [0]], dtype="float64")
    group = {
        "title": "XOR in Keras",
        "network": {
            "n_features": 2,
            "layers": [
                {"units": 3, "activation": "tanh", "dropout": 0.4},
                {"units": 1, "activation": "sigmoid"},
            ],
            "loss": "mean_squared_error",
            "dtype": "float64",
        },
        "chained": True,
        "learning_rate": 0.1,
        "x": numbers(x),
        "y": numbers(y),
        "tests": [record(model, loss, x, y, optimizer) for _ in range(3)],
    }
    with open("steps.json", "w") as file:
        json.dump({"schema": "threeways/vectors/v1", "groups": [group]}, file, indent=1)


if __name__ == "__main__":
    main()
