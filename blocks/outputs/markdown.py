"""Plain text with Markdown, shown as it arrives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from blocks.delta import Delta, FinishReason, Text
from blocks.outputs.base import Ask
from blocks.outputs.demo.prose import DemoProseAnswer
from blocks.outputs.prompting import chat
from blocks.spec import BlockSpec


class MarkdownOutput:
    name: ClassVar[str] = "markdown"
    label: ClassVar[str] = "Text (Markdown)"
    structured: ClassVar[bool] = False

    def begin(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], *, seed: str, repair: bool
    ) -> MarkdownAnswer | DemoProseAnswer:
        if spec.is_demo:
            return DemoProseAnswer(spec, prompt, options)
        return MarkdownAnswer(Ask(chat(spec, prompt, options)))

    def example_problem(self, example_answer: str) -> str:
        return ""


class MarkdownAnswer:
    is_over_limit = False
    prose = ""
    result = None
    dropped: Mapping[str, int] = {}

    def __init__(self, ask: Ask) -> None:
        self._ask: Ask | None = ask
        self._has_text = False

    def next_ask(self) -> Ask | None:
        ask, self._ask = self._ask, None
        return ask

    def feed(self, token: str) -> Sequence[Delta]:
        if not token:
            return ()
        if not self._has_text:
            self._has_text = not token.isspace()
        return (Text(token),)

    def close(self, finish_reason: FinishReason) -> Sequence[Delta]:
        return ()

    @property
    def is_enough(self) -> bool:
        return self._has_text
