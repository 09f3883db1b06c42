"""An export as Markdown, for people.

What people and models wrote can't get out of its place: it stands in a quote, which contains any
Markdown but raw HTML, and definitions of links and footnotes, which apply to the whole file. With
something that may be one of these, it stands in a code block longer than any in it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .form import Document
from .readable import readable_result

_LINE_END = re.compile(r"\r\n|\r|\n")
_MAYBE_HTML = re.compile(r"<[A-Za-z/!?]")
_MAYBE_DEFINITION = re.compile(  # in any lists and quotes; a label has up to 999 characters
    r"^[ \t>*+\-\d.)]*\[(?:[^\\\[\]]|\\.){1,999}\]:", re.MULTILINE | re.DOTALL
)
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|$#])")

_STATUSES = {"complete": "finished", "error": "failed", "cancelled": "stopped"}
_CANCELLED_BY = {
    "owner": "stopped by you",
    "admin": "stopped by an administrator",
    "abandoned": "stopped, because nobody was watching",
}
_FINISHED = {
    "length": "cut at the length limit",
    "repetition": "stopped, because the model repeated itself",
}


class MarkdownForm:
    content_type = "text/markdown; charset=utf-8"
    extension = "md"

    def begin(self, account: dict[str, Any] | None, exported_at: str) -> str:
        lines = ["# Your answers", "", f"Exported on {_time(exported_at)}, the newest first."]
        if account is not None:
            groups = ", ".join(map(_inline, account["groups"])) or "none"
            lines += [
                "",
                f"- Name: {_inline(account['name'])}",
                f"- Email: {_inline(account['email'] or 'none')}",
                *([f"- Joined: {_time(account['joined_at'])}"] if account["joined_at"] else []),
                f"- Groups: {groups}",
            ]
        return "\n".join(lines) + "\n"

    def answer(self, document: Document, number: int, title: str) -> str:
        parts = [
            f"\n---\n\n## {number}. {_inline(title)}, {_time(document['created_at'])}",
            _contained(document["prompt"]),
            *_body(document),
            "\n".join(_facts(document)),
        ]
        return "\n\n".join(parts) + "\n"

    def end(self, count: int) -> str:
        return f"\n---\n\nEnd of the export: {count:,} answer{'' if count == 1 else 's'}.\n"


def _body(document: Document) -> list[str]:
    """Return the answer itself."""
    result = document["result"]
    if result is not None:
        text, language = readable_result(result)
        if not language:
            return [_contained(text)]
        title = result.get("title")
        heading = [f"**{_inline(title)}**"] if isinstance(title, str) and title else []
        return [*heading, _fenced(text, language)]
    if document["items"]:
        return [_fenced(_pretty(document["items"]), "json")]
    return [_contained(document["text"])] if document["text"] else ["*No answer.*"]


def _facts(document: Document) -> list[str]:
    lines = [f"- Status: {_status(document)}", f"- Model: {_code(document['model'])}"]
    if document["options"]:
        lines.append(f"- Options: {_code(json.dumps(document['options'], ensure_ascii=False))}")
    if document["ended_at"]:
        lines.append(f"- Ended: {_time(document['ended_at'])}")
    if usage := document["usage"]:
        about = "about " if usage.get("estimated") else ""
        asked, answered = usage["input_tokens"], usage["output_tokens"]
        lines.append(f"- Tokens: {about}{asked:,} in the prompt, {answered:,} in the answer")
    lines.append(f"- Id: {_code(document['stream_id'])}")
    if document["continues"]:
        lines.append(f"- Continues: {_code(document['continues'])}")
    return lines


def _status(document: Document) -> str:
    status = document["status"]
    if error := document["error"]:
        return f"failed. {_inline(error['message'])} ({_code(error['code'])})"
    if by := document["cancelled_by"]:
        return _CANCELLED_BY[by]
    return _FINISHED.get(document["finish_reason"]) or _STATUSES.get(status, "in progress")


def _contained(text: str) -> str:
    """Return a text in a quote, or in a code block if a quote may not contain it."""
    lines = _LINE_END.split(text)
    if _MAYBE_HTML.search(text) or _MAYBE_DEFINITION.search("\n".join(lines)):
        return _fenced(text)
    return "\n".join(f"> {line}" if line else ">" for line in lines)


def _fenced(text: str, language: str = "") -> str:
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *_LINE_END.split(text), fence])


def _code(text: str) -> str:
    """Return a text as code within a line."""
    text = _LINE_END.sub(" ", text)
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _inline(text: str) -> str:
    """Return a text within a line, without a meaning for Markdown."""
    return _SPECIAL.sub(r"\\\1", _LINE_END.sub(" ", text))


def _pretty(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2)


def _time(value: str) -> str:
    """`2026-11-30 12:00 UTC`, of an RFC 3339 time in UTC."""
    return f"{value[:10]} {value[11:16]} UTC"
