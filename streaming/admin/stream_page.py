"""What the page of one stream shows: the transcript, its end in words, and the facts."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.contrib.admin.utils import quote
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from blocks.models import BlockType

from ..models import Stream
from .explanations import Explanation, explain
from .stream_list import name_of_owner, status_mark, words_of_tokens


def context_of(stream: Stream) -> dict[str, Any]:
    """Return the template's context for a stream. Synchronous ORM."""
    block = BlockType.objects.filter(slug=stream.block_type).first()
    terminal = stream.terminal or {}
    list_url = reverse("admin:streaming_stream_changelist")
    return {
        "mark": status_mark(stream.status),
        "is_running": stream.ended_at is None,
        "code": code_of_row(stream),
        "explanation": _explanation_of(stream),
        "said": terminal.get("message", ""),
        "options": _as_json(stream.options) if stream.options else "",
        "answer": _as_json(stream.result) if stream.result is not None else stream.text,
        "parts": _as_json(stream.items) if stream.items and stream.result is None else "",
        "output": _output_of(stream, block),
        "base": f"{list_url}live",
        "cancel_url": reverse("admin:streaming_stream_cancel", args=[quote(stream.pk)]),
        "delete_owner_query": urlencode({"owner": stream.owner}),
        "facts": _facts_of(stream, block, list_url),
    }


def code_of_row(stream: Stream) -> str:
    """Return the code of an end, also if the version before wrote it."""
    said = stream.terminal or {}
    code = stream.code or said.get("finish_reason") or said.get("code") or said.get("by")
    return code or ""


def _explanation_of(stream: Stream) -> Explanation | None:
    code = code_of_row(stream)
    return None if not code or code == "stop" else explain(code)


def _output_of(stream: Stream, block: BlockType | None) -> str:
    """Return how the answer is drawn; that of a deleted block type shows in its parts."""
    if block is not None:
        return block.output
    parts = stream.result if isinstance(stream.result, dict) else {}
    for name, output in (("questions", "quiz"), ("nodes", "diagram")):
        if name in parts or any(each["path"].startswith(f"/{name}/") for each in stream.items):
            return output
    return "json" if parts or stream.items else "markdown"


def _facts_of(stream: Stream, block: BlockType | None, list_url: str) -> list[tuple[str, str]]:
    """Return what is known of the stream, as names and HTML. Empty facts are left out."""
    facts = [
        ("Owner", _link(f"{list_url}?{urlencode({'owner': stream.owner})}", name_of_owner(stream))),
        ("Block type", _block_link(stream, block)),
        ("Model", stream.model),
        ("Sample", stream.sample),
        ("Created", _time(stream.created_at)),
        ("Started", _time(stream.started_at)),
        ("Ended", _time(stream.ended_at)),
        ("First token", "" if stream.ttft_ms is None else f"after {stream.ttft_ms / 1000:.2f} s"),
        ("Took", _took(stream)),
        ("Tokens", _tokens(stream)),
        ("Recoveries", str(stream.recoveries or "")),
        ("Continues", _stream_link(stream.continues)),
        ("Answered", "" if stream.is_streaming else "in one piece"),
        ("Process", stream.process if stream.ended_at is None else ""),
        ("Id", stream.pk),
        ("Request id", stream.request_id or ""),
    ]  # fmt: skip
    return [(name, value) for name, value in facts if value]


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _took(stream: Stream) -> str:
    if stream.ended_at is None:
        return ""
    return f"{(stream.ended_at - stream.created_at).total_seconds():.1f} s"


def _tokens(stream: Stream) -> str:
    if stream.input_tokens is None or stream.output_tokens is None:
        return ""
    words = f"{words_of_tokens(stream)} (prompt + answer)"
    if stream.started_at and stream.ended_at and stream.ttft_ms is not None:
        writing = (stream.ended_at - stream.started_at).total_seconds() - stream.ttft_ms / 1000
        if writing >= 0.5:
            words += f", {stream.output_tokens / writing:.0f} a second"
    return words


def _block_link(stream: Stream, block: BlockType | None) -> str:
    if block is None:
        return f"{stream.block_type} (deleted)"
    try:
        return _link(reverse("admin:blocks_blocktype_change", args=[block.pk]), block.title)
    except NoReverseMatch:
        return block.title


def _stream_link(stream_id: str | None) -> str:
    if stream_id is None:
        return ""
    return _link(reverse("admin:streaming_stream_change", args=[quote(stream_id)]), stream_id)


def _link(url: str, words: str) -> str:
    return format_html('<a href="{}">{}</a>', url, words)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
