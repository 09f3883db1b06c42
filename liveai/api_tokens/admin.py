"""API tokens in the admin panel: seen and revoked, and made by their users alone."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.actions import delete_selected
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from .models import ApiToken


@admin.action(permissions=["delete"], description="Revoke the selected tokens")
def revoke_selected(modeladmin: Any, request: HttpRequest, queryset: Any) -> Any:
    return delete_selected(modeladmin, request, queryset)


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    list_display = ("name", "user", "scope", "token_key", "created", "expiry", "last_used_at")
    list_filter = ("scope", "expiry")
    list_select_related = ("user",)
    fields = list_display
    actions = [revoke_selected]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("name", "token_key", f"user__{get_user_model().USERNAME_FIELD}")

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
