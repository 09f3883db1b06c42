"""Creates a visitor with a long history, in the database of `DATABASE_URL`.

`python -m benchmarks.load.long_history` prints a JSON object: `search_cookie`, the visitor's
`sessionid`; `files`, the paths of the largest static files.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import django

ROWS = 3_000
TEXT = "a" * 4_000
"""As long as an answer of a thousand tokens. Words that almost match are the slowest to search."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liveai.settings")
    django.setup()
    print(json.dumps({"search_cookie": _make_visitor(), "files": _biggest_files()}))


def _make_visitor() -> str:
    from django.conf import settings
    from django.utils import timezone

    from streaming.access.sessions import SESSION_KEY
    from streaming.models import Stream

    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = "long-history"
    session.save()
    now = timezone.now()
    Stream.objects.bulk_create(
        (
            Stream(
                id=f"{number:022}",
                owner="anonymous:long-history",
                session="long-history",
                block_type="ask-question",
                model="bench",
                prompt="Why?",
                status="complete",
                text=TEXT,
                terminal={"type": "complete"},
                seq=0,
                mark=0,
                created_at=now - timedelta(seconds=number),
                ended_at=now - timedelta(seconds=number),
            )
            for number in range(ROWS)
        ),
        batch_size=100,
    )
    return str(session.session_key)


def _biggest_files() -> list[str]:
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders

    sizes = {}
    for finder in get_finders():
        for path, storage in finder.list([]):
            prefix = getattr(storage, "prefix", None)
            url = f"{settings.STATIC_URL}{prefix}/{path}" if prefix else settings.STATIC_URL + path
            sizes[url] = Path(storage.path(path)).stat().st_size
    biggest = sorted(sizes, key=sizes.__getitem__, reverse=True)
    return biggest[:10]


if __name__ == "__main__":
    main()
