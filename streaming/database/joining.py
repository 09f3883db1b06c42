"""What a session asked before its sign-in becomes the user's. Synchronous ORM.

Django keeps a session's data when an anonymous visitor signs in, and empties it when another user
does. So a session's id at a sign-in is that of this visitor, and never of somebody else.

Decision: specs/050-live-ai-interaction/decisions/035-accounts-by-allauth.md
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Case, CharField, Exists, F, OuterRef, Value, When
from django.dispatch import Signal
from django.http import HttpRequest

from ..access.owners import UserId, anonymous_owner, user_owner
from ..access.sessions import SESSION_KEY
from ..admission.subjects import key_of
from ..models import CancelIntent, Stream

logger = logging.getLogger(__name__)

joined = Signal()
"""Running streams have become a user's. Sent with `user_id` and `stream_ids`, on any thread."""


def connect_signals() -> None:
    user_logged_in.connect(_signed_in, dispatch_uid="streaming.joining")


def join(session_id: str, user_id: UserId) -> int:
    """Give a user everything that a session has asked anonymously. Idempotent.

    The rows change in one statement, together with the cancel intents. Other processes learn of it
    from the rows (`Finder.find`, `Generations.look_for_owners`).

    Args:
        session_id: of a session in which this user is signed in.

    Returns:
        The number of streams that joined.
    """
    before, owner = anonymous_owner(session_id), user_owner(user_id)
    rows = Stream.objects.filter(owner=before)
    if not rows.exists():  # nearly always: then nothing is written
        return 0
    running = list(rows.filter(ended_at__isnull=True).values_list("id", flat=True))
    try:
        with transaction.atomic():
            count = rows.update(
                owner=owner,
                user_id=user_id,
                request_id=_unless_taken(owner),
                owner_key=Case(
                    When(owner_key=key_of(before), then=Value(key_of(owner))),
                    default=F("owner_key"),
                ),
            )
            _join_intents(before, owner)
    except (IntegrityError, OperationalError):
        # The user started a stream with one of the request ids meanwhile; or was deleted.
        logger.warning("What a session asked will join its user later.")
        return 0
    if running:
        transaction.on_commit(lambda: _tell(user_id, running))
    return count


def _join_intents(before: str, owner: str) -> None:
    intents = CancelIntent.objects.filter(owner=before)
    kept = CancelIntent.objects.filter(owner=owner).values("request_id")
    intents.exclude(request_id__in=kept).update(owner=owner)
    intents.delete()


def _unless_taken(owner: str) -> Case:
    """Return a row's `request_id`; none if the owner already has a stream with it."""
    taken = Stream.objects.filter(owner=owner, request_id=OuterRef("request_id"))
    return Case(
        When(Exists(taken), then=Value(None)),
        default=F("request_id"),
        output_field=CharField(null=True),
    )


def _tell(user_id: UserId, running: list[str]) -> None:
    joined.send(sender=Stream, user_id=user_id, stream_ids=running)


def _signed_in(request: HttpRequest | None, user: Any, **_: Any) -> None:
    """Join at any sign-in: through the accounts' pages, the admin's, or a third party."""
    session_id = getattr(request, "session", {}).get(SESSION_KEY)
    if isinstance(session_id, str):
        join(session_id, user.pk)
