"""Who comes: strangers, people whose right has ended, and pages of other sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tests.support.servers.access.names import (
    guessed_session,
    guessed_token,
    one_character_changed,
)
from tests.support.servers.access.people import OTHERS, Person
from tests.support.signed_tokens import OTHER_KEY, signed, signed_by_other

PUBLIC, READ, ASK, START, PAGE, STAFF = "public", "read", "ask", "start", "page", "staff"
"""What an access needs: nothing; to see; to change what is named; to start something of one's own;
a page of an account; the admin."""

CSRF = "c" * 32
EVIL = "http://evil.example"

BAD_SIGNED: dict[str, Callable[[], str]] = {
    "expired": lambda: signed("outside", seconds=-60),
    "another key": lambda: signed("outside", key=OTHER_KEY),
    "without a signature": lambda: signed("outside", key=None, algorithm="none"),
    "for another audience": lambda: signed("outside", aud="another site"),
}

Headers = Mapping[str, str]
STRANGER = frozenset({PUBLIC, READ, ASK, PAGE, STAFF})
NOBODY = STRANGER | {START}


@dataclass(frozen=True)
class Right:
    """What somebody comes with.

    Args:
        make: returns the headers of an access.
        lacks: the needs that it must not meet. A stranger may start an answer, for example.
        victim: whose streams it tries.
        is_closed: it comes to the server where anonymous use is off.
    """

    name: str
    make: Callable[[Random], Headers]
    lacks: frozenset[str]
    victim: Person
    is_closed: bool = False


def with_session(key: str, port: int, *, origin: str = "") -> Headers:
    """Return what a page of the site sends, or of another one."""
    return {
        "Cookie": f"sessionid={key}; csrftoken={CSRF}",
        "X-CSRFToken": CSRF,
        "Origin": origin or f"http://127.0.0.1:{port}",
    }


def with_token(token: str) -> Headers:
    return {"Authorization": f"Bearer {token}"}


def as_outside() -> Headers:
    """Return what the user of another site sends, with a token that was just signed."""
    return with_token(signed("outside"))


def rights_of(people: Mapping[str, Person], *, port: int, closed_port: int) -> list[Right]:
    """Return everybody who must not get in, for servers at these ports."""
    vera, visitor, outside = people["vera"], people["anonymous"], people["outside"]

    def session(key: str, to: int = port) -> Callable[[Random], Headers]:
        return lambda _: with_session(key, to)

    def token(secret: str) -> Callable[[Random], Headers]:
        return lambda _: with_token(secret)

    def bad(make: Callable[[], str]) -> Callable[[Random], Headers]:
        return lambda _: with_token(make())

    def other(random: Random) -> Person:
        return people[f"other {random.randrange(OTHERS)}"]

    def altered(key: str, random: Random) -> str:
        at = random.choice([i for i, each in enumerate(key) if each.isalnum()])
        return key[:at] + ("A" if key[at] != "A" else "B") + key[at + 1 :]

    signed_in = STRANGER - {PAGE}
    found = [
        Right("no session", lambda _: {}, STRANGER, vera),
        Right("no session, an anonymous owner's", lambda _: {}, STRANGER, visitor),
        Right("guessed session", lambda r: with_session(guessed_session(r), port), STRANGER, vera),
        Right("another user", lambda r: with_session(other(r).session, port), signed_in, vera),
        Right(
            "another user, an anonymous owner's",
            lambda r: with_session(other(r).session, port),
            signed_in,
            visitor,
        ),
        Right("another user's token", lambda r: with_token(other(r).token), STRANGER, vera),
        Right("another anonymous visitor", session(people["stranger"].session), STRANGER, visitor),
        Right(
            "cookie from before the sign-in",
            session(people["joined"].session),
            STRANGER,
            people["joined"],
        ),
        Right(
            "altered signed cookie",
            lambda r: with_session(altered(visitor.session, r), port),
            STRANGER,
            visitor,
        ),
        *(
            Right(f"{name} session", session(people[name].session), STRANGER, people[name])
            for name in ("expired", "flushed", "signed-out", "deactivated", "deleted", "outdated")
        ),
        Right("session of an old password", session(people["password"].session), STRANGER, vera),
        Right("guessed token", lambda r: with_token(guessed_token(r)), NOBODY, vera),
        Right(
            "altered token",
            lambda r: with_token(one_character_changed(vera.token, r)),
            NOBODY,
            vera,
        ),
        *(
            Right(f"token: {name}", token(people[name].token), NOBODY, people[name])
            for name in ("revoked", "late token", "deactivated", "deleted")
        ),
        *(
            Right(f"signed token: {name}", bad(make), NOBODY, outside)
            for name, make in BAD_SIGNED.items()
        ),
        Right(
            "signed token of another issuer, for the same subject",
            lambda _: with_token(signed_by_other("outside")),
            STRANGER,
            outside,
        ),
        Right(
            "signed token, a user's",
            lambda _: with_token(signed(vera.pk)),
            STRANGER,
            vera,
        ),
        Right(
            "signed token that may only read",
            lambda _: with_token(signed("outside", scope="read")),
            frozenset({ASK, START}),
            outside,
        ),
        Right("token that may only read", token(vera.read_token), frozenset({ASK, START}), vera),
        Right(
            "page of another site, with the victim's cookie",
            lambda _: with_session(vera.session, port, origin=EVIL),
            frozenset({ASK, START}),
            vera,
        ),
        Right(
            "page of another site, with an anonymous owner's cookie",
            lambda _: with_session(visitor.session, port, origin=EVIL),
            frozenset({ASK, START}),
            visitor,
        ),
        Right(
            "page of another site, with a token",
            lambda _: {**with_token(vera.token), "Origin": EVIL},
            frozenset({PUBLIC, READ, ASK, START}),
            vera,
        ),
        Right("anonymous use is off", lambda _: {}, NOBODY, visitor, is_closed=True),
        Right(
            "anonymous use was switched off",
            session(visitor.session, closed_port),
            NOBODY,
            visitor,
            is_closed=True,
        ),
    ]
    assert len({right.name for right in found}) == len(found)
    return found
