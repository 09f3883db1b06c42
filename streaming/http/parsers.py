"""Reading request bodies: one JSON object, or a coded error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """JSON as the standard has it: no NaN, UTF-8 whatever the header's charset says (Python knows
    some that unpack or shift letters). What is too deep is malformed, not a crash."""

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
