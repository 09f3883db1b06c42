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
    Refused,
    RequestRejected,
)
from blocks.providers.chat.error import UpstreamError

MAX_RETRY_AFTER_SECONDS = 20.0
# Like 5xx, these describe a transient state; 424 is TGI's, 498 Groq's.
_PASSING_STATUSES = frozenset({409, 424, 425, 498})
# These are about one request; other 4xx are about the model, the access to it, or the address.
_STATUSES_OF_REQUEST = frozenset({400, 413, 414, 422, 431, 451})

FILTERED = "The service's content filter stopped this answer."

TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|context[ _](length|window|size|limit)"
    r"|tokens \+ `?max_new_tokens|range of input length|maximum (prompt|input|model) length"
    r"|(prompt|inputs?|messages?)\b.{0,60}"
    r"(too (long|large)|longer than|exceed|must have (less|fewer))"
    r"|(request|input|prompt).{0,30}exceed.{0,30}token|max_prompt_tokens_exceeded"
    r"|tokens_limit_reached|too many (input |prompt )?tokens"
    r"|reduce (the length|the size|your (message|prompt|input))",
    re.IGNORECASE,
)
_OUT_OF_CREDIT = re.compile(
    r"insufficient[_ ](user_)?(quota|balance|credit|fund)"
    r"|credit balance|out of credit|billing_(hard_limit|not_active)|arrears",
    re.IGNORECASE,
)
FILTER = re.compile(
    r"content[_ ]?filter|content_policy|content management policy|responsible_?ai"
    r"|prohibited_content|recitation|data_?inspection|content exists risk|moderation"
    r"|safety system|\bblocked\b.{0,40}\bsafety|new_sensitive|sensitive (content|word|info)"
    r"|(was|were|been|is) flagged|usage (policy|policies|guidelines)|敏感|不安全|违规",
    re.IGNORECASE,
)


def failure_of(status: int | None, error: UpstreamError) -> GenerationError:
    """Map an HTTP status, or an error inside of a stream, to an error.

    Args:
        status: None for an error in a stream that does not imply one.
    """
    is_form = status is None or status in (400, 403, 422, 451)
    is_too_long = TOO_LONG.search(error.words) and (
        is_form or (status == 500 and "exceed" in error.words)  # llama.cpp
    )
    if status == 413 or is_too_long:
        return RequestRejected("The prompt and its answer are too long for this model.")
    if is_form and FILTER.search(error.words):
        return Refused(FILTERED)
    if status is None:
        return ProviderUnavailable(detail="The model's service sent an error in its stream.")
    said = f"The model's service answered HTTP {status}"
    if status == 402 or (status in (400, 403, 429) and _OUT_OF_CREDIT.search(error.words)):
        return ProviderRejected(
            "The model's service has no credit left.",
            detail=f"{said}: its account is out of credit, or over its quota.",
        )
    if status == 429:
        return ProviderRateLimited()
    if status == 408:
        return ProviderTimeout()
    if status == 503 and "loading" in error.words:
        return ProviderUnavailable(
            "The model is still loading; try again in a moment.", detail=f"{said}: it is loading."
        )
    if status >= 500 or status in _PASSING_STATUSES:
        return ProviderUnavailable(detail=f"{said}.")
    if status in (401, 403):
        return ProviderRejected(
            "The model's service refuses access.",
            detail=f"{said}: AI_API_KEY is missing, wrong, or has no right to this model.",
        )
    if status in (404, 405):
        return ProviderRejected(
            "The model's service does not know this model.",
            detail=f"{said}: no such model or address; check AI_MODEL and AI_BASE_URL, whose path"
            " is usually /v1.",
        )
    if status == 407:
        return ProviderUnavailable(
            detail="The proxy wants a user and a password: http://USER:PASSWORD@HOST:PORT."
        )
    if 300 <= status < 400:
        return ProviderRejected(detail=f"{said}, which sends us elsewhere: check AI_BASE_URL.")
    if status in _STATUSES_OF_REQUEST:
        return RequestRejected(detail=f"{said}.")
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
