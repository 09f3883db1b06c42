"""The door for OpenAI's clients: a block is a model, by its slug."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from blocks.catalog import get_block, list_blocks
from blocks.models import BlockType

from ..access.rights import right_of
from ..errors import Refused
from ..http.endpoint import Dialect, answer_on_loop, rendered, require_sse, until_ended
from ..http.handover import EVENT_STREAM_HEADERS
from ..http.problems import exception_handler, http_refusal_of, problem
from ..http.starting import Start
from ..process import Process
from .ask import last_of_user, messages_in, text_of
from .door import Door, feed_of
from .openai_chat import ChatCompletionEncoder, completion_id, completion_of, error_document
from .openai_errors import in_their_form, not_repeated

logger = logging.getLogger(__name__)


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse:
    return in_their_form(exception_handler(error, context))


class OpenAIDoor(Door):
    @staticmethod
    def refuse(refused: Refused) -> HttpResponse:
        return in_their_form(problem(refused))

    def get_exception_handler(self) -> Callable[..., HttpResponse]:
        return handle


class ModelsView(OpenAIDoor):
    """The available blocks; of those, the ones that a signed token grants."""

    http_method_names: ClassVar[list[str]] = ["get"]

    def get(self, request: Request) -> HttpResponseBase:
        grant = None if request.auth is None else request.auth.grant
        blocks = [each for each in list_blocks() if grant is None or grant.may_ask(each.slug)]
        return rendered({"object": "list", "data": [model_of(each) for each in blocks]})


class ModelView(OpenAIDoor):
    """One of them."""

    http_method_names: ClassVar[list[str]] = ["get"]

    def get(self, request: Request, model: str) -> HttpResponseBase:
        block = get_block(model)
        if request.auth is not None:
            request.auth.require_block(block.slug)
        return rendered(model_of(block))


def model_of(block: BlockType) -> dict[str, Any]:
    return {"id": block.slug, "object": "model", "created": 0, "owned_by": "liveai"}


class ChatCompletionsView(OpenAIDoor):
    """Answers the last message of the user, as a stream of chunks or whole.

    Parameters of models (`temperature`, `tools`, …) are ignored: the block has its own. A client
    that closes the connection stops no model; see decision 049.
    """

    def post(self, request: Request) -> HttpResponseBase:
        data = request.data
        model = data.get("model")
        if not isinstance(model, str):
            raise Refused("invalid_input", "model: the slug of a block.", field="model")
        if data.get("n") not in (None, 1):
            raise Refused("invalid_input", "n: there is one answer.", field="n")
        is_stream, has_usage = stream_options_in(data)
        if is_stream:
            require_sse()
        start = self.prepare(
            request,
            model,
            prompt=text_of(last_of_user(messages_in(data))),
            options=data.get("options"),
            request_id=data.get("request_id"),
        )
        if not is_stream:
            return self._answer_whole(request, start)
        encoder = partial(ChatCompletionEncoder, has_usage=has_usage)
        dialect = Dialect(encoder, "text/event-stream", EVENT_STREAM_HEADERS)
        return self.watch(request, feed_of(start), after=-1, dialect=dialect)

    def _answer_whole(self, request: Request, start: Start) -> HttpResponseBase:
        session = None if request.auth is not None else request._request.session
        right = right_of(self.visitor(request), session)
        may_be_repeated = request.data.get("request_id") is not None

        async def answer(process: Process) -> HttpResponseBase:
            feed = (await start(process)).feed
            try:
                await until_ended(feed, right, process)
                return whole_answer(await process.manager.finder.describe(feed))
            except Exception as error:
                if may_be_repeated:
                    raise
                refused = http_refusal_of(error)
                if refused.code == "internal":
                    logger.exception("An API call failed.")
                return unseen_answer(refused, feed.stream_id)

        return answer_on_loop(answer, request=request._request, refuse=self.refuse)


def whole_answer(document: dict[str, Any]) -> HttpResponse:
    """Build the response for the document of an ended stream."""
    if document["status"] == "complete":
        return rendered(completion_of(document))
    if document["status"] == "cancelled":
        error = error_document("The answer was stopped.", "cancelled", kind="cancelled")
        response = rendered(error, status=409)
    else:
        failure = document["error"]
        error = error_document(failure["message"], failure["code"], kind="server_error")
        response = rendered(error, status=502)
    return not_repeated(response)


def unseen_answer(refused: Refused, stream_id: str) -> HttpResponse:
    """Build the response if the wait for an answer ends before the answer does.

    The answer goes on. A 503 would make nginx and OpenAI's clients start, and pay for, another one.
    """
    text = f"{refused.message} The answer goes on, as stream {stream_id}."
    error = error_document(text, refused.code, kind="server_error")
    error["error"]["id"] = completion_id(stream_id)
    return not_repeated(rendered(error, status=502))


def stream_options_in(data: dict[str, Any]) -> tuple[bool, bool]:
    """Return whether a body asks for a stream, and for the usage at its end.

    Raises:
        Refused: `invalid_input`.
    """
    is_stream, more = data.get("stream") or False, data.get("stream_options") or {}
    if not isinstance(is_stream, bool):
        raise Refused("invalid_input", "stream: true or false.", field="stream")
    if not isinstance(more, dict):
        raise Refused("invalid_input", "stream_options: an object.", field="stream_options")
    return is_stream, more.get("include_usage") is True
