"""A server at `SITE_PATH=/ai/` behind the nginx of `deploy/nginx/under-a-path.conf`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.faults.nginx_server import running_nginx_with
from tests.support.servers.harness import ROOT, Database, Server, running

CONF = ROOT / "deploy" / "nginx" / "under-a-path.conf"
_PASS = "proxy_pass http://127.0.0.1:8000;"


@dataclass(frozen=True)
class PathSite:
    server: Server
    port: int  # nginx's

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def running_under_a_path(
    folder: Path, template: Path, *, is_removed: bool, environment: Mapping[str, str] = {}
) -> Iterator[PathSite]:
    """Run both.

    Args:
        is_removed: nginx removes the path before it passes a request on.
    """
    database = Database(template, folder / "server")
    settings = {"SITE_PATH": "/ai/", **environment}
    with running("serve", database, environment=settings) as server:
        target = f"proxy_pass {server.url}{'/' if is_removed else ''};"
        conf = CONF.read_text("utf-8")
        assert _PASS in conf
        location = conf.replace(_PASS, target).replace("/var/log/nginx/", f"{folder}/")
        with running_nginx_with(location, folder / "nginx") as nginx:
            yield PathSite(server, nginx.port)
