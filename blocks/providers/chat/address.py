"""The addresses of a service's chat completions."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

PATH = "/chat/completions"


def address_problem(base_url: str) -> str:
    """Describe why an address can't work, without showing it; empty if it may."""
    base_url = base_url.strip()
    try:
        url = urlsplit(base_url)
        has_port = url.port is None or url.port > 0
    except ValueError:
        return "AI_BASE_URL is not an address."
    if url.scheme not in ("http", "https"):
        if base_url and "://" not in base_url:
            return "AI_BASE_URL does not begin with http:// or https://."
        return "AI_BASE_URL is not an address that begins with http:// or https://."
    if not url.hostname or not has_port or any(c.isspace() for c in base_url):
        return "AI_BASE_URL is not an address."
    return ""


def completions_urls(base_url: str) -> tuple[str, ...]:
    """Return the addresses to try in turn.

    A query stays (Azure's `?api-version=`), and so does a path that already leads to the chat
    completions. An address without a path may lack the usual `/v1`.

    Raises:
        ValueError: see `address_problem`.
    """
    if problem := address_problem(base_url):
        raise ValueError(problem)
    url = urlsplit(base_url.strip())
    path = url.path.rstrip("/")
    if path.endswith(PATH):
        return (_with_path(url, path),)
    if not path:
        return (_with_path(url, "/v1" + PATH), _with_path(url, PATH))
    return (_with_path(url, path + PATH),)


def is_azure(url: str) -> bool:
    """Whether the service expects its key in Azure's own header."""
    split = urlsplit(url)
    return "api-version=" in split.query or (split.hostname or "").endswith(".azure.com")


def secrets_in(base_url: str) -> tuple[str, ...]:
    """Return what an address contains that must not be shown: its query, its user and password."""
    url = urlsplit(base_url)
    user = url.netloc.rpartition("@")[0]
    secrets = (url.query and f"?{url.query}", user and f"{user}@", url.password)
    return tuple(secret for secret in secrets if secret)


def _with_path(url: SplitResult, path: str) -> str:
    return urlunsplit((url.scheme, url.netloc, path, url.query, ""))
