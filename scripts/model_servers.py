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
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured

from liveai.environment import Environment

MAX_NAME_CHARS = 200
MAX_MODELS = 200  # of one server

_WORDS = re.compile(r"[a-z]+")
_NOT_FOR_CHAT = {
    *("embed", "embedding", "embeddings", "rerank", "reranker", "ranker", "minilm", "bge", "gte"),
    *("colbert", "whisper", "tts", "stt", "asr", "clip", "siglip", "guard", "shieldgemma"),
    *("moderation", "reward", "diffusion", "sdxl", "flux", "ocr"),
}
_E5 = re.compile(r"(^|[^a-z0-9])e5([^a-z0-9]|$)")
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


def read_models(response: bytes) -> list[str]:
    """Return the names in an HTTP response to `GET /v1/models`; none if it is anything else.

    Args:
        response: all bytes that arrived, possibly cut.
    """
    try:
        parsed = HTTPResponse(cast(Any, _Received(response)))
        parsed.begin()
        if parsed.status != 200:
            return []
        listed = json.loads(parsed.read())["data"]
        names = [str(x["id"]) for x in listed if isinstance(x, dict) and _is_usable(x.get("id"))]
    except (HTTPException, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    return list(dict.fromkeys(names))[:MAX_MODELS]


class _Received:
    """A socket that has received some bytes, and closes after them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> BytesIO:
        return BytesIO(self._data)


def _is_usable(name: object) -> bool:
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
    if words & _NOT_FOR_CHAT or _E5.search(name):
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
