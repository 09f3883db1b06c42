"""What the last answers of the configured model say about it. No model is called to find out."""

from __future__ import annotations

from blocks.providers.registry import ProviderPool

FAILURES = 3
"""So many failures in a row, and the model counts as failing. One may be a visitor's odd prompt."""

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
    """Receives how the answers of a process ended."""

    def __init__(self, providers: ProviderPool) -> None:
        self._providers = providers
        self._failures = 0
        self._last = ""  # code of the last failure

    def note(self, model: str, code: str) -> None:
        """Note an end.

        Args:
            model: as in `AI_MODEL`; ends of other models are ignored.
            code: of an error; the finish reason of a complete answer.
        """
        if model != self._providers.own_model:
            return
        if code in MODEL_ERRORS:
            self._failures += 1
            self._last = code
        elif code in ANSWERS:
            self._failures = 0

    @property
    def trouble(self) -> str:
        """What is known to be wrong, in a few words without details; empty: nothing."""
        if self._providers.is_down(self._providers.own_model):
            return "its process does not run"
        if self._failures >= FAILURES:
            return f"the last answers failed: {self._last}"
        return ""
