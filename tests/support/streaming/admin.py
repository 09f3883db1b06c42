"""The addresses of the admin panel, and rows to look at there."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from streaming.database.store import new_stream_id
from streaming.models import Stream

SECRET = "what nobody else may read"
SETTINGS = "/admin/streaming/streamingsettings/"
STREAMS = "/admin/streaming/stream/"


def put(**fields: Any) -> Stream:
    """Create a row, which has ended by default."""
    values = {
        "id": new_stream_id(),
        "owner": "user:1",
        "block_type": "tale",
        "model": "x",
        "prompt": SECRET,
        "status": "complete",
        "mark": 9,
        "created_at": timezone.now(),
        "ended_at": timezone.now(),
        **fields,
    }
    return Stream.objects.create(**values)
