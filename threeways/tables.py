"""The tables that the commands print."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from shared import DATASETS, Case, ChainRuleCase
from threeways.agreement import Agreement
from threeways.bench import Growth, Ratio
from threeways.checkpoints import Stage
from threeways.compare import Result
from threeways.judge import Worst
from threeways.memory import Memory
from threeways.outcome import Outcome, Trained, Verdict
from threeways.timing import Contest, Size
from threeways.train import Learner

DIFFERENCE = ("quantity", "apart", "bound")

# Columns that a table needs to show times too.
WIDE = 110


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # for the command to end by; rich would exit with 1, a failure here


def console() -> Console:
    """A console that does not fold tables when its output goes into a file or a pipe."""
    width = shutil.get_terminal_size().columns
    return _Console(width=None if Console().is_terminal else max(width, 160), highlight=False)


def _table(columns: Iterable[str], numeric: Iterable[str] = ()) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in numeric else "left", no_wrap=True)
    return table


def print_comparison(results: Sequence[Result], out: Console) -> None:
    """A table for each dtype: every comparison where cases are few, else a row a case."""
    few = len({result.case for result in results}) <= 3
    for dtype in dict.fromkeys(result.dtype for result in results):
        chosen = [result for result in results if result.dtype == dtype]
        out.print(f"\n{dtype}: the worst of each step, in units of eps at the array's scale")
        out.print(_every_comparison(chosen) if few else _row_a_case(chosen, out.width >= WIDE))
    if not few:
        out.print("Δ: the worst of each implementation, from the exact value")
    out.print(_summary(results))


def _every_comparison(results: Sequence[Result]) -> Table:
    names = list(results[0].seconds_per_step)
    table = _table(["case", "of", *DIFFERENCE, "", *names], [*DIFFERENCE[1:], *names])
    for result in results:
        comparisons = [(f"{pair.a} {pair.b}", pair.worst) for pair in result.pairs]
        comparisons += [(f"{name} exact", worst) for name, worst in result.exact.items()]
        for i, (of, worst) in enumerate(comparisons):
            times = [] if i else _times(result)
            table.add_row("" if i else result.case, of, *_difference(worst), *times)
    return table


def _row_a_case(results: Sequence[Result], with_times: bool) -> Table:
    names = list(results[0].seconds_per_step)
    from_exact = [f"Δ{name}" for name in names]
    pairwise = list(DIFFERENCE) if results[0].pairs else []
    times = names if with_times else []
    columns = ["case", *pairwise, *from_exact, "", *times]
    table = _table(columns, [*pairwise[1:], *from_exact, *times])
    for result in results:
        cells = []
        if result.pairs:
            cells = _difference(max((pair.worst for pair in result.pairs), key=_ratio))[:-1]
        cells += [_number(worst.difference_eps) for worst in result.exact.values()]
        table.add_row(
            result.case, *cells, _verdict(result.ok), *(_times(result) if with_times else [])
        )
    return table


def _difference(worst: Worst) -> list[str]:
    numbers = [_number(worst.difference_eps), _number(worst.bound_eps)]
    return [_element(worst), *numbers, _verdict(worst.ratio <= 1)]


def _verdict(ok: bool) -> str:
    return "[green]ok[/]" if ok else "[bold red]differs[/]"


def _ratio(worst: Worst) -> float:
    return worst.ratio


def _times(result: Result) -> list[str]:
    return [_seconds(seconds) for seconds in result.seconds_per_step.values()]


def _summary(results: Sequence[Result]) -> str:
    cases = _count(len({result.case for result in results}), "case")
    dtypes = " and ".join(dict.fromkeys(result.dtype for result in results))
    steps = [
        (result, name, "exact", worst) for result in results for name, worst in result.exact.items()
    ]
    pairs = [(result, pair.a, pair.b, pair.worst) for result in results for pair in result.pairs]
    tried = f"\n{cases} in {dtypes}: {_count(len(steps), 'step')} held to the exact one"
    tried += f", {_count(len(pairs), 'pair')} to each other:\n" if pairs else ":\n"
    failed = [comparison for comparison in steps + pairs if not comparison[-1].ratio <= 1]
    if not failed:
        share = max(worst.ratio for *_, worst in steps + pairs)
        return tried + f"[green]all agree[/], the worst at {share:.0%} of its bound."
    lines = [tried + f"[bold red]{len(failed)} differ[/] by more than rounding explains."]
    for result, a, b, worst in failed[:5]:
        lines.append(
            f"{result.case} {result.dtype}, {_element(worst)}: {a} {worst.a!r}, {b} {worst.b!r}"
        )
    return "\n".join(lines)


def print_start(stage: Stage, learners: Sequence[Learner], out: Console) -> None:
    """What this stage of a training is for, and what it goes on from."""
    case = stage.case
    if stage.copied:
        copied = "1 layer is" if stage.copied == 1 else f"{stage.copied} layers are"
        out.print(f"{case.name} first: {copied} copied from it")
    for learner in learners if stage.saved else ():
        epochs = f"{learner.made} of {case.training.epochs}"
        does = "is complete" if learner.is_over else "goes on" if learner.made else "starts"
        out.print(f"{learner.name} {does} after epoch {epochs}")


def stopped(stage: Stage, learners: Sequence[Learner]) -> str:
    """After which epoch a training was stopped."""
    made = {learner.made: "" for learner in learners}
    if len(made) > 1:
        for epochs in made:
            names = [learner.name for learner in learners if learner.made == epochs]
            made[epochs] = f" ({', '.join(names)})"
    after = " and ".join(f"{epochs}{names}" for epochs, names in made.items())
    of = f" of {stage.case.name}" if stage.copied else ""
    return f"Stopped after epoch {after} of {stage.case.training.epochs}{of}"


def print_training(outcome: Outcome, out: Console) -> None:
    """A row an implementation, a row each two, then how each ended and whether goals were met."""
    case, runs = outcome.case, outcome.runs
    columns: dict[str, Callable[[Trained], str]] = {
        "first loss": lambda run: f"{run.history.loss[0]:.6g}",
        "last loss": lambda run: f"{run.history.loss[-1]:.6g}",
    }
    if case.training.patience:
        columns["best loss"] = lambda run: f"{run.loss:.6g}"
    if any(run.accuracy is not None for run in runs):
        columns["accuracy"] = lambda run: _share(run.accuracy)
    if any(run.test_accuracy is not None for run in runs):
        columns["test"] = lambda run: _share(run.test_accuracy)
    columns["a step"] = lambda run: _duration(run.seconds_per_step)
    table = _table(["", *columns], columns)
    for run in runs:
        table.add_row(run.name, *(cell(run) for cell in columns.values()))
    out.print(f"\n{case.name}: {_count(case.training.epochs, 'epoch')} in {case.dtype}")
    out.print(table)

    numeric = ["after epoch", "apart", "eps"]
    table = _table(["furthest apart", "after epoch", "in", "apart", "eps"], numeric)
    for pair in outcome.apart:
        if at := pair.furthest:
            where = [str(at.epoch), at.parameter.replace("[", "\\[")] if at.difference else ["", ""]
            numbers = f"{at.difference:.2g}", _number(at.eps)
            table.add_row(f"{pair.a} {pair.b}", *where, *numbers)
    if table.row_count:
        out.print()
        out.print(table)
    endings: dict[str, list[str]] = {}
    for run in runs:
        endings.setdefault(_ending(case, run), []).append(run.name)
    lines = [f"{', '.join(names)}: {ending}" for ending, names in endings.items() if ending]
    lines += [_goal(verdict) for verdict in outcome.verdicts]
    if lines:
        out.print("", *lines, sep="\n")


def print_agreement(found: Sequence[Agreement], out: Console) -> None:
    """A row each two: where in the run they came nearest to what rounding explains."""
    numeric = ["after epoch", "apart", "bound"]
    table = _table(["agreement", "after epoch", "in", "apart", "bound", ""], numeric)
    for each in found:
        where = [str(each.epoch), each.quantity.replace("[", "\\[")]
        numbers = [f"{each.difference:.2g}", f"{each.bound:.2g}"]
        table.add_row(f"{each.a} {each.b}", *where, *numbers, _verdict(each.ratio <= 1))
    out.print()
    out.print(table)
    since = found[0].chaotic_from
    if since is not None:
        out.print(f"chaotic: from epoch {since} on rounding decides, and only losses are compared")


def _ending(case: Case, run: Trained) -> str:
    """How a run ended, unless it just made all of its epochs."""
    epochs, diverged_at = len(run.history.loss), run.history.diverged_at
    if diverged_at is not None:
        epoch = diverged_at // run.steps_per_epoch + 1
        at = f"at step {diverged_at + 1} (epoch {epoch})"
        return f"[bold red]diverged[/] {at}: try a smaller learning rate"
    if case.training.patience:
        return f"early stopping: best epoch {run.epoch + 1} of {epochs}"
    if not case.network.has_perceptron_rule:
        return ""
    if not run.makes_errors:
        return f"no errors after epoch {epochs}"
    why = "no line separates these, or more epochs are needed"
    return f"still errors after all {epochs} epochs: {why}"


def _goal(verdict: Verdict) -> str:
    what, limit = verdict.what.replace("_", " "), verdict.limit
    goal = f"at most {limit:g}" if what == "loss" else f"at least {100 * limit:g}%"
    if not verdict.missed:
        return f"goal: {what} {goal}: [green]reached[/]"
    show = (lambda number: f"{number:.6g}") if what == "loss" else _share
    missed = ", ".join(f"{name} ({show(number)})" for name, number in verdict.missed.items())
    return f"goal: {what} {goal}: [bold red]missed[/] by {missed}"


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}"


def print_ratios(found: Sequence[Ratio], left_out: Sequence[str], out: Console) -> None:
    """A row a limit, then a line for each peer that is left out."""
    numeric = ["a step", "peer's", "ratio", "at most"]
    table = _table(["", "peer", "network", *numeric, ""], numeric)
    for each in found:
        limit = each.limit
        times = _duration(each.seconds), _duration(each.peer_seconds)
        held = _held(each.ratio, limit.most)
        table.add_row(limit.name, limit.peer, limit.network, *times, *held)
    out.print("\nfit: the time of a step, and its ratio to a peer's")
    out.print(table)
    for line in left_out:
        out.print(line)


def print_contest(case: Case, held: Contest, names: Sequence[str], out: Console) -> None:
    """A row for each that took turns: its time, and an implementation's ratio to each peer."""
    peers = [name for name in held.rounds if name not in names]
    numeric = ["a step", *(f"/ {peer}" for peer in peers)]
    table = _table(["", *numeric], numeric)
    for name in held.rounds:
        compared = [f"{held.ratio(name, peer):.3g}" for peer in peers] if name in names else []
        table.add_row(name, _duration(held.seconds(name)), *compared)
    out.print(f"\n{case.name}: the time of a step of fit in {case.dtype}, and its ratio to peers'")
    out.print(table)
    for line in held.left_out:
        out.print(line)


def print_memory(found: Mapping[str, Memory], size: Size, out: Console) -> None:
    """A row an implementation: what its run takes besides the framework's own, and what it may."""
    numeric = ["peak", "framework", "run", "may be", "ratio", "at most"]
    table = _table(["", *numeric, ""], numeric)
    for name, memory in found.items():
        parts = (memory.peak, memory.framework, memory.run, memory.allowed)
        table.add_row(name, *(f"{part / 1e6:,.0f} MB" for part in parts), *_held(memory.ratio, 1))
    out.print(f"\nfit: the memory of {size.rows * size.batches:,} rows in {size}")
    out.print(table)
    out.print("It may be the data and 4 × (the parameters and the activations of a batch).")


def print_growth(found: Sequence[Growth], out: Console) -> None:
    """A table for each way to grow: a row an implementation, with its exponent."""
    for grown in found:
        sizes = [f"{size:,}" for size in grown.axis.sizes]
        table = _table([grown.axis.name, *sizes, "exponent"], [*sizes, "exponent"])
        for name, seconds in grown.seconds.items():
            table.add_row(name, *map(_duration, seconds), f"{grown.exponent(name):.2f}")
        out.print(f"\nfit: the time of {grown.axis.of}, as {grown.axis.name} grows")
        out.print(table)


def print_cases(cases: Sequence[Case | ChainRuleCase], out: Console) -> None:
    """A row a case: its name, its shape, its lectures and its title."""
    table = _table(["case", "network", "lectures"])
    table.add_column("title")
    for case in cases:
        shape = "-".join(map(str, case.network.widths)) if isinstance(case, Case) else "chain rule"
        table.add_row(case.name, shape, ", ".join(case.lectures), case.title)
    out.print(table)


def print_datasets(out: Console) -> None:
    """A row a data set: its name and what it holds."""
    table = _table(["data set"])
    table.add_column("what it holds")
    for name, (title, _) in DATASETS.items():
        table.add_row(name, title)
    out.print(table)


def _element(worst: Worst) -> str:
    index = ",".join(map(str, worst.index))
    return f"{worst.quantity}\\[{index}]" if index else worst.quantity.replace("[", "\\[")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "∞"
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def _held(ratio: float, most: float) -> list[str]:
    verdict = "[green]ok[/]" if ratio <= most else "[bold red]over[/]"
    return [f"{ratio:.3g}", f"{most:.3g}", verdict]


def _duration(seconds: float) -> str:
    for unit, one in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= one:
            return f"{seconds / one:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms"
