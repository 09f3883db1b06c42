"""The requests that add up many rows. They run on a thread of their own, and delay no others."""

from __future__ import annotations

from streaming.http.asgi_types import Scope
from streaming.http.request_threads import Lane
from streaming.http.search_lanes import share_of_the_address

PATHS = ("/admin/", "/admin/spent/")


def adds_up(scope: Scope) -> bool:
    """Whether a request is for the dashboard, or for what a user spent."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) in PATHS


FIGURES = Lane("figures", adds_up, shares_of=share_of_the_address)
