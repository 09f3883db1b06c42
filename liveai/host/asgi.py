"""Wraps a host's ASGI application with what streams need, for any ASGI server.

Needs Django to be set up, as `get_asgi_application()` does.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.urls import get_script_prefix, reverse

from streaming.http.asgi_types import ASGIApp, Receive, Scope, Send
from streaming.http.handover import HandOver
from streaming.http.header_limit import HeaderLimit
from streaming.http.health import Health
from streaming.http.request_id import ShowRequestId
from streaming.http.request_phase import BodyLimit
from streaming.http.request_threads import RequestThreads
from streaming.routing import socket_application
from streaming.serving.drain_on_signal import draining_on_signals
from streaming.serving.lifespan import WithProcess

from ..plain_host import PlainHost

PROBES = ("healthz", "readyz", "metrics")
SOCKET = "ws/stream"


def wrap(application: Any) -> ASGIApp:
    """Return the host's application with ours around it.

    Ours takes the calls of `liveai.host.urls`, `ws/stream` and the probes beside them, and the
    lifespan: it starts our tasks and, at its end, saves and hands over what runs. Calls of the API
    are answered by the host's Django, so its middleware works, in layers that bound their bodies and
    free their threads while a stream is open. Everything else passes to the host untouched.

    On SIGTERM, streams get `STREAM_DRAIN_SECONDS` to end, then `reconnect`, so that the server can
    stop.

    Args:
        application: `get_asgi_application()`, or a router of the host's around it. It gets no
            lifespan, which Django's does not take either.
    """
    return _Wrapped(application)


class _Wrapped:
    def __init__(self, application: Any) -> None:
        self._host = application
        calls = HeaderLimit(BodyLimit(RequestThreads(application)))
        both = ProtocolTypeRouter({"http": calls, "websocket": socket_application})
        self._ours = HandOver(ShowRequestId(PlainHost(WithProcess(both))))
        self._probes = Health(self._ours)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            with draining_on_signals():
                return await self._ours(scope, receive, send)
        if scope["type"] not in ("http", "websocket"):
            return await self._host(scope, receive, send)
        prefix = _prefix()
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        if not path.startswith(prefix):
            return await self._host(scope, receive, send)
        name = path.removeprefix(prefix)
        if scope["type"] == "websocket":
            app = self._ours if name == SOCKET else self._host
            return await app(scope, receive, send)
        if name in PROBES:
            probe = {**scope, "path": f"/{name}", "root_path": ""}
            return await self._probes(probe, receive, send)
        app = self._ours if _is_call(name) else self._host
        await app(scope, receive, send)


@cache
def _prefix() -> str:
    """Return where the host has included our URLs, with a slash at both ends; "/": at its root."""
    return _path_of("liveai:api-config").removesuffix("api/config")


@cache
def _calls() -> tuple[str, ...]:
    """Return how the paths of the calls begin, behind the prefix: the host may have an `api/`, too."""
    names = ("api-config", "api-blocks", "api-export", "api-streams")
    paths = [_path_of(f"liveai:{name}").removeprefix(_prefix()) for name in names]
    return (*paths, "api/stream/ai-block")


def _is_call(name: str) -> bool:
    return any(name == call or name.startswith(f"{call}/") for call in _calls())


def _path_of(name: str) -> str:
    return "/" + reverse(name).removeprefix(get_script_prefix())
