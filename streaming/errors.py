"""Refusals: the reasons for rejecting a request about a stream."""

from __future__ import annotations

from .protocol.codes import REFUSALS, RefusalCode


class Refused(Exception):
    """A request is rejected, with a code from `protocol/codes.py`.

    Args:
        message: human-readable; defaults to the code's title.
        retry_after_seconds: seconds until a retry makes sense.
        extra: additional members of the problem document (`field`, `selected`).
    """

    def __init__(
        self,
        code: RefusalCode,
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


class UnknownKey(Refused):
    """`store_unavailable`: a token names a key that nobody may look for yet. It may be invented."""
