"""Turns a client's start request into arguments for the stream manager, on every transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blocks.catalog import get_block
from blocks.inputs import check_input
from blocks.sample import MODEL_NAME, get_sample
from blocks.spec import BlockSpec

from .access.visitor import Visitor
from .admission.places import PlaceKeys
from .database.store import NewStream
from .errors import Refused
from .protocol.commands import is_uuid
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
    sample: Any = None,
    coerce: bool = False,
) -> Prepared:
    """Look up the block and validate the input against it. Synchronous ORM.

    Args:
        sample: the name of a sample answer to replay instead of asking the model. It has a prompt
            of its own; `prompt` and `options` must agree with it, or be left out.
        coerce: whether to convert the options from the strings of a query string.

    Raises:
        Refused, InputError
    """
    block = get_block(slug)
    if sample is None:
        text, checked = check_input(block, prompt, options, coerce=coerce)
        spec = block.spec()
        model = spec.model_name
    else:
        found = get_sample(block, sample)
        text, checked = _require_own_input(found.prompt, prompt, options)
        spec, model = found.spec(block), MODEL_NAME
    if request_id is not None and not is_uuid(request_id):
        raise Refused("invalid_input", "request_id: a UUID.", field="request_id")
    new = NewStream(
        owner=visitor.owner,
        user_id=visitor.user_id,
        session=visitor.session_id or "",
        block_type=block.slug,
        model=model,
        prompt=text,
        options=checked,
        request_id=None if request_id is None else request_id.lower(),
        sample="" if sample is None else sample,
        place=PlaceKeys.of(visitor),
    )
    return Prepared(new, spec, current_switches().enabled and spec.streaming)


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
