"""The whole deployment: nginx with the file of `deploy/`, two processes, Redis and an upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.faults.missing import skip_loudly
from tests.support.faults.nginx_server import NGINX, NO_NGINX, NginxServer, running_nginx
from tests.support.faults.plan import Plan
from tests.support.faults.redis_server import running_redis
from tests.support.faults.upstream_server import UpstreamServer, running_upstream
from tests.support.servers.harness import Database, Server, running_many
from tests.support.servers.sse_client import SseClient
from tests.support.servers.visitor import Visitor

DRAIN_SECONDS = 4.0


@dataclass
class Site:
    servers: list[Server]
    nginx: NginxServer
    upstream: UpstreamServer


@contextmanager
def running_site(template: Path, folder: Path, *, is_quick: bool = False) -> Iterator[Site]:
    if NGINX is None:
        skip_loudly(NO_NGINX)
    with running_redis(folder / "redis") as redis, running_upstream() as upstream:
        environment = {
            **upstream.environment,
            "REDIS_URL": redis.url,
            "AI_CAN_CONTINUE": "true",
            "STREAM_DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
        database = Database(template, folder / "servers")
        with (
            running_many(2, database, environment=environment, is_quick=is_quick) as servers,
            running_nginx(folder / "nginx", [server.port for server in servers]) as nginx,
        ):
            yield Site(servers, nginx, upstream)
            print(f"--- what nginx said ---\n{nginx.error_log}\n{nginx.access_log}")


@asynccontextmanager
async def held_stream(
    site: Site, key: str, every_ms: float = 20.0
) -> AsyncIterator[tuple[Visitor, SseClient]]:
    """Start a stream whose first token has arrived, and which then waits for its release."""
    visitor = await Visitor.arrive(site.nginx.port)
    plan = Plan(key, tokens=30, hold=1, after=1, every_ms=every_ms)
    async with await visitor.ask(plan.prompt) as client:
        await client.until_event("chunk")
        yield visitor, client
