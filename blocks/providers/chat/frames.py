"""Splits the bytes of an answer into JSON: server-sent events, JSON lines or one document.

The first byte decides, not the Content-Type: many services label their answers wrongly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from blocks.errors import ProviderMalformed
from blocks.providers.chat.error import reads_as_error

MAX_LINE_BYTES = 1_048_576
MAX_DOCUMENT_BYTES = 4_194_304  # limit of an answer that was not streamed
DONE = b"[DONE]"

_BOM = b"\xef\xbb\xbf"
_WORD = re.compile(rb"\[[\w\s-]*\]")  # [DONE], [HEARTBEAT]; also an empty list
_DONE = re.compile(rb'["\[]*DONE["\]]*')
_OTHER_FIELDS = (b"event", b"id", b"retry")
_ERROR_EVENT = b'{"object":"error","error":'  # an error, even if its data says nothing


class FrameDecoder:
    """Cuts an answer into JSON values, of which each holds one chunk, or several as a list.

    In a stream of events, one `data` line is usually one chunk: some products omit the empty line
    between chunks. JSON may also spread over several lines. Words such as heartbeats are skipped.
    An error that is no JSON, or that only its field or its event's name marks as such, becomes
    `{"error": …}`.
    """

    def __init__(self) -> None:
        self.has_skipped = False
        """Something was skipped that is not part of the format."""
        self.is_bare = False
        """The body is JSON, not a stream of events."""
        self._head: bytes | None = b""  # bytes before the first that decides; None: decided
        self._rest = bytearray()  # a line without its end
        self._after_cr = False
        self._values = ValueScanner(MAX_LINE_BYTES)
        self._is_labelled = False  # the open value began behind `data:`
        self._is_error = False  # the event's name says so

    @property
    def is_open(self) -> bool:
        """Whether a value has begun and not ended."""
        return self._values.is_open

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield each complete JSON value, and `DONE`.

        Raises:
            ProviderMalformed: a web page, a line of more than 1 MiB, a document of more than 4 MiB,
                or an event that ends within its JSON.
        """
        if self._head is not None:
            piece = self._after_head(piece)
        if self.is_bare:
            yield from self._values_in(piece)
        else:
            for line in self._lines_in(piece):
                yield from self._take_line(line)

    def end(self) -> Iterator[bytes]:
        """Yield what a last line without its line end contains."""
        line = bytes(self._rest)
        self._rest.clear()
        if line:
            yield from self._take_line(line)

    def _after_head(self, piece: bytes) -> bytes:
        """Decide what the body is, and return its bytes from there on."""
        head = ((self._head or b"") + piece).lstrip()
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._head = head
            return b""
        head = head.removeprefix(_BOM).lstrip()
        self._head = None if head else b""
        if head.startswith(b"<"):
            raise ProviderMalformed(
                detail="AI_BASE_URL leads to a web page, not to a model's service."
            )
        if head.startswith((b"{", b"[")):
            self.is_bare = True
            self._values = ValueScanner(MAX_DOCUMENT_BYTES)
        return head

    def _lines_in(self, piece: bytes) -> Iterator[bytes]:
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
            self._after_cr = False
        if not piece:
            return
        self._after_cr = piece.endswith(b"\r")
        for line in piece.splitlines(keepends=True):  # bytes: cuts only at LF, CR and CRLF
            if len(self._rest) + len(line) > MAX_LINE_BYTES:
                raise ProviderMalformed()
            if line[-1] not in b"\r\n":
                self._rest += line
            elif self._rest:
                line = bytes(self._rest + line)
                self._rest.clear()
                yield line
            else:
                yield line

    def _take_line(self, line: bytes) -> Iterator[bytes]:
        line = line.strip().removeprefix(_BOM).lstrip()
        if not line:
            if self._values.is_open and self._is_labelled:
                raise ProviderMalformed()
            if self._is_error:  # its event had no data
                self._is_error = False
                yield _as_error(b"", begin=_ERROR_EVENT)
            return
        is_bare = line.startswith((b"{", b"["))
        name, colon, value = (b"", b"", line) if is_bare else line.partition(b":")
        name = name.strip().lower()
        if name in (b"data", b"error"):
            value = _without_label(value)
        elif self._values.is_open and name and name not in _OTHER_FIELDS:
            value = line  # an unescaped line end in a text, or printed JSON
        elif not is_bare:
            if name == b"event":
                self._is_error = value.strip().lower() == b"error"
            elif not colon or (name and name not in _OTHER_FIELDS):
                yield from self._take_words(line)
            return
        if self._values.is_open:
            yield from self._values_in(b"\n" + value)
            return
        if self._is_error:
            value = _as_error(value, begin=_ERROR_EVENT)
            self._is_error = False
        elif name == b"error":
            value = _as_error(value)
        self._is_labelled = not is_bare
        if value.startswith(b"{") and _is_json(value):
            yield value  # the usual case, without the scan
        elif value.startswith((b"{", b"[")):
            yield from self._values_in(value)
        elif _DONE.fullmatch(value):
            yield DONE
        elif value:
            yield from self._take_words(value)

    def _take_words(self, words: bytes) -> Iterator[bytes]:
        """Skip what is no JSON, unless it tells of an error."""
        self.has_skipped = True
        if reads_as_error(words.decode("utf-8", "replace")):
            yield _as_error(words)

    def _values_in(self, data: bytes) -> Iterator[bytes]:
        for value in self._values.feed(data):
            if _DONE.fullmatch(value):
                yield DONE
            elif _WORD.fullmatch(value):
                self.has_skipped = True
            else:
                yield value


class ValueScanner:
    """Cuts objects and lists out of bytes in linear time; what lies between them is skipped.

    It counts brackets outside of strings and checks nothing else.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._value = bytearray()
        self._depth = 0
        self._is_in_string = False
        self._is_escaped = False

    @property
    def is_open(self) -> bool:
        """Whether a value has begun and not ended."""
        return self._depth > 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield each value that ends within the data.

        Raises:
            ProviderMalformed: a value is longer than the limit.
        """
        begin = 0
        place = int(self._is_escaped and bool(data))
        self._is_escaped = self._is_escaped and not data
        while match := (_INSIDE if self._is_in_string else _OUTSIDE).search(data, place):
            place = match.end()
            sign = match[0]
            if self._is_in_string:
                if sign == b"\\":
                    self._is_escaped = place == len(data)
                    place += 1
                else:
                    self._is_in_string = False
            elif sign == b'"':
                self._is_in_string = self.is_open
            elif sign in b"{[":
                if not self._depth:
                    begin = match.start()
                self._depth += 1
            elif self._depth:
                self._depth -= 1
                if not self._depth:
                    value = bytes(self._value + data[begin:place])
                    self._value.clear()
                    yield value
        if self._depth:
            self._value += data[begin:]
            if len(self._value) > self._max_bytes:
                raise ProviderMalformed()


_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')


def _without_label(value: bytes) -> bytes:
    value = value.strip()
    while value[:5].lower() == b"data:":  # proxied twice
        value = value[5:].strip()
    return _inner_json(value) if value.startswith(b'"{') else value


def _inner_json(value: bytes) -> bytes:
    """Return the JSON that was encoded as a text once more."""
    try:
        return msgspec.json.decode(value, type=str).encode("utf-8", "surrogatepass")
    except msgspec.DecodeError:
        return value


def _as_error(value: bytes, *, begin: bytes = b'{"error":') -> bytes:
    """Name what an error's event or field holds (llama.cpp before 2025-10 had such a field)."""
    if value.startswith((b"{", b"[", b'"')):
        return begin + value + (b"}" if _is_json(value) else b"")
    return begin + json.dumps(value.decode("utf-8", "replace")).encode() + b"}"


def _is_json(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
