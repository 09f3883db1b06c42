"""Shapes of requests and responses, used only for the OpenAPI description.

specs/050-live-ai-interaction/contracts/stream-schema.yaml specifies the events and the rest of the
wire format.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers as s

from ..models import STATUSES

LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    str,
    OpenApiParameter.HEADER,
    description="`<stream_id>:<seq>`: resume after this event; never starts a second stream.",
)

PROBLEM = inline_serializer(
    "Problem",
    {
        "type": s.CharField(),
        "title": s.CharField(),
        "status": s.IntegerField(),
        "detail": s.CharField(),
        "code": s.CharField(help_text="Stable; see the spec's table."),
        "field": s.CharField(required=False),
        "selected": s.CharField(required=False),
    },
)
_Documents = dict[Any, Any]
_PROBLEM: _Documents = {
    ("4XX", "application/problem+json"): OpenApiResponse(PROBLEM),
    ("5XX", "application/problem+json"): OpenApiResponse(PROBLEM),
}


class ItemDocument(s.Serializer):
    path = s.CharField(help_text="JSON Pointer")
    value = s.JSONField()


class UsageDocument(s.Serializer):
    input_tokens = s.IntegerField()
    output_tokens = s.IntegerField()
    estimated = s.BooleanField(
        required=False, help_text="True: the provider did not report everything."
    )


class ErrorDocument(s.Serializer):
    code = s.CharField()
    message = s.CharField()
    retryable = s.BooleanField()


class SummaryDocument(s.Serializer):
    """A stream in a list."""

    stream_id = s.CharField()
    block_type = s.CharField()
    prompt = s.CharField()
    options = s.DictField()
    model = s.CharField()
    status = s.ChoiceField(STATUSES)
    text = s.CharField(help_text="For an ended structured answer: `result` as compact JSON.")
    arriving = s.DictField(child=s.CharField(), help_text="Strings of the open part so far.")
    result = s.DictField(allow_null=True)
    seq = s.IntegerField(help_text="The last logged event that this includes.")
    created_at = s.DateTimeField()
    started_at = s.DateTimeField(allow_null=True)
    ended_at = s.DateTimeField(allow_null=True)
    ttft_ms = s.IntegerField(allow_null=True)
    usage = UsageDocument(allow_null=True)
    finish_reason = s.ChoiceField(["stop", "length"], allow_null=True)
    dropped = s.DictField(child=s.IntegerField(), allow_null=True)
    error = ErrorDocument(allow_null=True)
    request_id = s.UUIDField(allow_null=True)


class StreamDocument(SummaryDocument):
    """A stream by itself: the summary and its items."""

    items = s.ListField(child=ItemDocument())


class StreamingDocument(s.Serializer):
    enabled = s.BooleanField()
    backend = s.ChoiceField(["sse", "websocket"])
    fallback = s.BooleanField()
    message = s.CharField(allow_blank=True)


CONFIG: _Documents = {
    200: inline_serializer(
        "Config",
        {
            "streaming": StreamingDocument(),
            "limits": s.DictField(child=s.IntegerField()),
            "user": s.DictField(allow_null=True),
            "demo_model": s.BooleanField(),
        },
    ),
    **_PROBLEM,
}
BLOCKS: _Documents = {
    200: inline_serializer(
        "Blocks",
        {
            "results": inline_serializer(
                "Block",
                {
                    "slug": s.CharField(),
                    "title": s.CharField(),
                    "description": s.CharField(),
                    "output": s.CharField(),
                    "model": s.CharField(),
                    "options": s.DictField(help_text="JSON Schema"),
                    "prompt_limit": s.IntegerField(help_text="Characters"),
                },
                many=True,
            )
        },
    ),
    **_PROBLEM,
}
STREAM: _Documents = {200: StreamDocument, **_PROBLEM}
HISTORY: _Documents = {
    200: inline_serializer(
        "History",
        {"results": SummaryDocument(many=True), "next": s.CharField(allow_null=True)},
    ),
    **_PROBLEM,
}
START = inline_serializer(
    "Start",
    {
        "prompt": s.CharField(),
        "options": s.DictField(required=False),
        "request_id": s.UUIDField(required=False, allow_null=True),
    },
)
_EVENTS = OpenApiResponse(OpenApiTypes.STR, description="Server-sent events; see the spec.")
EVENT_STREAM: _Documents = {
    (200, "text/event-stream"): _EVENTS,
    204: OpenApiResponse(description="The cursor is already at the end."),
    **_PROBLEM,
}
STARTED: _Documents = {
    (200, "text/event-stream"): _EVENTS,
    (200, "application/json"): StreamDocument,
    (201, "application/json"): StreamDocument,
    204: OpenApiResponse(description="The cursor is already at the end."),
    **_PROBLEM,
}
CANCEL_REQUEST = inline_serializer("CancelRequest", {"request_id": s.UUIDField()})
CANCELLED_REQUEST: _Documents = {
    200: OpenApiResponse(
        OpenApiTypes.OBJECT,
        description="The stream document, or the stored cancel while the stream is unknown.",
    ),
    **_PROBLEM,
}
