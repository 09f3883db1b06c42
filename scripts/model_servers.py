"""The model servers that people run on their own machine, and which of their models to take. Pure.

All of them list their models in OpenAI's form, at `GET /v1/models`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from itertools import islice
from typing import Any, TypeGuard, cast

from django.core.exceptions import ImproperlyConfigured

from liveai.environment import Environment

MAX_NAME_CHARS = 200
MAX_MODELS = 1_000  # of one server

_WORDS = re.compile(r"[a-z]+")
_NOT_FOR_CHAT = {
    *("bge", "gte", "labse", "paraphrase", "splade", "reward", "shieldgemma", "ranker", "ocr"),
    *("tts", "xtts", "stt", "asr", "kokoro", "orpheus", "parakeet", "bark", "musicgen"),
    *("clip", "siglip", "sdxl", "flux", "image", "video"),
}
_NOT_FOR_CHAT_WITHIN = re.compile(
    "embed|rerank|minilm|mpnet|bert|colpali|whisper|guard|moderation|diffusion"
    "|(?<![a-z0-9])e5(?![a-z0-9])"
)
_FOR_CHAT = {"instruct", "chat", "it", "assistant"}
_FOR_CODE = re.compile(r"code|starcoder")
_UNTRAINED = {"base", "text", "pt"}


@dataclass(frozen=True, slots=True)
class ModelServer:
    name: str
    port: int

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


SERVERS = (
    ModelServer("Ollama", 11434),
    ModelServer("LM Studio", 1234),
    ModelServer("llama.cpp", 8080),
    ModelServer("vLLM", 8000),
)
"""At their usual ports. Something else may listen there."""


@dataclass(frozen=True, slots=True)
class Found:
    server: ModelServer
    model: str

    @property
    def setting(self) -> str:
        """The value of AI_MODEL."""
        return f"openai:{self.model}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered to `GET /v1/models`.

    Args:
        response: all bytes that arrived, possibly cut; None if nothing listens.
    """

    server: ModelServer
    response: bytes | None

    @property
    def found(self) -> list[Found]:
        return [Found(self.server, name) for name in read_models(self.response or b"")]

    @property
    def problem(self) -> str:
        """Why it names no model that can answer; empty if it names one, or nothing listens."""
        if self.response is None or for_chat(self.found):
            return ""
        return f"{self.server.name} (port {self.server.port}) {_problem_with(self.response)}."


def read_models(response: bytes) -> list[str]:
    """Return the names in an HTTP response to `GET /v1/models`; none if it is anything else.

    Args:
        response: all bytes that arrived, possibly cut.
    """
    return _names(_parse(response)) or []


def is_complete(response: bytes) -> bool:
    """Whether nothing more is to come, even if the server keeps the connection open."""
    reply = _parse(response)
    return reply is not None and (reply.has_length or _names(reply) is not None)


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes
    has_length: bool


def _parse(response: bytes) -> _Reply | None:
    """Return an HTTP response; None if it is cut, or something else."""
    try:
        parsed = HTTPResponse(cast(Any, _Received(response)))
        parsed.begin()
        has_length = parsed.length is not None or bool(parsed.chunked)
        return _Reply(parsed.status, parsed.read(), has_length)
    except (HTTPException, ValueError):
        return None


def _names(reply: _Reply | None) -> list[str] | None:
    """Return the names in a list of models; None if it is no such list."""
    if reply is None or reply.status != 200:
        return None
    try:
        listed = json.loads(reply.body)["data"] or []  # Ollama without models: null
        names = (x.get("id") for x in listed if isinstance(x, dict))
        return list(dict.fromkeys(islice(filter(_is_usable, names), MAX_MODELS)))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _problem_with(response: bytes) -> str:
    reply = _parse(response)
    if reply is not None and reply.status in (401, 403):
        return "wants a key: set AI_MODEL, AI_BASE_URL and AI_API_KEY in .env"
    if reply is not None and reply.status == 503:
        return "is not ready yet"
    names = _names(reply)
    if names is None:
        return "gave no list of models" if response else "gave no answer"
    return "has no model that answers questions" if names else "has no models yet"


class _Received:
    """A socket that has received some bytes, and closes after them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> BytesIO:
        return BytesIO(self._data)


def _is_usable(name: object) -> TypeGuard[str]:
    """Whether AI_MODEL may have this name, and a terminal may show it."""
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARS:
        return False
    if not name.isprintable() or name != name.strip():
        return False
    setting = f"openai:{name}"
    try:
        return Environment({"AI_MODEL": setting}).model("AI_MODEL", "") == setting
    except ImproperlyConfigured:
        return False


def for_chat(found: Sequence[Found]) -> list[Found]:
    """Return the models that answer questions, the most suitable first; else in their order."""
    suited = [one for one in found if _rank(one.model) is not None]
    return sorted(suited, key=lambda one: _rank(one.model) or 0)


def why(model: str) -> str:
    """Say why a model was chosen among the others."""
    return _REASONS[_rank(model) or 0]


_REASONS = (
    "its name says that it is an instruct or chat model",
    "it is the first one that is not for embeddings, speech or code",
    "it writes code, and no other one is better suited",
    "no other one is better suited",
)


def _rank(model: str) -> int | None:
    """Return 0 for the best kind of model, and None for one that can't chat."""
    name = model.lower()
    words = set(_WORDS.findall(name))
    if words & _NOT_FOR_CHAT or _NOT_FOR_CHAT_WITHIN.search(name):
        return None
    if words & _UNTRAINED:
        return 3
    if _FOR_CODE.search(name):
        return 2
    return 0 if words & _FOR_CHAT else 1


def named(found: Sequence[Found], name: str) -> Found | None:
    """Return the model with that name: exactly, else without case, tag `latest`, or folders."""
    wanted = _folded(name)
    exact = (one for one in found if one.model == name)
    alike = (one for one in found if _folded(one.model) == wanted)
    short = (one for one in found if _folded(one.model).rpartition("/")[2] == wanted)
    return next(exact, None) or next(alike, None) or next(short, None)


def _folded(name: str) -> str:
    return name.casefold().removesuffix(":latest").removesuffix(".gguf")
