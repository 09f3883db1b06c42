"""A client for programs: asks blocks over HTTP, and follows each answer to its one end.

    with Client("https://ai.example", token=TOKEN) as client:
        for event in client.ask("quiz", "Rivers", {"questions": 2}):
            ...

It imports no Django and nothing else of this project; it needs httpx and httpx-sse. `following.py`
and `calls.py` decide what to request next. `sync.py` and `aio.py` do it.

Source: specs/050-live-ai-interaction/spec.md, "HTTP" and "Resume".
Decision: specs/050-live-ai-interaction/decisions/051-the-python-client.md
"""

from .aio import AsyncAnswer, AsyncClient
from .backoff import Patience
from .errors import LiveAIError
from .events import Chunk, Event, Item, Reset, Snapshot, Status, Terminal
from .sync import Answer, Client

__all__ = [
    "Answer",
    "AsyncAnswer",
    "AsyncClient",
    "Chunk",
    "Client",
    "Event",
    "Item",
    "LiveAIError",
    "Patience",
    "Reset",
    "Snapshot",
    "Status",
    "Terminal",
]
