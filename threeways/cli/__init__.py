"""The command line: ``threeways compare``, ``train``, ``check`` and so on.

Exit codes: 0 success, 1 a comparison failed or a goal was missed, 2 the call or its input was
wrong, 130 Ctrl-C. A command imports what it needs when it runs, so that ``--help`` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

import click

from threeways.address_space import shortage
from threeways.cli.bench import bench
from threeways.cli.check import check
from threeways.cli.compare import compare
from threeways.cli.diagnose import diagnose
from threeways.cli.listings import list_cases, list_datasets
from threeways.cli.train import train
from threeways.cli.vectors import vectors

__all__ = ["main"]


class _Commands(click.Group):
    """A group of commands that print each error as a line on stderr, without usage or traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        options["standalone_mode"] = False
        try:
            sys.exit(super().main(*args, **options))
        except (KeyboardInterrupt, click.Abort):
            click.echo("Stopped.", err=True)
            sys.exit(130)
        except BrokenPipeError:  # as by ``| head``: exit as if by SIGPIPE
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(128 + 13)
        except OSError as error:
            _fail([f"cannot write the output ({error.strerror or error})"])
        except MemoryError:
            _fail(["there is not enough memory for networks and data of this size"])
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(2)
        except click.ClickException as error:
            _fail([error.format_message().replace("\n", " ")])
        except ValueError as error:
            if not hasattr(error, "problems"):
                raise
            _fail(error.problems)


def _fail(problems: Iterable[str]) -> None:
    for problem in problems:
        click.echo(f"Error: {problem}", err=True)
    sys.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="threeways")
def main() -> None:
    """Compare neural networks in NumPy, low-level TensorFlow and Keras, number by number."""
    if problem := shortage():
        raise click.ClickException(problem)


for command in (compare, train, bench, diagnose, check, vectors, list_cases, list_datasets):
    main.add_command(command)
