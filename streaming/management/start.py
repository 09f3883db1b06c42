"""What `serve` and `work` have in common: checks before the start, and traces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
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


@contextmanager
def traces() -> Iterator[None]:
    """Export the spans of what runs inside, where `TRACING` is on.

    Raises:
        CommandError: a variable of OpenTelemetry's has a value that can't be used.
    """
    if not settings.TRACING:
        yield
        return
    from streaming.serving.otel import begin_tracing, end_tracing

    try:
        begin_tracing()
    except ValueError as error:
        raise CommandError(f"Traces can't be made: {error}") from None
    try:
        yield
    finally:
        end_tracing()
