"""The command line: ``threeways compare``, ``train``, ``check`` and so on.

Exit codes: 0 success, 1 a comparison failed or a goal was missed, 2 the call or its input was
wrong, 130 Ctrl-C. A command imports what it needs when it runs, so that ``--help`` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import click

from threeways.address_space import shortage
from threeways.characters import visible
from threeways.cli.bench import bench
from threeways.cli.check import check
from threeways.cli.compare import compare
from threeways.cli.diagnose import diagnose
from threeways.cli.listings import list_cases, list_datasets
from threeways.cli.mistakes import mistakes
from threeways.cli.show import show
from threeways.cli.streams import OutputError, safe_streams
from threeways.cli.train import train
from threeways.cli.vectors import vectors

__all__ = ["main"]


class _Commands(click.Group):
    """A group of commands that print each error as a line on stderr, without usage or traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        options["standalone_mode"] = False
        with safe_streams():
            code = self._exit_code(*args, **options)
        sys.exit(code)

    def _exit_code(self, *args: Any, **options: Any) -> int:
        try:
            sys.stdout.flush()  # if it is closed, that is found out before the work
            code = super().main(*args, **options)
            sys.stdout.flush()
            return code or 0
        except click.Abort:
            click.echo("\nStopped." if sys.stderr.isatty() else "Stopped.", err=True)
            return 130
        except OutputError as error:
            if error.reader_has_gone:  # as by ``| head``: exit as if by SIGPIPE
                return 128 + 13
            return _fail([str(error)])
        except MemoryError:
            return _fail(["there is not enough memory for networks and data of this size"])
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            return 2
        except click.ClickException as error:
            return _fail([error.format_message().replace("\n", " ")])
        except ValueError as error:
            if not hasattr(error, "lines"):
                raise
            return _fail(error.lines)

    def invoke(self, ctx: click.Context) -> Any:
        """The exit code of the command that was called.

        click takes an EOFError for Ctrl-C, and any broken pipe for that of stdout.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.Abort from None
        except EOFError:
            raise click.ClickException("a process ended unexpectedly") from None
        except OSError as error:
            raise click.ClickException(_reason(error)) from None


def _fail(problems: Iterable[str]) -> int:
    for problem in problems:
        click.echo(f"Error: {visible(problem)}", err=True)
    return 2


def _reason(error: OSError) -> str:
    """What the operating system could not do, and to which file."""
    from threeways.files import reason

    if error.filename is None:
        return f"the system refuses: {reason(error)}"
    return f"{error.filename}: {reason(error)}"


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="threeways")
def main() -> None:
    """Compare neural networks in NumPy, low-level TensorFlow and Keras, number by number."""
    if problem := shortage():
        raise click.ClickException(problem)


COMMANDS = (
    *(compare, show, train, bench),
    *(diagnose, mistakes, check, vectors),
    *(list_cases, list_datasets),
)
for command in COMMANDS:
    main.add_command(command)
