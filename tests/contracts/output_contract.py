"""The contract of every output. A subclass of OutputContract supplies a good answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks.delta import Delta, FinishReason, Item, Text
from blocks.outputs.base import DROP_REASONS, Output
from blocks.spec import BlockSpec
from tests.contracts.loose_writing import damaged, loosely, wrapped

_PROPERTY = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.differing_executors],
)


@dataclass
class Outcome:
    """An answer as the client finally has it."""

    asks: int = 0
    text: str = ""
    items: dict[str, Any] = field(default_factory=dict)
    grown: dict[str, str] = field(default_factory=dict)  # path → chunks of parts that became items
    arriving: dict[str, str] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    is_enough: bool = False

    def take(self, deltas: Sequence[Delta]) -> None:
        for delta in deltas:
            match delta:
                case Text(token, None):
                    self.text += token
                case Text(token, str(path)):
                    assert token
                    part = next(
                        (p for p in self.items if path == p or path.startswith(p + "/")), ""
                    )
                    assert not part, f"a chunk of {path} after the item {part}"
                    self.arriving[path] = self.arriving.get(path, "") + token
                case Item(path, value):
                    assert path not in self.items, f"{path} twice"
                    for growing in self.arriving:
                        assert growing == path or growing.startswith(path + "/")
                    if value is not None:
                        self.items[path] = value
                        self.grown |= self.arriving
                    self.arriving = {}

    def facts(self) -> tuple[Any, ...]:
        return (self.text, self.items, self.grown, self.result, self.dropped, self.is_enough)


def at(value: Any, path: str) -> Any:
    """Return the value at a JSON Pointer, exactly per RFC 6901."""
    for step in path.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def in_pieces(text: str, *cuts: int) -> list[str]:
    edges = [0, *sorted(cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges) if a < b]


class OutputContract:
    output: Output
    spec: BlockSpec
    options: dict[str, Any]
    replies: list[str]  # the model's replies, one for each request
    result: dict[str, Any] | None  # the result that they produce
    forms: list[Any]  # of structured outputs: the values that good replies hold

    def long_reply(self, size: int) -> str:
        """Return a first reply with a length proportional to `size` and with long strings."""
        raise NotImplementedError

    # --- playing ---

    def play(self, replies: list[list[str]], *, finish: FinishReason = "stop") -> Outcome:
        """Play a model's answer in these pieces."""
        answer = self.output.begin(self.spec, "Rivers", self.options, seed="s", repair=False)
        outcome = Outcome()
        waiting = list(replies)
        while (ask := answer.next_ask()) is not None:
            assert ask.turns[-1].role == "user"
            outcome.asks += 1
            assert outcome.asks <= 5, "it never stops asking"
            for piece in waiting.pop(0) if waiting else []:
                outcome.take(answer.feed(piece))
            outcome.take(answer.close(finish))
        outcome.result = answer.result
        outcome.dropped = dict(answer.dropped)
        outcome.is_enough = answer.is_enough
        return outcome

    # --- the promises ---

    def test_a_good_answer_comes_to_its_result(self) -> None:
        outcome = self.play([[reply] for reply in self.replies])
        assert outcome.result == self.result
        assert outcome.is_enough
        assert outcome.asks == len(self.replies)
        assert not outcome.dropped

    def test_where_the_answer_is_cut_into_tokens_changes_nothing(self) -> None:
        whole = self.play([[reply] for reply in self.replies]).facts()
        assert self.play([list(reply) for reply in self.replies]).facts() == whole
        for number, reply in enumerate(self.replies):
            for cut in range(1, len(reply)):
                pieces = [[r] for r in self.replies]
                pieces[number] = in_pieces(reply, cut)
                assert self.play(pieces).facts() == whole, f"cut at {cut} of {reply!r}"

    @_PROPERTY
    @given(data=st.data())
    def test_cut_into_any_tokens_it_is_the_same(self, data: st.DataObject) -> None:
        whole = self.play([[reply] for reply in self.replies]).facts()
        pieces = [
            in_pieces(reply, *data.draw(st.lists(st.integers(0, len(reply)), max_size=12)))
            for reply in self.replies
        ]
        assert self.play(pieces).facts() == whole

    @_PROPERTY
    @given(random=st.randoms(use_true_random=False), quote=st.sampled_from("\"'“"))
    def test_however_the_model_writes_its_json_it_is_the_same(
        self, random: Random, quote: str
    ) -> None:
        if not self.output.structured:
            return
        plain = self.play([[json.dumps(form)] for form in self.forms]).facts()
        replies = [wrapped(loosely(form, random, quote=quote), random) for form in self.forms]
        size = random.choice((1, 2, 3, 7, 10_000))
        pieces = [[r[i : i + size] for i in range(0, len(r), size)] for r in replies]
        assert self.play(pieces).facts() == plain, replies

    @_PROPERTY
    @given(random=st.randoms(use_true_random=False), finish=st.sampled_from(["stop", "length"]))
    def test_of_damaged_json_the_cuts_change_nothing_and_what_grew_is_in_the_item(
        self, random: Random, finish: FinishReason
    ) -> None:
        if not self.output.structured:
            return
        replies = [damaged(wrapped(loosely(f, random), random), random) for f in self.forms]
        whole = self.play([[reply] for reply in replies], finish=finish)
        for size in (1, 3):
            pieces = [[r[i : i + size] for i in range(0, len(r), size)] for r in replies]
            assert self.play(pieces, finish=finish).facts() == whole.facts(), replies
        for path, text in whole.grown.items():
            part = next(p for p in whole.items if path == p or path.startswith(p + "/"))
            is_lost = path.startswith("/edges/") and "label" not in whole.items[part]
            assert is_lost or at(whole.items[part], path[len(part) :]) == text, replies

    def test_the_prose_before_any_json_is_told(self) -> None:
        refusal = "I'm sorry, but I can't help with {that}. [1]"
        answer = self.output.begin(self.spec, "Rivers", self.options, seed="s", repair=False)
        answer.next_ask()
        for piece in (refusal[:9], refusal[9:], '\n{"title": "no prose", "a"'):
            answer.feed(piece)
        answer.close("stop")
        assert answer.prose == (refusal if self.output.structured else "")

    def test_the_chunks_of_a_string_are_the_string_in_the_item(self) -> None:
        outcome = self.play([list(reply) for reply in self.replies])
        if self.output.structured:
            assert outcome.grown
            for path, text in outcome.grown.items():
                part = next(p for p in outcome.items if path == p or path.startswith(p + "/"))
                assert at(outcome.items[part], path[len(part) :]) == text
        else:
            assert outcome.text == "".join(self.replies)

    def test_each_item_stands_in_the_result_at_its_path(self) -> None:
        outcome = self.play([[reply] for reply in self.replies])
        assert bool(outcome.items) is self.output.structured
        for path, value in outcome.items.items():
            assert at(outcome.result, path) == value

    def test_an_answer_cut_anywhere_keeps_its_whole_parts_alone(self) -> None:
        whole = self.play([[reply] for reply in self.replies])
        for number, reply in enumerate(self.replies):
            for cut in range(len(reply)):
                replies = [[r] for r in self.replies[:number]] + [[reply[:cut]]]
                outcome = self.play(replies, finish="length")
                assert not outcome.arriving, "an open part was not voided"
                assert outcome.dropped.get("cut", 0) <= 1
                for path, value in outcome.items.items():
                    assert value == whole.items[path] or path == "/title"

    def test_an_empty_answer_is_not_enough(self) -> None:
        assert not self.play([]).is_enough

    @_PROPERTY
    @given(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
            | st.sampled_from(['{"', '":', "[", "]", "{", "}", '"', "\\", "\\ud83d", ",", "1e999"]),
            max_size=40,
        ),
        st.booleans(),
    )
    def test_no_text_breaks_it(self, tokens: list[str], begins_well: bool) -> None:
        if begins_well:
            tokens = [self.replies[0][: len(self.replies[0]) // 2], *tokens]
        outcome = self.play([tokens], finish="length")
        assert outcome.dropped.keys() <= DROP_REASONS.keys()
        if self.output.structured:
            shown = [*outcome.items.values(), *outcome.grown.values()]
            assert "\0" not in repr(shown)
            repr(shown).encode()  # no lone surrogates

    def test_the_cost_grows_with_the_length_and_no_faster(self) -> None:
        once, twice = (self._operations(size) for size in (1_000, 2_000))
        assert twice < 2.2 * once

    def _operations(self, size: int) -> int:
        """Count calls, weighted by their numbers of characters, as a substitute for a clock."""
        reply = self.long_reply(size)
        answer = self.output.begin(self.spec, "Rivers", self.options, seed="s", repair=False)
        answer.next_ask()
        count = 0

        def count_calls(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            if event == "call":
                count += 1 + sum(
                    len(value)
                    for value in frame.f_locals.values()
                    if isinstance(value, str | list | dict)
                )
            elif event == "c_call":
                count += 1

        sys.setprofile(count_calls)
        try:
            for char in reply:
                answer.feed(char)
            answer.close("stop")
        finally:
            sys.setprofile(None)
        assert count > size
        return count

    def test_a_template_with_hostile_input_is_only_filled_in_once(self) -> None:
        answer = self.output.begin(
            self.spec, "$prompt ${system} $$ %s {0}", self.options, seed="s", repair=False
        )
        ask = answer.next_ask()
        assert ask is not None
        assert "$prompt ${system} $$ %s {0}" in ask.turns[-1].content

    @pytest.mark.parametrize("example", ["", "not JSON", "[]", "[" * 100_000, '{"title": 1}'])
    def test_a_bad_example_is_left_out_or_harmless(self, example: str) -> None:
        self.output.example_problem(example)
        self.spec, whole = _with_example(self.spec, example), self.spec
        try:
            assert self.play([[reply] for reply in self.replies]).result == self.result
        finally:
            self.spec = whole


def _with_example(spec: BlockSpec, example: str) -> BlockSpec:
    return BlockSpec(**{**vars(spec), "example_answer": example})
