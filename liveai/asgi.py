"""The ASGI application: Django's pages and calls, the WebSocket, and the layers around them."""

from typing import Any

from liveai.startup import load_settings

load_settings()

import django

django.setup(set_prefix=False)  # first: it makes models importable

from channels.routing import ProtocolTypeRouter

from liveai.handler import OneHopHandler
from liveai.log_lines import guard_daphne_access_log
from streaming.handover import HandOver
from streaming.lifespan import WithProcess
from streaming.request_phase import BodyLimit
from streaming.request_threads import RequestThreads
from streaming.routing import websocket_application

guard_daphne_access_log()

django_application: Any = OneHopHandler()
application = WithProcess(
    ProtocolTypeRouter(
        {
            # From the outside in: a body that was handed over is written outside of the request's
            # thread, which is free by then.
            "http": HandOver(BodyLimit(RequestThreads(django_application))),
            "websocket": websocket_application,
        }
    )
)
