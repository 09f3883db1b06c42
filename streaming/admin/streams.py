"""The admin of streams: finds, shows, cancels and deletes them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ..database.search import MAX_WORDS_CHARS, search
from ..database.time_limit import statement_limit
from ..errors import Refused
from ..http.request_threads import on_loop
from ..models import Stream
from .cancelling import cancel_all, report, streams_were
from .filters import BlockTypeFilter
from .paginator import BoundedPaginator
from .reads import record_read

LIST_SECONDS = 3.0
FILTERED = ("status", "block_type", "created_at")
FOUND_AT_MOST = 1_000


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
            record_read(request.user, obj)
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
                request, f"{streams_were(running)} not deleted: cancel running streams first."
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
        outcomes = on_loop(lambda: cancel_all(ids))
        report(request, outcomes, ended_before=len(ended_ids))
