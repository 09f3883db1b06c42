"""Typed values from the environment, used only by `liveai/settings.py`.

A malformed or ambiguous value is refused in one line that names the setting. Nothing is guessed: no
digits are extracted from text, an unknown word is not false, and `$` is not expanded.
"""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from .database_url import ESCAPES, has_misread_password, parse_database_url
from .placeholders import (
    is_placeholder,
    is_placeholder_of_model,
    is_placeholder_of_secret_key,
    is_placeholder_of_url,
)

TRUE = ("true", "yes", "on", "1", "t", "y")
FALSE = ("false", "no", "off", "0", "f", "n")

OWN_NAMES = (
    *("account", "admin", "api", "blocks", "healthz", "history", "licenses", "metrics", "readyz"),
    *("static", "streams", "v1", "ws"),
)
"""The first names of the site's own addresses. SITE_PATH can't begin with one: a proxy may remove
SITE_PATH from a request or leave it, and `/api/config` would then mean two things."""

LARGEST = 1_000_000_000
"""The largest number: 30 years in seconds. Timers, Redis and columns overflow far beyond it."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,20}\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.IGNORECASE)
_PATH = re.compile(r"/(?:(?!\.{1,2}/)[A-Za-z0-9._~-]{1,100}/){0,8}")
_ORIGIN = re.compile(r"(https?)://([a-z0-9_.*-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/?")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_COMMENT = re.compile(r"[ \t]#")


class Environment:
    """Reads settings from a mapping of texts, such as `os.environ`.

    Blanks around a value are ignored. An empty value selects the default, except for lists: an
    empty list stays empty.

    All methods raise `ImproperlyConfigured`. The message shows the value of a number or a switch,
    but never a text, which may be secret.
    """

    def __init__(self, values: Mapping[builtins.str, builtins.str]) -> None:
        self._values = values

    def str(
        self, name: builtins.str, default: builtins.str, *, choices: Sequence[builtins.str] = ()
    ) -> builtins.str:
        """Read a text; with `choices`, one of them, ignoring case."""
        value = self._text(name)
        if not value:
            return default
        for choice in choices:
            if choice.lower() == value.lower():
                return choice
        if choices:
            raise ImproperlyConfigured(f"{name} is none of {', '.join(choices)}.")
        return value

    def secret_key(self, name: builtins.str) -> builtins.str:
        """Read a signing key; may be empty."""
        return self._filled_in(name, is_placeholder_of_secret_key)

    def secret_keys(self, name: builtins.str) -> builtins.list[builtins.str]:
        """Read a list of signing keys, none of which contains a comma or a blank."""
        keys = self.list(name, default=[])
        for key in keys:
            _refuse_placeholder(name, key, is_placeholder_of_secret_key)
        return keys

    def api_key(self, name: builtins.str) -> builtins.str:
        """Read a key for an HTTP header; may be empty."""
        value = self._filled_in(name, is_placeholder)
        if not (value.isascii() and value.isprintable()) or " " in value:
            raise ImproperlyConfigured(
                f"{name} has a space or another character that can't be part of a key."
                " Copy the key again."
            )
        return value

    def model(self, name: builtins.str, default: builtins.str) -> builtins.str:
        """Read a model as KIND:NAME."""
        return self._filled_in(name, is_placeholder_of_model) or default

    def url(self, name: builtins.str, default: builtins.str) -> builtins.str:
        """Read an address, which may contain a password."""
        value = self._filled_in(name, is_placeholder_of_url)
        if re.search(r"\s", value):
            raise ImproperlyConfigured(f"{name} has a blank in its middle: write it as %20.")
        if has_misread_password(value):
            raise ImproperlyConfigured(f"{name} can't be read. {ESCAPES}")
        try:
            urlsplit(value).port  # noqa: B018 (ValueError is raised on access)
        except ValueError:
            raise ImproperlyConfigured(f"{name} has no number for its port. {ESCAPES}") from None
        return value or default

    def site_path(self, name: builtins.str, default: builtins.str) -> builtins.str:
        """Read a path of a host; returns it with a slash at both ends."""
        value = self._text(name) or default
        path = f"/{value.strip('/')}/" if value.strip("/") else "/"
        if not _PATH.fullmatch(path):
            raise ImproperlyConfigured(
                f"{name} is not a path: write it without host and query, e.g. {name}=/ai/."
                " It may have letters, digits, and - . _ ~ between its slashes."
            )
        if path.split("/")[1] in OWN_NAMES:
            raise ImproperlyConfigured(
                f"{name} begins with a name that the site itself uses ({', '.join(OWN_NAMES)}):"
                f" choose another, e.g. {name}=/ai/."
            )
        return path

    def email_url(self, name: builtins.str, default: builtins.str) -> dict[builtins.str, Any]:
        """Read how e-mails are sent, as Django's settings (`EMAIL_BACKEND`, `EMAIL_HOST`, ...)."""
        value = self.url(name, default)
        if urlsplit(value).scheme not in Env.EMAIL_SCHEMES:
            known = "smtp+tls://NAME:PASSWORD@HOST:587, smtp+ssl://..., smtp://..., consolemail://"
            raise ImproperlyConfigured(f"{name} begins with no known scheme: write {known}.")
        found = Env.email_url_config(value)
        return {key: found[key] for key in found if key != "OPTIONS"} | found.get("OPTIONS", {})

    def database_url(
        self, name: builtins.str, default: dict[builtins.str, Any], *, base: Path
    ) -> dict[builtins.str, Any]:
        """Read an entry of Django's `DATABASES`; relative SQLite paths start from `base`."""
        value = self._filled_in(name, is_placeholder_of_url)
        return parse_database_url(value, base=base) if value else default

    def bool(self, name: builtins.str, default: builtins.bool) -> builtins.bool:
        """Read a switch."""
        value = self._text(name)
        if not value:
            return default
        if value.lower() in TRUE + FALSE:
            return value.lower() in TRUE
        raise ImproperlyConfigured(f"{name} is {_shown(value)}: write {name}=true or {name}=false.")

    def int(
        self, name: builtins.str, default: builtins.int, *, at_most: builtins.int = LARGEST
    ) -> builtins.int:
        """Read a whole number from 0 to `at_most`."""
        value = self._text(name)
        if not value:
            return default
        if not _WHOLE.fullmatch(value):
            raise ImproperlyConfigured(
                f"{name} is {_shown(value)}, which is not a whole number:"
                f" write e.g. {name}={default}."
            )
        self._check_size(name, value, builtins.int(value), at_most)
        return builtins.int(value)

    def float(self, name: builtins.str, default: builtins.float) -> builtins.float:
        """Read a number from 0 to `LARGEST`; a decimal point and an exponent are allowed."""
        value = self._text(name)
        if not value:
            return default
        if not _NUMBER.fullmatch(value):
            raise ImproperlyConfigured(
                f"{name} is {_shown(value)}, which is not a number: write digits and no unit, e.g."
                f" {name}={default:g}."
            )
        self._check_size(name, value, builtins.float(value), LARGEST)
        return builtins.float(value)

    def list(self, name: builtins.str, default: Sequence[builtins.str]) -> list[builtins.str]:
        """Read a list separated by commas or blanks."""
        if name not in self._values:
            return [*default]
        members = re.split(r"[,\s]+", self._text(name))
        return [member for member in members if member]

    def objects(self, name: builtins.str) -> builtins.list[dict[builtins.str, Any]]:
        """Read a list of objects in JSON; empty: none."""
        value = self._text(name)
        try:
            found = json.loads(value or "[]")
        except (ValueError, RecursionError):
            found = None
        if not (isinstance(found, builtins.list) and all(isinstance(each, dict) for each in found)):
            raise ImproperlyConfigured(f"{name} is no list of objects in JSON: write [{{...}}].")
        return found

    def origins(self, name: builtins.str) -> builtins.list[builtins.str]:
        """Read a list of origins, and write each as browsers do; `https://*.HOST` is allowed."""
        return [_origin(name, member.lower()) for member in self.list(name, default=[])]

    def _text(self, name: builtins.str) -> builtins.str:
        value = self._values.get(name, "").strip()
        try:
            value.encode()
        except UnicodeEncodeError:  # bytes that the locale could not decode
            raise ImproperlyConfigured(f"{name} is not UTF-8.") from None
        if not value.isprintable():  # also blanks and marks that come with text from a web page
            raise ImproperlyConfigured(
                f"{name} has a line end or another character that can't be seen. Type it again."
            )
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            raise ImproperlyConfigured(f"{name} has quotes around it: leave them out.")
        if _COMMENT.search(value):
            # systemd and Docker treat a comment after a value as part of the value.
            raise ImproperlyConfigured(
                f"{name} has a # behind a blank: put the comment on a line of its own."
            )
        return value

    def _filled_in(
        self, name: builtins.str, is_unfilled: Callable[[builtins.str], builtins.bool]
    ) -> builtins.str:
        value = self._text(name)
        _refuse_placeholder(name, value, is_unfilled)
        return value

    def _check_size(
        self,
        name: builtins.str,
        value: builtins.str,
        number: builtins.float,
        at_most: builtins.int,
    ) -> None:
        if not 0 <= number <= at_most:
            raise ImproperlyConfigured(
                f"{name} is {_shown(value)}: write a number from 0 to {at_most}."
            )


def _refuse_placeholder(name: str, value: str, is_unfilled: Callable[[str], bool]) -> None:
    if value and is_unfilled(value):
        raise ImproperlyConfigured(
            f"{name} still holds a placeholder: write a value of your own in its place."
        )


def _origin(name: str, written: str) -> str:
    match = _ORIGIN.fullmatch(written)
    if match is None:
        raise ImproperlyConfigured(
            f"{name} contains something that is not an origin: write scheme and host,"
            f" without a path, e.g. {name}=https://ai.example.org."
        )
    scheme, host, port = match.groups()
    return f"{scheme}://{host}{'' if port == _DEFAULT_PORTS[scheme] else port or ''}"


def _shown(value: str) -> str:
    return repr(value if len(value) <= 20 else f"{value[:20]}…")
