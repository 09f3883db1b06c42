"""The admin's calls that ask a model: the preview of a form, and the trial of a connection."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST

from blocks.catalog import models_in_use
from blocks.errors import BlockError
from blocks.forms import BlockTypeForm
from blocks.inputs import check_input
from blocks.models import BlockType
from blocks.providers.registry import ProviderConfig, model_problem
from blocks.runtime.meter import most_tokens, tokens_in
from blocks.runtime.trial import ADVICE, REQUEST, try_model

from ..access.rights import right_of
from ..access.visitor import Visitor, keep_session, visitor_of
from ..errors import Refused
from ..http.endpoint import answer_on_loop, rendered
from ..http.handover import EventStreamResponse
from ..http.problems import http_refusal_of, problem
from ..process import Process
from .admission import charge, require_allowance, take_turn
from .body import Preview, preview_body
from .providers import providers_for

PROMPT, OPTIONS, BLOCK = "preview-prompt", "preview-options", "preview-block"
"""Fields that stand beside those of the form: what to ask, the options as JSON, and the number of
the block type that is edited (empty: a new one)."""

MODEL_CHARACTERS = 200


@require_POST
def preview(request: HttpRequest) -> HttpResponseBase:
    """Run the unsaved values of the form, and respond with events like those of a stream.

    Problems of the form are `invalid_input` with `errors`: lists of sentences by field.
    """
    _require_editor(request)
    visitor = _visitor(request)
    try:
        block = _block_of(request)
        prompt, options = check_input(block, request.POST.get(PROMPT), _options_of(request))
        spec = block.spec()
        subjects = require_allowance(visitor, most_tokens(spec, prompt, options))
    except (Refused, BlockError) as error:
        return problem(http_refusal_of(error))
    asked = Preview(visitor, subjects, spec, prompt, options, models_in_use())
    right = partial(right_of, visitor, request.session)

    async def start(process: Process) -> HttpResponseBase:
        turn = await take_turn(process, visitor, subjects)
        return EventStreamResponse(partial(preview_body, process, asked, turn, right=right))

    return answer_on_loop(start, request=request)


@require_POST
def test_model(request: HttpRequest) -> HttpResponseBase:
    """Ask a model for a few tokens, and respond with what came of it, in words."""
    _require_editor(request)
    visitor = _visitor(request)
    model = request.POST.get("model", "").strip()[:MODEL_CHARACTERS] or settings.AI_MODEL
    if words := model_problem(model, ProviderConfig.from_settings()):
        code = "provider_rejected"
        return rendered({"works": False, "code": code, "message": words, "advice": ADVICE[code]})
    try:
        needed = tokens_in(REQUEST.messages[0].content) + REQUEST.max_tokens
        subjects = require_allowance(visitor, needed)
    except Refused as refused:
        return problem(refused)
    kept = models_in_use()

    async def ask(process: Process) -> HttpResponseBase:
        turn = await take_turn(process, visitor, subjects)
        turn.begin()
        try:
            async with providers_for(process, model, kept) as pool:
                trial = await process.connections.until_dismissed(
                    try_model(model, pool, now=process.now)
                )
        finally:
            turn.end()
        used = trial.usage.input_tokens + trial.usage.output_tokens
        await charge(process, visitor, subjects, used)
        return rendered(
            {
                "works": not trial.code,
                "code": trial.code,
                "message": trial.words,
                "advice": trial.advice,
            }
        )

    return answer_on_loop(ask, request=request)


def _require_editor(request: HttpRequest) -> None:
    """Require somebody who may add or change block types. `admin_view` has required the staff."""
    panel = admin.site.get_model_admin(BlockType)
    if not (panel.has_change_permission(request) or panel.has_add_permission(request)):
        raise PermissionDenied


def _visitor(request: HttpRequest) -> Visitor:
    visitor = visitor_of(request.user, request.session, client=request.META.get("REMOTE_ADDR"))
    keep_session(visitor, request.session)
    return visitor


def _block_of(request: HttpRequest) -> BlockType:
    """Return the block type that saving the form would store.

    Raises:
        Refused: `invalid_input`, with the problems of each field.
    """
    number = request.POST.get(BLOCK, "")
    is_number = number.isascii() and number.isdigit() and len(number) <= 18
    block = BlockType.objects.filter(pk=int(number)).first() if is_number else None
    form = BlockTypeForm(request.POST, instance=block)
    if not form.is_valid():
        errors = {name: list(map(str, problems)) for name, problems in form.errors.items()}
        raise Refused("invalid_input", "Some values can’t be used.", errors=errors)
    edited: BlockType = form.instance
    return edited


def _options_of(request: HttpRequest) -> Any:
    try:
        return json.loads(request.POST.get(OPTIONS) or "{}")
    except (ValueError, RecursionError):
        raise Refused("invalid_input", "The options must be JSON.", field="options") from None
