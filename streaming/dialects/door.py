"""Common parts of the dialects' calls: a start by POST, and a stop of one turn of a chat."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from ..access.visitor import check_start_by_post
from ..http.endpoint import Endpoint, FindFeed, answer_when_done, rendered
from ..http.starting import Start, prepared
from ..process import Process
from ..watching.hub import Feed


class Door(Endpoint):
    """Base class of the dialects' calls: they start, watch and stop as our own API does.

    `/api/schema` leaves them out: their formats are described by the projects they come from.
    """

    schema = None
    http_method_names: ClassVar[list[str]] = ["post"]

    def prepare(
        self, request: Request, block: str, *, prompt: str, options: Any, request_id: Any
    ) -> Start:
        """Check a start, of the same rules and limits as a start by POST of our own API.

        Raises:
            Refused, InputError
        """
        if request.auth is None:
            origin = request.META.get("HTTP_ORIGIN")
            check_start_by_post(origin, host=request.get_host(), is_secure=request.is_secure())
        data = {"prompt": prompt, "options": options, "request_id": request_id}
        return prepared(request, self.visitor(request), block, data)

    def cancel_turn(self, request: Request, request_id: str) -> HttpResponseBase:
        """Stop the stream of a `request_id`, also before its start has arrived."""
        visitor = self.asking_visitor(request)
        unknown = {"stream_id": None, "status": "cancelled"}
        if not visitor.has_session:
            return rendered(unknown)  # without a session, no later start can be matched to it

        async def cancel(process: Process) -> dict[str, Any]:
            feed = await process.manager.cancel_by_request_id(visitor, request_id)
            return unknown if feed is None else await process.manager.finder.describe(feed)

        return answer_when_done(cancel)


def feed_of(start: Start) -> FindFeed:
    async def find(process: Process) -> Feed:
        return (await start(process)).feed

    return find
