"""Migrations suit the version before: its processes still run while a site migrates.

A release may add what an old process does not know, and must not take away or demand anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import IntegrityError, connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from blocks.models import BlockType

OUR_PACKAGES = ("blocks", "frontend", "liveai", "operating", "streaming")
OURS = ("accounts", "api_tokens", "blocks", "operating", "streaming")

FIRST_RELEASE = {
    "accounts": "0001_initial",
    "api_tokens": "0001_initial",
    "blocks": "0005_wording",
    "operating": "0001_initial",
    "streaming": "0012_retention_and_reads",
}
"""The last migration of each app that no older version has to live with."""

HARMLESS = (
    migrations.RunPython,  # changes rows; a look at its code must show that old code reads them
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
    AddIndexConcurrently,
)


def harm_of(operation: Operation) -> str | None:
    """Return what an operation does to processes of the version before; None: nothing."""
    if isinstance(operation, HARMLESS):
        return None
    if isinstance(operation, migrations.CreateModel):
        relations = [name for name, field in operation.fields if _is_constrained(field)]
        return f"{', '.join(relations)}: {_OF_A_RELATION}" if relations else None
    if isinstance(operation, migrations.AddIndex):
        return "on PostgreSQL nobody can write meanwhile: AddIndexConcurrently, or list it"
    if isinstance(operation, migrations.AddField):
        return _harm_of_field(operation.name, operation.field)
    if isinstance(operation, migrations.AlterField):
        return "may refuse what the old version writes: list it in LOOKED_AT with the reason"
    return "takes away what the old version uses: do it one version later"


_OF_A_RELATION = (
    "the old version deletes rows that the new one refers to, knows nothing of it, and is refused:"
    " db_constraint=False, or list it in LOOKED_AT with the reason"
)


def _harm_of_field(name: str, field: models.Field[Any, Any]) -> str | None:
    if _is_constrained(field):
        return f"{name}: {_OF_A_RELATION}"
    if field.unique and not field.null:
        return f"the old version's rows all get the same {name}, which is unique"
    if field.null or field.many_to_many or field.has_db_default():
        return None
    return f"the old version's rows have no {name}: give it a db_default"


def _is_constrained(field: models.Field[Any, Any]) -> bool:
    """Whether the database refuses to delete what a field refers to."""
    if isinstance(field, models.ManyToManyField):
        return bool(field.remote_field.db_constraint)
    return isinstance(field, models.ForeignKey) and bool(vars(field)["db_constraint"])


LOOKED_AT: dict[tuple[str, str], str] = {
    ("streaming", "0014_end_code"): "The index is partial, over a column that is still empty: it is"
    " built by one scan of the rows, which takes about a second for a million.",
    ("streaming", "0018_at_address"): "Only the choices of the form change, and nothing in the"
    " database; the old version reads such a row and applies it to nobody.",
    ("streaming", "0021_fewer_pages"): "Each index that goes has a successor that serves the same"
    " queries, and is there before. A million rows on PostgreSQL take 3 to 5 s.",
}
"""(App, migration) that are harmless although they look otherwise → the reason.

A relation: who deletes the other row while both versions run, and why that may wait. An index: how
long it takes on the largest table that we know, or that its table is small.
"""


def _after_first_release() -> Iterator[tuple[str, migrations.Migration]]:
    loader = MigrationLoader(None)
    for (app, name), migration in loader.disk_migrations.items():
        if app in OURS and name > FIRST_RELEASE[app]:
            yield app, migration


def test_the_apps_with_tables_are_known() -> None:
    own = {
        config.label
        for config in apps.get_app_configs()
        if config.name.partition(".")[0] in OUR_PACKAGES and list(config.get_models())
    }
    disk = MigrationLoader(None).disk_migrations
    assert own == set(OURS)
    assert all((app, name) in disk for app, name in FIRST_RELEASE.items())
    assert set(LOOKED_AT) <= set(disk)


def test_no_migration_harms_a_process_of_the_version_before() -> None:
    harms = [
        f"{app}.{migration.name}: {harm}"
        for app, migration in _after_first_release()
        for operation in migration.operations
        if (app, migration.name) not in LOOKED_AT and (harm := harm_of(operation))
    ]
    assert harms == []


def _key(**more: Any) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey("auth.User", models.CASCADE, **more)


@pytest.mark.parametrize(
    ("operation", "is_harmful"),
    [
        (migrations.AddField("stream", "x", models.IntegerField(default=0)), True),
        (migrations.AddField("stream", "x", models.IntegerField(db_default=0)), False),
        (migrations.AddField("stream", "x", models.IntegerField(null=True)), False),
        (migrations.RemoveField("stream", "prompt"), True),
        (migrations.RenameField("stream", "prompt", "question"), True),
        (migrations.DeleteModel("stream"), True),
        (migrations.AlterField("stream", "prompt", models.CharField(max_length=9)), True),
        (migrations.RunSQL("DROP TABLE streaming_stream"), True),
        (migrations.AddIndex("stream", models.Index(fields=["status"], name="x")), True),
        (AddIndexConcurrently("stream", models.Index(fields=["status"], name="x")), False),
        (migrations.CreateModel("x", [("n", models.IntegerField())]), False),
        (migrations.CreateModel("x", [("user", _key())]), True),
        (migrations.CreateModel("x", [("user", _key(db_constraint=False))]), False),
        (migrations.CreateModel("x", [("users", models.ManyToManyField("auth.User"))]), True),
        (migrations.AddField("stream", "x", _key(null=True)), True),
        (migrations.AddField("stream", "x", _key(null=True, db_constraint=False)), False),
        (migrations.AddField("stream", "x", models.ManyToManyField("auth.User")), True),
        (migrations.AddField("stream", "x", models.IntegerField(unique=True, db_default=0)), True),
        (migrations.AddField("stream", "x", models.IntegerField(unique=True, null=True)), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Operation) else "",
)
def test_the_rule_knows_what_an_old_process_could_not_live_with(
    operation: Operation, is_harmful: bool
) -> None:
    assert (harm_of(operation) is not None) is is_harmful


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("column", "is_refused"),
    [
        (models.IntegerField(default=0), True),
        (models.IntegerField(db_default=0), False),
        (models.IntegerField(null=True), False),
    ],
    ids=["default", "db_default", "null"],
)
def test_the_database_agrees_old_code_writes_to_the_new_table(
    column: models.Field[int, int], is_refused: bool
) -> None:
    """The model is the old version's; its table is the new one's."""
    name = "of_the_next_version"
    column.set_attributes_from_name(name)
    column.model = BlockType
    with connection.schema_editor() as editor:
        editor.add_field(BlockType, column)
    try:
        old = {"slug": "old", "title": "Old", "output": "markdown"}
        if is_refused:
            with pytest.raises(IntegrityError):
                BlockType.objects.create(**old)
        else:
            row = BlockType.objects.create(**old)
            row.title = "Changed"
            row.save()
            assert BlockType.objects.get(slug="old").title == "Changed"
            row.delete()
    finally:
        with connection.schema_editor() as editor:
            editor.execute(f"ALTER TABLE {BlockType._meta.db_table} DROP COLUMN {name}")
