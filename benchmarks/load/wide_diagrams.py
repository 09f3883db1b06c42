"""Runs `manage.py` with diagrams of up to forty nodes instead of the project's twenty-four.

The pages must stay smooth with more nodes than the server allows today: `python -m
benchmarks.load.wide_diagrams serve --port N`.
"""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from blocks.outputs import diagram

NODES = 40


def main() -> None:
    diagram.ASKED_NODES = (3, NODES)
    diagram.MAX_NODES, diagram.MAX_EDGES = NODES, 2 * NODES
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
