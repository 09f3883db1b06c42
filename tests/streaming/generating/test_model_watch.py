"""What the ends of answers say about the configured model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blocks.errors import GenerationError, Refused
from blocks.providers.registry import ProviderConfig, ProviderPool
from streaming.generating.model_watch import ANSWERS, FAILURES, MODEL_ERRORS, ModelWatch
from streaming.protocol.codes import STREAM_ERRORS

OWN = "openai:small"


@pytest.fixture
def watch() -> ModelWatch:
    return ModelWatch(ProviderPool(replace(ProviderConfig(), own_model=OWN)))


def test_it_fails_after_some_failures_in_a_row(watch: ModelWatch) -> None:
    for _ in range(FAILURES):
        assert watch.trouble == ""
        watch.note(OWN, "provider_timeout")
    assert watch.trouble == "the last answers failed: provider_timeout"
    watch.note(OWN, "stop")
    assert watch.trouble == ""


@pytest.mark.parametrize("code", sorted(ANSWERS))
def test_an_answer_in_between_begins_the_count_anew(watch: ModelWatch, code: str) -> None:
    for _ in range(2 * FAILURES):
        watch.note(OWN, "provider_unavailable")
        watch.note(OWN, code)
    assert watch.trouble == ""


@pytest.mark.parametrize("code", ["owner", "deadline_exceeded", "internal", "over_capacity"])
def test_ends_that_the_model_did_not_cause_say_nothing(watch: ModelWatch, code: str) -> None:
    for _ in range(FAILURES):
        watch.note(OWN, code)
    assert watch.trouble == ""
    for _ in range(FAILURES):
        watch.note(OWN, "provider_rejected")
        watch.note(OWN, code)
    assert watch.trouble.endswith("provider_rejected")


def test_other_models_are_not_its_concern(watch: ModelWatch) -> None:
    for _ in range(FAILURES):
        watch.note("openai:other", "provider_unavailable")
        watch.note("sample:pendulum", "provider_unavailable")
    assert watch.trouble == ""


def test_every_code_that_a_provider_causes_is_known() -> None:
    caused = {error.code for error in GenerationError.__subclasses__()} - {Refused.code}
    assert caused - {"invalid_output"} == MODEL_ERRORS
    assert set(STREAM_ERRORS) >= MODEL_ERRORS
