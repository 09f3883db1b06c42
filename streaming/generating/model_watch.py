"""What the last answers of the configured model say about it. No model is called to find out."""

from __future__ import annotations

import time
from collections.abc import Callable

from blocks.providers.registry import ProviderPool

FAILURES = 3
"""So many failures in a row, and the model counts as failing. One may be a visitor's odd prompt."""

FORGOTTEN_SECONDS = 600.0
"""After so long without a further failure the last ones say nothing about now."""

MODEL_ERRORS = frozenset(
    {
        "provider_timeout",
        "provider_rate_limited",
        "provider_unavailable",
        "provider_rejected",
        "provider_malformed",
        "provider_interrupted",
        "empty_answer",
    }
)
"""Codes of ends that are the model's fault, or its service's."""

ANSWERS = frozenset({"stop", "length", "repetition", "refused", "invalid_output"})
"""Codes of ends that show that the model answers. All others say nothing about it."""


class ModelWatch:
    """Receives how the answers of a process ended.

    Args:
        now: seconds, monotonic.
    """

    def __init__(
        self, providers: ProviderPool, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._providers = providers
        self._now = now
        self._failed_at = float("-inf")
        self._failures = 0
        self._last = ""  # code of the last failure

    def note(self, model: str, code: str, *, is_of_request: bool = False) -> None:
        """Note an end.

        Args:
            model: as in `AI_MODEL`; ends of other models are ignored.
            code: of an error; the finish reason of a complete answer.
            is_of_request: whether the model rejected what was asked: a visitor's prompts say
                nothing about the model.
        """
        if model != self._providers.own_model or is_of_request:
            return
        if code in MODEL_ERRORS:
            if self._now() - self._failed_at >= FORGOTTEN_SECONDS:
                self._failures = 0
            self._failures += 1
            self._last = code
            self._failed_at = self._now()
        elif code in ANSWERS:
            self._failures = 0

    @property
    def trouble(self) -> str:
        """What is known to be wrong, in a few words without details; empty: nothing."""
        if self._providers.is_down(self._providers.own_model):
            return "its process does not run"
        is_recent = self._now() - self._failed_at < FORGOTTEN_SECONDS
        if self._failures >= FAILURES and is_recent:
            return f"the last answers failed: {self._last}"
        return ""
