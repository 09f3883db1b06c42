"""Export and import of block types in the admin."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from .. import transfer
from ..models import BlockType
from .history import label_of


class ImportForm(forms.Form):
    """A file, or, to confirm what was shown, its content and the plan's fingerprint."""

    file = forms.FileField(
        required=False,
        help_text=f"JSON, at most {transfer.MAX_FILE_BYTES // 1024} KiB.",
        widget=forms.FileInput(attrs={"accept": "application/json,.json"}),
    )
    content = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    fingerprint = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean_file(self) -> bytes | None:
        file: UploadedFile | None = self.cleaned_data["file"]
        if file is None:
            return None
        if (file.size or 0) > transfer.MAX_FILE_BYTES:
            limit = transfer.MAX_FILE_BYTES // 1024
            raise ValidationError(f"The file is larger than {limit} KiB.")
        return file.read()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        file = cleaned.get("file")
        if file is None and not cleaned.get("content") and "file" not in self.errors:
            self.add_error("file", "Choose a file.")
        cleaned["document"] = file or cleaned.get("content", "").encode(errors="replace")
        return cleaned


class TransferViews(admin.ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("export/", wrap(self.export_view), name="blocks_blocktype_export"),
            path("import/", wrap(self.import_view), name="blocks_blocktype_import"),
            *super().get_urls(),
        ]

    @admin.action(description="Export the selected block types as JSON", permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[BlockType]) -> HttpResponse:
        return _file(queryset.order_by("order", "slug"))

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Download all block types, or the one that `?slug=` names."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        blocks = BlockType.objects.all()
        if "slug" in request.GET:
            blocks = blocks.filter(slug=request.GET["slug"])
        return _file(blocks)

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Show what a file would change, then change it: all or nothing."""
        if not (self.has_add_permission(request) and self.has_change_permission(request)):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = ImportForm(request.POST, request.FILES) if is_sent else ImportForm()
        planned, problems, content = None, [], ""
        if form.is_valid():
            document: bytes = form.cleaned_data["document"]
            try:
                planned = transfer.plan(document)
                if planned.fingerprint == form.cleaned_data["fingerprint"]:
                    transfer.apply(planned, by=request.user)
                    return self._imported(request, planned)
                content = json.dumps(json.loads(document), ensure_ascii=False)
            except transfer.ImportRefused as refused:
                planned, problems = None, refused.problems
        context = {
            **self.admin_site.each_context(request),
            "title": "Import block types",
            "opts": self.opts,
            "form": form,
            "plan": planned,
            "shown": [_shown(entry) for entry in planned.entries] if planned else [],
            "content": content,
            "is_outdated": planned is not None and bool(form.cleaned_data["fingerprint"]),
            "problems": problems,
            **(
                {kind: planned.count(kind) for kind in ("new", "changed", "same")}
                if planned
                else {}
            ),
        }
        status = 422 if problems or form.errors else 200
        return TemplateResponse(request, "blocks/import.html", context, status=status)

    def _imported(self, request: HttpRequest, planned: transfer.Plan) -> HttpResponse:
        for entry in planned.entries:
            if entry.kind == "new":
                self.log_addition(request, entry.block, "Imported.")
            elif entry.kind == "changed":
                self.log_change(request, entry.block, "Imported.")
            if entry.warning and entry.kind != "same":
                warning = f"{entry.block.title}: {entry.warning}"
                self.message_user(request, warning, messages.WARNING)
        counts = f"{planned.count('new')} new, {planned.count('changed')} changed"
        self.message_user(request, f"Imported: {counts}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:blocks_blocktype_changelist"))


def _shown(entry: transfer.Entry) -> dict[str, Any]:
    changes = entry.changes if entry.kind == "changed" else []
    return {
        "kind": entry.kind,
        "block": entry.block,
        "warning": entry.warning,
        "changes": [(label_of(change.field), change) for change in changes],
    }


def _file(blocks: QuerySet[BlockType]) -> HttpResponse:
    found = list(blocks)
    name = found[0].slug if len(found) == 1 else "blocks"
    return HttpResponse(
        transfer.export(found),
        content_type="application/json; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.json"',
            "Cache-Control": "no-store",
        },
    )
