"""Many commands share a round trip; a broken or hanging one costs each at most one limit."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain
from typing import Any

import pytest
import pytest_asyncio

from streaming.event_log.base import LogError, LogUnavailable
from streaming.event_log.redis import pipe as pipes
from streaming.event_log.redis.pipe import Pipe, Unprepared
from tests.support.streaming.redis_logs import eventually

LIMIT_SECONDS = 20.0
"""Ample: only a test in which Redis hangs shortens it."""

SHORT_SECONDS = 0.1


class Broken(Exception):
    """The error that breaks the connection."""


class Refused(Exception):
    """The error of an error reply."""


class FakeTransport(asyncio.Transport):
    """Passes written data to its connection, and the connection's replies to the protocol."""

    def __init__(self, connection: FakeConnection) -> None:
        super().__init__()
        self.connection = connection
        self.protocol: asyncio.Protocol
        self.is_aborted = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self.protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_aborted
        self.connection.take(self)

    def abort(self) -> None:
        self.is_aborted = True


class FakeConnection:
    """A dialler whose Redis echoes each command; `answers` may replace the reply.

    A `Broken` or any other error in `answers` breaks the connection. While `passes` is not set,
    nothing is answered.
    """

    def __init__(self) -> None:
        self.sent: list[list[tuple[Any, ...]]] = []  # commands that were sent together
        self.connects = 0
        self.answers: Callable[[tuple[Any, ...]], Any] = lambda command: command
        self.passes = asyncio.Event()
        self.passes.set()
        self.transport: FakeTransport | None = None
        self._packed: list[tuple[Any, ...]] = []
        self._replies: deque[Any] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_sent = asyncio.Event()

    # --- as a dialler -----------------------------------------------------------

    async def connect(self) -> asyncio.Transport:
        assert self.transport is None
        self.connects += 1
        self._replies.clear()
        self.transport = FakeTransport(self)
        return self.transport

    async def disconnect(self) -> None:
        self.transport = None

    def reader(self) -> FakeConnection:
        return self

    def pack(self, command: tuple[Any, ...]) -> bytes:
        self._packed.append(command)
        return b"."

    def feed(self, data: bytes) -> None:
        pass

    def gets(self) -> Any:
        return self._replies.popleft() if self._replies else False

    # --- as Redis ---------------------------------------------------------------

    def take(self, transport: FakeTransport) -> None:
        commands, self._packed = self._packed, []
        self.sent.append(commands)
        self._has_sent.set()
        task = asyncio.ensure_future(self._answer(transport, commands))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, transport: FakeTransport, commands: list[tuple[Any, ...]]) -> None:
        await self.passes.wait()
        for command in commands:
            if transport.is_aborted:
                return
            answer = self.answers(command)
            if isinstance(answer, BaseException) and not isinstance(answer, Refused):
                return transport.protocol.connection_lost(answer)  # type: ignore[arg-type]
            self._replies.append(answer)
            transport.protocol.data_received(b"")

    def lose(self) -> None:
        """Close the connection while it is idle."""
        assert self.transport is not None
        self.transport.protocol.connection_lost(None)

    async def until_sent(self, command: tuple[Any, ...]) -> None:
        async with asyncio.timeout(20):
            while command not in chain.from_iterable(self.sent):
                self._has_sent.clear()
                await self._has_sent.wait()

    @contextlib.contextmanager
    def hanging(self, pipe: Pipe) -> Iterator[None]:
        """Answer nothing in this context, in which the pipe's time limit is short."""
        self.passes.clear()
        pipe._limit_seconds = SHORT_SECONDS
        yield
        pipe._limit_seconds = LIMIT_SECONDS
        self.passes.set()


async def run_when_back(pipe: Pipe, command: str) -> Any:
    """Return the reply to a command as soon as it is no longer refused."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(LogUnavailable):
                return await pipe.run(command)
            await asyncio.sleep(0.01)


def refusal(error: Exception) -> LogError:
    kinds: dict[str, type[LogError]] = {"full": LogUnavailable, "forgot": Unprepared}
    return kinds.get(str(error), LogError)(str(error))


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection()


@pytest_asyncio.fixture
async def pipe(connection: FakeConnection) -> AsyncIterator[Pipe]:
    pipe = Pipe(
        connection,
        prepare=[("prepare",)],
        refusal=refusal,
        failures=(Broken,),
        refusals=(Refused,),
        limit_seconds=LIMIT_SECONDS,
    )
    yield pipe
    await pipe.aclose()


async def test_nothing_connects_before_the_first_command(
    connection: FakeConnection, pipe: Pipe
) -> None:
    await asyncio.sleep(0)
    assert connection.connects == 0
    assert await pipe.run("a", 1) == ("a", 1)
    assert connection.sent == [[("prepare",)], [("a", 1)]]


async def test_what_is_asked_for_meanwhile_goes_out_together(
    connection: FakeConnection, pipe: Pipe
) -> None:
    await pipe.run("first")
    answers = await asyncio.gather(*(pipe.run("command", number) for number in range(100)))
    assert answers == [("command", number) for number in range(100)]
    assert len(connection.sent) <= 2 + 2


async def test_each_gets_its_own_answer_and_an_error_is_ones_own(
    connection: FakeConnection, pipe: Pipe
) -> None:
    def answer(command: tuple[Any, ...]) -> Any:
        return Refused("no") if command == ("bad",) else command

    connection.answers = answer
    asked = [pipe.run("a"), pipe.run("bad"), pipe.run("b")]
    a, bad, b = await asyncio.gather(*asked, return_exceptions=True)
    assert (a, b) == (("a",), ("b",))
    assert type(bad) is LogError
    assert connection.connects == 1


async def test_a_refusal_that_may_pass_is_unavailable_and_costs_no_connection(
    connection: FakeConnection, pipe: Pipe
) -> None:
    connection.answers = lambda command: Refused("full") if command == ("a",) else command
    with pytest.raises(LogUnavailable):
        await pipe.run("a")
    connection.answers = lambda command: command
    await pipe.run("a")
    assert connection.sent.count([("prepare",)]) == 1


async def test_what_redis_forgot_is_prepared_again_and_asked_again_unnoticed(
    connection: FakeConnection, pipe: Pipe
) -> None:
    await pipe.run("a")
    answers = [Refused("forgot"), Refused("forgot")]
    connection.answers = lambda command: (
        answers.pop() if answers and command[0] != "prepare" else command
    )
    assert await asyncio.gather(pipe.run("b"), pipe.run("c")) == [("b",), ("c",)]
    assert connection.sent.count([("prepare",)]) == 2
    connection.answers = lambda command: Refused("forgot") if command == ("d",) else command
    with pytest.raises(LogUnavailable):  # but not for ever
        await pipe.run("d")


async def test_nobody_waits_longer_than_the_limit_whatever_redis_does(
    connection: FakeConnection, pipe: Pipe
) -> None:
    await pipe.run("a")
    with connection.hanging(pipe):
        early = asyncio.ensure_future(pipe.run("b"))
        await connection.until_sent(("b",))
        late = asyncio.ensure_future(pipe.run("c"))
        with pytest.raises(LogUnavailable):
            await early
        with pytest.raises(LogUnavailable):
            await late
        assert [("c",)] not in connection.sent  # it did not wait for a limit of its own
    assert await run_when_back(pipe, "d") == ("d",)  # no earlier reply is mistaken for its own
    assert connection.connects == 2


async def test_while_redis_hangs_commands_fail_at_once_until_a_probe_succeeds(
    connection: FakeConnection, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipes, "PROBE_SECONDS", 0.02)
    back = []
    pipe._on_back = lambda: back.append(True)
    await pipe.run("a")
    with connection.hanging(pipe):
        with pytest.raises(LogUnavailable):
            await pipe.run("b")
        for _ in range(100):  # none of them waits for anything
            with pytest.raises(LogUnavailable):
                pipe._ask(("c",))
        assert pipe.steady_seconds == 0.0
        failing_since = pipe._failing_since
        await eventually(lambda: connection.connects >= 4)  # several attempts
        assert pipe._failing_since == failing_since  # not since the last of them
        assert pipe.unreachable_seconds > SHORT_SECONDS
        assert back == []
    assert await run_when_back(pipe, "d") == ("d",)
    assert back == [True]
    assert ("c",) not in [command for sent in connection.sent for command in sent]
    assert pipe.steady_seconds > 0.0
    assert pipe.unreachable_seconds == 0.0


async def test_commands_fail_at_once_after_two_lost_connections_but_not_after_one(
    connection: FakeConnection, pipe: Pipe
) -> None:
    await pipe.run("a")
    connection.answers = lambda command: Broken() if command == ("b",) else command
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            await pipe.run("b")
    assert connection.sent.count([("b",)]) == 2
    with pytest.raises(LogUnavailable):
        pipe._ask(("c",))
    assert await run_when_back(pipe, "c") == ("c",)


async def test_a_connection_that_was_closed_in_a_quiet_moment_is_made_anew_unnoticed(
    connection: FakeConnection, pipe: Pipe
) -> None:
    await pipe.run("a")
    connection.lose()
    assert await pipe.run("b") == ("b",)
    assert connection.connects == 2
    assert connection.sent.count([("prepare",)]) == 2


@pytest.mark.parametrize("error", [Broken(), OSError(), ValueError("odd")])
async def test_whatever_breaks_exchanges_a_later_one_works(
    connection: FakeConnection,
    pipe: Pipe,
    error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await pipe.run("a")
    connection.answers = lambda command: error
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            await pipe.run("b")
    connection.answers = lambda command: command
    assert await run_when_back(pipe, "c") == ("c",)
    messages = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(messages) == 2  # unreachable and back: each logged once
    # Unexpected errors are logged in full.
    assert bool(messages[0].exc_info) == isinstance(error, ValueError)


async def test_a_line_that_breaks_while_it_is_prepared_leaves_nothing_behind(
    connection: FakeConnection, caplog: pytest.LogCaptureFixture
) -> None:
    pipe = Pipe(
        connection,
        prepare=[("first",), ("second",)],
        refusal=refusal,
        failures=(Broken,),
        refusals=(Refused,),
        limit_seconds=LIMIT_SECONDS,
    )
    connection.answers = lambda command: Refused("full") if command == ("first",) else Broken()
    with pytest.raises(LogUnavailable):
        await pipe.run("a")
    await pipe.aclose()
    del pipe
    await asyncio.sleep(0.01)  # the loop releases the task that used it
    gc.collect()  # reports errors that nobody retrieved
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_a_line_that_is_lost_before_anything_is_asked_costs_no_limit(
    connection: FakeConnection, pipe: Pipe
) -> None:
    def answer(command: tuple[Any, ...]) -> Any:
        if command == ("prepare",) and connection.connects == 1:
            asyncio.get_running_loop().call_soon(connection.lose)
        return command

    connection.answers = answer
    with contextlib.suppress(LogUnavailable):
        await pipe.run("a")
    assert await pipe.run("b") == ("b",)
    assert [("a",)] not in connection.sent[:2]


async def test_a_cancelled_command_does_not_shift_the_replies_of_others(
    connection: FakeConnection, pipe: Pipe
) -> None:
    await pipe.run("a")
    connection.passes.clear()
    asked = [asyncio.ensure_future(pipe.run("command", number)) for number in range(5)]
    await connection.until_sent(("command", 4))
    asked[1].cancel()
    await asyncio.sleep(0)
    connection.passes.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(answers.pop(1), asyncio.CancelledError)
    assert answers == [("command", number) for number in (0, 2, 3, 4)]


async def test_closing_fails_pending_and_later_commands(
    connection: FakeConnection, pipe: Pipe
) -> None:
    await pipe.run("a")
    connection.passes.clear()
    asked = asyncio.ensure_future(pipe.run("b"))
    await connection.until_sent(("b",))
    await pipe.aclose()
    await pipe.aclose()
    with pytest.raises(LogUnavailable):
        await asked
    with pytest.raises(LogUnavailable):
        await pipe.run("c")
    assert connection.transport is None


async def test_what_has_come_together_goes_out_in_parts(
    pipe: Pipe, connection: FakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipes, "COMMANDS_AT_MOST", 10)
    answers = await asyncio.gather(*(pipe.run("ask", number) for number in range(35)))
    assert answers == [connection.answers(("ask", number)) for number in range(35)]
    sizes = [len(commands) for commands in connection.sent if commands[0][0] == "ask"]
    assert max(sizes) == 10 and sum(sizes) == 35
