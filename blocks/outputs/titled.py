"""Shared code of the outputs with a title and a list: finds both wherever a model puts them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, ClassVar

from blocks.delta import Delta, Item
from blocks.outputs.base import Dropped
from blocks.outputs.judge import is_words
from blocks.outputs.known_names import folded, members
from blocks.outputs.part_scanner import Place, read_values
from blocks.outputs.part_value import Path
from blocks.outputs.shown_text import fit
from blocks.outputs.structured import LatePart, StructuredAnswer

_TITLE_NAMES = frozenset(
    {"title", "quiztitle", "diagramtitle", "heading", "headline", "name", "quizname", "titel"}
    | {
        "titulo",
        "título",
        "titre",
        "titolo",
        "название",
        "标题",
        "標題",
        "タイトル",
        "제목",
        "العنوان",
    }
)
_SUBJECT_NAMES = frozenset({"topic", "subject", "theme"})  # a title if there is no other
_WRAPPER_NAMES = frozenset({"data", "result", "response", "output", "answer", "content", "json"})
_MAX_DEPTH = 4  # of objects and arrays around a part that is found late


class TitledAnswer(StructuredAnswer):
    """An answer with a title and one or more lists of parts.

    Args:
        prompt: entities of HTML stay as they are if it is about them.
        lengths: the most characters of each kind of text; `title` is one.
    """

    lists: ClassVar[Mapping[str, Set[str]]]  # public name of a list → its folded names
    part_names: ClassVar[Set[str]]  # folded names of a member with which a part begins
    wrappers: ClassVar[Set[str]]  # folded names of an object around everything
    default_title: ClassVar[str]

    def __init__(self, prompt: str, lengths: Mapping[str, int]) -> None:
        asked = prompt.casefold()
        is_about_entities = any(word in asked for word in ("html", "entit", "xml", "escap"))
        super().__init__(decodes_entities=not is_about_entities)
        self._lengths = lengths
        self._title = ""
        self._subject: Any = ""
        self._is_titled = False  # no other title can come

    def _restart_scan(self) -> None:
        super()._restart_scan()
        self._titled_by = -1  # the document whose title it is
        self._filled_by = -1  # the last document with a part in a list
        self._listed_by = -1  # the last document with an array of parts

    # --- for the subclass ---

    @abstractmethod
    def list_place(self, name: str) -> Path | None:
        """Return the public path of the next part of a list; None to ignore it."""

    @abstractmethod
    def accept_part(self, name: str, value: Any) -> Any:
        """Accept a part of a list, see `accept`."""

    @abstractmethod
    def list_of(self, value: Any) -> str | None:
        """Return the list that a value, found outside of any list, is a part of."""

    @property
    @abstractmethod
    def unnamed_list(self) -> str:
        """The list that an array without a name is."""

    def read_text(self, text: str) -> Any:
        """Return the value in a text that may be JSON or another form of parts."""
        return read_values(text) if text.lstrip()[:1] in ("[", "{") else None

    # --- StructuredAnswer ---

    def holds_parts(self, place: Place, name: str) -> bool:
        known = folded(name)
        if place == "document":
            return known not in self.part_names
        if known in _WRAPPER_NAMES | self.wrappers or self._list_named(name) is not None:
            return True
        titles = _TITLE_NAMES | _SUBJECT_NAMES
        return known in (titles - {"name"} if place == "element" else titles)

    def place(self, key: str, index: int | None) -> Path | None:
        if index is None and folded(key) in _TITLE_NAMES:
            is_late = self._is_titled or (self._title and self._filled_by >= 0)
            return None if is_late or self._titled_by == self._documents else ("title",)
        name = self._list_named(key) if key else self.unnamed_list
        if name is None or (key and index is None):
            return None
        path = self.list_place(name)
        if path is not None:
            self._filled_by = self._documents
            if index is not None:
                self._listed_by = self._documents
        return path

    @property
    def is_second_version(self) -> bool:
        """Whether the current document follows one that had an array of parts."""
        return 0 <= self._listed_by < self._documents

    def accept(self, key: str, index: int | None, value: Any) -> Any:
        if index is None and folded(key) in _TITLE_NAMES:
            return self._accept_title(value)
        return self.accept_part(self._list_named(key) or self.unnamed_list, value)

    def longest(self, path: Path) -> int | None:
        return self._lengths["title"] if path == ("title",) else None

    def may_be_draft(self, place: Path) -> bool:
        return place == ("title",)

    def found_within(self, key: str, value: Any) -> Iterable[LatePart]:
        is_list = self._list_named(key) is not None
        return self._parts_in({key: value}, _MAX_DEPTH) if is_list else ()

    def found_late(self, leftovers: dict[str, Any]) -> Iterable[LatePart]:
        for _, value in members(leftovers, _SUBJECT_NAMES):
            self._subject = self._subject or value
        return () if self._filled_by == self._documents else self._parts_in(leftovers, _MAX_DEPTH)

    def end(self) -> Iterable[Delta]:
        self._is_titled = True
        if self._title:
            return ()
        try:
            self._accept_title(self._subject)
        except Dropped:
            self._title = self.default_title
        return (Item("/title", self._title),)

    # --- inner parts ---

    def _list_named(self, key: str) -> str | None:
        known = folded(key)
        return next((name for name, names in self.lists.items() if known in names), None)

    def _accept_title(self, title: Any) -> str:
        fitted = fit(title, self._lengths["title"]) if isinstance(title, str) else None
        if fitted is None or not fitted.strip():
            raise Dropped("schema")
        if not is_words(fitted):
            raise Dropped("not_words")
        self._title, self._titled_by = fitted, self._documents
        return fitted

    def _parts_in(self, value: Any, depth: int) -> Iterator[LatePart]:
        """Find the parts in a value that was no part itself."""
        if not depth:
            return
        if isinstance(value, str):
            value = self.read_text(value)
        if isinstance(value, list):
            for element in value:
                if not isinstance(element, str):
                    yield from self._parts_in(element, depth - 1)
            return
        if not isinstance(value, dict):
            return
        name = self.list_of(value)
        if name is not None:
            yield (name, 0, value) if name != self.unnamed_list else ("", None, value)
            return
        for key, title in members(value, _TITLE_NAMES):
            if isinstance(title, str):
                yield key, None, title
        for key, member in value.items():
            name = self._list_named(key)
            elements = _elements(member) if name is not None else None
            if name is not None and elements is not None:
                for element in elements:
                    yield name, 0, element
            else:
                yield from self._parts_in(member, depth - 1)


def _elements(member: Any) -> list[Any] | None:
    """Return the elements of a list, also of one that came as an object; None if it is neither."""
    if isinstance(member, dict) and member:
        pairs = list(member.items())
        if all(isinstance(value, dict) for _, value in pairs):
            return [{"id": key, **value} for key, value in pairs]
        if all(isinstance(value, str) for _, value in pairs):
            return [{"id": key, "label": value} for key, value in pairs]
    return member if isinstance(member, list) else None
