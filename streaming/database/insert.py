"""The insert of a stream's row. Synchronous ORM."""

from __future__ import annotations

from functools import cache

from django.db import connections, models
from django.db.backends.utils import CursorWrapper

from ..models import Stream

_AS_THEY_ARE = (
    models.CharField,
    models.TextField,
    models.IntegerField,
    models.BooleanField,
)
"""Fields whose values the databases take unchanged."""


def insert_row(cursor: CursorWrapper, row: Stream) -> None:
    """Insert a row with one prepared statement: the ORM would build it anew for each stream.

    It sends no `pre_save` or `post_save`.

    Raises:
        IntegrityError: as `Model.save(force_insert=True)`.
    """
    database = cursor.db
    values = [
        getattr(row, field.attname)
        if isinstance(field, _AS_THEY_ARE)
        else field.get_db_prep_save(getattr(row, field.attname), database)
        for field in Stream._meta.local_concrete_fields
    ]
    cursor.execute(_statement(database.alias), values)
    row._state.adding, row._state.db = False, database.alias


@cache
def _statement(alias: str) -> str:
    quote = connections[alias].ops.quote_name
    columns = [quote(str(field.column)) for field in Stream._meta.local_concrete_fields]
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {quote(Stream._meta.db_table)} ({', '.join(columns)}) VALUES ({places})"
