"""Decide which of a service's own words the operator's log may show."""

from __future__ import annotations

import re

from blocks.providers.base import ChatRequest

NOT_SHOWN = "-"

_WORD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,60}")
_PIECE = re.compile(r"[A-Za-z0-9_.\[\]-]{4,}")


def loggable(word: str, request: ChatRequest) -> str:
    """Return an error's code or parameter if it is a plain name of the service's own, else `-`.

    A service may put anything there, such as what a visitor wrote.

    Args:
        word: as the service wrote it, without our key.
        request: what was sent. Its system message is the operator's, and may be repeated.
    """
    if not _WORD.fullmatch(word):
        return NOT_SHOWN
    lowered = word.lower()
    for message in request.messages:
        if message.role == "system":
            continue
        said = message.content.lower()
        # Pieces too, since a template may surround the prompt.
        if lowered in said or any(piece in lowered for piece in _PIECE.findall(said)):
            return NOT_SHOWN
    return word
