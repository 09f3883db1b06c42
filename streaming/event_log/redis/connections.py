"""RedisConnections to Redis, and the meaning of its errors. The only module that imports redis."""

from __future__ import annotations

import asyncio
import re
from typing import cast

import hiredis
import redis
from redis.asyncio import BlockingConnectionPool, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.retry import Retry as BlockingRetry

from ..base import LogError, LogUnavailable
from .pipe import Unprepared

LIMIT_SECONDS = 1.0
"""How long Redis may take to reply. Starts are refused within two seconds."""

FAILURES = (redis.RedisError, hiredis.HiredisError)
"""Exceptions that connecting or a broken connection raises."""

ERROR_REPLIES = (hiredis.ReplyError,)
"""The types of Redis' error replies."""

_PASSING = re.compile(
    r"\b(OOM|LOADING|READONLY|MASTERDOWN|BUSY|TRYAGAIN|CLUSTERDOWN|MISCONF|NOREPLICAS)\b"
)


def is_readable(url: str) -> bool:
    """Whether redis-py can read an address with its query. Does not connect."""
    try:
        ConnectionPool.from_url(url).make_connection()
    except (ValueError, TypeError, redis.RedisError):
        return False
    return True


class RedisConnections:
    """Makes the connections of an event log, which last until `aclose`."""

    def __init__(self, url: str) -> None:
        # `line.py` and `pubsub.py` parse RESP 2: no push messages, no booleans.
        self._pool = ConnectionPool.from_url(
            url,
            protocol=2,
            driver_info=None,
            socket_connect_timeout=LIMIT_SECONDS,
            socket_timeout=None,
            retry=Retry(NoBackoff(), 0),
        )

    def dialler(self) -> RedisDialler:
        """Return the dialler of one more connection."""
        return RedisDialler(self._pool)

    async def aclose(self) -> None:
        await self._pool.disconnect()


class RedisDialler:
    """Connects through redis-py (TLS, login, database); parses and packs with hiredis."""

    reader = hiredis.Reader
    pack = staticmethod(hiredis.pack_command)

    def __init__(self, pool: ConnectionPool) -> None:
        self._connection = pool.make_connection()

    async def connect(self) -> asyncio.Transport:
        await self._connection.connect()
        # The raw transport, because redis-py's reader runs several coroutines per reply.
        return cast(asyncio.Transport, self._connection._writer.transport)

    async def disconnect(self) -> None:
        await self._connection.disconnect(nowait=True)


def error_of(reply: Exception) -> LogError:
    """Map an error reply to the error to raise; LogUnavailable if the condition may pass."""
    text = str(reply)
    if text.startswith("NOSCRIPT"):
        return Unprepared(text)
    return (LogUnavailable if _PASSING.search(text) else LogError)(text)


def request_pool(url: str) -> BlockingConnectionPool:
    """Create a pool of two connections for single requests; a request waits up to 1 s for one.

    The pool uses RESP 2: with RESP 3, redis-py does not notice a connection that died while idle.
    """
    return BlockingConnectionPool.from_url(
        url,
        max_connections=2,
        timeout=LIMIT_SECONDS,
        protocol=2,
        socket_connect_timeout=LIMIT_SECONDS,
        socket_timeout=LIMIT_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


def eviction_policy(url: str) -> str:
    """Return Redis' eviction policy, for example `noeviction`. Blocks; not for an event loop.

    Raises:
        LogUnavailable
    """
    client = redis.Redis.from_url(
        url,
        socket_connect_timeout=LIMIT_SECONDS,
        socket_timeout=LIMIT_SECONDS,
        retry=BlockingRetry(NoBackoff(), 0),
    )
    try:
        with client:
            return str(client.info("memory")["maxmemory_policy"])
    except redis.RedisError as error:
        raise LogUnavailable(type(error).__name__) from None
