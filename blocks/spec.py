"""A block's definition as plain values, read from its row once when a stream starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

OnAbandon = Literal["continue", "cancel"]
OnGeneratorLost = Literal["continue", "restart", "fail"]

DEMO_MODEL = "smollm2-135m"
"""The name of the bundled model, which is very small and often wrong; its kind is `local`."""


@dataclass(frozen=True)
class BlockSpec:
    """Everything that the engine needs from a block. Later edits in the admin do not affect it."""

    slug: str
    title: str
    output: str  # a name in blocks.outputs.registry
    system_prompt: str  # string.Template with $prompt and the option names
    prompt_template: str  # the same placeholders
    example_prompt: str  # input of the worked example; '' = no example
    example_answer: str  # its good answer, in the model's form
    answer_schema: Mapping[str, Any] | None  # JSON Schema; only for output `json`
    model: str  # KIND:NAME, never blank
    temperature: float
    max_tokens: int  # limit of one provider call
    streaming: bool
    on_abandon: OnAbandon
    on_generator_lost: OnGeneratorLost  # `continue` only for plain text output

    @property
    def model_name(self) -> str:
        """The model's name as viewers see it, without its kind or the path of its weights."""
        name = self.model.partition(":")[2]
        return PurePath(name).stem if name.endswith(".gguf") else name

    @property
    def is_local(self) -> bool:
        """Whether the model runs on this machine: it is small, so an output asks it for less."""
        return self._kind_and_name[0] == "local"

    @property
    def is_demo(self) -> bool:
        """Whether the model is the shipped one: an output asks it in a form of its own."""
        return self._kind_and_name == ("local", DEMO_MODEL)

    @property
    def _kind_and_name(self) -> tuple[str, str]:
        kind, _, name = self.model.partition(":")
        return kind.strip(), name.strip()
