"""A block as it is run: plain values, read from its row once, when the stream starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

OnAbandon = Literal["continue", "cancel"]
OnGeneratorLost = Literal["continue", "restart", "fail"]


@dataclass(frozen=True)
class BlockSpec:
    """What the engine needs to know of a block; later edits in the admin don't reach it."""

    slug: str
    title: str
    output: str  # a name in blocks.outputs.registry
    system_prompt: str  # string.Template with $prompt and the options' names
    prompt_template: str  # likewise
    example_prompt: str  # the worked example's input; '' = no example
    example_answer: (
        str  # and what a good answer to it looks like, in the form the model is asked for
    )
    answer_schema: Mapping[str, Any] | None  # JSON Schema; for output `json` alone
    model: str  # KIND:NAME, never blank
    temperature: float
    max_tokens: int  # of one provider call
    streaming: bool
    on_abandon: OnAbandon
    on_generator_lost: OnGeneratorLost  # `continue` only where the output is plain text

    @property
    def model_name(self) -> str:
        """The model as viewers are told of it: without its kind, or the path of its weights."""
        name = self.model.partition(":")[2]
        return PurePath(name).stem if name.endswith(".gguf") else name
