"""Parses request bodies: one JSON object, or a coded error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


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
        try:
            data = super().parse(
                stream, media_type, {**(parser_context or {}), "encoding": "utf-8"}
            )
        except (RecursionError, ParseError):
            raise ParseError("The body is not JSON.") from None
        if not isinstance(data, dict):
            raise ParseError("The body must be one JSON object.")
        return data
