"""The interface of the forms of an export, and their registry's base: one text for each piece."""

from __future__ import annotations

from typing import Any, Protocol

Document = dict[str, Any]
"""A stream document, with `cancelled_by`."""


class Form(Protocol):
    """Writes an export piece by piece: the beginning, each answer, the end. Pure."""

    content_type: str
    extension: str

    def begin(self, account: dict[str, Any] | None, exported_at: str) -> str:
        """Return what precedes the answers.

        Args:
            account: `name`, `email`, `joined_at`, `groups`; None: an anonymous visitor.
            exported_at: RFC 3339.
        """

    def answer(self, document: Document, number: int, title: str) -> str:
        """Return one answer.

        Args:
            number: 1 for the first one.
            title: of the block; its slug if the block no longer exists.
        """

    def end(self, count: int) -> str:
        """Return what follows the answers; without it, a reader knows that the file is cut."""
