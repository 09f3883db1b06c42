"""The sites whose signed tokens count, as the settings name them. Reads nothing but settings.

Decision: specs/050-live-ai-interaction/decisions/050-signed-tokens-of-other-sites.md
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

SHARED_KEY_BYTES = 32
"""A shorter key can be guessed from a single token. RFC 7518, 3.2 asks for as many."""

ISSUERS_AT_MOST = 100
FIELDS = {"issuer", "audience", "shared_key", "jwks_url"}

_NAME = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class Issuer:
    """A site that signs tokens: by a key that it shares with this one, or by keys that it shows."""

    name: str
    audience: str
    shared_key: str = field(default="", repr=False)
    jwks_url: str = ""

    @property
    def algorithms(self) -> list[str]:
        """The only algorithms that count, by the kind of key: a token can't choose another kind."""
        return ["HS256"] if self.shared_key else ["RS256", "ES256"]


def issuers() -> dict[str, Issuer]:
    """Return the issuers by name; empty: signed tokens are off."""
    return {issuer.name: issuer for issuer in _configured() if not any(_problems(issuer))}


def settings_problems() -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with the settings: a text without secrets, a hint, and the check's id."""
    given = (settings.JWT_AUDIENCE, settings.JWT_SHARED_KEY, settings.JWT_JWKS_URL)
    if not settings.JWT_ISSUER and any(given):
        yield "JWT_ISSUER is empty, so no signed token counts.", _COMPLETE, "streaming.E040"
    if settings.JWT_MAX_LIFETIME_SECONDS < 1:
        hint = "Write a number of seconds, e.g. JWT_MAX_LIFETIME_SECONDS=3600."
        yield "JWT_MAX_LIFETIME_SECONDS is 0: no token lives so short.", hint, "streaming.E043"
    if len(settings.JWT_MORE_ISSUERS) > ISSUERS_AT_MOST:
        text = f"JWT_MORE_ISSUERS has more than {ISSUERS_AT_MOST} issuers: others don’t count."
        yield text, "Leave some out.", "streaming.E040"
    found = list(_configured())
    for issuer in found:
        yield from _problems(issuer)
    yield from _ambiguous([issuer.name for issuer in found])


_COMPLETE = (
    "Write an issuer, an audience, and either a shared key or the URL of a key set:"
    " .env.example explains them."
)


def _configured() -> Iterator[Issuer]:
    if settings.JWT_ISSUER:
        yield Issuer(
            settings.JWT_ISSUER,
            settings.JWT_AUDIENCE,
            settings.JWT_SHARED_KEY,
            settings.JWT_JWKS_URL,
        )
    more: Sequence[Mapping[str, Any]] = settings.JWT_MORE_ISSUERS
    for each in more[:ISSUERS_AT_MOST]:
        texts = {name: value for name, value in each.items() if isinstance(value, str)}
        known = dict.fromkeys(FIELDS, "") | texts
        yield Issuer(
            known["issuer"] if set(each) <= FIELDS else "",
            known["audience"],
            known["shared_key"],
            known["jwks_url"],
        )


def _problems(issuer: Issuer) -> Iterator[tuple[str, str, str]]:
    if not _NAME.fullmatch(issuer.name):
        text = "An issuer of signed tokens has no name of 1 to 200 visible ASCII characters."
        fields = ", ".join(sorted(FIELDS))
        yield text, f"An object of JWT_MORE_ISSUERS has {fields}, and no others.", "streaming.E040"
        return
    if not issuer.audience:
        text = f"The issuer {issuer.name} of signed tokens has no audience."
        yield text, _COMPLETE, "streaming.E040"
    if bool(issuer.shared_key) == bool(issuer.jwks_url):
        which = "both a shared key and" if issuer.shared_key else "neither a shared key nor"
        text = f"The issuer {issuer.name} of signed tokens has {which} a key set."
        yield text, "Write one of the two.", "streaming.E040"
    if 0 < len(issuer.shared_key.encode()) < SHARED_KEY_BYTES:
        yield (
            f"The shared key of the issuer {issuer.name} has fewer than {SHARED_KEY_BYTES} bytes:"
            " it can be guessed from a token.",
            'Run python3 -c "import secrets; print(secrets.token_urlsafe(32))" for one.',
            "streaming.E041",
        )
    if issuer.jwks_url and not _is_safe(issuer.jwks_url):
        yield (
            f"The key set of the issuer {issuer.name} is at no address with https://.",
            "Write the address of its JWKS. http:// is for this machine only: others on the way"
            " could put keys of their own in.",
            "streaming.E042",
        )


def _ambiguous(names: list[str]) -> Iterator[tuple[str, str, str]]:
    """Find names that would let two people have one owner: `a:b` with `c`, and `a` with `b:c`."""
    hint = "Choose other names: answers belong to an issuer and a subject together."
    twice = [name for name, count in Counter(names).items() if count > 1]
    for name in twice:
        yield f"The issuer {name} of signed tokens is there twice.", hint, "streaming.E044"
    for name in names:
        for other in names:
            if other.startswith(f"{name}:"):
                text = f"The issuer {other} begins with the issuer {name} and a colon."
                yield text, hint, "streaming.E044"


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        has_port = parts.port != 0
    except ValueError:
        return False
    if not (host and has_port) or parts.username or parts.password:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
