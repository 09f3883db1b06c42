"""The table "Tried with" of the docs, generated from the cases that the tests run.

`python -m tests.support.blocks.services.table` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.support.blocks.services import errors, reasoning, requests, streams
from tests.support.blocks.services.case import Case
from tests.support.servers.harness import ROOT

PATH = ROOT / "docs" / "providers.md"

GROUPS: Mapping[str, tuple[Case, ...]] = {
    "Their formats": streams.FORMATS,
    "How the body is labelled and laid out": streams.LABELS,
    "How an answer ends": streams.ENDS,
    "Odd members": streams.ODD,
    "Reasoning": reasoning.THINKING,
    "What they refuse in a request": requests.MEMBERS,
    "Roles": requests.ROLES,
    "The form of a structured answer": requests.FORMS,
    "Errors in place of an answer": errors.IN_STREAM,
    "Errors by HTTP status": errors.BY_STATUS,
    "Refusals": errors.REFUSED,
}

HEAD = """\
# Tried with

Services that speak OpenAI's chat completions, what each does that others don't, and what holds here
then. Each row is a test (`tests/blocks/providers/test_services.py`) against a server that does the
same. The services themselves were not asked: the quirks come from their documentation and from bug
reports of people who use them.

`python -m tests.support.blocks.services.table` writes this file from the tests.
"""


def cases() -> list[Case]:
    return [case for group in GROUPS.values() for case in group]


def rendered() -> str:
    return "\n".join([HEAD, *_lines()])


def _lines() -> Iterator[str]:
    for heading, group in GROUPS.items():
        yield f"## {heading}"
        yield ""
        yield "| service | what it does | what holds |"
        yield "|---|---|---|"
        for case in group:
            cells = (case.services, case.quirk, case.outcome)
            yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
        yield ""


if __name__ == "__main__":
    PATH.write_text(rendered(), "utf-8")
