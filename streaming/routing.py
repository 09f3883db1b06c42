"""The WebSocket's routes."""

from functools import partial
from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from .consumers import StreamConsumer, UnknownPathConsumer
from .http.asgi_types import ASGIApp, Receive, Scope, Send
from .http.handover import hand_over_socket


class AfterRouting:
    """Runs a socket when the layers that led to it are done, so that it does not hold them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = partial(self._app, scope, receive, send)
        if not hand_over_socket(socket):
            await socket()


socket_application: Any = AfterRouting(StreamConsumer.as_asgi())
websocket_application: Any = URLRouter(
    [
        path("ws/stream", socket_application),
        re_path(r"", UnknownPathConsumer.as_asgi()),
    ]
)
