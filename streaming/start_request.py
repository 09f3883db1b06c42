"""Turns a client's start request into arguments for the stream manager, on every transport."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blocks.catalog import get_block
from blocks.inputs import check_input
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
    coerce: bool = False,
) -> Prepared:
    """Look up the block and validate the input against it. Synchronous ORM.

    Args:
        coerce: whether to convert the options from the strings of a query string.

    Raises:
        Refused, InputError
    """
    block = get_block(slug)
    text, checked = check_input(block, prompt, {} if options is None else options, coerce=coerce)
    if request_id is not None and not is_uuid(request_id):
        raise Refused("invalid_input", "request_id: a UUID.", field="request_id")
    spec = block.spec()
    new = NewStream(
        owner=visitor.owner,
        user_id=visitor.user_id,
        session=visitor.session_id or "",
        block_type=block.slug,
        model=spec.model_name,
        prompt=text,
        options=checked,
        request_id=None if request_id is None else request_id.lower(),
        place=PlaceKeys.of(visitor),
    )
    return Prepared(new, spec, current_switches().enabled and spec.streaming)


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
