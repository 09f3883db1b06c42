"""A server of one answer, without a socket: takes the steps of the client's core."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from liveai.client.access import CONFIG
from liveai.client.events import Event
from liveai.client.steps import (
    LOST,
    OPENED,
    Call,
    Emit,
    GetToken,
    HangUp,
    Lost,
    Next,
    Open,
    Opened,
    Reply,
    Request,
    Step,
    Steps,
    Wait,
)

CSRF = "a-csrf-token"


def problem(status: int, code: str, **headers: str) -> Reply:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, names, {"code": code, "detail": f"It is {code}."})


@dataclass
class PlayedServer:
    """Plays the events of one answer.

    Attributes:
        events: the logged events, whose last one is terminal.
        cuts: for each line in turn, after how many events it breaks. Later ones never break.
        answers: for each opening in turn, what comes instead of a stream: a refusal; `LOST`, where
            the start has not arrived; `OPENED`, where its response is lost. None: a stream.
        tokens: what `get_token` returns in turn.
        accepted: the token that the server takes; None: it asks for none.
    """

    events: list[dict[str, Any]]
    cuts: list[int] = field(default_factory=list)
    answers: list[Reply | Lost | Opened | None] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    accepted: str | None = None
    requests: list[Request] = field(default_factory=list)
    started: set[str] = field(default_factory=set)
    waits: list[float] = field(default_factory=list)
    held: int | None = None  # the number of the last event that was read
    _line: Iterator[dict[str, Any]] | None = None

    def play(self, steps: Steps[Any]) -> list[Event]:
        """Take all steps; return the events for the caller."""
        emitted: list[Event] = []
        outcome: Any = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration:
                assert self._line is None, "a line is left open"
                return emitted
            outcome = self.take(step)
            if isinstance(step, Emit):
                emitted.append(step.event)

    def take(self, step: Step) -> Any:
        match step:
            case Call(request):
                return self._call(request)
            case Open(request):
                assert self._line is None, "the last line was not closed"
                return self._open(request)
            case Next():
                assert self._line is not None
                data: dict[str, Any] | Lost = next(self._line, LOST)
                if isinstance(data, dict):
                    self.held = data.get("seq", self.held)
                return data
            case HangUp():
                assert self._line is not None
                self._line = None
            case Wait(seconds):
                self.waits.append(seconds)
            case GetToken():
                return self.tokens.pop(0)
        return None

    def _call(self, request: Request) -> Reply | Lost:
        self.requests.append(request)
        if request.path == CONFIG.path:
            return Reply(200, {}, {"csrf_token": CSRF})
        answer = self.answers.pop(0) if self.answers else None
        assert not isinstance(answer, Opened)
        return answer if answer is not None else Reply(200, {}, {"stream_id": None})

    def _open(self, request: Request) -> Opened | Reply | Lost:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None and answer is not OPENED:
            return answer
        if self.accepted and request.headers["Authorization"] != f"Bearer {self.accepted}":
            return problem(401, "not_authenticated")
        if request.method == "POST":
            assert request.body is not None
            self.started.add(request.body["request_id"])
            after = -1
        else:
            after = int(request.headers["Last-Event-ID"].rpartition(":")[2])
            assert self.held in (None, after), "the cursor is not the last event's number"
        if answer is OPENED:
            return LOST
        if after >= self.events[-1]["seq"]:
            return Reply(204, {})
        self._line = self._frames(after, self.cuts.pop(0) if self.cuts else None)
        return OPENED

    def _frames(self, after: int, cut: int | None) -> Iterator[dict[str, Any]]:
        stream_id = self.events[0]["stream_id"]
        head = {"block_type": "quiz", "model": "m", "status": "running", "after": after}
        frames = [{"type": "start", "stream_id": stream_id, **head}]
        frames += [event for event in self.events if event["seq"] > after]
        # As from a server: no two clients share an event's members.
        yield from json.loads(json.dumps(frames))[:cut]
