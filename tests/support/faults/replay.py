"""A second implementation of the client's reducer, for the checker. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.faults.history import TERMINAL, Event


@dataclass(frozen=True)
class State:
    """The state that a client shows. Immutable, so that states can be kept by their seq."""

    text: str = ""
    items: tuple[tuple[str, Any], ...] = ()  # by path, in order of arrival
    arriving: tuple[tuple[str, str], ...] = ()

    def after(self, event: Event) -> State:
        """Return the state after a logged event or a snapshot."""
        kind = event["type"]
        if kind == "snapshot":
            shown = tuple((item["path"], item["value"]) for item in event["items"])
            return State(event["text"], shown, tuple(event["arriving"].items()))
        if kind == "chunk" and "path" in event:
            arriving = dict(self.arriving)
            arriving[event["path"]] = arriving.get(event["path"], "") + event["token"]
            return State(self.text, self.items, tuple(arriving.items()))
        if kind == "chunk":
            return State(self.text + event["token"], self.items, self.arriving)
        if kind == "item":
            items = dict(self.items)
            if event["value"] is not None:
                items[event["path"]] = event["value"]
            return State(self.text, tuple(items.items()))
        if kind == "reset":
            return State()
        return State(self.text, self.items)  # a terminal event ends all arriving strings

    def differs_from(self, other: State) -> str:
        """Describe where two states differ; empty if they are equal."""
        if self.text != other.text:
            return f"text {_tail(self.text)} instead of {_tail(other.text)}"
        if dict(self.items) != dict(other.items):
            return f"items {dict(self.items)} instead of {dict(other.items)}"
        if dict(self.arriving) != dict(other.arriving):
            return f"arriving {dict(self.arriving)} instead of {dict(other.arriving)}"
        return ""

    def lies_between(self, before: State, after: State) -> bool:
        """Whether chunks could lead from `before` through this state to `after`."""
        mine, first, last = dict(self.arriving), dict(before.arriving), dict(after.arriving)
        return (
            dict(self.items) == dict(before.items)
            and self.text.startswith(before.text)
            and after.text.startswith(self.text)
            and set(mine) <= set(last)
            and all(mine.get(path, "").startswith(text) for path, text in first.items())
            and all(last[path].startswith(text) for path, text in mine.items())
        )


def seqs_of(event: Event) -> tuple[int, int]:
    """Return the first and the last seq that an event covers: they differ for merged chunks."""
    last: int = event["seq"]
    first: int = event.get("first_seq", last)
    return first, last


def _tail(text: str) -> str:
    return f"{len(text)} characters ending {text[-30:]!r}"


@dataclass
class Log:
    """Everything known about a stream's log, from the reader at the end and from each viewer.

    Attributes:
        states: seq → the log's state at that point.
        events: seq → the event, if it is known individually.
        merged: (first, last) of chunks that are known only together.
        covered: (first, last) of ranges in which every event is known.
        end: the terminal event.
    """

    states: dict[int, State] = field(default_factory=lambda: {-1: State()})
    events: dict[int, Event] = field(default_factory=dict)
    merged: list[tuple[int, int]] = field(default_factory=list)
    covered: list[tuple[int, int]] = field(default_factory=list)
    end: Event | None = None

    def note(self, event: Event, state: State) -> None:
        """Record a logged event or a snapshot, and the state that it leads to."""
        first, seq = seqs_of(event)
        self.states.setdefault(seq, state)
        if event["type"] == "snapshot":
            return
        if first == seq:
            self.events.setdefault(seq, event)
        else:
            self.merged.append((first, seq))
        if event["type"] in TERMINAL and self.end is None:
            self.end = event

    def cover(self, first: int, last: int) -> None:
        self.covered.append((first, last))

    def is_covered(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self.covered)

    def disagreement(self, event: Event, state: State) -> str:
        """Describe what contradicts an event and its resulting state; empty if nothing does."""
        first, seq = seqs_of(event)
        inside = [self.events[n] for n in range(first, seq + 1) if n in self.events]
        if event["type"] != "snapshot":
            for known in inside:
                if first == seq and known != event:
                    return f"{event} where the log has {known}"
                if first != seq and not _is_chunk_of(known, event.get("path")):
                    return f"{event} merges {known}"
        if seq in self.states:
            return state.differs_from(self.states[seq])
        for begin, end in self.merged:
            if begin <= seq < end and begin - 1 in self.states and end in self.states:
                if not state.lies_between(self.states[begin - 1], self.states[end]):
                    return f"{_tail(state.text)} is not on the way to what the log has at {end}"
                return ""
        return f"seq {seq}, which the log has not" if self.is_covered(seq) else ""


def _is_chunk_of(event: Event, path: str | None) -> bool:
    return event["type"] == "chunk" and event.get("path") == path
