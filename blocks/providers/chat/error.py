"""Reads the errors of services, in all the forms in which they send them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_MESSAGE_CHARACTERS = 2_000
_MAX_DEPTH = 4

# What these members hold was ours, or the model's: it says nothing about the reason.
_ECHOES = ("input", "failed_generation", "request", "user_id")
_SUCCESS = ("", "0", "200", "ok", "success", "Success")
_TEXTS = ("message", "msg", "detail", "details", "reason", "errors", "error_msg", "status_msg")


@dataclass(frozen=True, slots=True)
class UpstreamError:
    """An error of a service. `message` is its own text and is never shown."""

    status: int | None  # the equivalent HTTP status, if the error implies one
    code: str
    param: str
    message: str

    @property
    def words(self) -> str:
        """Code and message in lower case, to look for signs in."""
        return f"{self.code} {self.message}".lower()


UNKNOWN = UpstreamError(None, "", "", "")


def error_in(value: Mapping[str, Any]) -> UpstreamError | None:
    """Return the error in a JSON object of an answer; None if it has none.

    An object with choices has one only in a member `error` that says something. An object without
    choices is one itself, if it has the form.
    """
    error = value.get("error")
    if _says_something(error):
        return _read(error, value)
    if value.get("choices"):
        return None
    result = value.get("base_resp")  # MiniMax
    if isinstance(result, dict) and result.get("status_code"):
        return _read({**result, "code": str(result["status_code"])}, result)
    is_named = "error" in (value.get("object"), value.get("type"))
    code = value.get("code")
    has_code = _status(value) is not None or (isinstance(code, str) and code not in _SUCCESS)
    has_text = any(_says_something(value.get(name)) for name in _TEXTS)
    if is_named or value.get("detail") or value.get("errors") or (has_code and has_text):
        return _read(value, value)
    return None


def decode_error(body: bytes) -> UpstreamError:
    """Read the body of an HTTP error, as far as it tells anything."""
    text = body.decode("utf-8", "replace")
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return UpstreamError(None, "", "", text[:MAX_MESSAGE_CHARACTERS])
    if isinstance(value, list) and value:  # Gemini
        value = value[0]
    if not isinstance(value, dict):
        return UpstreamError(None, "", "", text[:MAX_MESSAGE_CHARACTERS])
    return error_in(value) or _read(value, value)


def _says_something(error: Any) -> bool:
    """Whether a member holds an error: some services send an empty one with each chunk."""
    if isinstance(error, str):
        return error.strip().lower() not in ("", "null", "none", "false")
    if isinstance(error, dict):
        return any(_says_something(member) for member in error.values())
    if isinstance(error, list):
        return any(_says_something(member) for member in error)
    return bool(error)


def _read(error: Any, around: Mapping[str, Any]) -> UpstreamError:
    message = " ".join(_texts_in(error))[:MAX_MESSAGE_CHARACTERS]
    for _ in range(_MAX_DEPTH):
        if isinstance(error, list) and error:
            error = error[0]
        elif isinstance(error, dict) and isinstance(error.get("error"), dict | list):
            around, error = error, error["error"]
        elif isinstance(error, dict) and not error.get("code") and not error.get("param"):
            inner = error.get("detail") or error.get("errors") or error.get("message")
            if not isinstance(inner, dict | list):
                break
            around, error = error, inner
        else:
            break
    if not isinstance(error, dict):
        return UpstreamError(_status(around) or _status_in(message), "", "", message)
    code, kind = error.get("code") or error.get("error_code"), error.get("type")
    status = _status(error) or _status(around)
    word = str(kind if _status_of(code) is not None and kind else code or kind or "")
    return UpstreamError(
        status or _status_in(f"{code} {kind} {error.get('status')}") or _status_in(message),
        word[:200],
        str(error.get("param") or _last_place(error.get("loc")))[:200],
        message,
    )


def _texts_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the texts of an error, with the names of parameters in them."""
    if isinstance(value, str):
        yield value[:MAX_MESSAGE_CHARACTERS]
    elif isinstance(value, dict) and depth < 2 * _MAX_DEPTH:
        for name, member in value.items():
            if name not in _ECHOES:
                yield from _texts_in(member, depth + 1)
    elif isinstance(value, list) and depth < 2 * _MAX_DEPTH:
        for member in value[:20]:
            yield from _texts_in(member, depth + 1)


def _last_place(loc: Any) -> str:
    """Return the parameter that FastAPI's `loc` leads to, e.g. `["body", "stream_options"]`."""
    names = [name for name in loc if isinstance(name, str)] if isinstance(loc, list) else []
    return names[1] if len(names) > 1 and names[0] == "body" else "".join(names[-1:])


def _status(error: Mapping[str, Any]) -> int | None:
    for name in ("code", "status_code", "statusCode", "status", "http_status"):
        status = _status_of(error.get(name))
        if status is not None:
            return status
    return None


def _status_of(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        value = int(value)
    return value if isinstance(value, int) and 400 <= value <= 599 else None


# Errors inside of a body with status 200 have no status; their words tell which one is meant.
_STATUS_SIGNS = (
    (402, r"insufficient[_ ](quota|balance|credit)|billing"),
    (429, r"rate[_ ]?limit|too[_ ]many[_ ]requests|throttl|resource_exhausted"),
    (401, r"api[_ ]?key|authenti|unauthori[sz]ed"),
    (403, r"permission|forbidden"),
    (404, r"model_not_found|not_found_error|unexpected endpoint"),
    (503, r"overloaded|unavailable|loading"),
    (408, r"timeout|timed out"),
    (400, r"invalid[_ ]?(request|argument|parameter|value)|bad[_ ]?request|unsupported"),
)
_STATUS_WORDS = tuple((status, re.compile(words, re.IGNORECASE)) for status, words in _STATUS_SIGNS)


def _status_in(words: str) -> int | None:
    return next((status for status, sign in _STATUS_WORDS if sign.search(words)), None)
