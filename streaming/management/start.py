"""What `serve` and `work` check before they start."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from streaming.database.schema import is_migrated


def check_before_start(command: BaseCommand) -> None:
    """Check Redis's eviction policy and the database's migrations.

    Raises:
        SystemCheckError: Redis would forget running streams.
        CommandError: a migration is left to apply.
    """
    command.check(tags=["redis"], include_deployment_checks=True)
    if not is_migrated():
        raise CommandError("The database is not up to date. Run this first: manage.py migrate")
    connection.close()
