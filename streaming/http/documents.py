"""Requests and responses of the calls, for the OpenAPI description.

Their shapes are the definitions of specs/050-live-ai-interaction/contracts/stream-schema.yaml,
which `openapi.py` adds to the description.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from ..protocol.codes import REFUSALS, RefusalCode

_Documents = dict[Any, Any]
_PROBLEM_TYPE = "application/problem+json"


def shape(name: str) -> dict[str, Any]:
    """Refer to a definition of the contract."""
    return {"$ref": f"#/components/schemas/{name}"}


_PROBLEM = shape("problem")


def body(name: str) -> dict[str, Any]:
    """Describe a JSON request body by a definition of the contract."""
    return {"application/json": shape(name)}


_ALWAYS: tuple[RefusalCode, ...] = (
    "invalid_input",
    "not_authenticated",
    "store_unavailable",
    "over_capacity",
)
"""What every call may answer: its query, its visitor and the database are checked everywhere."""


def refusals(*codes: RefusalCode) -> _Documents:
    """Describe a call's problems by status: these codes, those of every call, and all others."""
    by_status: dict[int, list[RefusalCode]] = {}
    for code, problem in REFUSALS.items():
        if code in codes or code in _ALWAYS:
            by_status.setdefault(problem.status, []).append(code)
    return {
        **{(status, _PROBLEM_TYPE): _problem(*those) for status, those in by_status.items()},
        ("4XX", _PROBLEM_TYPE): OpenApiResponse(_PROBLEM, description="Any other refusal."),
        ("5XX", _PROBLEM_TYPE): OpenApiResponse(_PROBLEM, description="Any other failure."),
    }


def _problem(*codes: RefusalCode) -> OpenApiResponse:
    titles = [f"`{code}`: {REFUSALS[code].title}." for code in codes]
    return OpenApiResponse(_PROBLEM, description=" ".join(titles))


# --- parameters -------------------------------------------------------------------

STREAM_ID = OpenApiParameter("stream_id", shape("stream_id"), OpenApiParameter.PATH)
AFTER = OpenApiParameter("after", shape("cursor"))
NO_CURSOR = OpenApiParameter(
    "after",
    {"type": "integer", "enum": [-1]},
    description="Ignored if `Last-Event-ID` is present.",
)
"""`after` on the call that starts: only -1, since there is nothing yet to come after."""

LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}:(-1|0|[1-9][0-9]{0,9})$"},
    OpenApiParameter.HEADER,
    description="`<stream_id>:<seq>`: resume after it; never starts a second stream.",
)

# --- responses --------------------------------------------------------------------

_EVENTS: _Documents = {
    (200, "text/event-stream"): OpenApiResponse(
        OpenApiTypes.STR, description="Server-sent events; each `data` is an `event` as JSON."
    ),
    204: OpenApiResponse(description="The cursor is at the stream's end."),
}
_WATCH_REFUSALS: tuple[RefusalCode, ...] = ("not_found", "shutting_down")
_RESUME_REFUSALS: tuple[RefusalCode, ...] = (
    *_WATCH_REFUSALS,
    "invalid_cursor",
    "transport_not_selected",
    "rate_limited",
)
_START_REFUSALS: tuple[RefusalCode, ...] = (
    *_RESUME_REFUSALS,
    "unknown_block",
    "request_conflict",
    "prompt_too_long",
    "too_many_streams",
    "forbidden",
    "forbidden_origin",
)
_BODY_REFUSALS: tuple[RefusalCode, ...] = ("malformed", "csrf_failed", "unsupported_media_type")

CONFIG: _Documents = {200: shape("config"), **refusals()}
BLOCKS: _Documents = {200: shape("blocks"), **refusals()}
START_BY_GET: _Documents = {**_EVENTS, **refusals(*_START_REFUSALS)}
START: _Documents = {
    **_EVENTS,
    (200, "application/json"): shape("stream"),
    (201, "application/json"): shape("stream"),
    **refusals(*_BODY_REFUSALS, *_START_REFUSALS),
}
HISTORY: _Documents = {
    200: shape("stream_list"),
    **refusals("invalid_cursor", "rate_limited"),
}
ALL_DELETED: _Documents = {
    200: shape("all_deleted"),
    **refusals("csrf_failed", "forbidden", "rate_limited", "shutting_down"),
}
EXPORT: _Documents = {
    (200, "application/json"): shape("export"),
    (200, "text/markdown"): OpenApiResponse(OpenApiTypes.STR, description="For people."),
    **refusals("forbidden_origin", "rate_limited"),
}
STREAM: _Documents = {200: shape("stream"), **refusals(*_WATCH_REFUSALS)}
DELETED: _Documents = {
    204: OpenApiResponse(description="The stream is deleted."),
    **refusals(*_WATCH_REFUSALS, "csrf_failed", "forbidden", "still_running"),
}
EVENTS: _Documents = {**_EVENTS, **refusals(*_RESUME_REFUSALS)}
CANCELLED: _Documents = {
    200: shape("stream"),
    **refusals(*_WATCH_REFUSALS, "csrf_failed", "forbidden"),
}
CANCELLED_REQUEST: _Documents = {
    200: OpenApiResponse(
        {"oneOf": [shape("stream"), shape("cancel_remembered")]},
        description="The stream document, or what is remembered while no stream is known.",
    ),
    **refusals(*_BODY_REFUSALS, "forbidden", "rate_limited", "shutting_down"),
}
