"""The ASGI layer of `/healthz`, `/readyz` and `/metrics`, for balancers, supervisors, Prometheus.

It responds on the event loop, before host checks, sessions and request threads. A probe may carry
any Host header, and must not wait behind other requests.
"""

from __future__ import annotations

import json

from ..errors import Refused
from ..loop.lag import LoopLag
from ..process import Process
from .asgi_problem import SAFETY_HEADERS, send_problem
from .asgi_types import ASGIApp, Receive, Scope, Send
from .metrics import answer_scrape, is_served
from .readiness import OK, Readiness, Report, is_ready

_PATHS = ("/healthz", "/readyz", "/metrics")


class Health:
    """Serves both probes and the metrics; they accept only GET and HEAD.

    `/healthz` responds 200 while the process is alive. `/readyz` responds 200 if the process can
    do its work, else 503; the body lists each part. `/metrics` needs `METRICS_TOKEN`; without that
    setting it is a path like any unknown one.

    Args:
        process: the process to report on; None: that of the loop.
    """

    def __init__(self, app: ASGIApp, *, process: Process | None = None) -> None:
        self._app = app
        self._readiness = Readiness(process)
        self._loop_lag = LoopLag()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        if path not in _PATHS or (path == "/metrics" and not is_served()):
            return await self._app(scope, receive, send)
        if scope["method"] not in ("GET", "HEAD"):
            refused = Refused("method_not_allowed")
            return await send_problem(send, refused, headers=[(b"allow", b"GET, HEAD")])
        if path == "/healthz":
            return await _answer(scope, send, 200, {"process": OK})
        if path == "/metrics":
            self._loop_lag.begin()
            return await answer_scrape(scope, send, self._readiness)
        report = await self._readiness.report()
        await _answer(scope, send, 200 if is_ready(report) else 503, report)


async def _answer(scope: Scope, send: Send, status: int, report: Report) -> None:
    body = json.dumps({"status": "ok" if status == 200 else "unavailable", "checks": report})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *SAFETY_HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    is_head = scope["method"] == "HEAD"
    await send({"type": "http.response.body", "body": b"" if is_head else body.encode()})
