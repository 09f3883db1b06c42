"""One name for the block that explains. A title that somebody edited is left as it is."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SLUG = "explain-eli10"
BEFORE = "Explain it like I'm 10"
TITLE = "Explain like I’m 10"


def _rename(apps: Apps, schema_editor: BaseDatabaseSchemaEditor, before: str, title: str) -> None:
    rows = apps.get_model("blocks", "BlockType").objects.using(schema_editor.connection.alias)
    rows.filter(slug=SLUG, title=before).update(title=title)


def change_blocks(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _rename(apps, schema_editor, BEFORE, TITLE)


def change_blocks_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _rename(apps, schema_editor, TITLE, BEFORE)


class Migration(migrations.Migration):
    dependencies = [("blocks", "0003_unlikely_examples")]

    operations = [migrations.RunPython(change_blocks, change_blocks_back)]
