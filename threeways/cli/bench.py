"""``threeways bench``: what training costs, against other libraries and as networks grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from threeways.cli.options import CASE, IMPLEMENTATIONS, load_network

if TYPE_CHECKING:
    from shared import Case


@click.command()
@click.argument("case", required=False, metavar="[CASE|FILE.toml]", type=CASE)
@IMPLEMENTATIONS
def bench(case: str | None, implementations: str) -> int:
    """Measure what training costs, in time and in memory.

    It is compared with other libraries, where they are installed, and measured as networks grow.
    With a case, only what a step of it costs.
    """
    from threeways.report.progress import waiting

    with waiting("loading NumPy"):
        from threeways.implementations import choose

        names = choose(implementations)
        network = load_network(case, "a chain of functions has no training") if case else None
    if network:
        _bench_case(network, names)
    else:
        _bench_limits(names)
    return 0


def _bench_case(case: Case, names: list[str]) -> None:
    from functools import partial

    from threeways.bench.baselines import BASELINES
    from threeways.bench.growth import axes_of, growth
    from threeways.bench.timing import time_in_turns
    from threeways.bench.workloads import of_many_batches
    from threeways.report import benchmarks as tables
    from threeways.report.console import console
    from threeways.report.progress import counted

    out = console()
    with counted("turns") as on_progress:
        make_case = partial(of_many_batches, case)
        timings = time_in_turns(make_case, [*names, *BASELINES], on_progress)
    tables.print_timings(case, timings, names, out)
    with counted("sizes") as on_progress:
        grown = growth(axes_of(case), names, on_progress)
    tables.print_growth(*grown, out)


def _bench_limits(names: list[str]) -> None:
    from threeways.bench import limits
    from threeways.bench.growth import AXES, growth
    from threeways.bench.memory import memory
    from threeways.bench.ratios import ratios
    from threeways.report import benchmarks as tables
    from threeways.report.console import console
    from threeways.report.progress import counted

    out = console()
    of_time = [limit for limit in limits.TIME_LIMITS if limit.name in names]
    of_memory = [limit for limit in limits.MEMORY_LIMITS if limit.name in names]
    with counted("turns") as on_progress:
        times, left_out = ratios(of_time, on_progress)
    tables.print_ratios(times, left_out, out)
    with counted("memory") as on_progress:
        memories, left_out = memory(of_memory, on_progress)
    tables.print_memory(memories, left_out, out)
    with counted("sizes") as on_progress:
        grown = growth(AXES, names, on_progress)
    tables.print_growth(*grown, out)
    tables.print_summary([*of_time, *of_memory], [*times, *memories], out)
