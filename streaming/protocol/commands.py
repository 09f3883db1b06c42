"""Parse and validate the commands that clients send over a WebSocket.

Source: spec.md, "WebSocket".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from .codes import RefusalCode
from .cursor import STREAM_ID

MAX_FRAME_BYTES = 65_536
MAX_REF_CHARS = 200
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


Echo = dict[str, str]
"""Fields that a refusal copies verbatim from the frame: `ref`, `stream_id`, `request_id`."""


class Unreadable(Exception):
    """The frame is not a command: not JSON, not an object, binary, too big, or of unknown type."""


class InvalidCommand(Exception):
    """A command has an invalid field; `echo` lets the client identify the command."""

    def __init__(
        self, code: RefusalCode, message: str, echo: Echo, *, is_start: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.echo = echo
        self.is_start = is_start


@dataclass(frozen=True, slots=True)
class Start:
    ref: str | None
    block_type: str
    prompt: Any  # the block validates it together with the options
    options: Any
    request_id: str | None
    continues: Any = None  # the start checks it, as for the prompt
    sample: Any = None  # validated like the prompt
    echo: Echo = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Resume:
    ref: str | None
    stream_id: str
    after: int
    echo: Echo = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Leave:
    stream_id: str


@dataclass(frozen=True, slots=True)
class Cancel:
    stream_id: str | None
    request_id: str | None
    echo: Echo = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Ping:
    pass


Command = Start | Resume | Leave | Cancel | Ping

_FIELDS = {
    "start": {"ref", "block_type", "prompt", "options", "request_id", "continues", "sample"},
    "resume": {"ref", "stream_id", "after"},
    "leave": {"stream_id"},
    "cancel": {"stream_id", "request_id"},
    "ping": set(),
}


def parse_command(text: str) -> Command:
    """Parse one text frame.

    Raises:
        Unreadable: the frame is not a command.
        InvalidCommand: the frame is a command with an invalid field.
    """
    if len(text) > MAX_FRAME_BYTES or len(text.encode("utf-8", "replace")) > MAX_FRAME_BYTES:
        raise Unreadable("A frame can't be larger than 64 KiB.")
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Unreadable("A frame must be one JSON object.") from None
    if not isinstance(data, dict):
        raise Unreadable("A frame must be one JSON object.")
    kind = data.pop("type", None)
    if not isinstance(kind, str) or kind not in _FIELDS:
        raise Unreadable("Unknown frame type.")
    return _Reader(kind, data).read()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def is_uuid(value: object) -> bool:
    return isinstance(value, str) and UUID.fullmatch(value) is not None


class _Reader:
    """Parses the fields of one frame; a refusal echoes the identifying ones."""

    def __init__(self, kind: str, data: dict[str, Any]) -> None:
        self.kind = kind
        self.data = data
        self.echo = {
            name: value
            for name in ("ref", "stream_id", "request_id")
            if isinstance(value := data.get(name), str) and len(value) <= MAX_REF_CHARS
        }

    def read(self) -> Command:
        if unknown := sorted(set(self.data) - _FIELDS[self.kind]):
            raise self._invalid(f"{unknown[0][:80]}: unknown field.")
        match self.kind:
            case "start":
                block_type = self.data.get("block_type")
                if not isinstance(block_type, str):
                    raise self._invalid("block_type: name a block.")
                options = self.data.get("options")
                return Start(
                    self._ref(),
                    block_type,
                    self.data.get("prompt"),
                    {} if options is None else options,
                    self._request_id(),
                    self.data.get("continues"),
                    self.data.get("sample"),
                    self.echo,
                )
            case "resume":
                return Resume(self._ref(), self._stream_id(), self._after(), self.echo)
            case "leave":
                return Leave(self._stream_id())
            case "cancel":
                if ("stream_id" in self.data) == ("request_id" in self.data):
                    raise self._invalid("Give either stream_id or request_id.")
                if "stream_id" in self.data:
                    return Cancel(self._stream_id(), None, self.echo)
                return Cancel(None, self._request_id() or "", self.echo)
            case _:
                return Ping()

    def _ref(self) -> str | None:
        ref = self.data.get("ref")
        if ref is None or (isinstance(ref, str) and len(ref) <= MAX_REF_CHARS):
            return ref
        raise self._invalid(f"ref: must be text of at most {MAX_REF_CHARS} characters.")

    def _stream_id(self) -> str:
        stream_id = self.data.get("stream_id")
        if isinstance(stream_id, str) and STREAM_ID.fullmatch(stream_id):
            return stream_id
        raise InvalidCommand("not_found", "Stream not found.", self.echo)

    def _request_id(self) -> str | None:
        request_id = self.data.get("request_id")
        if request_id is None and self.kind == "start":
            return None
        if is_uuid(request_id):
            return str(request_id).lower()
        raise self._invalid("request_id: must be a UUID.")

    def _after(self) -> int:
        after = self.data.get("after", -1)
        if isinstance(after, int) and not isinstance(after, bool) and -1 <= after < 10**10:
            return after
        raise InvalidCommand("invalid_cursor", "after: must be -1 or a whole number.", self.echo)

    def _invalid(self, message: str) -> InvalidCommand:
        is_start = self.kind == "start"
        return InvalidCommand("invalid_input", message, self.echo, is_start=is_start)
