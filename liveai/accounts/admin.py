"""Invitations in the admin panel, each with its link to copy."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html

from streaming.http.admin_initial import ValidInitial

from .models import Invitation


@admin.register(Invitation)
class InvitationAdmin(ValidInitial):
    list_display = ("__str__", "email", "used_of", "expires_at", "created_at")
    search_fields = ("note", "email")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("link", "used")

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        invitation = super().get_object(request, *args, **kwargs)
        if invitation is not None:
            invitation.url = request.build_absolute_uri(invitation.get_absolute_url())
        return invitation

    @admin.display(description="link to copy")
    def link(self, invitation: Any) -> str:
        return format_html('<a href="{0}">{0}</a>', invitation.url)

    @admin.display(description="used")
    def used_of(self, invitation: Invitation) -> str:
        return f"{invitation.used} of {invitation.uses}"
