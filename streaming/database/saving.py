"""Save the running streams of a process to their rows, many at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from ..admission import spending
from ..models import Stream
from .rows import EncodedJson


@dataclass(frozen=True, slots=True)
class Lost:
    """The rows that a save could not write: this process no longer owns them, in most cases."""

    taken_over: list[str] = field(default_factory=list)  # by a process that presumed this one dead
    deleted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # they hold a value that can't be stored


def save(process: str, columns_by_id: Mapping[str, Mapping[str, Any]]) -> Lost:
    """Save streams of this process in one transaction, and settle the usage of those that end."""
    ending = [key for key, columns in columns_by_id.items() if columns.get("ended_at") is not None]
    alike: dict[tuple[str, ...], list[str]] = {}
    for stream_id, columns in columns_by_id.items():
        alike.setdefault(tuple(columns), []).append(stream_id)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            endings = spending.find_ending(cursor, ending, process=process)
            if _save_alike(cursor, process, alike, columns_by_id) == len(columns_by_id):
                _settle(cursor, endings, columns_by_id)
                return Lost()
            # Some rows are not ours, or have nothing to save. Which ones shows only before the
            # update.
            raise _NotAllSaved
    except _NotAllSaved:
        pass
    with transaction.atomic(), connection.cursor() as cursor:
        mine = Stream.objects.filter(
            pk__in=columns_by_id.keys(), process=process, ended_at__isnull=True
        )
        owned = set(mine.select_for_update().order_by().values_list("id", flat=True))
        endings = spending.find_ending(cursor, ending, process=process)
        _save_alike(cursor, process, alike, columns_by_id)
        _settle(cursor, endings, columns_by_id)
        lost = columns_by_id.keys() - owned
        taken_over = set(Stream.objects.filter(pk__in=lost).values_list("id", flat=True))
    return Lost(taken_over=sorted(taken_over), deleted=sorted(lost - taken_over))


def _settle(
    cursor: CursorWrapper,
    endings: Mapping[str, spending.Ending],
    columns_by_id: Mapping[str, Mapping[str, Any]],
) -> None:
    """Settle the usage of streams that end with these columns, which lack what did not change."""

    def tokens_of(ending: spending.Ending, columns: Mapping[str, Any]) -> int:
        given = columns.get("input_tokens", ending.input_tokens)
        made = columns.get("output_tokens", ending.output_tokens)
        return (given or 0) + (made or 0)

    spending.settle(
        cursor, [(ending, tokens_of(ending, columns_by_id[key])) for key, ending in endings.items()]
    )


class _NotAllSaved(Exception):
    """Rolls back the quick way of `save`."""


def _save_alike(
    cursor: CursorWrapper,
    process: str,
    alike: Mapping[tuple[str, ...], Collection[str]],
    columns_by_id: Mapping[str, Mapping[str, Any]],
) -> int:
    """Update the rows that have the same columns together, and return the number of rows."""
    return sum(
        _update_many(cursor, process, names, {key: columns_by_id[key] for key in stream_ids})
        for names, stream_ids in alike.items()
        if names
    )


def _update_many(
    cursor: CursorWrapper,
    process: str,
    names: tuple[str, ...],
    columns_by_id: Mapping[str, Mapping[str, Any]],
) -> int:
    """Update all rows with one statement, and return how many of them are this process's.

    An ORM update per row would cost more than its tokens.
    """
    database = cursor.db
    fields, statement = _statement(database.alias, names)
    rows = [
        [
            *(_prepared(field, columns[field.name], database) for field in fields),
            stream_id,
            process,
        ]
        for stream_id, columns in columns_by_id.items()
    ]
    cursor.executemany(statement, rows)
    return cursor.rowcount


@cache
def _statement(alias: str, names: tuple[str, ...]) -> tuple[list[Any], str]:
    """Return the fields of these names, and the statement that updates them in one of our rows."""
    fields: list[Any] = [Stream._meta.get_field(name) for name in names]
    quote = connections[alias].ops.quote_name
    assignments = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    return fields, (
        f"UPDATE {quote(Stream._meta.db_table)} SET {assignments}"
        f" WHERE {quote('id')} = %s AND {quote('process')} = %s AND {quote('ended_at')} IS NULL"
    )


def _prepared(field: Any, value: Any, database: BaseDatabaseWrapper) -> Any:
    """Return a column's value in the form that the database takes."""
    if isinstance(value, EncodedJson):
        return str(value)
    return field.get_db_prep_save(value, database)
