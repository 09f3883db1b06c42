from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from blocks import migrations
from blocks.models import BlockType
from tests.conftest import add_shipped_blocks

migration = import_module("blocks.migrations.0002_first_blocks")
pytestmark = pytest.mark.usefixtures("first_blocks")

# Everything that the migration needs of an editor; SQLite's own must run outside a transaction.
EDITOR: Any = SimpleNamespace(connection=connection)

MIGRATIONS = sorted(Path(migrations.__path__[0]).glob("0*.py"))
examples = import_module("blocks.migrations.0003_unlikely_examples")
FIRST = {block["slug"] for block in migration.BLOCKS}


def slugs() -> set[str]:
    return set(BlockType.objects.values_list("slug", flat=True))


def add() -> None:
    migration.add_blocks(apps, EDITOR)
    examples.change_blocks(apps, EDITOR)


def remove() -> None:
    examples.change_blocks_back(apps, EDITOR)
    migration.remove_untouched_blocks(apps, EDITOR)


def test_running_them_again_changes_nothing_of_what_somebody_has_edited() -> None:
    BlockType.objects.update(title="Mine", enabled=False)
    before = list(BlockType.objects.values())
    add_shipped_blocks()
    assert list(BlockType.objects.values()) == before


@pytest.mark.parametrize("path", MIGRATIONS, ids=[path.stem for path in MIGRATIONS])
def test_a_migration_that_creates_a_block_has_a_function_that_tests_can_run(path: Path) -> None:
    text = path.read_text("utf-8")
    if "create(" in text:
        assert "def add_blocks(" in text


def test_going_back_leaves_what_somebody_has_edited_or_added() -> None:
    BlockType.objects.filter(slug="quiz").update(title="My quiz")
    BlockType.objects.create(slug="tale", title="Tale")
    before = slugs()
    remove()
    assert before - slugs() == FIRST - {"quiz"}
    remove()
    add()
    assert slugs() == before
    assert BlockType.objects.get(slug="quiz").title == "My quiz"


def test_an_example_that_somebody_has_edited_stays_and_the_others_change() -> None:
    examples.change_blocks_back(apps, EDITOR)
    assert BlockType.objects.get(slug="quiz").example_prompt == "The solar system"
    BlockType.objects.filter(slug="diagram").update(example_prompt="The life of a moth")
    examples.change_blocks(apps, EDITOR)
    assert BlockType.objects.get(slug="quiz").example_prompt == "Lighthouses"
    assert "Chrysalis" in BlockType.objects.get(slug="diagram").example_answer


def test_the_changed_examples_are_valid() -> None:
    for slug in examples.EXAMPLES:
        BlockType.objects.get(slug=slug).full_clean()
