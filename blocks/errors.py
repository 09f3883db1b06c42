"""The errors of blocks: invalid requests, and the ways in which a generation can fail.

Each class has a stable `code` (specs/050-live-ai-interaction/spec.md, "Errors") and says whether a
retry may help. The first line of its docstring is the default message. It is written for visitors
and contains no secrets, prompts or addresses.
"""

from __future__ import annotations

from typing import ClassVar

MAX_REFUSAL_CHARACTERS = 1_000


class BlockError(Exception):
    """Something went wrong on our side."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = True

    def __init__(self, message: str = "") -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(self.message)


# --- before a stream exists ---------------------------------------------------


class InputError(BlockError):
    """The input can't be used."""

    retryable = False


class UnknownBlock(InputError):
    """This block doesn’t exist."""

    code = "unknown_block"


class InvalidInput(InputError):
    """A field of the input is wrong."""

    code = "invalid_input"

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


class PromptTooLong(InputError):
    """The prompt is too long."""

    code = "prompt_too_long"

    def __init__(self, limit: int) -> None:
        self.field = "prompt"
        self.limit = limit
        super().__init__(f"The prompt is longer than this block's limit of {limit:,} characters.")


# --- while a stream runs ------------------------------------------------------


class GenerationError(BlockError):
    """The answer could not be finished.

    Args:
        message: shown to the visitor.
        detail: for the operator's log, with more information: settings, files, the service's reply.
            It contains no secrets, prompts or addresses either.
    """

    def __init__(self, message: str = "", *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail or self.message

    def __str__(self) -> str:
        return self.detail


class ProviderTimeout(GenerationError):
    """The model took too long to answer."""

    code = "provider_timeout"


class ProviderRateLimited(GenerationError):
    """The model's service is busy; try again in a moment."""

    code = "provider_rate_limited"


class ProviderUnavailable(GenerationError):
    """The model can't be reached right now."""

    code = "provider_unavailable"


class ProviderRejected(GenerationError):
    """The model can't answer this request."""

    code = "provider_rejected"
    retryable = False


class RequestRejected(ProviderRejected):
    """The model can't answer this request.

    Unlike what it derives from, this one is about what was asked, e.g. its length. It says nothing
    about the model's settings, access or credit.
    """


class Refused(GenerationError):
    """The model declined to answer.

    Args:
        words: the model's own words, if it gave any; cut at `MAX_REFUSAL_CHARACTERS`.
    """

    code = "refused"
    retryable = False

    def __init__(self, words: str = "") -> None:
        words = words.strip()
        if len(words) > MAX_REFUSAL_CHARACTERS:
            words = words[: MAX_REFUSAL_CHARACTERS - 1].rstrip() + "…"
        # The detail is for the log, where the model's words do not belong.
        super().__init__(words, detail="The model declined to answer.")


class ProviderMalformed(GenerationError):
    """The model's service sent something that can't be read."""

    code = "provider_malformed"


class ProviderInterrupted(GenerationError):
    """The model stopped mid-answer."""

    code = "provider_interrupted"


class EmptyAnswer(GenerationError):
    """The model returned an empty answer."""

    code = "empty_answer"


class InvalidOutput(GenerationError):
    """The model’s answer couldn’t be used.

    Args:
        noun: what the answer should have been, e.g. "a quiz".
        words: what the model wrote instead, if people should read it.
    """

    code = "invalid_output"

    def __init__(self, words: str = "", *, noun: str = "") -> None:
        super().__init__(f"The model’s answer couldn’t be turned into {noun}." if noun else "")
        if words:  # the detail is for the log, where they do not belong
            self.message = f"{self.message} It said: “{words.strip()}”"
