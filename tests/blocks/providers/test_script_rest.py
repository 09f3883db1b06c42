import pytest

from blocks.providers.script import (
    Clock,
    End,
    Fail,
    Hang,
    Pause,
    Say,
    Step,
    Tell,
    Turn,
    parse_script,
)
from blocks.providers.script_rest import rest_of

WORDS = {"tokens": ["The", " sky", " is"], "every_ms": 10}
SCRIPT = [
    {"pause_ms": 500},
    WORDS,
    {"usage": {"input_tokens": 1, "output_tokens": 2}},
    {"think": True},
    {"repeat": 2, "steps": [" 1"]},
    {"pause_ms": 100},
    {"json": {"a": 1}},
    {"finish": "length"},
]
SAID = 'The sky is 1 1{"a":1}'


def steps_of(*steps: object) -> tuple[Step, ...]:
    return parse_script({"steps": list(steps)}).replies[0].takes[0]


def rest(so_far: str, *steps: object) -> list:
    return list(rest_of(steps_of(*steps), None, so_far))


def text_of(steps: list) -> str:
    return "".join("".join(step.tokens) for step in steps if isinstance(step, Say))


@pytest.mark.parametrize("cut", range(len(SAID) + 1))
def test_cut_anywhere_what_was_said_and_what_is_left_are_the_whole(cut):
    left = rest(SAID[:cut], *SCRIPT)
    assert SAID[:cut] + text_of(left) == SAID
    assert left[-1] == End("length")
    assert left.count(Tell(1, 2)) == 1


def test_a_token_is_cut_in_two_and_the_pace_stays():
    assert rest("The s", WORDS) == [Say(("ky", " is"), 0.01)]


def test_the_silence_before_the_place_is_over_and_the_one_after_it_is_kept():
    steps = [{"pause_ms": 500}, "a", {"pause_ms": 100}, "b"]
    assert rest("a", *steps) == [Pause(0.1), Say(("b",))]
    assert rest("ab", *steps) == []


@pytest.mark.parametrize("step", [{"hang": True}, {"fail": "provider_interrupted"}])
def test_what_stands_at_the_place_happens(step):
    (left,) = rest("ab", "ab", step)
    assert isinstance(left, Hang | Fail)


@pytest.mark.parametrize(
    ("so_far", "steps"),
    [
        ("The sea", ["The sky"]),
        ("The sky is", ["The sky"]),
        ("The sky is", ["The sky", {"finish": "stop"}, " is"]),
        ("The sky is", ["The sky", {"hang": True}, " is"]),
        ("The sky is", ["The sky", {"fail": "empty_answer"}, " is"]),
        ("12 x", [{"clock": 2}]),
    ],
)
def test_where_the_text_is_another_all_of_the_script_is_what_follows(so_far, steps):
    assert rest(so_far, *steps) == rest("", *steps)


def test_the_times_of_a_clock_are_counted_whatever_they_are():
    assert rest("7 88 ", {"clock": 5, "every_ms": 10}) == [Clock(3, 0.01)]
    assert rest("7 88 ", {"clock": 2}, "x") == [Say(("x",))]
    step = {"clock": 5, "every_ms": 10, "turn_ms": [500, 1000, 2000]}
    assert rest("7 88 ", step) == [Clock(3, 0.01, Turn(0.5, 1.0, 2.0))]


def test_a_long_script_is_read_no_further_than_its_text_is_long():
    steps = steps_of({"repeat": 10**12, "steps": ["ab"]})
    assert next(rest_of(steps, None, "aba")) == Say(("b",))


def test_a_script_that_is_silent_for_ever_does_not_hold_the_loop():
    steps = steps_of({"repeat": 10**12, "steps": [{"pause_ms": 100}]})
    assert next(rest_of(steps, None, "abc")) == Pause(0.1)
