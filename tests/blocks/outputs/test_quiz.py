from __future__ import annotations

import json
from typing import Any

import pytest

from blocks.delta import Delta, Item, Text
from blocks.outputs.quiz import QuizAnswer, QuizOutput
from tests.contracts.output_contract import OutputContract
from tests.support.blocks.example_spec import spec_of


def question(text: str = "Why?", **changes: Any) -> dict[str, Any]:
    return {
        "question": text,
        "correct": "Right",
        "wrong": ["One", "Two", "Three"],
        "explanation": "Because.",
    } | changes


def begin(questions: int = 3, *, seed: str = "s", repair: bool = False) -> QuizAnswer:
    return QuizOutput().begin(
        spec_of("quiz"),
        "Rivers",
        {"questions": questions, "difficulty": "easy"},
        seed=seed,
        repair=repair,
    )


def feed(answer: QuizAnswer, *questions: Any, title: str = "Rivers") -> list[Delta]:
    return answer.feed(json.dumps({"title": title, "questions": questions})) + answer.close("stop")


class TestQuiz(OutputContract):
    output = QuizOutput()
    spec = spec_of("quiz")
    options = {"questions": 2, "difficulty": "easy"}
    replies = [
        'Sure! {quiz}\n```json\n{"title": "R\\u00edvers \\ud83c\\udf0a", "questions": [\n'
        ' {"question": "Where does\\nwater \\"go\\"? \\\\", "correct": "Down/up", "wrong":'
        ' ["Up", "Left", "R\\/ght"], "explanation": "It is {heavy} []."},'
        ' {"explanation": "e", "wrong": ["a", "b", "c"], "question": "What is \\u0000?",'
        ' "correct": "d"},]}\n```\nEnjoy! {"title": "no"}'
    ]
    forms = [
        {
            "title": "Rivers 🌊",
            "questions": [
                {
                    "question": 'Where does it flow, down or "up"?\nWhy?',
                    "correct": "Down",
                    "wrong": ["Up", "It's still", "{nowhere}, I say"],
                    "explanation": "",
                },
                {
                    "explanation": None,
                    "wrong": [1, 2.5, True],
                    "question": r"What is $\frac{1}{2}$ \times 2?",
                    "correct": "№ 3",
                },
            ],
        }
    ]
    result = {
        "title": "Rívers 🌊",
        "questions": [
            {
                "question": 'Where does\nwater "go"? \\',
                "options": ["Up", "Left", "R/ght", "Down/up"],
                "answer": 3,
                "explanation": "It is {heavy} [].",
            },
            {
                "question": "What is \ufffd?",
                "options": ["d", "a", "b", "c"],
                "answer": 0,
                "explanation": "e",
            },
        ],
    }

    def long_reply(self, size: int) -> str:
        many = [question(f"{number} " + "x" * 100) for number in range(size // 100)]
        return json.dumps({"title": "T", "questions": many})


def test_only_the_title_and_the_questions_grow() -> None:
    deltas = feed(begin(), question(), question("How?"))
    paths = {delta.path for delta in deltas if isinstance(delta, Text)}
    assert paths == {"/title", "/questions/0/question", "/questions/1/question"}


def test_the_place_of_the_right_answer_is_drawn_by_the_seed() -> None:
    def places(seed: str) -> list[int]:
        answer = begin(10, seed=seed)
        feed(answer, *(question(f"{n}?") for n in range(10)))
        for public in answer.result["questions"]:
            assert public["options"][public["answer"]] == "Right"
        return [public["answer"] for public in answer.result["questions"]]

    assert places("a") == places("a")
    assert places("a") != places("b")
    assert set(places("a") + places("b") + places("c")) == {0, 1, 2, 3}


def test_a_model_may_answer_in_the_public_form_and_its_order_is_kept() -> None:
    public = {"question": "Q?", "options": ["a", "b", "c", "d"], "answer": 2, "explanation": "e"}
    for seed in "abcdefgh":
        answer = begin(1, seed=seed)
        feed(answer, public)
        assert answer.result["questions"] == [public]


def test_options_about_the_ones_above_stay_last_and_options_that_name_others_stay_in_place() -> (
    None
):
    def options(seed: str, **changes: Any) -> tuple[list[str], int]:
        answer = begin(1, seed=seed)
        feed(answer, question(**changes))
        (kept,) = answer.result["questions"]
        return kept["options"], kept["answer"]

    for seed in "abcdefgh":
        right = options(seed, correct="All of the above")
        assert right == (["One", "Two", "Three", "All of the above"], 3)
        texts, place = options(seed, wrong=["None of the above", "Two", "Three"])
        assert texts[3] == "None of the above"
        assert texts[place] == "Right"
        assert options(seed, wrong=["One", "Both A and B", "Three"]) == (
            ["Right", "One", "Both A and B", "Three"],
            0,
        )


def test_a_copy_of_the_worked_example_is_void() -> None:
    shown = "Why do lighthouses blink in different rhythms?"
    answer = begin(3)
    feed(
        answer,
        question(shown.upper()),
        question("A?", wrong=["Carthage", "Syracuse", "Three"]),
        question("B?", wrong=["Carthage", "Two", "Three"]),
    )
    assert answer.dropped == {"copied_example": 2}
    assert [one["question"] for one in answer.result["questions"]] == ["B?"]


@pytest.mark.parametrize(
    "prompt", ["Our solar systems", f"Why ask: {'which planet is closest to the sun'}?"]
)
def test_what_the_prompt_speaks_of_is_no_copy(prompt: str) -> None:
    answer = QuizOutput().begin(spec_of("quiz"), prompt, {"questions": 1}, seed="s", repair=False)
    feed(answer, question("Which planet is closest to the Sun?"))
    assert not answer.dropped


def test_a_long_question_ends_with_a_whole_word_and_grows_as_it_ends() -> None:
    words = " ".join(f"word{number}" for number in range(100))
    answer = begin(1)
    text = json.dumps({"title": words, "questions": [question(words, correct=words)]})
    deltas = [delta for char in text for delta in answer.feed(char)] + answer.close("stop")
    (kept,) = answer.result["questions"]
    for path, shown, limit in [
        ("/questions/0/question", kept["question"], 500),
        ("/title", answer.result["title"], 200),
    ]:
        assert words.startswith(shown.removesuffix("…"))
        assert words[len(shown) - 1] == " "
        assert limit - 10 < len(shown) <= limit
        assert "".join(d.token for d in deltas if isinstance(d, Text) and d.path == path) == shown
    assert len(kept["options"][kept["answer"]]) <= 300


def test_a_local_model_is_asked_for_shorter_texts_with_room_for_their_last_word() -> None:
    spec = spec_of("quiz", model="local:small")
    ask = QuizOutput().begin(spec, "x", {"questions": 1}, seed="s", repair=False).next_ask()
    assert ask is not None and ask.schema is not None
    fields = ask.schema["properties"]["questions"]["items"]["properties"]
    assert (fields["question"]["maxLength"], fields["correct"]["maxLength"]) == (165, 75)


QUESTIONS = [question("A?"), question("B?")]
DUMPED = json.dumps(QUESTIONS)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (json.dumps({"quiz_title": "T", "Questions": QUESTIONS}), "T"),
        (json.dumps({"topic": "T", "questions": QUESTIONS}), "T"),
        (json.dumps({"questions": QUESTIONS, "title": "T"}), "T"),
        (json.dumps({"quiz": {"title": "T", "questions": QUESTIONS}}), "T"),
        (json.dumps({"quiz": {"id": 7, "title": "T", "questions": QUESTIONS}}), "T"),
        (json.dumps({"data": {"quiz": {"questions": QUESTIONS}}}), "Quiz"),
        (json.dumps([{"title": "T", "questions": QUESTIONS}]), "T"),
        (json.dumps({"title": "T", "quiz": QUESTIONS}), "T"),
        (json.dumps({"title": "T", "questions": DUMPED}), "T"),
        (json.dumps({"title": "T", "questions": {"1": QUESTIONS[0], "2": QUESTIONS[1]}}), "T"),
        (json.dumps({"question1": QUESTIONS[0], "question2": QUESTIONS[1]}), "Quiz"),
        (json.dumps(json.dumps({"title": "T", "questions": QUESTIONS})), "T"),
        (DUMPED, "Quiz"),
        ("\n".join(json.dumps(one) for one in QUESTIONS), "Quiz"),
        ("\n".join(json.dumps({"id": 1, **one}) for one in QUESTIONS), "Quiz"),
        (
            f'{{"title": "Draft", "questions": []}}\n{{"title": "T", "questions": {DUMPED}}}',
            "T",
        ),
        (
            f'So: {{"title": "…", "questions": [...]}}\n{{"title": "T", "questions": {DUMPED}}}',
            "T",
        ),
        (f'{{"title": "T", "questions": {DUMPED}}}\n{{"title": "U", "questions": [{{}}]}}', "T"),
        (f'{{"title": "T", "tags": ["x"], "level": {{"a": [1]}}, "questions": {DUMPED}}}', "T"),
    ],
)
def test_questions_are_found_however_they_are_wrapped(text: str, title: str) -> None:
    for size in (1, 3, 100_000):
        answer = begin(2)
        for at in range(0, len(text), size):
            answer.feed(text[at : at + size])
        answer.close("stop")
        assert [one["question"] for one in answer.result["questions"]] == ["A?", "B?"]
        assert answer.result["title"] == title
        assert not answer.dropped.keys() - {"not_words"}


def test_the_title_of_a_draft_gives_way_to_the_next_one() -> None:
    answer = begin(1)
    deltas = answer.feed('{"title": "Draft"} ') + answer.feed('{"title": "T", "questions": [')
    assert [d for d in deltas if isinstance(d, Item)] == [Item("/title", None)]
    deltas = answer.feed(json.dumps(question("A?"))) + answer.close("stop")
    assert next(d for d in deltas if isinstance(d, Item)) == Item("/title", "T")


def test_entities_are_decoded_unless_the_quiz_is_about_them() -> None:
    shown = {}
    for prompt in ("Rivers", "HTML entities"):
        answer = QuizOutput().begin(
            spec_of("quiz"), prompt, {"questions": 1}, seed="s", repair=False
        )
        feed(answer, question("R&amp;D?", correct="&lt;"), title="Q&amp;A")
        (kept,) = answer.result["questions"]
        shown[prompt] = (answer.result["title"], kept["question"], kept["options"][kept["answer"]])
    assert shown == {
        "Rivers": ("Q&A", "R&D?", "&lt;"),
        "HTML entities": ("Q&amp;A", "R&amp;D?", "&lt;"),
    }


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (question(wrong=["One", "Two", "one "]), "duplicate_options"),
        (question(wrong=["Right.", "Two", "Three"]), "duplicate_options"),
        (question(wrong=["One", "Two"]), "schema"),
        (question(wrong=["One", "Two", None]), "schema"),
        (question(wrong=["One", "Two", ", "]), "not_words"),
        (question("]: x"), "not_words"),
        (question(wrong="One"), "schema"),
        (question(correct=None), "schema"),
        (question(correct=" "), "schema"),
        (question("  "), "schema"),
        (question("x" * 501), "schema"),
        (question("x" * 501 + " y"), "schema"),
        ("a question?", "schema"),
        (None, "schema"),
        ([], "schema"),
        ({"question": "Q?", "options": list("abcd"), "answer": 5, "explanation": "e"}, ""),
        ({"question": "Q?", "options": list("abcd"), "answer": -1, "explanation": "e"}, ""),
        ({"question": "Q?", "options": list("abcd"), "answer": True, "explanation": "e"}, ""),
        ({"question": "Q?", "options": list("abcd"), "answer": "x", "explanation": "e"}, ""),
        ({"question": "Q?", "options": list("abcd"), "answer": None, "explanation": "e"}, "schema"),
        ({"question": "Q?", "options": list("abcd"), "explanation": "e"}, "schema"),
        ({"question": "Q?", "options": list("abc"), "answer": 0, "explanation": "e"}, "schema"),
        (question("FIRST ONE"), "duplicate_question"),
    ],
)
def test_an_invalid_question_is_void_and_counted_and_its_path_used_again(
    bad: Any, reason: str
) -> None:
    answer = begin(3)
    deltas = feed(answer, question("First one?"), bad, question("Another?"))
    items = [d for d in deltas if isinstance(d, Item) and d.path.startswith("/questions")]
    assert [item.path for item in items] == ["/questions/0", "/questions/1", "/questions/1"]
    assert items[1].value is None
    assert items[2].value["question"] == "Another?"
    assert answer.dropped == {reason or "answer_out_of_range": 1}
    assert [q["question"] for q in answer.result["questions"]] == ["First one?", "Another?"]


def test_more_questions_than_asked_for_are_left_out_and_do_not_grow() -> None:
    answer = begin(1)
    deltas = feed(answer, question("A?"), question("B?"))
    assert answer.dropped == {"too_many": 1}
    assert not [d for d in deltas if isinstance(d, Text) and d.path == "/questions/1/question"]
    assert len(answer.result["questions"]) == 1


@pytest.mark.parametrize(("asked", "kept", "enough"), [(3, 1, False), (3, 2, True), (2, 1, True)])
def test_half_of_the_questions_asked_for_are_enough(asked: int, kept: int, enough: bool) -> None:
    answer = begin(asked)
    feed(answer, *(question(f"{n}?") for n in range(kept)))
    assert answer.is_enough is enough


def test_a_title_that_is_missing_is_made_up_so_that_the_items_are_the_result() -> None:
    answer = begin(1)
    deltas = feed(answer, question(), title=" ")
    assert answer.dropped == {"schema": 1}
    assert deltas[-1] == Item("/title", "Quiz")
    assert answer.result["title"] == "Quiz"


def test_cut_in_a_question_it_is_void_as_cut() -> None:
    answer = begin(2)
    text = json.dumps({"title": "T", "questions": [question("A?"), question("B?")]})
    answer.feed(text[:-20])
    assert answer.close("length")[0] == Item("/questions/1", None)
    assert answer.dropped == {"cut": 1}


def test_broken_off_without_a_limit_the_question_is_malformed() -> None:
    answer = begin(2)
    answer.feed('{"title": "T", "questions": [{"question": "A')
    assert Item("/questions/0", None) in answer.close("stop")
    assert answer.dropped == {"malformed": 1}


def test_of_a_member_that_comes_twice_in_a_question_the_first_counts() -> None:
    answer = begin(1)
    twice = json.dumps(question())[:-1] + ', "question": "Other?"}'
    deltas = [delta for char in '{"questions": [' + twice + "]}" for delta in answer.feed(char)]
    assert "".join(d.token for d in deltas if isinstance(d, Text)) == "Why?"
    assert [one["question"] for one in answer.result["questions"]] == ["Why?"]
    assert not answer.dropped


def test_the_model_is_held_to_the_number_of_questions_and_shown_an_example_of_its_own() -> None:
    ask = begin(5).next_ask()
    assert ask is not None
    assert ask.schema is not None
    questions = ask.schema["properties"]["questions"]
    assert (questions["minItems"], questions["maxItems"]) == (5, 5)
    roles = [turn.role for turn in ask.turns]
    assert roles == ["system", "user", "assistant", "user"]
    assert "3 different questions about: Lighthouses" in ask.turns[1].content
    assert "5 different questions about: Rivers. Difficulty: easy" in ask.turns[3].content


def test_the_repair_says_more_plainly_what_is_wanted() -> None:
    first, second = begin(3).next_ask(), begin(3, repair=True).next_ask()
    assert first is not None and second is not None
    assert second.turns[-1].content.startswith(first.turns[-1].content)
    assert "Ask 3 different questions" in second.turns[-1].content


@pytest.mark.parametrize("asked", [0, -3, 99, "3", None, True])
def test_a_count_that_never_went_through_the_checks_is_brought_into_range(asked: Any) -> None:
    ask = QuizOutput().begin(spec_of("quiz"), "x", {"questions": asked}, seed="s", repair=False)
    schema = ask.next_ask()
    assert schema is not None and schema.schema is not None
    assert 1 <= schema.schema["properties"]["questions"]["maxItems"] <= 10


@pytest.mark.parametrize(
    ("example", "word"),
    [
        ("nonsense", "JSON"),
        ('{"questions": []}', "JSON"),
        (json.dumps({"questions": [question()]}), "title"),
        (json.dumps({"title": "T", "questions": [question(wrong=[])]}), "question 1"),
    ],
)
def test_what_is_wrong_with_an_example_is_said(example: str, word: str) -> None:
    assert word in QuizOutput().example_problem(example)


def test_the_shipped_example_is_right() -> None:
    assert QuizOutput().example_problem(spec_of("quiz").example_answer) == ""
