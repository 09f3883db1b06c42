"""How services report errors and refusals."""

from __future__ import annotations

import json
from typing import Any

from blocks.errors import (
    GenerationError,
    ProviderInterrupted,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    Refused,
)
from tests.support.blocks.frames import DONE, finish, frame, text
from tests.support.blocks.services.case import Case, answers
from tests.support.blocks.upstream import Behaviour

FILTERED = "The service's content filter stopped this answer."
NO_CREDIT = "The model's service has no credit left."
TOO_LONG = "The prompt and its answer are too long for this model."


def _in_stream(services: str, quirk: str, body: object, error: type[GenerationError]) -> Case:
    data = b"data: " + (body if isinstance(body, bytes) else json.dumps(body).encode()) + b"\n\n"
    calls = 3 if error in (ProviderRateLimited, ProviderUnavailable) else 1
    return Case(services, quirk, "named", answers(data), text="", error=error, calls=calls)


IN_STREAM = (
    _in_stream(
        "OpenAI, Azure",
        "HTTP 200 with an error object",
        {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}},
        ProviderRejected,
    ),
    _in_stream("own servers", "an error as a text", {"error": "overloaded"}, ProviderUnavailable),
    _in_stream("proxies", "an error as a list", {"error": [{"code": 429}]}, ProviderRateLimited),
    _in_stream(
        "LiteLLM",
        "an error within an error",
        {"error": {"error": {"code": 502}}},
        ProviderUnavailable,
    ),
    _in_stream(
        "FastAPI servers",
        "`detail` as a text",
        {"detail": "Too many requests"},
        ProviderRateLimited,
    ),
    _in_stream(
        "FastAPI servers",
        "`detail` as a list",
        {"detail": [{"loc": ["body", "x"], "msg": "Invalid value"}]},
        ProviderRejected,
    ),
    _in_stream(
        "vLLM, Mistral",
        '`"object": "error"`',
        {"object": "error", "message": "no", "code": 400},
        ProviderRejected,
    ),
    _in_stream(
        "Anthropic",
        '`"type": "error"`',
        {"type": "error", "error": {"type": "overloaded_error"}},
        ProviderUnavailable,
    ),
    _in_stream(
        "MiniMax",
        "`base_resp` with a status",
        {"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}},
        ProviderRateLimited,
    ),
    _in_stream(
        "DashScope",
        "`code` and `message` alone",
        {"code": "Throttling", "message": "slow down"},
        ProviderRateLimited,
    ),
    Case(
        "llama.cpp before 2025-10",
        "a field `error:`",
        "named",
        answers(b'error: {"code": 503}\n\n'),
        text="",
        error=ProviderUnavailable,
        calls=3,
    ),
    Case(
        "proxies",
        "`event: error`",
        "named",
        answers(b"event: error\ndata: Internal Server Error\n\n"),
        text="",
        error=ProviderUnavailable,
        calls=3,
    ),
    Case(
        "proxies",
        "an error body under `text/event-stream`",
        "named",
        answers(b'{"error": {"code": 401}}'),
        text="",
        error=ProviderRejected,
    ),
    Case(
        "OpenRouter",
        "an error in mid-answer",
        "interrupted",
        answers(
            text("The "),
            b'data: {"error": {"code": 502}, "choices": [{"finish_reason": "error"}]}\n\n',
        ),
        text="The ",
        error=ProviderInterrupted,
    ),
)


def _status(
    services: str,
    quirk: str,
    status: int,
    body: Any,
    error: type[GenerationError],
    message: str = "",
    calls: int = 1,
) -> Case:
    plan = (Behaviour(status=status, body=json.dumps(body).encode()),)
    return Case(services, quirk, "named", plan, text="", error=error, message=message, calls=calls)


def _error(message: str, code: object = None) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, "type": "invalid_request_error"}}


BY_STATUS = (
    _status(
        "any",
        "401",
        401,
        _error("Incorrect API key provided"),
        ProviderRejected,
        "The model's service refuses access.",
    ),
    _status(
        "Ollama",
        "404 for an unknown model",
        404,
        _error('model "x" not found'),
        ProviderRejected,
        "The model's service does not know this model.",
    ),
    _status(
        "OpenRouter, DeepSeek",
        "402",
        402,
        _error("Insufficient Balance"),
        ProviderRejected,
        NO_CREDIT,
    ),
    _status(
        "OpenAI",
        "429 `insufficient_quota`",
        429,
        _error("You exceeded your current quota", "insufficient_quota"),
        ProviderRejected,
        NO_CREDIT,
    ),
    _status("any", "429", 429, _error("Rate limit reached"), ProviderRateLimited, calls=3),
    _status(
        "vLLM, OpenAI",
        "a prompt beyond the context",
        400,
        _error("This model's maximum context length is 2048 tokens. However, you requested 2100"),
        ProviderRejected,
        TOO_LONG,
    ),
    _status(
        "Anthropic",
        "a prompt beyond the context",
        400,
        _error("prompt is too long: 210000 tokens > 200000 maximum"),
        ProviderRejected,
        TOO_LONG,
    ),
    _status(
        "llama.cpp",
        "503 while it loads",
        503,
        _error("Loading model", 503),
        ProviderUnavailable,
        "The model is still loading; try again in a moment.",
        calls=3,
    ),
)

REFUSED = (
    Case(
        "OpenAI",
        "`delta.refusal`",
        "in the model's own words",
        answers(
            frame({"refusal": "I'm sorry, "}), frame({"refusal": "I can't."}), finish("stop"), DONE
        ),
        text="",
        error=Refused,
        message="I'm sorry, I can't.",
    ),
    Case(
        "OpenAI, Azure",
        "`content_filter` in mid-answer",
        "what came before stays",
        answers(text("The "), finish("content_filter"), DONE),
        text="The ",
        error=Refused,
        message=FILTERED,
    ),
    Case(
        "Gemini",
        "`PROHIBITED_CONTENT`, `RECITATION`, `SAFETY`",
        "a sentence of ours",
        answers(finish("PROHIBITED_CONTENT")),
        text="",
        error=Refused,
        message=FILTERED,
    ),
    Case(
        "Anthropic",
        "`refusal` as the finish reason",
        "what came before stays",
        answers(text("I "), finish("refusal")),
        text="I ",
        error=Refused,
        message="The model declined to answer.",
    ),
    Case(
        "Zhipu",
        "`sensitive`",
        "a sentence of ours",
        answers(finish("sensitive")),
        text="",
        error=Refused,
        message=FILTERED,
    ),
    _status(
        "Azure",
        "400 `content_filter`",
        400,
        _error("The response was filtered due to the prompt", "content_filter"),
        Refused,
        FILTERED,
    ),
    _status(
        "DeepSeek",
        "400 `Content Exists Risk`",
        400,
        _error("Content Exists Risk"),
        Refused,
        FILTERED,
    ),
    _status(
        "DashScope",
        "400 `data_inspection_failed`",
        400,
        _error("Input data may contain inappropriate content", "data_inspection_failed"),
        Refused,
        FILTERED,
    ),
)
