"""`manage.py ask`: asks a block, and streams its answer to the terminal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError
from contextlib import aclosing
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from blocks.errors import InputError
from liveai.client import AsyncAnswer, AsyncClient, LiveAIError
from streaming.errors import Refused
from streaming.management.start import check_before_start, traces
from streaming.start_request import prepare_start

from ..answer_here import AnswerHere, error_here, visitor_here
from ..transcript import Lines, Transcript

PROMPT_CHARS_AT_MOST = 1024 * 1024
INTERRUPTED = 130  # what shells say of a command that Ctrl+C ended


class Command(BaseCommand):
    help = (
        "Asks a block and streams its answer. Ctrl+C stops the model. Without --url, this process "
        "answers, with the site's settings and database; the site need not run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("block", help="the block's slug, e.g. ask-question")
        parser.add_argument("prompt", help="the question; - reads it from standard input")
        parser.add_argument(
            "--option",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            type=_option,
            help="an option of the block, e.g. questions=2; may be repeated",
        )
        parser.add_argument(
            "--json", action="store_true", dest="is_json", help="print each event as a line of JSON"
        )
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument(
            "--user", metavar="NAME", help="whose answer it is; default: an anonymous visitor's"
        )
        whose.add_argument(
            "--url",
            help="ask the site at this address instead; LIVEAI_TOKEN may hold an API token for it",
        )

    def handle(self, *, block: str, prompt: str, is_json: bool, **given: Any) -> None:
        if prompt == "-":
            prompt = sys.stdin.read(PROMPT_CHARS_AT_MOST)
        transcript = Lines(self._out) if is_json else Transcript(self._out, self._note)
        options = dict(given["option"])
        try:
            if given["url"] is not None:
                code = asyncio.run(_ask_at(given["url"], block, prompt, options, transcript))
            else:
                check_before_start(self)
                answer = self._prepare(block, prompt, options, given["user"])
                with traces():
                    code = asyncio.run(_show(answer, transcript))
        except LiveAIError as error:
            self._note(f"{error.code}: {error.message}\n")
            code = 1
        except KeyboardInterrupt:
            code = INTERRUPTED
        except BrokenPipeError:
            # Whoever read has gone. Python would try to write the rest when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 1
        if code:
            sys.exit(code)

    def _prepare(
        self, block: str, prompt: str, options: dict[str, Any], username: str | None
    ) -> AnswerHere:
        visitor = visitor_here(None if username is None else self._user_id(username))
        try:
            prepared = prepare_start(
                visitor, block, prompt=prompt, options=options, request_id=None
            )
        except (Refused, InputError) as error:
            raise error_here(error) from None
        finally:
            connection.close()
        return AnswerHere(visitor, prepared)

    def _user_id(self, username: str) -> Any:
        model = get_user_model()
        try:
            return model._default_manager.get_by_natural_key(username).pk
        except model.DoesNotExist:
            raise CommandError(f"There is no user {username!r}.") from None

    def _out(self, text: str) -> None:
        self.stdout.write(text, ending="")
        self.stdout.flush()

    def _note(self, text: str) -> None:
        self.stderr.write(text, str, "")  # not in red: most of it is no error


def _option(text: str) -> tuple[str, Any]:
    """Read `NAME=VALUE`. The value is JSON, or else a text."""
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


async def _ask_at(
    url: str, block: str, prompt: str, options: dict[str, Any], transcript: Lines | Transcript
) -> int:
    try:
        client = AsyncClient(url, token=os.environ.get("LIVEAI_TOKEN") or None)
    except ValueError as error:
        raise CommandError(f"--url: {error}") from None
    async with client:
        return await _show(client.ask(block, prompt, options), transcript)


async def _show(answer: AsyncAnswer | AnswerHere, transcript: Lines | Transcript) -> int:
    """Show an answer to its end, and return the exit code. The first SIGINT or SIGTERM cancels it.

    Raises:
        LiveAIError
    """
    loop = asyncio.get_running_loop()
    cancelling: list[asyncio.Task[None]] = []

    def interrupt() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)  # the second one ends the command at once
        cancelling.append(loop.create_task(answer.cancel()))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    # An error, such as a reader that has gone, ends the iteration before it ends the loop.
    async with aclosing(answer):
        async for event in answer:
            transcript.show(event)
    await asyncio.gather(*cancelling)
    end = answer.state.terminal
    if end is None or end.status == "error":
        return 1
    if end.status == "cancelled":
        return INTERRUPTED if cancelling else 1
    return 0
