"""Detects placeholders left over from examples: CHANGE-ME, PASSWORD, openai:NAME, <key>."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_PUNCTUATION = re.compile(r"[\W_]+")
# Matched without case and punctuation.
_INSTRUCTION = re.compile(
    r"(change ?(me|this|it)|(replace|paste|insert|your)\b).*|placeholder|todo|(sk )?x{3,}"
)
_WEAK_KEY = re.compile(r"django insecure .*|insecure|(django |my )?secret( key)?|password|key")
_MODEL = re.compile(r"name|path gguf|path to weights gguf")
_GAP = re.compile(r"<[^<>]*>|.*(\.\.\.|…)")


def is_placeholder(value: str) -> bool:
    """Whether a text is an instruction to replace it."""
    return bool(_GAP.fullmatch(value) or _INSTRUCTION.fullmatch(_words(value)))


def is_placeholder_of_secret_key(value: str) -> bool:
    """Also matches the keys of Django's own examples, and the word `secret`."""
    return is_placeholder(value) or bool(_WEAK_KEY.fullmatch(_words(value)))


def is_placeholder_of_model(value: str) -> bool:
    """Whether the name in KIND:NAME is a placeholder."""
    name = value.partition(":")[2] or value
    return is_placeholder(name) or bool(_MODEL.fullmatch(_words(name)))


def is_placeholder_of_url(url: str) -> bool:
    """Whether a URL's user, password or host is a placeholder."""
    try:
        parts = urlsplit(url)
        texts = [unquote(text) for text in (parts.username, parts.password, parts.hostname) if text]
    except ValueError:
        return False
    password = unquote(parts.password or "")
    return any(map(is_placeholder, texts)) or _words(password) == "password"


def is_example_host(host: str) -> bool:
    """Whether a host name is in a domain that RFC 2606 reserves for examples."""
    *_, name, top = ["", "", *host.lower().rstrip(".").split(".")]
    return name == "example" and top in ("com", "net", "org")


def _words(value: str) -> str:
    return _PUNCTUATION.sub(" ", value.lower()).strip()
