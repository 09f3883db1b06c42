from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from blocks.models import BlockType
from blocks.outputs.registry import OUTPUTS

JSON_SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}


def block(**changes: Any) -> BlockType:
    return BlockType(**({"slug": "tale", "title": "Tale"} | changes))


def problems_of(**changes: Any) -> dict[str, list[str]]:
    try:
        block(**changes).full_clean(validate_unique=False)
    except ValidationError as error:
        return error.message_dict
    return {}


def test_a_title_and_a_slug_are_enough() -> None:
    assert problems_of() == {}


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"slug": "a b"}, "slug", "slug"),
        ({"output": "video"}, "output", "video"),
        ({"options_schema": {"type": "array"}}, "options_schema", "object"),
        (
            {"options_schema": {"properties": {"prompt": {"type": "string"}}}},
            "options_schema",
            "API",
        ),
        ({"prompt_template": "Tell a tale"}, "prompt_template", "$prompt"),
        ({"prompt_template": "$prompt in $tone"}, "prompt_template", "$tone"),
        ({"prompt_template": "$prompt for 5 $"}, "prompt_template", "$$"),
        ({"system_prompt": "Be $tone"}, "system_prompt", "$tone"),
        ({"output": "json"}, "answer_schema", "needs an answer schema"),
        ({"output": "json", "answer_schema": {"type": "array"}}, "answer_schema", "object"),
        ({"output": "json", "answer_schema": [1]}, "answer_schema", "object"),
        ({"model": "gpt-5"}, "model", "openai:NAME"),
        ({"model": "cloud:gpt"}, "model", "cloud:gpt"),
        ({"model": "local:"}, "model", "local:"),
        ({"model": "openai:a b"}, "model", "spaces"),
        ({"model": "openai:a\tb"}, "model", "openai:NAME"),
        ({"model": "openai:a\x00b"}, "model", "openai:NAME"),
        ({"model": "openai:" + "a" * 200}, "model", "200"),
        ({"model": "scripted:none"}, "model", "no script"),
        ({"model": "scripted:../demo"}, "model", "letters"),
        ({"model": "local:smollm"}, "model", "local:PATH.gguf"),
        ({"model": "local:none.gguf"}, "model", "not there"),
        ({"model": "local:/etc/passwd.gguf"}, "model", "AI_MODELS_DIR"),
        ({"temperature": 2.5}, "temperature", "2"),
        ({"max_tokens": 0}, "max_tokens", "1"),
        ({"prompt_limit": 0}, "prompt_limit", "1"),
        ({"example_prompt": "x"}, "example_answer", "both"),
        ({"example_answer": "x"}, "example_answer", "both"),
        (
            {"output": "quiz", "example_prompt": "x", "example_answer": "x"},
            "example_answer",
            "JSON",
        ),
        ({"output": "quiz", "on_generator_lost": "continue"}, "on_generator_lost", "middle"),
        ({"on_abandon": "never"}, "on_abandon", "never"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(changes: dict[str, Any], field: str, word: str) -> None:
    problems = problems_of(**changes)
    assert list(problems) == [field]
    assert word in " ".join(problems[field])


def test_options_may_be_used_in_both_templates() -> None:
    options = {"properties": {"tone": {"type": "string", "default": "dry"}}}
    assert not problems_of(
        options_schema=options, system_prompt="Be $tone, $$5", prompt_template="${prompt}: $tone"
    )


def test_a_json_block_with_a_schema_is_fine() -> None:
    assert not problems_of(output="json", answer_schema=JSON_SCHEMA)


def test_a_blank_model_is_the_project_s(settings: Any) -> None:
    settings.AI_MODEL = "scripted:demo"
    assert block().spec().model == "scripted:demo"
    assert block(model="openai:x").spec().model == "openai:x"
    settings.AI_MODEL = "nonsense"
    assert not problems_of(), "the project's setting is not the block's fault"


@pytest.mark.parametrize("output", list(OUTPUTS))
def test_what_happens_when_the_generator_is_lost_follows_the_output(output: str) -> None:
    by_default = "restart" if OUTPUTS[output].structured else "continue"
    assert block(output=output).spec().on_generator_lost == by_default
    assert block(output=output, on_generator_lost="continue").spec().on_generator_lost == by_default
    assert block(output=output, on_generator_lost="restart").spec().on_generator_lost == "restart"
    assert block(output=output, on_generator_lost="fail").spec().on_generator_lost == "fail"


def test_the_spec_is_the_row() -> None:
    row = block(
        output="json", answer_schema=JSON_SCHEMA, streaming=False, on_abandon="cancel", max_tokens=9
    )
    spec = row.spec()
    same = ("slug", "title", "output", "system_prompt", "prompt_template", "example_prompt")
    same += ("example_answer", "answer_schema", "temperature", "max_tokens", "streaming")
    assert all(getattr(spec, name) == getattr(row, name) for name in same)
    assert spec.on_abandon == "cancel"


def test_a_script_that_can_not_be_played_is_no_model(settings: Any, tmp_path: Path) -> None:
    settings.AI_SCRIPTS_DIR = tmp_path
    (tmp_path / "broken.json").write_text('{"steps": [{"sing": true}]}')
    assert "can't be played" in problems_of(model="scripted:broken")["model"][0]


@pytest.mark.parametrize(
    ("base_url", "key", "word"),
    [
        ("https://api.openai.com/v1", "", "AI_API_KEY"),
        ("https://api.openai.com/v1", "sk-x", ""),
        ("http://127.0.0.1:11434/v1", "", ""),
        ("nonsense", "sk-x", "AI_BASE_URL"),
    ],
)
def test_a_model_of_an_api_needs_an_address_and_maybe_a_key(
    settings: Any, base_url: str, key: str, word: str
) -> None:
    settings.AI_BASE_URL, settings.AI_API_KEY = base_url, key
    (problem,) = problems_of(model="openai:gpt-5").get("model", [""])
    assert (word in problem) if word else not problem


def test_a_model_that_can_work_is_taken(settings: Any, tmp_path: Path) -> None:
    settings.AI_MODELS_DIR = tmp_path
    (tmp_path / "mine.gguf").write_bytes(b"GGUF" + bytes(8))
    for model in ("scripted:demo", "local:mine.gguf", f"local:{tmp_path}/mine.gguf", ""):
        assert problems_of(model=model) == {}, model


def test_a_field_that_is_not_shown_is_not_judged() -> None:
    # The list of blocks edits other fields, and could not show an error of this one.
    block(model="local:gone.gguf").full_clean(exclude=["model"], validate_unique=False)
