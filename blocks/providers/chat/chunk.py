"""Reads the chunks of the OpenAI chat-completions API: JSON in, values out.

It takes what an answer needs and is strict about nothing else: members may be missing, empty, of
another type or unknown.
Source: https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from blocks.errors import ProviderMalformed
from blocks.providers.chat.error import UpstreamError, error_in

_Reason = Literal["stop", "length", "error", "content_filter", "refusal"]


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage that a service reports; None where it reports nothing plausible."""

    input_tokens: int | None
    output_tokens: int | None

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            _sum(self.input_tokens, other.input_tokens),
            _sum(self.output_tokens, other.output_tokens),
        )


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other


NO_USAGE = Usage(None, None)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The content of one chunk. A whole answer that was not streamed has the same form."""

    text: str = ""
    refusal: str = ""
    is_reasoning: bool = False
    is_alive: bool = False  # progress on the prompt
    finish: str = ""  # the service's own word
    usage: Usage | None = None
    error: UpstreamError | None = None
    is_usage: bool = False  # a separate usage chunk, as it follows an answer
    is_message: bool = False  # a message instead of a delta: usually the whole answer
    is_whole: bool = False  # calls itself a whole answer
    is_answer: bool = False  # has the form of a chunk, however empty

    @property
    def has_life(self) -> bool:
        return bool(self.text) or self.is_reasoning


def decode_chunks(data: bytes) -> Iterator[Chunk]:
    """Decode one JSON value of an answer: a chunk, or a list of chunks.

    Raises:
        ProviderMalformed: not JSON.
    """
    value = _decode(data)
    for chunk in value if isinstance(value, list) else (value,):
        if isinstance(chunk, dict):
            yield _read_chunk(chunk)


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # The lenient decoder takes bad UTF-8, lone surrogates, bare control characters and NaN.
    try:
        return json.loads(data.decode("utf-8", "replace"), strict=False, parse_int=_int)
    except (ValueError, RecursionError):
        raise ProviderMalformed() from None


def _int(digits: str) -> float:
    return int(digits) if len(digits) < 400 else math.inf  # Python refuses to read longer ones


def _read_chunk(chunk: Mapping[str, Any]) -> Chunk:
    error = error_in(chunk)
    if error is not None:
        return Chunk(error=error)
    usage = _read_usage(chunk.get("usage"))
    is_alive = chunk.get("prompt_progress") is not None  # llama.cpp with `return_progress`
    choice = _first_choice(chunk.get("choices"))
    if choice is None:
        is_usage = usage is not None
        return Chunk(usage=usage, is_alive=is_alive, is_usage=is_usage, is_answer=is_usage)
    if choice.get("error") and (error := error_in(choice)) is not None:  # OpenRouter
        return Chunk(error=error)
    said, is_message = _said_in(choice)
    return Chunk(
        said.text,
        said.refusal,
        said.is_reasoning,
        is_alive,
        _read_finish(choice.get("finish_reason")),
        usage or _read_usage(choice.get("usage")),  # Moonshot
        is_message=is_message,
        is_whole=is_message and chunk.get("object") == "chat.completion",
        is_answer=True,
    )


def _first_choice(choices: Any) -> Mapping[str, Any] | None:
    if isinstance(choices, dict):  # an object in place of a list of one
        choices = [choices] if choices else []
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and not _count_of(choice.get("index")):
            return choice
    return None


# --- text, reasoning and refusals ------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    text: str = ""
    refusal: str = ""
    is_reasoning: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.refusal or self.is_reasoning)


def _said_in(choice: Mapping[str, Any]) -> tuple[_Said, bool]:
    """Return what a choice says, and whether it is a message.

    Some services send an empty delta beside the real content.
    """
    delta = _read_delta(choice.get("delta"))
    if not delta.is_empty:
        return delta, False
    message = _read_delta(choice.get("message"))
    if not message.is_empty:
        return message, True
    text = _text_of(choice.get("text"))
    return _Said(text), "message" in choice and not text


_REASONING = frozenset(
    {
        "reasoning_content",  # DeepSeek, vLLM, llama.cpp, SGLang, xAI
        "reasoning",  # OpenRouter, Ollama, Groq, newer vLLM
        "reasoning_details",  # OpenRouter
        "reasoning_text",  # Copilot
        "thinking",
        "thinking_blocks",  # LiteLLM
    }
)


def _read_delta(delta: Any) -> _Said:
    if not isinstance(delta, dict):
        return _Said(_text_of(delta))
    said = _read_content(delta.get("content"))
    refusal = delta.get("refusal")
    return _Said(
        said.text,
        said.refusal or (refusal if isinstance(refusal, str) else ""),
        said.is_reasoning or any(delta[name] for name in _REASONING.intersection(delta)),
    )


def _read_content(content: Any) -> _Said:
    if not isinstance(content, list):
        return _read_part(content)
    parts = [_read_part(part) for part in content]
    return _Said(
        "".join(part.text for part in parts),
        "".join(part.refusal for part in parts),
        any(part.is_reasoning for part in parts),
    )


def _read_part(part: Any) -> _Said:
    if not isinstance(part, dict):
        return _Said(_text_of(part))
    kind = str(part.get("type") or "").lower()
    if "think" in kind or "reason" in kind or "summary" in kind:  # Mistral, LiteLLM
        return _Said(is_reasoning=True)
    if kind == "refusal":
        return _Said(refusal=_text_of(part.get("refusal")))
    return _Said(_text_of(part.get("text")))


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        inner = value.get("value")
        return inner if isinstance(inner, str) else ""
    # Some services send a token of digits as a number.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value) if is_number and math.isfinite(value) else ""


# --- finish reasons ----------------------------------------------------------------

_NO_WORDS = ("null", "none", "unspecified")  # some proxies send them on each chunk
_PREFIX = re.compile(r"finish_?reason[._]")

# Families of words: each service has its own, and they grow.
_MEANINGS: tuple[tuple[re.Pattern[str], _Reason], ...] = (
    (re.compile(r"^refus"), "refusal"),  # Anthropic
    (
        re.compile(
            r"filter|safety|prohibited|recitation|block|spii|^language$|guardrail|sensitive|toxic"
            r"|moderat|policy|violat"
        ),
        "content_filter",
    ),
    # `error_limit` is Cohere's word for the end of the context.
    (re.compile(r"length|max_.*tokens|token_limit|context_window|^(error_)?limit$"), "length"),
    (
        re.compile(
            r"error|fail|exception|abort|cancel|time_?out|_limit|interrupt|incomplete|preempt"
            r"|resource|overload|unavailable|disconnect|pause"
        ),
        "error",
    ),
)


def _read_finish(word: Any) -> str:
    if isinstance(word, dict):
        word = word.get("type") or word.get("reason")
    if not isinstance(word, str):
        return "stop" if word else ""
    word = _PREFIX.sub("", word.strip().lower().replace("-", "_"))
    return "" if word in _NO_WORDS else word


def finish_reason(word: str) -> _Reason:
    """Map a service's finish reason to ours; unknown ones (`eos`, `tool_calls`) become `stop`."""
    return next((reason for sign, reason in _MEANINGS if sign.search(word)), "stop")


# --- usage -----------------------------------------------------------------------


def _read_usage(usage: Any) -> Usage | None:
    """Return what can be read; a usage that can't be is none."""
    if not isinstance(usage, dict):
        return None
    given = _count_of(usage.get("prompt_tokens", usage.get("input_tokens")))
    made = _count_of(usage.get("completion_tokens", usage.get("output_tokens")))
    if not given and not made:  # a prompt is never empty, so zeros carry no information
        return None
    return Usage(
        given if given is not None and given > 0 else None,
        made if made is not None and made >= 0 else None,
    )


def _count_of(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
