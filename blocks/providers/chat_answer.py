"""One answer as it arrives: bytes of a chat-completions stream in, pieces out. No I/O, no clock."""

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
from blocks.providers.base import Finish, Piece, Thinking, Token
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
        seeks_json: what comes before the first `{` is no part of the answer (a service that was
            asked in words for JSON likes to begin with a code fence).
        may_be_empty: the beginning of the answer was there before, and may have been all of it.
    """

    def __init__(self, *, seeks_json: bool = False, may_be_empty: bool = False) -> None:
        self.has_begun = False
        """Text or reasoning has come: from here on there is no second attempt."""
        self.is_summed_up = False
        """The service has said why it ended and what it used: only `[DONE]` may still come."""
        self.is_done = False
        """Nothing more will come."""
        self._lines = LineDecoder()
        self._cleaner = TextCleaner()
        self._seeks_json = seeks_json
        self._may_be_empty = may_be_empty
        self._before_json = ""
        self._has_text = False
        self._is_empty = True
        self._said = Said()
        self._word = ""
        self._is_word_alone = False  # it came without text, from a service that says it once
        self._last_word = ""
        self._ends_by_word = True
        self._is_whole = False
        self._usage: Usage | None = None

    @property
    def is_finishing(self) -> bool:
        """The service has said why it ended, and nothing of the answer has come since."""
        return bool(self._word)

    @property
    def is_final(self) -> bool:
        """The same, and it was said by itself: only the end may still come."""
        return self.is_finishing and self._is_word_alone

    def feed(self, piece: bytes) -> Iterator[Token | Thinking]:
        """Yield what some bytes of the stream say.

        Raises:
            ProviderMalformed: something that can't be read.
            GenerationError: an error that the service sent inside its stream.
        """
        for data in self._lines.feed(piece):
            if data == DONE:
                self.is_done = True
                return
            yield from self._take(decode_chunk(data))

    def end(self, *, is_cut: bool = False) -> Iterator[Piece]:
        """Yield the last pieces, with the Finish.

        Args:
            is_cut: the connection broke, rather than being ended.

        Raises:
            ProviderInterrupted: the service never said that this is the end.
            ProviderMalformed: nothing that came was an answer.
            EmptyAnswer: it said so, without any text, where there must be some.
            ProviderRejected: its content filter stopped the answer.
        """
        rest = b"" if self.is_done else self._lines.end()
        if rest:
            yield from self._take_rest(rest)
        # What never became JSON is the answer all the same, for its reader to judge.
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

    def _take_rest(self, rest: bytes) -> Iterator[Token | Thinking]:
        """A last line that lacks its line end: whole, or cut in the middle."""
        if rest == DONE:
            self.is_done = True
            return
        try:
            chunk = decode_chunk(rest)
        except GenerationError:
            return  # cut: `end` says so
        yield from self._take(chunk)

    def _take(self, chunk: Chunk) -> Iterator[Token | Thinking]:
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
                yield Thinking()
        elif chunk.is_alive:
            yield Thinking()
        if chunk.is_reasoning:
            self.has_begun = True

    def _follow_word(self, chunk: Chunk) -> None:
        """Note what the service says of its end.

        Some say `stop` on each chunk. Once text has followed such a word, a word that comes with
        text means nothing: a word alone, a usage alone or `[DONE]` ends the answer.
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
