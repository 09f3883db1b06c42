"""What every API call has in common: who asks, CSRF, known query parameters, a way to the loop."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, ClassVar, TypeVar

from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.request import Request
from rest_framework.views import APIView

from ..access.rights import right_of
from ..access.visitor import Visitor, visitor_of
from ..errors import Refused
from ..process import Process, ensure_started
from ..protocol.cursor import cursor_from_header, seq_from_text
from ..protocol.viewer import Viewer, is_at_end
from ..start_request import require_transport
from ..switches import current_switches
from ..watching.hub import Feed
from .event_stream import event_stream
from .handover import EventStreamResponse, answer_later
from .problems import http_refusal_of, problem

logger = logging.getLogger(__name__)

T = TypeVar("T")

FindFeed = Callable[[Process], Awaitable[Feed]]


class _CSRF(CsrfViewMiddleware):
    def _reject(self, request: Any, reason: str) -> str:
        return reason


class Endpoint(APIView):
    """Base of the API's calls: errors are problems, unknown query parameters are refused."""

    metadata_class = None  # OPTIONS describes nothing here
    http_method_names: ClassVar[list[str]] = ["get", "post", "delete", "head"]
    query_parameters: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in ("GET", "HEAD"):
            self._check_csrf(request)
        self.check_query(request)

    def check_query(self, request: Request) -> None:
        """
        Raises:
            Refused: `invalid_input`, naming a parameter that this call does not know.
        """
        for name in request.query_params:
            if name not in self.query_parameters:
                raise Refused(
                    "invalid_input", f"{name[:80]}: there is no such parameter.", field=name[:80]
                )

    def visitor(self, request: Request) -> Visitor:
        """
        Raises:
            Refused: `not_authenticated`.
        """
        return visitor_of(
            request.user, request._request.session, client=request.META.get("REMOTE_ADDR")
        )

    def watch(self, request: Request, find: FindFeed, *, after: int) -> HttpResponseBase:
        """The event stream of a feed after a cursor; 204 when that is its end.

        Raises:
            Refused: what `find` raises; `rate_limited`: the visitor has too much replayed.
        """
        visitor, session = self.visitor(request), request._request.session

        async def open_viewer(process: Process) -> tuple[Process, Feed, Viewer | None]:
            feed = await find(process)
            if is_at_end(feed.window, after):
                return process, feed, None
            viewer = Viewer(feed.window, after)
            process.replays.charge(visitor, viewer.backlog)
            return process, feed, viewer

        process, feed, viewer = in_process(open_viewer)
        if viewer is None:
            return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
        right = partial(right_of, visitor, session)
        return EventStreamResponse(partial(event_stream, process, feed, viewer, right=right))

    def _check_csrf(self, request: Request) -> None:
        """Writes by cookie carry the token, the anonymous session's too."""
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return
        # The token comes in the header alone: looking for it in a form would use up the body.
        request._request.POST = QueryDict()
        check = _CSRF(lambda _: HttpResponse())
        check.process_request(request._request)
        if reason := check.process_view(request._request, self.dispatch, (), {}):
            raise Refused("csrf_failed", str(reason))


def in_process(work: Callable[[Process], Awaitable[T]]) -> T:
    """Do something with this process's parts, on their loop; a request thread waits for it."""

    async def call() -> T:
        return await work(await ensure_started())

    return async_to_sync(call)()


def answer_when_done(work: Callable[[Process], Awaitable[dict[str, Any]]]) -> HttpResponse:
    """Answer 200 with what `work` gives, or its problem, without holding a request thread. Who
    waits when the process ends is told `shutting_down`."""

    async def make() -> HttpResponse:
        try:
            process = await ensure_started()
            data = await process.while_it_serves(work(process))
        except Exception as error:
            refused = http_refusal_of(error)
            if refused.code == "internal":
                logger.exception("An API call broke.")
            return problem(refused)
        return rendered(data)

    def wait(make: Callable[[], Awaitable[HttpResponse]]) -> HttpResponse:
        return async_to_sync(make)()

    return answer_later(make, wait=wait)


def rendered(data: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """JSON as DRF would write it, without a view around it."""
    return JsonResponse(
        data,
        status=status,
        json_dumps_params={"ensure_ascii": False},
        headers={"Cache-Control": "no-store"},
    )


def require_sse() -> None:
    """
    Raises:
        Refused: `transport_not_selected`.
    """
    require_transport(current_switches(), "sse")


def cursor_of(request: Request, stream_id: str) -> int:
    """Where a viewer of a stream wants to begin: `Last-Event-ID`, else `?after=`, else -1.

    Raises:
        InvalidCursor: malformed, or of another stream.
    """
    if header := request.headers.get("Last-Event-ID"):
        cursor = cursor_from_header(header)
        if cursor.stream_id != stream_id:
            raise Refused("invalid_cursor", "Last-Event-ID is of another stream.")
        return cursor.seq
    after = request.query_params.get("after")
    return -1 if after is None else seq_from_text(after)
