"""How services stream, label and end their answers."""

from __future__ import annotations

import json

from blocks.errors import ProviderInterrupted, ProviderMalformed
from tests.support.blocks.frames import DONE, USAGE, finish, frame, message, text
from tests.support.blocks.services.case import ANSWER, Case, answers
from tests.support.blocks.shapes import SHAPES
from tests.support.blocks.upstream import Behaviour

A, B, STOP = text("The sky "), text("is blue."), finish("stop")
GOOD = (A, B, STOP, DONE)
WHOLE = json.dumps(
    {"choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}]}
).encode()
NAMES = {
    "openai": "OpenAI, Azure",
    "ollama": "Ollama",
    "vllm": "vLLM, SGLang",
    "llama_cpp": "llama.cpp",
    "lm_studio": "LM Studio",
    "openrouter": "OpenRouter",
}


def printed(part: bytes) -> bytes:
    lines = json.dumps(json.loads(part[6:]), indent=1).encode().splitlines()
    return b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


def with_reason(word: object, *words: str) -> tuple[bytes, ...]:
    return tuple(text(word_, finish_reason=word) for word_ in words)


FORMATS = tuple(
    Case(
        NAMES[shape],
        "its own chunks",
        "text and usage",
        (Behaviour(shape=shape, words=("The sky ", "is blue.")),),
        usage=(11, 2),
        thinks=shape in ("ollama", "vllm"),
    )
    for shape in SHAPES
)

LABELS = (
    Case(
        "vLLM, proxies",
        "events labelled `application/json`",
        "streamed: the first byte decides",
        answers(*GOOD, content_type="application/json"),
    ),
    Case("proxies", "events without a label", "streamed", answers(*GOOD, content_type="")),
    Case(
        "own servers",
        "JSON lines, `application/x-ndjson`",
        "streamed",
        answers(*[f[6:-1] for f in GOOD[:3]], content_type="application/x-ndjson"),
    ),
    Case("Opik's proxy", "chunks without `data:`", "streamed", answers(*[f[6:] for f in GOOD])),
    Case(
        "services behind SillyTavern",
        "a whole answer under `text/event-stream`",
        "delivered at once",
        answers(WHOLE),
    ),
    Case(
        "own servers",
        "a whole answer, printed over lines",
        "delivered at once",
        answers(json.dumps(json.loads(WHOLE), indent=2).encode(), content_type="text/plain"),
    ),
    Case(
        "own servers",
        "the chunks as one JSON list",
        "delivered at once",
        answers(
            b"[" + b",\n".join(f[6:].strip() for f in GOOD[:3]) + b"]",
            content_type="application/json",
        ),
    ),
    Case(
        "any, at a wrong address",
        "a web page in place of an answer",
        "the log says that AI_BASE_URL leads to a web page",
        (Behaviour(fault="html"),),
        text="",
        error=ProviderMalformed,
    ),
    Case(
        "proxies of proxies",
        "`data: data: {…}`",
        "streamed",
        answers(*[b"data: " + f for f in GOOD]),
    ),
    Case(
        "proxies",
        "JSON printed over several `data` lines",
        "streamed",
        answers(*map(printed, GOOD[:3]), DONE),
    ),
    Case(
        "own servers",
        "a byte order mark, CRLF",
        "streamed",
        answers(b"\xef\xbb\xbf" + A, B, STOP, DONE, crlf=True),
    ),
    Case("proxies", "bytes cut anywhere", "streamed", answers(*GOOD, slice_bytes=1)),
)

ENDS = (
    Case(
        "OpenAI and most others",
        "`[DONE]` without a finish reason",
        "complete",
        answers(A, B, DONE),
    ),
    Case("Gemini, proxies", "a finish reason without `[DONE]`", "complete", answers(A, B, STOP)),
    Case(
        "Gemini, LiteLLM, one-api",
        "`stop` with every chunk",
        "the answer goes on as long as text comes",
        answers(*with_reason("stop", "The sky ", "is ", "blue."), DONE),
    ),
    Case(
        "Gemini, LiteLLM, one-api",
        "`stop` with every chunk, cut in mid-answer",
        "not called complete",
        answers(*with_reason("stop", "The sky ", "is ")),
        text="The sky is ",
        error=ProviderInterrupted,
    ),
    Case(
        "Gemini, LiteLLM, one-api",
        "`stop` with every chunk, cut within one",
        "not called complete",
        answers(*with_reason("stop", "The sky "), B[:-20]),
        text="The sky ",
        error=ProviderInterrupted,
    ),
    Case(
        "DeepSeek, Zhipu, watsonx, vLLM",
        "`insufficient_system_resource`, `network_error`, `cancelled`, `abort`",
        "not called complete",
        answers(A, finish("insufficient_system_resource"), DONE),
        text="The sky ",
        error=ProviderInterrupted,
    ),
    Case(
        "Anthropic, Bedrock, Zhipu",
        "`model_context_window_exceeded`",
        "cut off, as by `length`",
        answers(A, B, finish("model_context_window_exceeded"), DONE),
        reason="length",
    ),
    Case(
        "proxies of Gemini",
        "`FinishReason.MAX_TOKENS`",
        "cut off, as by `length`",
        answers(A, B, finish("FinishReason.MAX_TOKENS"), DONE),
        reason="length",
    ),
    Case(
        "Ollama, SGLang",
        '`finish_reason` `""` or `"null"` on chunks',
        "ignored",
        answers(*with_reason("", "The sky "), *with_reason("null", "is blue."), STOP),
    ),
    Case(
        "any",
        "neither a finish reason nor `[DONE]`",
        "interrupted",
        answers(A, B),
        error=ProviderInterrupted,
    ),
    Case("proxies", "text after `stop`", "taken as text", answers(A, STOP, B, STOP, DONE)),
    Case(
        "MiniMax",
        "the whole answer once more at the end",
        "once, with its usage",
        answers(
            A,
            B,
            message(
                ANSWER, object="chat.completion", usage={"prompt_tokens": 9, "completion_tokens": 4}
            ),
            DONE,
        ),
        usage=(9, 4),
    ),
    Case(
        "own servers", "a number as the finish reason", "complete", answers(A, B, finish(1), DONE)
    ),
    Case(
        "proxies",
        "`[DONE]` as `DONE` or in quotes",
        "complete",
        answers(A, B, b'data: "[DONE]"\n\n'),
    ),
)


def _with(noise: bytes) -> tuple[Behaviour, ...]:
    return answers(noise, A, noise, B, noise, STOP, noise, DONE)


def _chunk(**members: object) -> bytes:
    return b"data: " + json.dumps(members).encode() + b"\n\n"


ODD = (
    Case(
        "OpenRouter",
        "`: OPENROUTER PROCESSING`",
        "a sign of life",
        _with(b": OPENROUTER PROCESSING\n\n"),
    ),
    Case(
        "services behind hermes-agent",
        "empty `data:`, `event: ping`, `retry:`",
        "ignored",
        _with(b"data:\n\nevent: ping\n\nretry: 3\n\n"),
    ),
    Case(
        "proxies",
        "`data:` with null, a word or an empty list",
        "ignored",
        _with(b"data: null\n\ndata: ping\n\ndata: []\n\ndata: [BEAT]\n\n"),
    ),
    Case(
        "Azure",
        "`choices: []` with filter results",
        "ignored",
        _with(_chunk(choices=[], prompt_filter_results=[{}])),
    ),
    Case(
        "PHP gateways",
        "`choices` null, `{}` or `[null]`; `delta` null or `[]`",
        "ignored",
        _with(
            _chunk(choices=None)
            + _chunk(choices={})
            + _chunk(choices=[None])
            + _chunk(choices=[{"delta": None}])
            + _chunk(choices=[{"delta": []}])
        ),
    ),
    Case(
        "any",
        "a second choice",
        "ignored",
        _with(_chunk(choices=[{"index": 1, "delta": {"content": "x"}}])),
    ),
    Case(
        "proxies",
        "`error` null, false, empty",
        "ignored",
        _with(_chunk(choices=[], error="") + _chunk(choices=[], error={}) + _chunk(error=False)),
    ),
    Case(
        "own servers",
        '`error` that says all is well: `"ok"`, code 0 or 200',
        "ignored",
        _with(
            _chunk(choices=[], error="ok")
            + _chunk(error={"code": 0, "message": "success"})
            + _chunk(error={"code": 200, "message": "OK"})
        ),
    ),
    Case(
        "own servers",
        "a number as content",
        "its digits",
        answers(frame({"content": 42}), frame({"content": 1.5}), STOP),
        text="421.5",
    ),
    Case(
        "Mistral, proxies",
        "content as parts or a list of texts",
        "the text",
        answers(
            frame({"content": [{"type": "text", "text": "The sky "}]}),
            frame({"content": ["is blue."]}),
            STOP,
        ),
    ),
    Case(
        "any",
        "content as parts of a type of their own",
        "the text",
        answers(frame({"content": [{"type": "markdown", "text": "The sky "}]}), B, STOP),
    ),
    Case(
        "llmgateway",
        "a usage that is half there, a list or of texts",
        "what can be read",
        answers(
            text("The sky "),
            frame({"content": "is blue."}, usage={"prompt_tokens_details": {}}),
            STOP,
            frame(None, usage={"prompt_tokens": "12", "completion_tokens": 4.0}),
        ),
        usage=(12, 4),
    ),
    Case(
        "llmgateway",
        "a usage `[]` or negative",
        "no usage",
        answers(
            A,
            B,
            STOP,
            _chunk(choices=[], usage=[]),
            _chunk(choices=[], usage={"prompt_tokens": -1}),
            DONE,
        ),
        usage=(None, None),
    ),
    Case(
        "Moonshot",
        "the usage inside of the choice",
        "taken",
        answers(
            A,
            B,
            frame({}, finish_reason="stop", usage={"prompt_tokens": 5, "completion_tokens": 6})[:-2]
            + b"\n\n",
        ),
        usage=(5, 6),
    ),
    Case(
        "any",
        "a usage in a chunk of its own",
        "taken",
        answers(A, B, STOP, USAGE, DONE),
        usage=(5, 6),
    ),
)
