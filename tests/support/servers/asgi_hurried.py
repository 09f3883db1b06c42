"""The application behind a `serve` with short time limits, checked ten times a second."""

from liveai.asgi import application
from streaming.serving import http_protocol, server, websocket_protocol
from streaming.serving.http_protocol import Phase

server.TICKS_PER_SECOND = 1
http_protocol.TIME_LIMITS[Phase.HEAD] = http_protocol.HEAD_SECONDS = 0.5
http_protocol.TIME_LIMITS[Phase.BODY] = 0.8
http_protocol.STALLED_SECONDS = 1.0
http_protocol.LINGER_SECONDS = 0.5
websocket_protocol.MESSAGE_SECONDS = 0.8
websocket_protocol.LINGER_SECONDS = 0.5

__all__ = ["application"]
