"""The versions of a block type in the admin: a list, the difference, and a roll-back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime

from .. import versions
from ..comparison import Change
from ..models import BlockType

VERSIONS_ON_A_PAGE = 50


class HistoryViews(admin.ModelAdmin):
    """Replaces Django's own history, which names the changed fields and not what they held."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.version_view)
        return [
            path(
                "<path:object_id>/history/<int:version_id>/", view, name="blocks_blocktype_version"
            ),
            *super().get_urls(),
        ]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """List the versions, the newest first, each with what it changed."""
        block = self._block(request, object_id)
        rows = BlockType.history.filter(id=block.pk).select_related("history_user")
        page = Paginator(rows, VERSIONS_ON_A_PAGE).get_page(request.GET.get("page"))
        listed = [
            (version, [label_of(change.field) for change in versions.changes_of(version)])
            for version in page
        ]
        context = {
            **self._context(request, block, f"Versions of {block.title}"),
            "listed": listed,
            "page": page,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "blocks/versions.html", context)

    def version_view(self, request: HttpRequest, object_id: str, version_id: int) -> HttpResponse:
        """Show what a version changed and what going back to it would change; POST goes back."""
        block = self._block(request, object_id)
        version = get_object_or_404(BlockType.history, id=block.pk, history_id=version_id)
        may_roll_back = self.has_change_permission(request, block)
        form, back = None, versions.changes_back(block, version)
        if request.method == "POST":
            if not may_roll_back:
                raise PermissionDenied
            form = versions.form_back(block, version)
            if form.is_valid():
                when = date_format(localtime(version.history_date), "DATETIME_FORMAT")
                why = f"rolled back to the version of {when}"
                if versions.save(form.instance, by=request.user, why=why):
                    self.log_change(request, block, f"{capfirst(why)}.")
                    self.message_user(request, f"{block.title} was {why}.", messages.SUCCESS)
                return HttpResponseRedirect(
                    reverse("admin:blocks_blocktype_history", args=[block.pk])
                )
        context = {
            **self._context(request, block, f"A version of {block.title}"),
            "version": version,
            "changed": _labelled(versions.changes_of(version)),
            "back": _labelled(back),
            "may_roll_back": may_roll_back,
            "problems": [] if form is None else _problems(form),
        }
        status = 200 if form is None else 409
        return TemplateResponse(request, "blocks/version.html", context, status=status)

    def _block(self, request: HttpRequest, object_id: str) -> BlockType:
        block = self.get_object(request, object_id)
        if block is None or not self.has_view_or_change_permission(request, block):
            # As for any other page of a row that somebody may not see.
            raise PermissionDenied
        return block

    def _context(self, request: HttpRequest, block: BlockType, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "block_type": block,  # `block` has a meaning of its own in templates
        }


def label_of(field: str) -> str:
    """Return the name of a field as the form shows it."""
    return capfirst(str(BlockType._meta.get_field(field).verbose_name))  # type: ignore[union-attr]


def _labelled(changes: list[Change]) -> list[tuple[str, Change]]:
    return [(label_of(change.field), change) for change in changes]


def _problems(form: Any) -> list[tuple[str, str]]:
    return [(label_of(name), str(e)) for name, errors in form.errors.items() for e in errors]
