"""``python -m threeways`` is the command ``threeways``."""

from __future__ import annotations

import signal
import sys


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
