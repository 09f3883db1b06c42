"""Builds the turns of a chat from a block's templates and its worked example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from string import Template
from typing import Any

from blocks.outputs.base import Turn
from blocks.spec import BlockSpec


def render(template: str, prompt: str, options: Mapping[str, Any]) -> str:
    """Fill in a template. Unknown placeholders stay as they are, as does any `$` in the prompt."""
    words = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in options.items()
    }
    return Template(template).safe_substitute(words, prompt=prompt)


def user_turn(spec: BlockSpec, prompt: str, options: Mapping[str, Any]) -> str:
    """Render the user's turn; the bare prompt if the template is blank."""
    return render(spec.prompt_template, prompt, options) if spec.prompt_template.strip() else prompt


def chat(
    spec: BlockSpec,
    prompt: str,
    options: Mapping[str, Any],
    *,
    example_answer: str | None = None,
    example_options: Mapping[str, Any] | None = None,
    note: str = "",
) -> tuple[Turn, ...]:
    """Return the system prompt, the worked example as one turn of each side, and the question.

    Args:
        example_answer: replaces the block's own example answer; '' omits the example.
        example_options: the options for the example, if they differ from `options`.
        note: a further line for the model, after the question.
    """
    turns: list[Turn] = []
    if system := render(spec.system_prompt, prompt, options).strip():
        turns.append(Turn("system", system))
    answer = spec.example_answer if example_answer is None else example_answer
    if spec.example_prompt.strip() and answer.strip():
        asked = options if example_options is None else example_options
        turns.append(Turn("user", user_turn(spec, spec.example_prompt, asked)))
        turns.append(Turn("assistant", answer))
    question = user_turn(spec, prompt, options)
    turns.append(Turn("user", f"{question}\n{note}" if note else question))
    return tuple(turns)


def loads_object(text: str) -> dict[str, Any] | None:
    """Parse a text as a JSON object; None if it is not one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
