"""Sample answers: written by hand, and replayed at reading speed as if a model wrote them.

Each file of `samples/` is a script (`providers/script.py`) with `block_type`, `output`, `label` and
`prompt`. A sample needs neither a model nor a network.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from django.conf import settings

from .errors import InvalidInput
from .models import BlockType
from .providers.base import Provider
from .providers.script import Script, parse_script
from .providers.scripted import ScriptedProvider
from .spec import BlockSpec

SAMPLES_DIR = Path(__file__).parent / "samples"
MODEL_NAME = "sample"
"""The name that viewers see instead of a model's."""


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    block_type: str
    output: str
    label: str  # what it shows, for people
    prompt: str
    script: Script

    @property
    def model(self) -> str:
        """Its key among the providers. No block type can have such a model."""
        return f"sample:{self.name}"

    def spec(self, block: BlockType) -> BlockSpec:
        """Return the block's spec with this sample in the place of its model and its prompts."""
        return replace(
            block.spec(),
            model=self.model,
            system_prompt="",
            prompt_template="$prompt",
            example_prompt="",
            example_answer="",
        )


@cache
def all_samples() -> tuple[Sample, ...]:
    """Load the packaged samples, in the order of their names."""
    return tuple(_load(path) for path in sorted(SAMPLES_DIR.glob("*.json")))


def samples_of(block: BlockType) -> list[Sample]:
    """Return the samples of a block that visitors may see."""
    if settings.AI_SAMPLES == "never":
        return []
    if settings.AI_SAMPLES == "demo" and not block.spec().is_demo:
        return []
    own = (block.slug, block.output)
    return [sample for sample in all_samples() if (sample.block_type, sample.output) == own]


def get_sample(block: BlockType, name: object) -> Sample:
    """Return a sample of a block that visitors may see.

    Raises:
        InvalidInput: there is none of that name.
    """
    for sample in samples_of(block):
        if sample.name == name:
            return sample
    raise InvalidInput("sample", "Sample not found.")


def spec_of_sample(block: BlockType, name: str) -> BlockSpec | None:
    """Return the spec of a sample that was started, whatever visitors may see now; None if it is
    gone."""
    found: Iterable[Sample] = (sample for sample in all_samples() if sample.name == name)
    return next((sample.spec(block) for sample in found), None)


def sample_providers() -> dict[str, Provider]:
    """Make the providers of the samples, by their model."""
    return {sample.model: ScriptedProvider(sample.script) for sample in all_samples()}


def _load(path: Path) -> Sample:
    data = json.loads(path.read_text("utf-8"))
    return Sample(
        name=path.stem,
        block_type=data["block_type"],
        output=data["output"],
        label=data["label"],
        prompt=data["prompt"],
        script=parse_script(data, model=MODEL_NAME),
    )
