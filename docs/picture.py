"""Draw docs/compare.svg, the picture in the README, anew: ``python docs/picture.py``."""

from __future__ import annotations

import io
import shlex
from pathlib import Path

from rich.console import Console

from shared import load_case
from threeways.compare import compare
from threeways.implementations import PACKAGES, load
from threeways.report.comparison import print_comparison

PICTURE = Path(__file__).with_name("compare.svg")
COMMAND = "threeways compare mazur diabetes --dtype float64"
WIDTH = 92

# As rich's own format, but with the fonts of the reader's system, and nothing to download.
FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
    }}
    .{unique_id}-title {{
        font-size: 18px;
        font-weight: bold;
        font-family: arial;
    }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})"
       clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""


def draw() -> str:
    """The picture: the command, and what it prints on a terminal, as SVG."""
    _, _, *names, _, dtype = shlex.split(COMMAND)
    packages = load(PACKAGES)
    results = [compare(load_case(name), dtype, packages) for name in names]
    out = Console(
        file=io.StringIO(), width=WIDTH, record=True, force_terminal=True, highlight=False
    )
    out.print(f"$ {COMMAND}")
    print_comparison(results, out)
    return out.export_svg(title="threeways", code_format=FORMAT, unique_id="compare")


if __name__ == "__main__":
    lines = draw().splitlines()
    PICTURE.write_text("".join(f"{line.rstrip()}\n" for line in lines), encoding="utf-8")
