from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import path, re_path

from .consumers import StreamConsumer, UnknownPathConsumer

websocket_application = URLRouter(
    [
        path("ws/stream", AuthMiddlewareStack(StreamConsumer.as_asgi())),
        re_path(r"^.*$", UnknownPathConsumer.as_asgi()),
    ]
)
