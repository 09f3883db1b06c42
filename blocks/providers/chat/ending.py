"""Decides when an answer has ended: services mark the end in several ways, some of them falsely."""

from __future__ import annotations

from blocks.providers.chat.chunk import Chunk


class Ending:
    """Follows the finish reasons of an answer.

    A finish reason ends the answer unless more text follows. Some services send `stop` on each
    chunk: once text has followed a finish reason, further reasons that come with text mean nothing.
    Then a finish reason without text or a separate usage ends the answer, or `[DONE]`.
    """

    def __init__(self) -> None:
        self.word = ""
        """The finish reason that stands; '' while the answer goes on."""
        self.last_word = ""
        """The last finish reason, even if text has followed it."""
        self.is_summed_up = False
        """The finish reason and the usage have come: only `[DONE]` may follow."""
        self._is_alone = False  # the word came without text, from a service that sends it once
        self._is_sent_once = True

    @property
    def is_final(self) -> bool:
        """Whether the finish reason came without text: only the end may follow."""
        return bool(self.word) and self._is_alone

    def is_end(self, *, is_broken: bool) -> bool:
        """Whether the end of the body ends the answer.

        Args:
            is_broken: the body ends without its own end, or within a chunk. Then a finish reason
                that came with text may be one of those that come with every chunk.
        """
        return bool(self.word) and (self._is_alone or self.is_summed_up or not is_broken)

    def is_closing(self, chunk: Chunk) -> bool:
        """Whether a chunk follows the finish reason or brings the first one."""
        return self._is_alone or (bool(chunk.finish) and not self.last_word)

    def follow(self, chunk: Chunk) -> None:
        if chunk.has_life and not chunk.is_message and self.word:
            self._is_sent_once = False
            self.word = ""
            self.is_summed_up = False
            self._is_alone = False
        if chunk.finish:
            self.last_word = chunk.finish
            if self._is_sent_once or not chunk.has_life:
                self.word = chunk.finish
                self._is_alone = self._is_sent_once and not chunk.has_life
        if chunk.is_usage and self.last_word:
            self.word = self.last_word
            self.is_summed_up = self._is_alone
