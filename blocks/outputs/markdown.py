"""Plain text with Markdown, shown as it arrives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from blocks.continuation import CONTINUES, NOTHING, Earlier, EndedAnswer
from blocks.delta import Delta, FinishReason, Text
from blocks.errors import InvalidInput
from blocks.outputs.base import Ask
from blocks.outputs.demo.prose import DemoProseAnswer
from blocks.outputs.prompting import chat
from blocks.spec import BlockSpec

MAX_EARLIER = 200_000
"""The longest text that can be continued, in characters."""


class MarkdownOutput:
    name: ClassVar[str] = "markdown"
    label: ClassVar[str] = "Text (Markdown)"
    noun: ClassVar[str] = "text"
    structured: ClassVar[bool] = False

    def begin(
        self,
        spec: BlockSpec,
        prompt: str,
        options: Mapping[str, Any],
        *,
        seed: str,
        repair: bool,
        earlier: Earlier = NOTHING,
    ) -> MarkdownAnswer | DemoProseAnswer:
        if spec.is_demo:
            return DemoProseAnswer(spec, prompt, options)
        return MarkdownAnswer(Ask(chat(spec, prompt, options)))

    def earlier_of(self, answers: Sequence[EndedAnswer], options: Mapping[str, Any]) -> Earlier:
        last = answers[-1]
        text = "".join(answer.text for answer in answers)
        if last.finish_reason not in (None, "length"):
            raise InvalidInput(CONTINUES, "This answer is finished; there is nothing to continue.")
        if last.error == "refused":
            raise InvalidInput(CONTINUES, "The model declined to answer, so it can't continue.")
        if not text.strip():
            raise InvalidInput(CONTINUES, "This answer has no text to continue.")
        if len(text) > MAX_EARLIER:
            message = f"This answer is longer than {MAX_EARLIER:,} characters, the most that can be"
            raise InvalidInput(CONTINUES, f"{message} continued.")
        return Earlier(text=text)

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
