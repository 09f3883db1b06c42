"""A model of one stream's log: what it must contain, and which batches it must refuse."""

from __future__ import annotations

from dataclasses import dataclass, field

from streaming.event_log.base import (
    LogEnded,
    LogError,
    OutOfOrder,
    StaleEpoch,
    StreamNotFound,
)
from streaming.protocol.events import Event
from tests.support.streaming.log_reader import Reader


@dataclass
class Watcher:
    """A subscriber, and its starting position in the model."""

    reader: Reader
    after: int
    is_stopped: bool = False


@dataclass
class Model:
    """The expected content of a stream's log."""

    stream_id: str
    after: int
    events: list[Event] = field(default_factory=list)
    holder: int | None = None
    ran_out: int | None = None  # the holder of the expired lease, until someone takes it
    epochs: dict[int, int] = field(default_factory=dict)  # generator → the last epoch issued to it
    newest: int = 0  # epoch
    intent: str | None = None
    is_forgotten: bool = False
    watchers: list[Watcher] = field(default_factory=list)

    @property
    def last(self) -> int:
        return self.after + len(self.events)

    @property
    def terminal(self) -> Event | None:
        return self.events[-1] if self.events and self.events[-1].is_terminal else None

    @property
    def is_over(self) -> bool:
        return self.is_forgotten or self.terminal is not None

    def refusals(self, epoch: int, batch: list[Event]) -> set[type[LogError]]:
        """Return the allowed reasons for refusing the batch; empty: the log must accept it."""
        why: set[type[LogError]] = set()
        if self.is_forgotten:
            why.add(StreamNotFound)
        elif self.terminal is not None:
            why.add(LogEnded)
        elif epoch != self.newest:
            why.add(StaleEpoch)
        if any(event.is_terminal for event in batch[:-1]):
            why.add(LogEnded)
        if [event.seq for event in batch] != [*range(self.last + 1, self.last + 1 + len(batch))]:
            why.add(OutOfOrder)
        return why
