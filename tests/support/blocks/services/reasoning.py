"""How services and models send what a model thinks before it answers."""

from __future__ import annotations

from blocks.errors import EmptyAnswer
from tests.support.blocks.frames import DONE, THOUGHT, finish, frame, text
from tests.support.blocks.services.case import Case, answers

GOOD = (text("The sky "), text("is blue."), finish("stop"), DONE)


def _tagged(services: str, begin: str, end: str) -> Case:
    return Case(
        services,
        f"`{begin}…{end}` in the text",
        "no part of the answer",
        answers(*(text(part) for part in (begin[:3], begin[3:], "hm", end, "\n\n")), *GOOD),
        thinks=True,
    )


USED_UP = (
    THOUGHT,
    finish("length"),
    frame(None, usage={"prompt_tokens": 9, "completion_tokens": 24}),
    DONE,
)
PAID = (*GOOD[:3], frame(None, usage={"prompt_tokens": 9, "completion_tokens": 40}), DONE)

THINKING = (
    Case(
        "DeepSeek, vLLM, llama.cpp, xAI",
        "`reasoning_content`",
        "no part of the answer",
        answers(frame({"reasoning_content": "hm"}), *GOOD),
        thinks=True,
    ),
    Case(
        "OpenRouter, Ollama, Groq",
        "`reasoning`, `reasoning_details`",
        "no part of the answer",
        answers(frame({"reasoning": "hm", "reasoning_details": [{"text": "hm"}]}), *GOOD),
        thinks=True,
    ),
    Case(
        "Mistral",
        "parts of the type `thinking`",
        "no part of the answer",
        answers(
            frame(
                {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}
            ),
            *GOOD,
        ),
        thinks=True,
    ),
    _tagged("Ollama, LM Studio, vLLM with DeepSeek-R1, Qwen3, MiniMax", "<think>", "</think>"),
    _tagged("Gemini", "<thought>", "</thought>"),
    _tagged("vLLM with Magistral", "[THINK]", "[/THINK]"),
    _tagged("vLLM with Kimi-VL", "◁think▷", "◁/think▷"),
    _tagged("vLLM with Seed-OSS", "<seed:think>", "</seed:think>"),
    _tagged(
        "servers of gpt-oss without its parser",
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
    Case(
        "any",
        "`<think>` later in the text",
        "text",
        answers(text("Write "), text("`<think>`"), finish("stop")),
        text="Write `<think>`",
    ),
    Case(
        "any",
        "`<think>` without an end",
        "never shown",
        answers(text("<think>hm"), finish("stop"), DONE),
        text="",
        error=EmptyAnswer,
        thinks=True,
    ),
    Case(
        "OpenAI o3, gpt-5, any that reasons",
        "all tokens go into the reasoning",
        "once more with more room, both counted",
        (*answers(*USED_UP), *answers(*PAID)),
        calls=2,
        usage=(18, 64),
        asked={"max_tokens": 4024},
        thinks=True,
        is_remembered=True,
    ),
    Case(
        "the same",
        "all tokens of both tries",
        "told",
        answers(*USED_UP),
        text="",
        error=EmptyAnswer,
        message="The model used up its tokens before it said anything.",
        calls=2,
        thinks=True,
    ),
)
