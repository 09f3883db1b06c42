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
    _in_stream(
        "FastChat",
        "`error_code` beside a text",
        {"text": "**NETWORK ERROR**", "error_code": 50001},
        ProviderUnavailable,
    ),
    _in_stream(
        "Baidu",
        "`error_code` and `error_msg`",
        {"error_code": 18, "error_msg": "Open api qps rate limit reached"},
        ProviderRateLimited,
    ),
    _in_stream(
        "SiliconFlow",
        "a number of its own as `code`",
        {"code": 50505, "message": "Model service overloaded.", "data": None},
        ProviderUnavailable,
    ),
    _in_stream(
        "own servers",
        '`"status": "error"`, `"success": false`',
        {"status": "error", "success": False, "message": "Rate limit reached"},
        ProviderRateLimited,
    ),
    _in_stream(
        "API gateways",
        "a message alone",
        {"message": "Internal server error"},
        ProviderUnavailable,
    ),
    _in_stream("mistral.rs", "an error in words", b"The model has failed.", ProviderUnavailable),
    Case(
        "mistral.rs",
        "an error in words in mid-answer, then `[DONE]`",
        "not called complete",
        answers(text("The "), b"data: channel error: model thread has died\n\n", DONE),
        text="The ",
        error=ProviderInterrupted,
    ),
    Case(
        "FastChat",
        "an error in mid-answer, then `[DONE]`",
        "not called complete",
        answers(text("The "), b'data: {"text": "NO", "error_code": 50001}\n\n', DONE),
        text="The ",
        error=ProviderInterrupted,
    ),
    Case(
        "proxies",
        "`event: error` without data, then `[DONE]`",
        "not called complete",
        answers(text("The "), b"event: error\ndata:\n\n", DONE),
        text="The ",
        error=ProviderInterrupted,
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


_TOO_LONG_BODIES: tuple[tuple[str, int, Any], ...] = (
    ("xAI", 400, {"error": "This model's maximum prompt length is 8 but it contains 9 tokens."}),
    ("Cohere", 400, {"message": "too many tokens: the prompt cannot exceed 4081 - received 4292"}),
    ("TGI", 422, {"error": "`inputs` must have less than 1024 tokens. Given: 2048"}),
    ("Moonshot", 400, _error("Your request exceeded model token limit: 8192")),
    ("Zhipu", 400, _error("Prompt exceeds max length", "1261")),
    ("DashScope", 400, _error("Range of input length should be [1, 30720]")),
    ("Bedrock", 400, {"message": "Input is too long for requested model."}),
    ("vLLM", 400, _error("The decoder prompt (length 5000) is longer than the maximum model len")),
    ("llama.cpp", 500, _error("Context size has been exceeded.", 500)),
    ("Groq, GitHub Models", 413, _error("Request body too large", "tokens_limit_reached")),
)

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
    *(
        _status(service, "a prompt that is too long", status, body, ProviderRejected, TOO_LONG)
        for service, status, body in _TOO_LONG_BODIES
    ),
    _status("TGI", "424", 424, {"error": "failed"}, ProviderUnavailable, calls=3),
    _status("Groq", "498", 498, _error("capacity_exceeded"), ProviderUnavailable, calls=3),
    _status("a proxy on the way", "407", 407, {}, ProviderUnavailable, calls=3),
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
        "OpenAI",
        "400 for a prompt against its usage policy, with a link to `/reasoning`",
        400,
        _error("Your prompt was flagged as violating our usage policy. See docs/reasoning"),
        Refused,
        FILTERED,
    ),
    _status(
        "xAI",
        "403 for its usage guidelines",
        403,
        {"code": "no permission", "error": "Content violates usage guidelines."},
        Refused,
        FILTERED,
    ),
    _status(
        "Zhipu",
        "400 in Chinese",
        400,
        _error("系统检测到输入或生成内容可能包含不安全或敏感内容", "1301"),
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
