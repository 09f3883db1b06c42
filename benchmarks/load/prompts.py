"""Prompts that say what an answer should send, for peers and for our scripted provider. Pure.

`peers/source.py` describes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..peers.source import Asked


def prompt_of(
    tokens: int, every_ms: float, *, pause_ms: int = 0, channel: int | None = None
) -> str:
    """Return the prompt of tokens at a pace.

    Args:
        every_ms: time from token to token.
        pause_ms: silence before the first token.
        channel: of a peer whose viewers share one source.
    """
    pause = f"p{pause_ms}" if pause_ms else ""
    shared = "" if channel is None else f"c{channel}"
    return f"n{tokens}e{round(every_ms, 3):g}{pause}{shared}."


def script_of(prompts: Iterable[str]) -> dict[str, Any]:
    """Return the script that answers each of these prompts as a peer does."""
    return {"replies": [_reply(prompt) for prompt in prompts]}


def _reply(prompt: str) -> dict[str, Any]:
    asked = Asked.in_prompt(prompt)
    pause = [{"pause_ms": round(asked.pause_seconds * 1000)}] if asked.pause_seconds else []
    clock = {"clock": asked.tokens, "every_ms": asked.every_seconds * 1000}
    return {"when": {"prompt_has": prompt}, "steps": [*pause, clock]}
