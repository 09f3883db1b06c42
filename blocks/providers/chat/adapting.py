"""Finds another way to put a request that a service refuses: from its error to the next dialect.

Each sign recognises one kind of refusal and changes the dialect. A change never goes back, so that
their number is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from blocks.providers.base import ChatRequest
from blocks.providers.chat.error import UpstreamError
from blocks.providers.chat.failure import FILTER, TOO_LONG
from blocks.providers.chat.request import Dialect, build_body, token_limit

MAX_CHANGES = 12
"""Limit of the changes for one request."""

MIN_TOKENS = 16
"""A lower limit of tokens than this is no answer."""

_MIN_ECHO_CHARACTERS = 12
"""A shorter text of a request may be in an error by chance, such as a number."""

_FORM = frozenset({400, 422, 501})
"""Statuses that reject the form of a request. An error in a stream has none, or one of these."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    dialect: Dialect
    request: ChatRequest
    param: str
    words: str  # in lower case
    tokens: int  # the limit that was asked for


_Change = Callable[[_Refusal], Dialect | None]


@dataclass(frozen=True, slots=True)
class _Sign:
    param: str  # the names of parameters that are exact
    words: str  # what a message says, where no parameter is named
    change: _Change
    statuses: frozenset[int] = _FORM


def next_dialect(
    dialect: Dialect,
    error: UpstreamError,
    *,
    status: int | None,
    request: ChatRequest,
    reasoning_tokens: int = 0,
) -> Dialect | None:
    """Return the dialect to try after a refusal; None if the refusal has another reason.

    Args:
        status: the HTTP status, or the one that an error in a stream implies; None if it implies
            none.
    """
    tokens = token_limit(request, dialect, reasoning_tokens)
    words = _without_echoes(error.words, request)
    if FILTER.search(words):  # the prompt is refused, not its form
        return None
    refusal = _Refusal(dialect, request, error.param.lower(), words, tokens)
    if TOO_LONG.search(refusal.words) and status in (None, *_FORM):
        fitting = _fit_context(refusal)
        if fitting is not None or _CONTEXT.search(refusal.words):
            return fitting
    signs = [sign for sign in _SIGNS if status is None or status in sign.statuses]
    # A parameter is exact if present; a message may mention others in passing.
    named = [sign for sign in signs if refusal.param and re.search(sign.param, refusal.param)]
    worded = [sign for sign in signs if re.search(sign.words, refusal.words, re.DOTALL)]
    for sign in (*named, *worded):
        changed = sign.change(refusal)
        if changed is not None and _asks_otherwise(refusal, changed, reasoning_tokens):
            return changed
    return None


def _without_echoes(words: str, request: ChatRequest) -> str:
    """Return an error's words without the texts of the request, which say nothing about it."""
    for text in (message.content.strip().lower() for message in request.messages):
        if len(text) >= _MIN_ECHO_CHARACTERS:
            words = words.replace(text, " ")
    return words


def _asks_otherwise(refusal: _Refusal, changed: Dialect, reasoning_tokens: int) -> bool:
    if changed.is_second_try and not refusal.dialect.is_second_try:
        return True
    before, after = (
        build_body("", refusal.request, dialect, reasoning_tokens=reasoning_tokens)
        for dialect in (refusal.dialect, changed)
    )
    return before != after


# --- the limit of tokens ------------------------------------------------------------

_NUMBER = re.compile(r"(?<![\w.-])\d[\d,_]*(?![\w-])")
_CONTEXT = re.compile(
    r"(?:context[ _](?:length|window|size) (?:is|of) (?:only )?|max_new_tokens`? must be <= )(\d+)"
)
_PROMPT = re.compile(
    r"(\d+) (?:tokens )?(?:in the messages|in the prompt|in your prompt|of text input|input tokens"
    r"|from the input|in the input|`inputs` tokens)"
)


def _fit_context(refusal: _Refusal) -> Dialect | None:
    """Ask for what the context leaves; a longer prompt than the context stays an error."""
    context, prompt = _CONTEXT.search(refusal.words), _PROMPT.search(refusal.words)
    if refusal.dialect.context_cap is not None:
        return None
    if context and prompt:
        left = int(context[1]) - int(prompt[1])
        if MIN_TOKENS <= left < refusal.tokens:
            return replace(refusal.dialect, context_cap=left)
    if refusal.tokens > refusal.request.max_tokens:  # the room for reasoning was ours
        return replace(refusal.dialect, context_cap=refusal.request.max_tokens)
    return None


def _lower_limit(refusal: _Refusal) -> Dialect | None:
    """Ask for the number that the service names, else for half.

    A limit that depends on the prompt or on a quota holds for this request alone.
    """
    named = [int(re.sub(r"\D", "", n)[:12]) for n in _NUMBER.findall(refusal.words)]
    fitting = [number for number in named if MIN_TOKENS <= number < refusal.tokens]
    cap = max(fitting, default=refusal.tokens // 2)
    if cap < MIN_TOKENS:
        return None
    if re.search(_PASSING, refusal.words) or (not fitting and TOO_LONG.search(refusal.words)):
        return replace(refusal.dialect, context_cap=cap)
    return replace(refusal.dialect, token_cap=cap)


def _rename_limit(refusal: _Refusal) -> Dialect | None:
    if re.search(_TOO_MANY, refusal.words):
        return None
    # Only reasoning models insist on the other name.
    return replace(
        refusal.dialect,
        token_limit_name="max_completion_tokens",
        room=max(refusal.dialect.room, 1),
    )


# --- roles and turns ----------------------------------------------------------------


def _move_system(refusal: _Refusal) -> Dialect | None:
    is_first = refusal.dialect.system_role == "system"
    if is_first and re.search(r"(use|values? (is|are):?|be) ['\"`]?developer", refusal.words):
        return replace(refusal.dialect, system_role="developer")
    return replace(refusal.dialect, system_role="user")


def _alternate(refusal: _Refusal) -> Dialect | None:
    if refusal.dialect.turns == "all":
        return replace(refusal.dialect, turns="merged", system_role="user")
    return replace(refusal.dialect, turns="last")


# --- the form of the answer ---------------------------------------------------------


def _simplify_form(refusal: _Refusal) -> Dialect | None:
    if refusal.request.schema is None:
        return None
    takes_json = re.search(r"json_object", refusal.words) and not re.search(
        r"json_object\S* (is|are) not|must be ['\"`]?json_schema", refusal.words
    )
    if refusal.dialect.answer_form == "schema" and takes_json:
        return replace(refusal.dialect, answer_form="object")
    return replace(refusal.dialect, answer_form="words")


def _repeat_form(refusal: _Refusal) -> Dialect | None:
    """Ask once more, because chance decides; then put the schema in words."""
    if refusal.request.schema is None or refusal.dialect.answer_form == "words":
        return None
    if not refusal.dialect.is_second_try:
        return replace(refusal.dialect, is_second_try=True)
    return replace(refusal.dialect, answer_form="words", is_second_try=False)


def _drop_temperature(refusal: _Refusal) -> Dialect | None:
    if re.search(_RANGE, refusal.words):  # another block's may be within
        return replace(refusal.dialect, skips_temperature=True)
    return replace(refusal.dialect, has_temperature=False)


def _without(**members: bool) -> _Change:
    return lambda refusal: replace(refusal.dialect, **members)  # type: ignore[arg-type]


# --- the table ----------------------------------------------------------------------

_ANY_LIMIT = (
    r"max[ _](completion[ _])?tokens|max_new_tokens|maxoutputtokens|max_output_tokens"
    r"|maximum tokens|(completion|output) tokens"
)
_TOO_MANY = (
    r"too (large|high|big|many)|exceed|at most|less than|lower than|or equal|range|limit of"
    r"|maximum (value|all)|> ?\d"
)
_PASSING = r"prompt|\binputs?\b(?! should)|messages|afford|credit|quota|per (second|minute|day)"
_RANGE = r"between|range|at most|less than|greater than|[<>]=? ?-?\d|positive"
_UNKNOWN = (
    r"(do(es)? not|don't|doesn't|not) support|unsupported|not (allowed|permitted|enabled)|unknown"
    r"|unrecognized|unexpected|extra|deprecated"
)
# `invalid_request_error` is in most errors.
_SAYS_NO = rf"{_UNKNOWN}|only|must|invalid(?!_)|should|{_RANGE}"

# The order counts: the first sign that still changes something wins.
_SIGNS = (
    _Sign(
        r"a^",
        r"json_validate_failed|failed to generate json|generated json|vocabulary.{0,20}format"
        r"|(parse|compil|invalid).{0,20}grammar|grammar.{0,30}(fail|error|invalid)",
        _repeat_form,
        _FORM | {500, 502},
    ),
    _Sign(r"a^", r"no endpoints found.*(parameter|support)", _repeat_form, frozenset({404})),
    _Sign(
        r"^stream_options|include_usage",
        r"stream_options|include_usage",
        _without(has_usage_option=False),
    ),
    _Sign(
        r"^stream$",
        r"verified to stream|(does not|doesn't|not) support.{0,20}stream|streaming.{0,20}not"
        r"|\bstream\W+(must|should) be( set to)?\W+false|stream\W+is not supported"
        r"|unsupported.{0,20}\bstream\b",
        _without(is_streaming=False),
        _FORM | {403, 404, 405},
    ),
    _Sign(
        r"a^",
        rf"\A(?=.*({_ANY_LIMIT}))(?=.*({_TOO_MANY}))",
        _lower_limit,
    ),
    _Sign(
        r"^max_tokens$",
        rf"max_completion_tokens|({_UNKNOWN}).{{0,60}}max_tokens|max_tokens.{{0,60}}({_UNKNOWN})",
        _rename_limit,
    ),
    _Sign(
        r"^temperature",
        rf"\A(?=.*temperature)(?=.*({_SAYS_NO}))",
        _drop_temperature,
    ),
    _Sign(
        r"reasoning|^effort",
        rf"\A(?=.*reasoning)(?=.*({_SAYS_NO}))",
        _without(has_effort=False),
    ),
    _Sign(
        r"^response_format|schema|grammar",
        r"response_format|response format|schema|grammar|structured output|json mode|guided"
        r"|constrained",
        _simplify_form,
    ),
    _Sign(
        r"a^",
        r"roles?\b.{0,40}\balternat(e|ing)\b|\balternat(e|ing)\b.{0,40}(role|user)|consecutive"
        r"|(last|final|first) message.{0,30}(user|assistant)"
        r"|after the optional system",
        _alternate,
        _FORM | {500},  # llama.cpp, for what a template raises
    ),
    _Sign(
        r"messages.*role|^role$",
        rf"(system|developer)['\"`]? ?(role|message|prompt|instruction).{{0,60}}({_SAYS_NO})"
        rf"|({_SAYS_NO}).{{0,40}}(['\"`](system|developer)['\"`]"
        r"|\b(system|developer) (role|message|prompt|instruction))|support\w* system\b"
        r"|only user and assistant|'user' or 'assistant'|role\W+system|(unknown|invalid) role",
        _move_system,
        _FORM | {500},
    ),
    _Sign(
        r"continue_final_message|add_generation_prompt",
        r"continue_final_message|add_generation_prompt",
        _without(has_continue_flags=False),
    ),
)
