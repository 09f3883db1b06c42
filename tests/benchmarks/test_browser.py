"""The browser benchmark: its prompts, the figures that it computes, and its goals."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.browser import Case, cases, script, shortfalls
from benchmarks.load.answers import (
    LAST_WORDS,
    TOKEN_CHARS,
    diagram_answers,
    markdown_answer,
    quiz_answer,
)
from benchmarks.load.frames import FRAME_MS, Figures, figures_of, long_frames, medians, percentile
from benchmarks.load.wide_diagrams import NODES
from blocks.outputs.quiz import LENGTHS
from blocks.outputs.quiz_question import read_question
from blocks.providers.base import ChatRequest, Message
from blocks.providers.script import parse_script

GOOD = {
    "elapsed_ms": 5_000.0,
    "frame_p95_ms": 16.7,
    "dropped": 0.01,
    "commits": 100.0,
    "painted_ms": 50.0,
    "typing_max_ms": 30.0,
}


def _sample(gaps: list[float], **more: Any) -> dict[str, Any]:
    """Build frames with these gaps, from the first of the answer to its end."""
    frames = [100.0]
    for gap in gaps:
        frames.append(frames[-1] + gap)
    return {
        "askedAt": 50.0,
        "liveAt": 100.0,
        "paintedAt": frames[-1],
        "endedAt": frames[-1] - 40,
        "frames": frames,
        "commits": [],
        "longFrames": [],
        "keyLags": [],
        **more,
    }


# --- answers --------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [7, 500, 5_000])
def test_a_markdown_answer_has_the_tokens_asked_for_and_ends_with_its_last_words(tokens: int):
    text = markdown_answer(tokens)
    assert len(text) == tokens * TOKEN_CHARS
    assert text.endswith(LAST_WORDS)


def test_an_answer_too_short_for_its_last_words_is_refused():
    with pytest.raises(ValueError, match="too few"):
        markdown_answer(5)


def test_a_markdown_answer_has_all_that_markdown_is_made_of():
    text = markdown_answer(5_000)
    for part in ["\n## ", "\n- ", "\n  1. ", "\n|---|", "\n> ", "**", "](https://"]:
        assert text.count(part) > 10, part
    assert text.count("```") == 2 * sum(
        text.count(f"```{name}") for name in ["python", "ts", "sql"]
    )


def test_every_question_of_the_quiz_passes_the_server():
    for question in quiz_answer(10)["questions"]:
        read_question(question, LENGTHS)


def test_the_diagram_links_every_node_to_an_earlier_one():
    nodes, edges = diagram_answers(NODES)
    assert len(set(nodes["nodes"])) == NODES
    assert [edge["to"] for edge in edges["edges"]] == list(range(2, NODES + 1))
    assert all(1 <= edge["from"] < edge["to"] for edge in edges["edges"])


def _reply(case: Case, schema: dict[str, Any] | None) -> int:
    """Return the position of the reply that answers a case."""
    request = ChatRequest(
        messages=(Message("user", case.prompt),),
        temperature=0,
        max_tokens=600,
        schema=schema,
    )
    replies = parse_script(script()).replies
    return next(place for place, reply in enumerate(replies) if reply.fits(request))


def test_each_pace_of_markdown_has_a_reply_of_its_own():
    asked = [case for case in cases() if case.block == "ask-question"]
    assert [case.typing for case in asked] == [False, False, True, False]
    places = [_reply(case, None) for case in asked]
    assert places[1] == places[2]
    assert len(set(places)) == 3


# --- figures ----------------------------------------------------------------------------


def test_a_gap_of_three_frames_is_two_dropped_of_three():
    figures = figures_of(_sample([FRAME_MS] * 7 + [3 * FRAME_MS]))
    assert figures.dropped == 0.2
    assert figures.frame_p50_ms == 16.7
    assert figures.frame_p95_ms == 50.0


def test_a_frame_that_is_a_little_late_is_not_dropped():
    assert figures_of(_sample([FRAME_MS * 1.4] * 5)).dropped == 0


def test_frames_before_the_answer_and_after_its_end_do_not_count():
    sample = _sample([FRAME_MS] * 4)
    sample["frames"] = [-400.0, *sample["frames"], sample["paintedAt"] + 500]
    assert figures_of(sample).frame_p95_ms == 16.7


def test_commits_count_from_the_key_that_asks_to_the_end():
    sample = _sample([FRAME_MS] * 4, commits=[10.0, 60.0, 120.0, 900.0])
    assert figures_of(sample).commits == 2


def test_long_frames_count_where_they_touch_the_answer():
    long = [{"at": at, "duration": 60.0} for at in (0.0, 60.0, 120.0, 900.0)]
    sample = _sample([FRAME_MS] * 4, longFrames=long)
    assert [frame["at"] for frame in long_frames(sample)] == [60.0, 120.0]
    assert figures_of(sample).long_frames == 2


def test_the_end_is_measured_from_the_servers_end_to_the_frame_that_shows_it():
    assert figures_of(_sample([FRAME_MS] * 9)).painted_ms == 40


def test_typing_is_measured_where_something_was_typed():
    silent = figures_of(_sample([FRAME_MS] * 4))
    assert (silent.typing_p50_ms, silent.typing_max_ms) == (None, None)
    typing = figures_of(_sample([FRAME_MS] * 4, keyLags=[20.0, 90.0, 10.0]))
    assert (typing.typing_p50_ms, typing.typing_max_ms) == (20, 90)


def test_a_browser_that_drew_nothing_is_no_smooth_one():
    with pytest.raises(ValueError, match="no frames"):
        figures_of(_sample([]))


def test_a_percentile_is_one_of_the_values():
    assert percentile([5, 1, 4, 2, 3], 50) == 3
    assert percentile([5, 1, 4, 2, 3], 95) == 5
    assert percentile([7], 95) == 7


def test_a_median_over_the_rounds_leaves_out_what_was_not_measured():
    rounds = [
        Figures(5_000, 16.7, p95, 0.0, commits, 0, 0.0, 30.0)
        for p95, commits in ((16.7, 90), (50.0, 110), (18.0, 100))
    ]
    middle = medians(rounds)
    assert (middle["frame_p95_ms"], middle["commits"]) == (18.0, 100)
    assert middle["typing_max_ms"] is None


# --- goals ------------------------------------------------------------------------------

PLAIN, TYPING = "markdown 1,000/s", "markdown 1,000/s, typing"


def test_the_goals_are_for_cases_that_are_measured():
    assert {PLAIN, TYPING} <= {case.name for case in cases()}


def test_good_figures_miss_no_goal():
    assert shortfalls({PLAIN: GOOD, TYPING: GOOD}) == []


@pytest.mark.parametrize(
    ("case", "figure", "value", "words"),
    [
        (PLAIN, "frame_p95_ms", 20.1, "p95 of the frames is 20.1 ms; the limit is 20 ms"),
        (PLAIN, "dropped", 0.031, "dropped frames are 3.1 %; the limit is 3 %"),
        (PLAIN, "commits", 117, "commits are 117; the limit is 116.1"),
        (PLAIN, "painted_ms", 151.0, "the end is shown after 151 ms; the limit is 150 ms"),
        (TYPING, "typing_max_ms", 101.0, "the slowest keystroke takes 101 ms; the limit is 100 ms"),
    ],
)
def test_what_misses_a_goal_is_said(case: str, figure: str, value: float, words: str):
    assert shortfalls({case: {**GOOD, figure: value}}) == [f"{case}: {words}"]


def test_other_cases_have_no_goal():
    bad = dict.fromkeys(GOOD, 10_000.0)
    assert shortfalls({"markdown 5,000/s": bad, "quiz": bad}) == []
