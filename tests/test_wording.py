"""What people read: the pages, the admin panel, the API's messages."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PHRASES = {
    r"[Tt]here is no such": "… not found",
    r"\bcould not be had": "Couldn’t load …",
    r"\bjust now\b": "right now",
    r"(?:is|are) no (?:JSON|quiz|text|path|number|whole)": "is not …",
    r"\bset up rightly\b": "misconfigured",
    r"\bbeing written there": "still running",
    r"\bfor people\.": "Display name.",
    r"\bWhat (?:came|has come)\b[^\"]* is kept": "What was written is kept.",
    r"['\"`](?:Less|More): ": "Fewer … / More …",
}
"""A phrase that no native speaker would write, and what to write instead."""

TEMPLATES = ("frontend/src", "frontend/templates", "liveai/templates", "operating/templates")


def strings_of(path: Path) -> list[tuple[int, str]]:
    """Return the strings of a module except its docstrings, each with its line."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def lines_of(path: Path) -> list[tuple[int, str]]:
    """Return the lines of a template or of a component except its comments."""
    lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
    return [(at, line) for at, line in lines if not line.lstrip().startswith(("//", "*", "/*"))]


@cache
def shown_words() -> list[str]:
    """Return `file:line: words` of everything that may be shown to people."""
    modules = [
        path
        for folder in ("blocks", "streaming", "operating", "liveai")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts
    ]
    pages = [
        path
        for folder in TEMPLATES
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".ts", ".tsx", ".html") and ".test." not in path.name
    ]
    found = [(path, *each) for path in modules for each in strings_of(path)]
    found += [(path, *each) for path in pages for each in lines_of(path)]
    return [f"{path.relative_to(ROOT)}:{at}: {words.strip()}" for path, at, words in found]


@pytest.mark.parametrize("phrase", PHRASES)
def test_people_read_words_that_a_native_speaker_would_write(phrase: str) -> None:
    found = [line for line in shown_words() if re.search(phrase, line)]
    assert found == [], f"Write: {PHRASES[phrase]}"
