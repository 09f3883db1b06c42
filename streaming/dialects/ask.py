"""What a chat client asks: the last message of its user, and the ids that make a start idempotent.

Pure. Earlier messages are not read: a block has its own instructions and answers one question.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from ..errors import Refused

ID_CHARS = 200
"""Most characters of a client's id."""


def id_in(data: Mapping[str, Any], name: str) -> str:
    """Return a client's own id.

    Raises:
        Refused: `invalid_input`.
    """
    return checked_id(data.get(name), name)


def checked_id(value: Any, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= ID_CHARS:
        raise Refused("invalid_input", f"{name}: 1 to {ID_CHARS} characters.", field=name)
    return value


def messages_in(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of a body.

    Raises:
        Refused: `invalid_input`.
    """
    messages = data.get("messages")
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise Refused("invalid_input", "messages: a list of messages.", field="messages")
    return messages


def last_of_user(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the newest message of the user.

    Raises:
        Refused: `invalid_input`.
    """
    for message in reversed(messages):
        if message.get("role") == "user":
            return message
    raise Refused("invalid_input", "messages: there is none of the user.", field="messages")


def text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a message: its `content`, or the text parts of `content` or `parts`.

    Raises:
        Refused: `invalid_input`: it has other parts, e.g. a file, which no block can read.
    """
    parts = message.get("parts", message.get("content"))
    if isinstance(parts, str):
        return parts
    if not isinstance(parts, list) or not all(
        isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
        for part in parts
    ):
        words = "messages: the last one of the user may hold only text."
        raise Refused("invalid_input", words, field="messages")
    return "".join([part["text"] for part in parts])


def _digits(name: str, *ids: str) -> str:
    text = "\0".join([name, *[f"{len(each)}:{each}" for each in ids]])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def request_id_of(dialect: str, block: str, chat: str, *turn: str) -> str:
    """Make the `request_id` of one turn of a chat: a UUID whose first half is the chat's.

    So a repeated request finds its stream, and a chat its newest one. The second half begins with
    the turn's first id: all answers to a message are found alike. Streams of other owners don't
    count, whatever ids their clients use.
    """
    first, second = _digits("chat", dialect, block, chat), _digits("turn", *turn)
    own = f"{_digits('message', *turn[:1])[:7]}{second[:8]}"
    return str(uuid.UUID(f"{first[:12]}8{first[12:15]}8{own}"))


def request_ids_of(
    dialect: str, block: str, chat: str, message: str | None = None
) -> tuple[str, str]:
    """Return the lowest and the highest `request_id` of a chat's turns, as texts.

    Args:
        message: only of the turns that begin with this id.
    """
    if message is None:
        beginning = request_id_of(dialect, block, chat)[:19]
        return f"{beginning}8000-{'0' * 12}", f"{beginning}8fff-{'f' * 12}"
    beginning = request_id_of(dialect, block, chat, message)[:-8]
    return f"{beginning}{'0' * 8}", f"{beginning}{'f' * 8}"
