"""Structured answers as JSON that grows: as a document, and as text. Pure.

An item's path is a JSON Pointer into the result: `/title` is a member, `/questions/0` an element,
whose index is its index in the result.
Source: specs/050-live-ai-interaction/spec.md, "Rules".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..protocol.encoder import Voided
from ..protocol.frames import encode_json


def tokens_of(path: str) -> list[str]:
    """Return the names in a JSON Pointer (RFC 6901)."""
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]]


def document_of(items: Mapping[str, Any]) -> dict[str, Any]:
    """Build the document that consists of these items, given by path in order of arrival."""
    document: dict[str, Any] = {}
    for path, value in items.items():
        name, *index = tokens_of(path)
        if index:
            document.setdefault(name, []).append(value)
        else:
            document[name] = value
    return document


class GrowingText:
    """Writes a result as JSON text while it grows. Nothing that was written is taken back.

    Members that come before the first list are written at once, and so are the elements of that
    list. Everything else follows at the end: whether a list is complete is not known before.
    """

    def __init__(self) -> None:
        self._written: list[str] = []
        self._members: list[str] = []
        self._list: str | None = None
        self._length = 0

    @property
    def has_begun(self) -> bool:
        return bool(self._written)

    def add_all(self, items: Iterable[Mapping[str, Any]]) -> str:
        return "".join([self.add(item["path"], item["value"]) for item in items])

    def add(self, path: str, value: Any) -> str:
        """Return what an item adds to the text; empty if its time has not come."""
        name, *index = tokens_of(path)
        before = "," if self._members else "{"
        if not index:
            if self._list is not None or name in self._members:
                return ""
            self._members.append(name)
            return self._write(f"{before}{_json(name)}:{_json(value)}")
        if self._list is None and index == ["0"] and name not in self._members:
            self._list, self._length = name, 1
            self._members.append(name)
            return self._write(f"{before}{_json(name)}:[{_json(value)}")
        if name == self._list and index == [str(self._length)]:
            self._length += 1
            return self._write(f",{_json(value)}")
        return ""

    def finish(self, result: Mapping[str, Any]) -> str:
        """Return the rest of the text. The whole is the result, its members maybe in another order.

        Raises:
            Voided: what was written is no beginning of it.
        """
        first = {name: result[name] for name in self._members if name in result}
        whole, written = _json({**first, **result}), "".join(self._written)
        if not whole.startswith(written):
            raise Voided
        return whole[len(written) :]

    def _write(self, text: str) -> str:
        self._written.append(text)
        return text


def _json(value: Any) -> str:
    return encode_json(value).decode()
