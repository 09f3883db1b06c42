"""Whether the database has the tables and columns that this version needs."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def is_migrated() -> bool:
    """Whether no migration of this version is left to apply.

    Migrations that this version does not know don't count, so an old version still starts after
    the next one has migrated.

    Raises:
        DatabaseError: the database can't be used.
    """
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
