"""Reads the stream of the OpenAI chat-completions API; bytes in, values out, nothing else.

Made for what products really send: unknown fields, CRLF, comments, empty and missing members,
bytes cut anywhere, errors in mid-stream. What can't be read is `ProviderMalformed`.
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
DONE = b"[DONE]"


# --- what the answer says -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Usage:
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class UpstreamError:
    """An error object of the API; `message` is the service's own and never shown."""

    status: int | None  # what HTTP would have said, where the code says it
    code: str
    param: str
    message: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one chunk says; a whole answer that was not streamed has the same form."""

    text: str = ""
    is_alive: bool = False  # reasoning, or progress on the prompt: a sign of life
    is_reasoning: bool = False
    finish: str = ""  # the service's own word
    usage: Usage | None = None
    error: UpstreamError | None = None


# --- the wire's own form --------------------------------------------------------


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Delta(msgspec.Struct):
    content: str | list[_Part] | None = None
    reasoning_content: Any = None  # vLLM, llama.cpp, LM Studio, DeepSeek
    reasoning: Any = None  # OpenRouter, Ollama


class _Choice(msgspec.Struct):
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
    prompt_progress: Any = None  # llama.cpp, where `return_progress` was asked for


_decoder = msgspec.json.Decoder(_Chunk)


def decode_chunk(data: bytes) -> Chunk:
    """What one `data:` line, or the body of an answer that was not streamed, says.

    Raises:
        ProviderMalformed: not JSON, or not of the form of a chunk.
    """
    try:
        raw = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raw = _decode_leniently(data)
    if raw.error is not None:
        return Chunk(error=_read_error(raw.error))
    usage = None
    if raw.usage is not None and raw.usage.prompt_tokens is not None:
        usage = Usage(raw.usage.prompt_tokens, raw.usage.completion_tokens or 0)
    if not raw.choices:
        return Chunk(usage=usage, is_alive=raw.prompt_progress is not None)
    choice = raw.choices[0]
    delta = choice.delta or choice.message
    if delta is None:
        return Chunk(choice.text or "", finish=choice.finish_reason or "", usage=usage)
    content = delta.content
    thinks = bool(delta.reasoning_content or delta.reasoning)
    if isinstance(content, list):  # Mistral: thinking and text as parts
        thinks = thinks or any(part.type != "text" for part in content)
        content = "".join(part.text or "" for part in content if part.type == "text")
    is_alive = thinks or raw.prompt_progress is not None
    return Chunk(content or "", is_alive, thinks, choice.finish_reason or "", usage)


def _decode_leniently(data: bytes) -> _Chunk:
    """Bad UTF-8, lone surrogates and bare control characters, which msgspec rightly refuses."""
    try:
        value = json.loads(data.decode("utf-8", "replace"), strict=False)
        return msgspec.convert(value, _Chunk)
    except (ValueError, RecursionError, msgspec.ValidationError):
        raise ProviderMalformed() from None


def decode_error(body: bytes) -> UpstreamError:
    """The error that an HTTP error's body tells, as far as it tells one."""
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
    """Cuts the bytes of an event stream into the contents of its `data` lines.

    Each line is one chunk: no product spreads a chunk's JSON over several, and some leave out
    the empty line between two.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._after_cr = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what `data` lines hold, as they become whole; `[DONE]` as it is.

        Raises:
            ProviderMalformed: a line of more than 1 MiB.
        """
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
            self._after_cr = False
        if not piece:
            return
        self._after_cr = piece.endswith(b"\r")
        for line in piece.splitlines(keepends=True):  # bytes: cuts at LF, CR and CRLF alone
            if line[-1] in b"\r\n":
                if self._rest:
                    line = bytes(self._rest + line)
                    self._rest.clear()
                if len(line) > MAX_LINE_BYTES:
                    raise ProviderMalformed()
                if data := _data_of(line.rstrip(b"\r\n")):
                    yield data
            else:
                self._rest += line
                if len(self._rest) > MAX_LINE_BYTES:
                    raise ProviderMalformed()

    def end(self) -> bytes:
        """What a last line without its line end holds; `b""` if there is none."""
        return _data_of(bytes(self._rest))


def _data_of(line: bytes) -> bytes:
    field, colon, value = line.partition(b":")
    if not colon or field not in (b"data", b"error", b"\xef\xbb\xbfdata"):
        return b""  # comments (`: OPENROUTER PROCESSING`), `event`, `id`, `retry`
    value = value.strip()
    if field == b"error":  # llama.cpp before 2025-10: an SSE field of its own
        return b'{"error":' + (value or b"null") + b"}" if b'"error"' not in value[:12] else value
    return value


# --- text -----------------------------------------------------------------------


class TextCleaner:
    """Makes text that any store and any encoder takes: no NUL, no lone surrogate.

    A pair of surrogates that was cut over two chunks is put together again.
    """

    def __init__(self) -> None:
        self._held = ""

    def clean(self, text: str) -> str:
        """The text to pass on now; may be empty."""
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
        """What is left of a pair whose second half never came."""
        return "\ufffd" if self._held else ""


def finish_reason(word: str) -> Literal["stop", "length", "error", "content_filter"]:
    """Our word for a service's: `stop` where it is one that we don't know (`eos`, `tool_calls`)."""
    if word in ("length", "max_tokens", "model_length"):
        return "length"
    if word in ("error", "abort"):
        return "error"
    return "content_filter" if word == "content_filter" else "stop"
