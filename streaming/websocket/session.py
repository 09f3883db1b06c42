"""One WebSocket's conversation: executes the commands of its client. No Channels here.

Source: specs/050-live-ai-interaction/spec.md, "WebSocket".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from django.conf import settings

from blocks import tracing

from ..access.rights import Right, require_right
from ..access.visitor import Visitor
from ..admission.bucket import TokenBucket
from ..database.rows import describe
from ..errors import Refused
from ..generating.starting import Started
from ..loop.log_ids import fresh_context
from ..loop.push import Push
from ..loop.tasks import Tasks
from ..metrics.counted import count_refused_start
from ..process import Process
from ..protocol.codes import CLOSE_MALFORMED, CLOSE_TOO_MANY, CLOSE_UNAUTHENTICATED
from ..protocol.commands import (
    Cancel,
    Command,
    InvalidCommand,
    Leave,
    Ping,
    Resume,
    Start,
    Unreadable,
    parse_command,
)
from ..protocol.viewer import Viewer
from ..refusals import refusal_of
from ..start_request import Prepared, prepare_start, require_transport
from ..switches import Switches, current_switches
from ..watching.hub import Feed
from .announcements import Announcements
from .inbox import Inbox
from .outbox import Outbox
from .recent import Recent

logger = logging.getLogger(__name__)

T = TypeVar("T")

MALFORMED_AT_MOST = 3
COMMANDS_AT_MOST = 8
"""Commands of one socket that run concurrently; further ones wait in the inbox."""
REMEMBERED_AT_MOST = 256
"""Number of streams that a socket remembers as shown, and as left."""
GREETED_AT_MOST = 100
"""Running streams that `hello` lists."""
BURST_SECONDS = 2.0
RIGHT_SECONDS = 3.0
"""How long a cancel or a resume waits for the check that its session is still valid.

After that it proceeds unchecked; `Connections.check_rights` closes the socket later if needed.
"""


class SocketSession:
    """Runs one socket with up to three tasks.

    One sends pending frames. While there are any, one executes the commands in order, and one shows
    announced streams. A cancel waits for the stream's end, so each runs as its own task, within
    `COMMANDS_AT_MOST`.

    Args:
        send: hands one text frame to the server; waits while the client does not read.
        close: closes the socket with a code.
        channel: the socket's name in the channel layer.
        follows: whether to show streams that are started elsewhere too.
        follows_user: whether `hello` lists all streams of the user, not only the session's.
        right: the session that admitted the visitor; its end closes the socket with 4401.
        push: writes frames without waiting; None: the server can't.
    """

    def __init__(
        self,
        process: Process,
        visitor: Visitor,
        *,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int], Awaitable[None]],
        channel: str,
        follows: bool,
        follows_user: bool,
        right: Right | None = None,
        push: Push | None = None,
    ) -> None:
        self._process = process
        self._visitor = visitor
        self._channel = channel
        self._follows = follows
        self._follows_user = follows_user
        self._right = right
        self._outbox = Outbox(
            process.connections, right=right, send=send, close=close, on_over=self._stop, push=push
        )
        self._watching = self._outbox.watching
        self._shown = Recent(REMEMBERED_AT_MOST)  # watched before: ignore announcements of them
        self._left = Recent(REMEMBERED_AT_MOST)  # the client left them before they ended
        self._inbox = Inbox()
        self._slots = asyncio.Semaphore(COMMANDS_AT_MOST)
        rate = settings.LIMIT_FRAMES_PER_SECOND
        self._frames = TokenBucket(rate, BURST_SECONDS * rate, now=process.now())
        self._malformed = 0
        self._is_executing = False  # a task executes commands while there are any
        self._is_over = False  # no commands and no new frames from now on
        self._tasks = Tasks()
        self._announcements = Announcements(self._show, start=self._tasks.start)
        self._sending: asyncio.Task[None] | None = None

    # --- lifecycle -------------------------------------------------------------

    async def open(self) -> None:
        """Queue `hello`, then start the tasks.

        Raises:
            Refused: `store_unavailable`: the database is unreachable.
        """
        feeds: list[Feed] = []
        if self._visitor.has_session:  # a new visitor has nothing yet
            session = None if self._follows_user else self._visitor.session_id
            feeds = await self._process.manager.finder.running_of(
                self._visitor.owner, session, at_most=GREETED_AT_MOST
            )
        self._outbox.put_message(
            {
                "type": "hello",
                "streaming": self._process.switches.to_dict(),
                "active": [
                    describe(feed.row, feed.window.state, without=("text",)) for feed in feeds
                ],
            }
        )
        self._process.on_switches.add(self._send_settings)
        # Not in `_tasks`, whose set is large: an idle socket has no other task.
        self._sending = asyncio.get_running_loop().create_task(
            self._outbox.run(), context=fresh_context()
        )

    async def aclose(self) -> None:
        """Release everything. Idempotent; the streams continue."""
        self._outbox.release()
        if self._sending is not None and self._sending is not asyncio.current_task():
            self._sending.cancel()
            await asyncio.wait({self._sending})
        await self._tasks.aclose()

    async def receive(self, text: str | None) -> None:
        """Queue the command of one frame.

        Waits for room in the inbox, while the client does not read the replies or while frames
        have no rate limit.

        Args:
            text: the frame's text; None for a binary frame.
        """
        if self._is_over:
            return
        if not self._frames.take(1, now=self._process.now()):
            return self._outbox.shut(CLOSE_TOO_MANY)
        try:
            if text is None:
                raise Unreadable("Frames are text.")
            command: Command | InvalidCommand = parse_command(text)
        except Unreadable as unreadable:
            self._malformed += 1
            self._outbox.put_refusal(Refused("malformed", str(unreadable)), {})
            if self._malformed >= MALFORMED_AT_MOST:
                self._outbox.shut(CLOSE_MALFORMED)
            return
        except InvalidCommand as invalid:
            command = invalid
        chars = len(text or "")
        if self._frames.is_bound:
            # Waiting for slow commands here would delay the client's disconnect.
            is_full = self._inbox.is_full and not self._outbox.is_full
            if is_full or not self._inbox.has_memory_for(chars):
                return self._outbox.shut(CLOSE_TOO_MANY)
        await self._inbox.put(command, chars=chars)
        if not self._is_executing and not self._is_over:
            self._is_executing = True
            self._tasks.start(self._execute_all())

    def announce(self, stream_id: str, origin: str) -> None:
        """Show a stream that was started elsewhere in the session. Never waits."""
        if self._follows and origin != self._channel and not self._is_over:
            self._announcements.add(stream_id)

    async def _show(self, stream_id: str) -> bool:
        """Show an announced stream. Returns False if a retry is needed."""
        if stream_id in self._shown:
            return True
        try:
            feed = await self._process.manager.watch(stream_id, self._visitor.owner)
        except Refused as refused:
            # Any other refusal: it was deleted, or no longer belongs to this visitor.
            return refused.code not in ("store_unavailable", "over_capacity")
        if stream_id not in self._shown:
            self._watch(feed, after=-1, ref=None)
        return True

    # --- incoming commands ---------------------------------------------------------

    async def _execute_all(self) -> None:
        try:
            while not self._is_over and not self._inbox.is_empty:
                await self._execute_next(await self._inbox.take())
        finally:
            self._is_executing = False

    async def _execute_next(self, command: Command | InvalidCommand) -> None:
        if isinstance(command, InvalidCommand):
            self._refuse(command, Refused(command.code, command.message))
        elif isinstance(command, Ping):
            # At once: the client checks that the socket is alive.
            self._outbox.put_message({"type": "pong"})
        else:
            await self._slots.acquire()
            if isinstance(command, Cancel):
                self._tasks.start(self._execute(command))
                await asyncio.sleep(0)  # a start behind it must not overtake it
            else:
                await self._execute(command)
        while self._outbox.is_full and not self._is_over:
            await self._outbox.emptied()  # back-pressure: the client does not read

    async def _execute(self, command: Command) -> None:
        try:
            match command:
                case Start():
                    await self._start(command)
                case Resume():
                    await self._resume(command)
                case Leave(stream_id):
                    if stream_id in self._watching:
                        self._left.add(stream_id)
                    self._watching.leave(stream_id)
                case Cancel():
                    await self._cancel(command)
        except Exception as error:
            refused = refusal_of(error)
            if refused.code == "internal":
                logger.exception("A WebSocket command failed.")
            self._refuse(command, refused)
            if refused.code == "not_authenticated":
                self._outbox.shut(CLOSE_UNAUTHENTICATED)
        finally:
            self._slots.release()

    def _refuse(self, command: Command | InvalidCommand, refused: Refused) -> None:
        if isinstance(command, Start) or getattr(command, "is_start", False):
            count_refused_start(refused.code)
        self._outbox.put_refusal(refused, getattr(command, "echo", {}))

    async def _in_turn(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        key = self._visitor.address or self._visitor.owner
        return await self._process.turns.run(key, make)

    async def _check_right(self) -> None:
        """Check the visitor's session, as far as the database answers in time.

        Raises:
            Refused: `not_authenticated`: the session has ended; `over_capacity`.
        """
        if self._right is None:
            return
        try:
            async with asyncio.timeout(RIGHT_SECONDS):
                await self._process.asking.query(require_right, self._right)
        except TimeoutError:
            return
        except Refused as refused:
            if refused.code != "store_unavailable":  # proceed while the database is unreachable
                raise

    async def _start(self, command: Start) -> None:
        process, visitor = self._process, self._visitor
        if not self._watching.has_request(command.request_id):
            process.connections.require_room_beside(len(self._watching))

        async def start() -> Started:
            prepared = await process.asking.query(_prepare, visitor, self._right, command)
            return await process.manager.start(
                visitor,
                prepared.new,
                prepared.spec,
                is_streaming=prepared.is_streaming,
                origin=self._channel,
            )

        # A root of its own: a socket has no trace, and may start answers for minutes.
        with tracing.span("start /ws/stream", kind="server", is_root=True):
            feed = (await self._in_turn(start)).feed
        if viewer := self._watching.viewer(feed.stream_id):
            # A repeated request: send the opening frame again; the viewer continues.
            self._outbox.put(viewer.open(command.ref).websocket)
        else:
            self._watch(feed, after=-1, ref=command.ref)

    async def _resume(self, command: Resume) -> None:
        require_transport(self._process.switches, "websocket")
        if command.stream_id not in self._watching:
            self._process.connections.require_room_beside(len(self._watching))

        async def find() -> Feed:
            await self._check_right()
            return await self._process.manager.watch(command.stream_id, self._visitor.owner)

        self._watch(await self._in_turn(find), after=command.after, ref=command.ref)

    async def _cancel(self, command: Cancel) -> None:
        manager, visitor = self._process.manager, self._visitor
        watched, shown = self._watching.ids(), self._shown.members()

        async def store() -> Feed | None:
            visitor.require_ask()
            await self._check_right()
            if command.stream_id is not None:
                return await manager.store_cancel(command.stream_id, visitor.owner, by="owner")
            return await manager.store_cancel_by_request_id(visitor, command.request_id or "")

        feed = await self._in_turn(store)
        if feed is None:
            return  # stored; a later start with this request id reports the cancel
        await manager.see_end(feed)
        is_shown_meanwhile = feed.stream_id in self._shown and feed.stream_id not in shown
        is_left = feed.stream_id in self._left
        self._left.discard(feed.stream_id)
        # In all other cases the viewer's terminal frame is the reply.
        if is_left or (feed.stream_id not in watched and not is_shown_meanwhile):
            self._outbox.put(Viewer(feed.window, feed.window.last).open().websocket)

    # --- watching ----------------------------------------------------------------

    def _watch(self, feed: Feed, *, after: int, ref: str | None) -> None:
        viewer = Viewer(feed.window, after)
        if self._is_over:
            return
        try:
            self._process.replays.charge(self._visitor, viewer.backlog)
        except Refused:
            return self._outbox.shut(CLOSE_TOO_MANY)
        self._shown.add(feed.stream_id)
        self._left.discard(feed.stream_id)
        self._outbox.put(viewer.open(ref).websocket)
        self._watching.begin(feed, viewer)

    def _send_settings(self, switches: Switches) -> None:
        self._outbox.put_message({"type": "settings", "streaming": switches.to_dict()})

    def _stop(self) -> None:
        """Execute no further commands and show no further streams. Idempotent."""
        self._is_over = True
        self._process.on_switches.discard(self._send_settings)
        for task in self._tasks.others():
            task.cancel()
        self._inbox.clear()  # no task reads it any more, and `receive` may wait for room


def _prepare(visitor: Visitor, right: Right | None, command: Start) -> Prepared:
    require_right(right)
    require_transport(current_switches(), "websocket")
    return prepare_start(
        visitor,
        command.block_type,
        prompt=command.prompt,
        options=command.options,
        request_id=command.request_id,
        continues=command.continues,
        sample=command.sample,
    )
