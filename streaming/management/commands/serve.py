"""`manage.py serve`: the launcher, with all server settings in one place."""

from __future__ import annotations

import errno
import socket
from argparse import ArgumentParser
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.checks import Error
from django.core.management.base import BaseCommand, CommandError, SystemCheckError

from streaming.management.start import check_before_start, traces
from streaming.serving.server import APPLICATION, serve


class Command(BaseCommand):
    help = (
        "Serves the project with uvicorn. On SIGTERM or Ctrl+C running streams get "
        "STREAM_DRAIN_SECONDS to end; a second Ctrl+C cuts that short."
    )
    requires_system_checks = "__all__"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000, help="0: any free port")
        parser.add_argument(
            "--app",
            default=APPLICATION,
            metavar="MODULE:NAME",
            help="the ASGI application, e.g. mysite.asgi:application of a project that has added"
            " the blocks; default: this project's own",
        )

    def handle(self, *, host: str, port: int, app: str, **options: Any) -> None:
        _check_debug(host)
        check_before_start(self)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {port} is taken. Stop the program that uses it, or choose another port: "
                    "--port 8001 (PORT=8001 scripts/run)."
                ) from None
            raise CommandError(f"Can't listen on {host}:{port}: {error.strerror}.") from None
        port = listener.getsockname()[1]

        def say() -> None:
            self.stdout.write(f"Listening on http://{host}:{port}{settings.SITE_PATH}")
            self.stdout.flush()

        with traces():
            has_started = serve(listener, app=app, on_listening=say)
        if not has_started:
            raise CommandError("The server could not start.")


def _check_debug(host: str) -> None:
    """Allow error pages with source code only on this machine.

    Raises:
        SystemCheckError: `DEBUG` is on, and the listening address is not a loopback address.
    """
    try:
        is_loopback = ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if settings.DEBUG and not is_loopback:
        raise SystemCheckError(
            Error(
                f"DJANGO_DEBUG is on, and --host {host} makes the site reachable from other"
                " machines: error pages show them the source code.",
                hint="Write DJANGO_DEBUG=false, or --host 127.0.0.1.",
                id="streaming.E019",
            )
        )
