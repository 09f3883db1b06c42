"""Every benchmark can be started: nothing that it imports needs Django's applications."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_every_benchmark_can_be_imported_before_django_is_set_up() -> None:
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
    assert len(names) >= 7
    statement = "import " + ", ".join(f"benchmarks.{name}" for name in names)
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, check=True, timeout=60)
