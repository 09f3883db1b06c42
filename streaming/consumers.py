"""The WebSocket's edge: Channels on one side, a `SocketSession` on the other.

The handlers only pass messages on. Channels runs one at a time per socket, so a slow one would
delay everything behind it, including the disconnect.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from http.cookies import SimpleCookie
from typing import Any, TypeVar
from urllib.parse import parse_qs

from asgiref.typing import WebSocketScope
from channels.consumer import AsyncConsumer, get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, parse_cookie
from django.utils.http import http_date

from .access.addresses import countable_address
from .access.origins import is_own_origin
from .access.owners import session_group, user_group
from .access.rights import Right, right_of
from .access.sessions import is_written, session_store
from .access.visitor import (
    Visitor,
    check_authorization,
    is_allowed_host,
    keep_session,
    visitor_of,
)
from .admission.sockets import Place
from .errors import Refused
from .loop.push import push_of
from .process import Process, ensure_started
from .protocol.codes import (
    CLOSE_BROKEN,
    CLOSE_NORMAL,
    CLOSE_NOT_SELECTED,
    CLOSE_TOO_MANY,
    CLOSE_UNKNOWN_PATH,
)
from .websocket.session import SocketSession

logger = logging.getLogger(__name__)

T = TypeVar("T")


class StreamConsumer(AsyncConsumer):
    """`/ws/stream`: one socket for all streams of a session."""

    scope: WebSocketScope
    session: SocketSession | None = None
    group: str | None = None
    place: Place | None = None

    listening: asyncio.Task[None] | None = None

    @classmethod
    def as_asgi(cls, **initkwargs: Any) -> Any:
        """Do what Channels' function does, without a frame of its own for each socket."""

        def application(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
            return cls(**initkwargs)(scope, receive, send)

        application._asgi_single_callable = True  # type: ignore[attr-defined]  # for asgiref
        return application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle the socket's messages. Needs less than Channels' own loop while there are none."""
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        if self.channel_layer is not None:
            self.channel_name = await self.channel_layer.new_channel()
        try:
            while True:
                message = await receive()
                await getattr(self, get_handler_name(message))(message)
                del message  # it may be large
        except StopConsumer:
            pass
        finally:  # even if the server cancels the call
            await self._let_go()

    def _listen(self) -> None:
        """Handle what the group is told, which waits in the channel layer until then."""
        if listen := getattr(self.channel_layer, "listen", None):
            listen(self.channel_name, self.stream_started)
        else:
            work, context = self._receive_announcements(), contextvars.Context()
            self.listening = asyncio.get_running_loop().create_task(work, context=context)

    async def _receive_announcements(self) -> None:
        while True:
            self.stream_started(await self.channel_layer.receive(self.channel_name))

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        process = await ensure_started()
        try:
            self._check_origin()
            self._check_authorization()
            session = session_of(self.scope["headers"])
            visitor = await self._visitor(process, session)
            self.place = await process.sockets.take(visitor)
            if self.place is None:  # accept first, or a browser can't read the close code
                await self.base_send({"type": "websocket.accept"})
                return await self._close(CLOSE_TOO_MANY)
            keep_session(visitor, session)
            keep = partial(_keep, session, visitor)
            right, cookie = await _on_thread(keep) if is_written(session) else keep()
        except Refused as refused:
            logger.info("A WebSocket was refused: %s", refused.code)
            await self.base_send({"type": "websocket.close"})  # before the handshake: 403
            raise StopConsumer from None
        except (DatabaseError, InterfaceError, UpdateError):  # UpdateError: the session was deleted
            logger.warning("A WebSocket can't be opened: the database can't be reached.")
            await self.base_send({"type": "websocket.accept"})
            await self._close(CLOSE_BROKEN)
            return
        await self.base_send({"type": "websocket.accept", "headers": cookie})
        if not process.switches.serves("websocket"):
            await self._close(CLOSE_NOT_SELECTED)
            return
        follow = parse_qs(self.scope["query_string"].decode("latin-1")).get("follow", [""])[-1]
        await self._join(visitor, follow)
        self.session = SocketSession(
            process,
            visitor,
            send=self._send_text,
            close=self._close,
            channel=self.channel_name if self.channel_layer else "",
            follows=follow != "none",
            follows_user=follow == "user",
            right=right,
            push=push_of(self.base_send),
        )
        self.scope.clear()  # type: ignore[attr-defined]  # an open socket needs none of it
        try:
            await self.session.open()
        except Refused as refused:
            logger.warning("A WebSocket can't be opened: %s", refused.code)
            await self._close(CLOSE_BROKEN)
        if self.group is not None:
            self._listen()

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        if self.session is not None:
            await self.session.receive(message.get("text"))

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        await self._let_go()
        raise StopConsumer

    def stream_started(self, message: dict[str, Any]) -> None:
        """Handle the group's message that a stream was started elsewhere."""
        if self.session is not None:
            self.session.announce(message["stream_id"], message["origin"])

    def _check_origin(self) -> None:
        """Prevent foreign pages from opening a socket with this visitor's cookies.

        Raises:
            Refused: `forbidden_origin`.
        """
        headers = {name: value.decode("latin-1") for name, value in self.scope["headers"]}
        host = headers.get(b"host", "")
        if not is_allowed_host(host):
            raise Refused("forbidden_origin")
        origin = headers.get(b"origin")
        if origin is None:
            if headers.get(b"cookie"):
                raise Refused("forbidden_origin")
        elif not is_own_origin(origin, host=host, is_secure=self.scope.get("scheme") == "wss"):
            raise Refused("forbidden_origin")

    async def _visitor(self, process: Process, session: SessionBase) -> Visitor:
        """Identify the visitor. Handshakes of one address look their sessions up in turn, so that a
        flood of them does not fill the queue of the shared thread.

        Raises:
            Refused: `not_authenticated`.
        """
        client = self.scope.get("client")
        identify = partial(_identify, session, client)
        if not session.session_key:  # without a cookie, nothing is looked up
            return identify()
        address = countable_address(client[0] if client else None)
        if address is None:  # a proxy's own, which many visitors share
            return await _on_thread(identify)
        return await process.turns.run(address, partial(_on_thread, identify))

    def _check_authorization(self) -> None:
        """Check the handshake's `Authorization` headers.

        Raises:
            Refused: `not_authenticated`.
        """
        for name, value in self.scope["headers"]:
            if name.lower() == b"authorization":
                check_authorization(value.decode("latin-1"))

    async def _join(self, visitor: Visitor, follow: str) -> None:
        """Join the group before `hello` is built, so that no start in between goes unannounced."""
        if self.channel_layer is None or follow == "none":
            return
        if follow == "user" and visitor.user_id is not None:
            self.group = user_group(visitor.user_id)
        elif visitor.session_id is not None:
            self.group = session_group(visitor.session_id)
        if self.group is not None:
            await self.channel_layer.group_add(self.group, self.channel_name)

    async def _let_go(self) -> None:
        session, self.session = self.session, None
        listening, self.listening = self.listening, None
        group, self.group = self.group, None
        place, self.place = self.place, None
        if hasattr(self.channel_layer, "listen"):
            self.channel_layer.stop_listening(self.channel_name)
        try:
            if listening is not None:
                listening.cancel()
                await asyncio.wait({listening})
            if session is not None:
                await session.aclose()
            if group is not None:
                await self.channel_layer.group_discard(group, self.channel_name)
        finally:
            if place is not None:
                await place.give_back()

    def _send_text(self, text: str) -> Awaitable[None]:
        sent: Awaitable[None] = self.base_send({"type": "websocket.send", "text": text})
        return sent

    async def _close(self, code: int) -> None:
        try:
            await self.base_send({"type": "websocket.close", "code": code})
        except Exception:
            # Daphne can't send 1011 to 1013; a client resumes after any close.
            await self.base_send({"type": "websocket.close", "code": CLOSE_NORMAL})


class UnknownPathConsumer(AsyncConsumer):
    """Handles any other path: accepts and closes, so that the client can read the close code."""

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        await self.base_send({"type": "websocket.accept"})
        await self.base_send({"type": "websocket.close", "code": CLOSE_UNKNOWN_PATH})

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        return None

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        raise StopConsumer


def session_of(headers: Iterable[tuple[bytes, bytes]]) -> SessionBase:
    """Return the session of a handshake's cookie, not loaded yet; a new one without a cookie."""
    cookies: dict[str, str] = {}
    for name, value in headers:
        if name == b"cookie":
            cookies |= parse_cookie(value.decode("latin-1"))
    return session_store()(cookies.get(settings.SESSION_COOKIE_NAME))


async def _on_thread(work: Callable[[], T]) -> T:
    done: T = await database_sync_to_async(work)()
    return done


def _identify(session: SessionBase, client: tuple[str, int] | None) -> Visitor:
    request = HttpRequest()
    request.session = session
    return visitor_of(get_user(request), session, client=client[0] if client else None)


def _keep(session: SessionBase, visitor: Visitor) -> tuple[Right | None, list[tuple[bytes, bytes]]]:
    """Save a new session; nothing else sets cookies on a handshake.

    Returns:
        The right that admits the visitor, and the header that sets the session cookie.
    """
    if not session.modified:
        return right_of(visitor, session), []
    session.save()
    cookie: SimpleCookie = SimpleCookie()
    cookie[settings.SESSION_COOKIE_NAME] = str(session.session_key)
    morsel = cookie[settings.SESSION_COOKIE_NAME]
    morsel["path"] = settings.SESSION_COOKIE_PATH
    morsel["samesite"] = settings.SESSION_COOKIE_SAMESITE
    morsel["httponly"] = settings.SESSION_COOKIE_HTTPONLY
    morsel["secure"] = settings.SESSION_COOKIE_SECURE
    if settings.SESSION_COOKIE_DOMAIN:
        morsel["domain"] = settings.SESSION_COOKIE_DOMAIN
    if not session.get_expire_at_browser_close():
        morsel["max-age"] = session.get_expiry_age()
        morsel["expires"] = http_date(session.get_expiry_date().timestamp())
    return right_of(visitor, session), [(b"set-cookie", morsel.OutputString().encode())]
