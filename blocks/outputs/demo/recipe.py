"""A recipe: the prompts that suit the demo model, in the place of the shipped ones.

What an admin wrote stays. The recipe replaces only a text that is blank or still the shipped one.
Source: specs/050-live-ai-interaction/decisions/028-a-recipe-for-the-demo-model.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blocks.outputs.base import Turn
from blocks.outputs.prompting import render
from blocks.spec import BlockSpec

Examples = tuple[tuple[str, str], ...]
"""Pairs of a prompt and the model's answer to it."""

_NO_TEMPLATE = ("", "$prompt")


@dataclass(frozen=True, slots=True)
class Recipe:
    system: str
    template: str  # with $prompt and the options' names
    shipped_system: str  # the text that `system` replaces
    shipped_template: str

    def turns(
        self, spec: BlockSpec, prompt: str, options: Mapping[str, Any], examples: Examples
    ) -> tuple[Turn, ...]:
        """Return the system prompt, each example as one turn of each side, and the question."""
        own = spec.system_prompt
        system = self.system if own.strip() in ("", self.shipped_system) else own
        own = spec.prompt_template
        is_own = own.strip() not in (*_NO_TEMPLATE, self.shipped_template)
        template = own if is_own else self.template
        return (
            Turn("system", render(system, prompt, options)),
            *(
                turn
                for asked, answer in examples
                for turn in (
                    Turn("user", render(template, asked, options)),
                    Turn("assistant", answer),
                )
            ),
            Turn("user", render(template, prompt, options)),
        )


def example_key(prompt: str, answer: str) -> str:
    """Return a key of a worked example, whatever its blanks and lines; '' if there is none."""
    if not prompt.strip() or not answer.strip():
        return ""
    marks = "".join(f"{prompt}{answer}".split())
    return hashlib.sha256(marks.encode("utf-8", "replace")).hexdigest()[:16]


def dry(multiplier: float, allowed_length: int) -> dict[str, Any]:
    """Return llama.cpp's parameters against loops.

    A penalty on single tokens would also count the marks that the form needs. DRY ("don't repeat
    yourself") counts only sequences longer than `allowed_length` tokens.
    """
    return {
        "dry_multiplier": multiplier,
        "dry_base": 1.75,
        "dry_allowed_length": allowed_length,
        "dry_penalty_last_n": 1_500,  # llama.cpp's server refuses -1
        # The default ones also break at quotes and colons: what stands between two then repeats.
        "dry_sequence_breakers": ["\n"],
        "min_p": 0.05,
    }
