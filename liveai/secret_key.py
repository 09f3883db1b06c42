"""A secret key of this checkout's own, for sites whose environment has none."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def own_secret_key(folder: Path) -> str:
    """Return the key of this checkout, created once and kept private.

    Args:
        folder: keeps it in the file `secret-key`.

    Raises:
        ImproperlyConfigured: the folder can't be written or read.
    """
    path = folder / "secret-key"
    try:
        _make_once(path)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"DJANGO_SECRET_KEY is empty, and a key of our own can't be kept in {path}:"
            f" {error.strerror}. Write a long random text in DJANGO_SECRET_KEY."
        ) from None


def _make_once(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        # Two first starts may race: the hard link lets exactly one of them win.
        draft = path.with_name(f"secret-key.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
