from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from blocks.models import BlockType

first_blocks = import_module("blocks.migrations.0002_first_blocks")
pytestmark = pytest.mark.django_db


def add() -> None:
    with connection.schema_editor() as editor:
        first_blocks.add_blocks(apps, editor)


def remove() -> None:
    with connection.schema_editor() as editor:
        first_blocks.remove_untouched_blocks(apps, editor)


@pytest.fixture
def schema_editor_in_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's wants to be outside of a transaction, which a test is in."""
    monkeypatch.setattr(connection.SchemaEditorClass, "__enter__", lambda editor: editor)
    monkeypatch.setattr(connection.SchemaEditorClass, "__exit__", lambda *args: None)


@pytest.mark.usefixtures("schema_editor_in_a_test")
def test_running_it_again_changes_nothing() -> None:
    BlockType.objects.filter(slug="quiz").update(title="My quiz")
    before = list(BlockType.objects.values())
    add()
    assert list(BlockType.objects.values()) == before


@pytest.mark.usefixtures("schema_editor_in_a_test")
def test_going_back_leaves_what_somebody_has_edited_or_added() -> None:
    BlockType.objects.filter(slug="quiz").update(title="My quiz")
    BlockType.objects.create(slug="tale", title="Tale")
    remove()
    assert set(BlockType.objects.values_list("slug", flat=True)) == {"quiz", "tale"}
    remove()
    add()
    assert BlockType.objects.count() == 5
    assert BlockType.objects.get(slug="quiz").title == "My quiz"
