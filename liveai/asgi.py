"""The ASGI application: Django's pages and calls, the WebSocket, and the layers around them."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")

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
from streaming.search_lanes import LANES

guard_daphne_access_log()

django_application: Any = OneHopHandler()
application = WithProcess(
    ProtocolTypeRouter(
        {
            # From the outside in: a body that was handed over is written outside of the request's
            # thread, which is free by then.
            "http": HandOver(BodyLimit(RequestThreads(django_application, lanes=LANES))),
            "websocket": websocket_application,
        }
    )
)
