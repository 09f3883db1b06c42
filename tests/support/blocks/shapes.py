"""The wire formats of products: the chunks of one answer, and how they refuse a feature.

Based on each product's documentation and recorded answers. Values that vary between versions (ids,
fingerprints, times) are fixed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

INPUT_TOKENS = 11


def _sse(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def _usage(count: int) -> dict[str, Any]:
    return {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": count,
        "total_tokens": INPUT_TOKENS + count,
    }


def _chunk(base: dict[str, Any], delta: dict[str, Any], finish: str | None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **more}
    return _sse({**base, "choices": [choice]})


def openai(tokens: Sequence[str], *, usage: bool, finish: str = "stop") -> Iterator[bytes]:
    base = {
        "id": "chatcmpl-CxyzAbc",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_560af6e559",
    }
    if usage:
        base["usage"] = None
    yield _chunk(base, {"role": "assistant", "content": "", "refusal": None}, None, logprobs=None)
    for token in tokens:
        yield _chunk(base, {"content": token}, None, logprobs=None)
    yield _chunk(base, {}, finish, logprobs=None)
    if usage:
        details = {"prompt_tokens_details": {"cached_tokens": 0}}
        yield _sse({**base, "choices": [], "usage": {**_usage(len(tokens)), **details}})
    yield DONE


def ollama(tokens: Sequence[str], *, usage: bool, finish: str = "stop") -> Iterator[bytes]:
    base = {
        "id": "chatcmpl-123",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "llama3.2:3b",
        "system_fingerprint": "fp_ollama",
    }
    yield _chunk(base, {"role": "assistant", "content": "", "reasoning": "Let me see"}, None)
    for token in tokens:
        yield _chunk(base, {"role": "assistant", "content": token}, None)
    yield _chunk(base, {"role": "assistant", "content": ""}, finish)
    if usage:
        yield _sse({**base, "choices": [], "usage": _usage(len(tokens))})
    yield DONE


def vllm(tokens: Sequence[str], *, usage: bool, finish: str = "stop") -> Iterator[bytes]:
    base = {
        "id": "chatcmpl-3f2c",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "Qwen/Qwen3-8B",
    }
    yield _chunk(base, {"role": "assistant", "content": ""}, None, logprobs=None)
    for thought in ("The", " user", " asks"):
        yield _chunk(base, {"reasoning_content": thought}, None, logprobs=None)
    for token in tokens:
        yield _chunk(base, {"content": token}, None, logprobs=None)
    yield _chunk(base, {"content": ""}, finish, logprobs=None, stop_reason=None)
    if usage:
        yield _sse({**base, "choices": [], "usage": _usage(len(tokens))})
    yield DONE


def llama_cpp(tokens: Sequence[str], *, usage: bool, finish: str = "stop") -> Iterator[bytes]:
    base = {
        "created": 1790000000,
        "id": "chatcmpl-9IJAvk5X9QlleHba87OyJK1SWq6qJIhS",
        "model": "SmolLM2-135M-Instruct.Q4_1.gguf",
        "system_fingerprint": "b0-unknown",
        "object": "chat.completion.chunk",
    }
    role = [{"finish_reason": None, "index": 0, "delta": {"role": "assistant", "content": None}}]
    for done in (0, 64, INPUT_TOKENS):
        progress = {"total": INPUT_TOKENS, "cache": 0, "processed": done, "time_ms": 5}
        yield _sse({"choices": role, **base, "prompt_progress": progress})
    for token in tokens:
        yield _chunk(base, {"content": token}, None)
    yield _chunk(base, {}, finish)
    if usage:
        timings = {"cache_n": 0, "prompt_n": INPUT_TOKENS, "predicted_per_second": 50.3}
        yield _sse({**base, "choices": [], "usage": _usage(len(tokens)), "timings": timings})
    yield DONE


def lm_studio(tokens: Sequence[str], *, usage: bool, finish: str = "stop") -> Iterator[bytes]:
    base = {
        "id": "chatcmpl-nz4rwbt7hjmk",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "qwen2.5-7b-instruct",
        "system_fingerprint": "qwen2.5-7b-instruct",
    }
    for token in tokens:
        yield _chunk(base, {"role": "assistant", "content": token}, None, logprobs=None)
    yield _chunk(base, {}, finish, logprobs=None)
    if usage:
        yield _sse({**base, "choices": [], "usage": _usage(len(tokens))})
    yield DONE


def openrouter(tokens: Sequence[str], *, usage: bool, finish: str = "stop") -> Iterator[bytes]:
    base = {
        "id": "gen-1790000000-abc",
        "provider": "DeepInfra",
        "model": "meta-llama/llama-3.1-8b-instruct",
        "object": "chat.completion.chunk",
        "created": 1790000000,
    }
    yield b": OPENROUTER PROCESSING\n\n"
    for token in tokens:
        delta = {"role": "assistant", "content": token, "reasoning": None}
        yield _chunk(base, delta, None, native_finish_reason=None, logprobs=None)
        yield b": OPENROUTER PROCESSING\n\n"
    yield _chunk(base, {"role": "assistant", "content": ""}, finish, native_finish_reason=finish)
    if usage:
        empty = [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
        yield _sse({**base, "choices": empty, "usage": {**_usage(len(tokens)), "cost": 0.00014}})
    yield DONE


SHAPES: dict[str, Callable[..., Iterator[bytes]]] = {
    "openai": openai,
    "ollama": ollama,
    "vllm": vllm,
    "llama_cpp": llama_cpp,
    "lm_studio": lm_studio,
    "openrouter": openrouter,
}


def whole(tokens: Sequence[str]) -> bytes:
    """Build the answer of a service that never streams."""
    message = {"role": "assistant", "content": "".join(tokens), "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice]}
    return json.dumps({**answer, "usage": _usage(len(tokens))}).encode()


def _error(message: str, param: str | None, code: str | None) -> dict[str, Any]:
    kind = "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


# member of the request → (HTTP status, body) of a service that refuses it
REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "max_tokens": (
        400,
        _error(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        ),
    ),
    "temperature": (
        400,
        _error(
            "Unsupported value: 'temperature' does not support 0.4 with this model. "
            "Only the default (1) value is supported.",
            "temperature",
            "unsupported_value",
        ),
    ),
    "stream_options": (  # Mistral, and others that check with Pydantic
        422,
        {
            "object": "error",
            "message": {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "stream_options"],
                        "msg": "Extra inputs are not permitted",
                        "input": {"include_usage": True},
                    }
                ]
            },
            "type": "invalid_request_error",
        },
    ),
    "response_format": (  # DeepSeek
        400,
        _error("This response_format type is unavailable now", None, "invalid_request_error"),
    ),
}
