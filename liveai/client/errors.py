"""The one error of the client, with a code that callers can rely on."""

from __future__ import annotations


class LiveAIError(Exception):
    """A call was refused, or the server could not be reached for too long.

    Attributes:
        code: of the contract (`rate_limited`, `unknown_block`, …); `http_502` for a response that
            is not the server's own, `malformed` for such a success; `unreachable`: no connection;
            `connection_lost`: an answer can't be reached any more, and may still be running;
            `token_unavailable`: `get_token` failed when it was to renew the token.
        message: for a person.
        status: of the HTTP response; 0: there was none.
        retry_after: seconds until another try makes sense, if the server said so.
        retryable: whether the same call may succeed later.
        field: the input that was refused, if one is to blame.
    """

    def __init__(
        self,
        code: str,
        message: str,
        retry_after: float | None = None,
        *,
        status: int = 0,
        retryable: bool = False,
        field: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.status = status
        self.retryable = retryable
        self.field = field


def malformed(status: int) -> LiveAIError:
    message = "The response is none of this server: is base_url right, or is a proxy between?"
    return LiveAIError("malformed", message, status=status)


def token_unavailable() -> LiveAIError:
    message = "The token has run out, and get_token brings no other one."
    return LiveAIError("token_unavailable", message, retryable=True)


def unreachable() -> LiveAIError:
    return LiveAIError("unreachable", "The server can’t be reached.", retryable=True)


def connection_lost() -> LiveAIError:
    message = "The connection was lost. The answer may still be running."
    return LiveAIError("connection_lost", message, retryable=True)
