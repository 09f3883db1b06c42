"""The admin of streams: finds, shows, cancels and deletes them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ..database.time_limit import statement_limit
from ..errors import Refused
from ..http.request_threads import on_loop
from ..models import Stream
from .cancelling import cancel_all, find_running, record, report, streams_are
from .deleting import delete_selected
from .filters import BlockTypeFilter, CodeFilter, OwnerFilter, StatusFilter
from .live import LiveView
from .owner_deletion import answer_deletion
from .paginator import BoundedPaginator
from .reads import record_list_once, record_read
from .searching import HELP, Looker, narrow
from .stream_list import COLUMNS, StreamColumns, StreamList
from .stream_page import context_of

LIVE = "streaming_stream_live"
LIST_SECONDS = 3.0


@admin.register(Stream)
class StreamAdmin(StreamColumns, admin.ModelAdmin):
    """Shows, cancels and deletes streams (ended ones only); never edits them.

    The list reads a bounded number of rows, so that one member of the staff can't stall the site.
    """

    list_display = COLUMNS
    list_filter = (StatusFilter, CodeFilter, BlockTypeFilter, OwnerFilter, "created_at")
    list_select_related = ("user",)
    search_fields = ("id", "owner", "prompt", "text")  # shows the field; see get_search_results
    search_help_text = HELP
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # it would count all rows of each choice
    actions = ("cancel", delete_selected)
    change_list_template = "streaming/stream_list.html"
    change_form_template = "streaming/stream.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("cancel-all/", view(self.cancel_running), name="streaming_stream_cancel_all"),
            # As the API's own path, which the client appends to its base.
            path("live/api/streams/<str:stream_id>/events", LiveView.as_view(), name=LIVE),
            path("delete-owner/", view(self.delete_owner), name="streaming_stream_delete_owner"),
            path("<path:object_id>/cancel/", view(self.cancel_one), name="streaming_stream_cancel"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[StreamList]:
        return StreamList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        extra_context = {"may_cancel": self.has_cancel_permission(request), **(extra_context or {})}
        if request.method not in ("GET", "HEAD"):
            return self._listed(request, extra_context)
        try:
            with statement_limit(LIST_SECONDS):
                response = self._listed(request, extra_context)
                # Render within the limit: rendering reads the rows.
                return response.render() if isinstance(response, TemplateResponse) else response
        except Refused as refused:
            text = f"{refused.message} Remove a filter, or search for an id or an owner."
            headers = {"Retry-After": f"{refused.retry_after_seconds:.0f}"}
            return HttpResponse(text, status=503, content_type="text/plain", headers=headers)

    def _listed(self, request: HttpRequest, extra_context: dict[str, Any]) -> HttpResponse:
        """Return Django's answer. If it is the list, record who reads it; a HEAD shows nothing."""
        response = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown and request.method != "HEAD":
            record_list_once(request.user, owner=_owner_in(request))
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Stream], search_term: str
    ) -> tuple[QuerySet[Stream], bool]:
        """Find what the search box asks for, and record who searches what people wrote."""
        return narrow(queryset, search_term, Looker(request.user, _owner_in(request))), False

    def render_change_form(
        self,
        request: Any,
        context: Any,
        add: Any = False,
        change: Any = False,
        form_url: str = "",
        obj: Stream | None = None,
    ) -> HttpResponse:
        """Show the transcript, and record who reads it.

        Django calls it for an existing stream that may be seen. If the read can't be recorded, the
        page fails. A HEAD shows nothing.
        """
        if obj is not None and request.method != "HEAD":
            record_read(request.user, obj)
        if obj is not None:
            may_cancel = self.has_cancel_permission(request)
            titles = {"title": "Answer", "subtitle": None}
            may = {"may_cancel": may_cancel, "may_delete": self.has_delete_permission(request)}
            context = {**context, **titles, **may, **context_of(obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Stream | None = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or obj.ended_at is not None)

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
        record(request.user, outcomes)
        report(request, outcomes, ended_before=len(ended_ids))

    def cancel_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Cancel one stream and return to its page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        stream_id = unquote(object_id)
        if self.get_queryset(request).filter(pk=stream_id, ended_at__isnull=False).exists():
            report(request, {}, ended_before=1)
        else:
            outcomes = on_loop(lambda: cancel_all([stream_id]))
            record(request.user, outcomes)
            report(request, outcomes)
        return HttpResponseRedirect(reverse("admin:streaming_stream_change", args=[object_id]))

    def cancel_running(self, request: HttpRequest) -> HttpResponse:
        """Cancel all streams that have not ended, once the admin has seen how many they are."""
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        running = find_running()
        if request.method == "POST":
            outcomes = on_loop(lambda: cancel_all(running))
            record(request.user, outcomes, were_all=True)
            report(request, outcomes)
            return HttpResponseRedirect(reverse("admin:streaming_stream_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": Stream._meta,
            "title": "Cancel all running answers",
            "running": streams_are(len(running)),
            "is_any": bool(running),
        }
        return TemplateResponse(request, "streaming/cancel_all.html", context)

    def delete_owner(self, request: HttpRequest) -> HttpResponse:
        """Delete all answers of one owner, once the admin has seen how many they are."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        return answer_deletion(request, self.admin_site)


def _owner_in(request: HttpRequest) -> str:
    """Return the owner by whom the list is filtered; "" for none. Anything else could be words."""
    owner = request.GET.get("owner", "")
    is_one = "\0" not in owner and Stream.objects.filter(owner=owner).exists()
    return owner if is_one else ""
