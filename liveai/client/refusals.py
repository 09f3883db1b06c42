"""From a response that is no success to an error, and whether to wait for another try. Pure."""

from __future__ import annotations

from .backoff import Patience, retry_after_of
from .errors import LiveAIError, token_unavailable
from .steps import Lost, NoToken, Reply

_WORDS_AT_MOST = 500
"""Characters of a message; a proxy may write anything there."""


def code_of(reply: Reply) -> str:
    """Return the code of a refusal: the server's own, or `http_STATUS` for a proxy's page."""
    code = reply.body.get("code") if isinstance(reply.body, dict) else None
    return code if isinstance(code, str) else f"http_{reply.status}"


def error_of(reply: Reply) -> LiveAIError:
    """Return the error of a response other than a success."""
    body = reply.body if isinstance(reply.body, dict) else {}
    words = [body.get("detail"), body.get("title"), f"The server answered {reply.status}."]
    field = body.get("field")
    return LiveAIError(
        code_of(reply),
        next(each for each in words if isinstance(each, str) and each)[:_WORDS_AT_MOST],
        retry_after_of(reply.headers),
        status=reply.status,
        retryable=reply.status == 429 or reply.status >= 500,
        field=field if isinstance(field, str) else None,
    )


def lost(outcome: Lost, error: LiveAIError) -> LiveAIError:
    """Return the error of what brought no response: the one given, unless a token was missing."""
    if not isinstance(outcome, NoToken):
        return error
    error = token_unavailable()
    error.__cause__ = outcome.error
    return error


def is_worth_waiting(error: LiveAIError, patience: Patience) -> bool:
    """Whether to try again later, instead of raising the error.

    A wait of an hour is the caller's decision, and so is one until somebody turns a switch.
    """
    wait_seconds = error.retry_after or 0.0
    return (
        error.retryable and error.code != "paused" and wait_seconds <= patience.wait_at_most_seconds
    )
