"""`manage.py work`: a worker process, which generates the streams that web processes enqueue."""

from __future__ import annotations

import asyncio
import os
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from streaming.management.readiness import tell_ready
from streaming.management.start import check_before_start, traces
from streaming.serving.server import server_config
from streaming.serving.worker import work
from streaming.serving.worker_page import listen


class Command(BaseCommand):
    help = (
        "Generates the answers that web processes with AI_STREAMING_RUNNER=worker hand over. "
        "Any number of workers may run, on any machine that reaches Redis and the database."
    )
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--metrics",
            metavar="HOST:PORT",
            help="where to serve /metrics (needs METRICS_TOKEN), /healthz and /readyz; port 0: any",
        )

    def handle(self, *, metrics: str | None = None, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError("Workers need Redis: set REDIS_URL.")
        if settings.AI_STREAMING_RUNNER != "worker":
            raise CommandError(
                "AI_STREAMING_RUNNER is inline: each web process generates its own answers, and a "
                "worker would get none. Set AI_STREAMING_RUNNER=worker for all processes."
            )
        page = None if metrics is None else self._listen(metrics)
        check_before_start(self)

        def say() -> None:
            self.stdout.write("Working: waiting for streams to generate.")
            self.stdout.flush()
            tell_ready(os.environ.get("NOTIFY_SOCKET", ""))

        loop_factory = server_config().get_loop_factory()
        with traces(), asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(work(on_ready=say, page=page))

    def _listen(self, address: str) -> socket.socket:
        try:
            listener = listen(address)
        except ValueError as error:
            raise CommandError(f"--metrics is not an address. {error}") from None
        except OSError as error:
            raise CommandError(f"Can't listen on {address}: {error.strerror}.") from None
        host, port, *_ = listener.getsockname()
        shown = f"[{host}]" if ":" in host else host
        self.stdout.write(f"Metrics and probes on http://{shown}:{port}")
        return listener
