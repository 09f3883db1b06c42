"""Invitations in the admin panel, each with its link to copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from .models import Invitation


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    list_display = ("__str__", "email", "used_of", "expires_at", "created_at")
    search_fields = ("note", "email")

    def get_readonly_fields(self, request: HttpRequest, obj: Invitation | None = None) -> list[Any]:
        return [] if obj is None else [_link_on(request), "used"]

    @admin.display(description="used")
    def used_of(self, invitation: Invitation) -> str:
        return f"{invitation.used} of {invitation.uses}"


def _link_on(request: HttpRequest) -> Callable[[Invitation], str]:
    @admin.display(description="link to copy")
    def link(invitation: Invitation) -> str:
        url = request.build_absolute_uri(invitation.get_absolute_url())
        return format_html('<a href="{0}">{0}</a>', url)

    return link
