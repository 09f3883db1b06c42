"""The ASGI layer that reads a signed token's keys before the request takes a thread.

A key server may take seconds to answer, or never answer. Requests that wait for it hold no thread,
so they delay nobody else's.
"""

from __future__ import annotations

from ..access.tokens import token_in
from ..process import ensure_started
from .asgi_types import ASGIApp, Receive, Scope, Send

TOKENS = "liveai.tokens"
"""Key of the scope: what looks tokens up. It has the keys for this request's token, if any are."""


class TokenKeys:
    """Waits for `WAIT_SECONDS` of `access/signed_tokens/key_set.py` at most."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(found) == 1 and (token := token_in(found[0].decode("latin-1"))) is not None:
            tokens = (await ensure_started()).tokens
            await tokens.prepare(token)
            scope = {**scope, TOKENS: tokens}
        await self._app(scope, receive, send)
