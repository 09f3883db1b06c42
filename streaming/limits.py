"""Limits on starts, running streams and tokens: what one subject may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Whose = Literal["owner", "at_address", "address", "group", "anonymous", "all"]
"""Whom a limit counts: a user or an anonymous session, the anonymous visitors of an address
together, everybody at an address, a group of users together, all anonymous visitors together, or
everybody together."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a subject may use, over all processes. 0: no limit.

    Days and months are those of UTC. Tokens are those of prompts and answers together.
    """

    starts_per_minute: int = 0
    starts_per_hour: int = 0
    running: int = 0
    tokens_per_day: int = 0
    tokens_per_month: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody whose limits a start counts towards."""

    whose: Whose
    key: str  # a keyed hash of at most 32 characters, or a name without a secret; see `counter`
    allowance: Allowance
    group_id: int | None = None  # of a group
    is_address: bool = False
    """Whether an owner is an address, because the visitor has no session."""

    @property
    def has_few(self) -> bool:
        """Whether only few streams count: those of one owner or address."""
        return self.whose in ("owner", "at_address", "address")

    @property
    def counter(self) -> str:
        """The name under which its tokens are counted."""
        return visitors_counter(self.key) if self.whose == "at_address" else self.key

    @property
    def shown(self) -> Whose:
        """Whose limit a refusal names."""
        return "address" if self.is_address else self.whose

    @property
    def holds_places(self) -> bool:
        """Whether running streams count: as such, or by the tokens that they may still use."""
        allowed = self.allowance
        return bool(allowed.running or allowed.tokens_per_day or allowed.tokens_per_month)


Subjects = tuple[Subject, ...]


def visitors_counter(address_key: str) -> str:
    """Return the name under which the tokens of an address's anonymous visitors are counted."""
    return f"anon:{address_key}"  # the column holds 40 characters
