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
_TEXTS = ("message", "msg", "details", "reason", "status_msg")

# A member says nothing with these, or that all is well.
_NOTHINGS = ("", "null", "none", "false", "0", "200", "ok", "success", "no error", "no_error")

# In an object without choices, these members hold an error.
_ERROR_MEMBER = re.compile(
    r"err(or)?s?|err(or)?_?(code|id|info|message|msg|no|type)|detail|fault|\w*exception",
    re.IGNORECASE,
)
_FAILED = ("error", "fail", "failed", "failure")
_ERROR_WORDS = re.compile(
    r"\b(error|exception|traceback|fail(ed|ure)?|timed? ?out|overloaded|unavailable|refused|denied"
    r"|aborted|forbidden|rate limit|too many requests|out of memory)\b",
    re.IGNORECASE,
)


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
    return _read(value, value) if _has_form_of_error(value) else None


def _has_form_of_error(value: Mapping[str, Any]) -> bool:
    kinds = (value.get(name) for name in ("object", "type", "status"))
    if any(isinstance(kind, str) and kind.lower() in _FAILED for kind in kinds):
        return True
    if value.get("success") is False or any(
        _ERROR_MEMBER.fullmatch(name) and _says_something(value[name]) for name in value
    ):
        return True
    codes = (value.get("code"), value.get("ret"), _status(value))
    texts = [text for name in _TEXTS if _says_something(text := value.get(name))]
    return bool(texts) and (
        any(_says_something(code) for code in codes)
        or any(isinstance(text, str) and reads_as_error(text) for text in texts)
    )


def reads_as_error(text: str) -> bool:
    """Whether a text in the place of JSON tells of an error; others are heartbeats."""
    return bool(_ERROR_WORDS.search(text))


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
        return error.strip().lower() not in _NOTHINGS
    if isinstance(error, dict):
        return any(_says_something(member) for member in error.values())
    if isinstance(error, list):
        return any(_says_something(member) for member in error)
    return bool(error) and error != 200


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
