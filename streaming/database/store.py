"""Read and write stream rows. Synchronous ORM, called on a database thread."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Count, Q
from django.utils import timezone

from blocks.continuation import NOTHING, Earlier

from ..access.owners import OUTSIDE_START, UserId
from ..admission import places, spending
from ..admission.crowd import USER, Asker, Taken
from ..admission.places import Full
from ..admission.spending import Spent
from ..admission.subjects import keys_of
from ..admission.usage import use_of
from ..errors import Refused
from ..limits import Subjects
from ..models import CancelIntent, Stream
from ..protocol import events
from ..protocol.events import CancelledBy
from ..protocol.state import StreamState
from .insert import insert_row
from .rows import NO_KEYS, columns_of, state_of, usage_columns_of

CANCEL_INTENT_SECONDS = 60
CANCEL_INTENTS_AT_MOST = 100
"""Most cancel intents stored for one owner at a time."""


@dataclass(frozen=True, slots=True)
class NewStream:
    """A validated request to start a stream: its owner, block and input."""

    owner: str
    user_id: UserId | None
    session: str
    block_type: str
    model: str
    prompt: str
    options: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    sample: str = ""  # the name of the sample answer that it replays
    subjects: Subjects = ()  # those whose limits it counts towards
    reserved_tokens: int = 0
    continues: str | None = None

    def is_same_input(self, row: Stream) -> bool:
        return (row.block_type, row.prompt, row.options, row.continues, row.sample) == (
            self.block_type,
            self.prompt,
            dict(self.options),
            self.continues,
            self.sample,
        )


def new_stream_id() -> str:
    """Return 128 random bits as 22 URL-safe characters: unique and unguessable."""
    return secrets.token_urlsafe(16)


def find(stream_id: str) -> Stream | None:
    return Stream.objects.filter(pk=stream_id).first()


def find_by_request(owner: str, request_id: str) -> Stream | None:
    return Stream.objects.filter(owner=owner, request_id=request_id).first()


def find_many(stream_ids: Iterable[str]) -> dict[str, Stream]:
    return Stream.objects.in_bulk(list(stream_ids))


def find_running(owner: str, session: str | None, at_most: int) -> list[Stream]:
    """Return the owner's newest running streams; with a session, only those started in it."""
    # Filter and order match the index, because an owner may have 100,000 ended rows.
    rows = Stream.objects.filter(
        owner=owner, status__in=("queued", "running"), ended_at__isnull=True
    ).order_by("status", "-created_at", "-id")
    rows = rows if session is None else rows.filter(session=session)
    return sorted(rows[:at_most], key=lambda row: (row.created_at, row.id), reverse=True)


def count_waiting(asker: Asker = USER) -> Taken:
    """Count the streams that no worker has started yet, with those at this asker's address."""
    rows = Stream.objects.filter(process="", ended_at__isnull=True, started_at__isnull=True)
    is_anonymous = Q(user__isnull=True) & ~Q(owner__startswith=OUTSIDE_START)
    is_at_address = is_anonymous & Q(address_key=asker.address)
    counted = rows.aggregate(
        total=Count("pk"),
        anonymous=Count("pk", filter=is_anonymous),
        at_address=Count("pk", filter=is_at_address),
    )
    return Taken(**counted)


def overdue(orphans: Collection[str]) -> list[str]:
    """Return the streams among `orphans` that were cancelled, or not taken over in time.

    A cancelled one only needs its end, which any process can write. The limit of the others is
    `STREAM_DEADLINE_SECONDS` since creation, or twice that since the start for streams that have
    started. A row stores when its first generator started, but not when the last one handed it
    over. A stream that was taken over several times may therefore be returned too early.
    """
    deadline = timedelta(seconds=settings.STREAM_DEADLINE_SECONDS)
    now = timezone.now()
    never_begun = Q(started_at__isnull=True, created_at__lt=now - deadline)
    begun = Q(started_at__lt=now - 2 * deadline)
    cancelled = ~Q(cancel_intent="")
    rows = Stream.objects.filter(never_begun | begun | cancelled, pk__in=orphans)
    return list(rows.values_list("id", flat=True))


class PlacesTaken(Exception):
    """A start would exceed a limit of running streams, or of the tokens that they may use.

    Args:
        full: the limit, with `running`: the streams that count.
    """

    def __init__(self, full: Full | Spent) -> None:
        super().__init__(full.whose)
        self.full = full


def create(
    stream_id: str,
    new: NewStream,
    *,
    process: str,
    mark: int,
    is_streaming: bool,
    earlier: Earlier = NOTHING,
    carrier: dict[str, str] | None = None,
    ended: Collection[str] = frozenset(),
) -> tuple[Stream, bool]:
    """Insert the row of a new stream, or find the existing row with the same `request_id`.

    An earlier cancel intent takes effect here: the row is ended immediately, and holds no place.

    Args:
        earlier: what the stream continues.
        carrier: what it keeps of its request (generating/spans.py).
        ended: ids of streams that have ended although their rows do not show it yet.

    Returns:
        The row, and whether it is new.

    Raises:
        PlacesTaken: running streams are counted in the inserting transaction, so concurrent starts
            in any process can't exceed the limits.
        Refused: `not_authenticated`: the user was deleted meanwhile.
    """
    keys = keys_of(new.subjects)
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
        continues=new.continues,
        earlier=earlier.to_json(),
        carrier=carrier,
        sample=new.sample,
        process=process,
        mark=mark,
        is_streaming=is_streaming,
        owner_key=keys.get("owner", ""),
        address_key=keys.get("address", ""),
        reserved_tokens=new.reserved_tokens,
        created_at=timezone.now(),
    )
    if new.request_id is None:
        _insert(row, new, ended)
        return row, True
    if existing := find_by_request(new.owner, new.request_id):
        return existing, False
    try:
        _insert(row, new, ended)
    except IntegrityError:
        existing = find_by_request(new.owner, new.request_id)
        if existing is None:
            raise
        return existing, False
    # Look after the insert, because a cancel stores its intent before it looks for the row. One of
    # the two therefore sees the other.
    if _has_intent(new.owner, new.request_id):
        end(row, events.cancelled(row.id, 0, by="owner"))
    return row, True


def _insert(row: Stream, new: NewStream, ended: Collection[str]) -> None:
    """Insert a row within the limits.

    Raises:
        IntegrityError: the `request_id` already has a stream.
        PlacesTaken
        Refused: `not_authenticated`: the user was deleted meanwhile.
    """
    try:
        limited = tuple(subject for subject in new.subjects if subject.holds_places)
        if not limited:
            with connection.cursor() as cursor:
                return insert_row(cursor, row)
        with transaction.atomic(), connection.cursor() as cursor:
            places.lock(cursor, limited)
            if full := _find_full(cursor, new, limited, without=ended):
                raise PlacesTaken(full)
            insert_row(cursor, row)
    except IntegrityError:
        if new.user_id is None or get_user_model().objects.filter(pk=new.user_id).exists():
            raise
        raise Refused("not_authenticated") from None


def _find_full(
    cursor: CursorWrapper, new: NewStream, subjects: Subjects, *, without: Collection[str]
) -> Full | Spent | None:
    """Return the limit that a start would exceed; None if a cancel intent for it is stored."""
    uses = use_of(cursor, subjects, timezone.now())
    full = places.find_full(subjects, uses, without=without) or spending.find_spent(
        subjects, uses, new.reserved_tokens
    )
    if full is not None and new.request_id and _has_intent(new.owner, new.request_id):
        return None
    return full


def end(row: Stream, terminal: events.Event) -> None:
    """End the row of a stream without a generator, with this terminal event."""
    state = state_of(row)
    state.seq = (terminal.seq or 0) - 1
    state.apply(terminal)
    close(row, state)


def close(row: Stream, state: StreamState) -> bool:
    """Save the end of a stream without a generator to its row.

    Returns:
        False: the row had an end already.
    """
    assert state.terminal is not None
    ended_at = timezone.now()
    columns = columns_of(state) | NO_KEYS | {"ended_at": ended_at}
    fields = state.terminal.fields
    if "usage" in fields:
        columns |= {**usage_columns_of(state.terminal), "ttft_ms": fields["ttft_ms"]}
        if row.started_at is None:  # its process died before the first save
            columns["started_at"] = ended_at - timedelta(milliseconds=fields["duration_ms"])
    with transaction.atomic(), connection.cursor() as cursor:
        endings = spending.find_ending(cursor, [row.pk])
        is_saved = Stream.objects.filter(pk=row.pk, ended_at__isnull=True).update(**columns)
        if is_saved:
            for name, value in columns.items():
                setattr(row, name, value)
            _settle(cursor, endings, row)
    if not is_saved:
        row.refresh_from_db()
    return bool(is_saved)


def _settle(cursor: CursorWrapper, endings: Mapping[str, spending.Ending], row: Stream) -> None:
    spending.settle(cursor, [(ending, spending.tokens_of(row)) for ending in endings.values()])


@dataclass(frozen=True, slots=True)
class TakenOver:
    row: Stream
    has_dead_generator: bool  # False: it was handed over, or never started
    seq_before: int
    has_ended: bool = False  # its row held the end, and only lacked the time of it


def take_over(
    stream_id: str, *, process: str, last: int, is_all: bool, max_events: int
) -> TakenOver | None:
    """Take over a stream's row: from then on, no other process can save it.

    Args:
        last: the highest seq that may have been used.
        is_all: the row holds all that is known of the stream; later events have a seq above `last`.

    Returns:
        None if the stream has ended or is deleted. With `has_ended`, nobody generates it further.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        unended = Stream.objects.select_for_update().filter(ended_at__isnull=True)
        row = unended.filter(pk=stream_id).first()
        if row is None:
            return None
        if row.terminal is not None:  # only `ended_at` is missing
            endings = spending.find_ending(cursor, [row.pk])
            row.ended_at = timezone.now()
            row.owner_key = row.address_key = ""
            row.save(update_fields=["ended_at", *NO_KEYS])
            _settle(cursor, endings, row)
            return TakenOver(row, has_dead_generator=False, seq_before=row.seq, has_ended=True)
        taken_over = TakenOver(row, has_dead_generator=bool(row.process), seq_before=row.seq)
        row.process = process
        row.recoveries += taken_over.has_dead_generator
        row.mark = max(row.mark, last + max_events)
        if is_all:
            row.seq = last
        row.save(update_fields=["process", "recoveries", "mark", "seq"])
    return taken_over


def leave(process: str, stream_ids: Collection[str]) -> None:
    """Hand over streams that are saved up to their last event; any process may take them over."""
    Stream.objects.filter(process=process, pk__in=stream_ids, ended_at__isnull=True).update(
        process=""
    )


def add_intent(owner: str, request_id: str) -> Stream | None:
    """Find the stream to cancel, or store a cancel intent for a start that may still arrive.

    Raises:
        Refused: `rate_limited`: the owner has `CANCEL_INTENTS_AT_MOST` other cancel intents.
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
    # Look again after the insert: a start looks for cancel intents after its own insert. One of the
    # two therefore sees the other.
    return find_by_request(owner, request_id)


def add_intent_to_row(stream_id: str, owner: str, by: str) -> None:
    """Store a cancel intent in the row of an owner's running stream; the first one wins."""
    Stream.objects.filter(
        pk=stream_id, owner=owner, ended_at__isnull=True, cancel_intent=""
    ).update(cancel_intent=by)


def find_joined(stream_ids: Collection[str]) -> dict[str, tuple[str, UserId]]:
    """Return those of the streams that have become a user's: owner and user by stream."""
    rows = Stream.objects.filter(pk__in=stream_ids, user__isnull=False)
    return {pk: (owner, user) for pk, owner, user in rows.values_list("pk", "owner", "user_id")}


def find_intents(process: str) -> dict[str, CancelledBy]:
    """Return the cancel intents stored in the rows of this process's running streams."""
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


def discard(stream_id: str) -> None:
    """Delete the row of a failed start, which no client knows yet."""
    Stream.objects.filter(pk=stream_id).delete()


def delete(stream_id: str) -> bool:
    """Delete an ended stream's row. False: no ended stream has this id."""
    deleted, _ = Stream.objects.filter(pk=stream_id, ended_at__isnull=False).delete()
    return bool(deleted)
