"""The steps that the core asks its edge to take, and what came of them.

The core is generators: they yield a step, and are sent its outcome. So the synchronous client, the
asynchronous one and the tests share every decision.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from .events import Event


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str  # below the base URL
    body: Mapping[str, Any] | None = None  # sent as JSON
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


# --- outcomes ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response."""

    status: int
    headers: Mapping[str, str]  # names in small letters
    body: Any = None  # parsed JSON; None: it is none


class Lost:
    """There is no response, or the line broke or ended."""


@dataclass(frozen=True, slots=True)
class NoToken(Lost):
    """The request was not sent, since the caller's function for a token failed."""

    error: Exception


class Opened:
    """The response is an event stream, whose events `Next` reads."""


LOST: Final = Lost()
OPENED: Final = Opened()


# --- steps ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """Make a call. Outcome: `Reply` or `Lost`."""

    request: Request


@dataclass(frozen=True, slots=True)
class Open:
    """Open an event stream. Outcome: `Opened`, `Reply` (any response that is none), or `Lost`."""

    request: Request


@dataclass(frozen=True, slots=True)
class Next:
    """Read the next event of the open stream. Outcome: its data, or `Lost`."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the open stream."""


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class GetToken:
    """Ask the caller's function for a token. Outcome: the token, or `NoToken`."""


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand an event to the caller."""

    event: Event


Step: TypeAlias = Call | Open | Next | HangUp | Wait | GetToken | Emit
T = TypeVar("T")
Steps: TypeAlias = Generator[Step, Any, T]
