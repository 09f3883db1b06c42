"""Decodes one answer of a chat-completions stream: bytes in, pieces out. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator

from blocks.errors import (
    MAX_REFUSAL_CHARACTERS,
    EmptyAnswer,
    GenerationError,
    ProviderInterrupted,
    ProviderMalformed,
    Refused,
)
from blocks.providers.base import Alive, Finish, Piece, Thinking, Token
from blocks.providers.chat.chunk import NO_USAGE, Chunk, Usage, decode_chunks, finish_reason
from blocks.providers.chat.ending import Ending
from blocks.providers.chat.error import UNKNOWN, UpstreamError
from blocks.providers.chat.failure import FILTERED, failure_of
from blocks.providers.chat.frames import DONE, FrameDecoder
from blocks.providers.chat.said import Said
from blocks.providers.chat.text import TextCleaner
from blocks.providers.chat.thinking import ThinkingSplitter


class OutOfTokens(EmptyAnswer):
    """The model used up its tokens before it said anything."""

    def __init__(self, usage: Usage) -> None:
        super().__init__()
        self.usage = usage


class AnswerReader:
    """Follows one answer from its first byte to its end.

    Args:
        is_continued: the request contained the beginning of the answer. It may have been all of it,
            and nothing in the rest is a mark of reasoning.
    """

    def __init__(self, *, is_continued: bool = False) -> None:
        self.ending = Ending()
        self.error: UpstreamError | None = None
        """The error that the service sent in its stream."""
        self.progress = 0
        """Chunks with text, reasoning or words of a refusal. After the first there is no retry."""
        self.is_done = False
        """Nothing more will arrive."""
        self._frames = FrameDecoder()
        self._said = Said()
        self._cleaner = TextCleaner()
        self._splitter = ThinkingSplitter(is_off=is_continued)
        self._is_continued = is_continued
        self._has_answer = False  # something in the form of an answer, however empty
        self._has_other = False  # JSON of another form
        self._has_text = False
        self._whole_messages = 0
        self._refusal = ""
        self._usage: Usage | None = None

    @property
    def has_begun(self) -> bool:
        """Whether text or reasoning has arrived."""
        return self.progress > 0

    def feed(self, piece: bytes) -> Iterator[Token | Thinking | Alive]:
        """Decode further bytes of the stream.

        Yields:
            The text and the signs of life in them.

        Raises:
            ProviderMalformed: the bytes can't be decoded.
            GenerationError: the service sent an error inside its stream; see `error`.
        """
        for frame in self._frames.feed(piece):
            yield from self._take_frame(frame)
            if self.is_done:
                return

    def end(self, *, is_cut: bool = False) -> Iterator[Piece]:
        """Yield the last pieces, including the Finish.

        Args:
            is_cut: the connection broke instead of ending regularly.

        Raises:
            ProviderInterrupted: the service never marked the end.
            ProviderMalformed: nothing received was an answer.
            OutOfTokens, EmptyAnswer: the service ended without any text where some is required.
            Refused: the model refused, or the service's content filter stopped the answer.
        """
        if not self.is_done:
            for frame in self._frames.end():
                yield from self._take_frame(frame)
        is_broken = is_cut or self._frames.is_open
        is_ended = self.is_done or self.ending.is_end(is_broken=is_broken)
        if held := self._cleaner.end():
            held = self._splitter.feed(held)
        if held := held + self._splitter.end():
            self._has_text = True
            yield Token(held)
        if not is_ended and (is_broken or self._whole_messages != 1):
            self._raise_without_end(is_broken=is_broken)
        reason = finish_reason(self.ending.word or self.ending.last_word)
        if reason == "error":
            raise self._failure(UNKNOWN)
        if self._refusal or reason == "refusal":
            raise Refused(self._refusal)
        if reason == "content_filter":
            raise Refused(FILTERED)
        usage = self._usage or NO_USAGE
        if not self._has_text and not self._is_continued:
            raise OutOfTokens(usage) if reason == "length" else EmptyAnswer()
        yield Finish(reason, usage.input_tokens, usage.output_tokens)

    def _raise_without_end(self, *, is_broken: bool) -> None:
        if is_broken or self._is_continued or self._has_answer:
            raise ProviderInterrupted()
        raise ProviderMalformed() if self._frames.has_skipped or self._has_other else EmptyAnswer()

    def _take_frame(self, frame: bytes) -> Iterator[Token | Thinking | Alive]:
        if frame == DONE:
            self.is_done = True
            return
        for chunk in decode_chunks(frame):
            yield from self._take(chunk)

    def _take(self, chunk: Chunk) -> Iterator[Token | Thinking | Alive]:
        if chunk.error is not None:
            self.error = chunk.error
            raise self._failure(chunk.error)
        self._has_answer = self._has_answer or chunk.is_answer
        self._has_other = self._has_other or not chunk.is_answer
        self._usage = chunk.usage or self._usage
        if chunk.is_whole or (chunk.is_message and self._frames.is_bare):
            self._whole_messages += 1
        is_closing = self.ending.is_closing(chunk)
        self.ending.follow(chunk)
        if chunk.refusal and len(self._refusal) <= MAX_REFUSAL_CHARACTERS:
            self._refusal += chunk.refusal
        new = self._said.new_in(chunk, is_closing=is_closing)
        self.progress += bool(new or chunk.is_reasoning or chunk.refusal)
        text = self._splitter.feed(self._cleaner.clean(new)) if new else ""
        if chunk.is_reasoning or (new and self._splitter.is_thinking):
            yield Thinking()
        if text:
            self._has_text = True
            yield Token(text)
        elif chunk.is_alive or (new and not self._splitter.is_thinking):
            yield Alive()

    def _failure(self, error: UpstreamError) -> GenerationError:
        failure = failure_of(error.status, error)
        if self.has_begun and not isinstance(failure, Refused):
            return ProviderInterrupted()
        return failure
