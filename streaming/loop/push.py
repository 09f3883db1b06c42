"""Writing to a client without waiting, where the server offers it.

An ASGI `send` is a coroutine with a dict for each write. Our own server also has `push`, a plain
function: it writes at once if the client keeps up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Push = Callable[[Callable[[], Any]], bool]
"""Takes a function that returns what one `send` would write: the bytes of a body, or the texts of
frames. Calls it only if it can write that at once.

Returns False if nothing was written: the function returned None, or the client does not keep up, is
gone, or gets the response in another form. `send` is then the way."""


def cut_of(send: Any) -> Callable[[], None] | None:
    """Return the server's way to end a response unfinished, like `push_of`; None: just return."""
    cut: Callable[[], None] | None = getattr(getattr(send, "__self__", None), "cut", None)
    return cut


def push_of(send: Any) -> Push | None:
    """Return the server's `push`, if `send` is the server's own; None otherwise.

    A middleware that wraps `send` hides it, and so still sees all that is written.
    """
    push: Push | None = getattr(getattr(send, "__self__", None), "push", None)
    return push
