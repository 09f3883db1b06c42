"""The operators' side: the switches, and the streams with a way to stop them."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from .errors import Refused
from .models import Stream, StreamingSettings
from .process import ensure_started
from .switches import read_switches


@admin.register(StreamingSettings)
class StreamingSettingsAdmin(admin.ModelAdmin):
    """One row, so the list leads straight to it."""

    fields = ("enabled", "backend", "fallback", "message", "in_force")
    readonly_fields = ("in_force",)

    @admin.display(description="in force now")
    def in_force(self, row: StreamingSettings) -> str:
        switches = read_switches()
        return ", ".join(
            [
                f"streaming {'on' if switches.enabled else 'off'}",
                f"over {switches.backend}",
                "the other transport too" if switches.fallback else "no other transport",
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


@admin.register(Stream)
class StreamAdmin(admin.ModelAdmin):
    """To look at, to stop, and to delete once ended; never to edit."""

    list_display = ("id", "block_type", "owner", "status", "model", "created_at", "ttft_ms")
    list_filter = ("status", "block_type")
    search_fields = ("id", "prompt", "owner")
    date_hierarchy = "created_at"
    actions = ("cancel",)

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
            messages.warning(request, f"{running} running streams were left: cancel them first.")
        queryset.filter(ended_at__isnull=False).delete()

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.delete_stream")

    @admin.action(description="Cancel the selected streams", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Stream]) -> None:
        ids = list(queryset.filter(ended_at__isnull=True).values_list("pk", flat=True))
        for stream_id in ids:
            try:
                async_to_sync(_cancel)(stream_id)
            except Refused as refused:
                # A message's first letter is made large: the id must not stand first.
                messages.error(request, f"Stream {stream_id}: {refused.message}")
                return
        messages.success(request, f"{len(ids)} streams were cancelled.")


async def _cancel(stream_id: str) -> None:
    process = await ensure_started()
    await process.while_it_serves(process.manager.cancel(stream_id, None, by="admin"))
