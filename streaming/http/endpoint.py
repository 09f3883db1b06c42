"""Common parts of the API calls: visitor, CSRF, query parameters, and calls into the event loop."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.log import log_response
from drf_spectacular.openapi import AutoSchema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from ..access.origins import is_own_origin
from ..access.rights import Right, require_right, right_of
from ..access.visitor import SOURCE_HEADERS, Visitor, check_origin_of_token, visitor_of
from ..errors import Refused
from ..process import Process, ensure_started
from ..protocol.cursor import cursor_from_header, seq_from_text
from ..protocol.encoder import Encoder
from ..protocol.viewer import Viewer, is_at_end
from ..start_request import require_transport
from ..switches import current_switches
from ..watching.hub import Feed
from .authentication import VisitorAuthentication
from .event_stream import event_stream
from .handover import BodyResponse, EventStreamResponse, answer_later
from .negotiation import JSONAlways
from .parsers import StrictJSONParser
from .problems import exception_handler, http_refusal_of, problem
from .request_threads import on_loop

logger = logging.getLogger(__name__)

T = TypeVar("T")

FindFeed = Callable[[Process], Awaitable[Feed]]
"""Finds or starts a stream, in a turn of its visitor: `watch` takes none."""


@dataclass(frozen=True)
class Dialect:
    """How a call responds in another dialect.

    Args:
        encoder: makes the encoder of one response.
    """

    encoder: Callable[[], Encoder]
    content_type: str
    headers: Mapping[str, str]


_SOURCE_KEYS = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in SOURCE_HEADERS}
"""Their names in `request.META`."""


class _CSRF(CsrfViewMiddleware):
    def _reject(self, request: Any, reason: str) -> str:
        return reason


class Endpoint(APIView):
    """Base class of the API calls. Refuses unknown query parameters."""

    # All named here: a host's REST_FRAMEWORK changes nothing of these calls.
    renderer_classes = (JSONRenderer,)
    parser_classes = (StrictJSONParser,)
    authentication_classes = (VisitorAuthentication,)
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = JSONAlways
    versioning_class = None
    schema: AutoSchema | None = AutoSchema()
    metadata_class = None  # OPTIONS returns no description
    http_method_names: ClassVar[list[str]] = ["get", "post", "delete", "head"]
    query_parameters: ClassVar[frozenset[str]] = frozenset()
    needs: ClassVar[tuple[str, ...]] = ()
    """Permissions of staff: the right to watch ends with the last one; empty: any visitor may."""

    @staticmethod
    def refuse(refused: Refused) -> HttpResponse:
        """Make the response of a refusal."""
        return problem(refused)

    def get_exception_handler(self) -> Callable[..., HttpResponse]:
        return exception_handler

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        # Two circles hold the parsed body: DRF's request and its context, and Django's view and its
        # alias of `get`. A busy process puts off the full collections that would free them.
        self.request.parser_context = {}
        self.__dict__.pop("head", None)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.auth is not None:
            self._check_origin(request)
        elif request.method not in ("GET", "HEAD"):
            self._check_csrf(request)
        self.check_query(request)

    def check_query(self, request: Request) -> None:
        """Refuse unknown query parameters.

        Raises:
            Refused: `invalid_input`, with the name of the unknown parameter.
        """
        for name in request.query_params:
            if name not in self.query_parameters:
                raise Refused("invalid_input", f"{name[:80]}: unknown parameter.", field=name[:80])

    def visitor(self, request: Request) -> Visitor:
        """Identify the visitor from the token, or from user, session and address.

        Raises:
            Refused: `not_authenticated`.
        """
        if request.auth is not None:
            visitor: Visitor = request.auth
            return visitor
        return visitor_of(
            request.user, request._request.session, client=request.META.get("REMOTE_ADDR")
        )

    def asking_visitor(self, request: Request) -> Visitor:
        """Identify a visitor who may change something.

        Raises:
            Refused: `not_authenticated`, `forbidden`.
        """
        visitor = self.visitor(request)
        visitor.require_ask()
        return visitor

    def watch(
        self, request: Request, find: FindFeed, *, after: int, dialect: Dialect | None = None
    ) -> HttpResponseBase:
        """Respond with a feed's event stream after a cursor, or 204 if the cursor is at its end.

        Also responds with whatever `find` refuses, with `too_many_streams` if the visitor has too
        many viewers, and with `rate_limited` if the visitor's replays exceed the limit.

        Args:
            dialect: makes the response in another dialect, which has no cursors: `after` is -1.
        """
        visitor = self.visitor(request)
        session = None if request.auth is not None else request._request.session

        async def watch(process: Process) -> HttpResponseBase:
            connections, owner = process.connections, visitor.owner
            connections.reserve(owner)
            is_opening = False
            try:
                feed = await find(process)
                if dialect is not None:
                    viewer = Viewer.joining(feed.window)
                elif is_at_end(feed.window, after):
                    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
                else:
                    viewer = Viewer(feed.window, after)
                process.replays.charge(visitor, viewer.backlog)
                right = partial(right_of, visitor, session, needs=self.needs)
                body = partial(event_stream, process, feed, viewer, right=right, counts_as=owner)
                if dialect is None:
                    response: BodyResponse = EventStreamResponse(body)
                else:
                    encoder = dialect.encoder()
                    body = partial(body, encoder=encoder)
                    response = BodyResponse(
                        body,
                        content_type=dialect.content_type,
                        headers=dialect.headers,
                        sign_of_life=encoder.heartbeat,
                    )
                is_opening = True
                return response
            finally:
                if not is_opening:
                    connections.release(owner)

        return answer_on_loop(watch, request=request._request, refuse=self.refuse)

    def _check_origin(self, request: Request) -> None:
        """Check the origin of a request with an API token, which needs no CSRF token.

        Raises:
            Refused: `forbidden_origin`.
        """
        check_origin_of_token(
            request.META.get("HTTP_ORIGIN"),
            has_session_cookie=settings.SESSION_COOKIE_NAME in request.COOKIES,
            host=request.get_host(),
            is_secure=request.is_secure(),
        )

    def _check_csrf(self, request: Request) -> None:
        """Require the CSRF token of every write with a session cookie, even an anonymous one.

        Raises:
            Refused: `csrf_failed`.
        """
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        # Accept the token only in the header: looking for it in a form would consume the body.
        request._request.POST = QueryDict()
        check = _CSRF(lambda _: HttpResponse())
        check.process_request(request._request)
        if reason := check.process_view(request._request, self.dispatch, (), {}):
            raise Refused("csrf_failed", str(reason))


def is_own_page(request: Request) -> bool:
    """Whether no page of another site sends this request. Programs and our own pages may."""
    origin = request.META.get("HTTP_ORIGIN")
    return origin is None or is_own_origin(
        origin, host=request.get_host(), is_secure=request.is_secure()
    )


def in_process(work: Callable[[Process], Awaitable[T]]) -> T:
    """Run async work on the process's event loop; the calling request thread blocks until done."""

    async def call() -> T:
        return await work(await ensure_started())

    return on_loop(call)


def answer_on_loop(
    work: Callable[[Process], Awaitable[HttpResponseBase]],
    *,
    request: HttpRequest | None = None,
    refuse: Callable[[Refused], HttpResponse] = problem,
) -> HttpResponseBase:
    """Respond with the response that `work` makes, or with its problem, on the process's loop.

    It holds no request thread and switches to none.

    Args:
        request: an error is logged as one of this request, like every response of Django's.
        refuse: makes the response of a refusal.
    """

    async def make() -> HttpResponseBase:
        try:
            return await work(await ensure_started())
        except Exception as error:
            refused = http_refusal_of(error)
            if refused.code == "internal":
                logger.exception("An API call failed.")
            response = refuse(refused)
            if request is not None:
                words = (response.reason_phrase, request.path)
                log_response("%s: %s", *words, response=response, request=request)
            return response

    def wait(make: Callable[[], Awaitable[HttpResponseBase]]) -> HttpResponseBase:
        return async_to_sync(make)()

    return answer_later(make, wait=wait)


def answer_when_done(work: Callable[[Process], Awaitable[dict[str, Any]]]) -> HttpResponseBase:
    """Respond 200 with the result of `work`, or with its problem, without holding a request thread.

    If the process shuts down meanwhile, the response is the problem `shutting_down`.
    """

    async def answer(process: Process) -> HttpResponseBase:
        return rendered(await process.connections.until_dismissed(work(process)))

    return answer_on_loop(answer)


def rendered(data: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Render JSON as DRF would, outside a view."""
    return JsonResponse(
        data,
        status=status,
        json_dumps_params={"ensure_ascii": False},
        headers={"Cache-Control": "no-store"},
    )


async def until_ended(feed: Feed, right: Right | None, process: Process) -> None:
    """Wait for a stream's end, as long as the client's right lasts and the process serves.

    Raises:
        Refused: `not_authenticated`: the right has ended; `shutting_down`.
    """
    await process.connections.until_dismissed(feed.ended(), right=right)
    if right is None:
        return
    # What ended the right may have ended the stream, too.
    try:
        await process.asking.query(require_right, right)
    except Refused as refused:
        if refused.code == "not_authenticated":  # an unreachable database ends no right
            raise


def require_sse() -> None:
    """Refuse the call unless SSE is a selected transport.

    Raises:
        Refused: `transport_not_selected`.
    """
    require_transport(current_switches(), "sse")


def source_headers(request: Request) -> dict[str, str]:
    """Return a request's `SOURCE_HEADERS`. `request.headers` would copy all of them."""
    meta = request._request.META
    return {name: meta[key] for name, key in _SOURCE_KEYS.items() if key in meta}


def cursor_of(request: Request, stream_id: str) -> int:
    """Read the cursor of a request: `Last-Event-ID`, else `?after=`, else -1.

    Raises:
        InvalidCursor: the cursor is malformed.
        Refused: `invalid_cursor`: the cursor belongs to another stream.
    """
    if header := request.META.get("HTTP_LAST_EVENT_ID"):
        cursor = cursor_from_header(header)
        if cursor.stream_id != stream_id:
            raise Refused("invalid_cursor", "Last-Event-ID belongs to another stream.")
        return cursor.seq
    after = request.query_params.get("after")
    return -1 if after is None else seq_from_text(after)
