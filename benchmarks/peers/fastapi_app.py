"""FastAPI: a path operation that returns a `StreamingResponse` of an async generator.

`python -m benchmarks.peers.fastapi_app PORT`. Source: fastapi.tiangolo.com, "StreamingResponse".
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from .serve import serve
from .source import STREAM_ID, Event, events

app = FastAPI()


def frame_of(event: Event) -> str:
    return f"id: {STREAM_ID}:{event.seq}\nevent: {event.type}\ndata: {event.json()}\n\n"


@app.get("/api/stream/ai-block/{block}")
async def stream(block: str, prompt: str) -> StreamingResponse:
    return StreamingResponse(events(prompt, frame_of), media_type="text/event-stream")


if __name__ == "__main__":
    serve(app)
