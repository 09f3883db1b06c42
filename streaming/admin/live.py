"""The door through which staff watch a running stream of somebody else.

It serves the events as `GET /api/streams/{id}/events` does, so that the same client reads them. It
is not part of the public API: only a session of the admin opens it.
"""

from __future__ import annotations

from typing import ClassVar

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from ..access.staff import SEE_STREAMS, may_see_streams
from ..errors import Refused
from ..http.endpoint import Endpoint, cursor_of
from ..models import Stream
from ..process import Process
from ..protocol.cursor import STREAM_ID
from ..watching.hub import Feed
from .reads import record_read_once


class LiveView(Endpoint):
    """Streams the events of any stream to staff who may see streams, and records who reads.

    The connection ends within seconds when the session or the permission does.
    """

    schema = None
    http_method_names: ClassVar[list[str]] = ["get"]
    query_parameters = frozenset({"after"})
    needs = SEE_STREAMS

    def get(self, request: Request, stream_id: str) -> HttpResponseBase:
        user = request.user
        if request.auth is not None or not may_see_streams(user):
            raise Refused("forbidden")
        after = cursor_of(request, stream_id)
        stream = None
        if STREAM_ID.fullmatch(stream_id):
            stream = Stream.objects.filter(pk=stream_id).only("owner").first()
        if stream is None:
            raise Refused("not_found", "Stream not found.")
        record_read_once(user, stream)
        visitor = self.visitor(request)

        async def find(process: Process) -> Feed:
            async def look_up() -> Feed:
                async with process.finds:
                    return await process.manager.watch(stream_id, None)

            return await process.turns.run(visitor.address or visitor.owner, look_up)

        return self.watch(request, find, after=after)
