"""Running streams whose owner's right to them has ended. Synchronous ORM.

Source: spec.md, "Running streams of an ended right".
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_delete
from django.http import HttpRequest
from knox.models import get_token_model

from ..access.owners import UserId, user_owner
from ..access.sessions import SESSION_KEY
from ..access.visitor import token_mark
from ..models import Stream


def connect_signals() -> None:
    user_logged_out.connect(_signed_out, dispatch_uid="streaming.ended_rights")
    post_delete.connect(_revoked, sender=get_token_model(), dispatch_uid="streaming.ended_rights")


def find_deleted(stream_ids: Collection[str]) -> set[str]:
    """Return those of the streams that have no row any more: their owner may be deleted."""
    rows = Stream.objects.filter(pk__in=stream_ids).values_list("pk", flat=True)
    return set(stream_ids).difference(rows)


def find_inactive(user_ids: Collection[UserId]) -> set[UserId]:
    """Return those of the users who exist but may not sign in.

    `is_active` may be any attribute of the site's user model, so the database can't filter by it.
    """
    users = get_user_model()._default_manager.in_bulk(user_ids)
    return {user_id for user_id, user in users.items() if not user.is_active}


def cancel_started_by(user_id: UserId, started_by: str) -> None:
    """Store a cancel intent in the running streams that a session or token started for its user.

    The processes that generate them find it within two seconds (`Generations.look_for_intents`).
    """
    Stream.objects.filter(
        owner=user_owner(user_id),
        status__in=("queued", "running"),
        session=started_by,
        ended_at__isnull=True,
        cancel_intent="",
    ).update(cancel_intent="owner")


def _signed_out(request: HttpRequest | None, user: Any, **_: Any) -> None:
    if settings.STREAM_ON_RIGHT_END != "cancel" or user is None:
        return
    session_id = getattr(request, "session", {}).get(SESSION_KEY)
    if isinstance(session_id, str):
        cancel_started_by(user.pk, session_id)


def _revoked(instance: Any, **_: Any) -> None:
    if settings.STREAM_ON_RIGHT_END == "cancel":
        cancel_started_by(instance.user_id, token_mark(instance.pk))
