import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.providers.chat.thinking import MAX_HELD_CHARACTERS, ThinkingSplitter


def split(*parts: str, **settings: bool) -> str:
    splitter = ThinkingSplitter(**settings)
    return "".join(splitter.feed(part) for part in parts) + splitter.end()


FORMS = {
    "DeepSeek, Qwen": "<think>\nLet me see.\n</think>\n\n",
    "no thought": "<think>\n\n</think>\n\n",
    "thinking": "<thinking>Let me see.</thinking>\n",
    "Gemini": "<thought>\nLet me see.\n</thought>",
    "reasoning": "<reasoning>Let me see.</reasoning>",
    "Seed-OSS": "<seed:think>Let me see.</seed:think>",
    "Magistral": "[THINK]Let me see.[/THINK]",
    "Kimi-VL": "◁think▷Let me see.◁/think▷",
    "Gemma 4": "<|channel>thought\nLet me see.<channel|>",
    "Command A": "<|START_THINKING|>Let me see.<|END_THINKING|><|START_RESPONSE|>",
    "gpt-oss": "<|channel|>analysis<|message|>Let me see.<|end|>"
    "<|start|>assistant<|channel|>final<|message|>",
    "gpt-oss, final alone": "<|channel|>final<|message|>",
    "an end alone": "</think>\n\n",
    "leading blanks": "\n\n  <think>Let me see.</think>",
    "a byte order mark": "\ufeff<think>Let me see.</think>",
    "blanks without a width": "\u200b\n<think>Let me see.</think>\u200b\u2060\n",
    "twice": "<think>Let me see.</think>\n<think>Once more.</think>\n",
    "upper case": "<THINK>Let me see.</THINK>",
    "marks in it": "<think>a < b, </thin, [THINK] and <think> are no end</think>",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_the_reasoning_at_the_beginning_is_no_text(form, size):
    answer = f"{FORMS[form]}The sky is blue.\n"
    parts = [answer[i : i + size] for i in range(0, len(answer), size)]
    assert split(*parts) == "The sky is blue.\n"


@pytest.mark.parametrize(
    "text",
    [
        "Use `<think>` to think.",
        "`<think>` and `</think>`",
        "The tag <think>x</think> is text here.",
        "  \n indented",
        "\ufeffmarked",
        "<thin ice",
        "<",
        "[THINKER] he said",
        "",
        "```html\n<think>x</think>\n```",
        " " * (MAX_HELD_CHARACTERS + 1) + "<think>x</think>",
    ],
)
def test_marks_elsewhere_are_text_to_the_last_blank(text):
    assert split(*text) == text
    assert split(text) == text


@pytest.mark.parametrize("text", ["<think>", "<think>a</thin", "  <think>a", "<think>a</think>\n "])
def test_reasoning_without_an_end_or_an_answer_gives_no_text(text):
    assert split(*text) == ""


def test_an_answer_that_goes_on_is_left_as_it_is():
    assert split("<think>a</think>b", is_off=True) == "<think>a</think>b"


def test_it_is_known_when_the_model_thinks():
    splitter = ThinkingSplitter()
    seen = []
    for part in ("<thi", "nk>", "a", "</think>", "b"):
        splitter.feed(part)
        seen.append(splitter.is_thinking)
    assert seen == [False, True, True, False, False]


PIECES = st.sampled_from(
    [
        "<think>",
        "</think>",
        "<thi",
        "nk>",
        "[THINK]",
        "[/THINK]",
        " ",
        "\n",
        "a",
        "<",
        "/",
        "İ",
        "b ",
    ]
)


@given(st.lists(PIECES, max_size=12))
def test_any_split_gives_the_same_text(parts):
    whole = "".join(parts)
    assert split(*parts) == split(*whole) == split(whole)


@given(st.lists(PIECES, max_size=12))
def test_what_is_held_is_bounded_and_text_comes_at_once(parts):
    splitter = ThinkingSplitter()
    given_, got = 0, 0
    for part in [*parts, "z", "x" * 1000]:
        given_ += len(part)
        got += len(splitter.feed(part))
    if not splitter.is_thinking:
        assert got >= 1000
