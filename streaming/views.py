"""The HTTP calls as DRF views: they read requests and call the stream manager.

Source: specs/050-live-ai-interaction/spec.md, "HTTP".
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from blocks.catalog import list_blocks

from .access.rights import right_of
from .access.visitor import check_start_by_get, check_start_by_post, keep_session, visitor_of
from .errors import Refused
from .http import documents
from .http.described_block import described_block
from .http.endpoint import (
    Endpoint,
    answer_on_loop,
    answer_when_done,
    cursor_of,
    in_process,
    is_own_page,
    rendered,
    require_sse,
    source_headers,
    until_ended,
)
from .http.negotiation import wants_json_first
from .http.request_phase import MAX_BODY_BYTES
from .http.starting import Start, prepared, visible
from .process import Process
from .protocol.commands import MAX_FRAME_BYTES, is_uuid
from .protocol.cursor import STREAM_ID, cursor_from_header
from .switches import current_switches
from .watching.hub import Feed

START_FIELDS = frozenset({"prompt", "options", "request_id", "continues", "sample"})
RESERVED = frozenset({"prompt", "request_id", "continues", "sample", "after"})


class ConfigView(Endpoint):
    """Settings and limits that a client needs before a start."""

    @extend_schema(operation_id="config", responses=documents.CONFIG)
    def get(self, request: Request) -> HttpResponseBase:
        is_user = request.user.is_authenticated
        csrf_token = None
        if request.auth is None:  # the holder of a token needs no cookies
            token = get_token(request._request)  # sets the CSRF cookie, which workers can't read
            if is_own_page(request):
                csrf_token = token
            if is_user or settings.AI_ALLOW_ANONYMOUS:
                session = request._request.session
                keep_session(visitor_of(request.user, session), session)
        return rendered(
            {
                "streaming": current_switches().to_dict(),
                "limits": {
                    "max_body_bytes": MAX_BODY_BYTES,
                    "max_frame_bytes": MAX_FRAME_BYTES,
                    "max_events": settings.STREAM_MAX_EVENTS,
                },
                "user": {"username": request.user.get_username()} if is_user else None,
                "demo_model": in_process(_is_demo),
                "csrf_token": csrf_token,
            }
        )


async def _is_demo(process: Process) -> bool:
    return process.is_demo_model(settings.AI_MODEL)


class BlocksView(Endpoint):
    """The available block types."""

    @extend_schema(operation_id="blocks", responses=documents.BLOCKS)
    def get(self, request: Request) -> HttpResponseBase:
        return rendered({"results": [described_block(block) for block in list_blocks()]})


class StartView(Endpoint):
    """Starts a stream and responds with its events; with `Last-Event-ID`, resumes it instead."""

    http_method_names: ClassVar[list[str]] = ["get", "post"]  # a HEAD would start a stream

    @extend_schema(
        operation_id="start_by_get",
        parameters=[
            OpenApiParameter(
                "prompt", str, description="Required, except with `continues` or `sample`."
            ),
            OpenApiParameter("request_id", documents.shape("request_id")),
            OpenApiParameter("sample", documents.shape("sample")),
            OpenApiParameter(
                "continues",
                documents.shape("stream_id"),
                description="Continues the answer of this ended stream.",
            ),
            documents.NO_CURSOR,
            documents.LAST_EVENT_ID,
        ],
        responses=documents.START_BY_GET,
    )
    def get(self, request: Request, block_type: str) -> HttpResponseBase:
        require_sse()
        if request.META.get("HTTP_LAST_EVENT_ID"):
            return self._resume(request)
        if request.auth is None:
            check_start_by_get(
                source_headers(request),
                has_session_cookie=settings.SESSION_COOKIE_NAME in request.COOKIES,
                host=request.get_host(),
                is_secure=request.is_secure(),
            )
        if request.query_params.get("after", "-1") != "-1":
            raise Refused("invalid_cursor", "On this call, a cursor requires Last-Event-ID.")
        options = {k: v for k, v in request.query_params.items() if k not in RESERVED}
        data = {
            "prompt": request.query_params.get("prompt"),
            "request_id": request.query_params.get("request_id"),
            "continues": request.query_params.get("continues"),
            "sample": request.query_params.get("sample"),
            "options": options,
        }
        start = prepared(request, self.visitor(request), block_type, data, coerce=True)
        return self._watch_started(request, start)

    @extend_schema(
        operation_id="start",
        parameters=[
            OpenApiParameter("wait", int, enum=[1], description="JSON only: respond at the end."),
            documents.LAST_EVENT_ID,
        ],
        request=documents.body("start_body"),
        responses=documents.START,
    )
    def post(self, request: Request, block_type: str) -> HttpResponseBase:
        is_json = wants_json_first(request.META.get("HTTP_ACCEPT", ""))
        if not is_json:
            require_sse()
            if request.META.get("HTTP_LAST_EVENT_ID"):
                return self._resume(request)
        if request.auth is None:
            origin = request.META.get("HTTP_ORIGIN")
            check_start_by_post(origin, host=request.get_host(), is_secure=request.is_secure())
        if unknown := sorted(set(request.data) - START_FIELDS):
            name = unknown[0][:80].encode(errors="replace").decode()  # may hold a lone surrogate
            raise Refused("invalid_input", f"{name}: unknown field.", field=name)
        start = prepared(request, self.visitor(request), block_type, request.data)
        if not is_json:
            return self._watch_started(request, start)
        waits = "wait" in request.query_params
        right = right_of(self.visitor(request), request._request.session) if waits else None

        async def answer(process: Process) -> HttpResponseBase:
            started = await start(process)
            if waits:
                await until_ended(started.feed, right, process)
            document = await process.manager.finder.describe(started.feed)
            return rendered(document, status=201 if started.is_new and not waits else 200)

        return answer_on_loop(answer, request=request._request)

    def check_query(self, request: Request) -> None:
        """Check the query of a POST. A GET's other parameters are block options, checked later."""
        if request.method == "POST":
            for name, value in request.query_params.items():
                if (name, value) != ("wait", "1"):
                    raise Refused(
                        "invalid_input", f"{name[:80]}: use wait=1 only.", field=name[:80]
                    )

    def _resume(self, request: Request) -> HttpResponseBase:
        """Resume the cursor's stream: an EventSource reconnects by repeating its start call."""
        visitor = self.visitor(request)
        cursor = cursor_from_header(request.META["HTTP_LAST_EVENT_ID"])
        return self.watch(request, visible(visitor, cursor.stream_id), after=cursor.seq)

    def _watch_started(self, request: Request, start: Start) -> HttpResponseBase:
        async def find(process: Process) -> Feed:
            return (await start(process)).feed

        return self.watch(request, find, after=-1)


class StreamView(Endpoint):
    """One stream: reads its document, or deletes it from history."""

    @extend_schema(
        operation_id="stream", parameters=[documents.STREAM_ID], responses=documents.STREAM
    )
    def get(self, request: Request, stream_id: str) -> HttpResponseBase:
        owner = self.visitor(request).owner

        async def read(process: Process) -> dict[str, Any]:
            feed = await process.manager.watch(_known(stream_id), owner)
            return await process.manager.finder.describe(feed)

        return rendered(in_process(read))

    @extend_schema(
        operation_id="delete_stream",
        parameters=[documents.STREAM_ID],
        responses=documents.DELETED,
    )
    def delete(self, request: Request, stream_id: str) -> HttpResponseBase:
        owner = self.asking_visitor(request).owner

        async def delete(process: Process) -> None:
            await process.manager.delete(_known(stream_id), owner)

        in_process(delete)
        return HttpResponse(status=204)


class EventsView(Endpoint):
    """Watches a stream from a cursor."""

    http_method_names: ClassVar[list[str]] = ["get"]
    query_parameters = frozenset({"after"})

    @extend_schema(
        operation_id="events",
        parameters=[documents.STREAM_ID, documents.AFTER, documents.LAST_EVENT_ID],
        responses=documents.EVENTS,
    )
    def get(self, request: Request, stream_id: str) -> HttpResponseBase:
        require_sse()
        find = visible(self.visitor(request), _known(stream_id))
        return self.watch(request, find, after=cursor_of(request, stream_id))


class CancelView(Endpoint):
    """Stops a stream's generation; responds when the terminal event is logged."""

    @extend_schema(
        operation_id="cancel",
        parameters=[documents.STREAM_ID],
        request=None,
        responses=documents.CANCELLED,
    )
    def post(self, request: Request, stream_id: str) -> HttpResponseBase:
        owner = self.asking_visitor(request).owner

        async def cancel(process: Process) -> dict[str, Any]:
            feed = await process.manager.cancel(_known(stream_id), owner, by="owner")
            return await process.manager.finder.describe(feed)

        return answer_when_done(cancel)


class CancelRequestView(Endpoint):
    """Cancels by the `request_id` of a start whose stream id is not known yet."""

    @extend_schema(
        operation_id="cancel_by_request_id",
        request=documents.body("cancel_body"),
        responses=documents.CANCELLED_REQUEST,
    )
    def post(self, request: Request) -> HttpResponseBase:
        visitor = self.asking_visitor(request)
        request_id = request.data.get("request_id")
        if set(request.data) != {"request_id"} or not is_uuid(request_id):
            raise Refused(
                "invalid_input",
                "request_id: a UUID; no other fields.",
                field="request_id",
            )
        request_id = request_id.lower()
        unknown = {"request_id": request_id, "stream_id": None, "status": "cancelled"}
        if not visitor.has_session:
            return rendered(unknown)  # without a session, no later start can be matched to it

        async def cancel(process: Process) -> dict[str, Any]:
            feed = await process.manager.cancel_by_request_id(visitor, request_id)
            if feed is None:
                return unknown
            return await process.manager.finder.describe(feed)

        return answer_when_done(cancel)


class UnknownView(Endpoint):
    """Any other path under /api: `not_found`, whatever the method."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Refused("not_found", "This address doesn't exist.")

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        raise Refused("not_found")


def _known(stream_id: str) -> str:
    if not STREAM_ID.fullmatch(stream_id):
        raise Refused("not_found", "Stream not found.")
    return stream_id
