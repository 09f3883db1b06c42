"""The format of the scripts that `scripted` plays, as data. Pure.

A script is JSON:

    {"model": "demo",
     "replies": [
       {"when": {"schema_has": "edges"}, "steps": [...]},
       {"when": {"prompt_has": "sky"}, "in_turn": [[...], [...]]},
       {"steps": [...]}]}

`{"steps": [...]}` without `replies` is a script of one reply. The first reply whose `when` matches
answers the request. `schema_has` looks for a property's name anywhere in the request's JSON Schema.
`prompt_has` looks for words in the last user message, ignoring case. Without `when` a reply always
matches. `in_turn` holds the steps of the first, second … request that the reply answers; the last
entry repeats. A step is one of

    "Hello"                                              one token, at once
    {"text": "…", "every_ms": 20, "token_chars": 4}      cut into tokens, one per 20 ms
    {"json": {…}, "every_ms": 20, "token_chars": 4}      the same for an object's compact JSON; its
                                                         arrays are cut to the schema's `maxItems`
    {"tokens": ["Hel", "lo"], "every_ms": 20}            these tokens
    {"clock": 100, "every_ms": 20}                       tokens that hold their due times
    {"clock": 100, "every_ms": 20, "turn_ms": [500, 1000, 2000]}   the same, but only from 500 to
                                                         1000 ms in each 2000 ms of the clock
    {"repeat": 100, "steps": [...]}
    {"pause_ms": 500}                                    silence
    {"hang": true}                                       silence for ever
    {"think": true}                                      an invisible sign of life
    {"fail": "provider_interrupted", "message": "…"}     ends with that error
    {"finish": "length"}                                 ends with that reason; default: "stop"
    {"usage": {"input_tokens": 12, "output_tokens": 34}} the usage that the end reports

A token of `clock` is a time in nanoseconds and a space. The time is the event loop's, which is the
system's monotonic clock, so that a benchmark can measure a token's latency.

Without `every_ms` tokens come at once; without `token_chars` a token has four characters. Without
`usage` the output is the number of tokens played, and the input the request's characters divided by
four.

A request may contain the beginning of its answer (a final assistant message). It chooses its reply,
and counts in turn, like any other. The text that the reply shares with that beginning is skipped by
the character, including pauses. A token may be cut in two, and of `clock` any time matches. From
there the reply is played at its own pace; if nothing is left, only its end comes. If the beginning
does not match, the whole reply is played as the continuation:
`{"in_turn": [["The sky", {"hang": true}], [" is blue."]]}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from blocks import errors
from blocks.errors import GenerationError
from blocks.providers.base import ChatRequest

_ERRORS = {
    error.code: error
    for error in vars(errors).values()
    if isinstance(error, type)
    and issubclass(error, GenerationError)
    and GenerationError in error.__bases__  # one class a code
}


@dataclass(frozen=True, slots=True)
class Say:
    tokens: tuple[str, ...]
    every_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SayJson:
    value: Mapping[str, Any]
    every_seconds: float
    token_chars: int

    def said(self, schema: Mapping[str, Any] | None) -> Say:
        """Return its tokens for a request with that schema."""
        properties = (schema or {}).get("properties", {})
        fitted = {
            name: member[: properties.get(name, {}).get("maxItems")]
            if isinstance(member, list)
            else member
            for name, member in self.value.items()
        }
        text = json.dumps(fitted, ensure_ascii=False, separators=(",", ":"))
        return Say(_cut(text, self.token_chars), self.every_seconds)


@dataclass(frozen=True, slots=True)
class Turn:
    """A part of each period of the clock, in seconds."""

    begin: float
    end: float
    period: float

    def postpone(self, due_seconds: float, every_seconds: float) -> float:
        """Move a token's due time into the turn, by a multiple of `every_seconds`."""
        while not self.begin <= due_seconds % self.period < self.end:
            due_seconds += every_seconds
        return due_seconds


@dataclass(frozen=True, slots=True)
class Clock:
    times: int
    every_seconds: float = 0.0
    turn: Turn | None = None

    @staticmethod
    def token(due_seconds: float) -> str:
        return f"{round(due_seconds * 1e9)} "


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    pass


@dataclass(frozen=True, slots=True)
class Think:
    pass


@dataclass(frozen=True, slots=True)
class Fail:
    error: type[GenerationError]
    message: str = ""


@dataclass(frozen=True, slots=True)
class End:
    reason: Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Tell:
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Repeat:
    times: int
    steps: tuple[Step, ...]


Step = Say | SayJson | Clock | Pause | Hang | Think | Fail | End | Tell | Repeat
PlainStep = Say | Clock | Pause | Hang | Think | Fail | End | Tell


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the requests that match. `takes` are used in turn; the last one repeats."""

    takes: tuple[tuple[Step, ...], ...]
    schema_has: str = ""
    prompt_has: str = ""

    def fits(self, request: ChatRequest) -> bool:
        if self.schema_has and not has_property(request.schema, self.schema_has):
            return False
        if not self.prompt_has:
            return True
        prompts = [m.content for m in request.messages if m.role == "user"]
        return bool(prompts) and self.prompt_has.casefold() in prompts[-1].casefold()


@dataclass(frozen=True, slots=True)
class Script:
    replies: tuple[Reply, ...]
    model: str = "scripted"


def has_property(schema: Any, name: str) -> bool:
    """Whether a JSON Schema has a property of that name, at any depth."""
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        if isinstance(properties, Mapping) and name in properties:
            return True
        return any(has_property(value, name) for value in schema.values())
    return isinstance(schema, list | tuple) and any(has_property(value, name) for value in schema)


def flatten(
    steps: tuple[Step, ...], schema: Mapping[str, Any] | None = None
) -> Iterator[PlainStep]:
    """Yield the steps as played for a request with that schema; repetitions expand lazily."""
    for step in steps:
        if isinstance(step, Repeat):
            for _ in range(step.times):
                yield from flatten(step.steps, schema)
        elif isinstance(step, SayJson):
            yield step.said(schema)
        else:
            yield step


# --- parsing --------------------------------------------------------------------


def parse_script(data: Any, *, model: str = "scripted") -> Script:
    """Parse a script's JSON value; `model` is the default for its name.

    Raises:
        ValueError: not a script; the message says where and why.
    """
    _require(isinstance(data, Mapping), "a script is an object")
    replies = data.get("replies", [data] if "steps" in data or "in_turn" in data else None)
    _require(isinstance(replies, list) and replies, "`replies` (or `steps`) is missing")
    return Script(
        tuple(_parse_reply(reply, f"replies[{i}]") for i, reply in enumerate(replies)),
        str(data.get("model", model)),
    )


def _parse_reply(data: Any, at: str) -> Reply:
    _require(isinstance(data, Mapping), f"{at} is an object")
    when = data.get("when", {})
    _require(
        isinstance(when, Mapping) and set(when) <= {"schema_has", "prompt_has"},
        f"{at}.when knows `schema_has` and `prompt_has`",
    )
    takes = data.get("in_turn", [data.get("steps")])
    _require(isinstance(takes, list) and takes, f"{at}.in_turn is a list of lists of steps")
    parsed = tuple(_parse_steps(steps, f"{at}[{i}]") for i, steps in enumerate(takes))
    return Reply(parsed, str(when.get("schema_has", "")), str(when.get("prompt_has", "")))


def _parse_steps(data: Any, at: str) -> tuple[Step, ...]:
    _require(isinstance(data, list), f"{at} is a list of steps")
    return tuple(_parse_step(step, f"{at}.steps[{i}]") for i, step in enumerate(data))


def _parse_step(data: Any, at: str) -> Step:
    match data:
        case str():
            return Say(_tokens([data], at))
        case {"text": str(text)}:
            size = _token_chars(data, at)
            return Say(_tokens([*_cut(text, size)], at), _milliseconds(data, "every_ms", at))
        case {"json": {} as value}:
            every = _milliseconds(data, "every_ms", at)
            return SayJson(value, every, _token_chars(data, at))
        case {"tokens": list(tokens)}:
            return Say(_tokens(tokens, at), _milliseconds(data, "every_ms", at))
        case {"clock": int(times)} if times >= 0:
            every = _milliseconds(data, "every_ms", at)
            return Clock(times, every, _turn(data, every, at))
        case {"repeat": int(times), "steps": steps} if times >= 0:
            return Repeat(times, _parse_steps(steps, at))
        case {"pause_ms": _}:
            return Pause(_milliseconds(data, "pause_ms", at))
        case {"hang": True}:
            return Hang()
        case {"think": True}:
            return Think()
        case {"fail": str(code), **rest} if code in _ERRORS:
            return Fail(_ERRORS[code], str(rest.get("message", "")))
        case {"finish": "stop" | "length" as reason}:
            return End(reason)
        case {"usage": {"input_tokens": int(given), "output_tokens": int(made)}}:
            return Tell(given, made)
    raise ValueError(f"{at} is no step: {json.dumps(data, default=str)[:80]}")


def _token_chars(options: Mapping[str, Any], at: str) -> int:
    size = options.get("token_chars", 4)
    _require(isinstance(size, int) and size > 0, f"{at}.token_chars is a number above 0")
    return int(size)


def _cut(text: str, size: int) -> tuple[str, ...]:
    return tuple(text[i : i + size] for i in range(0, len(text), size))


def _tokens(tokens: list[Any], at: str) -> tuple[str, ...]:
    _require(all(isinstance(t, str) and t for t in tokens), f"{at}: tokens are non-empty strings")
    return tuple(tokens)


def _milliseconds(options: Mapping[str, Any], name: str, at: str) -> float:
    value = options.get(name, 0)
    _require(isinstance(value, int | float) and value >= 0, f"{at}.{name} is a number from 0 up")
    return float(value) / 1000


def _turn(options: Mapping[str, Any], every_seconds: float, at: str) -> Turn | None:
    """Parse a turn that has room for a token at any offset of its schedule."""
    match options.get("turn_ms"):
        case None:
            return None
        case [int(begin), int(end), int(period)] if (
            0 <= begin < end <= period and 0 < every_seconds * 1000 <= end - begin
        ):
            return Turn(begin / 1000, end / 1000, period / 1000)
    raise ValueError(
        f"{at}.turn_ms is [from, to, of], 0 <= from < to <= of,"
        " and `every_ms` above 0 and at most the time between"
    )


def _require(condition: object, message: str) -> None:
    if not condition:
        raise ValueError(message)
