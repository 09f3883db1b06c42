"""Follows one answer to its end, over any number of lines: what to request next. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .access import Access
from .backoff import Patience
from .errors import LiveAIError, connection_lost, unreachable
from .refusals import error_of, is_worth_waiting, lost
from .state import AnswerState, Broken
from .steps import Emit, HangUp, Lost, Next, Open, Opened, Reply, Request, Steps, Wait

EVENT_STREAM = {"Accept": "text/event-stream"}


class Following:
    """One answer.

    Args:
        state: of the answer; with a stream's id, it is joined after `seq`, else it is started.
        start: path and body of the start, with its `request_id`. The server starts one stream
            for an id, however often the start arrives.
        random: from [0, 1).
    """

    def __init__(
        self,
        access: Access,
        state: AnswerState,
        *,
        start: tuple[str, Mapping[str, Any]] | None = None,
        patience: Patience,
        random: Callable[[], float],
    ) -> None:
        self.state = state
        self.is_dropped = False
        """Whether a cancel came before the start: it must not be sent (again)."""
        self._access = access
        self._start = start
        self._patience = patience
        self._random = random
        self._attempts = 0  # consecutive ones without an event

    @property
    def request_id(self) -> str | None:
        return None if self._start is None else self._start[1]["request_id"]

    def steps(self) -> Steps[None]:
        """Go on until the terminal event has been emitted.

        Raises:
            LiveAIError: refused, or no event came in `patience.attempts` attempts.
        """
        while self.state.terminal is None:
            if self.is_dropped and self.state.stream_id is None:
                yield Emit(self.state.end_unseen())
                return
            outcome = yield from self._access.send(Open, self._request())
            match outcome:
                case Opened():
                    wait_seconds = yield from self._read()
                    if self.state.terminal is None:
                        yield from self._later(self._lost(), wait_seconds)
                case Reply(status=204):
                    # The cursor is the end's own number, so its holder asked for nothing. Just
                    # before it, every server has the end.
                    self.state.seq = max(-1, self.state.seq - 1)
                    yield from self._later(self._lost())
                case Reply():
                    error = error_of(outcome)
                    if not is_worth_waiting(error, self._patience):
                        raise error
                    yield from self._later(error, error.retry_after or 0.0)
                case Lost():
                    yield from self._later(lost(outcome, self._lost()))

    def _request(self) -> Request:
        state = self.state
        if state.stream_id is not None:
            cursor = {"Last-Event-ID": f"{state.stream_id}:{state.seq}"}
            path = f"/api/streams/{state.stream_id}/events"
            return Request("GET", path, headers=EVENT_STREAM | cursor)
        assert self._start is not None, "an answer has a stream or a start"
        path, body = self._start
        return Request("POST", path, body=body, headers=EVENT_STREAM)

    def _read(self) -> Steps[float]:
        """Read the open line to its end; return for how long the server wants it to stay closed."""
        wait_seconds = 0.0
        while True:
            data = yield Next()
            if isinstance(data, Lost):
                break
            if data.get("type") == "reconnect":
                wait_seconds = _seconds(data.get("retry_ms"), self._patience)
                break
            try:
                event = self.state.apply(data)
            except Broken:
                break
            if data["type"] != "start":  # else a server that accepts and drops would have no pause
                self._attempts = 0
            if self.state.terminal is not None:
                yield HangUp()  # first: the caller may never come back for more
                yield Emit(self.state.terminal)
                return 0.0
            if event is not None:
                yield Emit(event)
        yield HangUp()
        return wait_seconds

    def _later(self, error: LiveAIError, at_least: float = 0.0) -> Steps[None]:
        """Wait for the next attempt.

        Raises:
            LiveAIError: the one given, after the last attempt.
        """
        most = self._patience.attempts
        if not self._access.is_proven:
            most = min(most, self._patience.unproven_attempts)
        if self._attempts >= most:
            raise error
        yield Wait(self._patience.backoff(self._attempts, self._random(), at_least))
        self._attempts += 1

    def _lost(self) -> LiveAIError:
        return unreachable() if self.state.stream_id is None else connection_lost()


def _seconds(retry_ms: Any, patience: Patience) -> float:
    if not isinstance(retry_ms, int | float):
        return 0.0
    return min(max(retry_ms / 1000, 0.0), patience.wait_at_most_seconds)
