"""The core against a played server: any cuts and refusals, and each event comes once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveai.client import LiveAIError, Patience, Status, Terminal
from liveai.client.access import CONFIG, OPENING_SECONDS, Access
from liveai.client.calls import cancel, start_of
from liveai.client.following import Following
from liveai.client.state import AnswerState
from liveai.client.steps import LOST, OPENED, Call, Lost, Open, Opened, Reply, Wait
from tests.specs.fixture import FIXTURES
from tests.support.client.played import CSRF, PlayedServer, problem

RUN = json.loads((FIXTURES / "run-quiz-repaired.json").read_text("utf-8"))
EVENTS: list[dict[str, Any]] = RUN["events"]
STREAM_ID = EVENTS[0]["stream_id"]
LAST = EVENTS[-1]["seq"]
PATIENCE = Patience()


def following(
    *,
    token: str | None = "t",
    renews: bool = False,
    state: AnswerState | None = None,
    patience: Patience = PATIENCE,
) -> Following:
    access = Access("https://ai.example", token=token, renews=renews)
    ids = {"request_id": None, "continues": None, "sample": None}
    start = start_of("quiz", "Planets", {"questions": 1}, **ids) if state is None else None
    return Following(
        access,
        state or AnswerState(),
        start=start,
        patience=patience,
        random=lambda: 0.5,
    )


def logged(emitted: list[Any]) -> list[int]:
    return [event.seq for event in emitted if not isinstance(event, Status)]


LATER = [
    problem(503, "shutting_down", retry_after="1"),
    problem(429, "rate_limited", retry_after="3"),
    Reply(502, {}, None),
]
ANSWERS = st.lists(st.sampled_from([None, LOST, OPENED, *LATER]), max_size=9)
CUTS = st.lists(st.integers(0, len(EVENTS)), max_size=9)
# Together fewer than `PATIENCE.attempts`.


@given(cuts=CUTS, answers=ANSWERS)
def test_any_cuts_and_refusals_give_each_event_once(
    cuts: list[int], answers: list[Reply | Lost | Opened | None]
) -> None:
    server = PlayedServer(EVENTS, cuts=list(cuts), answers=list(answers))
    answer = following(patience=Patience(unproven_attempts=PATIENCE.attempts))
    emitted = server.play(answer.steps())
    assert logged(emitted) == list(range(LAST + 1))
    assert [event for event in emitted if isinstance(event, Terminal)] == emitted[-1:]
    assert [type(event) for event in emitted].count(Status) == 1
    assert answer.state.items == tuple(RUN["final"]["items"])
    assert server.started == {answer.request_id}  # however often the start was sent
    posts = [request.body for request in server.requests if request.method == "POST"]
    assert all(body == posts[0] for body in posts)


@given(after=st.integers(-1, LAST), cuts=CUTS)
def test_joining_after_an_event_gives_what_follows_it(after: int, cuts: list[int]) -> None:
    state = AnswerState(stream_id=STREAM_ID, after=after)
    server = PlayedServer(EVENTS, cuts=list(cuts))
    emitted = server.play(following(state=state).steps())
    # Whoever has the end already gets it once more: an answer without an end would be none.
    assert logged(emitted) == list(range(min(after + 1, LAST), LAST + 1))


def test_the_server_says_how_long_to_wait() -> None:
    server = PlayedServer(EVENTS, answers=[LATER[1], Reply(502, {}, None)])
    server.play(following().steps())
    own = [PATIENCE.backoff(attempt, 0.5) for attempt in range(2)]
    assert server.waits == [3.0 + own[0], own[1]]


def test_a_reconnect_waits_for_as_long_as_it_says_and_goes_on() -> None:
    reconnect = {"type": "reconnect", "stream_id": STREAM_ID, "retry_ms": 1000}
    server = PlayedServer(EVENTS)
    plain = server._frames

    def frames(after: int, cut: int | None) -> Any:
        if after >= 2:
            yield from plain(after, cut)
        else:
            yield from [*list(plain(after, None))[:4], reconnect]

    server._frames = frames  # type: ignore[method-assign]
    assert logged(server.play(following().steps())) == list(range(LAST + 1))
    assert server.waits == [1.0 + PATIENCE.backoff(0, 0.5)]


@pytest.mark.parametrize(
    ("refusal", "code", "retry_after"),
    [
        (problem(404, "unknown_block"), "unknown_block", None),
        (problem(429, "quota_exceeded", retry_after="3600"), "quota_exceeded", 3600.0),
        (problem(503, "paused"), "paused", None),
        (problem(409, "request_conflict"), "request_conflict", None),
        (Reply(302, {}, None), "http_302", None),
    ],
)
def test_a_refusal_that_no_wait_cures_is_raised(
    refusal: Reply, code: str, retry_after: float | None
) -> None:
    server = PlayedServer(EVENTS, answers=[refusal])
    with pytest.raises(LiveAIError) as raised:
        server.play(following().steps())
    assert (raised.value.code, raised.value.retry_after) == (code, retry_after)
    assert raised.value.status == refusal.status
    assert server.waits == []


def test_patience_ends_sooner_where_nothing_ever_answered() -> None:
    server = PlayedServer(EVENTS, answers=[LOST] * 100)
    with pytest.raises(LiveAIError, match="unreachable"):
        server.play(following().steps())
    assert len(server.waits) == PATIENCE.unproven_attempts
    server = PlayedServer(EVENTS, cuts=[3], answers=[None, *[LOST] * 100])
    with pytest.raises(LiveAIError, match="connection_lost"):
        server.play(following().steps())
    assert len(server.waits) == PATIENCE.attempts
    assert max(server.waits) <= PATIENCE.most_seconds


def test_a_line_that_opens_and_brings_nothing_ends_patience_too() -> None:
    server = PlayedServer(EVENTS, cuts=[1] * 100)
    with pytest.raises(LiveAIError, match="connection_lost"):
        server.play(following().steps())
    assert len(server.waits) == PATIENCE.attempts


def test_an_event_renews_patience() -> None:
    server = PlayedServer(EVENTS, cuts=[2] * LAST)  # a start and one event
    emitted = server.play(following(patience=Patience(attempts=1)).steps())
    assert logged(emitted) == list(range(LAST + 1))
    assert len(server.waits) == LAST


# --- who asks ----------------------------------------------------------------------


def test_a_token_that_runs_out_is_renewed_in_mid_answer() -> None:
    server = PlayedServer(EVENTS, cuts=[4], tokens=["one", "two"], accepted="one")
    answer = following(token=None, renews=True)
    emitted = []
    steps = answer.steps()
    outcome: Any = None
    while True:
        try:
            step = steps.send(outcome)
        except StopIteration:
            break
        outcome = server.take(step)
        if event := getattr(step, "event", None):
            emitted.append(event)
            server.accepted = "two" if event.seq >= 2 else "one"
    assert logged(emitted) == list(range(LAST + 1))
    assert server.tokens == []


def test_a_token_that_is_never_accepted_is_asked_for_twice() -> None:
    server = PlayedServer(EVENTS, tokens=["one", "two", "three"], accepted="other")
    with pytest.raises(LiveAIError, match="not_authenticated"):
        server.play(following(token=None, renews=True).steps())
    assert server.tokens == ["three"]


def test_an_anonymous_client_first_gets_a_session_and_then_sends_its_csrf_token() -> None:
    server = PlayedServer(EVENTS, answers=[problem(403, "csrf_failed")])
    server.play(following(token=None).steps())
    paths = [request.path for request in server.requests]
    start = "/api/stream/ai-block/quiz"
    assert paths == ["/api/config", start, "/api/config", start]
    sent = server.requests[-1].headers
    assert (sent["X-CSRFToken"], sent["Origin"]) == (CSRF, "https://ai.example")


def test_answers_that_begin_together_share_one_session() -> None:
    access = Access("https://ai.example", token=None, renews=False)
    first, second = access.send(Open, CONFIG), access.send(Open, CONFIG)
    assert next(first) == Call(CONFIG)
    assert next(second) == Wait(OPENING_SECONDS)
    opening = first.send(Reply(200, {}, {"csrf_token": CSRF}))
    assert second.send(None) == opening
    assert opening.request.headers["X-CSRFToken"] == CSRF


def test_a_session_that_was_not_to_be_had_is_the_next_ones_to_get() -> None:
    access = Access("https://ai.example", token=None, renews=False)
    first, second = access.send(Open, CONFIG), access.send(Open, CONFIG)
    next(first), next(second)
    with pytest.raises(StopIteration) as ended:
        first.send(LOST)
    assert ended.value.value is LOST
    assert second.send(None) == Call(CONFIG)


@pytest.mark.parametrize("body", [None, {}, {"csrf_token": None}])
def test_a_session_without_its_csrf_token_is_malformed(body: Any) -> None:
    steps = Access("https://ai.example", token=None, renews=False).send(Open, CONFIG)
    next(steps)
    with pytest.raises(LiveAIError, match="malformed"):
        steps.send(Reply(200, {}, body))


# --- cancel ------------------------------------------------------------------------


def _cancel(server: PlayedServer, answer: Following) -> None:
    access = answer._access
    server.play(cancel(access, answer, patience=PATIENCE, random=lambda: 0.5))


def test_a_cancel_before_the_start_sends_no_start() -> None:
    server, answer = PlayedServer(EVENTS), following()
    _cancel(server, answer)
    assert server.requests[0].body == {"request_id": answer.request_id}
    emitted = server.play(answer.steps())
    assert emitted == [Terminal("cancelled", None, -1, "", (), by="owner")]
    assert server.started == set()


def test_a_cancel_by_id_is_repeated_until_the_server_confirms_it() -> None:
    server = PlayedServer(EVENTS, answers=[LOST, problem(503, "store_unavailable")])
    answer = following(state=AnswerState(stream_id=STREAM_ID))
    _cancel(server, answer)
    assert [request.path for request in server.requests] == [f"/api/streams/{STREAM_ID}/cancel"] * 3
    assert len(server.waits) == 2
