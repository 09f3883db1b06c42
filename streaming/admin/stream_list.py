"""The list of streams: its columns, and the little that it reads for them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.http import urlencode

from ..models import Stream

BEGINNING_CHARS = 80
"""How much of a prompt the list shows and reads."""

UNREAD = ("prompt", "options", "earlier", "text", "items", "arriving", "result", "terminal")
"""Columns of contents, which may be long: one list may have a hundred rows."""

COLUMNS = (
    "asked", "state", "code", "created_at", "whose", "block_type", "model", "first_token",
    "tokens", "id",
)  # fmt: skip


class StreamList(ChangeList):
    """Reads the beginnings of the prompts, and nothing else of the contents."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[Stream]:
        rows: QuerySet[Stream] = super().get_queryset(request, exclude_parameters)
        beginning = Left("prompt", BEGINNING_CHARS + 1)
        return rows.defer(*UNREAD).annotate(beginning=beginning)


class StreamColumns:
    """The computed columns, for the admin of streams."""

    @admin.display(description="prompt")
    def asked(self, row: Any) -> str:
        words = " ".join(row.beginning[:BEGINNING_CHARS].split())
        return f"{words}…" if len(row.beginning) > BEGINNING_CHARS else words or "–"

    @admin.display(description="status", ordering="status")
    def state(self, row: Stream) -> str:
        return status_mark(row.status)

    @admin.display(description="owner", ordering="owner")
    def whose(self, row: Stream) -> str:
        query = urlencode({"owner": row.owner})
        return format_html('<a href="?{}" title="{}">{}</a>', query, row.owner, name_of_owner(row))

    @admin.display(description="first token", ordering="ttft_ms")
    def first_token(self, row: Stream) -> str | None:
        return None if row.ttft_ms is None else f"{row.ttft_ms / 1000:.2f} s"

    @admin.display(description="tokens")
    def tokens(self, row: Stream) -> str:
        return words_of_tokens(row)


def status_mark(status: str) -> str:
    return format_html('<span class="stream-status stream-status-{}">{}</span>', status, status)


def name_of_owner(row: Stream) -> str:
    """Return the user's name, or what is known of an anonymous visitor."""
    return row.owner if row.user is None else f"{row.user.get_username()}"


def words_of_tokens(row: Stream) -> str:
    """`120 + 560`: the tokens of the prompt and of the answer."""
    if row.input_tokens is None or row.output_tokens is None:
        return "–"
    mark = "~" if row.usage_is_estimated else ""
    return f"{mark}{row.input_tokens:,} + {mark}{row.output_tokens:,}"
