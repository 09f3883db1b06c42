"""Refusals: why a request around a stream is not carried out."""

from __future__ import annotations

from .protocol.codes import REFUSALS


class Refused(Exception):
    """A request that is turned down, with a code from `protocol/codes.py`.

    Args:
        code: a key of `REFUSALS`.
        message: fit for a person; the code's title when left out.
        retry_after_seconds: when trying again makes sense.
        extra: members of the problem document (`field`, `selected`).
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        retry_after_seconds: float | None = None,
        **extra: object,
    ) -> None:
        self.code = code
        self.message = message or f"{REFUSALS[code].title}."
        self.retry_after_seconds = retry_after_seconds
        self.extra = extra
        super().__init__(self.message)
