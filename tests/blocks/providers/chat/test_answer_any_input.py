"""Whatever a service sends, in any pieces, gives its text or a coded error."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks import errors
from blocks.providers.base import Finish, Token
from tests.blocks.providers.chat.test_answer import read, said
from tests.support.blocks.frames import DONE, THOUGHT, finish, frame, text

CODED = tuple(cls for cls in errors.GenerationError.__subclasses__() if cls.code != "internal")

WORDS = st.sampled_from(["The", " sky ", "ü😀", "{", '"', "\\n", "<", "7"])
NOISE = st.sampled_from(
    [
        b": beat\n\n",
        b"data: null\n\n",
        b'data: {"choices": []}\n\n',
        b"event: ping\n",
        b"\n",
        THOUGHT,
    ]
)
SIZES = st.integers(1, 40)


def pieces_of(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@given(st.lists(st.tuples(WORDS, NOISE), min_size=1, max_size=8), SIZES)
def test_any_split_of_any_answer_with_noise_gives_its_text(parts, size):
    body = b"".join(noise + text(word) for word, noise in parts) + finish("stop") + DONE
    expected = "".join(word for word, _ in parts)
    assert said(*pieces_of(body, size)) == said(body) == expected


@given(st.lists(WORDS, min_size=1, max_size=5), st.data())
def test_no_answer_that_is_cut_before_its_end_is_called_complete(words, data):
    body = b"".join(map(text, words))
    cut = data.draw(st.integers(0, len(body)))
    with pytest.raises(errors.GenerationError):
        read(body[:cut])


@given(st.lists(WORDS, min_size=1, max_size=5), st.data())
def test_no_answer_with_a_reason_in_each_chunk_that_breaks_is_called_complete(words, data):
    body = b"".join(text(word, finish_reason="stop") for word in words)
    cut = data.draw(st.integers(0, len(body)))
    with pytest.raises(errors.GenerationError):
        read(body[:cut], is_cut=True)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats()
    | st.sampled_from(["", "a", "stop"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                "index delta message content text type refusal reasoning choices usage error code "
                "prompt_tokens object detail".split()
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(
    st.lists(st.tuples(st.sampled_from(["choices", "usage", "error", "object", "id"]), ODD)), ODD
)
def test_any_odd_member_gives_the_text_or_a_coded_error(members, delta):
    odd = {**dict(members), "x": 1}
    frames = [
        b"data: " + json.dumps(odd).encode() + b"\n\n",
        frame(delta) if isinstance(delta, dict) else b"",
    ]
    for parts in ([*frames, text("z"), DONE], [text("z"), *frames, finish("stop")]):
        try:
            pieces = read(*parts)
        except CODED:
            continue
        assert sum(isinstance(piece, Finish) for piece in pieces) == 1
        assert "z" in "".join(piece.text for piece in pieces if isinstance(piece, Token))


@given(st.binary(max_size=200), SIZES)
def test_any_bytes_give_an_answer_or_a_coded_error(body, size):
    with suppress(*CODED):
        assert isinstance(read(*pieces_of(body, size))[-1], Finish)
