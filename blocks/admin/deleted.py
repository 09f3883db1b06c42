"""Deleted block types in the admin: their list, and the form that brings one back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from .. import versions
from .history import VERSIONS_ON_A_PAGE
from .numbers import number

RESTORE = "restore"
"""Query parameter of the form for a new block type: the version that it brings back."""


class DeletedViews(admin.ModelAdmin):
    """A deleted block type opens in the form for a new one, which checks it and saves it.

    So what no longer suits, such as a model that is gone or a slug that is taken, can be changed.
    """

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.deleted_view)
        return [path("deleted/", view, name="blocks_blocktype_deleted"), *super().get_urls()]

    def deleted_view(self, request: HttpRequest) -> HttpResponse:
        """List the deleted block types, the latest deletion first."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        rows = versions.deleted().select_related("history_user")
        context = {
            **self.admin_site.each_context(request),
            "title": "Deleted block types",
            "opts": self.opts,
            "page": Paginator(rows, VERSIONS_ON_A_PAGE).get_page(request.GET.get("page")),
            "may_restore": self.has_add_permission(request),
        }
        return TemplateResponse(request, "blocks/deleted.html", context)

    def version_to_restore(self, request: HttpRequest) -> Any:
        """Return the last version of the deleted block type that a request names; None: none."""
        if RESTORE not in request.GET or not self.has_view_permission(request):
            return None
        version_id = number(request.GET[RESTORE])
        return None if version_id is None else versions.deleted().filter(pk=version_id).first()
