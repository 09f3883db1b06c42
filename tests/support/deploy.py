"""The folder `deploy/` and its units."""

from __future__ import annotations

import configparser
from pathlib import Path

from tests.support.servers.harness import ROOT

DEPLOY = ROOT / "deploy"


def unit_at(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text("utf-8"))
    return parser
