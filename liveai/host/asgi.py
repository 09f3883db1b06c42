"""Wraps a host's ASGI application with what streams need, for any ASGI server.

Needs Django to be set up, as `get_asgi_application()` does.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.urls import Resolver404, get_script_prefix, resolve

from streaming.dialects.openai_errors import OpenAIErrors
from streaming.http.asgi_types import ASGIApp, Receive, Scope, Send
from streaming.http.handover import HandOver
from streaming.http.header_limit import HeaderLimit
from streaming.http.health import Health
from streaming.http.metrics import is_served
from streaming.http.request_id import ShowRequestId
from streaming.http.request_phase import BodyLimit
from streaming.http.request_threads import RequestThreads
from streaming.http.token_keys import TokenKeys
from streaming.routing import socket_application
from streaming.serving.drain_on_signal import draining_on_signals
from streaming.serving.lifespan import WithProcess

from ..cors import Cors
from ..plain_host import PlainHost
from .access_log import guard_uvicorn_access_log
from .defaults import has_own_cors
from .places import base_path
from .urls import PARTS, app_name

PROBES = ("healthz", "readyz", "metrics")
SOCKET = "ws/stream"


def wrap(application: Any) -> ASGIApp:
    """Return the host's application with ours around it.

    Ours takes the calls of `liveai.host.urls`, `ws/stream` and the probes beside them, and the
    lifespan: it starts our tasks and, at its end, saves and hands over what runs. The host's Django
    answers the calls, so its middleware works, in layers that bound their bodies and free their
    threads while a stream is open. Everything else passes to the host untouched.

    On SIGTERM, streams get `STREAM_DRAIN_SECONDS` to end, then `reconnect`, so that the server can
    stop.

    Args:
        application: `get_asgi_application()`, or a router of the host's around it. It gets no
            lifespan, which Django's does not take either.
    """
    guard_uvicorn_access_log()
    return _Wrapped(application)


class _Wrapped:
    def __init__(self, application: Any) -> None:
        self._host = application
        calls = HeaderLimit(BodyLimit(TokenKeys(RequestThreads(application))))
        both = ProtocolTypeRouter({"http": calls, "websocket": socket_application})
        inner: ASGIApp = OpenAIErrors(WithProcess(both), covers=_is_openais)
        if not has_own_cors():
            inner = Cors(inner)
        self._ours = HandOver(ShowRequestId(PlainHost(inner)))
        self._probes = Health(self._ours)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "lifespan":
                with draining_on_signals():
                    await self._ours(scope, receive, send)
            case "websocket" if _path(scope) == f"{_prefix()}{SOCKET}":
                await self._ours(scope, receive, send)
            case "http" if _path(scope) in _probe_paths():
                path = _path(scope).removeprefix(_prefix())
                await self._probes({**scope, "path": f"/{path}", "root_path": ""}, receive, send)
            case "http" if _is_call(_path(scope)):
                await self._ours(scope, receive, send)
            case _:
                await self._host(scope, receive, send)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


@cache
def _prefix() -> str:
    """Return where the host has included our URLs, with a slash at both ends; "/": at its root."""
    return "/" + f"{base_path()}/".removeprefix(get_script_prefix())


@cache
def _probe_paths() -> frozenset[str]:
    """Return the addresses of the probes, without those that the host has itself."""
    names = [name for name in PROBES if name != "metrics" or is_served()]
    return frozenset(path for name in names if not _resolved(path := f"{_prefix()}{name}"))


def _is_call(path: str) -> bool:
    """Whether an address is a call of ours: the host may have addresses below `/api/`, too."""
    ours = tuple(f"{_prefix()}{part}" for part in PARTS)
    return path.startswith(ours) and app_name in _resolved(path)


def _is_openais(scope: Scope) -> bool:
    return _path(scope).startswith(f"{_prefix()}v1/")


def _resolved(path: str) -> list[str]:
    """Return the names of the apps that an address belongs to; nothing if there is none."""
    try:
        return resolve(path).app_names or [""]
    except Resolver404:
        return []
