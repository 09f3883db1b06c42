"""A text of the demo model: prompts of its own, and no half sentence at the end.

A text that reaches the length limit loses the sentence that it could not finish. Text that was
shown can't be taken back, so sentences near the limit are shown when they are whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blocks.delta import Delta, FinishReason, Text
from blocks.outputs.base import Ask
from blocks.outputs.demo.prose_examples import ASK_EXAMPLES, EXPLAIN_EXAMPLES
from blocks.outputs.demo.recipe import Examples, Recipe, dry, example_key
from blocks.outputs.prompting import chat
from blocks.spec import BlockSpec

SAMPLING = dry(0.8, 3)
BYTES_AT_ONCE = 2.5  # for each token of the limit; sentences that begin later wait for their end

# The model may end where it likes, but not go on after so many sentences. A dot within a number
# or a name, or behind the number of a list, ends no sentence.
_GRAMMAR = r"""
root ::= (sent gap){0,%d} (sent | open)
sent ::= open [.!?。！？।؟۔] ["'”’)]?
open ::= ([^.!?。！？।؟۔\x00-\x09\x0b-\x1f] | "." [0-9a-z] | [0-9] ". ")+
gap  ::= (" " | "\n"{1,2})?
""".strip()

_MARK = r"(?<!^\d)(?<!\n\d)(?<!\n\d\d)[.!?…][\"'”’»)*_]{0,4}"  # not that of a list's number
_END = re.compile(rf"{_MARK}(?=\s)|[。！？।؟۔]|(?=\n)")
_LAST_END = re.compile(rf"(?:{_MARK}|[。！？।؟۔])\s*$")
_END_LENGTH = 8  # characters in which the end of a sentence is found
_MAX_HELD = 4_096  # characters


@dataclass(frozen=True, slots=True)
class ProseRecipe:
    """The recipe of one shipped block."""

    prompts: Recipe
    examples: Examples
    sentences: int  # at most
    temperature: float
    max_tokens: int
    shipped_example: str  # the key of the example that `examples` replace
    shipped_temperature: float
    shipped_max_tokens: int

    def suits(self, spec: BlockSpec) -> bool:
        """Whether the block has still the prompts that this recipe replaces."""
        example = example_key(spec.example_prompt, spec.example_answer)
        return (spec.system_prompt, spec.prompt_template, example) == (
            self.prompts.shipped_system,
            self.prompts.shipped_template,
            self.shipped_example,
        )


RECIPES = (
    ProseRecipe(
        Recipe(
            system="You are a friendly assistant. Answer in two to four short sentences. Begin with"
            " the answer itself.",
            template="$prompt",
            shipped_system="You are a helpful assistant. Answer the question clearly and to the"
            " point, in a few short paragraphs. If you are not sure, say so.",
            shipped_template="$prompt",
        ),
        ASK_EXAMPLES,
        sentences=4,
        temperature=0.2,
        max_tokens=220,
        shipped_example="",
        shipped_temperature=0.4,
        shipped_max_tokens=600,
    ),
    ProseRecipe(
        Recipe(
            system="You explain things to a ten-year-old child in four to six short, simple"
            " sentences. Compare the thing with something from everyday life.",
            template="Explain to a ten-year-old: $prompt",
            shipped_system="You explain things to a curious ten-year-old. Use short sentences,"
            " simple words and one comparison with something from everyday life. No jargon.",
            shipped_template="Explain this to me like I am ten years old: $prompt",
        ),
        EXPLAIN_EXAMPLES,
        sentences=6,
        temperature=0.3,
        max_tokens=220,
        shipped_example="470ab0cbee46371a",
        shipped_temperature=0.5,
        shipped_max_tokens=500,
    ),
)


def prose_ask(spec: BlockSpec, prompt: str, options: Mapping[str, Any]) -> Ask:
    """Return the request of a text block. One with prompts of its own keeps all of them."""
    recipe = next((one for one in RECIPES if one.suits(spec)), None)
    if recipe is None:
        return Ask(chat(spec, prompt, options), sampling=SAMPLING)
    is_cool = spec.temperature == recipe.shipped_temperature
    is_short = spec.max_tokens == recipe.shipped_max_tokens
    return Ask(
        recipe.prompts.turns(spec, prompt, options, recipe.examples),
        grammar=_GRAMMAR % (recipe.sentences - 1),
        sampling=SAMPLING,
        temperature=recipe.temperature if is_cool else None,
        max_tokens=recipe.max_tokens if is_short else None,
    )


class DemoProseAnswer:
    """An attempt at a text."""

    is_over_limit = False
    prose = ""
    result = None
    dropped: Mapping[str, int] = {}

    def __init__(self, spec: BlockSpec, prompt: str, options: Mapping[str, Any]) -> None:
        ask = prose_ask(spec, prompt, options)
        self._shown_at_once = BYTES_AT_ONCE * (ask.max_tokens or spec.max_tokens)
        self._ask: Ask | None = ask
        self._bytes = 0
        self._has_text = False
        self._sentence = ""  # the open one; of a shown one only the end
        self._is_shown = True  # the open sentence is shown as it grows

    def next_ask(self) -> Ask | None:
        ask, self._ask = self._ask, None
        return ask

    def feed(self, token: str) -> list[Delta]:
        self._bytes += len(token.encode())
        self._has_text = self._has_text or not token.isspace()
        known = len(self._sentence)
        text = self._sentence + token
        ends = (match.end() for match in _END.finditer(text, max(0, known - _END_LENGTH)))
        end = max(ends, default=0)
        was_shown = known if self._is_shown else 0
        if end:
            self._is_shown = False
        if self._bytes <= self._shown_at_once or len(text) - end > _MAX_HELD:
            self._is_shown = True
        shown = text[was_shown:] if self._is_shown else text[was_shown:end]
        kept = max(end, len(text) - _END_LENGTH) if self._is_shown else end
        self._sentence = text[kept:]
        return [Text(shown)] if shown else []

    def close(self, finish_reason: FinishReason) -> list[Delta]:
        rest, self._sentence = self._sentence, ""
        is_lost = finish_reason == "length" and not _LAST_END.search(rest)
        return [] if self._is_shown or is_lost or not rest else [Text(rest)]

    @property
    def is_enough(self) -> bool:
        return self._has_text
