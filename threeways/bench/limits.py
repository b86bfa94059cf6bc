"""The limits that ``threeways bench`` holds implementations to, of time and of memory."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from threeways.bench.workloads import Size

FLOAT32_BYTES = 4


@dataclass(frozen=True)
class TimeLimit:
    """The most time that a step may take.

    Args:
        name: of the implementation.
        baseline: that it is measured by.
        size: of the network and its batches.
        most: how many times as long as the baseline's.
        note: what else there is to say of the run.
        cores: that matrix products may use; all unless given.
    """

    name: str
    baseline: str
    size: Size
    most: float
    note: str = ""
    cores: int | None = None

    @property
    def network(self) -> str:
        """The run in words, as ``784-128-10, 128 rows, one core``."""
        notes = [self.note, "one core" if self.cores == 1 else ""]
        return ", ".join(filter(None, [str(self.size), *notes]))

    def __str__(self) -> str:
        times = "" if self.most == 1 else f"{factor(self.most)} {'times ' * (self.most > 1)}"
        most = f"{times}as long as one of {self.baseline}"
        return f"a step of {self.name} takes at most {most} ({self.network})"


@dataclass(frozen=True)
class MemoryLimit:
    """The most memory that a run may take, beyond what its framework takes by itself.

    Args:
        name: of the implementation.
        size: of the network and its data.
        most: how many times as much as is allowed.
    """

    name: str
    size: Size
    most: float

    @property
    def network(self) -> str:
        """The run in words, as ``784-10, 125 rows, 60,000 in all``."""
        return f"{self.size}, {self.size.rows * self.size.batches:,} in all"

    @property
    def allowed(self) -> int:
        """The bytes of the data + 4 × (the parameters + a batch's activations), in float32.

        The data are x and y once; the activations are a[0..L] of one batch.
        """
        widths, rows, batches = self.size
        data = rows * batches * (widths[0] + widths[-1])
        parameters = sum((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(widths))
        return FLOAT32_BYTES * (data + 4 * (parameters + rows * sum(widths)))

    def __str__(self) -> str:
        times = "" if self.most == 1 else f"{factor(self.most)} times "
        return f"a run of {self.name} takes at most {times}the allowed memory ({self.network})"


def factor(most: float) -> str:
    """A limit as one reads it: ``1/3``, ``1``, ``1.35``."""
    parts = round(1 / most) if most else 0
    return f"1/{parts}" if parts > 1 and most * parts == 1 else f"{most:g}"


SMALL = Size((64, 32, 10), 32, 500)
# The same, with so many steps that TensorFlow's are compiled by XLA, as JAX's always are.
LONG = Size((64, 32, 10), 32, 3400)
TINY = Size((2, 2, 2), 1, 500)
MEDIUM = Size((784, 128, 10), 128, 100)
TIME_LIMITS = (
    TimeLimit("numpy", "scikit-learn", SMALL, 1 / 3),
    TimeLimit("numpy", "PyTorch", SMALL, 1 / 4),
    TimeLimit("tf", "keras.fit", SMALL, 1 / 10, "without XLA"),
    TimeLimit("keras", "keras.fit", SMALL, 1 / 2),
    TimeLimit("tf", "keras.fit", LONG, 1 / 15, "with XLA"),
    TimeLimit("tf", "JAX", LONG, 1.4, "with XLA"),
    TimeLimit("numpy", "PyTorch", TINY, 1),
    TimeLimit("numpy", "bare products", MEDIUM, 1.35, cores=1),
)

LARGE = Size((784, 512, 512, 10), 125, 480)
MEMORY_LIMITS = (
    MemoryLimit("numpy", LARGE, 1),
    MemoryLimit("tf", LARGE, 1.35),
    MemoryLimit("keras", LARGE, 1.1),
)
