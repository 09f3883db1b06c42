"""Formats every record of the process, of Django, uvicorn, Daphne and our own: structlog's part.

The code logs with plain `logging`. structlog lets both formats share what surrounds them, such as
the ids of the request and the stream.

Source: specs/050-live-ai-interaction/decisions/, "Structured logs".
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal

from structlog.processors import JSONRenderer
from structlog.stdlib import ProcessorFormatter

from blocks import tracing
from streaming.loop import log_ids

from .log_lines import bounded_line, indented, name_of, one_line, traceback_of
from .log_priority import with_priority

IDS = ("request_id", "stream_id", "trace_id")

MAX_EVENT_BYTES = 2500
MAX_MESSAGE_BYTES = 500
MAX_TRACEBACK_BYTES = 4800
"""Of an object, before JSON escapes its quotes, backslashes and line ends, which may double it. A
line is so shorter than 16 KiB, beyond which Docker cuts it in two."""

_QUOTED = re.compile(r"( exception=\w+\().*", re.DOTALL)
"""asyncio's message about a task that failed, from the text of its exception on."""

_to_json = JSONRenderer(ensure_ascii=False)
_times = logging.Formatter()


class LogFormatter(ProcessorFormatter):
    """Formats a record as a line (`console`) or as an object in a line (`json`).

    In both formats, what a client sent is bounded, has no query strings, and can't pass for a
    record of its own. An exception shows kind and place. Its text is withheld in lines about a
    request or a stream: it may quote a prompt, an answer, or a row.

    Args:
        has_priorities: whether each line begins with its priority, for systemd's journal.
    """

    def __init__(
        self, kind: Literal["console", "json"] = "console", *, has_priorities: bool = False
    ) -> None:
        render = {"console": as_line, "json": as_json}[kind]
        super().__init__(foreign_pre_chain=[_add_ids], processors=[render])
        self._has_priorities = has_priorities

    def format(self, record: logging.LogRecord) -> str:
        try:
            text = super().format(record)
        except (TypeError, ValueError, KeyError):
            # The arguments don't fit the message. `logging` would print them, whatever they hold.
            text = super().format(logging.makeLogRecord({**record.__dict__, "args": ()}))
        return with_priority(text, record.levelno) if self._has_priorities else text


def _add_ids(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
    event.update(log_ids.current_ids())
    if (trace_id := tracing.trace_id()) is not None:
        event["trace_id"] = trace_id
    return event


def as_line(_logger: Any, _method: str, event: Mapping[str, Any]) -> str:
    """Render a record as `TIME request_id=… LEVEL LOGGER: MESSAGE`, and its traceback below."""
    record: logging.LogRecord = event["_record"]
    ids = "".join(f"{name}={event[name]} " for name in IDS if name in event)
    head = f"{_times.formatTime(record)} {ids}{record.levelname} {record.name}: "
    parts = [bounded_line(head + one_line(_message(event)))]
    if exc_info := event.get("exc_info"):
        parts.append(traceback_of(exc_info, has_texts=_may_show_texts(event)))
    if stack := event.get("stack_info"):
        parts.append(indented(stack))
    return "\n".join(parts)


def as_json(logger: Any, method: str, event: Mapping[str, Any]) -> str:
    """Render a record as one JSON object, shorter than 16 KiB."""
    record: logging.LogRecord = event["_record"]
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    fields: dict[str, Any] = {
        "timestamp": time.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": _text(one_line(_message(event)), MAX_EVENT_BYTES),
    }
    fields |= {name: event[name] for name in IDS if name in event}
    fields["pid"] = record.process
    if exc_info := event.get("exc_info"):
        fields["exception"] = _exception(exc_info, has_texts=_may_show_texts(event))
    elif stack := event.get("stack_info"):
        fields["stack"] = _middle_cut(indented(stack), MAX_TRACEBACK_BYTES)
    text = _to_json(logger, method, fields)
    return text if isinstance(text, str) else text.decode()


def _may_show_texts(event: Mapping[str, Any]) -> bool:
    """Whether the texts of exceptions may be shown: nobody's input was at work.

    What a task leaves behind is logged by asyncio, in any context.
    """
    return event["_record"].name != "asyncio" and not any(name in event for name in IDS)


def _message(event: Mapping[str, Any]) -> str:
    message: str = event["event"]
    return _QUOTED.sub(r"\1", message) if event["_record"].name == "asyncio" else message


def _exception(exc_info: Any, *, has_texts: bool) -> dict[str, str]:
    error: BaseException | None = exc_info[1]
    if error is None:
        return {"type": "none"}
    text = traceback_of(exc_info, has_texts=has_texts)
    fields = {"type": name_of(error), "traceback": _middle_cut(text, MAX_TRACEBACK_BYTES)}
    if has_texts:
        fields["message"] = _text(one_line(_words_of(error)), MAX_MESSAGE_BYTES)
    return fields


def _words_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "(its text can't be read)"


def _text(text: str, max_bytes: int) -> str:
    return _encodable(bounded_line(text, max_bytes=max_bytes))


def _middle_cut(text: str, max_bytes: int) -> str:
    """Omit the middle: a traceback's first and last lines say most."""
    encoded = _encodable(text).encode()
    if len(encoded) <= max_bytes:
        return encoded.decode()
    half = max_bytes // 2 - 5
    first, last = encoded[:half].decode(errors="ignore"), encoded[-half:].decode(errors="ignore")
    return f"{first}\n  …\n{last}"


def _encodable(text: str) -> str:
    """Replace what UTF-8 can't hold: JSON readers refuse half a character."""
    return text.encode(errors="replace").decode()
