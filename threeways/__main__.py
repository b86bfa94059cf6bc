"""``python -m threeways`` is the command ``threeways``."""

import os
import sys

# Python looks in the current folder first, and would take a random.py there for its own.
try:
    here = os.getcwd()
except OSError:  # it has been deleted
    here = ""
if sys.path[0] == here and not (sys.flags.safe_path or __file__.startswith(here + os.sep)):
    del sys.path[0]

from threeways.cli import main

main(prog_name="threeways")
