"""Checks histories after a run with pure functions: no clock, no I/O, no assertion.

    breaches = [breach for history in histories for breach in check(history)]

These invariants must hold. At any time a viewer shows the state that the log adds up to at its
cursor. No seq is skipped or repeated, over any number of connections. Each stream has one terminal
event, which is the same for all viewers and the row. Nothing follows it, and every viewer receives
it. Upstream is called once, plus once for each recovery.
Source: specs/050-live-ai-interaction/spec.md, "Resume", "Recovery".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.faults.history import TERMINAL, Event, StreamHistory, Viewing
from tests.support.faults.replay import Log, State, seqs_of

KINDS = {
    "gap": "a seq was skipped and no snapshot said so",
    "repeat": "a seq came twice",
    "after_end": "something followed the terminal event",
    "foreign_stream": "an event of another stream",
    "no_start": "a connection's first event was not `start`",
    "wrong_after": "`start` says another cursor than was asked for, or held",
    "wrong_cursor": "the client itself asked for another cursor than it held",
    "not_the_log": "what a viewer shows is not what the log adds up to",
    "wrong_snapshot": "a snapshot is not what the log adds up to",
    "wrong_text": "text that upstream would never have said there",
    "two_ends": "more than one terminal event",
    "different_end": "a viewer's terminal event is not the stream's",
    "no_end": "the log has no terminal event",
    "unfinished": "a viewer never got a terminal event",
    "wrong_row": "the row does not say what the log says",
    "upstream_calls": "upstream was called too often, or never for an answer that is complete",
}

_NO_EVENTS = ("thinking", "queue", "reconnect", "ping", "pong", "hello", "settings", "refused")


@dataclass(frozen=True)
class Breach:
    kind: str  # one of KINDS
    stream_id: str
    who: str  # a viewer's name, `log`, `row` or `upstream`
    detail: str

    def __str__(self) -> str:
        return (
            f"{self.kind} ({KINDS[self.kind]}): stream {self.stream_id}, {self.who}: {self.detail}"
        )


def check_all(histories: list[StreamHistory]) -> list[Breach]:
    return [breach for history in histories for breach in check(history)]


def check(history: StreamHistory) -> list[Breach]:
    """Return everything that is wrong with one stream; empty if nothing is."""
    found: list[Breach] = []
    log = Log()
    if history.log is not None:
        found += _Reader("log", history, log, is_log=True).read_log(history.log)
        if log.end is None:
            found.append(Breach("no_end", history.stream_id, "log", f"{len(history.log)} events"))
    for viewing in history.viewings:
        found += _Reader(viewing.name, history, log).read(viewing)
    found += _check_row(history, log)
    found += _check_calls(history, log)
    return found


class _Reader:
    """Follows one viewer, or the log itself, event by event."""

    def __init__(self, who: str, history: StreamHistory, log: Log, *, is_log: bool = False) -> None:
        self.who = who
        self.history = history
        self.log = log
        self.is_log = is_log
        self.cursor = -1
        self.state = State()
        self.end: Event | None = None
        self.found: list[Breach] = []
        self._covered_from = 0
        self._is_off = False

    def read_log(self, events: list[Event]) -> list[Breach]:
        for event in events:
            if event["type"] == "start":
                self._take_start(event, asked_after=-1)
            elif event["type"] not in _NO_EVENTS:
                self._take(event)
        if self.cursor >= self._covered_from:
            self.log.cover(self._covered_from, self.cursor)
        return self.found

    def read(self, viewing: Viewing) -> list[Breach]:
        for connection in viewing.connections:
            if connection.asked_after != self.cursor:
                self._say("wrong_cursor", f"{connection.asked_after} asked, {self.cursor} held")
            events = [event for event in connection.events if event["type"] not in _NO_EVENTS]
            if events and events[0]["type"] != "start":
                self._say("no_start", str(events[0]))
            asked_after: int | None = connection.asked_after
            for event in events:
                if event["type"] == "start":
                    self._take_start(event, asked_after=asked_after)
                    asked_after = None  # a further one contains the cursor held at that time
                else:
                    self._take(event)
        if self.end is None:
            last = viewing.connections[-1].ended_by if viewing.connections else "no connection"
            self._say("unfinished", f"cursor {self.cursor}, last: {last}")
        return self.found

    def _say(self, kind: str, detail: str) -> None:
        self.found.append(Breach(kind, self.history.stream_id, self.who, detail))

    def _is_own(self, event: Event) -> bool:
        if event.get("stream_id", self.history.stream_id) == self.history.stream_id:
            return True
        self._say("foreign_stream", str(event))
        return False

    def _take_start(self, event: Event, *, asked_after: int | None) -> None:
        if not self._is_own(event):
            return
        expected = self.cursor if asked_after is None else asked_after
        if event["after"] != expected:
            self._say("wrong_after", f"{event['after']} instead of {expected}")

    def _take(self, event: Event) -> None:
        if not self._is_own(event):
            return
        if self.end is not None:
            kind = "two_ends" if event["type"] in TERMINAL else "after_end"
            self._say(kind, f"{event} after {self.end}")
            return
        first, last = seqs_of(event)
        if event["type"] == "snapshot":
            self._cover_up_to_here(last)
        elif first > self.cursor + 1:
            self._say("gap", f"{first} after {self.cursor}")
        elif first <= self.cursor:
            self._say("repeat", f"{first} after {self.cursor}")
            if last <= self.cursor:
                return
        self.cursor = last
        self.state = self.state.after(event)
        self._compare(event)
        if event["type"] in TERMINAL:
            self.end = event

    def _cover_up_to_here(self, seq: int) -> None:
        """Handle a snapshot: the log does not know the events that the snapshot skips."""
        if self.is_log:
            if self.cursor >= self._covered_from:
                self.log.cover(self._covered_from, self.cursor)
            self._covered_from = seq + 1

    def _compare(self, event: Event) -> None:
        expected = self.history.expected_text
        if expected is not None and not expected.startswith(self.state.text) and not self._is_off:
            self._is_off = True  # all later text is wrong in the same way
            self._say("wrong_text", f"{self.state.text[-60:]!r} at {self.cursor}")
        if event["type"] in TERMINAL and self.log.end not in (None, event):
            self._say("different_end", f"{event} instead of {self.log.end}")
        elif against := self.log.disagreement(event, self.state):
            kind = "wrong_snapshot" if event["type"] == "snapshot" else "not_the_log"
            self._say(kind, f"at {self.cursor}: {against}")
            # Later events are compared by what they add to the log's state, so that this is
            # reported once.
            self.state = self.log.states.get(self.cursor, self.state)
        self.log.note(event, self.state)


def _check_row(history: StreamHistory, log: Log) -> list[Breach]:
    row, end = history.row, log.end
    if row is None or end is None:
        return []
    told: dict[str, tuple[Any, Any]] = {
        "stream_id": (row["stream_id"], history.stream_id),
        "status": (row["status"], end["type"]),
        "seq": (row["seq"], end["seq"]),
        "arriving": (row["arriving"], {}),
    }
    if end["type"] == "complete":
        told["finish_reason"] = (row["finish_reason"], end["finish_reason"])
        told["usage"] = (row["usage"], end["usage"])
    if end["type"] == "error":
        members = ("code", "message", "retryable")
        told["error"] = (row["error"], {name: end[name] for name in members})
    state = log.states.get(end["seq"])
    if state is not None:
        items = {item["path"]: item["value"] for item in row.get("items", [])}
        told["items"] = (items, dict(state.items))
        if "result" in end:
            told["result"] = (row["result"], end["result"])
        elif not state.items:  # else `text` is the JSON of the result
            told["text"] = (row["text"], state.text)
        full = history.expected_text
        if full is not None and _is_whole(end) and state.text != full:
            told["text"] = (state.text[-60:], full[-60:])
    return [
        Breach("wrong_row", history.stream_id, "row", f"{name} {mine!r} instead of {theirs!r}")
        for name, (mine, theirs) in told.items()
        if mine != theirs
    ]


def _is_whole(end: Event) -> bool:
    return end["type"] == "complete" and end["finish_reason"] == "stop"


def _check_calls(history: StreamHistory, log: Log) -> list[Breach]:
    calls = history.calls
    if calls is None:
        return []
    allowed = 1 + history.recoveries + history.retries
    is_complete = log.end is not None and log.end["type"] == "complete"
    if calls <= allowed and (calls >= 1 or not is_complete):
        return []
    detail = f"{calls} calls, allowed {allowed}"
    return [Breach("upstream_calls", history.stream_id, "upstream", detail)]
