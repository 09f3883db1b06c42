"""The threat model names tests that exist, and at least one for each threat."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "specs/050-live-ai-interaction/decisions/039-threat-model.md"

_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows() -> list[str]:
    lines = PAGE.read_text("utf-8").splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith("| who |")]


def functions_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def test_every_threat_has_a_test_and_every_test_exists() -> None:
    assert len(rows()) > 10
    for row in rows():
        named = _NAMED.findall(row)
        assert named, row
        missing = [f"{path}::{name}" for path, name in named if name not in functions_in(path)]
        assert missing == []
        assert row.count("tests/") == len(named), f"a test without a name: {row}"
