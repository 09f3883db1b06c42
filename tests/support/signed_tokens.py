"""What a host's backend does: it signs tokens for its users."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt

ISSUER, OTHER_ISSUER, AUDIENCE = "https://host.example", "https://other.example", "liveai"
SHARED_KEY = "a-key-that-the-host-shares-with-us-0123456789"
OTHER_KEY = "another-key-that-another-host-shares-0123456789"
SETTINGS: dict[str, Any] = {
    "JWT_ISSUER": ISSUER,
    "JWT_AUDIENCE": AUDIENCE,
    "JWT_SHARED_KEY": SHARED_KEY,
    "JWT_MORE_ISSUERS": [
        {"issuer": OTHER_ISSUER, "audience": AUDIENCE, "shared_key": OTHER_KEY},
    ],
}
ENVIRONMENT = {**SETTINGS, "JWT_MORE_ISSUERS": json.dumps(SETTINGS["JWT_MORE_ISSUERS"])}


def claims(subject: str = "ada", *, seconds: float = 600, **changes: Any) -> dict[str, Any]:
    """Return claims that are valid for some seconds. A change to None leaves a claim out."""
    now = time.time()
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": int(now), "exp": now + seconds}
    return {name: value for name, value in (made | changes).items() if value is not None}


def signed(
    subject: str = "ada",
    *,
    key: Any = SHARED_KEY,
    algorithm: str = "HS256",
    headers: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    return jwt.encode(claims(subject, **changes), key, algorithm=algorithm, headers=headers)


def signed_by_other(subject: str = "ada", **changes: Any) -> str:
    """Return a token of the other issuer."""
    return signed(subject, key=OTHER_KEY, iss=OTHER_ISSUER, **changes)


def raw(header: bytes, payload: bytes, signature: bytes = b"x") -> str:
    """Return what has the form of a token, with any bytes in it."""
    parts = (header, payload, signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
