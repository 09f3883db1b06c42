"""The reducer from events to state, shared by snapshots, rows and tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, cast

from .events import Event, Status
from .frames import encode_json

# What each state has until something is added; these two never change.
_NONE: list[str] = []
_NO_ITEMS: dict[str, Any] = {}


class StreamState:
    """The state that a stream's events reduce to.

    Apply events in `seq` order. Text is stored in pieces and joined on access: appending to one
    long string would copy it for every token.
    """

    __slots__ = ("_arriving", "_items", "_items_json", "_text", "seq", "status", "terminal")

    def __init__(
        self,
        *,
        seq: int = -1,
        status: Status = "queued",
        text: str = "",
        items: Iterable[Mapping[str, Any]] = (),
        arriving: Mapping[str, str] | None = None,
    ) -> None:
        self.seq = seq
        self.status: Status = status
        self.terminal: Event | None = None
        self._text: list[str] = [text] if text else _NONE
        self._items: dict[str, Any] = {item["path"]: item["value"] for item in items} or _NO_ITEMS
        self._items_json: list[str] = _NONE  # of the first items; the others follow on access
        self._arriving: dict[str, list[str]] = {
            path: [text] for path, text in (arriving or {}).items()
        } or _NO_ITEMS

    @property
    def text(self) -> str:
        if len(self._text) > 1:
            self._text = ["".join(self._text)]
        return self._text[0] if self._text else ""

    @property
    def items(self) -> list[dict[str, Any]]:
        """Complete and valid parts in order of arrival: `{path, value}`."""
        return [{"path": path, "value": value} for path, value in self._items.items()]

    @property
    def items_json(self) -> str:
        """`items` as JSON. Encodes only the new ones: a save each second would encode all again."""
        if not self._items:
            return "[]"
        if self._items_json is _NONE:
            self._items_json = []
        parts = self._items_json
        for path, value in islice(self._items.items(), len(parts), None):
            parts.append(encode_json({"path": path, "value": value}).decode())
        return f"[{','.join(parts)}]"

    @property
    def arriving(self) -> dict[str, str]:
        """Partial strings, by path, of the part that is still arriving."""
        for pieces in self._arriving.values():
            if len(pieces) > 1:
                pieces[:] = ["".join(pieces)]
        return {path: pieces[0] for path, pieces in self._arriving.items()}

    def apply_all(self, events: Iterable[Event]) -> None:
        """Apply events in order."""
        for event in events:
            fields = event.fields
            if event.type == "chunk" and "path" not in fields and self.status == "running":
                if self._text is _NONE:
                    self._text = []
                self._text.append(fields["token"])  # nearly all are like this
                self.seq = cast(int, event.seq)
            else:
                self.apply(event)

    def _add(self, token: str, path: str | None = None) -> None:
        if path is None:
            if self._text is _NONE:
                self._text = []
            self._text.append(token)
            return
        if self._arriving is _NO_ITEMS:
            self._arriving = {}
        self._arriving.setdefault(path, []).append(token)

    def apply(self, event: Event) -> None:
        """Apply one event; unlogged events other than `snapshot` change nothing."""
        fields = event.fields
        if event.seq is None:
            if event.type == "snapshot":
                self.__init__(**fields)  # type: ignore[misc]  # a snapshot replaces everything
            return
        match event.type:
            case "chunk":
                self._add(fields["token"], fields.get("path"))
            case "item":
                self._arriving.clear()
                if self._items.pop(fields["path"], None) is not None:
                    self._items_json.clear()
                if fields["value"] is not None:
                    if self._items is _NO_ITEMS:
                        self._items = {}
                    self._items[fields["path"]] = fields["value"]
            case "reset":
                self._text.clear()
                self._items.clear()
                self._items_json.clear()
                self._arriving.clear()
            case "complete" | "error" | "cancelled":
                self._arriving.clear()
                self.status = event.type
                self.terminal = event
        self.seq = event.seq
        if self.status == "queued":
            self.status = "running"
