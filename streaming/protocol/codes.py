"""The only table of error codes: HTTP status, title, and whether a retry may help."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeGuard


class Code(NamedTuple):
    status: int  # HTTP status of a refusal
    title: str
    retryable: bool = False


RefusalCode = Literal[
    "invalid_input",
    "invalid_cursor",
    "malformed",
    "not_authenticated",
    "forbidden_origin",
    "csrf_failed",
    "forbidden",
    "unknown_block",
    "not_found",
    "method_not_allowed",
    "transport_not_selected",
    "request_conflict",
    "still_running",
    "prompt_too_long",
    "unsupported_media_type",
    "rate_limited",
    "too_many_streams",
    "quota_exceeded",
    "internal",
    "shutting_down",
    "store_unavailable",
    "over_capacity",
    "paused",
]
"""A key of `REFUSALS`."""

REFUSALS: dict[RefusalCode, Code] = {
    "invalid_input": Code(400, "The input is not valid"),
    "invalid_cursor": Code(400, "The cursor is not valid"),
    "malformed": Code(400, "The request can't be read"),
    "not_authenticated": Code(401, "Authentication required"),
    "forbidden_origin": Code(403, "Wrong origin"),
    "csrf_failed": Code(403, "The CSRF token is missing or wrong"),
    "forbidden": Code(403, "Not allowed"),
    "unknown_block": Code(404, "This block doesn’t exist"),
    "not_found": Code(404, "Not found"),
    "method_not_allowed": Code(405, "This method is not allowed here"),
    "transport_not_selected": Code(409, "This transport is switched off"),
    "request_conflict": Code(409, "This request_id was used for another input"),
    "still_running": Code(409, "Stop it first to delete it"),
    "prompt_too_long": Code(413, "The prompt is too long"),
    "unsupported_media_type": Code(415, "Send JSON"),
    "rate_limited": Code(429, "Too many requests", True),
    "too_many_streams": Code(429, "Too many streams at once", True),
    "quota_exceeded": Code(429, "The quota is used up", True),
    "internal": Code(500, "Something went wrong on our side", True),
    "shutting_down": Code(503, "The server is restarting", True),
    "store_unavailable": Code(503, "The storage can't be reached", True),
    "over_capacity": Code(503, "The server is full", True),
    "paused": Code(503, "New answers are paused", True),
}
"""Refusal codes: errors that occur before a stream exists, or outside its events."""


def is_refusal_code(code: str) -> TypeGuard[RefusalCode]:
    """Whether a code, e.g. of a block's error, is one of `REFUSALS`."""
    return code in REFUSALS


STREAM_ERRORS: dict[str, bool] = {
    "provider_timeout": True,
    "provider_rate_limited": True,
    "provider_unavailable": True,
    "provider_rejected": False,
    "refused": False,
    "provider_malformed": True,
    "provider_interrupted": True,
    "empty_answer": True,
    "invalid_output": True,
    "generator_lost": True,
    "output_too_long": False,
    "deadline_exceeded": True,
    "over_capacity": True,
    "store_unavailable": True,
    "shutting_down": True,
    "unauthorized": False,
    "internal": True,
}
"""Codes of the `error` event, and whether each is retryable."""

CLOSE_NORMAL = 1000
CLOSE_MALFORMED = 4400
CLOSE_UNAUTHENTICATED = 4401
CLOSE_UNKNOWN_PATH = 4404
CLOSE_NOT_SELECTED = 4409
CLOSE_TOO_MANY = 4429
CLOSE_TOO_BIG = 1009
CLOSE_BROKEN = 1011
CLOSE_RESTARTING = 1012
CLOSE_STALLED = 1013
