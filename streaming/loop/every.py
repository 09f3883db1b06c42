"""Work that a process repeats as long as it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)


async def every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Repeat `work` for ever. A failure does not end the loop; a series of them is logged once."""
    is_failing = False
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
            is_failing = False
        except (OperationalError, InterfaceError) as error:
            if not is_failing:
                logger.warning("Housekeeping waits for the database (%s).", type(error).__name__)
            is_failing = True
        except Exception:
            if not is_failing:
                logger.exception("Housekeeping failed; retrying.")
            is_failing = True
