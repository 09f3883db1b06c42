"""The ASGI application: Django's pages and API, the WebSocket, and the layers around them."""

from typing import Any

from liveai.startup import load_settings

load_settings()

import django
from django.conf import settings

django.setup(set_prefix=False)  # first, because it makes models importable

from channels.routing import ProtocolTypeRouter

from liveai.cookie_quotes import guard_cookie_quotes
from liveai.cors import Cors
from liveai.daphne_log import guard_daphne_access_log
from liveai.handler import OneHopHandler
from liveai.lanes import LANES
from liveai.our_templates import load_our_templates
from liveai.plain_host import PlainHost
from liveai.site_path import SitePath
from streaming.dialects.openai_errors import OpenAIErrors
from streaming.http.handover import HandOver
from streaming.http.header_limit import HeaderLimit
from streaming.http.health import Health
from streaming.http.request_id import ShowRequestId
from streaming.http.request_phase import BodyLimit
from streaming.http.request_threads import RequestThreads
from streaming.http.token_keys import TokenKeys
from streaming.routing import websocket_application
from streaming.serving.lifespan import WithProcess

guard_daphne_access_log()
guard_cookie_quotes()
load_our_templates()

django_application: Any = OneHopHandler()
request_threads = RequestThreads(django_application, lanes=LANES)
inner_application = Health(
    WithProcess(
        ProtocolTypeRouter(
            {
                "http": HeaderLimit(BodyLimit(TokenKeys(request_threads))),
                "websocket": websocket_application,
            }
        )
    )
)
site_path: str = settings.FORCE_SCRIPT_NAME or ""
# Writes handed-over bodies when all other layers are done: an open stream holds none of them.
application: Any = HandOver(
    ShowRequestId(PlainHost(SitePath(Cors(OpenAIErrors(inner_application)), site_path)))
)
if settings.TRACING:
    from streaming.http.request_span import RequestSpans
    from streaming.serving.otel import begin_tracing

    application = RequestSpans(application, begin=begin_tracing)
