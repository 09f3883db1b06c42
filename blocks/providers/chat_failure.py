"""Maps upstream failures to our errors, for visitors: without address, key or prompt."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping

from blocks.errors import (
    GenerationError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from blocks.providers.chat_decoder import UpstreamError

MAX_RETRY_AFTER_SECONDS = 20.0
_PASSING_STATUSES = frozenset({409, 425})  # like 5xx, these describe a transient state

_TOO_LONG = re.compile(r"context_length_exceeded|exceed_context_size|maximum context length", re.I)


def failure_of(status: int, error: UpstreamError) -> GenerationError:
    """Map an HTTP status, or the status implied by an error inside a stream, to an error."""
    if _TOO_LONG.search(f"{error.code} {error.message}"):
        return ProviderRejected("The prompt and its answer are too long for this model.")
    if status == 429:
        return ProviderRateLimited()
    if status == 408:
        return ProviderTimeout()
    said = f"The model's service answered HTTP {status}"
    if status >= 500 or status in _PASSING_STATUSES:
        return ProviderUnavailable(detail=f"{said}.")
    if status in (401, 403):
        return ProviderRejected(
            detail=f"{said}: AI_API_KEY is missing, wrong, or has no right to this model."
        )
    if status == 402:
        return ProviderRejected(detail=f"{said}: its account is out of credit.")
    if status == 404:
        return ProviderRejected(
            detail=f"{said}: no such model or address; check AI_MODEL and AI_BASE_URL."
        )
    if 300 <= status < 400:
        return ProviderRejected(detail=f"{said}, which sends us elsewhere: check AI_BASE_URL.")
    return ProviderRejected(detail=f"{said}.")


def retry_after_seconds(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Return the delay that the service asks for, in seconds; None if it asks for none.

    Source: RFC 9110, 10.2.3 (seconds or a date); OpenAI's and Azure's `retry-after-ms`.
    """
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        value = headers.get("retry-after", "").strip()
        if not value:
            return None
        if re.fullmatch(r"\d+(\.\d+)?", value):
            return float(value)
        at: float = email.utils.parsedate_to_datetime(value).timestamp()
        return max(0.0, float(at) - (time.time() if now is None else now))
    except (ValueError, OverflowError):
        return None


def retry_delay_seconds(attempt: int, asked: float | None, *, jitter: float) -> float | None:
    """Return the delay before the next attempt, in seconds; None if a retry is not worth the wait.

    Args:
        attempt: 0 for the first retry.
        asked: the delay that the service asks for, in seconds.
        jitter: random, 0 to 1, so that many clients don't retry at the same moment.
    """
    if asked is not None and asked > MAX_RETRY_AFTER_SECONDS:
        return None
    backoff = min(8.0, 0.5 * 2.0**attempt)
    if asked is None:
        return backoff * (0.5 + jitter / 2)
    return asked + backoff * jitter / 2
