"""The admin of the switches."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ..models import StreamingSettings
from ..switches import read_switches


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
