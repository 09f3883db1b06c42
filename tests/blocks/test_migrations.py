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
one_name = import_module("blocks.migrations.0004_one_name")
FIRST = {block["slug"] for block in migration.BLOCKS}


def slugs() -> set[str]:
    return set(BlockType.objects.values_list("slug", flat=True))


def add() -> None:
    migration.add_blocks(apps, EDITOR)
    examples.change_blocks(apps, EDITOR)
    one_name.change_blocks(apps, EDITOR)


def remove() -> None:
    one_name.change_blocks_back(apps, EDITOR)
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


def test_an_example_that_the_admin_panel_saved_unchanged_changes_too() -> None:
    examples.change_blocks_back(apps, EDITOR)
    for row in BlockType.objects.all():
        row.example_answer = row.example_answer.replace("\n", "\r\n")  # as browsers send it
        row.save()
    examples.change_blocks(apps, EDITOR)
    assert BlockType.objects.get(slug="quiz").example_prompt == "Lighthouses"
    assert BlockType.objects.get(slug="diagram").example_prompt == "Painting a fence"


def test_the_changed_examples_are_valid() -> None:
    for slug in examples.EXAMPLES:
        BlockType.objects.get(slug=slug).full_clean()


def test_the_block_that_explains_has_one_name_unless_somebody_named_it() -> None:
    def title() -> str:
        return BlockType.objects.get(slug="explain-eli10").title

    one_name.change_blocks_back(apps, EDITOR)
    assert title() == "Explain it like I'm 10"
    one_name.change_blocks(apps, EDITOR)
    assert title() == "Explain like I’m 10"
    BlockType.objects.filter(slug="explain-eli10").update(title="Simply put")
    one_name.change_blocks(apps, EDITOR)
    one_name.change_blocks_back(apps, EDITOR)
    assert title() == "Simply put"
