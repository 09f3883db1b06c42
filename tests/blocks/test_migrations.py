from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from blocks.models import BlockType

migration = import_module("blocks.migrations.0002_first_blocks")
pytestmark = pytest.mark.usefixtures("first_blocks")

# All that is asked of an editor; SQLite's own wants to be outside of a transaction.
EDITOR: Any = SimpleNamespace(connection=connection)


def add() -> None:
    migration.add_blocks(apps, EDITOR)


def remove() -> None:
    migration.remove_untouched_blocks(apps, EDITOR)


def test_running_it_again_changes_nothing() -> None:
    BlockType.objects.filter(slug="quiz").update(title="My quiz")
    before = list(BlockType.objects.values())
    add()
    assert list(BlockType.objects.values()) == before


def test_going_back_leaves_what_somebody_has_edited_or_added() -> None:
    BlockType.objects.filter(slug="quiz").update(title="My quiz")
    BlockType.objects.create(slug="tale", title="Tale")
    remove()
    assert set(BlockType.objects.values_list("slug", flat=True)) == {"quiz", "tale"}
    remove()
    add()
    assert BlockType.objects.count() == 5
    assert BlockType.objects.get(slug="quiz").title == "My quiz"
