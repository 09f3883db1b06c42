"""Static files by WhiteNoise; large files are sent in pieces at the client's pace."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import SlicedFile

from streaming.http.handover import SendPart, hand_over

PIECE_BYTES = 65_536

UNUSED = ("drf_spectacular_sidecar/redoc/*", "drf_spectacular_sidecar/*.map")
"""Files of the API's pages that no page loads: 7 MB."""


class AppFiles(AppDirectoriesFinder):
    """Finds the apps' static files, except those that no page uses."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        for path, storage in super().list(ignore_patterns):
            if not _is_unused(path):
                yield path, storage

    def find(self, path: str, *args: Any, **options: Any) -> Any:
        return [] if _is_unused(path) else super().find(path, *args, **options)


def _is_unused(path: str) -> bool:
    return any(fnmatch(path, pattern) for pattern in UNUSED)


class FilesInPieces(WhiteNoiseMiddleware):
    """Sends a small file whole, and hands over the body of a large one.

    While the body is written it occupies no request thread, and memory holds only the next piece.
    """

    def add_files(self, root: Any, prefix: str | None = None) -> None:
        if Path(root).is_dir():  # only `collectstatic` creates STATIC_ROOT
            super().add_files(root, prefix=prefix)

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        try:
            found = static_file.get_response(request.method, request.META)
        except FileNotFoundError:  # a new build has replaced the file since the start
            return HttpResponse(status=404)
        response = HttpResponse(status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        if found.file is None:
            return response
        with found.file as file:
            opened = file.fileobj if isinstance(file, SlicedFile) else file
            start, size = opened.tell(), int(response["Content-Length"])
            body = partial(_pieces, opened.name, start, start + size)
            if size <= PIECE_BYTES or not hand_over(body):
                response.content = file.read()
        return response


async def _pieces(
    path: str, start: int, end: int, send: SendPart | None = None
) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    with _shared.opened(path) as descriptor:
        while start < end:
            # In another thread, because the disk may be slow.
            piece = await loop.run_in_executor(
                None, os.pread, descriptor, min(PIECE_BYTES, end - start), start
            )
            if not piece:
                return  # the file was truncated; the server notices that the body is short
            start += len(piece)
            yield piece


class SharedFiles:
    """Files that are being sent. Used only on the event loop.

    Each file is open once, however many clients read it. With one descriptor for each client, only
    half as many connections would be possible.
    """

    def __init__(self) -> None:
        self._open: dict[str, tuple[int, int]] = {}  # path: (descriptor, readers)

    @contextmanager
    def opened(self, path: str) -> Iterator[int]:
        descriptor, readers = self._open.get(path) or (os.open(path, os.O_RDONLY), 0)
        self._open[path] = descriptor, readers + 1
        try:
            yield descriptor
        finally:
            _, readers = self._open[path]
            if readers > 1:
                self._open[path] = descriptor, readers - 1
            else:
                del self._open[path]
                os.close(descriptor)


_shared = SharedFiles()
