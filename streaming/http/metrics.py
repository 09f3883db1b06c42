"""`/metrics` for Prometheus: guarded by a token, and answered on the event loop.

Each process answers for itself. Decision: 042-metrics.md.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from prometheus_client.core import Metric

from ..database import store
from ..errors import Refused
from ..metrics.page import counter, gauge, gauge_by, page_of
from ..process import Process
from .asgi_problem import SAFETY_HEADERS, send_problem
from .asgi_types import Scope, Send
from .readiness import OK, PROBE_SECONDS, Readiness

_CHALLENGE = [(b"www-authenticate", b"Bearer")]


def is_served() -> bool:
    """Whether this deployment has metrics at all."""
    return bool(settings.METRICS_TOKEN)


def is_admitted(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request carries `METRICS_TOKEN`. Takes as long for any wrong token."""
    for name, value in headers:
        if name == b"authorization":
            scheme, _, token = value.strip().partition(b" ")
            is_same = hmac.compare_digest(token.strip(), settings.METRICS_TOKEN.encode())
            return is_same and scheme.lower() == b"bearer"
    return False


async def answer_scrape(scope: Scope, send: Send, readiness: Readiness) -> None:
    """Respond with all metrics, or with 401."""
    if not is_admitted(scope["headers"]):
        return await send_problem(send, Refused("not_authenticated"), headers=_CHALLENGE)
    report = await readiness.report()
    process = readiness.process
    waiting = None if process is None else await _waiting_for_workers(process)
    accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
    page, content_type = page_of(accept.decode("latin-1"), _now(process, report, waiting))
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(page)).encode()),
        (b"cache-control", b"no-store"),
        *SAFETY_HEADERS,
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    is_head = scope["method"] == "HEAD"
    await send({"type": "http.response.body", "body": b"" if is_head else page})


async def _waiting_for_workers(process: Process) -> int | None:
    """Count the answers that wait for a worker; None without workers or without the database."""
    if process.queue is None:
        return None
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return (await process.keeping.run(store.count_waiting)).total
    except (DatabaseError, InterfaceError, TimeoutError):
        return None


def _now(process: Process | None, report: dict[str, str], waiting: int | None) -> Iterator[Metric]:
    """Look up what a process need not count.

    Args:
        process: None: it has not been able to start.
        waiting: how many answers wait for a worker.
    """
    yield gauge_by(
        "check",
        "liveai_check_ok",
        "Whether a part of /readyz is ok: 1, or 0.",
        {part: float(state == OK) for part, state in report.items()},
    )
    if process is None:
        return
    generations, log = process.generations, process.log
    yield gauge(
        "liveai_streams_running",
        "Answers that this process generates now.",
        len(generations) - generations.waiting,
    )
    yield gauge(
        "liveai_streams_waiting",
        "Answers that wait in this process's line for a place.",
        generations.waiting,
    )
    if waiting is not None:
        yield gauge(
            "liveai_queue_waiting",
            "Answers that wait for a worker, in all processes together.",
            waiting,
        )
    yield counter(
        "liveai_events_total",
        "Events that the generators of this process wrote: tokens, parts and resets, not ends.",
        generations.written,
    )
    yield gauge("liveai_connections", "Open event streams and sockets.", len(process.connections))
    yield gauge("liveai_feeds", "Answers that this process knows.", len(list(process.hub.feeds())))
    if log.survives_process:
        yield gauge(
            "liveai_redis_unreachable_seconds",
            "For how long Redis has been out of reach; 0: it is not.",
            log.unreachable_seconds,
        )
