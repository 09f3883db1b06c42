"""Exports all answers of an owner, page by page. Source: spec.md, "HTTP", `GET /api/export`.

Memory holds one page. A page is read and written as text on a thread of its own, so that neither
the loop nor a request thread waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils import timezone
from limits import RateLimitItemPerHour

from blocks.catalog import list_blocks

from ..access.rights import Right
from ..access.visitor import Visitor
from ..admission.one_each import Turn
from ..admission.subjects import key_of
from ..database.rows import describe, format_time
from ..database.search import Place, rows_after
from ..errors import Refused
from ..http.handover import BodyCut, BodyResponse, SendPart
from ..models import Stream
from ..process import Process
from .as_json import JSONForm
from .as_markdown import MarkdownForm
from .form import Form

logger = logging.getLogger(__name__)

FORMS: dict[str, Form] = {"json": JSONForm(), "markdown": MarkdownForm()}

EXPORTS_PER_HOUR = 20
EXPORT_SECONDS = 900.0
"""Most time of one export. A slower client gets a file that is visibly cut."""

PAGE_ROWS = 20


@dataclass(frozen=True, slots=True)
class Export:
    """What to export, and how."""

    visitor: Visitor
    form: Form
    account: dict[str, Any] | None
    right: Right | None = None  # ends the export when it ends


async def open_export(process: Process, export: Export) -> BodyResponse:
    """Return the response that writes an export.

    Raises:
        Refused: `rate_limited`: the owner has an export already, the address has several, or the
            owner has had too many;
            `over_capacity`.
    """
    visitor = export.visitor
    turn = process.exports.take(visitor, busy="Your answers are being exported already.")
    try:
        await _count(process, visitor)
    except BaseException:
        turn.end()
        raise
    name = f"liveai-{timezone.now():%Y-%m-%d}.{export.form.extension}"
    return BodyResponse(
        partial(_body, process, export, turn),
        content_type=export.form.content_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Accel-Buffering": "no",  # else a proxy would store a large file
        },
    )


async def _count(process: Process, visitor: Visitor) -> None:
    if visitor.counts_as is None:
        return
    per_hour = RateLimitItemPerHour(EXPORTS_PER_HOUR, namespace="export")
    seconds = await process.rates.seconds_to_wait(per_hour, key_of(visitor.counts_as))
    if seconds is not None:
        raise Refused(
            "rate_limited",
            f"You have exported your answers {EXPORTS_PER_HOUR} times within an hour.",
            retry_after_seconds=seconds,
        )


async def _body(
    process: Process, export: Export, turn: Turn, send: SendPart | None = None
) -> AsyncGenerator[bytes, None]:
    """Yield the parts of an export; with `send`, pass them to that and yield nothing.

    Raises:
        BodyCut: a page can't be read. With `send` also: the right has ended, the process shuts
            down, or the client is too slow.
    """
    turn.begin()
    try:
        async with aclosing(_parts(process, export)) as parts:
            if send is None:
                async for part in parts:
                    yield part
                return
            # As a whole: a client that reads slowly is waited for, not the database.
            sending = _send_all(parts, send)
            await process.connections.until_dismissed(sending, right=export.right)
    except (Refused, TimeoutError):
        raise BodyCut from None
    finally:
        turn.end()


async def _send_all(parts: AsyncGenerator[bytes, None], send: SendPart) -> None:
    async with asyncio.timeout(EXPORT_SECONDS):
        async for part in parts:
            await send(part)


async def _parts(process: Process, export: Export) -> AsyncGenerator[bytes, None]:
    now = format_time(timezone.now()) or ""
    yield _encoded(export.form.begin(export.account, now))
    count, after = 0, None
    while True:
        page = await _read(process, export, after, count)
        count += page.count
        if page.last is None:
            yield page.data + _encoded(export.form.end(count))
            return
        yield page.data
        after = page.last


async def _read(process: Process, export: Export, after: Place | None, count: int) -> Page:
    try:
        return await process.own_data.query(read_page, export, after, count)
    except Refused:
        raise
    except Exception:
        # Whoever writes the body would end it as if it were whole.
        logger.exception("A page of an export can't be read.")
        raise BodyCut from None


@dataclass(frozen=True, slots=True)
class Page:
    data: bytes
    count: int
    last: Place | None  # None: no rows remain


def read_page(export: Export, after: Place | None, count: int) -> Page:
    """Read the next rows, and write them in the export's form. Synchronous ORM.

    Args:
        after: the last place of the previous page.
        count: the number of answers before.
    """
    rows = Stream.objects.filter(owner=export.visitor.owner).defer("earlier")
    if after is not None:
        rows = rows_after(rows, after)
    found = list(rows[:PAGE_ROWS])
    titles = {block.slug: block.title for block in list_blocks()}
    texts = [
        export.form.answer(_document(row), number, titles.get(row.block_type, row.block_type))
        for number, row in enumerate(found, start=count + 1)
    ]
    is_last = len(found) < PAGE_ROWS
    last = None if is_last else Place(found[-1].created_at, found[-1].id)
    return Page(_encoded("".join(texts)), len(found), last)


def _document(row: Stream) -> dict[str, Any]:
    return {**describe(row), "cancelled_by": (row.terminal or {}).get("by")}


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")  # JSON columns may hold lone surrogates
