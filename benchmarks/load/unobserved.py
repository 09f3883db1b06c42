"""Runs a server's program without metrics: `python -m benchmarks.load.unobserved PROGRAM [args]`.

Nothing switches the counting off, since it is there for whoever scrapes. Here it costs a call that
does nothing, so what is measured against it is a little too low.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import prometheus_client

from streaming.generating import writer
from streaming.metrics import buckets


def _nothing(*_: object, **__: object) -> None:
    pass


def main() -> None:
    writer.BETWEEN_LOOKS = -1  # no gap between tokens is looked at
    buckets.Buckets.observe = _nothing  # type: ignore[method-assign]
    for kind, names in (
        (prometheus_client.Counter, ("inc",)),
        (prometheus_client.Gauge, ("inc", "dec")),
        (prometheus_client.Histogram, ("observe",)),
    ):
        for name in names:
            setattr(kind, name, _nothing)
    program, *sys.argv[1:] = sys.argv[1:]
    sys.argv[0] = program
    sys.path.insert(0, str(Path(program).parent))
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
