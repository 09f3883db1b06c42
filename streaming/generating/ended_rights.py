"""Stops the streams of this process whose owner's right has ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from ..access.owners import is_outside
from ..access.signed_tokens.issuers import issuers
from ..database import ended_rights
from ..database.thread import DatabaseThread
from ..protocol.events import CancelledBy
from .running import Generations

BY: CancelledBy = "admin"
"""Who has ended these rights: only an admin deactivates users, or switches anonymous use off."""


class EndedRights:
    """Looks after the owners of the streams that run here. Belongs to one event loop.

    A deletion always stops a stream. Its generation hears of it with its next save, too; but a
    model that is silent, and a stream that waits in line, have nothing to save. A sign-out and
    a revoked API token are cancel intents in the rows (`database/ended_rights.py`).

    Args:
        forget: drops the feed and the log of a stream that was deleted.
    """

    def __init__(
        self, generations: Generations, db: DatabaseThread, *, forget: Callable[[str], None]
    ) -> None:
        self._generations = generations
        self._db = db
        self._forget = forget
        self._cancels = settings.STREAM_ON_RIGHT_END == "cancel"

    async def look(self) -> None:
        """Stop what has lost its owner, with one query or two. Called about every two seconds."""
        deleted = self._generations.deleted
        for stream_id in [each for each in deleted if each not in self._generations]:
            deleted.discard(stream_id)
            self._forget(stream_id)
        running = [each for each in self._generations.all() if not each.is_ending]
        if not running:
            return
        with contextlib.suppress(DatabaseError, InterfaceError):
            ids = [generation.stream_id for generation in running]
            self._generations.stop_deleted(await self._db.run(ended_rights.find_deleted, ids))
            if self._cancels:
                await self._cancel()

    async def _cancel(self) -> None:
        """Cancel the streams of deactivated users, and of visitors who may not come any more:
        where anonymous use is off, and users of other sites where no issuer is configured."""
        rows = {each.stream_id: each.row for each in self._generations.all()}
        users = {row.user_id for row in rows.values() if row.user_id is not None}
        inactive = await self._db.run(ended_rights.find_inactive, users) if users else set()
        has_issuers = bool(issuers())
        for stream_id, row in rows.items():
            if is_outside(row.owner):
                is_out = not has_issuers
            elif row.user_id is None:
                is_out = not settings.AI_ALLOW_ANONYMOUS
            else:
                is_out = row.user_id in inactive
            if is_out:
                self._generations.cancel(stream_id, BY)
