"""The calls of `useChat` and `useObject`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from blocks.catalog import get_block

from ..errors import Refused
from ..generating.starting import Started
from ..http.endpoint import Dialect, answer_when_done, require_sse
from ..http.handover import EVENT_STREAM_HEADERS
from ..http.starting import Start, visible
from ..models import Stream
from ..process import Process
from .ai_sdk import ObjectEncoder, UiMessageEncoder
from .ask import (
    checked_id,
    id_in,
    last_of_user,
    messages_in,
    request_id_of,
    request_ids_of,
    text_of,
)
from .door import Door, feed_of

AI_SDK = "ai-sdk"
UI_MESSAGES = Dialect(
    UiMessageEncoder,
    "text/event-stream",
    {**EVENT_STREAM_HEADERS, "x-vercel-ai-ui-message-stream": "v1"},
)
TEXT = Dialect(ObjectEncoder, "text/plain; charset=utf-8", EVENT_STREAM_HEADERS)

RESUMABLE_SECONDS = 60
"""How long an ended answer can be resumed. `useChat` asks for it without its last message: later,
an answer to an earlier question would be shown below a question that was refused."""


class ChatView(Door):
    """Starts the answer to a chat's last message, or finds it again, and streams it."""

    def post(self, request: Request, block: str) -> HttpResponseBase:
        require_sse()
        data = request.data
        asked, chat = last_of_user(messages_in(data)), id_in(data, "id")
        turn = [message := id_in(asked, "id")]
        is_edit = False
        match data.get("trigger", "submit-message"):
            case "regenerate-message":  # another answer to the same message
                instead_of = checked_id(data.get("messageId") or message, "messageId")
                if instead_of == message:  # it names no answer
                    owner = self.visitor(request).owner
                    instead_of = newest_ended_id(owner, block, chat, message)
                turn.append(instead_of)
            case "submit-message":
                is_edit = data.get("messageId") == message
            case _:
                words = "trigger: submit-message or regenerate-message."
                raise Refused("invalid_input", words, field="trigger")
        text, options = text_of(asked), data.get("options")

        def prepared(*turn: str) -> Start:
            request_id = request_id_of(AI_SDK, block, chat, *turn)
            return self.prepare(request, block, prompt=text, options=options, request_id=request_id)

        start = prepared(*turn)
        if is_edit:  # the message may have had another text, and an answer to that
            start = or_if_conflict(start, prepared(message, "edit", text, json.dumps(options)))
        return self.watch(request, feed_of(start), after=-1, dialect=UI_MESSAGES)


class ResumeView(Door):
    """Streams a chat's newest answer again, from its beginning; 204 if there is none to resume.

    That is one which runs, or has just ended, while its client was away.
    """

    http_method_names: ClassVar[list[str]] = ["get"]

    def get(self, request: Request, block: str, chat: str) -> HttpResponseBase:
        require_sse()
        visitor = self.visitor(request)
        row = answers_of(visitor.owner, block, chat).first()
        if row is None or is_long_over(row):
            return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
        return self.watch(request, visible(visitor, row.id), after=-1, dialect=UI_MESSAGES)


class StopView(Door):
    """Stops a chat's newest answer; with `messageId`, the newest one to that message of the user.

    `useChat().stop()` only closes the connection, which stops no model.
    """

    def post(self, request: Request, block: str, chat: str) -> HttpResponseBase:
        owner = self.asking_visitor(request).owner
        if "messageId" in request.data:
            message = id_in(request.data, "messageId")
            row = answers_of(owner, block, chat, message).filter(ended_at__isnull=True).first()
            if row is None:  # it may not have begun
                return self.cancel_turn(request, request_id_of(AI_SDK, block, chat, message))
        else:
            row = answers_of(owner, block, chat).first()
        if row is None:
            raise Refused("not_found", "Stream not found.")
        stream_id = row.id

        async def cancel(process: Process) -> dict[str, Any]:
            feed = await process.manager.cancel(stream_id, owner, by="owner")
            return await process.manager.finder.describe(feed)

        return answer_when_done(cancel)


class ObjectView(Door):
    """Starts a structured answer, and streams the text of its JSON document."""

    def post(self, request: Request, block: str) -> HttpResponseBase:
        require_sse()
        if get_block(block).output == "markdown":
            raise Refused("invalid_input", "This block answers in text: use the chat.")
        start = self.prepare(
            request,
            block,
            prompt=request.data.get("prompt"),
            options=request.data.get("options"),
            request_id=request.data.get("request_id"),
        )
        return self.watch(request, feed_of(start), after=-1, dialect=TEXT)


def answers_of(owner: str, block: str, chat: str, message: str | None = None) -> QuerySet[Stream]:
    """Return the streams of an owner's chat, or of one message in it, the newest first.

    The index of request ids finds them.
    """
    ids = request_ids_of(AI_SDK, block, chat, message)
    rows = Stream.objects.filter(owner=owner, request_id__range=ids)
    return rows.order_by("-created_at", "-id")


def newest_ended_id(owner: str, block: str, chat: str, message: str) -> str:
    """Return the id of the newest answer to a message that has ended; "-" if none has.

    It tells apart regenerations that name no answer: a repeated call finds the one that still runs,
    and makes another after its end.
    """
    row = answers_of(owner, block, chat, message).filter(ended_at__isnull=False).first()
    return "-" if row is None else row.id


def or_if_conflict(start: Start, other: Start) -> Start:
    """Make the other start if the `request_id` of the first one was used for another input."""

    async def make(process: Process) -> Started:
        try:
            return await start(process)
        except Refused as refused:
            if refused.code != "request_conflict":
                raise
        return await other(process)

    return make


def is_long_over(row: Stream) -> bool:
    if row.ended_at is None:
        return False
    seconds = min(RESUMABLE_SECONDS, settings.STREAM_LOG_SECONDS)
    return row.ended_at < timezone.now() - timedelta(seconds=seconds)
