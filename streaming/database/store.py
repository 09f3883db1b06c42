"""Rows of streams, read and written. Synchronous ORM, called on a database thread."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from ..admission import places
from ..admission.places import NOT_COUNTED, Full, PlaceKeys
from ..errors import Refused
from ..limits import NO_PLACE_LIMITS, PlaceLimits
from ..models import CancelIntent, Stream
from ..protocol import events
from ..protocol.events import CancelledBy
from ..protocol.state import StreamState
from .rows import columns_of, state_of, usage_columns_of

CANCEL_INTENT_SECONDS = 60
CANCEL_INTENTS_AT_MOST = 100
"""Wishes of one owner that are remembered at a time."""


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
    place: PlaceKeys = NOT_COUNTED

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


def find_running(owner: str, session: str | None, at_most: int) -> list[Stream]:
    """The owner's newest streams that have not ended; with a session, those started in it."""
    # Status and order as the index has them: an owner may have 100,000 rows that have ended.
    rows = Stream.objects.filter(
        owner=owner, status__in=("queued", "running"), ended_at__isnull=True
    ).order_by("status", "-created_at", "-id")
    rows = rows if session is None else rows.filter(session=session)
    return sorted(rows[:at_most], key=lambda row: (row.created_at, row.id), reverse=True)


def count_waiting() -> tuple[int, int]:
    """How many streams no worker has taken up yet, and how many of those are anonymous."""
    rows = Stream.objects.filter(process="", ended_at__isnull=True, started_at__isnull=True)
    counted = rows.aggregate(all=Count("pk"), anonymous=Count("pk", filter=Q(user__isnull=True)))
    return counted["all"], counted["anonymous"]


def overdue(left: Collection[str]) -> list[str]:
    """Which of the streams that were left nobody has taken up within the time that an answer may
    take; of those that had begun, within twice that. (A row knows when its first generator began,
    and not when the last one left: one that was taken up several times may be found too soon.)"""
    deadline = timedelta(seconds=settings.STREAM_DEADLINE_SECONDS)
    now = timezone.now()
    never_begun = Q(started_at__isnull=True, created_at__lt=now - deadline)
    begun = Q(started_at__lt=now - 2 * deadline)
    rows = Stream.objects.filter(never_begun | begun, pk__in=left)
    return list(rows.values_list("id", flat=True))


def create(
    stream_id: str,
    new: NewStream,
    *,
    process: str,
    mark: int,
    is_streaming: bool,
    limits: PlaceLimits = NO_PLACE_LIMITS,
    ended: Collection[str] = frozenset(),
) -> tuple[Stream, bool]:
    """Insert the row of a start, or find the one that the same `request_id` made.

    A cancel that came before is carried out here: the row is then made with its end, and holds no
    place.

    Args:
        ended: ids of streams that have ended though their rows do not know it yet.

    Returns:
        The row, and whether it is new.

    Raises:
        Refused: `too_many_streams`. Counted in the transaction that inserts, so that of many starts
            at once, in any process, no more get through than the limits say.
            `not_authenticated`: the user was deleted meanwhile.
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
        is_streaming=is_streaming,
        owner_key=new.place.owner,
        address_key=new.place.address,
        created_at=timezone.now(),
    )
    if new.request_id is None:
        _insert(row, new, limits, ended)
        return row, True
    if existing := find_by_request(new.owner, new.request_id):
        return existing, False
    try:
        _insert(row, new, limits, ended)
    except IntegrityError:
        existing = find_by_request(new.owner, new.request_id)
        if existing is None:
            raise
        return existing, False
    # After the insert, as the wish is stored before its row is looked for: one sees the other.
    if _has_intent(new.owner, new.request_id):
        end(row, events.cancelled(row.id, 0, by="owner"))
    return row, True


def _insert(row: Stream, new: NewStream, limits: PlaceLimits, ended: Collection[str]) -> None:
    """
    Raises:
        IntegrityError: the `request_id` has a stream.
        Refused: `too_many_streams`; `not_authenticated`: the user was deleted meanwhile.
    """
    try:
        with transaction.atomic():
            places.lock(limits, new.place)
            row.save(force_insert=True)
            if full := find_full(new, limits, without={*ended, row.id}):
                raise full.refusal()
    except IntegrityError:
        if new.user_id is None or get_user_model().objects.filter(pk=new.user_id).exists():
            raise
        raise Refused("not_authenticated") from None


def find_full(new: NewStream, limits: PlaceLimits, *, without: Collection[str]) -> Full | None:
    """What leaves no place to a start; nothing, if that was cancelled before it came."""
    full = places.find_full(limits, new.place, without=without)
    if full is not None and new.request_id and _has_intent(new.owner, new.request_id):
        return None
    return full


def end(row: Stream, terminal: events.Event) -> None:
    """Close a row whose stream nobody generates, with this terminal event."""
    state = state_of(row)
    state.seq = (terminal.seq or 0) - 1
    state.apply(terminal)
    close(row, state)


def close(row: Stream, state: StreamState) -> None:
    """Bring the end of a stream that nobody generates into its row."""
    assert state.terminal is not None
    ended_at = timezone.now()
    columns = columns_of(state) | {"ended_at": ended_at}
    fields = state.terminal.fields
    if "usage" in fields:
        columns |= {**usage_columns_of(state.terminal), "ttft_ms": fields["ttft_ms"]}
        if row.started_at is None:  # it died before its first save
            columns["started_at"] = ended_at - timedelta(milliseconds=fields["duration_ms"])
    if Stream.objects.filter(pk=row.pk, ended_at__isnull=True).update(**columns):
        for name, value in columns.items():
            setattr(row, name, value)
    else:
        row.refresh_from_db()


@dataclass(frozen=True, slots=True)
class Taken:
    row: Stream
    was_orphaned: bool  # its process died; False: it was left in good order, or never begun
    seq_before: int


def take_over(
    stream_id: str, *, process: str, last: int, is_all: bool, max_events: int
) -> Taken | None:
    """Make the row this process's: from now on nobody else can save it.

    Args:
        last: the highest number that may have been used.
        is_all: the row says all that is known; what follows has numbers above `last`.

    Returns:
        None: it has ended, or is deleted.
    """
    with transaction.atomic():
        unended = Stream.objects.select_for_update().filter(ended_at__isnull=True)
        row = unended.filter(pk=stream_id).first()
        if row is None:
            return None
        if row.terminal is not None:  # only when that was is missing
            row.ended_at = timezone.now()
            row.save(update_fields=["ended_at"])
            return None
        taken = Taken(row, was_orphaned=bool(row.process), seq_before=row.seq)
        row.process = process
        row.recoveries += taken.was_orphaned
        row.mark = max(row.mark, last + max_events)
        if is_all:
            row.seq = last
        row.save(update_fields=["process", "recoveries", "mark", "seq"])
    return taken


def leave(process: str, stream_ids: Collection[str]) -> None:
    """Leave streams, saved to their last event, to whoever takes them over."""
    Stream.objects.filter(process=process, pk__in=stream_ids, ended_at__isnull=True).update(
        process=""
    )


def add_intent(owner: str, request_id: str) -> Stream | None:
    """Find the stream that a cancel means, or remember the cancel for a start that may still come.

    Raises:
        Refused: `rate_limited`: the owner has `CANCEL_WISHES_AT_MOST` others.
    """
    if row := find_by_request(owner, request_id):
        return row
    since = timezone.now() - timedelta(seconds=CANCEL_INTENT_SECONDS)
    others = CancelIntent.objects.filter(owner=owner, created_at__gte=since)
    if others.exclude(request_id=request_id).count() >= CANCEL_INTENTS_AT_MOST:
        raise Refused("rate_limited", retry_after_seconds=CANCEL_INTENT_SECONDS)
    CancelIntent.objects.update_or_create(
        owner=owner, request_id=request_id, defaults={"created_at": timezone.now()}
    )
    # Again after the insert: a start looks for wishes after its own, so one sees the other.
    return find_by_request(owner, request_id)


def add_intent_to_row(stream_id: str, owner: str, by: str) -> None:
    """Store a cancel on the row of an owner's running stream; the first wish stays."""
    Stream.objects.filter(
        pk=stream_id, owner=owner, ended_at__isnull=True, cancel_intent=""
    ).update(cancel_intent=by)


def find_intents(process: str) -> dict[str, CancelledBy]:
    """Wishes to cancel that are stored in rows of running streams of this process."""
    rows = Stream.objects.filter(process=process, ended_at__isnull=True).exclude(cancel_intent="")
    return {
        stream_id: cast(CancelledBy, by)
        for stream_id, by in rows.values_list("id", "cancel_intent")
    }


def _has_intent(owner: str, request_id: str) -> bool:
    since = timezone.now() - timedelta(seconds=CANCEL_INTENT_SECONDS)
    return CancelIntent.objects.filter(
        owner=owner, request_id=request_id, created_at__gte=since
    ).exists()


@dataclass(frozen=True, slots=True)
class Lost:
    """What a save found: rows that are not this process's any more."""

    taken: list[str] = field(default_factory=list)  # by a process that presumed this one dead
    deleted: list[str] = field(default_factory=list)


def save(process: str, columns_by_id: Mapping[str, Mapping[str, Any]]) -> Lost:
    """Write what streams of this process have, all in one transaction."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for stream_id, columns in columns_by_id.items():
        alike.setdefault(tuple(columns), []).append(stream_id)
    with transaction.atomic():
        mine = Stream.objects.filter(process=process, ended_at__isnull=True)
        locked = mine.select_for_update().order_by()
        owned = set(locked.values_list("id", flat=True))
        alike.pop((), None)  # nothing new: asked for to learn whose they are
        for names, stream_ids in alike.items():
            _update_many(process, names, {key: columns_by_id[key] for key in stream_ids})
        lost = columns_by_id.keys() - owned
        taken = set(Stream.objects.filter(pk__in=lost).values_list("id", flat=True))
    return Lost(taken=sorted(taken), deleted=sorted(lost - taken))


def _update_many(
    process: str, names: Sequence[str], columns_by_id: Mapping[str, Mapping[str, Any]]
) -> None:
    """One statement for all: a queryset's update of each row would cost more than its tokens."""
    fields = [Stream._meta.get_field(name) for name in names]
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(field.column)} = %s" for field in fields)  # type: ignore[union-attr, arg-type]
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


def discard(stream_id: str) -> None:
    """Delete the row of a start that failed; nobody has been told of it."""
    Stream.objects.filter(pk=stream_id).delete()


def delete(stream_id: str) -> bool:
    """Delete an ended stream's row. False: it has not ended."""
    deleted, _ = Stream.objects.filter(pk=stream_id, ended_at__isnull=False).delete()
    return bool(deleted)
