"""Export and import of block types in the admin."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from .. import transfer
from ..models import BlockType
from .history import label_of

TOO_LARGE = (
    f"Nothing was exported: an import here takes {transfer.MAX_BLOCKS} blocks and"
    f" {transfer.MAX_FILE_BYTES:,} bytes. Select fewer, or use manage.py export_blocks, whose files"
    " manage.py import_blocks takes in any size."
)


class ImportForm(forms.Form):
    """A file, or, to confirm what was shown, its content and the plan's fingerprint."""

    file = forms.FileField(
        required=False,
        help_text=f"JSON, at most {transfer.MAX_FILE_BYTES:,} bytes.",
        widget=forms.FileInput(attrs={"accept": "application/json,.json"}),
    )
    content = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    fingerprint = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean_file(self) -> bytes | None:
        file: UploadedFile | None = self.cleaned_data["file"]
        if file is None:
            return None
        if (file.size or 0) > transfer.MAX_FILE_BYTES:
            raise ValidationError(f"The file is larger than {transfer.MAX_FILE_BYTES:,} bytes.")
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
        return self._file(request, queryset.order_by("order", "slug"))

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Download all block types, or the one that `?slug=` names."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        blocks = BlockType.objects.all()
        if "slug" in request.GET:
            slug = request.GET["slug"]
            # PostgreSQL can't look for a NUL.
            blocks = blocks.none() if "\0" in slug else blocks.filter(slug=slug)
            if not blocks:
                raise Http404
        return self._file(request, blocks)

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
                content = _compact(document)
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

    def _file(self, request: HttpRequest, blocks: QuerySet[BlockType]) -> HttpResponse:
        found = list(blocks)
        try:
            text = transfer.export(found, is_bounded=True)
        except transfer.ExportTooLarge:
            self.message_user(request, TOO_LARGE, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:blocks_blocktype_changelist"))
        name = found[0].slug if len(found) == 1 else "blocks"
        return HttpResponse(
            text,
            content_type="application/json; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{name}.json"',
                "Cache-Control": "no-store",
            },
        )

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


def _compact(document: bytes) -> str:
    """Return a document in one line: browsers send each line end of a field as two characters.

    Raises:
        ImportRefused: it would be too large to be sent back, as with many numbers like 1e200.
    """
    read = json.loads(document)
    text = json.dumps(read, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > transfer.MAX_FILE_BYTES:
        raise transfer.ImportRefused(["The file has too many numbers with an exponent."])
    return text


def _shown(entry: transfer.Entry) -> dict[str, Any]:
    changes = entry.changes if entry.kind == "changed" else []
    return {
        "kind": entry.kind,
        "block": entry.block,
        "warning": entry.warning,
        "changes": [(label_of(change.field), change) for change in changes],
    }
