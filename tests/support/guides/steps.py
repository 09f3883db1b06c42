"""A page of `docs/operate/` as steps: commands to type, and clicks to make, in order.

Pure: reads text, returns steps. `CONTRIBUTING.md`, "A page of the documents", lists the sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.support.documents import Block


class NotAStep(ValueError):
    """A numbered line contains a sentence that nobody could follow to the letter."""


@dataclass(frozen=True)
class Command:
    """A command for a shell. `shows`: the lines that it prints, with `…` for anything; or none."""

    text: str
    shows: str = ""


@dataclass(frozen=True)
class Open:
    path: str


@dataclass(frozen=True)
class Click:
    """`beside`: words of the row that it is in; empty: anywhere on the page."""

    name: str
    beside: str = ""


@dataclass(frozen=True)
class Type:
    text: str
    field: str


@dataclass(frozen=True)
class Choose:
    option: str
    field: str


@dataclass(frozen=True)
class Tick:
    field: str
    is_on: bool


@dataclass(frozen=True)
class See:
    words: str
    is_there: bool


Step = Command | Open | Click | Type | Choose | Tick | See
SectionSteps = dict[str, list[Step]]
"""Heading → its steps, in the order of the page; headings without steps are left out."""

_NAME = r"\*\*([^*]+)\*\*"
_CODE = r"`([^`]+)`"
_SENTENCES: Mapping[str, Callable[..., Step]] = {
    rf"Open {_CODE}": Open,
    rf"Click {_NAME}": Click,
    rf"Click {_NAME} beside {_NAME}": Click,
    rf"Type {_CODE} into {_NAME}": Type,
    rf"Empty {_NAME}": lambda field: Type("", field),
    rf"Choose {_NAME} in {_NAME}": Choose,
    rf"Tick {_NAME}": lambda field: Tick(field, is_on=True),
    rf"Untick {_NAME}": lambda field: Tick(field, is_on=False),
    rf"You see {_NAME}": lambda words: See(words, is_there=True),
    rf"You no longer see {_NAME}": lambda words: See(words, is_there=False),
}


def steps_of(page: str) -> SectionSteps:
    """Return what a page tells its reader to do.

    Raises:
        NotAStep: a numbered line has a sentence of another form.
    """
    found: SectionSteps = {}
    heading = ""
    for kind, text in _parts(page):
        if kind == "heading":
            heading = text
        elif kind == "console":
            found[heading][-1] = _with_output(found[heading][-1], text)
        elif steps := _steps(kind, text):
            found.setdefault(heading, []).extend(steps)
    return found


def filled_in(step: Step, values: Mapping[str, str]) -> Step:
    """Return a step with the reader's own words in place of those in capitals."""
    words = {name: word for name, word in vars(step).items() if isinstance(word, str)}
    for placeholder, value in values.items():
        words = {name: word.replace(placeholder, value) for name, word in words.items()}
    return type(step)(**{**vars(step), **words})


def _parts(page: str) -> Iterator[tuple[str, str]]:
    """Yield `heading`, `line` (of a numbered list), or a block's language, each with its text."""
    lines = iter(page.splitlines())
    for line in lines:
        if fence := re.match(r"```(\S*)", line):
            code = []
            for inner in lines:
                if inner == "```":
                    break
                code.append(inner)
            yield fence[1], "".join(f"{each}\n" for each in code)
        elif match := re.match(r"#+ (.+)$", line):
            yield "heading", match[1]
        elif match := re.match(r"\d+\. (.+)$", line):
            yield "line", match[1]


def _steps(kind: str, text: str) -> list[Step]:
    if kind == "sh":
        return [Command(command) for command in Block("", kind, text).commands]
    if kind == "line":
        return [_step(sentence) for sentence in re.split(r"(?<=\.) (?=[A-Z])", text)]
    return []


def _step(sentence: str) -> Step:
    for pattern, build in _SENTENCES.items():
        if match := re.fullmatch(pattern + r"\.", sentence):
            return build(*match.groups())
    raise NotAStep(f"no step: {sentence!r}")


def _with_output(step: Step, text: str) -> Command:
    if not isinstance(step, Command):
        raise NotAStep(f"output without a command: {text!r}")
    return Command(step.text, text)
