"""What an access names: somebody else's stream, or one that doesn't exist, or no name at all."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from random import Random
from urllib.parse import unquote

from tests.support.servers.access.people import Person

THEIRS, NONE, NEAR, LONG, STRANGE = "theirs", "none", "near", "long", "strange"
KINDS = (THEIRS, NONE, NEAR, THEIRS, NONE, LONG, STRANGE)
"""In the order in which a series of accesses takes them."""

WELL_FORMED = (THEIRS, NONE, NEAR)
"""Names with the form of names. Their refusals must not differ in anything."""

_STRANGE = (
    *("%00", "A" * 21 + "%00", "A" * 22 + "%0a", "%0d%0aSet-Cookie:a=b", "%ff%fe", "%C3%28"),
    *("..%2F..%2Fadmin", "%2e%2e", "-1", "0", "null", "*", "%25", "%F0%9F%98%80" * 8),
    *("%27%20OR%201%3D1--", "%3Cscript%3E", "%D9%A3" * 22, "A" * 21, "A" * 23, "%20" + "A" * 22),
)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(frozen=True)
class Names:
    """Names of one kind, encoded for a path. `text` decodes one for a body."""

    kind: str
    stream_id: str
    request_id: str
    token_key: str
    user_pk: str

    @property
    def is_well_formed(self) -> bool:
        return self.kind in WELL_FORMED

    def all(self) -> list[str]:
        """Return the names that can appear in an answer, longest first."""
        found = {self.stream_id, self.request_id, self.token_key}
        return sorted(found, key=len, reverse=True)


def text(name: str) -> str:
    """Return a name as it stands in a body."""
    return unquote(name, errors="replace")


def names_of(kind: str, victim: Person, random: Random) -> Names:
    """Choose names of a kind."""
    number = random.randrange(len(victim.streams))
    theirs = Names(
        THEIRS,
        victim.streams[number],
        victim.request_ids[number],
        victim.token[:15] or "liveai_00000000",
        victim.pk or "1",
    )
    if kind == THEIRS:
        return theirs
    if kind == NONE:
        stream_id = "".join(random.choices(_ALPHABET, k=22))
        request_id = str(uuid.UUID(int=random.getrandbits(128), version=4))
        key = f"liveai_{random.getrandbits(32):08x}"
        return Names(kind, stream_id, request_id, key, str(random.randrange(10**6, 10**7)))
    if kind == NEAR:
        at = random.randrange(22)
        other = random.choice([each for each in _ALPHABET if each != theirs.stream_id[at]])
        return Names(
            kind,
            theirs.stream_id[:at] + other + theirs.stream_id[at + 1 :],
            theirs.request_id[:-1] + ("1" if theirs.request_id[-1] == "0" else "0"),
            theirs.token_key[:-1] + ("1" if theirs.token_key[-1] == "0" else "0"),
            f"{theirs.user_pk}0000",
        )
    strange = random.choice(_STRANGE) if kind == STRANGE else "A" * random.choice((200, 8_000))
    return Names(kind, *[strange] * 4)


def guessed_token(random: Random) -> str:
    return f"liveai_{random.getrandbits(256):064x}"


def one_character_changed(secret: str, random: Random) -> str:
    """Change one character of a secret, and keep its alphabet."""
    at = random.randrange(len("liveai_"), len(secret))
    return secret[:at] + ("0" if secret[at] == "1" else "1") + secret[at + 1 :]


def guessed_session(random: Random) -> str:
    """Return a key as Django makes them, or one that looks signed."""
    if random.random() < 0.5:
        return "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=32))
    secret, signature = ("".join(random.choices(_ALPHABET, k=size)) for size in (22, 43))
    return f"{secret}.1790000000.{signature}"
