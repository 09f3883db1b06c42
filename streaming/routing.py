from functools import partial
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import path, re_path

from .consumers import StreamConsumer, UnknownPathConsumer
from .http.asgi_types import ASGIApp, Receive, Scope, Send
from .http.handover import hand_over_socket


class AfterSession:
    """Runs an application with the scope that the session layers make, when they are done.

    So an open socket does not hold them. Their `send` would check each frame for a cookie to set;
    the consumer sets the cookie itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        made: Scope = {}

        async def keep(scope: Scope, receive: Receive, send: Send) -> None:
            made.update(scope)

        await AuthMiddlewareStack(keep)(scope, receive, send)
        socket = partial(self._app, made, receive, send)
        if not hand_over_socket(socket):
            await socket()


socket_application: Any = AfterSession(StreamConsumer.as_asgi())
websocket_application = URLRouter(
    [
        path("ws/stream", socket_application),
        re_path(r"", UnknownPathConsumer.as_asgi()),
    ]
)
