"""``python -m benchmarks.false_alarms``: how many correct steps of random networks the bound fails.

Each network's first step is made by the implementations and held to the exact one. Where one fails,
the network's number, quantity and element are printed; ``random_case`` makes it again.
"""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import click
import numpy as np
from rich.progress import track

from benchmarks.random_networks import random_case
from threeways.exact.judge import judge
from threeways.exact.oracle import exact_step
from threeways.implementations import choose, load, model


@dataclass(frozen=True)
class Verdict:
    """How near a step came to its bound, as a share of it, and where."""

    seed: int
    implementation: str
    share: float
    where: str


_packages: dict[str, ModuleType] = {}


def _load(names: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the frameworks' own, on import
        _packages.update(load(names))


def _verdicts(seed: int) -> list[Verdict]:
    case = random_case(seed)
    exact = exact_step(case)
    largest = np.finfo(case.dtype).max
    if any(np.abs(values).max() > largest for values in exact.values.values()):
        return []  # a right number that the dtype does not have
    verdicts = []
    for name, package in _packages.items():
        with np.errstate(all="ignore"):
            trace = model(package, case).step(*case.first_batch(), case.training)
        worst = judge(case, trace.quantities(), exact).worst_overall
        where = f"{worst.quantity}{list(worst.index)}: {worst.a!r}, exactly {worst.b!r}"
        verdicts.append(Verdict(seed, name, worst.ratio, where))
    return verdicts


def verdicts(names: list[str], first: int, networks: int) -> Iterator[Verdict]:
    """The verdicts on random networks, from number ``first`` on, of each implementation."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(os.cpu_count(), _load, (names,)) as pool:
        found = pool.imap_unordered(_verdicts, range(first, first + networks), chunksize=10)
        for each in track(found, "networks", total=networks):
            yield from each


@click.command()
@click.option("--networks", default=10_000, show_default=True)
@click.option("--first", default=0, show_default=True, help="The first network's number.")
@click.option("--implementations", default="numpy,tf,keras", show_default=True)
def main(networks: int, first: int, implementations: str) -> None:
    """Count the false alarms among random networks."""
    names = choose(implementations)
    shares: dict[str, list[float]] = {name: [] for name in names}
    for verdict in verdicts(names, first, networks):
        shares[verdict.implementation].append(verdict.share)
        if not verdict.share <= 1:
            print(f"network {verdict.seed}, {verdict.implementation}, {verdict.where}")
    for name, found in shares.items():
        alarms = sum(not share <= 1 for share in found)
        at = ", ".join(f"{q} % at {np.quantile(found, q / 100):.2f}" for q in (50, 90, 99))
        print(f"{name}: {alarms} false alarms in {len(found)} steps; of the bound, {at}")


if __name__ == "__main__":
    main()
