"""A visitor of the site: HTTP calls, event streams and sockets that share one jar of cookies.

Calls pass through the whole application (liveai/project_asgi.py) and its layers, without a server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore

from streaming.protocol.codes import REFUSALS, RefusalCode
from tests.support.schema import validate_problem, validate_stream_document
from tests.support.streaming.event_reader import EventReader
from tests.support.streaming.exchange import Exchange
from tests.support.streaming.socket import Socket
from tests.support.streaming.tape import Tape

HOST = "localhost"
ORIGIN = f"http://{HOST}"
FOREIGN = "http://evil.example"
START = "/api/stream/ai-block/tale"
"""Starts a stream of the block that most tests use."""
NOTHING: Any = object()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def stream(self, status: int = 200) -> dict[str, Any]:
        """Return the stream document of this response."""
        assert self.status == status, self.body
        assert self.headers["content-type"] == "application/json"
        data: dict[str, Any] = self.json()
        validate_stream_document(data)
        return data

    def problem(self, code: RefusalCode, *, field: str | None = None) -> dict[str, Any]:
        """Return the problem document of this response, which must have this code."""
        assert self.headers.get("content-type") == "application/problem+json", self
        data: dict[str, Any] = self.json()
        validate_problem(data)
        assert data["code"] == code, data
        assert data["status"] == self.status == REFUSALS[code].status
        if field is not None:
            assert data["field"] == field, data
        return data


class Browser:
    """Sends what a page of the site would send: its cookies, the CSRF token, its origin.

    A call's `headers` override these; None omits one.

    Args:
        address: the client's address; by default a trusted proxy's, which limits ignore.
        token: makes it a program with this API token, which sends nothing else.
    """

    def __init__(
        self, *, host: str = HOST, address: str = "127.0.0.1", token: str | None = None
    ) -> None:
        self.host = host
        self.address = address
        self.token = token
        self.cookies: dict[str, str] = {}
        self._open: list[EventReader | Socket] = []

    async def sign_in(self, user: User) -> None:
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        await sync_to_async(session.save)()
        self.cookies["sessionid"] = str(session.session_key)

    async def call(
        self,
        method: str,
        path: str,
        data: Any = NOTHING,
        *,
        body: bytes = b"",
        headers: dict[str, str | None] | None = None,
    ) -> Answer:
        """Make a call and return its full response. `data` is sent as JSON, `body` unchanged."""
        exchange = self._exchange(method, path, data, body, headers)
        start = await exchange.head()
        answer = Answer(start.status, start.headers, await exchange.rest())
        if answer.headers.get("content-type") == "application/problem+json":
            validate_problem(answer.json())
        return answer

    async def events(
        self,
        method: str,
        path: str,
        data: Any = NOTHING,
        *,
        headers: dict[str, str | None] | None = None,
        tape: Tape | None = None,
    ) -> EventReader:
        """Make a call that opens an event stream; returns after its `start`."""
        accept = {"Accept": "text/event-stream", **(headers or {})}
        exchange = self._exchange(method, path, data, b"", accept)
        start = await exchange.head()
        assert start.status == 200, (start, await exchange.rest())
        assert start.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert start.headers["cache-control"] == "no-store, no-transform"
        assert start.headers["x-accel-buffering"] == "no"
        assert start.headers["content-encoding"] == "identity"
        reader = EventReader(exchange, tape)
        self._open.append(reader)
        assert (await reader.peek())["type"] == "start"
        return reader

    async def start(
        self, slug: str = "tale", prompt: str = "Why?", *, headers: Any = None, **fields: Any
    ) -> EventReader:
        """Start a stream by POST and watch it as server-sent events."""
        data = {"prompt": prompt, **fields}
        return await self.events("POST", f"/api/stream/ai-block/{slug}", data, headers=headers)

    async def start_unwatched(
        self, slug: str = "tale", prompt: str = "Why?", **fields: Any
    ) -> dict[str, Any]:
        """Start a stream by POST; return its stream document at once."""
        answer = await self.post_json(f"/api/stream/ai-block/{slug}", {"prompt": prompt, **fields})
        return answer.stream(201)

    async def post_json(self, path: str, data: Any = NOTHING, **options: Any) -> Answer:
        headers = {"Accept": "application/json", **options.pop("headers", {})}
        return await self.call("POST", path, data, headers=headers, **options)

    async def watch(self, stream_id: str, *, after: int | None = None) -> EventReader:
        query = "" if after is None else f"?after={after}"
        return await self.events("GET", f"/api/streams/{stream_id}/events{query}")

    async def resource(self, stream_id: str) -> dict[str, Any]:
        return (await self.call("GET", f"/api/streams/{stream_id}")).stream()

    async def cancel(self, stream_id: str) -> dict[str, Any]:
        return (await self.call("POST", f"/api/streams/{stream_id}/cancel")).stream()

    def socket(
        self, path: str = "/ws/stream", *, headers: dict[str, str | None] | None = None
    ) -> Socket:
        """Create a socket that is not yet connected."""
        own: dict[str, str | None] = {"Host": self.host}
        subprotocols = []
        if self.token is None:
            own["Origin"] = f"http://{self.host}"
        else:
            subprotocols = ["liveai", f"liveai.token.{self.token}"]
        if self.cookies:
            own["Cookie"] = self._cookie_header()
        socket = Socket(
            path,
            _raw({**own, **(headers or {})}),
            self._keep_cookie,
            address=self.address,
            subprotocols=subprotocols,
        )
        self._open.append(socket)
        return socket

    async def connect(self, path: str = "/ws/stream") -> Socket:
        """Open a socket and receive its `hello`."""
        socket = self.socket(path)
        await socket.open()
        return socket

    async def aclose(self) -> None:
        """Leave, and cut everything that is open."""
        for opened in self._open:
            await opened.aclose()

    # --- inside -------------------------------------------------------------------

    def _exchange(
        self,
        method: str,
        path: str,
        data: Any,
        body: bytes,
        headers: dict[str, str | None] | None,
    ) -> Exchange:
        own: dict[str, str | None] = {"Host": self.host}
        if self.token is None:
            own["Sec-Fetch-Site"] = "same-origin"
        else:
            own["Authorization"] = f"Bearer {self.token}"
        if self.cookies:
            own["Cookie"] = self._cookie_header()
        if self.token is None and method not in ("GET", "HEAD", "OPTIONS"):
            own["Origin"] = f"http://{self.host}"
            own["X-CSRFToken"] = self.cookies.get("csrftoken")
        if data is not NOTHING:
            body = json.dumps(data).encode()
            own["Content-Type"] = "application/json"
        sent = {**own, **(headers or {})}
        if body:
            sent.setdefault("Content-Length", str(len(body)))
        url = urlsplit(path)
        return Exchange(
            method,
            url.path,
            url.query,
            _raw(sent),
            body,
            on_cookie=self._keep_cookie,
            address=self.address,
        )

    def _cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _keep_cookie(self, header: str) -> None:
        name, _, value = header.partition(";")[0].partition("=")
        self.cookies[name] = value


def by_content(headers: dict[str, str]) -> str:
    """Return a test's id for these headers."""
    return ",".join(f"{name}={value}" for name, value in headers.items())


def _raw(headers: dict[str, str | None]) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode(), value.encode("latin-1"))
        for name, value in headers.items()
        if value is not None
    ]
