"""`application` is this project's own ASGI application; `wrap` is for another project's.

A host imports this module for `wrap` alone, under settings of its own, so the project's application
is made when a server first asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streaming.http.asgi_types import ASGIApp


def wrap(application: Any) -> ASGIApp:
    """Wrap a host's ASGI application with what streams need (liveai/host/asgi.py)."""
    from .host import asgi

    return asgi.wrap(application)


def __getattr__(name: str) -> Any:
    if name != "application":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .project_asgi import application

    return application
