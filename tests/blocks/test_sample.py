"""The sample answers: all of each is shown, and visitors see those that the operator wants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from blocks.delta import Done, Item, Text
from blocks.errors import InvalidInput
from blocks.models import BlockType
from blocks.providers.script import Pause, Reply, Say, SayJson, Script, Step
from blocks.providers.scripted import ScriptedProvider
from blocks.runtime import engine
from blocks.sample import Sample, all_samples, get_sample, samples_of, spec_of_sample

DEMO_MODEL = "local:smollm2-135m"

READING_SECONDS = (3.0, 25.0)
"""Between these, a sample takes: time to read along, and no time to be bored."""


def block_of(sample: Sample, **fields: Any) -> BlockType:
    return BlockType(
        **{"slug": sample.block_type, "output": sample.output, "model": DEMO_MODEL} | fields
    )


def _seconds_of(step: Step) -> float:
    if isinstance(step, SayJson):
        step = step.said(None)
    if isinstance(step, Say):
        return len(step.tokens) * step.every_seconds
    return step.seconds if isinstance(step, Pause) else 0.0


def _at_once(script: Script) -> Script:
    """The same script without waiting."""

    def hurry(step: Step) -> Step:
        if isinstance(step, Pause):
            return Pause(0.0)
        return replace(step, every_seconds=0.0) if isinstance(step, Say | SayJson) else step

    return replace(
        script,
        replies=tuple(
            Reply(tuple(tuple(map(hurry, take)) for take in reply.takes), reply.schema_has)
            for reply in script.replies
        ),
    )


def test_there_are_a_quiz_a_diagram_and_an_explanation() -> None:
    assert sorted(sample.output for sample in all_samples()) == ["diagram", "markdown", "quiz"]


@pytest.mark.parametrize("sample", all_samples(), ids=lambda sample: sample.name)
class TestEachSample:
    async def test_it_is_whole_and_nothing_of_it_is_dropped(self, sample: Sample) -> None:
        spec = sample.spec(block_of(sample))
        provider = ScriptedProvider(_at_once(sample.script))
        deltas = [
            delta
            async for delta in engine.run(
                spec, sample.prompt, {}, providers={sample.model: provider}, seed="s"
            )
        ]
        done = deltas[-1]
        assert isinstance(done, Done)
        assert (done.finish_reason, done.dropped) == ("stop", {})
        if done.result is None:
            assert "".join(d.token for d in deltas if isinstance(d, Text)).endswith(".")
        else:
            items = [d for d in deltas if isinstance(d, Item)]
            assert all(item.value is not None for item in items)
            [step] = [s for r in sample.script.replies for t in r.takes for s in t
                      if isinstance(s, SayJson)][:1]  # fmt: skip
            for name, list_ in step.value.items():
                if isinstance(list_, list):
                    assert len(done.result[name]) == len(list_)

    def test_it_is_replayed_at_reading_speed(self, sample: Sample) -> None:
        seconds = sum(_seconds_of(step) for reply in sample.script.replies
                      for step in reply.takes[0])  # fmt: skip
        fewest, most = READING_SECONDS
        assert fewest < seconds < most

    def test_the_prompts_and_the_example_of_the_block_do_not_matter(self, sample: Sample) -> None:
        spec = sample.spec(
            block_of(sample, system_prompt="Be brief.", example_prompt="a", example_answer="b")
        )
        assert (spec.system_prompt, spec.prompt_template) == ("", "$prompt")
        assert (spec.example_prompt, spec.example_answer) == ("", "")


@pytest.mark.parametrize(
    ("shown", "model", "is_shown"),
    [
        ("demo", DEMO_MODEL, True),
        ("demo", "openai:gpt-5-mini", False),
        ("demo", "local:/weights/better.gguf", False),
        ("always", "openai:gpt-5-mini", True),
        ("never", DEMO_MODEL, False),
    ],
)
def test_the_operator_decides_who_sees_them(
    settings: Any, shown: str, model: str, is_shown: bool
) -> None:
    settings.AI_SAMPLES = shown
    sample = all_samples()[0]
    block = block_of(sample, model=model)
    assert samples_of(block) == ([sample] if is_shown else [])
    if not is_shown:
        with pytest.raises(InvalidInput, match="Sample not found"):
            get_sample(block, sample.name)


def test_a_block_without_a_model_of_its_own_follows_the_project(settings: Any) -> None:
    settings.AI_SAMPLES = "demo"
    sample = all_samples()[0]
    for model, count in ((DEMO_MODEL, 1), ("scripted:demo", 0)):
        settings.AI_MODEL = model
        assert len(samples_of(block_of(sample, model=""))) == count


@pytest.mark.parametrize("name", ["", "nothing", "../samples/oceans", None, 7, ["oceans"], {}])
def test_a_name_that_is_none_is_refused(settings: Any, name: object) -> None:
    settings.AI_SAMPLES = "always"
    with pytest.raises(InvalidInput) as caught:
        get_sample(block_of(all_samples()[0]), name)
    assert caught.value.field == "sample"


def test_a_block_of_the_same_name_with_another_output_has_none(settings: Any) -> None:
    settings.AI_SAMPLES = "always"
    sample = next(sample for sample in all_samples() if sample.output == "quiz")
    assert samples_of(block_of(sample, output="markdown")) == []


def test_a_started_sample_goes_on_when_it_is_hidden_and_not_when_it_is_gone(settings: Any) -> None:
    settings.AI_SAMPLES = "never"
    sample = all_samples()[0]
    found = spec_of_sample(block_of(sample), sample.name)
    assert found is not None and found.model == sample.model
    assert spec_of_sample(block_of(sample), "of-an-earlier-version") is None
