"""sse-starlette: a Starlette route that returns an `EventSourceResponse` of an async generator.

`python -m benchmarks.peers.sse_starlette_app PORT`. Source: its README, "Core Features".
"""

from __future__ import annotations

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from .serve import serve
from .source import STREAM_ID, Event, events


def sent(event: Event) -> ServerSentEvent:
    return ServerSentEvent(data=event.json(), event=event.type, id=f"{STREAM_ID}:{event.seq}")


async def stream(request: Request) -> EventSourceResponse:
    return EventSourceResponse(events(request.query_params["prompt"], sent))


app = Starlette(routes=[Route("/api/stream/ai-block/{block}", stream)])

if __name__ == "__main__":
    serve(app)
