"""System checks for settings that can't work; each says what to write instead.

The checks read only settings, never the database. Their ids are stable.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from .errors import ProviderRejected
from .providers.chat.address import address_problem
from .providers.chat.network import NetworkProblem, certificates_problem, proxy_for
from .providers.registry import KINDS, parse_model

_SECONDS = ("AI_CONNECT_SECONDS", "AI_FIRST_TOKEN_SECONDS", "AI_IDLE_SECONDS")


@register()
def check_model(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        kind, _ = parse_model(settings.AI_MODEL)
    except ProviderRejected:
        kinds = ", ".join(KINDS)
        return [
            Error(
                f"AI_MODEL is {settings.AI_MODEL!r}, which names no model.",
                hint="Write KIND:NAME, e.g. local:smollm2-135m, local:/models/any.gguf,"
                f" openai:gpt-5-mini or scripted:demo. The kinds are {kinds}.",
                id="blocks.E001",
            )
        ]
    if kind == "openai" and "//api.openai.com" in settings.AI_BASE_URL and not settings.AI_API_KEY:
        return [
            Warning(
                "AI_MODEL is a model of OpenAI's, and AI_API_KEY is empty.",
                hint="Set AI_API_KEY, or AI_BASE_URL to a server that needs none.",
                id="blocks.W001",
            )
        ]
    return []


@register()
def check_base_url(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    problem = address_problem(settings.AI_BASE_URL)
    if not problem:
        return []
    return [
        Error(
            problem,
            hint="Write e.g. https://api.openai.com/v1 or http://127.0.0.1:11434/v1 (Ollama).",
            id="blocks.E002",
        )
    ]


@register()
def check_network(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Name variables of the environment that prevent a request to the model's service."""
    if not settings.AI_MODEL.strip().startswith("openai:") or address_problem(settings.AI_BASE_URL):
        return []
    found: list[CheckMessage] = []
    try:
        proxy_for(settings.AI_BASE_URL)
    except NetworkProblem as problem:
        hint = "Without it, answers fail. List the service's host in NO_PROXY if it needs no proxy."
        found.append(Warning(str(problem), hint=hint, id="blocks.W003"))
    if problem_of_certificates := certificates_problem():
        hint = "Name a file or a folder that exists, or delete the variable."
        found.append(Warning(problem_of_certificates, hint=hint, id="blocks.W004"))
    return found


@register()
def check_models_dir(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    folder = Path(settings.AI_MODELS_DIR)
    if folder.resolve() != Path("/") and (folder.is_dir() or not folder.exists()):
        return []
    return [
        Error(
            "AI_MODELS_DIR is not a folder of models.",
            hint="Write a folder that holds weights and nothing else, e.g. var/models.",
            id="blocks.E020",
        )
    ]


@register()
def check_can_continue(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if not settings.AI_CAN_CONTINUE or "//api.openai.com" not in settings.AI_BASE_URL:
        return []
    return [
        Warning(
            "AI_CAN_CONTINUE is on, but OpenAI's own service can't continue a partial answer:"
            " recovered answers would contain their beginning twice.",
            hint="Set AI_CAN_CONTINUE to false, or AI_BASE_URL to a server that can.",
            id="blocks.W002",
        )
    ]


@register()
def check_limits(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = [
        Error(
            f"{name} is {getattr(settings, name)}.",
            hint="Write a number of seconds above 0.",
            id="blocks.E003",
        )
        for name in _SECONDS
        if not 0 < getattr(settings, name) < float("inf")
    ]
    if not 0 <= settings.AI_RETRIES <= 10:
        found.append(
            Error(
                f"AI_RETRIES is {settings.AI_RETRIES}.",
                hint="Write a number from 0 to 10.",
                id="blocks.E004",
            )
        )
    return found
