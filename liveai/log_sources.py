"""What other packages' loggers quote of clients and of our data, cut from their messages.

Django quotes paths and headers, asyncio the arguments of callbacks and the texts of exceptions.
"""

from __future__ import annotations

import re

CUT = "…"

_ASYNCIO = re.compile(r"(?:\((?!\))|\bhandle:|\bexception=|\bresult=).*", re.DOTALL)
"""`Exception in callback f('a prompt')`, `handle: <Handle f('a prompt')>`, `exception=<…>`. Of
`socket.accept() out of system resource` nothing."""

_PATH_REST = re.compile(r"[?;].*", re.DOTALL)
"""Of a path that is decoded already: the `?` and the spaces of a query may have been encoded."""

_CSRF_VALUE = re.compile(r"(?<=checking failed - ).*(?= does not match any trusted origins)", re.S)

_SECURITY_VALUE = re.compile(r"(?<!\w)['\"].*", re.DOTALL)
"""`Invalid HTTP_HOST header: 'evil.example'. …`"""

_WARNING_TEXT = re.compile(r"(?<=:)(\d+: \w+): .*")
"""`FILE:LINE: CATEGORY: TEXT`. Python also shows the line of source, below it."""


def without_quotes(logger: str, message: str, *, is_of_client: bool) -> str:
    """Cut what a message quotes, by the name of its logger. Other loggers' are returned as is.

    Args:
        is_of_client: whether a request or an answer was at work.
    """
    if logger == "asyncio":
        return _ASYNCIO.sub(CUT, message)
    if logger == "django.request":
        return _PATH_REST.sub("", message)
    if logger == "django.security.csrf":
        return _PATH_REST.sub("", _CSRF_VALUE.sub(CUT, message))
    if logger.startswith("django.security."):
        return _SECURITY_VALUE.sub(CUT, message)
    if logger == "py.warnings":
        line = message.partition("\n")[0]
        return _WARNING_TEXT.sub(r"\1", line) if is_of_client else line
    return message
