"""The record of which transcripts staff have read."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from ..models import Stream, TranscriptRead
from .paginator import BoundedPaginator

SAME_READ = timedelta(hours=1)
"""How long after a recorded read its page may follow the stream without a further record."""

logger = logging.getLogger(__name__)


def record_read(reader: Any, stream: Stream) -> None:
    TranscriptRead.objects.create(
        at=timezone.now(),
        reader=reader.get_username()[:254],
        reader_key=str(reader.pk)[:80],
        stream_id=stream.pk,
        owner=stream.owner,
    )
    logger.info(
        "User %s read the transcript of stream %s of %s.", reader.pk, stream.pk, stream.owner
    )


def record_read_once(reader: Any, stream: Stream) -> None:
    """Record a read, unless it belongs to one that is recorded: a live page reconnects."""
    recent = TranscriptRead.objects.filter(
        at__gte=timezone.now() - SAME_READ,
        reader_key=str(reader.pk)[:80],
        stream_id=stream.pk,
    )
    if not recent.exists():
        record_read(reader, stream)


@admin.register(TranscriptRead)
class TranscriptReadAdmin(admin.ModelAdmin):
    """Shows what staff read. Nobody can change or delete it here; it goes when its time is over."""

    list_display = ("at", "reader", "stream_id", "owner")
    list_display_links = None
    list_filter = ("at",)
    search_fields = ("reader", "=stream_id", "=owner")
    paginator = BoundedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
