"""What both clients are without their connections, and what their answers show."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from . import calls
from .access import Access
from .backoff import Patience
from .errors import LiveAIError
from .events import Terminal
from .following import Following
from .state import AnswerState
from .steps import Request, Steps


class Core:
    """The decisions that both clients share."""

    def __init__(self, access: Access, patience: Patience) -> None:
        self._access = access
        self._patience = patience

    def start(self, block: str, prompt: str | None, **rest: Any) -> Following:
        """Return an answer that is to be started; for `rest`, see `calls.start_of`."""
        return self._following(AnswerState(), calls.start_of(block, prompt, **rest))

    def join(self, stream_id: str, after: int) -> Following:
        """Return an answer that exists."""
        return self._following(AnswerState(stream_id=stream_id, after=after), None)

    def _following(
        self, state: AnswerState, start: tuple[str, Mapping[str, Any]] | None
    ) -> Following:
        jitter = random.random
        return Following(self._access, state, start=start, patience=self._patience, random=jitter)

    def call(self, request: Request) -> Steps[Any]:
        """Make a plain call; return its JSON."""
        return calls.call(self._access, request, patience=self._patience, random=random.random)

    def cancel(self, following: Following) -> Steps[None]:
        return calls.cancel(self._access, following, patience=self._patience, random=random.random)


class Held:
    """What an answer shows of itself, in both clients."""

    def __init__(self, following: Following) -> None:
        self._following = following

    @property
    def state(self) -> AnswerState:
        """The answer so far: `text`, `items`, `arriving`, `status`, `seq`, `model`, `terminal`."""
        return self._following.state

    @property
    def text(self) -> str:
        """The text so far; of a structured answer, empty."""
        return self.state.text

    @property
    def stream_id(self) -> str | None:
        """The stream's id; None as long as the server has not answered."""
        return self.state.stream_id

    @property
    def request_id(self) -> str | None:
        """What this start is known by; None of a stream that was joined."""
        return self._following.request_id

    def _end(self) -> Terminal:
        end = self.state.terminal
        assert end is not None, "the steps end with the terminal event, or raise"
        if end.status == "error":
            words = end.message or "The answer failed."
            raise LiveAIError(end.code or "internal", words, retryable=end.retryable)
        return end
