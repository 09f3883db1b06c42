"""The calls of AG-UI's `HttpAgent`."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from ..errors import Refused
from ..http.endpoint import Dialect, require_sse
from ..http.handover import EVENT_STREAM_HEADERS
from .ag_ui import AgUiEncoder
from .ask import id_in, last_of_user, messages_in, request_id_of, text_of
from .door import Door, feed_of

AG_UI = "ag-ui"


class RunView(Door):
    """Starts a run, or finds the one of the same `threadId` and `runId`, and streams it."""

    def post(self, request: Request, block: str) -> HttpResponseBase:
        require_sse()
        data = request.data
        thread_id, run_id = id_in(data, "threadId"), id_in(data, "runId")
        messages = messages_in(data)
        start = self.prepare(
            request,
            block,
            prompt=text_of(last_of_user(messages)),
            options=options_in(data.get("forwardedProps")),
            request_id=request_id_of(AG_UI, block, thread_id, run_id),
        )
        encoder = partial(AgUiEncoder, thread_id=thread_id, run_id=run_id, messages=messages)
        dialect = Dialect(encoder, "text/event-stream", EVENT_STREAM_HEADERS)
        return self.watch(request, feed_of(start), after=-1, dialect=dialect)


class StopRunView(Door):
    """Stops a run, also before it has begun. `abortRun()` only closes the connection."""

    def post(self, request: Request, block: str) -> HttpResponseBase:
        thread_id, run_id = id_in(request.data, "threadId"), id_in(request.data, "runId")
        return self.cancel_turn(request, request_id_of(AG_UI, block, thread_id, run_id))


def options_in(forwarded: Any) -> Any:
    """Return the block's options of a run: `forwardedProps.options`.

    Raises:
        Refused: `invalid_input`.
    """
    if forwarded is None:
        return None
    if not isinstance(forwarded, dict):
        raise Refused("invalid_input", "forwardedProps: an object.", field="forwardedProps")
    return forwarded.get("options")
