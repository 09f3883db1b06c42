"""API tokens in the database of a server that runs, and a program that comes with one."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from tests.support.servers.harness import Database
from tests.support.servers.visitor import Socket, Visitor

_INSERT = (
    "INSERT INTO api_tokens_apitoken (digest, token_key, created, name, scope, user_id)"
    " SELECT ?, ?, CURRENT_TIMESTAMP, ?, ?, id FROM auth_user WHERE username = ?"
)


def add_token(database: Database, *, scope: str = "ask", username: str = "admin") -> str:
    """Add a token of a user, and return its secret."""
    secret = f"liveai_{secrets.token_hex(32)}"
    digest = hashlib.sha512(secret.encode()).hexdigest()
    _write(database, _INSERT, (digest, secret[:15], secret[-6:], scope, username))
    return secret


def revoke_tokens(database: Database) -> None:
    _write(database, "DELETE FROM api_tokens_apitoken")


def _write(database: Database, statement: str, values: tuple[str, ...] = ()) -> None:
    with closing(sqlite3.connect(database.path, timeout=30)) as connection, connection:
        connection.execute(statement, values)


class Program(Visitor):
    """Sends a token with every call, and no cookies.

    Args:
        origin: that of the page it runs in; None: it is no page.
    """

    def __init__(self, port: int, token: str, *, origin: str | None = None, site: str = "") -> None:
        super().__init__(port, site=site)
        self.token = token
        self.origin = origin

    @property
    def headers(self) -> dict[str, str]:
        origin = {} if self.origin is None else {"Origin": self.origin}
        return {**self._proxied, "Authorization": f"Bearer {self.token}", **origin}

    @asynccontextmanager
    async def token_socket(self, query: str = "") -> AsyncIterator[Socket]:
        """Open a socket as a page does, with the token in a subprotocol; receive its `hello`."""
        async with self.connection(query) as connection:
            assert connection.subprotocol == "liveai"
            yield await Socket.greeted(connection)

    def connection(self, query: str = "") -> Any:
        return connect(
            f"ws://127.0.0.1:{self.port}/ws/stream{query}",
            origin=None if self.origin is None else Origin(self.origin),
            subprotocols=[Subprotocol("liveai"), Subprotocol(f"liveai.token.{self.token}")],
            compression=None,
        )
