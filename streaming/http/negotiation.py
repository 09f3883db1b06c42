"""Content negotiation: the call, not `Accept`, selects JSON or an event stream."""

from __future__ import annotations

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class JSONAlways(DefaultContentNegotiation):
    """Never responds 406: an EventSource accepts only `text/event-stream` but needs JSON errors."""

    def select_renderer(
        self, request: Request, renderers: list[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


def wants_json_first(accept: str) -> bool:
    """Whether `application/json` stands first in an `Accept` header."""
    return accept.split(",")[0].split(";")[0].strip().lower() == "application/json"
