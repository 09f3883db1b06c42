"""`manage.py work`: a worker process, which generates the streams that web processes enqueue."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from streaming.management.start import check_before_start
from streaming.serving.server import server_config
from streaming.serving.worker import work


class Command(BaseCommand):
    help = (
        "Generates the answers that web processes with AI_STREAMING_RUNNER=worker hand over. "
        "Any number of workers may run, on any machine that reaches Redis and the database."
    )
    requires_system_checks = "__all__"

    def handle(self, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError("Workers need Redis: set REDIS_URL.")
        check_before_start(self)

        def say() -> None:
            self.stdout.write("Working: waiting for streams to generate.")
            self.stdout.flush()

        with asyncio.Runner(loop_factory=server_config().get_loop_factory()) as runner:
            runner.run(work(on_ready=say))
