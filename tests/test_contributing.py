"""The recipes of CONTRIBUTING.md name files and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = re.findall(
    r"^### (.+?)\n(.*?)(?=^##|\Z)",
    TEXT.partition("\n## Recipes\n")[2].partition("\n## ")[0] + "\n",
    re.MULTILINE | re.DOTALL,
)


def test_the_recipes_are_found() -> None:
    assert len(RECIPES) >= 8


@pytest.mark.parametrize(("title", "recipe"), RECIPES, ids=[title for title, _ in RECIPES])
def test_a_recipe_ends_with_what_to_run(title: str, recipe: str) -> None:
    last = recipe.strip().rpartition("\n\n")[2]
    assert last.startswith("Run: `scripts/test tests/"), last


def test_every_file_that_is_named_with_its_folder_exists() -> None:
    words = {word for code in re.findall(r"`([^`]+)`", TEXT) for word in code.split()}
    paths = [word for word in words if "/" in word and "NAME" not in word and "PATH" not in word]
    folders = {path.name for path in ROOT.iterdir()}
    named = [path for path in paths if path.split("/")[0] in folders]
    assert len(named) > 30
    assert not [path for path in named if not (ROOT / path).exists()]
