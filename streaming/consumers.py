"""The WebSocket's edge: Channels on one side, a `SocketSession` on the other.

The handlers only pass messages on. Channels runs one at a time per socket, so a slow one would
delay everything behind it, including the disconnect.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
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
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.db import DatabaseError, InterfaceError
from django.utils.http import http_date

from .access.addresses import countable_address
from .access.owners import session_group
from .access.rights import Right, right_of
from .access.sessions import is_written, session_store
from .access.signed_in import user_of
from .access.visitor import Visitor, keep_session, visitor_of
from .admission.sockets import Place
from .errors import Refused
from .http.request_id import id_headers
from .loop.log_ids import fresh_context
from .loop.push import push_of
from .process import Process, ensure_started
from .protocol.codes import (
    CLOSE_BROKEN,
    CLOSE_NORMAL,
    CLOSE_NOT_SELECTED,
    CLOSE_TOO_MANY,
    CLOSE_UNAUTHENTICATED,
    CLOSE_UNKNOWN_PATH,
    RefusalCode,
)
from .websocket.handshake import accept_of, check_origin, session_key_of, token_of
from .websocket.session import SocketSession

logger = logging.getLogger(__name__)

T = TypeVar("T")

CLOSES: dict[RefusalCode, int] = {
    "not_authenticated": CLOSE_UNAUTHENTICATED,
    "rate_limited": CLOSE_TOO_MANY,
    "store_unavailable": CLOSE_BROKEN,
}
"""The codes that close a refused socket after the handshake; all others are a 403 before it."""


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
            work, context = self._receive_announcements(), fresh_context()
            self.listening = asyncio.get_running_loop().create_task(work, context=context)

    async def _receive_announcements(self) -> None:
        while True:
            self.stream_started(await self.channel_layer.receive(self.channel_name))

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        process = await ensure_started()
        accept = _accept(self.scope)
        try:
            visitor, session = await self._identify(process)
            self.place = await process.sockets.take(visitor)
            if self.place is None:
                return await self._turn_away(CLOSE_TOO_MANY)
            if session is not None:
                keep_session(visitor, session)
            keep = partial(_keep, session, visitor)
            is_saved = session is not None and is_written(session)
            right, cookie = await _on_thread(keep) if is_saved else keep()
        except Refused as refused:
            logger.info("A WebSocket was refused: %s", refused.code)
            if refused.code in CLOSES:
                return await self._turn_away(CLOSES[refused.code])
            await self.base_send({"type": "websocket.close"})  # before the handshake: 403
            raise StopConsumer from None
        except (DatabaseError, InterfaceError, UpdateError):  # UpdateError: the session was deleted
            logger.warning("A WebSocket can't be opened: the database can't be reached.")
            return await self._turn_away(CLOSE_BROKEN)
        await self.base_send({**accept, "headers": [*accept["headers"], *cookie]})
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

    async def _identify(self, process: Process) -> tuple[Visitor, SessionBase | None]:
        """Return the visitor, and the session of one who has no token.

        Raises:
            Refused: `forbidden_origin`, `not_authenticated`, `rate_limited`, `store_unavailable`.
        """
        token = token_of(self.scope)
        check_origin(self.scope, has_token=token is not None)
        client = self.scope.get("client")
        address = client[0] if client else None
        if token is not None:
            await process.tokens.prepare(token)
            _, visitor = await _on_thread(partial(process.tokens.admit, token, client=address))
            return visitor, None
        session = session_store()(session_key_of(self.scope))
        look_up = partial(_on_thread, partial(_identify, session, address))
        if not session.session_key:  # without a cookie, nothing is looked up
            return _identify(session, address), session
        countable = countable_address(address)
        if countable is None:  # a proxy's own, which many visitors share
            return await look_up(), session
        # In turn: a flood of handshakes must not fill the queue of the thread that all share.
        return await process.turns.run(countable, look_up), session

    async def _turn_away(self, code: int) -> None:
        """Close a socket in a way that a browser can read: after accepting it."""
        await self.base_send(_accept(self.scope))
        await self._close(code)

    async def _join(self, visitor: Visitor, follow: str) -> None:
        """Join the group before `hello` is built, so that no start in between goes unannounced."""
        if self.channel_layer is None or follow == "none":
            return
        if follow == "user" and visitor.person_group is not None:
            self.group = visitor.person_group
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
        await self.base_send(_accept(self.scope))
        await self.base_send({"type": "websocket.close", "code": CLOSE_UNKNOWN_PATH})

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        return None

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        raise StopConsumer


def _accept(scope: WebSocketScope) -> dict[str, Any]:
    return {**accept_of(scope), "headers": id_headers()}


async def _on_thread(work: Callable[[], T]) -> T:
    done: T = await database_sync_to_async(work)()
    return done


def _identify(session: SessionBase, address: str | None) -> Visitor:
    return visitor_of(user_of(session), session, client=address)


def _keep(
    session: SessionBase | None, visitor: Visitor
) -> tuple[Right | None, list[tuple[bytes, bytes]]]:
    """Save a new session; nothing else sets cookies on a handshake.

    Returns:
        The right that admits the visitor, and the header that sets the session cookie.
    """
    if session is None or not session.modified:
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
