"""How much memory a run of an implementation takes, beyond what its framework takes by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from threeways.bench.baselines.base import LeftOut
from threeways.bench.limits import MemoryLimit
from threeways.bench.process import TrainingProcess
from threeways.bench.workloads import Size
from threeways.progress import OnProgress

# A network that takes no memory to speak of.
NOTHING = Size((2, 2, 2), 1, 1)


@dataclass(frozen=True)
class Memory:
    """The peak memory of a process that trains, in bytes.

    Args:
        limit: that it is held to.
        peak: of that process.
        framework: of a process that trains a tiny network.
    """

    limit: MemoryLimit
    peak: int
    framework: int
    is_disturbed: ClassVar[bool] = False  # nothing that other processes do changes it

    @property
    def run(self) -> int:
        """The memory that the run itself takes, in bytes."""
        return self.peak - self.framework

    @property
    def ratio(self) -> float:
        """The ratio of the memory that the run takes to what is allowed."""
        return self.run / self.limit.allowed


def memory(
    limits: Sequence[MemoryLimit], on_progress: OnProgress
) -> tuple[list[Memory], list[str]]:
    """The memory of each limit's run, and a line for each one that is left out.

    Raises:
        InputError: an implementation's framework is not installed.
    """
    found = []
    left_out = []
    for done, limit in enumerate(limits, 1):
        try:
            found.append(Memory(limit, _peak(limit.name, limit.size), _peak(limit.name, NOTHING)))
        except LeftOut as reason:
            left_out.append(str(reason))
        on_progress(done, len(limits))
    return found, left_out


def _peak(name: str, size: Size) -> int:
    """The peak memory of a process that trains a network of this size, in bytes."""
    with TrainingProcess(name) as process:
        process.build(size.case)
        process.run()
        return process.peak_memory()
