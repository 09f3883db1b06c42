"""The WebSocket's routes."""

from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from .consumers import StreamConsumer, UnknownPathConsumer

websocket_application: Any = URLRouter(
    [
        path("ws/stream", StreamConsumer.as_asgi()),
        re_path(r"", UnknownPathConsumer.as_asgi()),
    ]
)
