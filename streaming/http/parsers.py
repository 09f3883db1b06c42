"""Parses request bodies: one JSON object, or a coded error."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import nullcontext
from io import BytesIO
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from .request_phase import SMALL_BODY_BYTES

_large_bodies = threading.Lock()
"""Large bodies are parsed one after the other: Python's parser lets no other thread run meanwhile,
so several of them would hold up the event loop for as long as all of them take.
"""


class StrictJSONParser(JSONParser):
    """Parses standard JSON: no NaN, and always UTF-8.

    Ignores the header's charset, since some of Python's codecs decompress or shift letters. A body
    that is nested too deeply is malformed; it does not crash the parser.
    """

    strict = True  # whatever a host's STRICT_JSON says

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        body = stream.read()
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            with _large_bodies if len(body) > SMALL_BODY_BYTES else nullcontext():
                data = super().parse(BytesIO(body), media_type, context)
        except (RecursionError, ParseError):
            raise ParseError("The body is not JSON.") from None
        if not isinstance(data, dict):
            raise ParseError("The body must be one JSON object.")
        return data
