"""The application with short time limits: heartbeats after 0.5 s, stalled after 2 s."""

from liveai.asgi import application
from streaming.watching import connection

connection.HEARTBEAT_SECONDS = 0.5
connection.STALLED_SECONDS = 2.0

__all__ = ["application"]
