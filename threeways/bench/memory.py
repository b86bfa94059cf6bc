"""How much memory a run of an implementation takes, over what its framework takes by itself."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from threeways.bench.timing import Size, our_fit
from threeways.implementations import load
from threeways.progress import OnProgress

TINY = Size((2, 2, 2), 1, 1)
LARGE = Size((784, 512, 512, 10), 125, 480)


@dataclass(frozen=True)
class Memory:
    """The peak of a process that fits a network, in bytes.

    Args:
        peak: of that process.
        framework: of one that fits a tiny network.
        allowed: what their difference may be.
    """

    peak: int
    framework: int
    allowed: int

    @property
    def run(self) -> int:
        """What the fit takes."""
        return self.peak - self.framework

    @property
    def ratio(self) -> float:
        """What the fit takes, to what it may."""
        return self.run / self.allowed


def memory(size: Size, names: Sequence[str], on_progress: OnProgress) -> dict[str, Memory]:
    """What each implementation takes, every run in a process of its own."""
    found = {}
    for done, name in enumerate(names, 1):
        found[name] = Memory(_peak_of(name, size), _peak_of(name, TINY), allowed(size))
        on_progress(done, len(names))
    return found


def allowed(size: Size) -> int:
    """The data + 4 × (the parameters + a batch's activations).

    The data are x and y once, in the network's dtype; the activations are a[0..L] of one batch.
    """
    case = size.case()
    itemsize = case.parameters[0].W.itemsize
    data = (case.dataset.x.size + case.dataset.y.size) * itemsize
    parameters = sum(W.nbytes + b.nbytes for W, b in case.parameters)
    return data + 4 * (parameters + size.rows * sum(size.widths) * itemsize)


def _peak_of(name: str, size: Size) -> int:
    numbers = [*size.widths, size.rows, size.batches]
    run = subprocess.run(
        [sys.executable, "-m", "threeways.bench.memory", name, *map(str, numbers)],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(run.stdout)


def peak() -> int:
    """The most bytes that this process has held at once.

    Linux counts for ``getrusage`` what the parent held before this process was its own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (kilobytes,) = re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())
        return 1024 * int(kilobytes)
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


if __name__ == "__main__":
    name, *numbers = sys.argv[1:]
    *widths, rows, batches = map(int, numbers)
    (package,) = load([name]).values()
    our_fit(package, Size(tuple(widths), rows, batches).case())(lambda *_: None)
    print(peak())
