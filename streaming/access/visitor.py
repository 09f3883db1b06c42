"""Identify visitors and check origins. Source: spec.md, "HTTP" (who may start) and "WebSocket"."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from ..errors import Refused
from .addresses import countable_address
from .origins import is_listed_origin, is_own_origin
from .owners import (
    UserId,
    anonymous_owner,
    is_anonymous,
    outside_group,
    session_group,
    user_group,
    user_owner,
)
from .sessions import SECRET_KEY, SESSION_KEY, id_of, new_secret
from .signed_tokens.claims import Grant


@dataclass(frozen=True, slots=True)
class Visitor:
    """A client that may use the API."""

    owner: str  # see owners.py
    user_id: UserId | None
    session_id: str | None  # None: no session, e.g. an API token
    address: str | None = None  # key for limits (addresses.py); None: not counted
    has_session: bool = field(default=True, compare=False)  # False: created for this request
    secret: str | None = field(default=None, compare=False, repr=False)
    """The secret of a session created for this request."""
    token_digest: str | None = field(default=None, compare=False, repr=False)
    """The hash of the API token that the visitor came with."""
    can_ask: bool = field(default=True, compare=False)
    """Whether the visitor may start, stop and delete streams; otherwise, only see them."""
    grant: Grant | None = field(default=None, compare=False, repr=False)
    """What the signed token grants that the visitor came with."""

    @property
    def counts_as(self) -> str | None:
        """The key whose limits apply; None if limits don't count the visitor.

        A visitor without a session counts as their address, because new sessions are free.
        """
        if self.has_session:
            return self.owner
        return None if self.address is None else f"address:{self.address}"

    @property
    def is_anonymous(self) -> bool:
        """Whether the limits of anonymous visitors apply."""
        return is_anonymous(self.owner, self.user_id)

    @property
    def started_by(self) -> str:
        """What starts this visitor's streams: a session, by its id, or a token, by its mark."""
        if self.token_digest is not None:
            return token_mark(self.token_digest)
        return self.session_id or ""

    def require_ask(self) -> None:
        """Refuse visitors who may only read.

        Raises:
            Refused: `forbidden`.
        """
        if not self.can_ask:
            raise Refused(
                "forbidden", "This API token can only read. To ask, use one with the scope “ask”."
            )

    def require_block(self, slug: str) -> None:
        """Refuse the blocks that a signed token leaves out.

        Raises:
            Refused: `forbidden`.
        """
        if self.grant is not None and not self.grant.may_ask(slug):
            raise Refused("forbidden", "This token may not ask this block.")

    @property
    def person_group(self) -> str | None:
        """The channel group of all sockets of a user, here or of another site."""
        if self.user_id is not None:
            return user_group(self.user_id)
        return None if self.grant is None else outside_group(self.owner)

    @property
    def groups(self) -> list[str]:
        """The channel groups whose sockets are notified of the visitor's new streams."""
        groups = []
        if self.session_id is not None:
            groups.append(session_group(self.session_id))
        if self.person_group is not None:
            groups.append(self.person_group)
        return groups


def token_mark(digest: str) -> str:
    """Return what a stream's row keeps of the API token that started it."""
    return f"token:{digest[:32]}"


def visitor_of_grant(grant: Grant, *, client: str | None = None) -> Visitor:
    """Return the visitor that a signed token stands for: no user of this site, and no session.

    Args:
        client: the address that the request comes from, if known.
    """
    address = countable_address(client)
    return Visitor(grant.owner, None, None, address, can_ask=grant.can_ask, grant=grant)


def visitor_of(user: Any, session: Mapping[str, Any], *, client: str | None = None) -> Visitor:
    """Return the visitor of a Django user and session.

    A session without an id gets a new one, valid for this call only unless `keep_session` stores
    it.

    Args:
        client: the address that the request comes from, if known.

    Raises:
        Refused: `not_authenticated`: anonymous use is off.
    """
    is_user = user is not None and user.is_authenticated
    if not is_user and not settings.AI_ALLOW_ANONYMOUS:
        raise Refused("not_authenticated")
    address = countable_address(client)
    session_id = session.get(SESSION_KEY)
    has_session, secret = isinstance(session_id, str), None
    if not isinstance(session_id, str):
        secret = new_secret()
        session_id = id_of(secret)
    if is_user:
        return Visitor(user_owner(user.pk), user.pk, session_id, address)
    owner = anonymous_owner(session_id)
    return Visitor(owner, None, session_id, address, has_session, secret)


def keep_session(visitor: Visitor, session: MutableMapping[str, Any]) -> None:
    """Store the visitor's id in the session, so that later calls are recognised.

    Accepted requests call this; reads and refusals set no cookie.
    """
    if visitor.session_id is not None and session.get(SESSION_KEY) != visitor.session_id:
        session[SESSION_KEY] = visitor.session_id
        if visitor.secret is not None:
            session[SECRET_KEY] = visitor.secret


SOURCE_HEADERS = (
    "Sec-Fetch-Site",
    "Sec-Fetch-Mode",
    "Sec-Purpose",
    "Purpose",
    "Origin",
    "Referer",
    "User-Agent",
)
"""What a browser tells of the page or click that caused a request."""


def check_start_by_get(
    headers: Mapping[str, str], *, has_session_cookie: bool, host: str, is_secure: bool
) -> None:
    """Check that a GET may start a stream: no other site can have caused the request.

    A link, an image or a prefetch must not spend the operator's money. Browsers declare the origin
    of a request; a caller that declares none must not send a session cookie.

    On plain HTTP, browsers send no `Sec-Fetch-Site`, and a foreign page can suppress `Referer`. A
    caller that declares no origin there must not look like a browser.

    Args:
        headers: those of `SOURCE_HEADERS` that the request has, under these names.

    Raises:
        Refused: `forbidden_origin`.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        raise Refused("forbidden_origin", "Only this site's own pages can start a stream.")
    if headers.get("Sec-Fetch-Mode") == "navigate":
        raise Refused("forbidden_origin", "A stream can't be started by opening a link.")
    purpose = f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')}".lower()
    if "prefetch" in purpose:
        raise Refused("forbidden_origin", "A stream can't be started by a prefetch.")
    sources = _require_own_sources(headers, host=host, is_secure=is_secure)
    if site is None and not sources:
        if has_session_cookie:
            raise Refused(
                "forbidden_origin",
                "With a session cookie, a GET must state its origin (Origin, Referer or "
                "Sec-Fetch-Site). Otherwise, use POST with the CSRF token.",
            )
        if not is_secure and "mozilla" in headers.get("User-Agent", "").lower():
            raise Refused(
                "forbidden_origin",
                "Over plain HTTP, a browser's GET must state its origin (Origin or Referer).",
            )


def check_export_by_get(headers: Mapping[str, str], *, host: str, is_secure: bool) -> None:
    """Check that no other site's page causes an export: it could use up the visitor's exports.

    Args:
        headers: those of `SOURCE_HEADERS` that the request has, under these names.

    Raises:
        Refused: `forbidden_origin`.
    """
    if headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):  # none: a bookmark
        raise Refused("forbidden_origin", "Only this site's own pages can export answers.")
    _require_own_sources(headers, host=host, is_secure=is_secure)


def _require_own_sources(headers: Mapping[str, str], *, host: str, is_secure: bool) -> list[str]:
    """Return `Origin` and `Referer`, as far as they are there; refuse foreign ones."""
    sources = [headers[name] for name in ("Origin", "Referer") if name in headers]
    for source in sources:
        if not is_own_origin(source, host=host, is_secure=is_secure):
            raise Refused("forbidden_origin")
    return sources


def check_start_by_post(origin: str | None, *, host: str, is_secure: bool) -> None:
    """Check that a POST without a token may start a stream: no other site's page sends it.

    A page of a listed origin could otherwise start streams as an anonymous visitor.

    Raises:
        Refused: `forbidden_origin`.
    """
    if origin is not None and not is_own_origin(origin, host=host, is_secure=is_secure):
        raise Refused("forbidden_origin", "Pages of another site need an API token to ask.")


def check_origin_of_token(
    origin: str | None, *, has_session_cookie: bool, host: str, is_secure: bool
) -> None:
    """Check where a request with an API token comes from, on any transport.

    Pages of other sites must be of a listed origin, and send the token alone.

    Raises:
        Refused: `forbidden_origin`.
    """
    if origin is None or is_own_origin(origin, host=host, is_secure=is_secure):
        return
    if not is_listed_origin(origin):
        raise Refused("forbidden_origin", "Pages of this origin may not use the API.")
    if has_session_cookie:
        raise Refused("forbidden_origin", "Send the API token without cookies.")


def is_allowed_host(host: str) -> bool:
    """Whether a Host header names this site, by Django's own rule for `ALLOWED_HOSTS`."""
    allowed = settings.ALLOWED_HOSTS
    if settings.DEBUG and not allowed:
        allowed = [".localhost", "127.0.0.1", "[::1]"]
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)
