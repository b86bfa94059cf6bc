"""``threeways bench``: what training costs, against other libraries and as networks grow."""

from __future__ import annotations

import click

from threeways.cli.options import IMPLEMENTATIONS, load_network


@click.command()
@click.argument("case", required=False, metavar="[CASE|FILE.toml]")
@IMPLEMENTATIONS
def bench(case: str | None, implementations: str) -> int:
    """Measure what training costs, against other libraries and as networks grow.

    With a case, what a step of it costs. Other libraries take part where they are installed.
    """
    from threeways.implementations import choose, load

    names = choose(implementations)
    if case:
        loaded = load_network(case, "a chain of functions has no training")
    packages = load(names)

    from threeways.bench import limits as measuring
    from threeways.bench.baselines import PEERS
    from threeways.bench.memory import LARGE, memory
    from threeways.bench.timing import contest, of_many_batches
    from threeways.report import benchmarks as tables
    from threeways.report.console import console
    from threeways.report.progress import counted

    out = console()
    if case:
        with counted("turns") as on_progress:
            held = contest(of_many_batches(loaded), packages, PEERS, on_progress)
        tables.print_contest(loaded, held, names, out)
        axes = measuring.axes_of(loaded)
    else:
        with counted("turns") as on_progress:
            ratios, left_out = measuring.ratios(measuring.LIMITS, packages, on_progress)
        tables.print_ratios(ratios, left_out, out)
        with counted("memory") as on_progress:
            found = memory(LARGE, names, on_progress)
        tables.print_memory(found, LARGE, out)
        axes = measuring.AXES
    with counted("sizes") as on_progress:
        grown = measuring.growth(axes, packages, on_progress)
    tables.print_growth(grown, out)
    return 0
