"""Django: an async view that returns a `StreamingHttpResponse` of an async generator.

`python -m benchmarks.peers.django_app PORT` runs it on uvicorn,
`python -m daphne -p PORT benchmarks.peers.django_app:application` on Daphne. It has no middleware
and no database, which makes an open as cheap as Django allows.
Source: Django's documentation, "StreamingHttpResponse objects".
"""

from __future__ import annotations

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import path

from .serve import serve
from .source import STREAM_ID, Event, events

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None, ROOT_URLCONF=__name__, SECRET_KEY="benchmark"
    )
    django.setup()


def frame_of(event: Event) -> str:
    return f"id: {STREAM_ID}:{event.seq}\nevent: {event.type}\ndata: {event.json()}\n\n"


async def stream(request: HttpRequest, block: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        events(request.GET["prompt"], frame_of), content_type="text/event-stream"
    )


urlpatterns = [path("api/stream/ai-block/<block>", stream)]
application = get_asgi_application()

if __name__ == "__main__":
    serve(application)
