"""The record of what staff have read: transcripts, lists of prompts, and searches in them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import capfirst

from ..models import ListRead, Stream, TranscriptRead
from ..models.reads import LIST, SEARCH
from .paginator import BoundedPaginator

SAME_READ = timedelta(hours=1)
"""How long a recorded read stands for more of the same: a live page that reconnects, a list."""

logger = logging.getLogger(__name__)


def record_read(reader: Any, stream: Stream) -> None:
    TranscriptRead.objects.create(**_who(reader), stream_id=stream.pk, owner=stream.owner)
    logger.info(
        "User %s read the transcript of stream %s of %s.", reader.pk, stream.pk, stream.owner
    )


def record_read_once(reader: Any, stream: Stream) -> None:
    """Record a read, unless it belongs to one that is recorded: a live page reconnects."""
    if not TranscriptRead.objects.filter(**_recent(reader), stream_id=stream.pk).exists():
        record_read(reader, stream)


def record_list_once(reader: Any, *, owner: str = "") -> None:
    """Record a look at the list, unless it belongs to one that is recorded.

    Args:
        owner: whose streams are listed; "" for everybody's.
    """
    if not ListRead.objects.filter(**_recent(reader), what=LIST, owner=owner).exists():
        ListRead.objects.create(**_who(reader), what=LIST, owner=owner)
        logger.info("User %s opened the list of streams of %s.", reader.pk, owner or "everybody")


def record_search(reader: Any, *, owner: str = "") -> None:
    """Record a search by words, without the words.

    Args:
        owner: whose streams were searched; "" for everybody's.
    """
    ListRead.objects.create(**_who(reader), what=SEARCH, owner=owner)
    logger.info("User %s searched the streams of %s by words.", reader.pk, owner or "everybody")


def _who(reader: Any) -> dict[str, Any]:
    return {
        "at": timezone.now(),
        "reader": reader.get_username()[:254],
        "reader_key": _key_of(reader),
    }


def _recent(reader: Any) -> dict[str, Any]:
    return {"at__gte": timezone.now() - SAME_READ, "reader_key": _key_of(reader)}


def _key_of(reader: Any) -> str:
    return str(reader.pk)[:80]


class RecordAdmin(admin.ModelAdmin):
    """Shows records. Nobody can change or delete one here; it goes when its time is over."""

    list_display_links = None
    paginator = BoundedPaginator
    show_full_result_count = False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        title = capfirst(self.opts.verbose_name_plural)  # Django's says to select one
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(TranscriptRead)
class TranscriptReadAdmin(RecordAdmin):
    list_display = ("at", "reader", "stream_id", "owner")
    list_filter = ("at",)
    search_fields = ("reader", "=stream_id", "=owner")


@admin.register(ListRead)
class ListReadAdmin(RecordAdmin):
    list_display = ("at", "reader", "what", "of")
    list_filter = ("what", "at")
    search_fields = ("reader", "=owner")

    @admin.display(description="of", ordering="owner")
    def of(self, row: ListRead) -> str:
        return row.owner or "everybody"
