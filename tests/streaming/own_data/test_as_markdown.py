"""The export as Markdown: readable, and nothing in it leaves its section."""

from __future__ import annotations

import re
from typing import Any

import pytest

from streaming.own_data.as_markdown import MarkdownForm

FORM = MarkdownForm()

HOSTILE = [
    "# A heading",
    "Title\n=====",
    "---\n\n## 9. Not an answer",
    "```\nnever closed",
    "~~~~\nnever closed",
    "> > > deep\nlazy",
    "- list\n\n      code\n# heading",
    "a\r# heading after CR\r\n# heading after CRLF\n",
    "</blockquote><h1>out</h1>",
    "<script>alert(1)</script>\n\n# heading",
    "<!-- never closed\n\n# heading",
    "`````````\n<b>\n``````````````\n# heading",
    "\n\n\n# heading after blank lines",
    "    # indented",
    "\t# tabbed",
]


def answer(**fields: Any) -> str:
    document = {
        "stream_id": "s" * 22,
        "prompt": "Why?",
        "options": {},
        "model": "x",
        "status": "complete",
        "text": "Because.",
        "items": [],
        "result": None,
        "created_at": "2026-11-30T12:34:56.000Z",
        "ended_at": "2026-11-30T12:35:00.000Z",
        "usage": {"input_tokens": 1200, "output_tokens": 34},
        "finish_reason": "stop",
        "error": None,
        "continues": None,
        "cancelled_by": None,
        **fields,
    }
    return FORM.answer(document, 1, fields.get("title", "Ask a question"))


def outside(text: str) -> list[str]:
    """Return the lines outside quotes and code blocks, by CommonMark's rules for what we write."""
    lines, fence = [], ""
    for line in re.split(r"\r\n|\r|\n", text):
        if fence:
            if re.fullmatch(f"`{{{len(fence)},}}", line):
                fence = ""
        elif found := re.match(r"`{3,}", line):
            fence = found[0]
        elif not line.startswith(">"):
            lines.append(line)
    assert not fence
    return lines


def test_an_answer_is_a_heading_the_quoted_prompt_the_text_and_the_facts() -> None:
    assert answer(prompt="Why?\nReally?", text="One.\n\nTwo.", options={"tone": "kind"}) == (
        "\n---\n\n## 1. Ask a question, 2026-11-30 12:34 UTC\n\n"
        "> Why?\n> Really?\n\n"
        "> One.\n>\n> Two.\n\n"
        "- Status: finished\n- Model: `x`\n"
        '- Options: `{"tone": "kind"}`\n'
        "- Ended: 2026-11-30 12:35 UTC\n"
        "- Tokens: 1,200 in the prompt, 34 in the answer\n"
        f"- Id: `{'s' * 22}`\n"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_leaves_its_section(text: str) -> None:
    plain = outside(answer())
    assert outside(answer(text=text)) == plain
    assert outside(answer(prompt=text)) == plain
    question = {"question": text, "options": [text] * 4, "answer": 1, "explanation": text}
    for result in (
        {"title": text, "questions": [question]},
        {"anything": text},
        {"questions": text},
    ):
        assert outside(answer(result=result)) == plain
    for fields in ({"title": text}, {"model": text}, {"options": {"a": text}}):
        assert len(outside(answer(**fields))) == len(plain) + ("options" in fields)


def test_what_may_be_html_stands_as_code_exactly_as_written() -> None:
    page = "<p>One\n```\ntwo</p>"
    assert f"\n````\n{page}\n````\n" in answer(text=page)
    assert "\n> 1 < 2\n" in answer(text="1 < 2")


@pytest.mark.parametrize(
    "text",
    [
        "[1]: https://evil.example",
        "See [1].\r\r[1]: https://evil.example",
        "  - > 2) [^note]: Elsewhere.",
        "[a\nb\\]]: /x",
        "x\n\n\t[x]:\n/x",
    ],
)
def test_a_text_that_may_define_links_or_footnotes_of_the_whole_file_stands_as_code(
    text: str,
) -> None:
    lines = "\n".join(re.split(r"\r\n|\r|\n", text))
    for shown in (answer(text=text), answer(prompt=text)):
        assert f"\n```\n{lines}\n```\n" in shown
    question = {"question": f"\n{text}", "options": ["a"] * 4, "answer": 0, "explanation": ""}
    assert "\n> " not in answer(prompt="<b>", result={"questions": [question]})


def test_brackets_that_define_nothing_stay_in_a_quote() -> None:
    for text in ("[1] and [2]", "a[1]: b", "[x](https://y.example): z", "\\[x]: /y"):
        assert f"\n> {text}\n" in answer(text=text)


def test_a_heading_has_no_markup_of_the_blocks_title() -> None:
    assert "## 1. \\*\\*Bold\\*\\* \\<b\\> \\[x\\], 2026" in answer(title="**Bold** <b> [x]")


def test_a_quiz_is_readable() -> None:
    question = {
        "question": "Which one?",
        "options": ["red", "green", "blue", "grey"],
        "answer": 2,
        "explanation": "It is.",
    }
    text = answer(result={"title": "Colours", "questions": [question, question]})
    for line in ("> **Colours**", "> 1. Which one?", "> 2. Which one?", ">    - C. blue"):
        assert f"\n{line}\n" in text
    assert text.count(">    Answer: C. It is.\n") == 2


def test_a_diagram_is_its_source_and_other_results_are_json() -> None:
    diagram = {"title": "A way", "nodes": [], "edges": [], "source": "flowchart TD\n  A --> B"}
    assert "\n**A way**\n\n```mermaid\nflowchart TD\n  A --> B\n```\n" in answer(result=diagram)
    assert '\n```json\n{\n  "questions": 3\n}\n```\n' in answer(result={"questions": 3})
    items = [{"path": "/name", "value": "x"}]
    assert '"path": "/name"' in answer(items=items, status="error", text="")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "finished"),
        ({"finish_reason": "length"}, "cut at the length limit"),
        ({"status": "cancelled", "cancelled_by": "owner"}, "stopped by you"),
        ({"status": "cancelled", "cancelled_by": "abandoned"}, "stopped, because nobody was watch"),
        ({"status": "running", "finish_reason": None}, "in progress"),
        (
            {"status": "error", "error": {"code": "empty_answer", "message": "It *failed*."}},
            "failed. It \\*failed\\*. (`empty_answer`)",
        ),
    ],
)
def test_the_cause_of_the_end_is_in_words(fields: dict[str, Any], words: str) -> None:
    assert f"\n- Status: {words}" in answer(**fields)


def test_what_there_is_not_is_said_or_left_out() -> None:
    text = answer(text="", usage=None, ended_at=None, continues="c" * 22)
    assert "\n*No answer.*\n" in text
    assert "Tokens" not in text
    assert "Ended" not in text
    assert f"- Continues: `{'c' * 22}`\n" in text
    assert "about 1 in" in answer(usage={"input_tokens": 1, "output_tokens": 2, "estimated": True})


def test_an_account_stands_at_the_beginning() -> None:
    account = {"name": "a_b", "email": None, "joined_at": None, "groups": []}
    begin = FORM.begin(account, "2026-11-30T12:00:00.000Z")
    assert begin == (
        "# Your answers\n\nExported on 2026-11-30 12:00 UTC, the newest first.\n\n"
        "- Name: a\\_b\n- Email: none\n- Groups: none\n"
    )
    assert "Name" not in FORM.begin(None, "2026-11-30T12:00:00.000Z")
