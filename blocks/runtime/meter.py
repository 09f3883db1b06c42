"""Estimates the usage of provider calls that end without reporting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blocks.delta import Usage
from blocks.providers.base import ChatRequest, Finish
from blocks.spec import BlockSpec

BYTES_PER_TOKEN = 4
"""Bytes of UTF-8 text: about right for English, and within a factor of two for other languages."""


class Meter:
    """Counts the usage of the current call, if there is one.

    A token is estimated as four bytes of UTF-8, rounded up. Each sign of life during hidden
    reasoning counts as one token.
    """

    def __init__(self) -> None:
        self._is_open = False
        self._input_bytes = 0
        self._output_bytes = 0

    @property
    def usage(self) -> Usage | None:
        """The estimate so far; None while no call is running."""
        if not self._is_open:
            return None
        return Usage(_tokens(self._input_bytes), _tokens(self._output_bytes), is_estimated=True)

    def begin(self, request: ChatRequest) -> None:
        self._is_open = True
        self._input_bytes = sum(len(message.content.encode()) for message in request.messages)
        self._output_bytes = 0

    def add_text(self, text: str) -> None:
        self._output_bytes += len(text) if text.isascii() else len(text.encode())

    def add_thought(self) -> None:
        self._output_bytes += BYTES_PER_TOKEN

    def drop(self) -> None:
        """Discard the call: the provider refused it, so it used nothing."""
        self._is_open = False

    def end(self, finish: Finish) -> Usage:
        """Return the call's usage: the provider's numbers, and estimates where it reported none."""
        self._is_open = False
        given, made = finish.input_tokens, finish.output_tokens
        if made == 0 and self._output_bytes:
            made = None
        return Usage(
            _tokens(self._input_bytes) if given is None else _storable(given),
            _tokens(self._output_bytes) if made is None else _storable(made),
            is_estimated=given is None or made is None,
        )


def most_tokens(spec: BlockSpec, prompt: str, options: Mapping[str, Any]) -> int:
    """Estimate how many tokens a prompt and its answer may use, if the provider is called once."""
    chosen = (str(value) for value in options.values())
    return tokens_in(spec.system_prompt, spec.prompt_template, prompt, *chosen) + spec.max_tokens


def tokens_in(*texts: str) -> int:
    """Estimate the tokens of texts."""
    return _tokens(sum(len(text.encode(errors="replace")) for text in texts))


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)


def _storable(tokens: int) -> int:
    """Clamp a reported token count to what a database column can hold."""
    return min(max(tokens, 0), 2**31 - 1)
