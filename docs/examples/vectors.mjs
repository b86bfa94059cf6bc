// Runs the test vectors of `threeways vectors DIR` on a network written here: node vectors.mjs DIR
//
// The valid test's numbers must be within their bounds of those computed here, and at least one
// number of each invalid test must not.
// Only float64, JavaScript's own; networks that need more than is written here are skipped.

import { readFileSync, readdirSync } from "node:fs";

const map = (f, ...matrices) =>
  matrices[0].map((row, i) => row.map((_, j) => f(...matrices.map((matrix) => matrix[i][j]))));
const transpose = (A) => A[0].map((_, j) => A.map((row) => row[j]));
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const dot = (u, v) => sum(u.map((number, i) => number * v[i]));
const product = (A, B) => A.map((row) => transpose(B).map((column) => dot(row, column)));

const logSoftmax = (row) => {
  const shifted = row.map((z) => z - Math.max(...row)); // so that no e^z overflows
  const logOfSum = Math.log(sum(shifted.map(Math.exp)));
  return shifted.map((z) => z - logOfSum);
};

const [SELU_SCALE, SELU_ALPHA] = [1.0507009873554805, 1.6732632423543772];

// g(z), and dz from da.
const elementwise = (g, slope) => ({
  forward: (z, α) => map((z) => g(z, α), z),
  backward: (da, z, a, α) => map((da, z, a) => da * slope(z, a, α), da, z, a),
});
const ACTIVATIONS = {
  linear: elementwise((z) => z, () => 1),
  sigmoid: elementwise((z) => 1 / (1 + Math.exp(-z)), (z, a) => a * (1 - a)),
  tanh: elementwise(Math.tanh, (z, a) => 1 - a * a),
  relu: elementwise((z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)),
  leaky_relu: elementwise((z, α) => (z > 0 ? z : α * z), (z, a, α) => (z > 0 ? 1 : α)),
  selu: elementwise((z) => SELU_SCALE * (z > 0 ? z : SELU_ALPHA * Math.expm1(z)),
    (z) => SELU_SCALE * (z < 0 ? SELU_ALPHA * Math.exp(z) : 1)),
  softmax: {
    forward: (z) => z.map((row) => logSoftmax(row).map(Math.exp)),
    backward: (da, z, a) => da.map((row, i) => row.map((d, j) => a[i][j] * (d - dot(row, a[i])))),
  },
};

// The term of each loss, which is summed; the derivative with respect to z or a is factor · (a - y).
// Both are divided by the number of rows and, in a mean over the outputs, by theirs.
const LOSSES = {
  half_squared_error: { term: (y, z, a) => (a - y) ** 2 / 2, factor: 1, of: "a" },
  mean_squared_error: { term: (y, z, a) => (a - y) ** 2, factor: 2, of: "a", mean: true },
  binary_crossentropy: { factor: 1, of: "z", mean: true,
    term: (y, z) => Math.max(z, 0) - y * z + Math.log1p(Math.exp(-Math.abs(z))) },
  categorical_crossentropy: { term: (y, z, a, logOfA) => -y * logOfA, factor: 1, of: "z" },
};

// Dropout of a unit of a layer's a, which is kept or not, and the way back.
const dropout = ({ dropout: p, alpha_dropout: q }) => {
  const limit = -SELU_SCALE * SELU_ALPHA; // the value that alpha dropout gives to a unit it drops
  const scale = q ? 1 / Math.sqrt((1 - q) * (1 + q * limit ** 2)) : 1 / (1 - p);
  return {
    forward: (a, kept) => scale * (q ? (kept ? a : limit) - q * limit : kept * a),
    backward: (da, kept) => scale * kept * da,
  };
};

// A layer with its defaults; a frozen one has no penalty.
const withDefaults = (layer) => ({
  trainable: true, l1: 0, l2: 0, ...layer, ...(layer.trainable === false && { l1: 0, l2: 0 }),
});

// One step of gradient descent: every quantity by its name.
function step(network, parameters, x, y, learningRate, masks = {}) {
  const layers = network.layers.map(withDefaults), last = layers.length - 1;
  const quantities = {}, a = [x], inputs = [], z = [];
  let penalty = 0;
  layers.forEach(({ activation, alpha, l1, l2 }, l) => {
    const { W, b = W[0].map(() => 0) } = parameters[l], kept = masks[`a[${l}]`];
    inputs[l] = kept ? map(dropout(layers[l - 1]).forward, a[l], kept) : a[l];
    quantities[`z[${l}]`] = z[l] = product(inputs[l], W).map((row) => row.map((z, j) => z + b[j]));
    quantities[`a[${l + 1}]`] = a[l + 1] = ACTIVATIONS[activation].forward(z[l], alpha);
    penalty += sum(W.flat().map((W) => l1 * Math.abs(W) + l2 * W ** 2));
  });
  const { of, factor, mean, term } = LOSSES[network.loss];
  const divisor = y.length * (mean ? y[0].length : 1);
  const terms = map(term, y, z[last], a[last + 1], z[last].map(logSoftmax));
  quantities.loss = sum(terms.map(sum)) / divisor + penalty;
  let back = map((a, y) => (factor * (a - y)) / divisor, a[last + 1], y);
  for (let l = last; l >= 0; l--) {
    const { activation, alpha, trainable, fixed_bias: fixedBias, l1, l2 } = layers[l];
    const { W, b = W[0].map(() => 0) } = parameters[l], kept = masks[`a[${l}]`];
    const fromLogits = l === last && of === "z";
    const dz = fromLogits ? back : ACTIVATIONS[activation].backward(back, z[l], a[l + 1], alpha);
    const ofPenalty = map((W) => l1 * Math.sign(W) + 2 * l2 * W, W);
    const dW = map((dW, ofPenalty) => dW + ofPenalty, product(transpose(inputs[l]), dz), ofPenalty);
    const db = transpose(dz).map(sum);
    Object.assign(quantities, { [`dz[${l}]`]: dz, [`dW[${l}]`]: dW, [`db[${l}]`]: db });
    const moved = b.map((b, j) => b - learningRate * db[j]);
    quantities[`W_next[${l}]`] = trainable ? map((W, dW) => W - learningRate * dW, W, dW) : W;
    quantities[`b_next[${l}]`] = trainable && !fixedBias ? moved : b;
    back = product(dz, transpose(W));
    if (kept) back = map(dropout(layers[l - 1]).backward, back, kept);
  }
  return { ...quantities, dx: back };
}

const within = (own, other, bound) => Array.isArray(own)
  ? own.every((item, i) => within(item, other[i], bound[i]))
  : typeof other === "number" && Math.abs(own - other) <= bound; // null is NaN or infinity

const count = { passed: 0, failed: 0, skipped: 0 };
const folder = process.argv[2];
for (const file of readdirSync(folder).filter((name) => name !== "schema.json")) {
  for (const group of JSON.parse(readFileSync(`${folder}/${file}`, "utf8")).groups) {
    const { network, parameters, x, y, learning_rate: learningRate, masks, tests } = group;
    const known = network.layers.every((layer) => layer.activation in ACTIVATIONS);
    if (network.dtype !== "float64" || group.training || !known || !(network.loss in LOSSES)) {
      count.skipped += tests.length;
      continue;
    }
    const own = step(network, parameters, x, y, learningRate, masks);
    const bounds = tests.find((test) => test.result === "valid").quantities;
    for (const { tcId, comment, result, quantities } of tests) {
      const right = Object.entries(quantities).every(([name, array]) =>
        within(own[name], array.decimal ?? array, bounds[name].bound));
      const ok = right === (result === "valid");
      count[ok ? "passed" : "failed"]++;
      if (!ok) console.error(`${file}, test ${tcId}: ${comment}`);
    }
  }
}
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed ? 1 : 0);
