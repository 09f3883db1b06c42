"""`.env` files: parses their values and puts them into the environment.

The syntax is the common subset of systemd's `EnvironmentFile` and a shell, because
docs/operate/install.md lets systemd read the same file. Unreadable lines are refused, so that no
setting is lost silently.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_LINE = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=(.*)", re.DOTALL)
_SINGLE = re.compile(r"'([^']*)'[ \t]*(?:[ \t]#.*)?")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"[ \t]*(?:[ \t]#.*)?')
_ESCAPED = re.compile(r'\\(["\\$`])')
_COMMENT = re.compile(r"(?:^|[ \t])[ \t]*#.*")


def parse_dotenv(text: str) -> dict[str, str]:
    """Parse a text into unmodified name → value pairs; the last line of a name wins.

    A value may be in single quotes (verbatim) or double quotes (a backslash escapes `"`, `\\`, `$`
    and a backquote). Without quotes it contains no backslash, and ends before a `#` that follows a
    blank. `$` is not expanded.

    Raises:
        ImproperlyConfigured: names the first unreadable line without showing its content.
    """
    values = {}
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ImproperlyConfigured(f"Line {number} of .env is not NAME=value.")
        name, written = match.groups()
        value = _unquoted(written)
        if value is None:
            raise ImproperlyConfigured(
                f"Line {number} of .env: the quotes around {name} don't match. Write"
                f" {name}='…' or {name}=\"…\" on one line."
            )
        if "\\" in value and written.lstrip(" \t")[0] not in "'\"":
            raise ImproperlyConfigured(
                f"Line {number} of .env: systemd would drop the backslash of {name}. Write"
                f" {name}='…'."
            )
        values[name] = value
    return values


def _unquoted(written: str) -> str | None:
    """Parse the text after `=`; None if its quotes don't match."""
    # A `#` directly after `=` belongs to the value; a `#` after a blank begins a comment.
    if written.lstrip(" \t").startswith("'"):
        match = _SINGLE.fullmatch(written.strip())
        return match and match[1]
    if written.lstrip(" \t").startswith('"'):
        match = _DOUBLE.fullmatch(written.strip())
        return match and _ESCAPED.sub(r"\1", match[1])
    if written.startswith("#"):
        return written[0] + _COMMENT.sub("", written[1:], count=1).strip()
    return _COMMENT.sub("", written, count=1).strip()


def load_dotenv(path: Path, environment: MutableMapping[str, str]) -> None:
    """Load a file's values into an environment; values already there win.

    A missing file counts as empty.

    Raises:
        ImproperlyConfigured: the file is unreadable or not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return
    except OSError as error:
        raise ImproperlyConfigured(f"{path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{path} is not UTF-8. Save it with that encoding.") from None
    if "\0" in text:
        raise ImproperlyConfigured(f"{path} is not text. Save it as UTF-8.")
    for name, value in parse_dotenv(text).items():
        environment.setdefault(name, value)
