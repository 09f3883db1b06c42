"""Where the schema of all wire messages lies. Needs no Django: benchmarks read it, too."""

from __future__ import annotations

from pathlib import Path

_IN_REPOSITORY = (
    Path(__file__).parents[2]
    / "specs"
    / "050-live-ai-interaction"
    / "contracts"
    / "stream-schema.yaml"
)
_IN_WHEEL = Path(__file__).parent / "stream-schema.yaml"  # pyproject.toml puts it there

CONTRACT_FILE = _IN_REPOSITORY if _IN_REPOSITORY.is_file() else _IN_WHEEL
