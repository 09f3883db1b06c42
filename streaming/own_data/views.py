"""The HTTP calls for all of a visitor's answers: the history, its deletion, its export.

Source: specs/050-live-ai-interaction/spec.md, "HTTP".
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from ..access.rights import right_of
from ..access.visitor import check_export_by_get
from ..database.rows import describe
from ..database.search import MAX_WORDS_CHARS
from ..errors import Refused
from ..http import documents
from ..http.endpoint import (
    Endpoint,
    answer_on_loop,
    answer_when_done,
    in_process,
    rendered,
    source_headers,
)
from ..http.history import DEFAULT_LIMIT, MAX_BLOCK_TYPE_CHARS, MAX_LIMIT, read_history
from ..process import Process
from .deleting import delete_all
from .exporting import FORMS, Export, open_export
from .overview import describe_account, join_overtaken


class StreamsView(Endpoint):
    """The visitor's history, newest first; DELETE deletes all of it."""

    query_parameters = frozenset({"cursor", "limit", "status", "block_type", "q"})

    @extend_schema(
        operation_id="history",
        parameters=[
            OpenApiParameter("cursor", str),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            ),
            OpenApiParameter("status", documents.shape("status")),
            OpenApiParameter("block_type", {"type": "string", "maxLength": MAX_BLOCK_TYPE_CHARS}),
            OpenApiParameter(
                "q",
                {"type": "string", "maxLength": MAX_WORDS_CHARS},
                description="A part of the prompt or the text.",
            ),
        ],
        responses=documents.HISTORY,
    )
    def get(self, request: Request) -> HttpResponseBase:
        visitor = self.visitor(request)
        join_overtaken(visitor)
        rows, following = read_history(visitor.owner, request.query_params)

        async def describe_rows(process: Process) -> list[dict[str, Any]]:
            described = []
            for row in rows:
                if feed := process.hub.find(row.id):
                    # A live row already has the times that the database gets up to a second later.
                    newest = feed.row if feed.has_live_row else row
                    described.append(describe(newest, feed.window.state, without=("items",)))
                else:
                    described.append(describe(row, None, without=("items",)))
            return described

        return rendered({"results": in_process(describe_rows), "next": following})

    @extend_schema(operation_id="delete_all_streams", responses=documents.ALL_DELETED)
    def delete(self, request: Request) -> HttpResponseBase:
        visitor = self.asking_visitor(request)
        join_overtaken(visitor)
        return answer_when_done(lambda process: delete_all(process, visitor))

    def check_query(self, request: Request) -> None:
        """Refuse any parameter of a DELETE: it would not narrow down what is deleted."""
        if request.method == "DELETE":
            for name in request.query_params:
                raise Refused(
                    "invalid_input",
                    f"{name[:80]}: all answers are deleted; no parameter selects some.",
                    field=name[:80],
                )
        super().check_query(request)


class ExportView(Endpoint):
    """All of the visitor's answers as a file."""

    http_method_names: ClassVar[list[str]] = ["get"]  # a HEAD would count as an export
    query_parameters = frozenset({"format"})

    @extend_schema(
        operation_id="export",
        parameters=[
            OpenApiParameter("format", {"type": "string", "enum": [*FORMS], "default": "json"})
        ],
        responses=documents.EXPORT,
    )
    def get(self, request: Request) -> HttpResponseBase:
        visitor = self.visitor(request)
        if request.auth is None:
            sources, host = source_headers(request), request.get_host()
            check_export_by_get(sources, host=host, is_secure=request.is_secure())
        form = FORMS.get(request.query_params.get("format", "json"))
        if form is None:
            raise Refused("invalid_input", f"format: one of {', '.join(FORMS)}.", field="format")
        join_overtaken(visitor)
        session = None if request.auth is not None else request._request.session
        account = describe_account(request.user)
        export = Export(visitor, form, account, right_of(visitor, session))

        async def answer(process: Process) -> HttpResponseBase:
            return await open_export(process, export)

        return answer_on_loop(answer, request=request._request)
