"""The data sets: the lectures' tables and gates, generated shapes, and real measurements.

Features and targets are 2-D float64: x (N, D[0]) and y (N, D[L]); classes are one-hot rows.
scikit-learn and Keras are imported only by the data sets that come from them.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shared.arrays import Array, all_finite, real_numbers
from shared.csv_table import parse_csv
from shared.errors import InputError, unknown
from shared.frameworks import importing_frameworks
from shared.labels import are_labels
from shared.npz import MOST_MEMORY, read_npz
from shared.reading import opened, read_text


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of features x (N, D[0]) with their targets y (N, D[L]), and a name.

    float32 arrays stay float32; all others become float64.

    Args:
        name: its name in messages.
        x: features, (N, D[0]).
        y: targets, (N, D[L]).
        image_shape: (H, W) with H·W = D[0], if each row of x holds the pixels of an image.

    Raises:
        InputError: x or y is not 2-D, is empty, or holds NaN or infinity; they differ in rows; or
            the rows do not fit the shape of the images.
    """

    name: str
    x: Array
    y: Array
    image_shape: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        problems: list[str] = []
        for name in ("x", "y"):
            try:
                values = real_numbers(name, getattr(self, name))
            except InputError as error:
                problems += error.problems
                continue
            object.__setattr__(self, name, values)
            if np.ndim(values) != 2:
                problems.append(f"{name}: expected shape (N, D), got {np.shape(values)}")
            elif np.size(values) == 0:
                problems.append(f"{name}: empty, of shape {np.shape(values)}")
            elif not all_finite(values):
                row, column = np.argwhere(~np.isfinite(values))[0]
                problems.append(
                    f"{name}[{row},{column}]: {values[row, column]} is not a finite number"
                )
        if not problems and len(self.x) != len(self.y):
            problems.append(f"x has {len(self.x)} rows, y has {len(self.y)}")
        if not problems and self.image_shape is not None:
            n_pixels = self.x.shape[1]
            if math.prod(self.image_shape) != n_pixels:
                problems.append(f"image_shape: {self.image_shape} does not fit {n_pixels} pixels")
        if problems:
            raise InputError(*(f"data set {self.name!r}: {problem}" for problem in problems))

    def __len__(self) -> int:
        return len(self.x)

    def split(self, share: float, seed: int = 0) -> tuple[Dataset, Dataset]:
        """Two data sets: most of the rows, and a random share of them, as for validation.

        Both keep the order of the rows.

        Args:
            share: the share of the second, which has round(share·N) of the N rows.
            seed: the seed of the random generator.

        Raises:
            InputError: one of the two would have no rows.
        """
        n_rows = len(self)
        if not (0 < share < 1 and 0 < round(share * n_rows) < n_rows):
            raise InputError(
                f"data set {self.name!r}: a share of {share} of {n_rows} rows leaves no data"
            )
        in_part = np.arange(n_rows) < round(share * n_rows)
        np.random.default_rng(seed).shuffle(in_part)
        return self._rows(~in_part), self._rows(in_part)

    def _rows(self, rows: Array) -> Dataset:
        return dataclasses.replace(self, x=self.x[rows], y=self.y[rows])

    def as_autoencoder(self) -> Dataset:
        """The same rows x (N, D[0]) as their own targets, for an autoencoder to reconstruct."""
        return dataclasses.replace(self, y=self.x)


# Returns x, (N, D[0]) or images (N, H, W), and y, (N, D[L]).
Loader = Callable[[], tuple[Any, Any]]
# By name: a title, and the loader.
DATASETS: dict[str, tuple[str, Loader]] = {}
# The name under which to install a module, where it is another.
PACKAGES = {"sklearn": "scikit-learn"}


def load_dataset(name: str) -> Dataset:
    """The data set called ``name``.

    Raises:
        InputError: there is no such data set, it needs a package that is not installed, or it could
            not be downloaded.
    """
    if name not in DATASETS:
        raise InputError(unknown(name, "a data set", DATASETS, "`threeways datasets`"))
    return _load(name)


def missing_package(problem: str) -> str:
    """The package that a data set needs, from the line that says so; empty of any other line."""
    match = re.search(r": needs (\S+); pip install \1$", problem)
    return match[1] if match else ""


@functools.cache
def _load(name: str) -> Dataset:
    try:
        data = DATASETS[name][1]()
    except ModuleNotFoundError as error:
        module = str(error.name).partition(".")[0]
        package = PACKAGES.get(module, module)
        raise InputError(f"data set {name!r}: needs {package}; pip install {package}") from None
    x, y = (np.asarray(values, dtype=np.float64) for values in data)
    x.flags.writeable = y.flags.writeable = False  # cached: all callers share them
    if x.ndim == 3:
        return Dataset(name, x.reshape(len(x), -1), y, image_shape=x.shape[1:])
    return Dataset(name, x, y)


def read_data_file(path: Path, n_targets: int) -> Dataset:
    """The data set in a CSV file with a line of headings, or in an ``.npz`` file with x and y.

    Args:
        path: the path of the file.
        n_targets: the number of targets in a CSV file, which are its last columns; 0 for an
            autoencoder, whose targets are its features.

    Raises:
        InputError: the file is missing, cannot be read, or has no such data in it.
    """
    try:
        x, y = _of_npz(path) if path.suffix.lower() == ".npz" else _of_csv(path, n_targets)
    except InputError as error:
        raise error.within(f"{path}: ") from None
    return Dataset(str(path), x, y)


def _of_npz(path: Path) -> tuple[Array, Array]:
    with opened(path, MOST_MEMORY) as file:
        x, y = read_npz(file, MOST_MEMORY, ("x", "y")).values()
    if y.ndim == 1:
        y = y.reshape(-1, 1)  # a number for each row is a target for one output, or a label
    for values in (x, y):
        if values.dtype.kind not in "biuf":
            raise InputError(f"holds {values.dtype} instead of numbers")
    with np.errstate(over="ignore"):  # of larger floats, which become infinite
        return x.astype(np.float64), y.astype(np.float64)


def _of_csv(path: Path, n_targets: int) -> tuple[Array, Array]:
    table = parse_csv(read_text(path))
    if table.shape[1] <= n_targets:
        hint = "; if the last one holds labels, say labels = true" * are_labels(
            table[:, -1], n_targets
        )
        raise InputError(
            f"{table.shape[1]} columns leave no features beside {n_targets} targets{hint}"
        )
    if not n_targets:
        return table, table
    return table[:, :-n_targets], table[:, -n_targets:]


def one_hot(classes: Array) -> Array:
    """Rows (N, K) with a single 1 each, from class numbers (N,) in 0 .. K-1.

    >>> one_hot(np.array([0, 2]))
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    return np.eye(int(classes.max()) + 1)[classes]


def _add(name: str, title: str) -> Callable[[Loader], Loader]:
    def add(loader: Loader) -> Loader:
        DATASETS[name] = (title, loader)
        return loader

    return add


_GATES = {"or": (0, 1, 1, 1), "and": (0, 0, 0, 1), "xor": (0, 1, 1, 0)}


def _gate(name: str, bipolar: bool) -> Loader:
    def load() -> tuple[Array, Array]:
        x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        y = np.array(_GATES[name])[:, np.newaxis]
        return (2 * x - 1, 2 * y - 1) if bipolar else (x, y)

    return load


for _name in _GATES:
    _add(_name, f"{_name.upper()} of two bits, 0 and 1")(_gate(_name, bipolar=False))
    _add(f"{_name}_bipolar", f"{_name.upper()} of two bits, -1 and 1")(_gate(_name, bipolar=True))


@_add("buildings", "UIO-9: a building's energy use by temperature and number of people, scaled")
def _buildings() -> tuple[Any, Any]:
    celsius = np.array([10, 5, 20, -5, 30])
    people = np.array([50, 30, 70, 20, 90])
    energy = np.array([2700, 1700, 3700, 1200, 4700])
    return np.column_stack([(celsius + 10) / 50, people / 100]), energy[:, np.newaxis] / 10_000


def _sklearn_generated(generator: str, **options: Any) -> tuple[Array, Array]:
    import sklearn.datasets

    x, classes = getattr(sklearn.datasets, generator)(random_state=0, **options)
    return x, classes


@_add("moons", "two interleaved half circles, 200 points")
def _moons() -> tuple[Any, Any]:
    x, classes = _sklearn_generated("make_moons", n_samples=200, noise=0.1)
    return x, classes[:, np.newaxis]


@_add("circles", "a circle within a circle, 200 points")
def _circles() -> tuple[Any, Any]:
    x, classes = _sklearn_generated("make_circles", n_samples=200, noise=0.1, factor=0.5)
    return x, classes[:, np.newaxis]


@_add("blobs", "three clouds in the plane, 150 points")
def _blobs() -> tuple[Any, Any]:
    x, classes = _sklearn_generated("make_blobs", n_samples=150, centers=3)
    return _standardise(x), one_hot(classes)


@_add("spiral", "two intertwined spirals, 200 points")
def _spiral() -> tuple[Any, Any]:
    angle = np.linspace(0.25, 2, 100)[:, np.newaxis]  # in half circles
    arm = angle / 2 * np.hstack([np.cos(np.pi * angle), np.sin(np.pi * angle)])
    return np.vstack([arm, -arm]), np.repeat([[0], [1]], 100, axis=0)


def _standardise(columns: Array) -> Array:
    """The columns (N, D), each shifted and scaled to mean 0 and variance 1."""
    return np.asarray((columns - columns.mean(axis=0)) / columns.std(axis=0))


@_add("digits", "handwritten digits, 8x8 pixels in [0, 1], 10 classes (scikit-learn)")
def _digits() -> tuple[Any, Any]:
    table = _digits_file()
    if table.is_file():
        rows = np.loadtxt(table, delimiter=",")
        pixels, classes = rows[:, :-1], rows[:, -1].astype(int)
    else:
        from sklearn.datasets import load_digits

        pixels, classes = load_digits(return_X_y=True)
    return pixels.reshape(-1, 8, 8) / 16, one_hot(classes)


def _digits_file() -> Path:
    """Where scikit-learn keeps them, which takes long to import."""
    found = importlib.util.find_spec("sklearn")
    if not found or not found.origin:
        return Path()
    return Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"


def _five_digits(first: int) -> tuple[Any, Any]:
    images, classes = _digits()
    five = classes[:, first : first + 5]
    rows = five.any(axis=1)
    return images[rows], five[rows]


for _first in (0, 5):
    _add(
        f"digits_{_first}_to_{_first + 4}",
        f"only the digits {_first} to {_first + 4}, 8x8 pixels in [0, 1], 5 classes (scikit-learn)",
    )(functools.partial(_five_digits, _first))


@_add("iris", "three species of iris by 4 measurements, standardised (scikit-learn)")
def _iris() -> tuple[Any, Any]:
    from sklearn.datasets import load_iris

    data = load_iris()
    return _standardise(data.data), one_hot(data.target)


@_add("wine", "three cultivars of wine by 13 measurements, standardised (scikit-learn)")
def _wine() -> tuple[Any, Any]:
    from sklearn.datasets import load_wine

    data = load_wine()
    return _standardise(data.data), one_hot(data.target)


@_add(
    "breast_cancer", "malignant (0) or benign (1) by 30 measurements, standardised (scikit-learn)"
)
def _breast_cancer() -> tuple[Any, Any]:
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    return _standardise(data.data), data.target[:, np.newaxis]


@_add("diabetes", "progression of diabetes by 10 measurements, all standardised (scikit-learn)")
def _diabetes() -> tuple[Any, Any]:
    from sklearn.datasets import load_diabetes

    data = load_diabetes()
    return _standardise(data.data), _standardise(data.target[:, np.newaxis])


@_add("mnist", "60,000 handwritten digits, 28x28 pixels in [0, 1] (downloaded through Keras)")
def _mnist() -> tuple[Any, Any]:
    return _through_keras("mnist")


@_add(
    "fashion_mnist", "60,000 pieces of clothing, 28x28 pixels in [0, 1] (downloaded through Keras)"
)
def _fashion_mnist() -> tuple[Any, Any]:
    return _through_keras("fashion_mnist")


def _through_keras(name: str) -> tuple[Array, Array]:
    try:
        with importing_frameworks():
            import keras
    except ImportError:
        raise InputError(
            f"data set {name!r}: needs Keras to download it; pip install keras tensorflow"
        ) from None
    try:
        (images, classes), _ = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise InputError(
            f"data set {name!r}: could not be downloaded ({str(error).splitlines()[0]})"
        ) from None
    return images / 255, one_hot(classes)
