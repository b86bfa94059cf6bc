"""``python -m threeways`` is the command ``threeways``."""

from threeways.cli import main

main(prog_name="threeways")
