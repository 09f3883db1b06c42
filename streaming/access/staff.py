"""Which staff may see the answers of others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

SEE_STREAMS = ("streaming.view_stream", "streaming.change_stream")
"""Permissions of which each is enough: in Django's admin, who may change may view."""


def is_staff_with(user: Any, permissions: Iterable[str]) -> bool:
    """Whether an active member of the staff has one of the permissions. Synchronous ORM."""
    return bool(user.is_staff and any(map(user.has_perm, permissions)))


def may_see_streams(user: Any) -> bool:
    """Whether a user may see all streams: their list, their transcripts, and sums over them."""
    return is_staff_with(user, SEE_STREAMS)
