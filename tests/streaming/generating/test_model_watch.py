"""What the ends of answers say about the configured model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from blocks.errors import GenerationError, ProviderRejected, Refused, RequestRejected
from blocks.models import BlockType
from blocks.providers.base import Piece
from blocks.providers.registry import ProviderConfig, ProviderPool
from streaming.generating.model_watch import (
    ANSWERS,
    FAILURES,
    FORGOTTEN_SECONDS,
    MODEL_ERRORS,
    ModelWatch,
)
from streaming.process import Process
from streaming.protocol.codes import STREAM_ERRORS
from tests.conftest import Play
from tests.support.streaming.viewing import read, start

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


def test_rejected_requests_say_nothing(watch: ModelWatch) -> None:
    for _ in range(FAILURES):
        watch.note(OWN, "provider_rejected", is_of_request=True)
    assert watch.trouble == ""


def test_old_failures_are_forgotten() -> None:
    seconds = 0.0
    watch = ModelWatch(ProviderPool(replace(ProviderConfig(), own_model=OWN)), now=lambda: seconds)
    for _ in range(FAILURES):
        watch.note(OWN, "provider_unavailable")
    seconds = FORGOTTEN_SECONDS - 1
    assert watch.trouble != ""
    seconds = FORGOTTEN_SECONDS
    assert watch.trouble == ""
    watch.note(OWN, "provider_unavailable")  # the first of a new row
    assert watch.trouble == ""


async def test_prompts_that_the_model_rejects_are_no_trouble(
    process: Process, block: BlockType, monkeypatch: pytest.MonkeyPatch, play: Play
) -> None:
    noted: list[bool] = []
    monkeypatch.setattr(
        process.generations.model, "note", lambda *_, is_of_request: noted.append(is_of_request)
    )
    provider = play("never")
    for error in (ProviderRejected, RequestRejected):

        async def reject(_: Any, error: type[Exception] = error) -> AsyncIterator[Piece]:
            raise error
            yield

        monkeypatch.setattr(provider, "stream", reject)
        terminal = (await read(process, (await start(process, block)).feed)).terminal
        assert terminal is not None and terminal["code"] == "provider_rejected"
    await process.generations.ended(20)
    assert noted == [False, True]


def test_other_models_are_not_its_concern(watch: ModelWatch) -> None:
    for _ in range(FAILURES):
        watch.note("openai:other", "provider_unavailable")
        watch.note("sample:pendulum", "provider_unavailable")
    assert watch.trouble == ""


def test_every_code_that_a_provider_causes_is_known() -> None:
    caused = {error.code for error in GenerationError.__subclasses__()} - {Refused.code}
    assert caused - {"invalid_output"} == MODEL_ERRORS
    assert set(STREAM_ERRORS) >= MODEL_ERRORS
