"""What services refuse in a request, and how it is put then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blocks.errors import ProviderRejected
from tests.support.blocks.services.case import Case
from tests.support.blocks.upstream import Behaviour, Refusal

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}}
Body = dict[str, Any]


def _error(message: str, param: str | None = None, code: object = None) -> Body:
    kind = "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _has(name: str) -> Callable[[Body], bool]:
    return lambda body: bool(body.get(name))


def _has_role(role: str) -> Callable[[Body], bool]:
    return lambda body: any(m["role"] == role for m in body["messages"])


def _wants_more_than(tokens: int) -> Callable[[Body], bool]:
    return lambda body: int(body.get("max_tokens", 0)) > tokens


def _refusing(
    *refusals: Refusal, words: tuple[str, ...] = ("The sky ", "is blue.")
) -> tuple[Behaviour, ...]:
    return (Behaviour(refusals=refusals, words=words),)


def _case(
    services: str,
    quirk: str,
    holds: str,
    when: Callable[[Body], bool],
    body: Any,
    status: int = 400,
    **more: Any,
) -> Case:
    more = {"calls": 2, "is_remembered": True, **more}
    return Case(services, quirk, holds, _refusing(Refusal(when, body, status)), **more)


MEMBERS = (
    _case(
        "OpenAI o1, o3, gpt-5",
        "refuses `max_tokens`",
        "asked with `max_completion_tokens`, with room for reasoning and a low effort",
        lambda body: "max_tokens" in body,
        _error(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "max_tokens",
        ),
        asked={"max_completion_tokens": 4024, "reasoning_effort": "low"},
        not_asked=("max_tokens",),
    ),
    Case(
        "Azure, OpenAI without reasoning",
        "takes `max_completion_tokens`, refuses `reasoning_effort`",
        "asked without it",
        _refusing(
            Refusal(
                lambda body: "max_tokens" in body,
                _error("Use 'max_completion_tokens' instead.", "max_tokens"),
            ),
            Refusal(
                _has("reasoning_effort"),
                _error("Unrecognized request argument supplied: reasoning_effort"),
            ),
        ),
        calls=3,
        is_remembered=True,
        not_asked=("reasoning_effort",),
    ),
    _case(
        "OpenAI o1, gpt-5",
        "refuses `temperature`",
        "asked without it",
        lambda body: "temperature" in body,
        _error(
            "Unsupported value: 'temperature' does not support 0.4 with this model.", "temperature"
        ),
        not_asked=("temperature",),
    ),
    _case(
        "Mistral",
        "refuses `stream_options` (422)",
        "asked without it",
        _has("stream_options"),
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "stream_options"],
                    "msg": "Extra inputs are not permitted",
                }
            ]
        },
        422,
        not_asked=("stream_options",),
    ),
    _case(
        "Gemini",
        "refuses `stream_options`, in a list",
        "asked without it",
        _has("stream_options"),
        [
            {
                "error": {
                    "code": 400,
                    "message": 'Invalid JSON payload received. Unknown name "stream_options"',
                }
            }
        ],
        not_asked=("stream_options",),
    ),
    _case(
        "OpenAI, unverified organisations",
        "refuses to stream",
        "asked for the whole, delivered at once",
        _has("stream"),
        _error("Your organization must be verified to stream this model.", "stream"),
        asked={"stream": False},
        not_asked=("stream_options",),
    ),
    _case(
        "OpenAI",
        "`max_tokens` is too large",
        "asked with the number that it names",
        _wants_more_than(20),
        _error(
            "max_tokens is too large: 24. This model supports at most 20 completion tokens.",
            "max_tokens",
            "invalid_value",
        ),
        asked={"max_tokens": 20},
    ),
    _case(
        "any",
        "`max_tokens` is too large, without a number",
        "asked with half",
        _wants_more_than(100),
        _error("max_tokens exceeds the model's limit"),
        max_tokens=160,
        asked={"max_tokens": 80},
    ),
    _case(
        "vLLM",
        "the prompt leaves less than `max_tokens`",
        "asked with what is left, this once",
        _wants_more_than(80),
        _error(
            "This model's maximum context length is 2048 tokens. However, you requested 2128 "
            "tokens (1968 in the messages, 160 in the completion)."
        ),
        max_tokens=160,
        asked={"max_tokens": 80},
        is_remembered=False,
        is_forgotten=True,
    ),
    _case(
        "Anthropic, Cloudflare, Groq",
        "the prompt or a quota leaves less than `max_tokens`, without a number that fits",
        "asked with half, this once",
        _wants_more_than(80),
        _error(
            "The number of input and maximum output tokens (8193) exceeded this model context "
            "window limit (8192)."
        ),
        max_tokens=160,
        asked={"max_tokens": 80},
        is_remembered=False,
        is_forgotten=True,
    ),
    _case(
        "LiteLLM, older Azure",
        "refuses `max_tokens`, names no other parameter",
        "asked with `max_completion_tokens`",
        _has("max_tokens"),
        _error("litellm.UnsupportedParamsError: x does not support parameters: ['max_tokens']"),
        asked={"max_completion_tokens": 4024},
        not_asked=("max_tokens",),
    ),
    _case(
        "TGI, Mistral, Anthropic",
        "the temperature is out of its range",
        "asked without it, this once",
        _has("temperature"),
        _error("temperature: Input should be less than or equal to 0.3", "temperature"),
        not_asked=("temperature",),
        is_remembered=False,
        is_forgotten=True,
    ),
    _case(
        "any",
        "refuses for a reason without a sign",
        "not asked again",
        lambda body: True,
        _error("no"),
        calls=1,
        is_remembered=False,
        text="",
        error=ProviderRejected,
    ),
)

ROLES = (
    _case(
        "vLLM with Gemma or Mistral",
        "has no system role",
        "its text before the first turn",
        _has_role("system"),
        {"object": "error", "message": "System role not supported", "code": 400},
    ),
    _case(
        "OpenAI o1-mini",
        "has no system role",
        "its text before the first turn",
        _has_role("system"),
        _error(
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
            "messages[0].role",
        ),
    ),
    _case(
        "Gemini with Gemma",
        "has no developer instruction",
        "its text before the first turn",
        _has_role("system"),
        _error("Developer instruction is not enabled for models/gemma-3-27b-it"),
    ),
    _case(
        "any",
        "knows developers only",
        "asked with that role",
        _has_role("system"),
        _error("'system' is not supported. Use 'developer' instead."),
    ),
    _case(
        "vLLM",
        "roles must alternate",
        "neighbours are merged",
        _has_role("system"),
        _error("Conversation roles must alternate user/assistant/user/assistant/..."),
    ),
)

JSON_WORDS = ('{"title": ', '"x"}')


def _form(services: str, quirk: str, holds: str, body: Any, status: int = 400, **more: Any) -> Case:
    refusal = Refusal(more.pop("when", _has("response_format")), body, status)
    more = {"calls": 2, "is_remembered": True, "not_asked": ("response_format",), **more}
    return Case(
        services,
        quirk,
        holds,
        _refusing(refusal, words=JSON_WORDS),
        text='{"title": "x"}',
        schema=SCHEMA,
        **more,
    )


def _has_schema(body: Body) -> bool:
    return bool(body.get("response_format", {}).get("type") == "json_schema")


FORMS = (
    _form(
        "DeepSeek",
        "refuses `response_format`",
        "the schema in words",
        _error("This response_format type is unavailable now"),
    ),
    _form(
        "Groq, older Azure",
        "refuses `json_schema`",
        "the schema in words",
        _error("This model does not support response format `json_schema`."),
    ),
    _form(
        "OpenAI before gpt-4o",
        "refuses `json_schema`, names `json_object`",
        "asked with it, the schema in words",
        _error(
            "Invalid value: 'json_schema'. Supported values are: 'text' and 'json_object'.",
            "response_format.type",
        ),
        when=_has_schema,
        not_asked=(),
        asked={"response_format": {"type": "json_object"}},
    ),
    _form(
        "LM Studio",
        "an error as a text",
        "the schema in words",
        {"error": "'response_format.type' must be 'json_schema' or 'text'"},
    ),
    _form(
        "Groq",
        "`json_validate_failed`",
        "once more, then the schema in words",
        _error("Failed to generate JSON. Please adjust your prompt.", code="json_validate_failed"),
        calls=3,
    ),
    _form(
        "llama.cpp",
        "a grammar error (500)",
        "once more, then the schema in words",
        {
            "error": {
                "code": 500,
                "message": "Failed to initialize samplers: failed to parse grammar",
            }
        },
        500,
        calls=3,
    ),
    _form(
        "OpenRouter",
        "404 `No endpoints found`",
        "once more, then the schema in words",
        _error("No endpoints found that can handle the requested parameters.", code=404),
        404,
        calls=3,
    ),
)
