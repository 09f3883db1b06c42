"""The configuration of providers, read once from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """The settings of all providers; times in seconds."""

    base_url: str = "https://api.openai.com/v1"
    api_key: str = field(default="", repr=False)
    can_continue: bool = False  # for the service at base_url; see `Provider.can_continue`
    connect_seconds: float = 5.0
    first_token_seconds: float = 60.0  # from the request to the first sign of life
    idle_seconds: float = 30.0  # between two signs of life
    reasoning_tokens: int = 4_000  # room for reasoning on top of a block's own tokens
    retries: int = 2  # further attempts, only before the first token
    scripts_dir: Path = Path(__file__).parent / "scripts"
    own_model: str = ""  # the operator's model, whose weights may be anywhere
    base_dir: Path = Path()  # base of a relative path in `own_model`
    models_dir: Path = Path("models")  # folder of the weights of all other models

    @classmethod
    def from_settings(cls) -> ProviderConfig:
        return cls(
            base_url=settings.AI_BASE_URL,
            api_key=settings.AI_API_KEY,
            can_continue=settings.AI_CAN_CONTINUE,
            connect_seconds=settings.AI_CONNECT_SECONDS,
            first_token_seconds=settings.AI_FIRST_TOKEN_SECONDS,
            idle_seconds=settings.AI_IDLE_SECONDS,
            reasoning_tokens=settings.AI_REASONING_TOKENS,
            retries=settings.AI_RETRIES,
            scripts_dir=Path(settings.AI_SCRIPTS_DIR),
            own_model=settings.AI_MODEL,
            base_dir=Path(settings.BASE_DIR),
            models_dir=Path(settings.AI_MODELS_DIR),
        )
