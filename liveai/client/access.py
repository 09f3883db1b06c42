"""Who asks: the holder of a token, or an anonymous session with its CSRF token. Pure.

The edge keeps the cookies, whatever their names. A POST of an anonymous session needs its CSRF
token in a header, and over HTTPS Django wants an `Origin` as well.
"""

from __future__ import annotations

from dataclasses import replace

from .errors import malformed
from .refusals import code_of
from .steps import Call, GetToken, Lost, NoToken, Open, Opened, Reply, Request, Steps, Wait

CONFIG = Request("GET", "/api/config")
"""Sets the cookies of an anonymous session, and has its CSRF token."""

OPENING_SECONDS = 0.05
"""How often an answer looks whether another one has got the session."""


class Access:
    """Adds what proves who asks to each request. Shared by all answers of a client.

    Args:
        origin: of the server, e.g. `https://ai.example`.
        token: of the API; None: there is none yet, or none at all.
        renews: whether the edge can get another token.
    """

    def __init__(self, origin: str, *, token: str | None, renews: bool) -> None:
        self._origin = origin
        self._token = token
        self._renews = renews
        self._csrf: str | None = None
        self._opener: dict[str, object] = {}  # whose call gets the session, while it lasts
        self.is_proven = False
        """Whether the server has ever answered."""

    def send(self, kind: type[Call] | type[Open], request: Request) -> Steps[Reply | Opened | Lost]:
        """Send a request as the one who asks; once more if a token or a session has run out.

        Raises:
            LiveAIError: `malformed`: the session has no CSRF token.
            Exception: that of the caller's function, if the very first token can't be had.
        """
        has_renewed = False
        while True:
            own = yield from self._headers()
            if not isinstance(own, dict):
                return own
            sent = replace(request, headers={**request.headers, **own})
            outcome: Reply | Opened | Lost = yield kind(sent)
            if not isinstance(outcome, Lost):
                self.is_proven = True
            if has_renewed or not isinstance(outcome, Reply) or not self._forget(outcome, own):
                return outcome
            has_renewed = True

    def _headers(self) -> Steps[dict[str, str] | Reply | Lost]:
        if self._token is None and self._renews:
            token: str | NoToken = yield GetToken()
            if isinstance(token, NoToken):
                if not self.is_proven:  # the caller's first token: no pause cures a mistake
                    raise token.error
                return token
            self._token = token
        if self._token is not None:
            return {"Authorization": f"Bearer {self._token}"}
        while self._csrf is None:
            ticket = object()
            # In one step, since answers may run in threads. Two calls would get two sessions, and
            # each answer would be a stranger's to the other one.
            if self._opener.setdefault("ticket", ticket) is not ticket:
                yield Wait(OPENING_SECONDS)
                continue
            try:
                reply: Reply | Lost = yield Call(CONFIG)
                if not isinstance(reply, Reply) or reply.status != 200:
                    return reply
                csrf = reply.body.get("csrf_token") if isinstance(reply.body, dict) else None
                if not isinstance(csrf, str):
                    raise malformed(reply.status)
                self._csrf = csrf
            finally:
                self._opener.clear()
        return {"Origin": self._origin, "X-CSRFToken": self._csrf}

    def _forget(self, refusal: Reply, sent: dict[str, str]) -> bool:
        """Forget what has run out, unless another answer has renewed it meanwhile.

        Returns:
            Whether the request may succeed now.
        """
        code = code_of(refusal)
        if code == "not_authenticated" and self._renews:
            if sent.get("Authorization") == f"Bearer {self._token}":
                self._token = None
            return True
        if code == "csrf_failed" and self._token is None:
            if sent.get("X-CSRFToken") == self._csrf:
                self._csrf = None
            return True
        return False
