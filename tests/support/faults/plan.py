"""The planned answer of upstream, written into a prompt, so that each stream contains its own plan.

plan = Plan("stream-17", tokens=60, every_ms=20, seed=7)
plan.prompt     # 'plan(key=stream-17,tokens=60,every_ms=20,seed=7)'; other words may surround it
plan.text       # everything that upstream will say, to the letter
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import Field, dataclass, fields
from functools import cached_property
from typing import Any

_WORDS = "sea wind über salt boat star 😀 light wave – gull rope tide".split()
_PIECE = 6  # characters of a token of JSON
_WRITTEN = re.compile(r"plan\(([^()]*)\)")


@dataclass(frozen=True)
class Plan:
    """One way to answer. `fault` is one of `FAULTS`; the first `times` calls of the key have it.

    Args:
        key: identifies the calls to count; letters, digits and `-`.
        tokens: how many; 0: endless.
        every_ms: between two tokens; 0: all at once.
        wait_ms: before the first token.
        seed: selects the words.
        after: tokens before the fault, and before `hold`.
        times: 0: every call has the fault.
        hold: 1: after this many tokens the answer waits until the key is released.
        retry_after: seconds, with the fault 429.
        finish: `stop` or `length`.
        quiz: the number of questions, as JSON in pieces of six characters instead of words;
            `tokens` is then ignored.
        pad: number of extra characters in each token.
    """

    key: str
    tokens: int = 30
    every_ms: float = 5.0
    wait_ms: float = 0.0
    seed: int = 0
    fault: str = ""
    after: int = 5
    times: int = 0
    hold: int = 0
    retry_after: int = 0
    finish: str = "stop"
    quiz: int = 0
    pad: int = 0

    @property
    def prompt(self) -> str:
        words = [f"{f.name}={getattr(self, f.name)}" for f in fields(self) if not self._is_usual(f)]
        return f"plan({','.join(words)})"

    def _is_usual(self, field: Field[Any]) -> bool:
        return bool(getattr(self, field.name) == field.default)

    @staticmethod
    def found_in(prompt: str) -> Plan:
        """Parse the plan in a prompt.

        Raises:
            ValueError: the prompt contains no plan, or an unreadable one.
        """
        found = _WRITTEN.search(prompt)
        if found is None:
            raise ValueError(f"no plan in {prompt[:80]!r}")
        given = dict(word.split("=", 1) for word in found[1].split(","))
        kinds = {"key": str, "fault": str, "finish": str, "every_ms": float, "wait_ms": float}
        return Plan(**{name: kinds.get(name, int)(value) for name, value in given.items()})

    @cached_property
    def size(self) -> int:
        """The number of tokens; 0: endless."""
        return -(-len(self._quiz) // _PIECE) if self.quiz else self.tokens

    @cached_property
    def _quiz(self) -> str:
        # In the model's form: the right answer separately, and three wrong ones.
        questions = [
            {
                "question": f"Which word has the number {n}?",
                "correct": f"right {n}",
                "wrong": [f"wrong {n}{letter}" for letter in "abc"],
                "explanation": f"Über {self.seed}: 😀 it says so.",
            }
            for n in range(self.quiz)
        ]
        title = f"The quiz {self.seed}"
        return json.dumps({"title": title, "questions": questions}, ensure_ascii=False)

    def token(self, number: int) -> str:
        if self.quiz:
            return self._quiz[number * _PIECE : (number + 1) * _PIECE]
        digest = hashlib.blake2b(f"{self.seed}/{number}".encode(), digest_size=2).digest()
        return f"{_WORDS[digest[0] % len(_WORDS)]}{number}{'.' * self.pad} "

    @cached_property
    def text(self) -> str:
        """The whole answer of upstream.

        Raises:
            AssertionError: it is endless.
        """
        assert self.size, "an endless answer has no whole text"
        return "".join(map(self.token, range(self.size)))

    def tokens_from(self, said: str) -> Iterator[str]:
        """Yield the tokens of an answer that continues after `said`; the first may be partial.

        Raises:
            ValueError: the answer does not begin with `said`.
        """
        number = place = 0
        while place < len(said):
            if self.size and number >= self.size:
                raise ValueError(f"longer than the whole: {said[-40:]!r}")
            token = self.token(number)
            part = said[place : place + len(token)]
            if not token.startswith(part):
                raise ValueError(f"{part!r} instead of {token!r} at {place}")
            place += len(token)
            number += 1
            if place > len(said):
                yield token[len(said) - place :]
        while not self.size or number < self.size:
            yield self.token(number)
            number += 1


FAULTS = {
    "silent": "the connection is taken and nothing comes",
    "stall": "tokens, then silence on an open connection",
    "cut": "tokens, then the body ends without its end",
    "reset": "tokens, then the line breaks",
    "malformed": "tokens, then what is no JSON",
    "empty": "an orderly end without a token",
    "429": "too many requests, with Retry-After if one is given",
    "500": "an internal error",
    "401": "a key that is not known",
}
