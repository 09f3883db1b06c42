"""The list and the form of block types: edit, duplicate, reorder, enable."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from .. import ordering, versions
from ..forms import values_of
from ..models import BlockType
from ..system_role import warning_of
from .deleted import DeletedViews
from .history import HistoryViews
from .numbers import number
from .opened import SHOWN, OpenedForm, RowForm
from .transfer import TransferViews

COPY_OF = "copy_of"
"""Query parameter of the form for a new block type: the one whose values it begins with."""


@admin.register(BlockType)
class BlockTypeAdmin(HistoryViews, DeletedViews, TransferViews, admin.ModelAdmin):
    """Each change becomes a version, whichever way it is made."""

    form = OpenedForm
    list_display = [
        "title", "slug", "output", "model_name", "position", "order", "enabled", "streaming",
    ]  # fmt: skip
    list_editable = ["order", "enabled", "streaming"]
    list_filter = ["output", "enabled", "streaming"]
    search_fields = ["title", "slug", "description"]
    prepopulated_fields = {"slug": ["title"]}
    save_on_top = True
    actions = ["enable", "disable", "export_selected"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "description", "output", "enabled", "order"]}),
        (
            "Prompts",
            {
                "fields": ["system_prompt", "prompt_template", "example_prompt", "example_answer"],
                "description": "The model reads the system prompt, the worked example as one"
                " exchange, then the question.",
            },
        ),
        ("Schemas", {"fields": ["options_schema", "answer_schema"]}),
        ("Model", {"fields": ["model", "temperature", "max_tokens", "prompt_limit"]}),
        ("Delivery", {"fields": ["streaming", "on_abandon", "on_generator_lost"]}),
    ]

    @property
    def media(self) -> Media:
        return super().media + Media(js=["blocks/model_test.js"], css={"all": ["blocks/admin.css"]})

    def get_urls(self) -> list[URLPattern]:
        move = self.admin_site.admin_view(self.move)
        return [
            path("<path:object_id>/move/<str:way>/", move, name="blocks_blocktype_move"),
            *super().get_urls(),
        ]

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, form=RowForm, **kwargs)

    @admin.display(description="model", ordering="model")
    def model_name(self, block: BlockType) -> str:
        return block.model or "as configured"

    @admin.display(description="move")
    def position(self, block: BlockType) -> str:
        """Two buttons of the list's own form, which also works without a script."""
        button = (
            '<button type="submit" class="move" id="move-{}-{}" formaction="{}"'
            ' formnovalidate aria-label="Move {} {}">{}</button>'
        )
        up, down = (
            format_html(
                button,
                *(way, block.pk, reverse("admin:blocks_blocktype_move", args=[block.pk, way])),
                *(block.title, way, arrow),
            )
            for way, arrow in (("up", "↑"), ("down", "↓"))
        )
        return format_html("{} {}", up, down)

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return [n for n in shown if n != "position" or self.has_change_permission(request)]

    def move(self, request: HttpRequest, object_id: str, way: str) -> HttpResponse:
        """Move a block type up or down by one place among all, then show the list again."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        block = get_object_or_404(BlockType, pk=number(object_id) or 0)
        if way not in ordering.WAYS:
            raise PermissionDenied
        ordering.move(block, way, by=request.user)
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        # The address names the button, so that the keyboard goes on from there.
        return HttpResponseRedirect(
            f"{reverse('admin:blocks_blocktype_changelist')}{query}#move-{way}-{block.pk}"
        )

    @admin.action(description="Enable the selected block types", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[BlockType]) -> None:
        self._switch(request, queryset, is_on=True)

    @admin.action(description="Disable the selected block types", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[BlockType]) -> None:
        self._switch(request, queryset, is_on=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[BlockType], *, is_on: bool) -> None:
        word = "enabled" if is_on else "disabled"
        changed = 0
        for block in queryset:
            block.enabled = is_on
            why = f"{word} in the list"
            changed += versions.save(block, by=request.user, why=why, fields=["enabled"])
        count = "1 block type was" if changed == 1 else f"{changed} block types were"
        self.message_user(request, f"{count} {word}.", messages.SUCCESS)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin a copy with the values of its original, switched off, with a slug of its own.

        A restored block type begins with all that it was.
        """
        if version := self.version_to_restore(request):
            return values_of(version)
        original = self._original(request)
        if original is None:
            return super().get_changeform_initial_data(request)
        return values_of(original) | {
            "slug": ordering.free_slug(original.slug),
            "title": f"{original.title} (copy)"[: BlockType._meta.get_field("title").max_length],
            "enabled": False,
        }

    def _original(self, request: HttpRequest) -> BlockType | None:
        if COPY_OF not in request.GET or not self.has_view_permission(request):
            return None
        pk = number(request.GET[COPY_OF])
        return None if pk is None else BlockType.objects.filter(pk=pk).first()

    def render_change_form(
        self,
        request: Any,
        context: Any,
        add: Any = False,
        change: Any = False,
        form_url: str = "",
        obj: BlockType | None = None,
    ) -> HttpResponse:
        restored = None if obj else self.version_to_restore(request)
        shown = obj or restored or self._original(request)
        if shown is not None:
            context["system_role"] = warning_of(shown.system_prompt, shown.options_schema)
        context["restored"] = restored
        context[SHOWN] = getattr(obj, SHOWN, None)
        context["original_block"] = None if obj or restored else shown
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> BlockType | None:
        """Return the block type, with the number of the version that a form of it shows."""
        pk = number(object_id)
        # Before the row: a change between the two reads then counts as made meanwhile.
        shown = None if pk is None else versions.newest_id(pk)
        block: BlockType | None = super().get_object(request, object_id, from_field)
        if block is not None:
            setattr(block, SHOWN, shown)
        return block

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may_add, may_change = self.has_add_permission(request), self.has_change_permission(request)
        extra = {"may_import": may_add and may_change, "may_test": may_add or may_change}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: BlockType, form: Any, change: bool) -> None:
        version = None if change else self.version_to_restore(request)
        if version:
            obj.pk = version.id  # its history goes on
        why = versions.RESTORED if version else ""
        fields = form.changed_data if change else None
        if not versions.save(obj, by=request.user, why=why, fields=fields):
            return
        if warning := warning_of(obj.system_prompt, obj.options_schema):
            self.message_user(request, f"{obj.title}: {warning}", messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: BlockType) -> None:
        versions.set_author(obj, request.user)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[BlockType]) -> None:
        for block in queryset:  # one by one: each gets its last version
            self.delete_model(request, block)
