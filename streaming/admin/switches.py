"""The admin of the switches: one form, with what the environment says beside each value."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from ..http.request_threads import on_loop
from ..models import StreamingSettings
from ..process import ensure_started
from ..switches import switches_of
from .cancelling import cancel_all, find_running, record, report, streams_are

TRANSPORTS = {"sse": "SSE", "websocket": "WebSocket"}


class SwitchesForm(forms.ModelForm):
    """Changes the fields that differ from what the form showed, and keeps the others as saved.

    A form may have been open for long. Without that it would undo what others saved meanwhile, and
    release "Stop everything".
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True  # `changed_data` compares with it

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kept = {name: getattr(self.instance, name) for name in cleaned}
        return kept | {name: cleaned[name] for name in self.changed_data if name in cleaned}


@admin.register(StreamingSettings)
class StreamingSettingsAdmin(admin.ModelAdmin):
    """Admin of the one settings row; the list redirects to it."""

    form = SwitchesForm
    change_form_template = "streaming/switches.html"
    fieldsets = (
        ("Stop everything", {"fields": (("paused", "running_now"),)}),
        (
            "Notice to visitors",
            {"fields": ("message", ("message_from", "message_until"), "message_now")},
        ),
        (
            "Streaming",
            {
                "fields": (
                    ("enabled", "enabled_now"),
                    ("backend", "backend_now"),
                    ("fallback", "fallback_now"),
                ),
                "description": "What is set here wins over the environment, in every process and "
                "within a second.",
            },
        ),
    )
    readonly_fields = ("running_now", "message_now", "enabled_now", "backend_now", "fallback_now")

    @admin.display(description="Now")
    def running_now(self, row: StreamingSettings) -> str:
        count = len(find_running())
        if row.paused:
            return f"Stopped: starts are refused. {streams_are(count)} still ending."
        return f"{streams_are(count)} running or waiting, and would be cancelled."

    @admin.display(description="Now")
    def message_now(self, row: StreamingSettings) -> str:
        if not row.message:
            return "No notice."
        if switches_of(row).message:
            return "Visitors see it."
        begin = row.message_from
        is_early = begin is not None and timezone.now() < begin
        return "Not shown yet." if is_early else "No longer shown."

    @admin.display(description="In force")
    def enabled_now(self, row: StreamingSettings) -> str:
        in_force, configured = switches_of(row).enabled, settings.AI_STREAMING_ENABLED
        return _beside("AI_STREAMING_ENABLED", _on(in_force), _on(configured))

    @admin.display(description="In force")
    def backend_now(self, row: StreamingSettings) -> str:
        in_force, configured = switches_of(row).backend, settings.STREAMING_BACKEND
        return _beside("STREAMING_BACKEND", *(TRANSPORTS[name] for name in (in_force, configured)))

    @admin.display(description="In force")
    def fallback_now(self, row: StreamingSettings) -> str:
        in_force, configured = switches_of(row).fallback, settings.AI_STREAMING_FALLBACK
        return _beside("AI_STREAMING_FALLBACK", _on(in_force), _on(configured))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        row, _ = StreamingSettings.objects.get_or_create(pk=1)
        return HttpResponseRedirect(
            reverse("admin:streaming_streamingsettings_change", args=[row.pk])
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show or save the form; if it stops everything, cancel what runs and say what happened.

        Every process also cancels what it runs. But the streams that wait for a worker would wait
        until there is one.
        """
        extra_context = {"title": "Streaming settings", "subtitle": None, **(extra_context or {})}
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        was_paused, running = _is_paused(), find_running()
        response = super().changeform_view(request, object_id, form_url, extra_context)
        if _is_paused() == was_paused:
            return response
        # After the transaction that saves the form: it would hold up the ends.
        on_loop(_follow)
        if was_paused:
            messages.info(request, "Starts are accepted again.")
        else:
            outcomes = on_loop(lambda: cancel_all(running))
            record(request.user, outcomes, were_all=True)
            report(request, outcomes)
        return response

    def save_model(
        self, request: HttpRequest, obj: StreamingSettings, form: Any, change: bool
    ) -> None:
        """Write only what was changed here: others may save at the same time."""
        obj.save(update_fields=form.changed_data)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


async def _follow() -> None:
    """Make this process obey at once, so that its next page shows what was chosen."""
    await (await ensure_started()).follow_switches()


def _is_paused() -> bool:
    return StreamingSettings.objects.filter(paused=True).exists()


def _on(value: bool) -> str:
    return "on" if value else "off"


def _beside(name: str, in_force: str, configured: str) -> str:
    return format_html(
        "<strong>{}</strong>. The environment says {} (<code>{}</code>).",
        in_force,
        configured,
        name,
    )
