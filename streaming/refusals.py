"""Map errors to refusals, identically for every transport."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

from blocks.errors import BlockError, InvalidInput, PromptTooLong

from .errors import Refused
from .event_log.base import LogUnavailable
from .protocol.codes import is_refusal_code
from .protocol.cursor import InvalidCursor


def refusal_of(error: BaseException) -> Refused:
    """Return the refusal for an exception; `internal` for an unexpected one."""
    match error:
        case Refused():
            return error
        case InvalidInput():
            return Refused("invalid_input", error.message, field=error.field)
        case PromptTooLong():
            return Refused("prompt_too_long", error.message, field=error.field)
        case BlockError() if is_refusal_code(error.code):
            return Refused(error.code, error.message)
        case InvalidCursor():
            return Refused("invalid_cursor", str(error))
        case OperationalError() | InterfaceError() | LogUnavailable():
            return Refused("store_unavailable", retry_after_seconds=2)
        case _:
            return Refused("internal")
