from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import path, re_path

from .consumers import STRAIGHT_SEND, StreamConsumer, UnknownPathConsumer
from .http.asgi_types import ASGIApp, Receive, Scope, Send


class StraightSend:
    """Puts the server's own `send` into the scope, for sending frames.

    The session layer's `send` would check each frame for a cookie to set; the consumer sets the
    cookie itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, STRAIGHT_SEND: send}, receive, send)


socket_application: Any = StraightSend(AuthMiddlewareStack(StreamConsumer.as_asgi()))
websocket_application = URLRouter(
    [
        path("ws/stream", socket_application),
        re_path(r"", UnknownPathConsumer.as_asgi()),
    ]
)
