"""Decodes one answer of a chat-completions stream: bytes in, pieces out. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator

from blocks.errors import (
    EmptyAnswer,
    GenerationError,
    ProviderInterrupted,
    ProviderMalformed,
    ProviderRejected,
    ProviderUnavailable,
)
from blocks.providers.base import Alive, Finish, Piece, Thinking, Token
from blocks.providers.chat_decoder import (
    DONE,
    Chunk,
    LineDecoder,
    TextCleaner,
    UpstreamError,
    Usage,
    decode_chunk,
    finish_reason,
)
from blocks.providers.chat_failure import failure_of
from blocks.providers.chat_said import Said


class AnswerReader:
    """Follows one answer from its first byte to its end.

    Args:
        seeks_json: text before the first `{` is not part of the answer. A service that was asked
            for JSON in words often begins with a code fence.
        may_be_empty: the request contained the beginning of the answer, which may have been all of
            it.
    """

    def __init__(self, *, seeks_json: bool = False, may_be_empty: bool = False) -> None:
        self.has_begun = False
        """Text or reasoning has arrived; from here on there is no retry."""
        self.is_summed_up = False
        """The service has sent its finish reason and its usage: only `[DONE]` may follow."""
        self.is_done = False
        """Nothing more will arrive."""
        self._lines = LineDecoder()
        self._cleaner = TextCleaner()
        self._seeks_json = seeks_json
        self._may_be_empty = may_be_empty
        self._before_json = ""
        self._has_text = False
        self._is_empty = True
        self._said = Said()
        self._word = ""
        self._is_word_alone = False  # it came without text, from a service that sends it once
        self._last_word = ""
        self._ends_by_word = True
        self._is_whole = False
        self._usage: Usage | None = None

    @property
    def is_finishing(self) -> bool:
        """Whether the service has sent its finish reason, and no answer text or reasoning since."""
        return bool(self._word)

    @property
    def is_final(self) -> bool:
        """Whether the finish reason also came without text: only the end may follow."""
        return self.is_finishing and self._is_word_alone

    def feed(self, piece: bytes) -> Iterator[Token | Thinking | Alive]:
        """Decode further bytes of the stream.

        Yields:
            The text and the signs of life in them.

        Raises:
            ProviderMalformed: the bytes can't be decoded.
            GenerationError: the service sent an error inside its stream.
        """
        for data in self._lines.feed(piece):
            if data == DONE:
                self.is_done = True
                return
            yield from self._take(decode_chunk(data))

    def end(self, *, is_cut: bool = False) -> Iterator[Piece]:
        """Yield the last pieces, including the Finish.

        Args:
            is_cut: the connection broke instead of ending regularly.

        Raises:
            ProviderInterrupted: the service never marked the end.
            ProviderMalformed: nothing received was an answer.
            EmptyAnswer: the service ended without any text where some is required.
            ProviderRejected: the service's content filter stopped the answer.
        """
        rest = b"" if self.is_done else self._lines.end()
        if rest:
            yield from self._take_rest(rest)
        # Text that never became JSON is still the answer; the output validates it.
        if held := self._before_json + self._cleaner.end():
            self._has_text = True
            yield Token(held)
        if not self.is_done and not self._word and (is_cut or not self._is_whole):
            if is_cut or not self._is_empty or self._may_be_empty:
                raise ProviderInterrupted()
            raise ProviderMalformed() if self._lines.has_skipped or rest else EmptyAnswer()
        reason = finish_reason(self._word or self._last_word)
        if reason == "error":
            raise self._failure(UpstreamError(None, "", "", ""))
        if reason == "content_filter":
            raise ProviderRejected("The service's content filter stopped the answer.")
        if not self._has_text and not self._may_be_empty:
            if reason == "length":
                raise EmptyAnswer("The model used up its tokens before it said anything.")
            raise EmptyAnswer()
        usage = self._usage or Usage(None, None)
        yield Finish(reason, usage.input_tokens, usage.output_tokens)

    def _take_rest(self, rest: bytes) -> Iterator[Token | Thinking | Alive]:
        """Decode a last line without a line end, which may be whole or truncated."""
        if rest == DONE:
            self.is_done = True
            return
        try:
            chunk = decode_chunk(rest)
        except GenerationError:
            return  # truncated: `end` reports it
        yield from self._take(chunk)

    def _take(self, chunk: Chunk) -> Iterator[Token | Thinking | Alive]:
        self._is_empty = False
        if chunk.error is not None:
            raise self._failure(chunk.error)
        if chunk.usage is not None:
            self._usage = chunk.usage
        self._is_whole = self._is_whole or chunk.is_whole
        is_closing = self._is_word_alone or (bool(chunk.finish) and not self._last_word)
        self._follow_word(chunk)
        if new := self._said.new_in(chunk, is_closing=is_closing):
            self.has_begun = True
            if text := self._shown(self._cleaner.clean(new)):
                self._has_text = True
                yield Token(text)
            else:
                yield Alive()
        elif chunk.is_reasoning:
            yield Thinking()
        elif chunk.is_alive:
            yield Alive()
        if chunk.is_reasoning:
            self.has_begun = True

    def _follow_word(self, chunk: Chunk) -> None:
        """Track the service's finish reason.

        Some services send `stop` on each chunk. Once text has followed a finish reason, further
        reasons that come with text are ignored. Then a finish reason without text, a separate usage
        or `[DONE]` ends the answer.
        """
        if chunk.has_life and not chunk.is_message and self._word:
            self._ends_by_word = False
            self._word = ""
            self.is_summed_up = False
            self._is_word_alone = False
        if chunk.finish:
            self._last_word = chunk.finish
            if self._ends_by_word or not chunk.has_life:
                self._word = chunk.finish
                self._is_word_alone = self._ends_by_word and not chunk.has_life
        if chunk.is_usage and self._last_word:
            self._word = self._last_word
            self.is_summed_up = self._is_word_alone

    def _shown(self, text: str) -> str:
        if not self._seeks_json:
            return text
        start = text.find("{")
        if start < 0:
            self._before_json += text
            return ""
        self._seeks_json = False
        self._before_json = ""
        return text[start:]

    def _failure(self, error: UpstreamError) -> GenerationError:
        if self.has_begun:
            return ProviderInterrupted()
        if error.status is None:
            return ProviderUnavailable(detail="The model's service sent an error in its stream.")
        return failure_of(error.status, error)
