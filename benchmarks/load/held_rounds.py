"""Runs `manage.py` with rounds of one length: `python -m benchmarks.load.held_rounds MS [args]`.

A production server lengthens its rounds with its load. This shows what long rounds save.
"""

from __future__ import annotations

import importlib
import runpy
import sys

from .servers import ROOT


def main() -> None:
    held_ms = float(sys.argv.pop(1))
    importlib.import_module("streaming.loop.pace").Pace.seconds = lambda self: held_ms / 1000
    sys.path.insert(0, str(ROOT))
    runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")


if __name__ == "__main__":
    main()
