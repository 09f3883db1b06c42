"""Rows of streams, read and written. Synchronous ORM, called on a database thread."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from .models import CancelWish, Stream
from .protocol import events
from .protocol.state import StreamState
from .rows import columns_of

CANCEL_WISH_SECONDS = 60


@dataclass(frozen=True, slots=True)
class NewStream:
    """What a start asks for, checked: who, which block, which input."""

    owner: str
    user_id: int | None
    session: str
    block_type: str
    model: str
    prompt: str
    options: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None

    def is_same_input(self, row: Stream) -> bool:
        return (row.block_type, row.prompt, row.options) == (
            self.block_type,
            self.prompt,
            dict(self.options),
        )


def new_stream_id() -> str:
    """128 random bits as 22 URL-safe characters: never used again, not to be guessed."""
    return secrets.token_urlsafe(16)


def find(stream_id: str) -> Stream | None:
    return Stream.objects.filter(pk=stream_id).first()


def find_by_request(owner: str, request_id: str) -> Stream | None:
    return Stream.objects.filter(owner=owner, request_id=request_id).first()


def find_many(stream_ids: Iterable[str]) -> dict[str, Stream]:
    return Stream.objects.in_bulk(list(stream_ids))


def find_running(owner: str, session: str | None) -> list[Stream]:
    """The owner's streams that have not ended; with a session, those started in it."""
    rows = Stream.objects.filter(owner=owner, ended_at__isnull=True)
    return list(rows if session is None else rows.filter(session=session))


def create(stream_id: str, new: NewStream, *, process: str, mark: int) -> tuple[Stream, bool]:
    """Insert the row of a start, or find the one that the same `request_id` made.

    A cancel that came before is carried out here: the row is then made with its end.

    Returns:
        The row, and whether it is new.
    """
    row = Stream(
        id=stream_id,
        owner=new.owner,
        user_id=new.user_id,
        session=new.session,
        request_id=new.request_id,
        block_type=new.block_type,
        model=new.model,
        prompt=new.prompt,
        options=dict(new.options),
        process=process,
        mark=mark,
        created_at=timezone.now(),
    )
    if new.request_id is None:
        row.save(force_insert=True)
        return row, True
    if existing := find_by_request(new.owner, new.request_id):
        return existing, False
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        existing = find_by_request(new.owner, new.request_id)
        if existing is None:
            raise
        return existing, False
    # After the insert, as the wish is stored before its row is looked for: one sees the other.
    if _has_wish(new.owner, new.request_id):
        end(row, events.cancelled(row.id, 0, by="owner"))
    return row, True


def end(row: Stream, terminal: events.Event) -> None:
    """Close a row whose stream nobody generates, with this terminal event."""
    state = StreamState(
        seq=(terminal.seq or 0) - 1,
        status="running",
        text=row.text,
        items=row.items,
        arriving=row.arriving,
    )
    state.apply(terminal)
    columns = columns_of(state) | {"ended_at": timezone.now()}
    if Stream.objects.filter(pk=row.pk, ended_at__isnull=True).update(**columns):
        for name, value in columns.items():
            setattr(row, name, value)
    else:
        row.refresh_from_db()


def wish_cancel(owner: str, request_id: str) -> Stream | None:
    """Remember a cancel for a start that may still come; or find the stream it means."""
    CancelWish.objects.update_or_create(
        owner=owner, request_id=request_id, defaults={"created_at": timezone.now()}
    )
    return find_by_request(owner, request_id)


def wish_cancel_of_row(stream_id: str, by: str) -> None:
    """Store a cancel on the row of a stream that runs elsewhere; the first wish stays."""
    Stream.objects.filter(pk=stream_id, ended_at__isnull=True, cancel_wish="").update(
        cancel_wish=by
    )


def _has_wish(owner: str, request_id: str) -> bool:
    since = timezone.now() - timedelta(seconds=CANCEL_WISH_SECONDS)
    return CancelWish.objects.filter(
        owner=owner, request_id=request_id, created_at__gte=since
    ).exists()


def forget_old_wishes() -> None:
    before = timezone.now() - timedelta(seconds=CANCEL_WISH_SECONDS)
    CancelWish.objects.filter(created_at__lt=before).delete()


@dataclass(frozen=True, slots=True)
class Lost:
    """Streams whose rows are not this process's any more."""

    closed: list[str] = field(default_factory=list)  # it was presumed dead: their ends stand there
    deleted: list[str] = field(default_factory=list)


def save(process: str, columns_by_id: Mapping[str, Mapping[str, Any]]) -> Lost:
    """Write what streams of this process have, all in one transaction."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for stream_id, columns in columns_by_id.items():
        alike.setdefault(tuple(columns), []).append(stream_id)
    with transaction.atomic():
        mine = Stream.objects.filter(process=process, ended_at__isnull=True)
        owned = set(mine.select_for_update().order_by().values_list("id", flat=True))
        for names, stream_ids in alike.items():
            _update_many(process, names, {key: columns_by_id[key] for key in stream_ids})
        lost = columns_by_id.keys() - owned
        closed = set(Stream.objects.filter(pk__in=lost).values_list("id", flat=True))
    return Lost(closed=sorted(closed), deleted=sorted(lost - closed))


def _update_many(
    process: str, names: Sequence[str], columns_by_id: Mapping[str, Mapping[str, Any]]
) -> None:
    """One statement for all: a queryset's update of each row would cost more than its tokens."""
    fields = [Stream._meta.get_field(name) for name in names]
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(name)} = %s" for name in names)
    statement = (
        f"UPDATE {quote(Stream._meta.db_table)} SET {assignments}"
        f" WHERE {quote('id')} = %s AND {quote('process')} = %s AND {quote('ended_at')} IS NULL"
    )
    rows = [
        [
            *(field.get_db_prep_save(columns[field.name], connection) for field in fields),  # type: ignore[union-attr]
            stream_id,
            process,
        ]
        for stream_id, columns in columns_by_id.items()
    ]
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def delete(stream_id: str) -> bool:
    """Delete an ended stream's row. False: it has not ended."""
    deleted, _ = Stream.objects.filter(pk=stream_id, ended_at__isnull=False).delete()
    return bool(deleted)
