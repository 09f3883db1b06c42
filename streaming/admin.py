"""The admin: the switches, and the streams with an action to cancel them."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from blocks.models import BlockType

from . import admin_limits
from .database.search import MAX_WORDS_CHARS, search
from .database.time_limit import statement_limit
from .errors import Refused
from .http.request_threads import on_loop
from .loop.log_ids import of_stream
from .models import Stream, StreamingSettings, TranscriptRead
from .process import ensure_started
from .switches import read_switches

LIST_SECONDS = 3.0
FILTERED = ("status", "block_type", "created_at")
COUNTED_AT_MOST = 10_000
FOUND_AT_MOST = 1_000

CANCELS_AT_ONCE = 16
"""Concurrent stores of cancels of one action. The waits for the ends are not limited."""

NAMED_AT_MOST = 20
"""Streams that one message names. Messages may travel in a cookie."""

CANCELLED = "cancelled"
ENDED = "ended"

assert admin_limits  # imported for its registrations

logger = logging.getLogger(__name__)


@admin.register(StreamingSettings)
class StreamingSettingsAdmin(admin.ModelAdmin):
    """Admin of the one settings row; the list redirects to it."""

    fields = ("enabled", "backend", "fallback", "message", "in_force")
    readonly_fields = ("in_force",)

    @admin.display(description="currently in effect")
    def in_force(self, row: StreamingSettings) -> str:
        switches = read_switches()
        return ", ".join(
            [
                f"streaming {'on' if switches.enabled else 'off'}",
                f"over {switches.backend}",
                "with fallback" if switches.fallback else "without fallback",
            ]
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        row, _ = StreamingSettings.objects.get_or_create(pk=1)
        return HttpResponseRedirect(
            reverse("admin:streaming_streamingsettings_change", args=[row.pk])
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BoundedPaginator(Paginator):
    """Counts rows up to `COUNTED_AT_MOST`: counting a million would take too long."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        counted: int = rows.order_by()[:COUNTED_AT_MOST].count()
        return counted


class BlockTypeFilter(admin.SimpleListFilter):
    """Filters by existing block types; Django's own filter would read all streams for the names."""

    title = "block type"
    parameter_name = "block_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(BlockType.objects.values_list("slug", "title"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Stream]) -> QuerySet[Stream]:
        slug = self.value()
        return queryset if slug is None else queryset.filter(block_type=slug)


@admin.register(Stream)
class StreamAdmin(admin.ModelAdmin):
    """Shows, cancels and deletes streams (ended ones only); never edits them.

    The list reads a bounded number of rows, so that one member of the staff can't stall the site.
    """

    list_display = ("id", "block_type", "owner", "status", "model", "created_at", "ttft_ms")
    list_filter = ("status", BlockTypeFilter, "created_at")
    search_fields = ("id", "owner", "prompt", "text")  # shows the field; see get_search_results
    search_help_text = "A complete id or owner, or words from the newest streams."
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ("cancel",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return super().changelist_view(request, extra_context)
        try:
            with statement_limit(LIST_SECONDS):
                response = super().changelist_view(request, extra_context)
                # Render within the limit: rendering reads the rows.
                return response.render() if isinstance(response, TemplateResponse) else response
        except Refused as refused:
            text = f"{refused.message} Remove a filter, or search for an id or an owner."
            headers = {"Retry-After": f"{refused.retry_after_seconds:.0f}"}
            return HttpResponse(text, status=503, content_type="text/plain", headers=headers)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Stream], search_term: str
    ) -> tuple[QuerySet[Stream], bool]:
        words = search_term.strip()[:MAX_WORDS_CHARS]
        if not words:
            return queryset, False
        if Stream.objects.filter(owner=words).exists():
            return queryset.filter(owner=words), False
        found = search(Stream.objects.all(), words, at_most=FOUND_AT_MOST)
        return queryset.filter(pk__in=[words, *found.ids]), False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow those of the filters. `?text__regex=` would compare contents without bounds."""
        return lookup.split(LOOKUP_SEP, 1)[0] in FILTERED

    def render_change_form(
        self,
        request: Any,
        context: Any,
        add: Any = False,
        change: Any = False,
        form_url: str = "",
        obj: Stream | None = None,
    ) -> HttpResponse:
        """Record who reads the transcript. Django calls it for an existing stream that may be seen.

        If it can't be recorded, the page fails. A HEAD shows nothing.
        """
        if obj is not None and request.method != "HEAD":
            _record_read(request.user, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Stream | None = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or obj.ended_at is not None)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Stream]) -> None:
        running = queryset.filter(ended_at__isnull=True).count()
        if running:
            messages.warning(
                request, f"{_streams(running)} not deleted: cancel running streams first."
            )
        queryset.filter(ended_at__isnull=False).delete()

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.delete_stream")

    @admin.action(description="Cancel the selected streams", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Stream]) -> None:
        """Cancel all of them; report how many were cancelled, and which were not and why."""
        if request.POST.get("select_across", "0") == "0":
            # By id: a list of the queued ones would leave out what has begun to run meanwhile.
            selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
            ended = self.get_queryset(request).filter(pk__in=selected, ended_at__isnull=False)
            ended_ids = set(ended.values_list("pk", flat=True))
            ids = [stream_id for stream_id in selected if stream_id not in ended_ids]
        else:
            ended_ids = set()
            ids = list(queryset.filter(ended_at__isnull=True).values_list("pk", flat=True))
        outcomes = on_loop(lambda: _cancel_all(ids))
        cancelled = sum(outcome == CANCELLED for outcome in outcomes.values())
        ended_before = len(ended_ids) + sum(outcome == ENDED for outcome in outcomes.values())
        level = messages.SUCCESS if cancelled else messages.INFO
        messages.add_message(request, level, f"{_streams(cancelled)} cancelled.")
        if ended_before:
            messages.info(request, f"{ended_before} had already ended.")
        refused: dict[str, list[str]] = defaultdict(list)
        for stream_id, outcome in outcomes.items():
            if outcome not in (CANCELLED, ENDED):
                refused[outcome].append(stream_id)
        for reason, named in refused.items():
            messages.error(request, f"{_streams(len(named), named)} not cancelled: {reason}")


def _record_read(reader: Any, stream: Stream) -> None:
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


async def _cancel_all(stream_ids: Collection[str]) -> dict[str, str]:
    """Cancel streams concurrently.

    Returns:
        By stream id: CANCELLED, ENDED (it ended by itself before), or the reason of a failure.
    """
    process = await ensure_started()
    manager = process.manager
    storing = asyncio.Semaphore(CANCELS_AT_ONCE)

    async def cancel(stream_id: str) -> str:
        async with storing:
            feed = await manager.store_cancel(stream_id, None, by="admin")
        await manager.see_end(feed)
        return CANCELLED if feed.window.status == "cancelled" else ENDED

    async def outcome(stream_id: str) -> str:
        try:
            return await process.connections.until_dismissed(cancel(stream_id))
        except Refused as refused:
            return refused.message
        except Exception:
            with of_stream(stream_id):
                logger.exception("The cancel of stream %s failed.", stream_id)
            return "Something went wrong on our side."

    return dict(zip(stream_ids, await asyncio.gather(*map(outcome, stream_ids)), strict=True))


def _streams(count: int, names: Collection[str] = ()) -> str:
    """`2 streams (a, b) were`: the beginning of a message."""
    named = list(names)[:NAMED_AT_MOST]
    if len(names) > len(named):
        named.append("…")
    listed = f" ({', '.join(named)})" if named else ""
    return f"{count} stream{listed} was" if count == 1 else f"{count} streams{listed} were"
