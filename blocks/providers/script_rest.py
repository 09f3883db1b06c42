"""Computes the rest of a script for a request that contains the beginning of its answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from blocks.providers.script import Clock, End, Fail, Hang, PlainStep, Say, Step, Tell, flatten

_TIME = re.compile(r"\d+ ")
_MAX_SILENT = 10_000  # consecutive steps without text: a script may think for ever


def rest_of(
    steps: tuple[Step, ...], schema: Mapping[str, Any] | None, so_far: str
) -> Iterator[PlainStep]:
    """Return the steps that continue a text; all steps if they don't begin with it.

    Takes time linear in the text. Steps after it are expanded lazily.
    """
    played = flatten(steps, schema)
    skipped = _skip(played, so_far)
    return flatten(steps, schema) if skipped is None else chain(skipped, played)


def _skip(played: Iterator[PlainStep], so_far: str) -> list[PlainStep] | None:
    """Advance to the end of a text.

    Returns:
        The parts of the skipped steps that still have to be played; None if the text does not
        match.
    """
    left: list[PlainStep] = []
    at = silent = 0
    while at < len(so_far):
        before = at
        step = next(played, None)
        match step:
            case None | End() | Fail() | Hang():
                return None  # no text follows these
            case Tell():
                left.append(step)
            case Say(tokens, every_seconds):
                text = "".join(tokens)
                if not text.startswith(so_far[at : at + len(text)]):
                    return None
                if rest := _from(tokens, len(so_far) - at):
                    left.append(Say(rest, every_seconds))
                at += len(text)
            case Clock(times):
                while times and at < len(so_far):
                    if (time := _TIME.match(so_far, at)) is None:
                        return None
                    at, times = time.end(), times - 1
                if times:
                    left.append(replace(step, times=times))
        silent = silent + 1 if at == before else 0
        if silent > _MAX_SILENT:
            return None
    return left


def _from(tokens: tuple[str, ...], chars: int) -> tuple[str, ...]:
    """Return the tokens without their first characters."""
    for index, token in enumerate(tokens):
        if chars < len(token):
            return (token[chars:], *tokens[index + 1 :])
        chars -= len(token)
    return ()
