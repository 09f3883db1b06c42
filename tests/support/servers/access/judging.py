"""Judges answers: is each a refusal, and are those of a kind the same to the byte?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tests.support.servers.access.exchange import Answer
from tests.support.servers.access.names import NONE, THEIRS, Names
from tests.support.servers.access.people import MARK

_VARIES = re.compile(
    r"(nonce-|nonce=\"|csrfmiddlewaretoken\" value=\"|csrftoken=|sessionid=)[\w+/=.-]+"
    r"|expires=[^;]+"
)
_OF_ONE_ANSWER = ("date", "expires", "x-request-id")
"""What differs from answer to answer: nonces, CSRF tokens, the keys of new sessions."""

_LINE = re.compile(r"^\S+ \S+ (?:\w+_id=\S+ )*(\w+ [\w.]+: .*)$", re.MULTILINE)
_OF_THE_ADMIN = re.compile(r"/admin/\S*")
"""Its addresses are many, and few are tried with both kinds of name."""

SHOWN = 20


def shape_of(answer: Answer, names: Names) -> str:
    """Return an answer as text, without what is its own and without the names that it repeats."""
    lines = [f"{name}: {value}" for name, value in answer.headers if name not in _OF_ONE_ANSWER]
    body = answer.body.decode("utf-8", "backslashreplace")
    whole = "\n".join([str(answer.status), *lines, "", body])
    return _VARIES.sub(r"\1", _without(whole, names.all()))


@dataclass
class Report:
    """What came of many accesses.

    Attributes:
        succeeded: descriptions of the accesses that gave somebody what is not theirs.
        different: descriptions of the refusals that tell what exists from what does not.
    """

    accesses: int = 0
    by_entry: dict[str, int] = field(default_factory=dict)
    by_right: dict[str, int] = field(default_factory=dict)
    succeeded: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    _shapes: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _named: dict[str, set[str]] = field(default_factory=dict)

    def take(
        self,
        entry: str,
        right: str,
        names: Names,
        answer: Answer,
        *,
        path: str | None,
        is_refusal: bool,
        theirs: Collection[str],
    ) -> None:
        """Judge one answer.

        Args:
            path: where it was asked for. The admin's addresses lead to themselves after a sign-in.
                None: the answer need not be like others, because it names nothing.
            theirs: what no answer may tell, unless it was asked with it.
        """
        self.accesses += 1
        self.by_entry[entry] = self.by_entry.get(entry, 0) + 1
        self.by_right[right] = self.by_right.get(right, 0) + 1
        self._named.setdefault(names.kind, set()).update(names.all())
        body = answer.body.decode("utf-8", "replace")
        told = [name for name in theirs if name in body and name not in names.all()]
        what = f"{entry}, {right}, {names.kind}"
        if not is_refusal or MARK in body or told:
            self.succeeded.append(f"{what}: {answer.status} {body[:300]}")
        if names.is_well_formed and path is not None:
            shape = shape_of(answer, names)
            known = self._shapes.setdefault((entry, right, _without(path, names.all())), shape)
            if shape != known:
                self.different.append(f"{what}:\n{shape[:1500]}\ninstead of\n{known[:1500]}")

    def read_log(self, output: str) -> None:
        """Compare what servers logged of names that exist, and of those that do not.

        Every entry point must have been tried with both, which takes two rounds of cases.
        """
        said: dict[str, set[str]] = {THEIRS: set(), NONE: set()}
        for kind, lines in said.items():
            named = self._named.get(kind, set())
            for line in _LINE.findall(output):
                words = set(re.findall(r"[\w-]+", line))
                if found := words & named:
                    lines.add(_OF_THE_ADMIN.sub("/admin/", _without(line, found)))
        if said[THEIRS] != said[NONE]:
            self.different.append(f"the log: {said[THEIRS] ^ said[NONE]}")

    def assert_nothing_succeeded(self) -> None:
        """Raise an AssertionError that shows the first accesses which were not as they must be."""
        for name, found in (("succeeded", self.succeeded), ("differ", self.different)):
            shown = "\n\n".join(found[:SHOWN])
            assert not found, f"{len(found)} of {self.accesses} {name}:\n{shown}"


def _without(line: str, names: Iterable[str]) -> str:
    for name in names:
        line = line.replace(name, "NAME")
    return line
