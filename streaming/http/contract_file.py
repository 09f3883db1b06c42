"""Where the schema of all wire messages lies. Needs no Django: benchmarks read it, too."""

from __future__ import annotations

from pathlib import Path

CONTRACT_FILE = (
    Path(__file__).parents[2]
    / "specs"
    / "050-live-ai-interaction"
    / "contracts"
    / "stream-schema.yaml"
)
