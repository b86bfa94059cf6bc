"""``python -m threeways`` is the command ``threeways``."""

from __future__ import annotations

import os
import signal
import sys

# Python looks in the current folder first, and would take a random.py there for its own.
try:
    here = os.getcwd()
except OSError:  # it has been deleted
    here = ""
if sys.path[0] == here and not (sys.flags.safe_path or __file__.startswith(here + os.sep)):
    del sys.path[0]


def run() -> None:
    """Run the command; Ctrl-C may come even while it is imported."""
    try:
        from threeways.cli import main

        main(prog_name="threeways")
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)
    finally:  # nothing is left that Ctrl-C could stop in an orderly way
        signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    run()
