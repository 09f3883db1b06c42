"""The commands and the code in a document, as a reader would copy them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers.harness import ROOT

FENCE = re.compile(r"^ *```(\S+)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$|^\*\*(\d+\. .+?)\*\*", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code. `heading` is the nearest heading above it, or a bold step (`1. …`)."""

    heading: str
    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Return the commands of a shell block without comments, with continued lines joined."""
        found, command = [], ""
        for line in self.text.splitlines(keepends=True):
            command += line
            if not command.rstrip("\n").endswith("\\") and _is_whole(command):
                if words := shlex.split(command, comments=True):
                    assert words
                    found.append(re.sub(r"\s+#\s.*$", "", command.strip()))
                command = ""
        assert not command, f"not a whole command: {command}"
        return found


def _is_whole(command: str) -> bool:
    try:
        shlex.split(command, comments=True)
    except ValueError:  # a quotation is still open
        return False
    return True


def blocks_of(path: Path) -> list[Block]:
    text = path.read_text("utf-8")
    headings = [(match.start(), match[1] or match[2]) for match in _HEADING.finditer(text)]
    return [
        Block(
            [heading for start, heading in headings if start < match.start()][-1],
            match[1],
            match[2],
        )
        for match in _BLOCK.finditer(text)
    ]


DOCS = ROOT / "docs"


def _blocks(*paths: Path) -> list[Block]:
    return [block for path in paths for block in blocks_of(path)]


GUIDE_PAGES = [
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in "start use blocks hooks python".split()),
    *(DOCS / f"{name}.md" for name in "api security contribute".split()),
]
"""What people read who use it or work on it."""

DEPLOY_PAGES = [
    *(DOCS / "operate" / f"{name}.md" for name in "install roll-out back-up".split()),
    *(DOCS / "operate" / f"{name}.md" for name in "secret-key containers proxy".split()),
    *(DOCS / "operate" / f"{name}.md" for name in "failures watch log-lines".split()),
    DOCS / "scale.md",
]
"""What people read who run it for others, in the order in which they need it."""

GUIDE = _blocks(*GUIDE_PAGES)
DEPLOY = _blocks(*DEPLOY_PAGES)
DEPLOY_TEXT = "\n".join(path.read_text("utf-8") for path in DEPLOY_PAGES)
SETTINGS_TEXT = (DOCS / "operate" / "settings.md").read_text("utf-8")


def shell_of(blocks: list[Block], heading: str) -> list[Block]:
    """Return the shell blocks under one heading.

    Raises:
        AssertionError: there are none.
    """
    found = [block for block in blocks if block.language == "sh" and block.heading == heading]
    assert found, f"no commands under {heading!r}"
    return found
