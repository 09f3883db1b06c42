"""Turns a client's start request into arguments for the stream manager, on every transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blocks.catalog import get_block
from blocks.continuation import CONTINUES
from blocks.inputs import check_input, check_same_input
from blocks.models import BlockType
from blocks.runtime.meter import most_tokens
from blocks.sample import MODEL_NAME, get_sample
from blocks.spec import BlockSpec

from .access.visitor import Visitor
from .admission.subjects import subjects_of
from .database import store
from .database.store import NewStream
from .errors import Refused
from .models import Stream
from .protocol.commands import is_uuid
from .protocol.cursor import STREAM_ID
from .switches import Switches, current_switches


@dataclass(frozen=True, slots=True)
class Prepared:
    new: NewStream
    spec: BlockSpec
    is_streaming: bool


def prepare_start(
    visitor: Visitor,
    slug: str,
    *,
    prompt: Any,
    options: Any,
    request_id: Any,
    continues: Any = None,
    sample: Any = None,
    coerce: bool = False,
) -> Prepared:
    """Look up the block and validate the input against it. Synchronous ORM.

    Args:
        continues: the received id of a stream whose answer is continued, of any type; its owner and
            block are checked here, and its end by the stream manager.
        sample: the name of a sample answer to replay instead of asking the model. It has a prompt
            of its own; `prompt` and `options` must agree with it, or be left out.
        coerce: whether to convert the options from the strings of a query string.

    Raises:
        Refused, InputError
    """
    visitor.require_ask()
    block = get_block(slug)
    visitor.require_block(block.slug)
    if request_id is not None and not is_uuid(request_id):
        raise Refused("invalid_input", "request_id: must be a UUID.", field="request_id")
    request_id = None if request_id is None else request_id.lower()
    spec = block.spec()
    model = spec.model_name
    if sample is not None:
        if continues is not None:
            raise Refused("invalid_input", "A sample can't continue an answer.", field=CONTINUES)
        found = get_sample(block, sample)
        text, checked = _require_own_input(found.prompt, prompt, options)
        spec, model = found.spec(block), MODEL_NAME
    elif continues is not None:
        row = _continued(visitor, block, continues, request_id)
        text, checked = row.prompt, row.options
        check_same_input(prompt, options, of=(text, checked), coerce=coerce)
    else:
        text, checked = check_input(block, prompt, options, coerce=coerce)
    new = NewStream(
        owner=visitor.owner,
        user_id=visitor.user_id,
        session=visitor.started_by,
        block_type=block.slug,
        model=model,
        prompt=text,
        options=checked,
        request_id=request_id,
        sample="" if sample is None else sample,
        subjects=subjects_of(visitor),
        reserved_tokens=0 if sample is not None else most_tokens(spec, text, checked),
        continues=continues,
    )
    return Prepared(new, spec, current_switches().enabled and spec.streaming)


def _continued(
    visitor: Visitor, block: BlockType, continues: Any, request_id: str | None
) -> Stream:
    """Return a row with the input of a continuation: that of the stream that it continues.

    Raises:
        Refused: `not_found`; `invalid_input`.
    """
    if not isinstance(continues, str):
        raise Refused("invalid_input", f"{CONTINUES}: the id of a stream.", field=CONTINUES)
    row = store.find(continues) if STREAM_ID.fullmatch(continues) else None
    if row is None and request_id is not None:
        # A repeated start attaches to its stream, whatever became of the stream that it continues.
        first = store.find_by_request(visitor.owner, request_id)
        row = first if first is not None and first.continues == continues else None
    if row is None or row.owner != visitor.owner:
        raise Refused("not_found", "Stream not found.")
    if row.block_type != block.slug:
        message = f"{CONTINUES}: this stream is of the block “{row.block_type}”."
        raise Refused("invalid_input", message, field=CONTINUES)
    if row.sample:
        message = f"{CONTINUES}: a sample can't be continued."
        raise Refused("invalid_input", message, field=CONTINUES)
    return row


def _require_own_input(own: str, prompt: Any, options: Any) -> tuple[str, dict[str, Any]]:
    """Return a sample's prompt and options.

    Raises:
        Refused: `invalid_input`: the client sent other ones.
    """
    if prompt is not None and prompt != own:
        raise Refused("invalid_input", "A sample has its own prompt.", field="prompt")
    if options is not None and options != {}:
        raise Refused("invalid_input", "A sample has no options.", field="options")
    return own, {}


def require_transport(switches: Switches, transport: str) -> None:
    """Refuse a transport that the switches do not serve.

    Raises:
        Refused: `transport_not_selected`, with the selected one.
    """
    if not switches.serves(transport):
        raise Refused(
            "transport_not_selected",
            f"Streams are served over {switches.backend} here.",
            selected=switches.backend,
        )
