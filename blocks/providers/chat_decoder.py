"""Decodes the stream of the OpenAI chat-completions API: bytes in, values out.

It handles what products really send: unknown fields, CRLF, comments, members that are empty,
missing or of another type, bytes cut anywhere, errors in mid-stream, JSON without `data:`.
Unreadable input raises `ProviderMalformed`.
Source: https://platform.openai.com/docs/api-reference/chat-streaming and WHATWG HTML 9.2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from blocks.errors import ProviderMalformed

MAX_LINE_BYTES = 1_048_576
MAX_DOCUMENT_BYTES = 4_194_304  # limit of an answer that was not streamed
DONE = b"[DONE]"


# --- decoded values ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage that a service reports; None where it reports nothing plausible."""

    input_tokens: int | None
    output_tokens: int | None


@dataclass(frozen=True, slots=True)
class UpstreamError:
    """An error object of the API. `message` is the service's own text and is never shown."""

    status: int | None  # the equivalent HTTP status, if the code implies one
    code: str
    param: str
    message: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """The content of one chunk. A whole answer that was not streamed has the same form."""

    text: str = ""
    is_alive: bool = False  # reasoning, or progress on the prompt: a sign of life
    is_reasoning: bool = False
    finish: str = ""  # the service's own word
    usage: Usage | None = None
    error: UpstreamError | None = None
    is_usage: bool = False  # a separate usage chunk, as it follows an answer
    is_message: bool = False  # a message instead of a delta: usually the whole answer
    is_whole: bool = False  # marked as not being a chunk of a stream

    @property
    def has_life(self) -> bool:
        return bool(self.text) or self.is_reasoning


# --- wire format ------------------------------------------------------------------


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Delta(msgspec.Struct):
    content: str | list[_Part] | None = None
    reasoning_content: Any = None  # vLLM, llama.cpp, LM Studio, DeepSeek
    reasoning: Any = None  # OpenRouter, Ollama


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    message: _Delta | None = None  # not streamed
    text: str | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None
    prompt_progress: Any = None  # llama.cpp, if the request set `return_progress`
    object: str = ""


_decoder = msgspec.json.Decoder(_Chunk)


def decode_chunk(data: bytes) -> Chunk:
    """Decode one `data:` line, or the body of an answer that was not streamed.

    Raises:
        ProviderMalformed: not JSON, or not in the form of a chunk.
    """
    try:
        raw = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raw = _decode_leniently(data)
    if raw.error:
        return Chunk(error=_read_error(raw.error))
    usage = _read_usage(raw.usage)
    is_alive = raw.prompt_progress is not None
    choice = next((choice for choice in raw.choices or () if choice.index == 0), None)
    if choice is None:
        return Chunk(usage=usage, is_alive=is_alive, is_usage=usage is not None)
    finish = (choice.finish_reason or "").lower()
    if finish in _NO_WORDS:
        finish = ""
    delta = choice.delta
    if delta is None or not _says_something(delta):
        # Some services send an empty delta beside the real content.
        delta = choice.message or (None if choice.text else delta)
    if delta is None:
        return Chunk(choice.text or "", finish=finish, usage=usage)
    content = delta.content
    thinks = bool(delta.reasoning_content or delta.reasoning)
    if isinstance(content, list):  # Mistral: thinking and text as parts
        thinks = thinks or any(part.type not in _TEXT_TYPES for part in content)
        content = "".join(part.text or "" for part in content if part.type in _TEXT_TYPES)
    return Chunk(
        content or "",
        is_alive or thinks,
        thinks,
        finish,
        usage,
        is_message=delta is choice.message,
        is_whole=delta is choice.message and raw.object != "chat.completion.chunk",
    )


def _says_something(delta: _Delta) -> bool:
    return bool(delta.content or delta.reasoning_content or delta.reasoning)


_TEXT_TYPES = ("text", "output_text", "")
_NO_WORDS = ("null", "none")  # values that some proxies put on each chunk


def _read_usage(usage: _Usage | None) -> Usage | None:
    if usage is None:
        return None
    given, made = usage.prompt_tokens, usage.completion_tokens
    if not given and not made:  # a prompt is never empty, so zeros carry no information
        return None
    return Usage(
        given if given is not None and given > 0 else None,
        made if made is not None and made >= 0 else None,
    )


def _decode_leniently(data: bytes) -> _Chunk:
    """Decode what msgspec refuses.

    These are bad UTF-8, lone surrogates, bare control characters, and members of unexpected types.
    """
    try:
        value = json.loads(data.decode("utf-8", "replace"), strict=False)
        return msgspec.convert(_with_usual_types(value), _Chunk)
    except (ValueError, RecursionError, msgspec.ValidationError):
        raise ProviderMalformed() from None


def _with_usual_types(value: Any) -> Any:
    """Drop or convert the members of a chunk that have unexpected types."""
    if not isinstance(value, dict):
        raise ProviderMalformed()
    chunk = {**value, "object": str(value.get("object"))}
    usage = value.get("usage")
    chunk["usage"] = (
        {name: _count_of(usage.get(name)) for name in ("prompt_tokens", "completion_tokens")}
        if isinstance(usage, dict)
        else None
    )
    choices = value.get("choices")
    choices = choices if isinstance(choices, list) else []
    chunk["choices"] = [_usual_choice(choice) for choice in choices if isinstance(choice, dict)]
    return chunk


def _count_of(value: Any) -> int | None:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _usual_choice(choice: dict[str, Any]) -> dict[str, Any]:
    word = choice.get("finish_reason")
    usual = {
        **choice,
        "index": _count_of(choice.get("index")) or 0,
        "finish_reason": word if isinstance(word, str) or not word else "stop",
    }
    for name in ("delta", "message"):
        delta = choice.get(name) or None  # PHP writes [] for {}
        if isinstance(delta, dict) and isinstance(delta.get("content"), list):
            delta = {**delta, "content": [_usual_part(part) for part in delta["content"]]}
        usual[name] = delta
    return usual


def _usual_part(part: Any) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {**part, "type": part.get("type") or ""} if isinstance(part, dict) else {"type": "?"}


def decode_error(body: bytes) -> UpstreamError:
    """Extract the error from the body of an HTTP error, as far as it contains one."""
    try:
        value = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return UpstreamError(None, "", "", body.decode("utf-8", "replace"))
    if isinstance(value, dict) and "error" in value:
        return _read_error(value["error"])
    return UpstreamError(None, "", "", json.dumps(value))


def _read_error(value: Any) -> UpstreamError:
    if not isinstance(value, dict):
        return UpstreamError(None, "", "", str(value))
    code, kind = value.get("code"), value.get("type")
    status = code if isinstance(code, int) and 400 <= code <= 599 else None
    words = f"{code} {kind}"
    if status is None and "rate_limit" in words:
        status = 429
    return UpstreamError(
        status,
        str(kind if status is not None and kind else code or kind or ""),
        str(value.get("param") or ""),
        str(value.get("message") or ""),
    )


# --- lines ----------------------------------------------------------------------


class LineDecoder:
    """Splits the bytes of an answer into the JSON of its chunks.

    One `data` line is one chunk, because some products omit the empty line between chunks. JSON
    that spans several lines ends at the empty line; without `data:` it ends with the stream. Values
    that are not JSON objects (heartbeats of proxies) are skipped.
    """

    def __init__(self) -> None:
        self.has_skipped = False
        """Something was skipped that is not part of the format."""
        self._rest = bytearray()
        self._after_cr = False
        self._event = bytearray()  # the beginning of JSON that continues in the next line
        self._is_document = False  # that JSON has no `data:` prefix

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the JSON of each complete chunk, and `[DONE]` unchanged.

        Raises:
            ProviderMalformed: a line of more than 1 MiB, or a document of more than 4 MiB.
        """
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
            self._after_cr = False
        if not piece:
            return
        self._after_cr = piece.endswith(b"\r")
        for line in piece.splitlines(keepends=True):  # bytes: cuts only at LF, CR and CRLF
            if line[-1] in b"\r\n":
                if self._rest:
                    line = bytes(self._rest + line)
                    self._rest.clear()
                self._check_size(line)
                if data := self._take(line):
                    yield data
            else:
                self._rest += line
                self._check_size(self._rest)

    def end(self) -> bytes:
        """Return a last line without its line end, or unfinished JSON; `b""` if neither exists."""
        if data := self._take(bytes(self._rest)):
            return data
        return bytes(self._event)

    def _take(self, line: bytes) -> bytes:
        """Return the JSON that this line completes; `b""` if there is none."""
        line = line.strip().removeprefix(_BOM).lstrip()
        if self._is_document:
            self._event += line
            return b""
        if not line:
            event = bytes(self._event)
            self._event.clear()
            return event
        is_bare = line.startswith((b"{", b"["))
        value = line if is_bare else _value_of(line)
        if self._event:
            self._event += value
            return b""
        if value.strip(b'"') in (DONE, b"DONE"):
            return DONE
        if not value.startswith(b"{"):
            self.has_skipped |= bool(value) or not line.startswith(_OTHER_LINES)
            return b""
        if is_bare and not _is_json(value):
            self._is_document = True
        elif value.endswith(b"}"):
            return value
        self._event += value
        return b""

    def _check_size(self, line: bytes | bytearray) -> None:
        is_document = self._is_document or line[:16].lstrip().startswith(b"{")
        at_most = MAX_DOCUMENT_BYTES if is_document else MAX_LINE_BYTES
        if len(line) + len(self._event) > at_most:
            raise ProviderMalformed()


_BOM = b"\xef\xbb\xbf"
_OTHER_LINES = (b":", b"event:", b"id:", b"retry:", b"data:")


def _value_of(line: bytes) -> bytes:
    """Return the value of a `data` line; `b""` for comments and other fields."""
    field, colon, value = line.partition(b":")
    name = field.strip().lower()
    if not colon or name not in (b"data", b"error"):
        return b""
    value = value.strip()
    while value.startswith(b"data:"):  # proxied twice
        value = value[5:].strip()
    if name == b"error":  # llama.cpp before 2025-10 sends an `error` field
        return b'{"error":' + (value or b"null") + b"}" if b'"error"' not in value[:12] else value
    return value


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


# --- text -----------------------------------------------------------------------


class TextCleaner:
    """Removes NUL and lone surrogates, so that any store and any encoder accepts the text.

    A surrogate pair split across two chunks is joined again.
    """

    def __init__(self) -> None:
        self._held = ""

    def clean(self, text: str) -> str:
        """Return the text to pass on now; may be empty."""
        if text.isascii() and not self._held:
            return text.replace("\0", "\ufffd") if "\0" in text else text
        text = self._held + text
        self._held = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._held = text[:-1], text[-1]
        return (
            text.replace("\0", "\ufffd")
            .encode("utf-16-le", "surrogatepass")
            .decode("utf-16-le", "replace")
        )

    def end(self) -> str:
        """Return a replacement for a held half of a pair that was never completed."""
        return "\ufffd" if self._held else ""


def finish_reason(word: str) -> Literal["stop", "length", "error", "content_filter"]:
    """Map a service's finish reason to ours; unknown ones (`eos`, `tool_calls`) become `stop`."""
    if word in ("length", "max_tokens", "model_length", "max_output_tokens"):
        return "length"
    if word in ("error", "abort"):
        return "error"
    return "content_filter" if word in ("content_filter", "safety") else "stop"
