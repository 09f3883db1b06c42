from __future__ import annotations

import pytest

from blocks.outputs.loose_escapes import read_entity, read_escape


def read(text: str, before: str = "") -> str:
    """Read a whole string, escape by escape."""
    out, at = before, 0
    while at < len(text):
        if text[at] == "\\":
            piece, at = read_escape(text, at, out[-2:], is_last=True) or ("?", at + 1)
        else:
            piece, at = text[at], at + 1
        out += piece
    return out[len(before) :]


@pytest.mark.parametrize(
    "latex",
    [
        *(r"\frac{1}{2} \(x\) \[y\] \sqrt{4} \alpha \beta \bar{x} \binom{n}{k} \phi \,".split()),
        *(r"\times \theta \tau \text{m} \tan \tfrac12 \to \textbf{a} \nu \neq \nabla \not".split()),
        *(r"\nRightarrow \trianglelefteq \textcolor{red}{x} \texttimes \rank \rule{1}{2}".split()),
        *(r"\rho \right) \rangle \rightarrow \ne \ni \underline{x} \upsilon \xi \degree".split()),
    ],
)
def test_a_command_of_latex_keeps_its_backslash(latex: str) -> None:
    assert read(latex) == latex
    assert read(latex.replace("\\", "\\\\")) == latex


@pytest.mark.parametrize(
    "code", [r"\bword\b", r"\d+\s*", r"\w", r"\.", r"\f", r"\a", r"\$5", r"\u12g4"]
)
def test_what_can_not_be_meant_as_an_escape_is_kept_as_it_is_written(code: str) -> None:
    assert read(code) == code


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"one\ntwo", "one\ntwo"),
        (r"one\r\ntwo", "one\r\ntwo"),
        (r"\tindented", "\tindented"),
        (r"\nNow", "\nNow"),
        (r"pane\ne burro", "pane\ne burro"),
        (r"more or\nless", "more or\nless"),
        (r"5\tg\th\tt", "5\tg\th\tt"),
        (r"\"a\" \\ \/ \'", '"a" \\ / \''),
        (r"\u00bd \ud83d\ude00 \xf6 \U0001f600", "½ 😀 ö 😀"),
        (r"\u0000 \ud83d \ude00 \ud83dx \U00110000", "\ufffd \ufffd \ufffd \ufffdx \ufffd"),
        ("\\\n", "\n"),
    ],
)
def test_real_escapes_are_read(written: str, meant: str) -> None:
    assert read(written) == meant


@pytest.mark.parametrize(
    "begun",
    ["\\", "\\u", "\\u00b", "\\ud83d", "\\ud83d\\", "\\ud83d\\ude0", "\\n", "\\ti", "\\x4", "\\r"],
)
def test_an_escape_that_is_not_complete_waits(begun: str) -> None:
    assert read_escape(begun, 0, "", is_last=False) is None
    assert read_escape(begun, 0, "", is_last=True) is not None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("&amp; b", "&"),
        ("&lt;b&gt;", "<"),
        ("&#39;s", "'"),
        ("&#x2014; so", "—"),
        ("&nbsp;x", "\xa0"),
        ("&#0;x", "\ufffd"),
        ("& b", "&"),
        ("&unknown; x", "&unknown;"),
        ("&verylongname_", "&"),
        ("&&", "&"),
    ],
)
def test_an_entity_is_read_where_it_clearly_is_one(text: str, meant: str) -> None:
    read = read_entity(text, 0, "a", '"', is_last=False)
    assert read is not None
    assert read[0] == meant


def test_an_entity_that_is_the_whole_string_stays() -> None:
    assert read_entity('&amp;"', 0, "", '"', is_last=False) == ("&amp;", 5)
    assert read_entity("&amp;", 0, "", '"', is_last=False) is None
    assert read_entity("&amp; b", 0, "", '"', is_last=False) == ("&", 5)


@pytest.mark.parametrize("begun", ["&", "&am", "&amp", "&#", "&#x2", "&#39"])
def test_an_entity_that_is_not_complete_waits(begun: str) -> None:
    assert read_entity(begun, 0, "a", '"', is_last=False) is None
    assert read_entity(begun, 0, "a", '"', is_last=True) == ("&", 1)
