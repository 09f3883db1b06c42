"""The stream document matches the schema at every point of every golden run."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from streaming.database.rows import columns_of, describe, window_of
from streaming.errors import Refused
from streaming.http.problems import problem_body
from streaming.models import Stream
from streaming.protocol.codes import REFUSALS
from streaming.protocol.state import StreamState
from tests.specs.fixture import RUNS
from tests.specs.golden_run import GoldenRun
from tests.support.schema import validate, validate_problem, validate_stream_document
from tests.support.streaming.protocol_client import summary


def _row(run: GoldenRun, state: StreamState) -> Stream:
    row = Stream(
        id=run.head.stream_id,
        owner="anonymous:x",
        block_type=run.head.block_type,
        model=run.head.model,
        prompt="Why?",
        request_id=run.head.request_id,
        continues=run.head.continues,
        mark=99_999,
        created_at=timezone.now(),
        ended_at=timezone.now() if state.terminal else None,
    )
    for name, value in columns_of(state).items():
        setattr(row, name, value)
    return row


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_resource_fits_at_every_point_from_the_log_and_from_the_row(run: GoldenRun) -> None:
    for cut in range(len(run.events) + 1):
        state = run.window(cut).state
        row = _row(run, state)
        validate_stream_document(describe(row, state))
        assert describe(row) == describe(row, state)
        validate("listed_stream", describe(row, without=("items",)))
        if state.terminal is None:
            validate("active_stream", describe(row, state, without=("text",)))


@pytest.mark.parametrize(
    "run", [run for run in RUNS if run.events[-1].is_terminal], ids=lambda run: run.name
)
def test_a_row_gives_back_the_state_that_its_stream_ended_with(run: GoldenRun) -> None:
    state = run.window().state
    assert summary(window_of(_row(run, state)).state) == summary(state)


@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_is_a_problem_that_fits(code: str) -> None:
    document = json.loads(problem_body(Refused(code)))
    validate_problem(document)
    assert (document["code"], document["status"]) == (code, REFUSALS[code].status)
